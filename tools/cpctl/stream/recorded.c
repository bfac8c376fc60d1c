// SPDX-License-Identifier: GPL-2.0-only
/* The checkpoints of a recording, one after another. */
#include <stdlib.h>

#include "exit.h"
#include "interrupt.h"
#include "message.h"
#include "recorded.h"

/*
 * struct recorded - a recording that is being read
 * @stream: the interface
 * @options: the options of the verb
 * @play: the recording
 * @before: the checkpoint before, if the verb uses it
 * @found: whether @play is at the checkpoint to return next
 * @nr: the number of checkpoints that were returned
 * @over: whether the end of the recording has been read
 */
struct recorded {
	struct stream			stream;
	const struct stream_options	*options;
	struct playback			play;
	struct snapshot			before;
	bool				found;
	uint64_t			nr;
	bool				over;
};

static bool keep_before(struct recorded *recorded)
{
	if (!recorded->options->compare || !recorded->nr)
		return true;
	if (!snapshot_copy(&recorded->before, &recorded->play.now))
		return true;
	warn("cannot keep a checkpoint");
	recorded->play.failed = true;
	return false;
}

/* Reads the next checkpoint; returns false if there is none. */
static bool advance(struct recorded *recorded)
{
	struct playback *play = &recorded->play;
	uint64_t execs = play->execs;

	if (!keep_before(recorded))
		return false;
	if (!playback_next(play)) {
		recorded->over = !play->failed && !interrupted();
		return false;
	}
	/* The states of two programs are not compared. */
	if (play->execs != execs)
		snapshot_free(&recorded->before);
	return true;
}

static bool recorded_next(struct stream *stream)
{
	struct recorded *recorded = (struct recorded *)stream;

	if (recorded->options->count &&
	    recorded->nr == recorded->options->count)
		return false;
	if (!recorded->found && !advance(recorded))
		return false;
	recorded->found = false;
	recorded->nr++;
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
	snapshot_free(&recorded->before);
	free(recorded);
	return status;
}

static const struct stream_ops recorded_ops = {
	.next = recorded_next,
	.ended = recorded_ended,
	.close = recorded_close,
};

struct stream *recorded_open(const char *path, int64_t number,
			     const struct stream_options *options)
{
	struct recorded *recorded = calloc(1, sizeof(*recorded));

	if (!recorded) {
		warn("cannot read %s", path);
		return NULL;
	}
	recorded->stream.ops = &recorded_ops;
	recorded->stream.around = &recorded->play.around;
	recorded->stream.now = &recorded->play.now;
	recorded->stream.before = &recorded->before;
	recorded->stream.play = &recorded->play;
	recorded->options = options;
	if (playback_open(&recorded->play, path) &&
	    (!number || playback_find(&recorded->play, number))) {
		recorded->found = number;
		return &recorded->stream;
	}
	stream_close(&recorded->stream, EXIT_REFUSED);
	return NULL;
}
