// SPDX-License-Identifier: GPL-2.0-only
/* The subject of a verb: a process, or checkpoints of a recording. */
#include <ctype.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmdline.h"
#include "exit.h"
#include "interrupt.h"
#include "live.h"
#include "number.h"
#include "recorded.h"
#include "subject.h"

/* Reads a number of a checkpoint: from 1; or -1 for the last, -2 for that before, etc. */
static bool parse_place(const char *text, int64_t *number)
{
	bool back = text[0] == '-';
	uint64_t count;

	if (!parse_count(text + back, &count) || count > INT64_MAX)
		return false;
	*number = back ? -(int64_t)count : (int64_t)count;
	return true;
}

/*
 * The index of the first negative number, which getopt_long() would take for an option;
 * @argc without such a number. A number after an option is that option's argument,
 * unless it is the last of all.
 */
static int find_negative(int argc, char **argv)
{
	int64_t number;
	int i;

	for (i = 2; i < argc; i++) {
		if (argv[i][0] == '-' && parse_place(argv[i], &number) &&
		    (argv[i - 1][0] != '-' || i == argc - 1))
			return i;
	}
	return argc;
}

/*
 * "--thread" is an option without an argument before the id of a process or thread, and has
 * one before a recording. In both cases, a number may follow it: joins the two words.
 * Returns the new number of words.
 */
static int join_thread(int argc, char **argv)
{
	pid_t id;
	int i;

	for (i = 1; i < argc - 1 && strcmp(argv[i], "--"); i++) {
		char *word;

		if (strcmp(argv[i], "--thread") || !parse_pid(argv[i + 1], &id))
			continue;
		if (asprintf(&word, "--thread=%s", argv[i + 1]) < 0)
			break;
		argv[i] = word;
		argc--;
		memmove(&argv[i + 1], &argv[i + 2],
			(size_t)(argc - i) * sizeof(argv[0]));
	}
	return argc;
}

/* Is the text more likely a wrong process id than the name of a missing file? */
static bool is_wrong_pid(const char *text)
{
	return (!*text || isspace((unsigned char)*text) ||
		isdigit((unsigned char)*text)) && access(text, F_OK);
}

static int parse_file(int argc, char **argv,
		      const struct subject_usage *arguments,
		      const struct options *options, struct subject *subject)
{
	int i, nr = argc - optind - 1;

	if (nr < arguments->least || nr > arguments->most)
		return usage_error(argv[0], "expected %s", arguments->text);
	subject->file = argv[optind];
	if (!nr && arguments->live && is_wrong_pid(subject->file))
		return usage_error(argv[0], "invalid process id '%s': expected a number from 1 to %d, or an existing file",
				   subject->file, INT_MAX);
	for (i = 0; i < nr; i++) {
		const char *text = argv[optind + 1 + i];

		if (!parse_place(text, &subject->number[i]))
			return usage_error(argv[0], "invalid checkpoint number '%s'",
					   text);
	}
	if (options->live)
		return usage_error(argv[0], "--%s is for a process, and %s is a recording",
				   options->live, subject->file);
	return -1;
}

int subject_parse(int argc, char **argv, const struct usage *usage,
		  const struct subject_usage *arguments,
		  struct options *options, struct subject *subject)
{
	int end, status;

	argc = join_thread(argc, argv);
	end = arguments->most ? find_negative(argc, argv) : argc;
	status = options_parse(end, argv, usage, options);
	if (status >= 0)
		return status;
	subject->pid = options->thread;
	if (argc == optind && arguments->live && options->thread)
		return -1;
	if (argc - optind == 1 && arguments->live &&
	    parse_pid(argv[optind], &subject->pid))
		return !options->thread ? -1 :
		       usage_error(argv[0], "expected one id, or --thread TID FILE");
	options->stream.only = options->thread;
	return parse_file(argc, argv, arguments, options, subject);
}

struct stream *subject_open(const struct subject *subject,
			    const struct options *options)
{
	if (!subject->file)
		return live_open(subject->pid, &options->stream);
	interrupt_catch(NULL);
	return recorded_open(subject->file, subject->number[0],
			     &options->stream);
}
