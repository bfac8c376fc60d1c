// SPDX-License-Identifier: GPL-2.0-only
/*
 * Many simultaneous pairs: checkpoints per second, and memory.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench.h"

#define GROUP	"/sys/fs/cgroup/checkpoint-bench"

/* Steps that all masters take together. */
enum { STEP_PAIR, STEP_RUN, NR_STEPS };

/**
 * struct crowd - masters, each with its slave
 * @options: the command line
 * @calls: memory shared with each slave
 * @ready: pipe to which masters write when they have completed a step
 * @go: for each step, the pipe on which masters wait to begin it
 * @pids: the masters
 */
struct crowd {
	const struct bench_options	*options;
	struct slave_shared		*calls;
	int				ready[2];
	int				go[NR_STEPS][2];
	pid_t				*pids;
};

static void await_step(const struct crowd *crowd, int step)
{
	char byte;

	bench_write(crowd->ready[1], "", 1);
	bench_read(crowd->go[step][0], &byte, 1);
}

static bool records(const struct bench_options *options)
{
	return !strcmp(options->mode, "record");
}

/* Pairs with a region that is just large enough for the slave's stack. */
static struct cp_pair *pair_with(const struct slave *slave,
				 const struct bench_options *options)
{
	struct cp_pair_options how = { .size = sizeof(how) };
	struct cp_pair *pair = cp_pair_open();

	if (records(options)) {
		how.flags = CP_PREP_OVERWRITE;
		how.nr_slots = options->slots;
		how.stack_limit = (options->kib + 16) * 1024;
	}
	if (!pair || cp_pair_prep(pair, slave->pid, &how))
		bench_die("a pair");
	return pair;
}

static void master(const struct crowd *crowd, unsigned int number,
		   unsigned long order)
{
	const struct bench_options *options = crowd->options;
	struct slave slave = { .shared = &crowd->calls[number] };
	struct cp_pair *pair;

	bench_pin(number % options->cpus);
	slave_start(&slave, options->kib, number % options->cpus);
	await_step(crowd, STEP_PAIR);
	pair = pair_with(&slave, options);
	/* A recorded slave never waits: start it only once all pairs are made. */
	if (records(options))
		slave_run(&slave, 1);
	else
		slave_order(&slave, order);
	if (cp_pair_get(pair, -1, 0) != 1)
		bench_die("cp_pair_get");
	await_step(crowd, STEP_RUN);
	if (records(options))
		slave_order(&slave, order);
	for (;;) {
		if (records(options))
			sleep(1);
		else if (cp_pair_get(pair, -1, 0) != 1)
			bench_die("cp_pair_get");
	}
}

static void everybody_ready(const struct crowd *crowd)
{
	unsigned int i;
	char byte;

	for (i = 0; i < crowd->options->pairs; i++)
		bench_read(crowd->ready[0], &byte, 1);
}

static void everybody_go(const struct crowd *crowd, int step)
{
	unsigned int i;

	for (i = 0; i < crowd->options->pairs; i++)
		bench_write(crowd->go[step][1], "", 1);
}

/* Starts the masters; returns once all have started their slaves. */
static void gather(struct crowd *crowd, const struct bench_options *options,
		   unsigned long order)
{
	unsigned int i;

	crowd->options = options;
	crowd->calls = bench_share(options->pairs * sizeof(*crowd->calls));
	crowd->pids = calloc(options->pairs, sizeof(*crowd->pids));
	if (pipe(crowd->ready) || pipe(crowd->go[STEP_PAIR]) ||
	    pipe(crowd->go[STEP_RUN]))
		bench_die("pipe");
	for (i = 0; i < options->pairs; i++) {
		crowd->pids[i] = bench_fork_child();
		if (!crowd->pids[i])
			master(crowd, i, order);
	}
	everybody_ready(crowd);
}

static void dismiss(struct crowd *crowd)
{
	unsigned int i;

	/* Kill all before reaping any: living pairs would slow down the dying. */
	for (i = 0; i < crowd->options->pairs; i++)
		kill(crowd->pids[i], SIGKILL);
	for (i = 0; i < crowd->options->pairs; i++)
		bench_reap(crowd->pids[i]);
}

static uint64_t all_calls(const struct crowd *crowd)
{
	uint64_t sum = 0;
	unsigned int i;

	for (i = 0; i < crowd->options->pairs; i++)
		sum += crowd->calls[i].calls;
	return sum;
}

