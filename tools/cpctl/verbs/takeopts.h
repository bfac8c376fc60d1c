/* SPDX-License-Identifier: GPL-2.0-only */
/* The options of verbs that take checkpoints, and pairing with these options. */
#ifndef TAKEOPTS_H
#define TAKEOPTS_H

#include <checkpoint.h>
#include <stdbool.h>

#include "printer.h"

/*
 * struct take_options - the options of verbs that take checkpoints
 * @count: the number of checkpoints; 0 for all until the slave ends
 * @nudge: whether to bring a sleeping slave to its next return to user mode
 * @json: whether to print JSON
 * @timeout_ns: the time limit for each checkpoint; negative for no limit
 * @stack_limit: as in struct cp_pair_options
 * @view: the part of the stack to print
 * @frames: the maximum number of calls of a backtrace; 0 for no limit
 * @output: the file to write to, NULL for the verb's default
 */
struct take_options {
	uint64_t	count;
	bool		nudge;
	bool		json;
	int64_t		timeout_ns;
	uint64_t	stack_limit;
	struct view	view;
	uint64_t	frames;
	const char	*output;
};

/* The lines of --help for these options. */
#define TAKE_WAIT_HELP							    \
	"      --nudge            bring a sleeping process to its next return\n" \
	"                         to user mode\n"				    \
	"      --no-nudge         wait until it returns without that\n"	    \
	"      --timeout SEC      give up when no checkpoint comes within SEC\n" \
	"      --stack-limit SIZE most bytes of stack to take (K, M, G allowed)\n"
#define TAKE_VIEW_HELP							    \
	"      --stack-bytes SIZE most bytes of stack to print (256)\n"	    \
	"      --full             print all of the stack that was taken\n"
#define TAKE_OUTPUT_HELP						    \
	"      --json             print JSON, one object to a line\n"	    \
	"      --no-demangle      print names of C++ and Rust as linkers see them\n" \
	"  -o, --output FILE      print to FILE\n"
#define TAKE_LAST_HELP							    \
	"  -h, --help             print this help\n"			    \
	"  -V, --version          print the version\n"

/* The options of a verb besides those that all these verbs have. */
#define TAKE_HAS_COUNT	0x1	/* -n, --count */
#define TAKE_HAS_VIEW	0x2	/* --stack-bytes, --full */
#define TAKE_HAS_JSON	0x4	/* --json, --no-demangle */
#define TAKE_HAS_FRAMES	0x8	/* --frames */
#define TAKE_HAS_ALL	(TAKE_HAS_COUNT | TAKE_HAS_VIEW | TAKE_HAS_JSON)

/*
 * struct take_usage - the command line of a verb
 * @in_order: as in struct cmdline
 * @has: TAKE_HAS_*
 * @help: the text of --help
 */
struct take_usage {
	bool		in_order;
	unsigned int	has;
	const char	*help;
};

/*
 * take_parse() - read the options of a verb
 * @options: the options, which the caller has set to the verb's defaults
 *
 * Return: -1 to continue, with optind at the first argument; else the exit status of
 * cpctl.
 */
int take_parse(int argc, char **argv, const struct take_usage *usage,
	       struct take_options *options);

/*
 * take_parse_pid() - take_parse() for a verb whose only argument is a PID
 * @pid: receives the PID
 */
int take_parse_pid(int argc, char **argv, const struct take_usage *usage,
		   struct take_options *options, pid_t *pid);

/* take_prep() - interrupt_prep() with these options; prints the reason of a failure */
int take_prep(struct cp_pair *pair, pid_t pid,
	      const struct take_options *options);

/* take_try_prep() - take_prep() without a message, but with errno */
int take_try_prep(struct cp_pair *pair, pid_t pid,
		  const struct take_options *options);

#endif /* TAKEOPTS_H */
