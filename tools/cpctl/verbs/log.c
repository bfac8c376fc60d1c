// SPDX-License-Identifier: GPL-2.0-only
/* cpctl log: print a line for each checkpoint of a process or a recording. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "clock.h"
#include "cmdline.h"
#include "cpctl.h"
#include "death.h"
#include "entry.h"
#include "folded.h"
#include "json.h"
#include "members.h"
#include "subject.h"
#include "text.h"
#include "viewer.h"

/* Results from -ERRNO_MAX to -1 are negated errors. */
#define ERRNO_MAX 4095

/* The indentation of the parts of a broken line, which are below its time. */
#define INDENT 10

static const struct usage usage = {
	.has = OPTIONS_COUNT | OPTIONS_LIVE | OPTIONS_THIN | OPTIONS_JSON |
	       OPTIONS_PROCESS | OPTIONS_NAME |
	       OPTIONS_PID,
	.help =
	"Usage: cpctl log [OPTION]... PID\n"
	"       cpctl log [OPTION]... FILE\n"
	"Print a line for each checkpoint of the threads of the running process PID,\n"
	"or of a recording: its number, its thread if there are several, its time,\n"
	"what had brought the thread into the kernel, and where it continues. The id of\n"
	"a thread stands for its process, unless --thread is given. A FILE whose name\n"
	"is a number is given as ./FILE.\n"
	"\n"
	"  -n, --count N          how many (all until it ends)\n"
	OPTIONS_PROCESS_HELP
	OPTIONS_ONLY_HELP
	TARGETS_HELP
	OPTIONS_LIVE_HELP
	OPTIONS_THIN_HELP
	OPTIONS_OUTPUT_HELP
	CMDLINE_LAST_HELP
	"\n"
	"A sleeping process is not nudged unless --nudge is given.\n",
};

static const struct subject_usage arguments = {
	.text = "PID, or FILE",
	.live = true,
	.parts = true,
};

/*
 * struct logging - a log that is being printed
 * @viewer: the checkpoints and the output
 * @last: cp_checkpoint.seq of the last checkpoint; 0 before the first
 * @execs: the number of execs before it
 * @deaths: the number of threads that have received a deadly signal
 * @culprit: the last of these threads
 * @name: its name; empty if it is not known
 */
struct logging {
	struct viewer	viewer;
	uint64_t	last;
	uint64_t	execs;
	unsigned int	deaths;
	pid_t		culprit;
	char		name[REC_NAME_SIZE];
};

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

static void print_line(const struct printer *printer, const struct stream *stream)
{
	const struct cp_checkpoint *cp = &stream->now->head;

	fprintf(printer->out, "%8" PRIu64 "  %" PRIu64 ".%06" PRIu64 "  cpu %u  ",
		printer->number ?: (uint64_t)cp->seq,
		(uint64_t)(cp->time / NSEC_PER_SEC),
		(uint64_t)(cp->time % NSEC_PER_SEC / 1000), cp->cpu);
	if (stream->several)
		fprintf(printer->out, "tid %-7d  ", cp->thread);
	print_entry(printer->out, cp);
	print_place(printer, cp->regs.rip);
}

static void json_log_line(const struct printer *printer,
			  const struct cp_checkpoint *cp)
{
	struct json_object *object = json_head("log", printer->number, cp);
	struct symbol symbol;
	struct place place;

	json_object_object_add(object, "rip", json_hex(cp->regs.rip));
	if (has_result(cp))
		member_int(object, "result", result_of(cp));
	if (has_result(cp) && error_name(cp))
		member_string(object, "error", error_name(cp));
	if (symbols_find(printer->symbols, cp->regs.rip, &symbol))
		json_object_object_add(object, "symbol", json_symbol(&symbol));
	if (find_line(printer, cp->regs.rip, &place)) {
		member_string(object, "file", place.file);
		member_int(object, "line", place.line);
	}
	json_line(printer->out, object);
}

/* Of a living slave, returns to user mode without a pair are not counted. */
static void print_gap(FILE *out, const struct stream *stream)
{
	const struct playback *play = stream->play;

	if (stream->gap)
		fputs("          (it ran without a pair)\n", out);
	else if (play && play->lost && stream->several)
		fprintf(out, "          (%" PRIu64 " of thread %d lost)\n",
			play->lost, stream->now->head.thread);
	else if (play && play->lost)
		fprintf(out, "          (%" PRIu64 " lost)\n", play->lost);
}

static void print_status(FILE *out, int status)
{
	if (WIFSIGNALED(status))
		fprintf(out, "killed by signal %d", WTERMSIG(status));
	else
		fprintf(out, "exit status %d", WEXITSTATUS(status));
}

static void print_thread_name(FILE *out, pid_t id, const char *name)
{
	char text[COMM_TEXT_SIZE];

	fprintf(out, "thread %d", id);
	if (*name)
		fprintf(out, " %s", text_comm(text, name));
}

static void print_thread_end(FILE *out, const struct thread_end *end)
{
	fputs("          (", out);
	print_thread_name(out, end->thread, end->name);
	fputs(" ended", out);
	if (end->known) {
		fputs(": ", out);
		print_status(out, end->status);
	}
	fputs(")\n", out);
}

static void show_thread_end(const struct viewer *viewer)
{
	if (viewer->options->json)
		json_thread_end(viewer->printer.out, viewer->stream->thread_end);
	else if (viewer->stream->several)
		print_thread_end(viewer->printer.out, viewer->stream->thread_end);
}

