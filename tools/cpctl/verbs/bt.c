// SPDX-License-Identifier: GPL-2.0-only
/* cpctl bt: print the calls that led to a checkpoint. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "cpctl.h"
#include "exit.h"
#include "json.h"
#include "message.h"
#include "output.h"
#include "print.h"
#include "stack.h"
#include "subject.h"
#include "take.h"
#include "text.h"
#include "unwind.h"

static const struct take_usage usage = {
	.has = TAKE_HAS_COUNT | TAKE_HAS_FRAMES | TAKE_HAS_JSON,
	.help =
	"Usage: cpctl bt [OPTION]... PID\n"
	"       cpctl bt [OPTION]... FILE [N]\n"
	"Print the calls that led to where the running process or thread PID is,\n"
	"the innermost first; or, of a recording, where its checkpoint N was: its\n"
	"last, without N. A FILE whose name is a number is given as ./FILE.\n"
	"\n"
	"  -n, --count N          of how many checkpoints (1)\n"
	"      --frames N         most calls to print (256); 0: all of them\n"
	TAKE_WAIT_HELP
	TAKE_OUTPUT_HELP
	TAKE_LAST_HELP
	"\n"
	"A sleeping process is nudged unless --no-nudge is given.\n",
};

/*
 * struct backtracing - the backtraces of a process
 * @printer: the destination and the format
 * @around: the surroundings of the process
 * @unwinder: the unwinder of the process, NULL before the first checkpoint
 * @json: whether to print JSON
 * @frames_max: the maximum number of frames to print; 0 for no limit
 * @frames: with @json, the frames of the current checkpoint
 * @nr: the number of the next frame
 */
struct backtracing {
	struct printer		printer;
	struct surroundings	*around;
	struct unwinder		*unwinder;
	bool			json;
	uint64_t		frames_max;
	struct json_object	*frames;
	unsigned int		nr;
};

static void print_frame(void *arg, const struct frame *frame)
{
	struct backtracing *bt = arg;
	const struct printer *printer = &bt->printer;
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
	json_object_object_add(object, "inlined",
			       json_object_new_boolean(!!place->function));
	if (place->function)
		json_object_object_add(object, "function",
				       json_object_new_string(place->function));
	else if (frame->known)
		json_object_object_add(object, "symbol",
				       json_symbol(&frame->symbol));
	if (place->file) {
		json_object_object_add(object, "file",
				       json_object_new_string(place->file));
		json_object_object_add(object, "line",
				       json_object_new_int(place->line));
	}
	json_object_array_add(bt->frames, object);
}

static void print_backtrace(struct backtracing *bt, const struct memory *memory)
{
	char why[UNWIND_WHY_SIZE];

	print_headline(&bt->printer, &memory->snapshot->head);
	bt->nr = 0;
	if (!unwind(bt->unwinder, memory, bt->frames_max, print_frame, bt,
		    why)) {
		fputs("  and no further: ", bt->printer.out);
		print_name(bt->printer.out, why);
		fputc('\n', bt->printer.out);
	}
}

static void json_backtrace(struct backtracing *bt, const struct memory *memory)
{
	struct json_object *object = json_head("backtrace",
					       &memory->snapshot->head);
	char why[UNWIND_WHY_SIZE];
	bool complete;

	bt->frames = json_object_new_array();
	complete = unwind(bt->unwinder, memory, bt->frames_max, add_frame, bt,
			  why);
	json_object_object_add(object, "frames", bt->frames);
	json_object_object_add(object, "complete",
			       json_object_new_boolean(complete));
	if (!complete)
		json_object_object_add(object, "why",
				       json_object_new_string(why));
	json_line(bt->printer.out, object);
}

static int backtrace(struct backtracing *bt, const struct snapshot *now)
{
	const struct memory memory = { now, bt->around };

	symbols_refresh(bt->printer.symbols);
	if (!bt->unwinder)
		bt->unwinder = unwind_open(bt->printer.symbols,
					   now->head.flags &
					   CP_CHECKPOINT_COMPAT);
	if (!bt->unwinder) {
		warn("cannot unwind");
		return EXIT_REFUSED;
	}
	if (bt->json)
		json_backtrace(bt, &memory);
	else
		print_backtrace(bt, &memory);
	return output_flush(bt->printer.out);
}

/* Returns false after printing the reason; the caller must close @bt anyway. */
static bool backtracing_open(struct backtracing *bt, FILE *out,
			     const struct take_options *options,
			     struct surroundings *around)
{
	memset(bt, 0, sizeof(*bt));
	bt->printer.out = out;
	bt->printer.style = style_of(out);
	bt->json = options->json;
	bt->frames_max = options->frames;
	bt->around = around;
	bt->printer.symbols = symbols_open(around);
	if (!bt->printer.symbols)
		warn("cannot look up symbols");
	return bt->printer.symbols;
}

static void backtracing_close(struct backtracing *bt)
{
	unwind_close(bt->unwinder);
	symbols_close(bt->printer.symbols);
}

static int backtrace_each(struct live *live, const struct take_options *options,
			  FILE *out)
{
	struct backtracing bt;
	int status = EXIT_REFUSED;

	if (backtracing_open(&bt, out, options, &live->around)) {
		status = EXIT_OK;
		while (status == EXIT_OK && live_next(live))
			status = backtrace(&bt, live->now);
	}
	if (status == EXIT_OK && options->json)
		take_print_end(out, live);
	backtracing_close(&bt);
	return status;
}

/* The live_fn of bt. */
static int backtrace_living(struct live *live, void *arg)
{
	const struct take_options *options = arg;
	FILE *out = output_open(options->output);

	if (!out)
		return EXIT_REFUSED;
	return output_close(out, options->output,
			    backtrace_each(live, options, out));
}

static int backtrace_recorded(struct playback *play,
			      const struct take_options *options)
{
	FILE *out = output_open(options->output);
	struct backtracing bt;
	int status = EXIT_REFUSED;

	if (!out)
		return status;
	if (backtracing_open(&bt, out, options, &play->around))
		status = backtrace(&bt, &play->now);
	backtracing_close(&bt);
	return output_close(out, options->output, status);
}

int verb_bt(int argc, char **argv)
{
	struct take_options options = {
		.count = 1,
		.nudge = true,
		.timeout_ns = -1,
		.frames = 256,
	};
	struct subject subject = {};
	int status = subject_parse(argc, argv, &usage, &options, &subject);

	if (status >= 0)
		return status;
	if (subject.file)
		return subject_open(&subject, &options, backtrace_recorded);
	return take_from(subject.pid, &options, backtrace_living, &options);
}
