// SPDX-License-Identifier: GPL-2.0-only
/* cpctl: finds the verb and calls it. */
#include <stdio.h>
#include <string.h>

#include "child.h"
#include "cmdline.h"
#include "cpctl.h"
#include "exit.h"
#include "output.h"

static const struct verb {
	const char	*name;
	verb_fn		function;
	const char	*help;
} verbs[] = {
	{ "bt", verb_bt, "print the calls that led to where a process is" },
	{ "check", verb_check, "check this machine for all that is needed" },
	{ "diff", verb_diff, "compare two checkpoints of a process or a recording" },
	{ "dump", verb_dump, "write a core of a running process for gdb" },
	{ "end", verb_end, "end a pair" },
	{ "get", verb_get, "print checkpoints of a process or a recording" },
	{ "list", verb_list, "list the pairs" },
	{ "log", verb_log, "print a line for each checkpoint of a process or a recording" },
	{ "monitor", verb_monitor, "print a line when a pair is made and when it ends" },
	{ "record", verb_record, "keep a program's last states, even if it crashes" },
	{ "rewind", verb_rewind, "put a running process back to a snapshot" },
	{ "run", verb_run, "start a program and print its checkpoints" },
	{ "show", verb_show, "print a checkpoint of a recording" },
	{ "stat", verb_stat, "print rates and hold-up times of pairs" },
	{ "watch", verb_watch, "show a running process again and again" },
};

#define NR_VERBS (sizeof(verbs) / sizeof(verbs[0]))

static int print_usage(void)
{
	int status = output_check(NULL);
	size_t i;

	if (status != EXIT_OK)
		return status;
	puts("Usage: cpctl VERB [OPTION]... [ARGUMENT]...\n"
	     "       cpctl VERB --help, or cpctl help [VERB]\n"
	     "       cpctl --help | --version\n"
	     "\n"
	     "Live checkpoints of processes, through /dev/checkpoint.\n"
	     "\n"
	     "Verbs:");
	for (i = 0; i < NR_VERBS; i++)
		printf("  %-8s %s\n", verbs[i].name, verbs[i].help);
	puts("\n"
	     "Exit status: 0 done, 1 wrong usage, 2 refused or missing.\n"
	     "See also the manual page cpctl(1).");
	return EXIT_OK;
}

static int call(const struct verb *verb, int argc, char **argv)
{
	char name[32];

	snprintf(name, sizeof(name), "cpctl %s", verb->name);
	argv[0] = name;
	return verb->function(argc, argv);
}

/* Reports a failure to print, unless the verb has already reported a failure. */
static int close_output(int status)
{
	if (status == EXIT_OK)
		return output_flush(stdout);
	fflush(stdout);
	return status;
}

static const struct verb *find(const char *name)
{
	size_t i;

	for (i = 0; i < NR_VERBS; i++) {
		if (!strcmp(name, verbs[i].name))
			return &verbs[i];
	}
	usage_error("cpctl", "no verb '%s': 'cpctl --help' lists the verbs", name);
	return NULL;
}

/* help [VERB] */
static int print_help(int argc, char **argv)
{
	char option[] = "--help";
	const struct verb *verb;
	char *args[3] = {};

	if (argc == 2)
		return print_usage();
	if (argc > 3)
		return usage_error("cpctl help", "expected at most one VERB");
	args[1] = option;
	verb = find(argv[2]);
	return verb ? call(verb, 2, args) : EXIT_USAGE;
}

static int find_and_call(int argc, char **argv)
{
	const struct verb *verb;

	if (argc < 2)
		return usage_error("cpctl", "a verb is missing");
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))
		return print_usage();
	if (!strcmp(argv[1], "help"))
		return print_help(argc, argv);
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V"))
		return print_version();
	verb = find(argv[1]);
	return verb ? call(verb, argc - 1, argv + 1) : EXIT_USAGE;
}

int main(int argc, char **argv)
{
	output_guard();
	/* Writing beyond RLIMIT_FSIZE then fails with a message. */
	child_ignore_sigxfsz();
	return close_output(find_and_call(argc, argv));
}
