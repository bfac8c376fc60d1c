// SPDX-License-Identifier: GPL-2.0-only
/* The subject of a verb: a process, or checkpoints of a recording. */
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmdline.h"
#include "exit.h"
#include "facts.h"
#include "interrupt.h"
#include "json.h"
#include "live.h"
#include "message.h"
#include "number.h"
#include "output.h"
#include "recorded.h"
#include "subject.h"
#include "text.h"

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

/* Prints that there is no file, if the user may have meant the name of a process. */
static bool is_missing_name(const char *file)
{
	if (strchr(file, '/') || !access(file, F_OK) || errno != ENOENT)
		return false;
	warnx("cannot read %s: %s; --name %s selects processes by name", file,
	      strerror(errno), file);
	return true;
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
	return arguments->live && is_missing_name(subject->file) ?
	       EXIT_REFUSED : -1;
}

/*
 * Reads which processes a recording has, and says which one of several the verb is for.
 * Returns as subject_parse().
 */
static int find_parts(const struct subject_usage *arguments,
		      const struct options *options, struct subject *subject)
{
	const struct partchoice *choice = &options->stream.part;
	struct recparts *parts = &subject->parts;
	const struct recpart *part;
	char name[COMM_TEXT_SIZE];

	if (!recparts_open(parts, subject->file))
		return EXIT_REFUSED;
	part = recparts_find(parts, choice);
	if (!part || (arguments->parts && !subject->number[0]))
		return -1;
	json_of_process(part->head.process, part->head.name);
	if (parts->nr > 1 && !choice->process)
		warnx("%s has %zu processes: this is process %d (%s); --pid selects another",
		      subject->file, parts->nr, part->head.process,
		      text_comm(name, part->head.name));
	/* Not to be printed one after another. The name is in use: nothing is freed. */
	parts->nr = 0;
	return -1;
}

/*
 * Are the arguments the ids of processes, or none because of --name? If only the first is
 * one, and there is no file of that name, another is taken for a wrong id.
 */
static bool are_processes(int argc, char **argv,
			  const struct subject_usage *arguments,
			  const struct options *options)
{
	int i, nr = argc - optind;
	pid_t pid;

	if (!arguments->live || (nr > 1 && !arguments->several) ||
	    (!nr && !options->targets.nr_names))
		return false;
	for (i = optind; i < argc; i++) {
		if (!parse_pid(argv[i], &pid))
			return i > optind && access(argv[optind], F_OK);
	}
	return true;
}

/* The verb is for one process. Prints those that the user can choose from. */
static int refuse_several(const struct pids *pids)
{
	char *list = NULL;
	size_t size, i;
	FILE *out = open_memstream(&list, &size);

	for (i = 0; out && i < pids->nr; i++)
		fprintf(out, " %d", pids->ids[i]);
	if (out)
		fclose(out);
	warnx("this is for one process, but there are %zu: give the PID of one, of%s",
	      pids->nr, list ? list : "");
	free(list);
	return EXIT_REFUSED;
}

/* Sets the processes. Returns as subject_parse(). */
static int find_processes(int argc, char **argv,
			  const struct subject_usage *arguments,
			  struct options *options, struct subject *subject)
{
	struct pids *pids = &subject->pids;
	int status = targets_parse(argc, argv, &options->targets);

	if (status < 0 && !targets_find(&options->targets, true, pids))
		status = EXIT_REFUSED;
	targets_free(&options->targets);
	if (status < 0 && pids->nr > 1 && !arguments->several)
		status = refuse_several(pids);
	if (status < 0)
		subject->pid = pids->ids[0];
	if (status >= 0 || !arguments->several)
		pids_free(pids);
	return status;
}

/*
 * Without a recording, the argument of --thread is the id of a living thread, as if it were
 * not one of --thread. Returns 0, or -1 after printing the reason.
 */
static int give_back_thread(int argc, char **argv,
			    const struct subject_usage *arguments,
			    struct options *options)
{
	char *word;

