// SPDX-License-Identifier: GPL-2.0-only
/* Printing checkpoints: the common part of bt, diff, get, log, run and show. */
#include <inttypes.h>
#include <string.h>

#include "diagnose.h"
#include "exit.h"
#include "json.h"
#include "message.h"
#include "output.h"
#include "print.h"
#include "text.h"
#include "viewer.h"
#include "width.h"

/* Prints the end of a thread as that of a process: as JSON, or for the user. */
static void print_thread_end(const struct viewer *viewer,
			     const struct thread_end *end)
{
	if (viewer->options->json)
		json_thread_end(viewer->out, end);
	else
		diagnose_thread_end(end->thread, end->status);
}

void viewer_open(struct viewer *viewer, struct stream *stream,
		 const struct options *options)
{
	memset(viewer, 0, sizeof(*viewer));
	viewer->stream = stream;
	viewer->options = options;
	viewer->status = EXIT_REFUSED;
	if (!stream)
		return;
	viewer->out = options->out ? options->out :
				     output_open(options->output);
	if (!viewer->out)
		return;
	viewer->printer.out = viewer->out;
	viewer->printer.style = style_of(viewer->out);
	viewer->printer.columns = width_of(viewer->out);
	viewer->printer.view = options->view;
	viewer->printer.symbols = symbols_open(stream->around);
	if (viewer->printer.symbols)
		viewer->status = EXIT_OK;
	else
		warn("cannot look up symbols");
}

/* The reader of a living slave's checkpoints gets each as it comes. */
static bool is_written(struct viewer *viewer)
{
	if (viewer->stream->play)
		return !ferror(viewer->out);
	viewer->status = output_flush(viewer->out);
	return viewer->status == EXIT_OK;
}

/* Goes to the next checkpoint, or to the end of a thread. */
static bool advance(struct viewer *viewer)
{
	return viewer->status == EXIT_OK && is_written(viewer) &&
	       stream_next(viewer->stream);
}

bool viewer_next(struct viewer *viewer)
{
	const struct stream *stream = viewer->stream;

	while (advance(viewer)) {
		if (!stream->thread_end)
			symbols_refresh(viewer->printer.symbols);
		viewer->printer.number = stream->number;
		if (!stream->thread_end || viewer->options->stream.ends)
			return true;
		print_thread_end(viewer, stream->thread_end);
	}
	return false;
}

bool viewer_ended(struct viewer *viewer, struct stream_end *end)
{
	return viewer->status == EXIT_OK && !ferror(viewer->out) &&
	       stream_ended(viewer->stream, end);
}

int viewer_close(struct viewer *viewer)
{
	const char *path = viewer->options->output;
	struct stream_end end;

	if (!viewer->stream)
		return viewer->status;
	if (viewer->options->json && viewer_ended(viewer, &end))
		json_end(viewer->out, end.reason, end.status);
	symbols_close(viewer->printer.symbols);
	if (viewer->status == EXIT_OK)
		viewer->status = output_flush(viewer->out);
	if (viewer->out && !viewer->options->out)
		viewer->status = output_close(viewer->out, path,
					      viewer->status);
	return stream_close(viewer->stream, viewer->status);
}

/* Prints the program that the process has executed, before its first checkpoint. */
static void print_exec(struct viewer *viewer, uint64_t *execs)
{
	const struct playback *play = viewer->stream->play;
	FILE *out = viewer->printer.out;

	if (!play || play->execs == *execs)
		return;
	*execs = play->execs;
	if (viewer->options->json || !play->identity.command)
		return;
	fprintf(out, "after exec %" PRIu64 ": ", play->execs);
	print_name(out, play->identity.command);
	fputc('\n', out);
}

void viewer_print_thread(const struct viewer *viewer)
{
	const struct stream *stream = viewer->stream;

	if (!stream->several)
		return;
	print_thread(&viewer->printer, stream->now->head.thread,
		     stream->instant ? stream->instant->threads[0].name :
				       stream->play->thread->name);
	fputs(":\n", viewer->printer.out);
}

void viewer_show_all(struct viewer *viewer)
{
	const struct stream *stream = viewer->stream;
	uint64_t execs = 0;

	while (viewer_next(viewer)) {
		print_exec(viewer, &execs);
		if (viewer->options->json) {
			json_snapshot(&viewer->printer, stream->now);
			continue;
		}
		viewer_print_thread(viewer);
		print_snapshot(&viewer->printer, stream->now, stream->before);
	}
}

int viewer_show(struct stream *stream, const struct options *options)
{
	struct viewer viewer;

	viewer_open(&viewer, stream, options);
	viewer_show_all(&viewer);
	return viewer_close(&viewer);
}
