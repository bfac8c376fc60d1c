// SPDX-License-Identifier: GPL-2.0-only
/* The file of a recording that is being written, and its naming. */
#include <inttypes.h>

#include "message.h"
#include "recfile.h"

static int cannot_write(const struct recfile *file)
{
	warn("cannot write %s", file->options->output);
	return -1;
}

static int write_options(struct recfile *file)
{
	const struct record_options *options = file->options;
	const struct rec_options record = {
		.interval = (uint64_t)options->interval,
		.stack_limit = options->stack_limit,
		.every = (uint32_t)options->every,
		.flags = recopts_flags(options),
		.stream = options->stream,
	};

	if (recwriter_put(file->writer, REC_OPTIONS, &record, sizeof(record),
			  NULL, 0))
		return -1;
	/* Flush, so that a full disk is reported now. */
	return recwriter_flush(file->writer);
}

int recfile_begin(struct recfile *file)
{
	if (wholefile_open(&file->file, file->options->output, true)) {
		wholefile_diagnose(file->options->output);
		return -1;
	}
	file->written = 0;
	file->cut = 0;
	file->writer = recwriter_open(file->file.fd);
	if (file->writer && !write_options(file))
		return 0;
	cannot_write(file);
	if (file->writer)
		recfile_drop(file);
	else
		wholefile_drop(&file->file);
	return -1;
}

static bool stack_is_cut(const struct snapshot *shot)
{
	unsigned int i;

	for (i = 0; i < shot->nr_segments; i++)
		if (shot->segments[i].info.kind == CP_SEGMENT_STACK &&
		    shot->segments[i].info.flags & CP_SEGF_TRUNCATED)
			return true;
	return false;
}

static int write_checkpoint(struct recfile *file, struct witness *witness,
			    struct snapshot *now)
{
	const char *name = threadnames_find(&witness->names, now->head.thread);
	bool is_cut = stack_is_cut(now);

	if (witness_write(witness, file->writer) ||
	    recwriter_checkpoint(file->writer, now, name))
		return cannot_write(file);
	file->written++;
	file->cut += is_cut;
	return 0;
}

int recfile_moment(struct recfile *file, struct witness *witness,
		   struct moment *now)
{
	if (!now->is_end)
		return write_checkpoint(file, witness, &now->shot);
	return recwriter_thread_end(file->writer, &now->end) ?
		       cannot_write(file) : 0;
}

int recfile_exec(struct recfile *file, uint32_t flags)
{
	const struct rec_exec record = { .flags = flags };

	return recwriter_exec(file->writer, &record) ? cannot_write(file) : 0;
}

int recfile_show(struct recfile *file)
{
	if (recwriter_flush(file->writer) || wholefile_show(&file->file))
		return cannot_write(file);
	file->size = recwriter_size(file->writer);
	return 0;
}

static void close_writer(struct recfile *file)
{
	file->size = recwriter_size(file->writer);
	recwriter_close(file->writer);
	file->writer = NULL;
}

int recfile_end(struct recfile *file, struct witness *witness,
		const struct rec_end *end)
{
	if (witness_write(witness, file->writer) ||
	    recwriter_put(file->writer, REC_END, end, sizeof(*end), NULL, 0) ||
	    recwriter_flush(file->writer))
		return cannot_write(file);
	close_writer(file);
	return wholefile_keep(&file->file) ? cannot_write(file) : 0;
}

void recfile_drop(struct recfile *file)
{
	if (!file->writer)
		return;
	close_writer(file);
	wholefile_drop(&file->file);
}

void recfile_give_up(struct recfile *file)
{
	if (!file->writer)
		return;
	if (!file->written) {
		recfile_drop(file);
		return;
	}
	close_writer(file);
	if (wholefile_keep_part(&file->file)) {
		cannot_write(file);
		wholefile_drop(&file->file);
		return;
	}
	warnx("%s: cut off after %" PRIu64 " checkpoints or some fewer, which can be read",
	      file->options->output, file->written);
}