	if (argc > optind || !arguments->live || !options->thread)
		return 0;
	if (asprintf(&word, "%d", options->thread) < 0) {
		warn("cannot read the arguments");
		return -1;
	}
	/* This replaces the last option, which has been read. */
	argv[--optind] = word;
	options->thread = 0;
	return 0;
}

static int parse_processes(int argc, char **argv,
			   const struct subject_usage *arguments,
			   struct options *options, struct subject *subject)
{
	if (options->thread)
		return usage_error(argv[0], "expected one id, or --thread TID FILE");
	if (options->stream.part.process)
		return usage_error(argv[0], "--pid is for a recording: give the PID of a process without it");
	return find_processes(argc, argv, arguments, options, subject);
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
	if (give_back_thread(argc, argv, arguments, options))
		return EXIT_REFUSED;
	if (are_processes(argc, argv, arguments, options))
		return parse_processes(argc, argv, arguments, options, subject);
	options->stream.only = options->thread;
	status = parse_file(argc, argv, arguments, options, subject);
	return status < 0 ? find_parts(arguments, options, subject) : status;
}

int subject_each(struct subject *subject, const struct options *options,
		 subject_fn function)
{
	int status = EXIT_OK, one;
	size_t i;

	if (subject->file || !subject->pids.nr)
		return function(subject, options);
	for (i = 0; i < subject->pids.nr && !interrupted(); i++) {
		subject->pid = subject->pids.ids[i];
		one = function(subject, options);
		if (one != EXIT_OK)
			status = one;
	}
	pids_free(&subject->pids);
	return status;
}

/* Calls @function for the processes of a recording that are wanted. */
static int each_part(struct subject *subject, struct options *options,
		     subject_fn function)
{
	struct partchoice *choice = &options->stream.part;
	const pid_t wanted = choice->process;
	int status = EXIT_OK, one;
	bool found = false;
	size_t i;

	for (i = 0; i < subject->parts.nr && !interrupted(); i++) {
		subject->part = &subject->parts.parts[i];
		if (wanted && subject->part->head.process != wanted)
			continue;
		found = true;
		choice->process = subject->part->head.process;
		choice->index = i + 1;
		json_of_process(choice->process, subject->part->head.name);
		one = function(subject, options);
		if (one != EXIT_OK)
			status = one;
	}
	if (found || interrupted())
		return status;
	warnx("%s: there is no process %d in it", subject->file, wanted);
	return EXIT_REFUSED;
}

int subject_print_each(struct subject *subject, struct options *options,
		       subject_fn function)
{
	int status;

	if (subject->pids.nr <= 1 && !subject->parts.nr)
		return subject_each(subject, options, function);
	options->out = output_open(options->output);
	if (!options->out)
		return EXIT_REFUSED;
	status = subject->file ? each_part(subject, options, function) :
				 subject_each(subject, options, function);
	return output_close(options->out, options->output, status);
}

void subject_print_process(const struct subject *subject,
			   const struct options *options,
			   const struct printer *printer)
{
	const struct rec_part *part = subject->part ? &subject->part->head : NULL;
	pid_t pid = part ? part->process : subject->pid;
	char name[COMM_TEXT_SIZE];
	struct task_facts facts;

	if (options->json || (!part && subject->pids.nr <= 1))
		return;
	if (part)
		text_comm(name, part->name);
	else if (task_facts(pid, &facts))
		text_comm(name, facts.name);
	else
		*name = '\0';
	fprintf(printer->out, "%sPID %d%s", printer->style->head, pid,
		printer->style->end);
	if (*name) {
		fputc(' ', printer->out);
		print_name(printer->out, name);
	}
	if (part && part->reason == CP_END_EXITED && WIFSIGNALED(part->status))
		fprintf(printer->out, ", killed by signal %d",
			WTERMSIG(part->status));
	fputs(":\n", printer->out);
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
