// SPDX-License-Identifier: GPL-2.0-only
/*
 * Costs for processes that are not in a pair.
 */
#include <sched.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

static uint64_t null_calls(void *arg, unsigned long count)
{
	uint64_t begin = bench_now();
	unsigned long i;

	for (i = 0; i < count; i++)
		slave_call();
	return bench_now() - begin;
}

int bench_null(const struct bench_options *options)
{
	bench_pin(0);
	bench_result(bench_repeat(null_calls, NULL, options->ms));
	return 0;
}

static uint64_t forks(void *arg, unsigned long count)
{
	uint64_t begin = bench_now();
	unsigned long i;

	for (i = 0; i < count; i++) {
		pid_t pid = fork();

		if (pid < 0)
			bench_die("fork");
		if (!pid)
			_exit(0);
		waitpid(pid, NULL, 0);
	}
	return bench_now() - begin;
}

int bench_fork(const struct bench_options *options)
{
	bench_pin(0);
	bench_result(bench_repeat(forks, NULL, options->ms));
	return 0;
}

static uint64_t yields(void *arg, unsigned long count)
{
	uint64_t begin = bench_now();
	unsigned long i;

	for (i = 0; i < count; i++)
		sched_yield();
	/* The other process has yielded as often. */
	return (bench_now() - begin) / 2;
}

/*
 * Two processes that yield to each other on one CPU. With a real-time policy, each
 * yield switches to the other process; other policies do not guarantee that.
 */
int bench_switch(const struct bench_options *options)
{
	struct sched_param param = { .sched_priority = 1 };
	pid_t pid;

	bench_pin(0);
	if (sched_setscheduler(0, SCHED_FIFO, &param))
		bench_die("SCHED_FIFO");
	pid = bench_fork_child();
	if (!pid) {
		for (;;)
			sched_yield();
	}
	bench_result(bench_repeat(yields, NULL, options->ms));
	bench_reap(pid);
	return 0;
}

static uint64_t cpu_time(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

/* Works until @end; returns the amount of work, and the CPU time in *@used. */
static unsigned long busy(uint64_t end, uint64_t *used)
{
	uint64_t begin = cpu_time();
	unsigned long work = 0;

	while (bench_now() < end) {
		volatile unsigned int i;

		for (i = 0; i < 20000; i++)
			;
		work++;
	}
	*used = cpu_time() - begin;
	return work;
}

/*
 * A process that computes on the CPU of a pair's master and, unless the slave has its
 * own CPU, of the slave. The master takes checkpoints all the time.
 */
int bench_fairness(const struct bench_options *options)
{
	uint64_t wall = options->ms * 1000000ULL, alone, shared;
	unsigned long work_alone, work_shared;
	struct slave slave = {};
	struct cp_pair *pair;
	pid_t pid;

	bench_pin(0);
	work_alone = busy(bench_now() + wall, &alone);
	pid = bench_fork_child();
	if (!pid) {
		slave_start(&slave, options->kib, bench_slave_cpu(options));
		pair = cp_pair_open();
		if (!pair || cp_pair_prep(pair, slave.pid, NULL))
			bench_die("a pair");
		slave_order(&slave, SLAVE_FOREVER);
		while (cp_pair_get(pair, -1, 0) == 1)
			;
		bench_die("cp_pair_get");
	}
	usleep(50000);
	work_shared = busy(bench_now() + wall, &shared);
	bench_reap(pid);
	printf("{\"ns\": %.4f, \"share\": %.4f, \"efficiency\": %.4f}\n",
	       (double)shared / wall, (double)shared / wall,
	       ((double)work_shared / shared) / ((double)work_alone / alone));
	return 0;
}
