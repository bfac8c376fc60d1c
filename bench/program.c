// SPDX-License-Identifier: GPL-2.0-only
/*
 * A real program, from its first instruction to its exit.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

/* Starts the program; returns once the child has executed it. */
static pid_t start(char **command)
{
	int gate[2];
	pid_t pid;
	char byte;

	if (pipe2(gate, O_CLOEXEC))
		bench_die("pipe");
	pid = bench_fork_child();
	if (!pid) {
		int null = open("/dev/null", O_RDWR);

		dup2(null, STDOUT_FILENO);
		execvp(command[0], command);
		bench_die(command[0]);
	}
	close(gate[1]);
	if (read(gate[0], &byte, 1) < 0)
		bench_die("read");
	close(gate[0]);
	return pid;
}

static struct cp_pair *observe(pid_t pid, const struct bench_options *options)
{
	struct cp_pair_options how = { .size = sizeof(how) };
	struct cp_pair *pair = cp_pair_open();

	if (strcmp(options->mode, "wait")) {
		how.flags = CP_PREP_OVERWRITE;
		how.nr_slots = options->slots;
		how.stack_limit = 256 * 1024;
	}
	if (!strcmp(options->mode, "limit"))
		how.interval = 1000000;
	if (!pair || cp_pair_prep(pair, pid, &how))
		bench_die("a pair");
	return pair;
}

int bench_program(const struct bench_options *options)
{
	const struct cp_checkpoint *checkpoint;
	struct cp_pair *pair = NULL;
	uint64_t begin, took, last = 0;
	struct rusage usage;
	int status;
	pid_t pid;

	if (!options->command[0]) {
		errno = EINVAL;
		bench_die("no command");
	}
	begin = bench_now();
	pid = start(options->command);
	if (strcmp(options->mode, "none"))
		pair = observe(pid, options);
	while (pair && !strcmp(options->mode, "wait") &&
	       cp_pair_get(pair, -1, 0) == 1)
		;
	if (wait4(pid, &status, 0, &usage) != pid || status) {
		fprintf(stderr, "measure: %s: status %d\n",
			options->command[0], status);
		return 1;
	}
	took = bench_now() - begin;
	/* Takes the remaining checkpoints of a recorder. */
	while (pair && cp_pair_get(pair, 0, 0) == 1)
		;
	checkpoint = pair ? cp_pair_checkpoint(pair) : NULL;
	if (checkpoint)
		last = checkpoint->seq;
	printf("{\"ns\": %llu, \"cpu\": %llu, \"checkpoints\": %llu}\n",
	       (unsigned long long)took,
	       (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000000ULL +
	       (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1000ULL,
	       (unsigned long long)last);
	return 0;
}
