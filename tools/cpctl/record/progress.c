// SPDX-License-Identifier: GPL-2.0-only
/* What a recorder prints about the recording, while and after it is made. */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "message.h"
#include "progress.h"
#include "text.h"
#include "width.h"

/* Room for the line of progress_show(), with the largest numbers. */
#define PROGRESS_SIZE	160

/* The number of the newest checkpoint of a part: how many its thread has made. */
static uint64_t newest(const struct cp_region_head *head)
{
	const struct cp_checkpoint *cp;

	if (!head->newest)
		return 0;
	cp = (const void *)((const char *)head + head->newest);
	return cp->seq;
}

uint64_t progress_count(const struct cp_pair *pair)
{
	const struct cp_region_head *head;
	uint64_t count = 0;
	unsigned int i;

	for (i = 0; (head = cp_pair_part(pair, i)); i++)
		count += newest(head);
	return count;
}

/* Whether there is a line that progress_end() has to remove. */
static bool shown;

/* The line must not wrap: it is cut if need be. */
void progress_line(const char *text)
{
	const unsigned int columns = width_of(stderr);

	if (!isatty(STDERR_FILENO))
		return;
	shown = true;
	fputs("\r\033[K", stderr);
	width_print(stderr, text, columns ? columns : UINT_MAX);
}

void progress_show(const struct progress *progress)
{
	const struct recfile *file = progress->file;
	char size[FIGURE_SIZE], text[PROGRESS_SIZE];
	int len;

	if (!isatty(STDERR_FILENO))
		return;
	len = snprintf(text, sizeof(text), "recording process %d: ",
		       progress->pid);
	if (file->options->stream)
		snprintf(text + len, sizeof(text) - (size_t)len,
			 "%" PRIu64 " checkpoints kept, %" PRIu64 " lost, %s written",
			 file->written, progress->missed,
			 figure_bytes(size, recwriter_size(file->writer)));
	else
		snprintf(text + len, sizeof(text) - (size_t)len,
			 "%" PRIu64 " checkpoints",
			 progress->base + progress_count(progress->pair));
	progress_line(text);
}

void progress_end(void)
{
	if (shown)
		fputs("\r\033[K", stderr);
	shown = false;
}

void progress_shortcomings(uint64_t cut, unsigned int unseen)
{
	if (cut)
		warnx("the stacks of %" PRIu64 " of them are cut: --stack-limit keeps more of each",
		      cut);
	if (unseen)
		warnx("%u new threads or processes are missing: a pair had no room, or no memory, for them",
		      unseen);
}

void progress_written(const struct progress *progress)
{
	const struct recfile *file = progress->file;
	char size[FIGURE_SIZE];

	warnx("%s: %" PRIu64 " checkpoint%s, %s; %" PRIu64 " %s",
	      file->options->output, file->written,
	      file->written == 1 ? "" : "s",
	      figure_bytes(size, (double)file->size), progress->missed,
	      file->options->stream ? "lost in between" : "came and went before");
	progress_shortcomings(file->cut, progress->unseen);
}
