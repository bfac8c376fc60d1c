// SPDX-License-Identifier: GPL-2.0-only
/* What of a segment differs from the checkpoint before. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "delta.h"
#include "recording.h"

/* A run begins and ends at a multiple of this, and one no longer is no gap. */
#define GRAIN	16

/* Registers are told apart from a stack by what they are, not by their place. */
static const struct segment *comparable(const struct segment *now,
					const struct segment *before)
{
	static const struct segment nothing;

	return before && before->info.kind == now->info.kind ? before : &nothing;
}

/* What @before holds at @addr and behind: at least @size bytes, or NULL. */
static const unsigned char *known(const struct segment *before, uint64_t addr,
				  uint64_t size)
{
	uint64_t into;

	if (addr < before->info.addr)
		return NULL;
	into = addr - before->info.addr;
	if (into > before->info.size || size > before->info.size - into)
		return NULL;
	return before->bytes + into;
}

static uint64_t grain_at(const struct segment *now, uint64_t offset)
{
	uint64_t left = now->info.size - offset;

	return left < GRAIN ? left : GRAIN;
}

static bool same(const struct segment *now, const struct segment *before,
		 uint64_t offset)
{
	uint64_t size = grain_at(now, offset);
	const unsigned char *old = known(before, now->info.addr + offset, size);

	return old && !memcmp(old, now->bytes + offset, size);
}

/* The next run from @offset on; false when all that is left is as before. */
static bool next_run(const struct segment *now, const struct segment *before,
		     uint64_t offset, struct rec_run *run)
{
	while (offset < now->info.size && same(now, before, offset))
		offset += grain_at(now, offset);
	run->offset = offset;
	while (offset < now->info.size && !same(now, before, offset))
		offset += grain_at(now, offset);
	run->size = offset - run->offset;
	return run->size;
}

void delta_write(FILE *out, const struct segment *now,
		 const struct segment *before)
{
	struct rec_segment segment = { .info_size = sizeof(now->info) };
	struct rec_run run;
	uint64_t at;

	before = comparable(now, before);
	for (at = 0; next_run(now, before, at, &run); at = run.offset + run.size)
		segment.nr_runs++;
	fwrite(&segment, sizeof(segment), 1, out);
	fwrite(&now->info, sizeof(now->info), 1, out);
	for (at = 0; next_run(now, before, at, &run);
	     at = run.offset + run.size) {
		fwrite(&run, sizeof(run), 1, out);
		fwrite(now->bytes + run.offset, run.size, 1, out);
	}
}

const void *input_take(struct input *in, size_t size)
{
	const void *taken = in->bytes;

	if (size > in->left)
		return NULL;
	in->bytes += size;
	in->left -= size;
	return taken;
}

/* All up to @to is as it was before. */
static int fill_gap(struct segment *now, const struct segment *before,
		    uint64_t from, uint64_t to)
{
	const unsigned char *old;

	if (from == to)
		return 0;
	old = known(before, now->info.addr + from, to - from);
	if (!old)
		return -1;
	memcpy(now->bytes + from, old, to - from);
	return 0;
}

static int read_runs(struct input *in, struct segment *now,
		     const struct segment *before, uint32_t nr_runs)
{
	uint64_t at = 0;

	for (; nr_runs; nr_runs--) {
		const void *head = input_take(in, sizeof(struct rec_run));
		const void *bytes;
		struct rec_run run;

		if (!head)
			return -1;
		memcpy(&run, head, sizeof(run));
		if (run.offset < at || run.offset > now->info.size ||
		    run.size > now->info.size - run.offset)
			return -1;
		bytes = input_take(in, run.size);
		if (!bytes || fill_gap(now, before, at, run.offset))
			return -1;
		memcpy(now->bytes + run.offset, bytes, run.size);
		at = run.offset + run.size;
	}
	return fill_gap(now, before, at, now->info.size);
}

int delta_read(struct input *in, struct segment *now,
	       const struct segment *before)
{
	const void *head = input_take(in, sizeof(struct rec_segment));
	struct rec_segment segment;
	const void *info;
	uint64_t most;

	errno = EINVAL;
	if (!head)
		return -1;
	memcpy(&segment, head, sizeof(segment));
	info = input_take(in, segment.info_size);
	if (!info)
		return -1;
	copy_struct(&now->info, sizeof(now->info), info, segment.info_size);
	/* Nothing is allocated that could not be filled. */
	before = comparable(now, before);
	most = in->left + before->info.size;
	if (now->info.size > most || now->info.addr > REC_ADDR_MAX - most)
		return -1;
	now->bytes = malloc(now->info.size ?: 1);
	if (!now->bytes)
		return -1;
	return read_runs(in, now, before, segment.nr_runs);
}
