// SPDX-License-Identifier: GPL-2.0-only
/*
 * measure: makes one measurement of one row. bench/run repeats it for all rows.
 */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

static const struct row {
	const char	*name;
	int		(*run)(const struct bench_options *options);
	const char	*help;
} rows[] = {
	{ "rendezvous", bench_rendezvous, "a checkpoint taken by a master that waits" },
	{ "recorder", bench_recorder, "the extra cost of a recorded system call to the slave" },
	{ "ptrace-syscall", bench_ptrace_syscall,
	  "registers and stack at each system call's exit" },
	{ "ptrace-interrupt", bench_ptrace_interrupt,
	  "registers and stack of a slave that is stopped" },
	{ "seccomp", bench_seccomp, "user notification, and the stack" },
	{ "perf", bench_perf, "a sample with user registers and stack" },
	{ "eventfd", bench_eventfd, "a round trip between two processes" },
	{ "futex", bench_futex, "a round trip between two processes" },
	{ "memcpy", bench_memcpy, "the C library's copy" },
	{ "words", bench_words, "a copy by rep movsq, as in the kernel" },
	{ "null", bench_null, "a null system call" },
	{ "fork", bench_fork, "a child that exits at once" },
	{ "switch", bench_switch, "a context switch" },
	{ "fairness", bench_fairness, "the share of a process beside a pair" },
	{ "scale", bench_scale, "many pairs at once, each on one CPU" },
	{ "memory", bench_memory, "bytes that an idle pair adds" },
	{ "hold", bench_hold, "no measurement: pairs that live" },
	{ "idle", bench_idle, "no measurement: a process that sleeps" },
	{ "process-recorder", bench_process_recorder,
	  "as recorder, for a process with --threads" },
	{ "process-rendezvous", bench_process_rendezvous,
	  "as rendezvous, for a process with --threads" },
	{ "process-hold", bench_process_hold,
	  "a hold with registers, for each of --threads, --busy of which compute" },
	{ "gap", bench_gap, "the time a program is held; {} is its pid in COMMAND" },
	{ "program", bench_program, "a real program, with --mode" },
};

#define NR_ROWS	(sizeof(rows) / sizeof(rows[0]))

static int usage(FILE *to)
{
	const struct row *row;

	fprintf(to,
		"usage: measure ROW [--kib N] [--cpus 1|2] [--ms N] [--pairs N]\n"
		"               [--slots N] [--threads N] [--busy N]\n"
		"               [--mode wait|record|limit|none|get|region|asleep|ptrace]\n"
		"               [-- COMMAND...]\n\n");
	for (row = rows; row < rows + NR_ROWS; row++)
		fprintf(to, "  %-20s%s\n", row->name, row->help);
	return to == stdout ? 0 : 2;
}

static unsigned int number(const char *text)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (*end || end == text || !value || value > 1000000) {
		errno = EINVAL;
		bench_die(text);
	}
	return value;
}

int main(int argc, char **argv)
{
	static const struct option known[] = {
		{ "kib", required_argument, NULL, 'k' },
		{ "cpus", required_argument, NULL, 'c' },
		{ "ms", required_argument, NULL, 't' },
		{ "pairs", required_argument, NULL, 'p' },
		{ "slots", required_argument, NULL, 's' },
		{ "threads", required_argument, NULL, 'T' },
		{ "busy", required_argument, NULL, 'b' },
		{ "mode", required_argument, NULL, 'm' },
		{ "help", no_argument, NULL, 'h' },
		{}
	};
	struct bench_options options = {
		.kib = 8, .cpus = 1, .ms = 100, .pairs = 1, .slots = 8, .threads = 1,
		.mode = "wait",
	};
	const struct row *row;
	int option;

	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		switch (option) {
		case 'k':
			options.kib = number(optarg);
			break;
		case 'c':
			options.cpus = number(optarg);
			break;
		case 't':
			options.ms = number(optarg);
			break;
		case 'p':
			options.pairs = number(optarg);
			break;
		case 's':
			options.slots = number(optarg);
			break;
		case 'T':
			options.threads = number(optarg);
			break;
		case 'b':
			options.busy = number(optarg);
			break;
		case 'm':
			options.mode = optarg;
			break;
		default:
			return usage(option == 'h' ? stdout : stderr);
		}
	}
	if (optind == argc)
		return usage(stderr);
	options.command = argv + optind + 1;
	for (row = rows; row < rows + NR_ROWS; row++)
		if (!strcmp(row->name, argv[optind]))
			return row->run(&options);
	return usage(stderr);
}
