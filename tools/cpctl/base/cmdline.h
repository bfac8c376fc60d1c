/* SPDX-License-Identifier: GPL-2.0-only */
/* The command line of a verb: its options, and the arguments after them. */
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
	OPT_FILTER,
	OPT_FRAMES,
	OPT_FULL,
	OPT_HOLD_LIMIT,
	OPT_INTERVAL,
	OPT_JSON,
	OPT_NAME,
	OPT_NO_DEMANGLE,
	OPT_NO_HEADER,
	OPT_NO_NUDGE,
	OPT_NO_SNAPSHOT,
	OPT_NUDGE,
	OPT_PID,
	OPT_PROMETHEUS,
	OPT_SEPARATELY,
	OPT_STACK_BYTES,
	OPT_STACK_LIMIT,
	OPT_STACK_ONLY,
	OPT_STREAM,
	OPT_THREAD,
	OPT_TIMEOUT,
	OPT_WAIT,
	OPT_XSTATE,
};

/* The lines of --help for --help and --version. A verb's options precede them. */
#define CMDLINE_LAST_HELP						    \
	"  -h, --help             print this help\n"			    \
	"  -V, --version          print the version\n"

/* The maximum number of options of a verb besides --help and --version. */
#define CMDLINE_OPTIONS 24

/*
 * struct cmdline - the command line of a verb
 * @help: the text of --help
 * @in_order: whether the first argument ends the options
 * @prints: whether the verb prints to standard output and nowhere else
 * @options: the options besides --help and --version; the value of an option that
 *	also has a letter is that letter
 */
struct cmdline {
	const char	*help;
	bool		in_order;
	bool		prints;
	struct option	options[CMDLINE_OPTIONS];
};

/*
 * cmdline_set_fn - sets an option of the verb; its argument is in optarg
 *
 * Return: false when the argument is not valid.
 */
typedef bool (*cmdline_set_fn)(void *arg, int option);

/*
 * cmdline_parse() - read the options
 * @set: the function for each option; NULL if the verb has only --help and --version
 * @arg: the first argument of @set
 *
 * Return: -1 if the verb shall run, with optind at the first argument; else the
 * exit status of cpctl.
 */
int cmdline_parse(int argc, char **argv, const struct cmdline *cmdline,
		  cmdline_set_fn set, void *arg);

/*
 * cmdline_number(), cmdline_bytes(), cmdline_seconds() - read optarg as a number
 * @least, @most: the limits, inclusive
 *
 * A cmdline_set_fn calls these. Return: false if optarg is not such a number or
 * exceeds the limits; the message of cmdline_parse() then states the limits.
 */
bool cmdline_number(uint64_t *number, uint64_t least, uint64_t most);
bool cmdline_bytes(uint64_t *bytes, uint64_t most);
bool cmdline_seconds(int64_t *ns, int64_t least_ns);

/* cmdline_mask() - read optarg as a mask of bits, hexadecimal, at most @most */
bool cmdline_mask(uint64_t *mask, uint64_t most);

/* cmdline_interval() - cmdline_seconds() for OPT_INTERVAL, from 0.1 seconds */
bool cmdline_interval(int64_t *interval_ns);

/*
 * cmdline_none(), cmdline_pid(), cmdline_pid_or_none() - read the arguments after
 * the options: none, one PID, or an optional PID
 *
 * Without the optional PID, @pid is unchanged. Return: as cmdline_parse().
 */
int cmdline_none(int argc, char **argv);
int cmdline_pid(int argc, char **argv, pid_t *pid);
int cmdline_pid_or_none(int argc, char **argv, pid_t *pid);

/* print_version() - print the text of --version. Return: EXIT_OK. */
int print_version(void);

/*
 * usage_error() - print what is wrong with the command line
 * @name: argv[0] of the verb
 * @fmt: the message
 *
 * Return: EXIT_USAGE.
 */
int usage_error(const char *name, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif /* CMDLINE_H */
