// SPDX-License-Identifier: GPL-2.0-only
/* The bytes of a segment that differ from the checkpoint before. */
#include <errno.h>
#include <string.h>

#include "delta.h"
#include "recording.h"

/* Runs begin and end at multiples of this number of bytes in the segment. */
#define GRAIN	16

/* Returns @before, or an empty segment if it is of another kind than @now. */
static const struct segment *comparable(const struct segment *now,
					const struct segment *before)
{
	static const struct segment nothing;

	return before && before->info.kind == now->info.kind ? before : &nothing;
}

/* Returns the bytes of @before at @addr, at least @size of them, or NULL. */
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

/* Finds the next run at or after @offset; returns false if there is none. */
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

/*
 * Moves @segment to the addresses of @info, and keeps the bytes at common addresses. A
 * new block has spare room, so that a growing or shrinking segment is seldom copied.
 */
static int move_to(struct segment *segment, const struct cp_segment *info)
{
	const uint64_t old_end = segment->info.addr + segment->info.size;
	const uint64_t end = info->addr + info->size;
	/* The offset in @block. Wraps to a huge number for an address before it. */
	const uint64_t into = info->addr - segment->info.addr +
			      (uint64_t)(segment->bytes - segment->block);
	struct segment new = { .info.size = info->size + info->size / 2 };
	uint64_t from, to;

	if (segment->block && into <= segment->room &&
	    info->size <= segment->room - into) {
		segment->bytes = segment->block + into;
		segment->info = *info;
		return 0;
	}
	if (segment_alloc(&new))
		return -1;
	/* The spare room is before the bytes because a stack grows downwards. */
	new.bytes = new.block + info->size / 2;
	from = info->addr > segment->info.addr ? info->addr : segment->info.addr;
	to = end < old_end ? end : old_end;
	if (from < to)
		memcpy(new.bytes + (from - info->addr),
		       segment->bytes + (from - segment->info.addr), to - from);
	segment_free(segment);
	new.info = *info;
	*segment = new;
	return 0;
}

/* struct range - the addresses of the segment in the checkpoint before */
struct range {
	uint64_t	start;
	uint64_t	end;
};

/* Are the bytes between two runs in @known? All others must be in runs. */
static bool is_known(const struct segment *segment, const struct range *known,
		     uint64_t from, uint64_t to)
{
	return from == to || (segment->info.addr + from >= known->start &&
			      segment->info.addr + to <= known->end);
}

static int read_runs(struct input *in, struct segment *segment,
		     const struct range *known, uint32_t nr_runs)
{
	uint64_t at = 0;

	for (; nr_runs; nr_runs--) {
		struct rec_run run;

		if (input_get(in, &run, sizeof(run)) || run.offset < at ||
		    run.offset > segment->info.size ||
		    run.size > segment->info.size - run.offset ||
		    !is_known(segment, known, at, run.offset) ||
		    input_get(in, segment->bytes + run.offset, run.size))
			return -1;
		at = run.offset + run.size;
	}
	return is_known(segment, known, at, segment->info.size) ? 0 : -1;
}

/* Refuses a size that the rest of the record and @before cannot fill. */
static bool is_possible(const struct cp_segment *info,
			const struct segment *before, uint64_t left,
			uint64_t most)
{
	if (!info->size)
		return true;
	return info->size <= most && info->size <= left + before->info.size &&
	       info->addr <= REC_ADDR_MAX - info->size;
}

int delta_read(struct input *in, struct segment *segment, uint64_t most)
{
	struct rec_segment head;
	struct cp_segment info;
	struct range known;

	errno = EINVAL;
	if (input_get(in, &head, sizeof(head)) ||
	    input_struct(in, &info, sizeof(info), head.info_size))
		return -1;
	if (segment->info.kind != info.kind) {
		segment_free(segment);
		memset(segment, 0, sizeof(*segment));
	}
	if (!is_possible(&info, segment, in->left, most))
		return -1;
	known.start = segment->info.addr;
	known.end = segment->info.addr + segment->info.size;
	if (move_to(segment, &info))
		return -1;
	return read_runs(in, segment, &known, head.nr_runs);
}
