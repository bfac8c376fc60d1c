// SPDX-License-Identifier: GPL-2.0-only
/* cpctl log: print a recording, one line per checkpoint. */
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "cmdline.h"
#include "cpctl.h"
#include "death.h"
#include "entry.h"
#include "exit.h"
#include "folded.h"
#include "interrupt.h"
#include "json.h"
#include "stack.h"
#include "text.h"
#include "viewer.h"

#define NSEC_PER_SEC 1000000000ULL

/* Results from -ERRNO_MAX to -1 are negated errors. */
#define ERRNO_MAX 4095

/* The indentation of the parts of a broken line, which are below its time. */
#define INDENT 10

static const char help[] =
	"Usage: cpctl log [OPTION]... FILE\n"
	"Print a line for each checkpoint of a recording: its number, its time, what\n"
	"had brought the program into the kernel, and where it continues.\n"
	"\n"
	VIEWER_HELP;

/* The result of a system call. */
static int64_t result_of(const struct cp_checkpoint *cp)
{
	if (cp->flags & CP_CHECKPOINT_COMPAT)
		return (int32_t)cp->regs.rax;
	return (int64_t)cp->regs.rax;
}

/* The name of the error that a system call has returned; NULL without an error. */
static const char *error_name(const struct cp_checkpoint *cp)
{
	int64_t result = result_of(cp);

	if (result >= 0 || result < -ERRNO_MAX)
		return NULL;
	return strerrorname_np((int)-result);
}

/* Prints a result in decimal, but in hex if it looks like an address. */
static void print_result(FILE *out, const struct cp_checkpoint *cp)
{
	const char *error = error_name(cp);

	if (error)
		fprintf(out, " = -1 %s", error);
	else if (cp->regs.rax <= INT32_MAX)
		fprintf(out, " = %" PRIu64, (uint64_t)cp->regs.rax);
	else
		fprintf(out, " = 0x%" PRIx64, (uint64_t)cp->regs.rax);
}

static bool has_result(const struct cp_checkpoint *cp)
{
	return cp->entry == CP_ENTRY_SYSCALL &&
	       !(cp->flags & CP_CHECKPOINT_DEATH);
}

static void print_entry(FILE *out, const struct cp_checkpoint *cp)
{
	char text[DEATH_SIZE];
	char *name;

	if (cp->flags & CP_CHECKPOINT_DEATH) {
		fputs(death_text(cp, text), out);
		return;
	}
	if (cp->entry != CP_ENTRY_SYSCALL) {
		fputs(entry_word(cp), out);
		return;
	}
	name = entry_syscall(cp);
	if (name)
		print_name(out, name);
	else
		fprintf(out, "syscall %d", cp->syscall);
	print_result(out, cp);
	free(name);
}

/* Finds the innermost place of an address; returns false if it is not known. */
static bool find_line(const struct printer *printer, uint64_t rip,
		      struct place *place)
{
	struct place places[PLACES_MAX];

	if (!symbols_places(printer->symbols, rip, places) || !places[0].file)
		return false;
	*place = places[0];
	return true;
}

static void print_place(const struct printer *printer, uint64_t rip)
{
	struct symbol symbol;
	struct place place;

	fprintf(printer->out, "  0x%" PRIx64, rip);
	if (symbols_find(printer->symbols, rip, &symbol)) {
		fputc(' ', printer->out);
		symbol_print(printer, &symbol);
	}
	if (find_line(printer, rip, &place)) {
		fputs(" at ", printer->out);
		print_name(printer->out, place.file);
		fprintf(printer->out, ":%d", place.line);
	}
	fputc('\n', printer->out);
}

static void print_line(const struct printer *printer,
		       const struct cp_checkpoint *cp)
{
	fprintf(printer->out, "%8" PRIu64 "  %" PRIu64 ".%06" PRIu64 "  cpu %u  ",
		(uint64_t)cp->seq, (uint64_t)(cp->time / NSEC_PER_SEC),
		(uint64_t)(cp->time % NSEC_PER_SEC / 1000), cp->cpu);
	print_entry(printer->out, cp);
	print_place(printer, cp->regs.rip);
}

static void json_log_line(const struct printer *printer,
			  const struct cp_checkpoint *cp)
{
	struct json_object *object = json_head("log", cp);
	struct symbol symbol;
	struct place place;

	json_object_object_add(object, "rip", json_hex(cp->regs.rip));
	if (has_result(cp))
		json_object_object_add(object, "result",
				       json_object_new_int64(result_of(cp)));
	if (has_result(cp) && error_name(cp))
		json_object_object_add(object, "error",
				       json_object_new_string(error_name(cp)));
	if (symbols_find(printer->symbols, cp->regs.rip, &symbol))
		json_object_object_add(object, "symbol", json_symbol(&symbol));
	if (find_line(printer, cp->regs.rip, &place)) {
		json_object_object_add(object, "file",
				       json_object_new_string(place.file));
		json_object_object_add(object, "line",
				       json_object_new_int(place.line));
	}
	json_line(printer->out, object);
}

