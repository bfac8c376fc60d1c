// SPDX-License-Identifier: GPL-2.0-only
/*
 * A slave: a child that makes system calls with a stack of a given depth.
 */
#include <alloca.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "bench.h"

#define RED_ZONE	128
#define GUARD		4096

/* A null system call, made from where it stands, for its stack pointer. */
__attribute__((always_inline))
static inline long null_call(void)
{
	long ret;

	asm volatile("syscall" : "=a"(ret) : "0"(SYS_getppid)
		     : "rcx", "r11", "memory");
	return ret;
}

long slave_call(void)
{
	return null_call();
}

static uint64_t do_calls(struct slave *slave, unsigned long count)
{
	struct slave_shared *shared = slave->shared;
	uint64_t begin;
	unsigned long i;

	if (count == SLAVE_FOREVER) {
		for (;;) {
			null_call();
			shared->calls++;
		}
	}
	if (count & SLAVE_DROWSY) {
		for (;;) {
			usleep(count & ~SLAVE_DROWSY);
			shared->calls++;
		}
	}
	begin = bench_now();
	for (i = 0; i < count; i++)
		null_call();
	return bench_now() - begin;
}

/* With the stack in use down to here. */
__attribute__((noinline))
static void obey(struct slave *slave)
{
	unsigned long count;
	uint64_t ns;

	slave->shared->sp = (uint64_t)__builtin_frame_address(0);
	if (slave->setup)
		slave->setup(slave->arg);
	ns = 0;
	bench_write(slave->answers[1], &ns, sizeof(ns));
	for (;;) {
		bench_read(slave->orders[0], &count, sizeof(count));
		ns = do_calls(slave, count);
		bench_write(slave->answers[1], &ns, sizeof(ns));
	}
}

struct birth {
	struct slave	*slave;
	unsigned int	kib;
	unsigned int	cpu;
};

static int live(void *arg)
{
	struct birth *birth = arg;
	struct slave *slave = birth->slave;
	size_t used, wanted = birth->kib * 1024;
	char *padding;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	bench_pin(birth->cpu);
	/* Its frame, and that of obey(), are part of it. */
	used = slave->shared->end - (uint64_t)__builtin_frame_address(0);
	used += RED_ZONE + 256;
	if (wanted > used) {
		/* cppcheck-suppress allocaCalled */
		padding = alloca(wanted - used);
		memset(padding, 0x5a, wanted - used);
		asm volatile("" : : "r"(padding) : "memory");
	}
	obey(slave);
	return 0;
}

/**
 * slave_start - start a slave
 * @slave: zeroed but for setup and arg, and shared if it is to be the caller's
 * @kib: KiB of stack in use
 * @cpu: where it runs
 *
 * Its stack is a mapping of its own, so that nothing else is above.
 */
void slave_start(struct slave *slave, unsigned int kib, unsigned int cpu)
{
	/* In whole pages, or there would be more above its end. */
	size_t size = (kib + 67) / 4 * 4096;
	struct birth birth = { slave, kib, cpu };
	uint64_t ready;
	char *stack;

	if (!slave->shared)
		slave->shared = bench_share(sizeof(*slave->shared));
	stack = mmap(NULL, size + 2 * GUARD, PROT_NONE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (stack == MAP_FAILED ||
	    mprotect(stack + GUARD, size, PROT_READ | PROT_WRITE))
		bench_die("a slave's stack");
	slave->shared->end = (uint64_t)stack + GUARD + size;
	if (pipe2(slave->orders, O_CLOEXEC) || pipe2(slave->answers, O_CLOEXEC))
		bench_die("pipe");
	fflush(stdout);
	slave->pid = clone(live, stack + GUARD + size, SIGCHLD, &birth);
	if (slave->pid < 0)
		bench_die("clone");
	bench_read(slave->answers[0], &ready, sizeof(ready));
	munmap(stack, size + 2 * GUARD);
}

void slave_order(struct slave *slave, unsigned long count)
{
	bench_write(slave->orders[1], &count, sizeof(count));
}

/* A bench_fn: the time is the slave's own. */
uint64_t slave_run(void *arg, unsigned long count)
{
	struct slave *slave = arg;
	uint64_t ns;

	slave_order(slave, count);
	bench_read(slave->answers[0], &ns, sizeof(ns));
	return ns;
}

void slave_stop(struct slave *slave)
{
	bench_reap(slave->pid);
	close(slave->orders[0]);
	close(slave->orders[1]);
	close(slave->answers[0]);
	close(slave->answers[1]);
}

/**
 * slave_read_stack - copy a slave's stack as a debugger does
 * @slave: the slave
 * @sp: its stack pointer
 * @buf: receives it
 * @size: bytes there
 *
 * Return: the number of bytes, from the red zone to the stack's end.
 */
size_t slave_read_stack(const struct slave *slave, uint64_t sp, void *buf,
			size_t size)
{
	struct iovec local = { buf, size }, remote;
	ssize_t got;

	remote.iov_base = (void *)(sp - RED_ZONE);
	remote.iov_len = slave->shared->end - (sp - RED_ZONE);
	if (remote.iov_len > size)
		remote.iov_len = size;
	got = process_vm_readv(slave->pid, &local, 1, &remote, 1, 0);
	if (got != (ssize_t)remote.iov_len)
		bench_die("process_vm_readv");
	return got;
}
