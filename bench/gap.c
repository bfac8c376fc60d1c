// SPDX-License-Identifier: GPL-2.0-only
/*
 * A program that never sleeps is observed once. Measured are the longest time for which the
 * program executes nothing, and the time for which it is held.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <x86intrin.h>

#include "bench.h"

#define NSEC_PER_SEC	1000000000LL

/* In a command, stands for the slave's pid. */
#define PID_WORD	"{}"

/**
 * struct watch - memory shared with the slave
 * @longest: the longest gap so far, in ticks of the time stamp counter
 * @running: the slave loops
 */
struct watch {
	volatile uint64_t	longest;
	volatile bool		running;
};

static void loop(struct watch *watch)
{
	uint64_t before = __rdtsc();

	for (;;) {
		uint64_t now = __rdtsc();

		if (now - before > watch->longest)
			watch->longest = now - before;
		before = now;
		watch->running = true;
	}
}

/**
 * struct share - how a task has spent its time, up to a moment
 * @time: the moment
 * @cpu: the task's CPU time
 * @ready: the time for which the task waited for a CPU
 */
struct share {
	uint64_t	time;
	uint64_t	cpu;
	uint64_t	ready;
};

static struct share read_share(pid_t pid)
{
	unsigned long cpu, ready;
	struct share share;
	char path[64];
	FILE *file;

	/*
	 * If the two share a CPU, the slave has waited for it since this task woke. The
	 * kernel counts that wait when it ends, so let the slave run first.
	 */
	usleep(20000);
	share.time = bench_now();
	snprintf(path, sizeof(path), "/proc/%d/schedstat", pid);
	file = fopen(path, "r");
	if (!file || fscanf(file, "%lu %lu", &cpu, &ready) != 2)
		bench_die(path);
	fclose(file);
	share.cpu = cpu;
	share.ready = ready;
	return share;
}

/* The time since @before for which the task neither ran nor could. */
static uint64_t blocked_since(const struct share *before, pid_t pid)
{
	struct share now = read_share(pid);
	uint64_t time = now.time - before->time;
	uint64_t could = now.cpu - before->cpu + now.ready - before->ready;

	return time > could ? time - could : 0;
}

static double ns_per_tick(void)
{
	uint64_t begin = bench_now(), ticks = __rdtsc();

	usleep(50000);
	return (double)(bench_now() - begin) / (__rdtsc() - ticks);
}

/* What cpctl bt does, as short as the library allows. */
static void hold_once(pid_t pid)
{
	struct cp_pair_options how = {
		.size = sizeof(how),
		.flags = CP_PREP_PROCESS | CP_PREP_DEATH,
	};
	struct cp_pair *pair = bench_pair(pid, &how);

	if (cp_pair_hold(pair, 60 * NSEC_PER_SEC, 60 * NSEC_PER_SEC,
			 CP_HOLD_ASLEEP, NULL) != 1)
		bench_die("cp_pair_hold");
	if (cp_pair_get(pair, 0, 0) != 1)
		bench_die("cp_pair_get");
	if (cp_pair_end(pair))
		bench_die("cp_pair_end");
	exit(0);
}

static void execute(char **command, pid_t pid)
{
	int null = open("/dev/null", O_RDWR);
	char text[16], **word;

	snprintf(text, sizeof(text), "%d", pid);
	for (word = command; *word; word++)
		if (!strcmp(*word, PID_WORD))
			*word = text;
	dup2(null, STDOUT_FILENO);
	execvp(command[0], command);
	bench_die(command[0]);
}

/* One observation, by a command or through the library, in a process of its own. */
static void observe(pid_t slave, char **command)
{
	pid_t pid = bench_fork_child();
	int status;

	if (!pid && command[0])
		execute(command, slave);
	if (!pid)
		hold_once(slave);
	if (waitpid(pid, &status, 0) != pid || status) {
		fprintf(stderr, "measure: %s: status %d\n",
			command[0] ?: "the library", status);
		exit(1);
	}
}

int bench_gap(const struct bench_options *options)
{
	struct watch *watch = bench_share(sizeof(*watch));
	pid_t pid = bench_fork_child();
	struct share before;
	double scale, longest;

	if (!pid) {
		bench_pin(bench_slave_cpu(options));
		loop(watch);
	}
	bench_pin(0);
	scale = ns_per_tick();
	while (!watch->running)
		usleep(1000);
	before = read_share(pid);
	watch->longest = 0;
	observe(pid, options->command);
	longest = watch->longest * scale;
	printf("{\"ns\": %llu, \"longest\": %.0f}\n",
	       (unsigned long long)blocked_since(&before, pid), longest);
	bench_reap(pid);
	return 0;
}