static void print_gap(FILE *out, uint64_t lost)
{
	if (lost)
		fprintf(out, "          (%" PRIu64 " lost)\n", lost);
}

static void print_end(FILE *out, const struct rec_end *end)
{
	fputs("          (", out);
	if (end->reason == CP_END_EXITED && WIFSIGNALED(end->status))
		fprintf(out, "killed by signal %d", WTERMSIG(end->status));
	else if (end->reason == CP_END_EXITED)
		fprintf(out, "exit status %d", WEXITSTATUS(end->status));
	else if (end->reason == CP_END_EXEC)
		fputs("it runs another program now", out);
	else
		fputs("it continues", out);
	fputs(")\n", out);
}

/* Did the user request to skip returns to user mode? */
static bool is_thinned(const struct rec_options *options)
{
	return options->interval || options->every > 1;
}

static void print_thinning(FILE *out, const struct rec_options *options)
{
	if (!is_thinned(options))
		return;
	fputs("          (thinned:", out);
	if (options->interval)
		fprintf(out, " at least %.9g s from one to the next",
			(double)options->interval / NSEC_PER_SEC);
	if (options->interval && options->every > 1)
		fputc(',', out);
	if (options->every > 1)
		fprintf(out, " one of %u returns to user mode", options->every);
	fputs(")\n", out);
}

static void json_thinning(FILE *out, const struct rec_options *options)
{
	struct json_object *object;

	if (!is_thinned(options))
		return;
	object = json_object_new_object();
	json_object_object_add(object, "type",
			       json_object_new_string("thinned"));
	json_object_object_add(object, "interval_ns",
			       json_object_new_uint64(options->interval));
	json_object_object_add(object, "every",
			       json_object_new_int64(options->every ?: 1));
	json_line(out, object);
}

/* Prints the exec of a program, before its first checkpoint. */
static void print_exec(FILE *out, const struct playback *play)
{
	const struct identity *identity = &play->identity;

	fputs("          (exec", out);
	if (identity->command) {
		fputs(": ", out);
		print_name(out, *identity->command ? identity->command :
						     identity->name);
	}
	fprintf(out, ")%s\n", play->late ? ", its first states are missing" : "");
}

static void json_exec(FILE *out, const struct playback *play)
{
	struct json_object *object = json_object_new_object();
	const char *command = play->identity.command;

	json_object_object_add(object, "type", json_object_new_string("exec"));
	json_object_object_add(object, "late",
			       json_object_new_boolean(play->late));
	if (command)
		json_object_object_add(object, "command",
				       json_object_new_string(command));
	json_line(out, object);
}

/* Prints the skipped returns, the gap and the exec before a checkpoint, if any. */
static void show_before(struct viewer *viewer, uint64_t last, uint64_t *execs)
{
	struct playback *play = &viewer->play;
	FILE *out = viewer->printer.out;
	bool json = viewer->options->json;

	if (!last && json)
		json_thinning(out, &play->options);
	else if (!last)
		print_thinning(out, &play->options);
	if (last && !json)
		print_gap(out, play->now.head.seq - last - 1);
	if (last && play->execs > *execs && json)
		json_exec(out, play);
	else if (last && play->execs > *execs)
		print_exec(out, play);
	*execs = play->execs;
}

static int print_all(struct viewer *viewer)
{
	const struct cp_checkpoint *cp = &viewer->play.now.head;
	FILE *out = viewer->printer.out;
	uint64_t last = 0, execs = 0;

	while (!ferror(out) && playback_next(&viewer->play)) {
		symbols_refresh(viewer->printer.symbols);
		show_before(viewer, last, &execs);
		last = cp->seq;
		if (viewer->options->json)
			json_log_line(&viewer->printer, cp);
		else
			print_line(&viewer->printer, cp);
	}
	if (viewer->play.failed)
		return EXIT_REFUSED;
	if (ferror(out) || interrupted())
		return EXIT_OK;
	if (viewer->options->json)
		json_end(out, viewer->play.end.reason, viewer->play.end.status);
	else
		print_end(out, &viewer->play.end);
	return EXIT_OK;
}

static int show_log(struct viewer *viewer, void *arg)
{
	FILE *out = viewer->printer.out;
	int status;

	(void)arg;
	if (!viewer->options->json)
		viewer->printer.out = folded_open(out, INDENT);
	status = print_all(viewer);
	folded_close(viewer->printer.out, out);
	viewer->printer.out = out;
	return status;
}

int verb_log(int argc, char **argv)
{
	struct viewer_options options = {};
	int status = viewer_parse(argc, argv, help, false, &options);

	if (status >= 0)
		return status;
	if (optind != argc - 1)
		return usage_error(argv[0], "expected one FILE");
	return viewer_run(argv[optind], &options, show_log, NULL);
}
