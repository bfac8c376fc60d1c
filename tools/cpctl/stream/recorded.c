// SPDX-License-Identifier: GPL-2.0-only
/* The checkpoints of a recording, one after another. */
#include <stdlib.h>
#include <sys/stat.h>

#include "exit.h"
#include "interrupt.h"
#include "lasts.h"
#include "message.h"
#include "recorded.h"

/*
 * struct recorded - a recording that is being read
 * @stream: the interface
 * @options: the options of the verb
 * @play: the recording
 * @instant: the last checkpoints of all threads, if the verb wants those
 * @found: whether @play is at the checkpoint to return next, or @instant is that
 * @nr: the number of checkpoints that were returned
 * @over: whether the end of the recording has been read
 */
struct recorded {
	struct stream			stream;
	const struct stream_options	*options;
	struct playback			play;
	struct instant			instant;
	bool				found;
	uint64_t			nr;
	bool				over;
};

static void set_current(struct recorded *recorded)
{
	const struct playback *play = &recorded->play;
	struct stream *stream = &recorded->stream;

	if (stream->instant) {
		stream->now = &recorded->instant.threads[0].snapshot;
		stream->number = recorded->instant.threads[0].number;
	} else {
		stream->now = play->now;
		stream->number = play->number;
	}
	stream->thread_end = NULL;
	if (!playback_is_process(play))
		stream->several = false;
	/* Copies of the checkpoints before the first wanted one would be for nothing. */
	recorded->play.wanted.compare = recorded->options->compare;
}

/* Goes to the next checkpoint, or end of a thread; returns false if there is none. */
static bool advance(struct recorded *recorded)
{
	struct playback *play = &recorded->play;
	enum playback_step step;

	do {
		step = playback_step(play);
	} while (step == PLAYBACK_THREAD_END && !recorded->options->ends);
	if (step == PLAYBACK_OVER) {
		recorded->over = !play->failed && !interrupted();
		return false;
	}
	if (step == PLAYBACK_THREAD_END) {
		recorded->stream.thread_end = &play->thread_end;
		return true;
	}
	set_current(recorded);
	recorded->nr++;
	return true;
}

static bool recorded_next(struct stream *stream)
{
	struct recorded *recorded = (struct recorded *)stream;

	if (recorded->options->count &&
	    recorded->nr == recorded->options->count)
		return false;
	if (!recorded->found)
		return !stream->instant && advance(recorded);
	recorded->found = false;
	recorded->nr++;
	set_current(recorded);
	return true;
}

static bool recorded_ended(const struct stream *stream, struct stream_end *end)
{
	const struct recorded *recorded = (const struct recorded *)stream;

	end->reason = recorded->play.end.reason;
	end->status = recorded->play.end.status;
	return recorded->over;
}

static int recorded_close(struct stream *stream, int status)
{
	struct recorded *recorded = (struct recorded *)stream;

	status = playback_status(&recorded->play, status);
	playback_close(&recorded->play);
	instant_free(&recorded->instant);
	free(recorded);
	return status;
}

static const struct stream_ops recorded_ops = {
	.next = recorded_next,
	.ended = recorded_ended,
	.close = recorded_close,
};

/*
 * Does a reader have to know which thread a checkpoint is of? A file that can be read only
 * once is not read for that.
 */
static bool has_several(const char *path, const struct stream_options *options)
{
	struct stat st;

	if (options->only)
		return false;
	return (!stat(path, &st) && !S_ISREG(st.st_mode)) ||
	       playback_has_threads(path, &options->part);
}

/* Does the verb want the last checkpoints of all threads as one instant? */
static bool is_instant(const struct stream_options *options, int64_t number)
{
	return options->last == LAST_AT ||
	       (options->last == LAST_OF_ALL && number == PLAYBACK_CRASH);
}

static bool read_instant(struct recorded *recorded, int64_t number)
{
	struct playback *play = &recorded->play;
	uint64_t limit = 0;

	if (number) {
		if (!playback_find(play, number))
			return false;
		limit = play->number;
		if (!playback_first(play))
			return false;
	}
	recorded->found = true;
	recorded->stream.instant = &recorded->instant;
	return lasts_read(play, limit, &recorded->instant);
}

/* Goes to the first checkpoint that is wanted; returns false after printing the reason. */
static bool go_to(struct recorded *recorded, int64_t number)
{
	const struct stream_options *options = recorded->options;

	if (is_instant(options, number))
		return read_instant(recorded, number);
	/* Without a number, the first one is the next one. */
	recorded->found = number || options->last;
	return !recorded->found || playback_find(&recorded->play, number);
}

struct stream *recorded_open(const char *path, int64_t number,
			     const struct stream_options *options)
{
	const struct playback_options wanted = {
		.part = options->part,
		.only = options->only,
	};
	struct recorded *recorded = calloc(1, sizeof(*recorded));
	struct stream *stream = &recorded->stream;

	if (!recorded) {
		warn("cannot read %s", path);
		return NULL;
	}
	stream->ops = &recorded_ops;
	stream->around = &recorded->play.around;
	stream->before = &recorded->play.before;
	stream->play = &recorded->play;
	recorded->options = options;
	if (playback_open(&recorded->play, path, &wanted) &&
	    go_to(recorded, number)) {
		stream->several = has_several(path, options);
		return stream;
	}
	stream_close(stream, EXIT_REFUSED);
	return NULL;
}
