// SPDX-License-Identifier: GPL-2.0-only
/* The checkpoints of a process, one after another. */
#include "stream.h"

bool stream_next(struct stream *stream)
{
	return stream->ops->next(stream);
}

bool stream_ended(const struct stream *stream, struct stream_end *end)
{
	return stream->ops->ended(stream, end);
}

int stream_close(struct stream *stream, int status)
{
	return stream->ops->close(stream, status);
}
