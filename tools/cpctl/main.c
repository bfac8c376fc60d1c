// SPDX-License-Identifier: GPL-2.0-only
/* cpctl: finds the verb and calls it. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "child.h"
#include "cpctl.h"
#include "message.h"

static const struct verb {
	const char	*name;
	verb_fn		function;
	const char	*help;
} verbs[] = {
	{ "bt", verb_bt, "print the calls that led to where a process is" },
	{ "check", verb_check, "does this machine have all it takes?" },
	{ "diff", verb_diff, "what differs between two checkpoints of a recording" },
	{ "dump", verb_dump, "write a core of a running process for gdb" },
	{ "end", verb_end, "end a pair" },
	{ "get", verb_get, "print checkpoints of a running process" },
	{ "list", verb_list, "who is paired with whom" },
	{ "log", verb_log, "print a recording, a line for each checkpoint" },
	{ "monitor", verb_monitor, "print what happens to pairs as it happens" },
	{ "record", verb_record, "keep a program's last states, also of its crash" },
	{ "run", verb_run, "start a program and print its checkpoints" },
	{ "show", verb_show, "print a checkpoint of a recording" },
	{ "stat", verb_stat, "rates and hold-up times of pairs" },
	{ "watch", verb_watch, "look at a running process live" },
};

#define NR_VERBS (sizeof(verbs) / sizeof(verbs[0]))

int print_version(void)
{
	puts("cpctl " CPCTL_VERSION);
	return EXIT_OK;
}

int usage_error(const char *name, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	message_print(name, fmt, args, NULL);
	va_end(args);
	fprintf(stderr, "Try '%s --help'.\n", name);
	return EXIT_USAGE;
}

static int print_usage(void)
{
	size_t i;

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
	     "The manual page cpctl(1) tells more.");
	return EXIT_OK;
}

static int call(const struct verb *verb, int argc, char **argv)
{
	char name[32];

	snprintf(name, sizeof(name), "cpctl %s", verb->name);
	argv[0] = name;
	return verb->function(argc, argv);
}

/* What was printed must also have arrived. */
static int close_output(int status)
{
	if (!fflush(stdout) && !ferror(stdout))
		return status;
	/* Else it has been told already. */
	if (status == EXIT_OK)
		warn("cannot print");
	return EXIT_REFUSED;
}

static const struct verb *find(const char *name)
{
	size_t i;

	for (i = 0; i < NR_VERBS; i++) {
		if (!strcmp(name, verbs[i].name))
			return &verbs[i];
	}
	usage_error("cpctl", "there is no verb '%s'", name);
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
		return usage_error("cpctl help", "one VERB at most is expected");
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
	/* A file that grows too large is told as one that cannot be written. */
	child_ignore_sigxfsz();
	return close_output(find_and_call(argc, argv));
}