/* Waits until each slave is past its first calls, which are slower. */
static void await_work(const struct crowd *crowd)
{
	unsigned int i;

	for (i = 0; i < crowd->options->pairs; i++)
		while (crowd->calls[i].calls < 16)
			usleep(20000);
}

/* The cost is the CPU time, summed over the pairs' CPUs, of each checkpoint. */
int bench_scale(const struct bench_options *options)
{
	unsigned int cpus = options->cpus < options->pairs ? options->cpus :
							     options->pairs;
	uint64_t begin, calls, took;
	struct crowd crowd;

	gather(&crowd, options, SLAVE_FOREVER);
	everybody_go(&crowd, STEP_PAIR);
	everybody_ready(&crowd);
	everybody_go(&crowd, STEP_RUN);
	await_work(&crowd);
	calls = all_calls(&crowd);
	begin = bench_now();
	usleep(options->ms * 1000);
	calls = all_calls(&crowd) - calls;
	took = bench_now() - begin;
	dismiss(&crowd);
	if (!calls) {
		fprintf(stderr, "measure: no checkpoint in %u ms\n",
			options->ms);
		return 1;
	}
	printf("{\"ns\": %.2f, \"count\": %llu, \"per_second\": %.1f}\n",
	       (double)took * cpus / calls, (unsigned long long)calls,
	       calls * 1e9 / took);
	return 0;
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		bench_die(path);
	close(fd);
}

/* The number after @word at the beginning of a line; @word may be empty. */
static double number_in(const char *path, const char *word)
{
	FILE *file = fopen(path, "r");
	double value = -1;
	char line[256];

	if (!file)
		bench_die(path);
	while (fgets(line, sizeof(line), file)) {
		if (strncmp(line, word, strlen(word)))
			continue;
		value = atof(line + strlen(word));
		break;
	}
	fclose(file);
	return value;
}

struct memory {
	double	charged;
	double	kernel;
	double	slab;
	double	pagetables;
	double	free;
};

static void look_at_memory(struct memory *memory)
{
	memory->charged = number_in(GROUP "/memory.current", "");
	memory->kernel = number_in(GROUP "/memory.stat", "kernel ");
	memory->slab = number_in(GROUP "/memory.stat", "slab ");
	memory->pagetables = number_in(GROUP "/memory.stat", "pagetables ");
	memory->free = number_in("/proc/meminfo", "MemFree:") * 1024;
}

/* The memory that idle pairs use after one checkpoint each. */
int bench_memory(const struct bench_options *options)
{
	struct memory before, after;
	struct crowd crowd;

	write_file("/sys/fs/cgroup/cgroup.subtree_control", "+memory");
	if (mkdir(GROUP, 0755) && errno != EEXIST)
		bench_die(GROUP);
	write_file(GROUP "/cgroup.procs", "0");
	gather(&crowd, options, SLAVE_DROWSY | 999999999);
	usleep(200000);
	look_at_memory(&before);
	everybody_go(&crowd, STEP_PAIR);
	everybody_ready(&crowd);
	usleep(200000);
	look_at_memory(&after);
	everybody_go(&crowd, STEP_RUN);
	dismiss(&crowd);
	write_file("/sys/fs/cgroup/cgroup.procs", "0");
	rmdir(GROUP);
	printf("{\"ns\": %.0f, \"kernel\": %.0f, \"slab\": %.0f, \"pagetables\": %.0f, \"free\": %.0f}\n",
	       (after.charged - before.charged) / options->pairs,
	       (after.kernel - before.kernel) / options->pairs,
	       (after.slab - before.slab) / options->pairs,
	       (after.pagetables - before.pagetables) / options->pairs,
	       (before.free - after.free) / options->pairs);
	return 0;
}

/* Pairs that take checkpoints from time to time, until standard input ends. */
int bench_hold(const struct bench_options *options)
{
	struct crowd crowd;
	char byte;

	gather(&crowd, options, SLAVE_DROWSY | 50000);
	everybody_go(&crowd, STEP_PAIR);
	everybody_ready(&crowd);
	everybody_go(&crowd, STEP_RUN);
	printf("{\"ns\": 0}\n");
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	dismiss(&crowd);
	return 0;
}

/* A process that sleeps with options->kib of its stack in use. */
int bench_idle(const struct bench_options *options)
{
	struct slave slave = {};
	char byte;

	slave_start(&slave, options->kib, 0);
	printf("{\"ns\": 0, \"pid\": %d}\n", slave.pid);
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	slave_stop(&slave);
	return 0;
}
