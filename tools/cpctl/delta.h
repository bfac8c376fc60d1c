/* SPDX-License-Identifier: GPL-2.0-only */
/* What of a segment differs from the checkpoint before. */
#ifndef DELTA_H
#define DELTA_H

#include <stdio.h>

#include "snapshot.h"

/*
 * delta_write() - write a segment, without what @before holds of it
 * @before: the same segment of the checkpoint before, or NULL
 *
 * Errors show in ferror(@out).
 */
void delta_write(FILE *out, const struct segment *now,
		 const struct segment *before);

/* struct input - bytes that were read, and how far they have been used */
struct input {
	const unsigned char	*bytes;
	size_t			left;
};

/* input_take() - the next @size bytes, or NULL when there are not so many */
const void *input_take(struct input *in, size_t size);

/*
 * delta_read() - read what delta_write() wrote
 * @now: zeroed; it is to be freed also when this fails
 *
 * Return: 0, or -1: what @in holds makes no sense, or (ENOMEM) no memory.
 */
int delta_read(struct input *in, struct segment *now,
	       const struct segment *before);

#endif /* DELTA_H */
