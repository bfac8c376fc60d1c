/* SPDX-License-Identifier: GPL-2.0-only */
/* Printing a recording: the common part of show, log and diff. */
#ifndef VIEWER_H
#define VIEWER_H

#include "playback.h"
#include "print.h"

/*
 * struct viewer_options - the options of these verbs
 * @json: whether to print JSON
 * @view: the part of the stack to print
 * @output: the file to write to, NULL for the standard output
 */
struct viewer_options {
	bool		json;
	struct view	view;
	const char	*output;
};

/* The lines of --help for these options. */
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
 * struct viewer - a recording that is being printed
 * @options: the options of the verb
 * @play: the recording
 * @printer: the destination and the format
 */
struct viewer {
	const struct viewer_options	*options;
	struct playback			play;
	struct printer			printer;
};

/*
 * viewer_parse() - read the options of a verb
 * @has_stack: whether the verb has the options of VIEWER_STACK_HELP
 *
 * Return: -1 to continue, with optind at the first argument; else the exit status of
 * cpctl.
 */
int viewer_parse(int argc, char **argv, const char *help, bool has_stack,
		 struct viewer_options *options);

/* viewer_fn - prints a recording; returns an exit status */
typedef int (*viewer_fn)(struct viewer *viewer, void *arg);

/*
 * viewer_run() - open a recording, call @show, and close the recording
 * @show: the function that prints
 * @arg: the second argument of @show
 *
 * Return: an exit status, which is not EXIT_OK if the recording is damaged.
 */
int viewer_run(const char *path, const struct viewer_options *options,
	       viewer_fn show, void *arg);

/*
 * parse_place() - parse the number of a checkpoint on the command line
 * @number: receives a number from 1; or -1 for the last, -2 for the last but one, etc.
 *
 * Return: false if the text is not such a number.
 */
bool parse_place(const char *text, int64_t *number);

#endif /* VIEWER_H */
