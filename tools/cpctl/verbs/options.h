/* SPDX-License-Identifier: GPL-2.0-only */
/* The options of verbs that process checkpoints. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>

#include "cmdline.h"
#include "printer.h"
#include "stream.h"
#include "targets.h"

/*
 * struct options - the options of verbs that process checkpoints
 * @stream: the checkpoints that the verb wants
 * @thread: the argument of --thread, or 0
 * @live: the name of an option that only holds for a process, if the user gave one
 * @json: whether to print JSON
 * @view: the part of the stack to print
 * @frames: the maximum number of calls of a backtrace; 0 for no limit
 * @targets: the processes of --name
 * @output: the file to write to, NULL for the verb's default
 * @stack_only: whether a core holds the stacks alone, and what names them
 * @compress: whether a core is compressed
 * @no_snapshot: whether the process is held while its memory is copied
 * @filter: the kinds of memory of a core, COREFILTER_*
 * @hold_limit_ns: the maximum time for which it is held then
 * @whole: the name of an option that only holds for a core of all memory, if the user
 *	gave one
 * @out: @output, if the verb has opened it for several processes; or NULL
 */
struct options {
	struct stream_options	stream;
	pid_t			thread;
	const char		*live;
	bool			json;
	struct view		view;
	uint64_t		frames;
	struct targets		targets;
	const char		*output;
	bool			stack_only;
	bool			compress;
	bool			no_snapshot;
	uint64_t		filter;
	int64_t			hold_limit_ns;
	const char		*whole;
	FILE			*out;
};

/* The lines of --help for these options. */
#define OPTIONS_LIVE_HELP						    \
	"      --nudge            bring a sleeping process to its next return\n" \
	"                         to user mode\n"				    \
	"      --no-nudge         wait until it returns without that\n"	    \
	"      --timeout SEC      give up when no checkpoint comes within SEC\n" \
	"      --stack-limit SIZE most bytes of stack to take (K, M, G allowed)\n"
#define OPTIONS_PROCESS_HELP						    \
	"      --thread           the thread PID alone, not its process\n"
#define OPTIONS_ONLY_HELP						    \
	"      --thread TID       the thread TID of a FILE alone\n"		    \
	OPTIONS_PID_HELP
#define OPTIONS_PID_HELP						    \
	"      --pid PID          the process PID of a FILE with several (the one that\n" \
	"                         crashed, or the first)\n"
#define OPTIONS_THIN_HELP						    \
	"      --interval SEC     take checkpoints at least SEC apart\n"	    \
	"      --every N          every Nth return to user mode only; without nudging\n"
#define OPTIONS_CORE_HELP						    \
	"      --stack-only       a small core: the stacks, and what names their calls\n" \
	"      --filter MASK      kinds of memory, as in /proc/PID/coredump_filter (31)\n" \
	"      --no-snapshot      hold the process while its memory is copied\n" \
	"      --hold-limit SEC   the longest time for which it is held then (10)\n" \
	"  -z, --compress         compress the core with zstd\n"
#define OPTIONS_VIEW_HELP						    \
	"      --stack-bytes SIZE most bytes of stack to print (256)\n"	    \
	"      --full             print all of the stack that was taken\n"
#define OPTIONS_OUTPUT_HELP						    \
	"      --json             print JSON, one object to a line\n"	    \
	"      --no-demangle      print names of C++ and Rust as linkers see them\n" \
	"  -o, --output FILE      print to FILE\n"
/* Most of them, for a verb that prints and nudges. */
#define OPTIONS_TAKE_HELP						    \
	OPTIONS_LIVE_HELP						    \
	OPTIONS_THIN_HELP						    \
	OPTIONS_OUTPUT_HELP						    \
	CMDLINE_LAST_HELP						    \
	"\n"								    \
	"A sleeping process is nudged unless --no-nudge or --every is given.\n"
/* Likewise for a verb that holds the process. */
#define OPTIONS_HOLD_HELP						    \
	"\n"								    \
	"Threads that sleep in a system call are left asleep, unless --nudge is given.\n"

/* The options of a verb besides --output. */
#define OPTIONS_COUNT	0x1	/* -n, --count */
#define OPTIONS_LIVE	0x2	/* those of OPTIONS_LIVE_HELP */
#define OPTIONS_THIN	0x4	/* those of OPTIONS_THIN_HELP */
#define OPTIONS_VIEW	0x8	/* those of OPTIONS_VIEW_HELP */
#define OPTIONS_JSON	0x10	/* --json, --no-demangle */
#define OPTIONS_FRAMES	0x20	/* --frames */
#define OPTIONS_PROCESS	0x40	/* --thread */
#define OPTIONS_NAME	0x80	/* --name */
#define OPTIONS_PID	0x100	/* --pid */
#define OPTIONS_CORE	0x200	/* those of OPTIONS_CORE_HELP */

/*
 * struct usage - the command line of a verb
 * @in_order: as in struct cmdline
 * @has: OPTIONS_*
 * @help: the text of --help
 */
struct usage {
	bool		in_order;
	unsigned int	has;
	const char	*help;
};

/*
 * options_parse() - read the options of a verb
 * @options: the options, which the caller has set to the verb's defaults
 *
 * Return: -1 to continue, with optind at the first argument; else the exit status of
 * cpctl.
 */
int options_parse(int argc, char **argv, const struct usage *usage,
		  struct options *options);

#endif /* OPTIONS_H */
