// SPDX-License-Identifier: GPL-2.0-only
/*
 * Target of libFuzzer for the readers of recordings: frames, records, changes of
 * stacks, and their interpretation as far as it needs no other file.
 *
 * The first byte of an input selects whether the rest is a file, or its records.
 */
#include "target.h"

#include "coreload.h"
#include "playback.h"
#include "stack.h"

static const struct view view = { .stack_bytes = 256 };

/* Reads a checkpoint as cpctl log, show and dump do. */
static void look(struct playback *play)
{
	const struct snapshot *now = &play->now;
	const struct corestate state = { 1, &now, &play->around };
	struct coreloads loads;
	unsigned int i;

	for (i = 0; i < now->nr_segments; i++) {
		uint64_t start, size;

		size = stack_range(now, &now->segments[i], &view, &start);
		if (size && !snapshot_bytes(now, start, size))
			abort();
	}
	identity_auxv(&play->identity, 9);
	if (!coreloads_make(&loads, &state))
		coreloads_free(&loads);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct playback play;

	if (!size)
		return 0;
	target_write(data + 1, size - 1, data[0] & 1);
	if (playback_open(&play, target_path()))
		while (playback_next(&play))
			look(&play);
	playback_close(&play);
	return 0;
}
