// SPDX-License-Identifier: GPL-2.0-only
/*
 * The same state by ptrace: registers by PTRACE_GETREGSET, and the stack by
 * process_vm_readv(2), the fastest way for a debugger.
 */
#include <elf.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>

#include "bench.h"

struct tracer {
	struct slave	slave;
	char		*buf;
	size_t		size;
};

static void wait_stop(struct tracer *tracer)
{
	int status;

	if (waitpid(tracer->slave.pid, &status, __WALL) != tracer->slave.pid ||
	    !WIFSTOPPED(status))
		bench_die("waitpid");
}

static void look(struct tracer *tracer)
{
	struct user_regs_struct regs;
	struct iovec iov = { &regs, sizeof(regs) };

	if (ptrace(PTRACE_GETREGSET, tracer->slave.pid, NT_PRSTATUS, &iov))
		bench_die("PTRACE_GETREGSET");
	slave_read_stack(&tracer->slave, regs.rsp, tracer->buf, tracer->size);
}

static void go_on(struct tracer *tracer, int request)
{
	if (ptrace(request, tracer->slave.pid, 0, 0))
		bench_die("ptrace");
}

/* Each call stops twice: at its entry, which is of no use here, and at its exit. */
static uint64_t by_syscall(void *arg, unsigned long count)
{
	struct tracer *tracer = arg;
	uint64_t begin = bench_now();
	unsigned long i;

	for (i = 0; i < count; i++) {
		go_on(tracer, PTRACE_SYSCALL);
		wait_stop(tracer);
		go_on(tracer, PTRACE_SYSCALL);
		wait_stop(tracer);
		look(tracer);
	}
	return bench_now() - begin;
}

static uint64_t by_interrupt(void *arg, unsigned long count)
{
	struct tracer *tracer = arg;
	uint64_t begin = bench_now();
	unsigned long i;

	for (i = 0; i < count; i++) {
		go_on(tracer, PTRACE_INTERRUPT);
		wait_stop(tracer);
		look(tracer);
		go_on(tracer, PTRACE_CONT);
	}
	return bench_now() - begin;
}

static int measure(const struct bench_options *options, bench_fn fn)
{
	struct tracer tracer = {};
	struct bench_time time;

	bench_pin(0);
	tracer.size = (options->kib + 4) * 1024;
	tracer.buf = malloc(tracer.size);
	slave_start(&tracer.slave, options->kib, bench_slave_cpu(options));
	if (ptrace(PTRACE_SEIZE, tracer.slave.pid, 0, 0))
		bench_die("PTRACE_SEIZE");
	slave_order(&tracer.slave, SLAVE_FOREVER);
	while (tracer.slave.shared->calls < 10)
		sched_yield();
	if (fn == by_syscall) {
		go_on(&tracer, PTRACE_INTERRUPT);
		wait_stop(&tracer);
	}
	fn(&tracer, 16);
	time = bench_repeat(fn, &tracer, options->ms);
	slave_stop(&tracer.slave);
	free(tracer.buf);
	bench_result(time);
	return 0;
}

int bench_ptrace_syscall(const struct bench_options *options)
{
	return measure(options, by_syscall);
}

int bench_ptrace_interrupt(const struct bench_options *options)
{
	return measure(options, by_interrupt);
}
