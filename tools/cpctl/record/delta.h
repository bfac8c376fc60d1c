/* SPDX-License-Identifier: GPL-2.0-only */
/* What of a segment differs from the checkpoint before. */
#ifndef DELTA_H
#define DELTA_H

#include <stdio.h>

#include "input.h"
#include "snapshot.h"

/*
 * delta_write() - write a segment, without what @before holds of it
 * @before: the same segment of the checkpoint before, or NULL
 *
 * Errors show in ferror(@out).
 */
void delta_write(FILE *out, const struct segment *now,
		 const struct segment *before);

/*
 * delta_read() - read what delta_write() wrote
 * @segment: the same segment of the checkpoint before, zeroed if there is none;
 *	becomes the one that is read. It is to be freed even if this fails
 * @most: bytes that it may have
 *
 * The bytes that are as before stay where they are: a record takes no longer to
 * read than its own bytes do, however large the segment is.
 *
 * Return: 0, or -1: what @in holds makes no sense, or (ENOMEM) no memory.
 */
int delta_read(struct input *in, struct segment *segment, uint64_t most);

#endif /* DELTA_H */
