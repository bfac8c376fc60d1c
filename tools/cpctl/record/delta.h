/* SPDX-License-Identifier: GPL-2.0-only */
/* The bytes of a segment that differ from the checkpoint before. */
#ifndef DELTA_H
#define DELTA_H

#include <stdio.h>

#include "input.h"
#include "snapshot.h"

/*
 * delta_write() - write a segment, without the bytes that are the same in @before
 * @before: the same segment of the checkpoint before, or NULL
 *
 * The caller checks ferror(@out) for errors.
 */
void delta_write(FILE *out, const struct segment *now,
		 const struct segment *before);

/*
 * delta_read() - read the output of delta_write()
 * @segment: the same segment of the checkpoint before, zeroed if there is none;
 *	receives the segment that is read. The caller frees it even on failure
 * @most: the maximum size of the segment
 *
 * Unchanged bytes stay in place, so the time depends on the size of the record, not on
 * the size of the segment.
 *
 * Return: 0, or -1 with errno: EINVAL if @in is invalid, ENOMEM without memory.
 */
int delta_read(struct input *in, struct segment *segment, uint64_t most);

#endif /* DELTA_H */