static void print_end(const struct logging *log, const struct stream_end *end)
{
	FILE *out = log->viewer.printer.out;

	fputs("          (", out);
	if (end->reason == CP_END_EXITED)
		print_status(out, end->status);
	else if (end->reason == CP_END_EXEC)
		fputs("it runs another program now", out);
	else
		fputs("it continues", out);
	if (end->reason == CP_END_EXITED && log->deaths == 1 &&
	    log->viewer.stream->several) {
		fputs(" in ", out);
		print_thread_name(out, log->culprit, log->name);
	}
	fputs(")\n", out);
}

/* struct thinning - the returns to user mode that were skipped, see rec_options */
struct thinning {
	uint64_t	interval;
	uint64_t	every;
};

static struct thinning thinning_of(const struct viewer *viewer)
{
	const struct stream_options *options = &viewer->options->stream;
	const struct playback *play = viewer->stream->play;

	if (play)
		return (struct thinning){ play->options.interval,
					  play->options.every };
	return (struct thinning){ (uint64_t)options->interval_ns,
				  options->every };
}

static bool is_thinned(const struct thinning *thinning)
{
	return thinning->interval || thinning->every > 1;
}

static void print_thinning(FILE *out, const struct thinning *thinning)
{
	if (!is_thinned(thinning))
		return;
	fputs("          (thinned:", out);
	if (thinning->interval)
		fprintf(out, " at least %.9g s from one to the next",
			(double)thinning->interval / NSEC_PER_SEC);
	if (thinning->interval && thinning->every > 1)
		fputc(',', out);
	if (thinning->every > 1)
		fprintf(out, " one of %" PRIu64 " returns to user mode",
			thinning->every);
	fputs(")\n", out);
}

static void json_thinning(FILE *out, const struct thinning *thinning)
{
	struct json_object *object;

	if (!is_thinned(thinning))
		return;
	object = json_object_new_object();
	member_string(object, "type", "thinned");
	member_number(object, "interval_ns", thinning->interval);
	member_number(object, "every", thinning->every ?: 1);
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

	member_string(object, "type", "exec");
	member_bool(object, "late", play->late);
	if (command)
		member_string(object, "command", command);
	json_line(out, object);
}

/* Prints the exec before a checkpoint, if any. */
static void show_exec(struct viewer *viewer, uint64_t *execs)
{
	const struct playback *play = viewer->stream->play;

	if (!play || play->execs == *execs)
		return;
	*execs = play->execs;
	if (viewer->options->json)
		json_exec(viewer->printer.out, play);
	else
		print_exec(viewer->printer.out, play);
}

/* Prints what precedes the first checkpoint. */
static void show_begin(const struct viewer *viewer)
{
	const struct thinning thinning = thinning_of(viewer);

	if (viewer->options->json)
		json_thinning(viewer->printer.out, &thinning);
	else
		print_thinning(viewer->printer.out, &thinning);
}

/* Remembers the thread that has received the deadly signal. */
static void note_death(struct logging *log)
{
	const struct stream *stream = log->viewer.stream;

	if (!stream->play || !snapshot_is_death(stream->now))
		return;
	log->deaths++;
	log->culprit = stream->now->head.thread;
	snprintf(log->name, sizeof(log->name), "%s", stream->play->thread->name);
}

static void show_checkpoint(struct logging *log)
{
	struct viewer *viewer = &log->viewer;
	const struct stream *stream = viewer->stream;
	const struct cp_checkpoint *cp = &stream->now->head;
	const bool json = viewer->options->json;

	/* The execs before the first checkpoint are not shown. */
	if (!log->last) {
		show_begin(viewer);
		log->execs = stream->play ? stream->play->execs : 0;
	} else if (!json) {
		print_gap(viewer->printer.out, stream);
	}
	show_exec(viewer, &log->execs);
	log->last = cp->seq;
	note_death(log);
	if (json)
		json_log_line(&viewer->printer, cp);
	else
		print_line(&viewer->printer, stream);
}

static void show_all(struct logging *log)
{
	struct viewer *viewer = &log->viewer;
	struct stream_end end;

	while (viewer_next(viewer)) {
		if (viewer->stream->thread_end)
			show_thread_end(viewer);
		else
			show_checkpoint(log);
	}
	if (!viewer->options->json && viewer_ended(viewer, &end))
		print_end(log, &end);
}

/* Prints all lines, at a terminal folded to its width. */
static void show_log(struct logging *log)
{
	struct viewer *viewer = &log->viewer;

	if (!viewer->options->json)
		viewer->printer.out = folded_open(viewer->out, INDENT);
	show_all(log);
	folded_close(viewer->printer.out, viewer->out);
	viewer->printer.out = viewer->out;
}

/* Prints the log of a process. Returns an exit status. */
static int log_process(const struct subject *subject,
		       const struct options *options)
{
	struct logging log = {};

	viewer_open(&log.viewer, subject_open(subject, options), options);
	if (log.viewer.out)
		subject_print_process(subject, options, &log.viewer.printer);
	if (log.viewer.out)
		show_log(&log);
	return viewer_close(&log.viewer);
}

int verb_log(int argc, char **argv)
{
	struct options options = {
		.stream.ends = true,
		.stream.process = true,
		.stream.timeout_ns = -1,
	};
	struct subject subject = {};
	int status = subject_parse(argc, argv, &usage, &arguments, &options,
				   &subject);

	return status < 0 ? subject_print_each(&subject, &options, log_process) :
			    status;
}
