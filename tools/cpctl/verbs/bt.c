// SPDX-License-Identifier: GPL-2.0-only
/* cpctl bt: print the calls that led to a checkpoint. */
#include <inttypes.h>

#include "cpctl.h"
#include "exit.h"
#include "facts.h"
#include "json.h"
#include "members.h"
#include "message.h"
#include "print.h"
#include "subject.h"
#include "text.h"
#include "unwind.h"
#include "viewer.h"

static const struct usage usage = {
	.has = OPTIONS_COUNT | OPTIONS_LIVE | OPTIONS_THIN | OPTIONS_FRAMES |
	       OPTIONS_JSON | OPTIONS_PROCESS | OPTIONS_NAME |
	       OPTIONS_PID,
	.help =
	"Usage: cpctl bt [OPTION]... PID...\n"
	"       cpctl bt [OPTION]... FILE [N]\n"
	"Print the calls that led to where each thread of the running process PID is,\n"
	"the innermost first, all at one instant. Or, of a recording, where each thread\n"
	"was at last, beginning with the one that crashed; with N, checkpoint N alone.\n"
	"The id of a thread stands for its process, unless --thread is given. A FILE\n"
	"whose name is a number is given as ./FILE.\n"
	"\n"
	"  -n, --count N          of how many instants or checkpoints, from N on (1)\n"
	"      --frames N         most calls to print (256); 0: all of them\n"
	OPTIONS_PROCESS_HELP
	OPTIONS_ONLY_HELP
	TARGETS_HELP
	OPTIONS_LIVE_HELP
	OPTIONS_THIN_HELP
	OPTIONS_OUTPUT_HELP
	CMDLINE_LAST_HELP
	OPTIONS_HOLD_HELP,
};

static const struct subject_usage arguments = {
	.text = "PID, or FILE [N]",
	.live = true,
	.several = true,
	.parts = true,
	.most = 1,
};

/*
 * struct backtracing - the backtraces of a process
 * @viewer: the checkpoints and the output
 * @process: the id of the living process; 0 for a recording
 * @unwinder: the unwinder of the process, NULL before the first checkpoint
 * @compat: whether @unwinder is for 32-bit code
 * @time: the time of the death, or of the newest of several checkpoints
 * @frames: with --json, the frames of the current checkpoint
 * @nr: the number of the next frame
 */
struct backtracing {
	struct viewer		viewer;
	pid_t			process;
	struct unwinder		*unwinder;
	bool			compat;
	uint64_t		time;
	struct json_object	*frames;
	unsigned int		nr;
};

static void print_frame(void *arg, const struct frame *frame)
{
	struct backtracing *bt = arg;
	const struct printer *printer = &bt->viewer.printer;
	const struct style *style = printer->style;

	fprintf(printer->out, "  #%-3u 0x%016" PRIx64 " ", bt->nr++, frame->pc);
	if (frame->place.function) {
		fputs(style->symbol, printer->out);
		print_name(printer->out, frame->place.function);
		fprintf(printer->out, "%s (inlined)", style->end);
	} else if (frame->known) {
		symbol_print(printer, &frame->symbol);
	} else {
		fputs("??", printer->out);
	}
	if (frame->place.file) {
		fputs(" at ", printer->out);
		print_name(printer->out, frame->place.file);
		fprintf(printer->out, ":%d", frame->place.line);
	}
	fputc('\n', printer->out);
}

static void add_frame(void *arg, const struct frame *frame)
{
	const struct place *place = &frame->place;
	struct json_object *object = json_object_new_object();
	struct backtracing *bt = arg;

	json_object_object_add(object, "pc", json_hex(frame->pc));
	member_bool(object, "inlined", !!place->function);
	if (place->function)
		member_string(object, "function", place->function);
	else if (frame->known)
		json_object_object_add(object, "symbol",
				       json_symbol(&frame->symbol));
	if (place->file) {
		member_string(object, "file", place->file);
		member_int(object, "line", place->line);
	}
	json_object_array_add(bt->frames, object);
}

static bool unwind_all(struct backtracing *bt, const struct memory *memory,
		       unwind_frame_fn frame, char why[UNWIND_WHY_SIZE])
{
	return unwind(bt->unwinder, memory, bt->viewer.options->frames, frame,
		      bt, why);
}

/* Prints which of several threads the next backtrace is of. */
static void print_which(const struct backtracing *bt, const struct thread *thread)
{
	const struct printer *printer = &bt->viewer.printer;
	uint64_t time = instant_return(thread, bt->time);
	char age[FIGURE_SIZE];

	print_thread(printer, thread->snapshot.head.thread, thread->name);
	if (thread->number && time && time < bt->time)
		fprintf(printer->out, ", in user mode %s before",
			figure_time(age, (double)(bt->time - time)));
	fputs(":\n", printer->out);
}

