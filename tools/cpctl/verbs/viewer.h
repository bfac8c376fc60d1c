/* SPDX-License-Identifier: GPL-2.0-only */
/* Looking at a recording: what show, log and diff have in common. */
#ifndef VIEWER_H
#define VIEWER_H

#include "playback.h"
#include "print.h"

/*
 * struct viewer_options - the options of these verbs
 * @json: for programs to read
 * @view: how much of a stack is shown
 * @output: the file to write to, NULL for the standard output
 */
struct viewer_options {
	bool		json;
	struct view	view;
	const char	*output;
};

/* What --help tells about these options. */
#define VIEWER_HELP							    \
	"      --json             print JSON, one object to a line\n"	    \
	"      --no-demangle      print names of C++ and Rust as linkers see them\n" \
	"  -o, --output FILE      print to FILE\n"			    \
	"  -h, --help             print this help\n"			    \
	"  -V, --version          print the version\n"
#define VIEWER_STACK_HELP						    \
	"      --stack-bytes SIZE most bytes of stack to print (256)\n"	    \
	"      --full             print all of the stack that was taken\n"

/*
 * struct viewer - a recording, and where it is shown
 * @options: how
 * @play: the recording
 * @printer: where
 */
struct viewer {
	const struct viewer_options	*options;
	struct playback			play;
	struct printer			printer;
};

/*
 * viewer_parse() - read the options of a verb
 * @has_stack: it has those of VIEWER_STACK_HELP
 *
 * Return: -1 to go on, with optind at the first argument; else the exit status
 * with which to end.
 */
int viewer_parse(int argc, char **argv, const char *help, bool has_stack,
		 struct viewer_options *options);

/* viewer_fn - shows something; @arg is the caller's; returns an exit status */
typedef int (*viewer_fn)(struct viewer *viewer, void *arg);

/*
 * viewer_run() - open a recording, have it shown, and close it
 *
 * Return: an exit status; another than EXIT_OK also when it is damaged.
 */
int viewer_run(const char *path, const struct viewer_options *options,
	       viewer_fn show, void *arg);

/*
 * parse_place() - the number of a checkpoint on the command line
 * @number: from 1; or -1 for the last, -2 for the one before it, and so on
 *
 * Return: false when the text is not such a number.
 */
bool parse_place(const char *text, int64_t *number);

#endif /* VIEWER_H */
