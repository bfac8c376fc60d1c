// SPDX-License-Identifier: GPL-2.0-only
/*
 * A slave: a child that makes system calls with a stack of a given depth.
 */
#include <alloca.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "bench.h"

#define RED_ZONE	128
#define GUARD		4096

/* A null system call, always inlined so that RSP is that of the caller. */
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

/* Runs below the padding, so that the wanted size of the stack is in use. */
static void obey(void *arg)
{
	struct slave *slave = arg;
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

/**
 * slave_deepen - call a function with a given size of the stack in use
 * @end: end of the stack
 * @kib: KiB to be in use
 * @fn: the function
 * @arg: argument of @fn
 */
__attribute__((noinline))
void slave_deepen(uint64_t end, unsigned int kib, void (*fn)(void *arg), void *arg)
{
	size_t used, wanted = kib * 1024;
	char *padding;

	/* The frames of this function and of @fn count as well. */
	used = end - (uint64_t)__builtin_frame_address(0);
	used += RED_ZONE + 256;
	if (wanted > used) {
		/* cppcheck-suppress allocaCalled */
		padding = alloca(wanted - used);
		memset(padding, 0x5a, wanted - used);
		asm volatile("" : : "r"(padding) : "memory");
	}
	fn(arg);
	asm volatile("" : : : "memory");
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

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	bench_pin(birth->cpu);
	slave_deepen(slave->shared->end, birth->kib, obey, slave);
	return 0;
}

/**
 * slave_start - start a slave
 * @slave: zeroed except for @setup, @arg and, if the caller allocates it, @shared
 * @kib: KiB of stack in use
 * @cpu: CPU to run on
 *
 * The stack is a mapping of its own, so that its size is exact.
 */
void slave_start(struct slave *slave, unsigned int kib, unsigned int cpu)
{
	/* Whole pages: the kernel would round the mapping up. */
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

/* A bench_fn; the slave measures the time itself. */
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
 * @sp: the slave's stack pointer
 * @buf: receives the stack, from the red zone to its end
 * @size: size of @buf in bytes
 *
 * Return: the number of bytes copied.
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
