/* SPDX-License-Identifier: GPL-2.0-only */
/* Taking checkpoints of a slave and printing each: what get and run do. */
#ifndef TAKE_H
#define TAKE_H

#include <checkpoint.h>
#include <stdbool.h>

#include "print.h"

/*
 * struct take_options - the options that get and run share
 * @count: how many checkpoints; 0: until the slave ends
 * @nudge: bring a sleeping slave to its next return to user mode
 * @json: for programs to read
 * @timeout_ns: for each checkpoint; negative: no limit
 * @stack_limit: as in struct cp_pair_options
 * @view: how much of the stack is shown
 * @output: the file to print to, NULL for stdout
 */
struct take_options {
	uint64_t	count;
	bool		nudge;
	bool		json;
	int64_t		timeout_ns;
	uint64_t	stack_limit;
	struct view	view;
	const char	*output;
};

/* What --help tells about these options. */
#define TAKE_OPTIONS_HELP						    \
	"      --nudge            bring a sleeping process to its next return\n" \
	"                         to user mode\n"				    \
	"      --no-nudge         wait until it returns by itself\n"	    \
	"      --timeout SEC      give up when no checkpoint comes for so long\n" \
	"      --stack-limit SIZE most bytes of stack to take (K, M, G allowed)\n" \
	"      --stack-bytes SIZE most bytes of stack to print (256)\n"	    \
	"      --full             print all of the stack that was taken\n"   \
	"      --json             print JSON, one object to a line\n"	    \
	"  -o, --output FILE      print to FILE\n"			    \
	"  -h, --help             print this help\n"			    \
	"  -V, --version          print the version\n"

/* Their letters, for getopt_long(). */
#define TAKE_LETTERS "n:o:hV"

/*
 * take_parse() - read the options of get or run
 * @letters: TAKE_LETTERS, or "+" TAKE_LETTERS when a command may follow
 * @options: set to the verb's defaults by the caller
 * @help: what --help prints
 *
 * Return: -1 to go on, with optind at the first argument; else the exit status
 * with which to end.
 */
int take_parse(int argc, char **argv, const char *letters,
	       struct take_options *options, const char *help);

/* take_prep() - cp_pair_prep() with these options; says what is wrong */
int take_prep(struct cp_pair *pair, pid_t pid,
	      const struct take_options *options);

/*
 * take_all() - take and print the checkpoints of the pair's slave @pid
 *
 * Ends the pair. Return: an exit status.
 */
int take_all(struct cp_pair *pair, pid_t pid,
	     const struct take_options *options);

#endif /* TAKE_H */
