/* SPDX-License-Identifier: GPL-2.0-only */
/* The command line of a verb: its options, and what is behind them. */
#ifndef CMDLINE_H
#define CMDLINE_H

#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* The options without a letter, of all verbs. */
enum {
	OPT_CHECKPOINTS = 256,
	OPT_COUNT,
	OPT_EVERY,
	OPT_FRAMES,
	OPT_FULL,
	OPT_INTERVAL,
	OPT_JSON,
	OPT_NO_DEMANGLE,
	OPT_NO_HEADER,
	OPT_NO_NUDGE,
	OPT_NUDGE,
	OPT_PROMETHEUS,
	OPT_STACK_BYTES,
	OPT_STACK_LIMIT,
	OPT_STREAM,
	OPT_TIMEOUT,
	OPT_WAIT,
	OPT_XSTATE,
};

/* How many options of its own a verb can have at most. */
#define CMDLINE_OPTIONS 12

/*
 * struct cmdline - what a verb takes
 * @help: what --help prints
 * @in_order: what follows the first argument is no option
 * @options: its own, besides --help and --version; 'x' for OPT_X where it can
 *	also be given by the letter
 */
struct cmdline {
	const char	*help;
	bool		in_order;
	struct option	options[CMDLINE_OPTIONS];
};

/*
 * cmdline_set_fn - sets an option of the verb; its argument is in optarg
 *
 * Return: false when the argument is not what it should be.
 */
typedef bool (*cmdline_set_fn)(void *arg, int option);

/*
 * cmdline_parse() - read the options
 * @set: NULL when the verb has none of its own
 * @arg: for @set
 *
 * Return: -1 to go on, with optind at the first argument; else the exit status
 * with which to end.
 */
int cmdline_parse(int argc, char **argv, const struct cmdline *cmdline,
		  cmdline_set_fn set, void *arg);

/* cmdline_interval() - the argument of OPT_INTERVAL, as cmdline_set_fn */
bool cmdline_interval(int64_t *interval_ns);

/*
 * Behind the options: no argument, a PID, a PID or nothing (@pid stays as it
 * is). Return: as cmdline_parse().
 */
int cmdline_none(int argc, char **argv);
int cmdline_pid(int argc, char **argv, pid_t *pid);
int cmdline_pid_or_none(int argc, char **argv, pid_t *pid);

#endif /* CMDLINE_H */