static void print_backtrace(struct backtracing *bt, const struct memory *memory,
			    const struct thread *thread)
{
	const struct printer *printer = &bt->viewer.printer;
	char why[UNWIND_WHY_SIZE];

	if (thread && bt->viewer.stream->instant->nr > 1)
		print_which(bt, thread);
	else if (!thread)
		viewer_print_thread(&bt->viewer);
	print_headline(printer, &memory->snapshot->head);
	bt->nr = 0;
	if (!unwind_all(bt, memory, print_frame, why)) {
		fputs("  and no further: ", printer->out);
		print_name(printer->out, why);
		fputc('\n', printer->out);
	}
}

/* Adds the data of a thread that its checkpoint does not contain. */
static void json_thread(const struct backtracing *bt, struct json_object *object,
			const struct thread *thread)
{
	const uint64_t time = instant_return(thread, bt->time);

	if (*thread->name)
		member_string(object, "thread_name", thread->name);
	if (thread->number && time)
		member_number(object, "before_ns", bt->time - time);
}

static void json_backtrace(struct backtracing *bt, const struct memory *memory,
			   const struct thread *thread)
{
	struct json_object *object = json_head("backtrace",
					       bt->viewer.printer.number,
					       &memory->snapshot->head);
	char why[UNWIND_WHY_SIZE];
	bool complete;

	if (bt->process)
		member_int(object, "process", bt->process);
	if (thread)
		json_thread(bt, object, thread);
	bt->frames = json_object_new_array();
	complete = unwind_all(bt, memory, add_frame, why);
	json_object_object_add(object, "frames", bt->frames);
	member_bool(object, "complete", complete);
	if (!complete)
		member_string(object, "why", why);
	json_line(bt->viewer.printer.out, object);
}

/* An exec may have replaced 64-bit code by 32-bit code. */
static bool open_unwinder(struct backtracing *bt, const struct snapshot *now)
{
	bool compat = now->head.flags & CP_CHECKPOINT_COMPAT;

	if (bt->unwinder && bt->compat == compat)
		return true;
	unwind_close(bt->unwinder);
	bt->unwinder = unwind_open(bt->viewer.printer.symbols, compat);
	bt->compat = compat;
	if (!bt->unwinder)
		warn("cannot unwind");
	return bt->unwinder;
}

/* @thread: the thread of @now; NULL for a single checkpoint of a recording */
static void backtrace(struct backtracing *bt, const struct snapshot *now,
		      const struct thread *thread)
{
	const struct memory memory = { now, bt->viewer.stream->around };

	if (!open_unwinder(bt, now))
		bt->viewer.status = EXIT_REFUSED;
	else if (bt->viewer.options->json)
		json_backtrace(bt, &memory, thread);
	else
		print_backtrace(bt, &memory, thread);
}

static void backtraces(struct backtracing *bt, const struct stream *stream)
{
	const struct instant *instant = stream->instant;
	unsigned int i;

	if (!instant) {
		backtrace(bt, stream->now, NULL);
		return;
	}
	bt->time = instant_time(instant);
	for (i = 0; i < instant->nr; i++) {
		bt->viewer.printer.number = instant->threads[i].number;
		backtrace(bt, &instant->threads[i].snapshot,
			  &instant->threads[i]);
	}
}

/* Prints the backtraces of a process, or of a recording. Returns an exit status. */
static int show(const struct subject *subject, const struct options *options)
{
	struct backtracing bt = {};
	struct task_facts facts = {};
	bool first = true;

	if (!subject->file && task_facts(subject->pid, &facts))
		bt.process = facts.process;
	viewer_open(&bt.viewer, subject_open(subject, options), options);
	while (viewer_next(&bt.viewer)) {
		if (first)
			subject_print_process(subject, options,
					      &bt.viewer.printer);
		first = false;
		backtraces(&bt, bt.viewer.stream);
	}
	unwind_close(bt.unwinder);
	return viewer_close(&bt.viewer);
}

int verb_bt(int argc, char **argv)
{
	struct options options = {
		.stream.count = 1,
		.stream.process = true,
		.stream.hold = true,
		.stream.last = LAST_OF_ALL,
		.stream.timeout_ns = -1,
		.frames = 256,
	};
	struct subject subject = {};
	int status = subject_parse(argc, argv, &usage, &arguments, &options,
				   &subject);

	return status < 0 ? subject_print_each(&subject, &options, show) : status;
}
