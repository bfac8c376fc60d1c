// SPDX-License-Identifier: GPL-2.0-only
/*
 * Target of libFuzzer for the readers of recordings: frames, records, changes of
 * stacks, and their interpretation as far as it needs no other file.
 *
 * The first byte of an input selects whether the rest is a file, or its records.
 */
#include "target.h"

#include "coreload.h"
#include "lasts.h"
#include "stack.h"

static const struct view view = { .stack_bytes = 256 };

/* Reads a checkpoint as cpctl log, show and dump do. */
static void look(struct playback *play)
{
	const struct snapshot *now = play->now;
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

static void read_all(void)
{
	const struct playback_options wanted = { .compare = true };
	struct playback play;

	if (playback_open(&play, target_path(), &wanted))
		while (playback_next(&play))
			look(&play);
	playback_close(&play);
}

/* Reads the last states of all threads, as cpctl bt and dump do. */
static void read_lasts(void)
{
	const struct playback_options wanted = { .quiet = true };
	struct instant instant = {};
	struct playback play;

	if (playback_open(&play, target_path(), &wanted) &&
	    lasts_read(&play, 0, &instant)) {
		if (!instant.nr)
			abort();
		instant_time(&instant);
	}
	instant_free(&instant);
	playback_close(&play);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!size)
		return 0;
	target_write(data + 1, size - 1, data[0] & 1);
	read_all();
	read_lasts();
	return 0;
}
