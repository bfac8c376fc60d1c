/* SPDX-License-Identifier: GPL-2.0-only */
/* Writing a recording; its layout is in recording.h. */
#ifndef RECWRITER_H
#define RECWRITER_H

#include "snapshot.h"

struct recwriter;

/*
 * recwriter_open() - begin a recording
 * @fd: an empty file; stays the caller's
 *
 * Return: NULL with errno.
 */
struct recwriter *recwriter_open(int fd);

/*
 * recwriter_put() - write a record
 * @type: REC_*
 * @head: the struct it begins with, or NULL
 * @bytes: what follows
 *
 * Return: 0, or -1 with errno.
 */
int recwriter_put(struct recwriter *rec, unsigned int type, const void *head,
		  size_t head_size, const void *bytes, size_t size);

/*
 * recwriter_checkpoint() - write a checkpoint
 * @now: is kept, to find what changes next: it is empty afterwards
 *
 * Return: 0, or -1 with errno.
 */
int recwriter_checkpoint(struct recwriter *rec, struct snapshot *now);

/*
 * recwriter_flush() - have the file hold all that was written
 *
 * Return: 0, or -1 with errno.
 */
int recwriter_flush(struct recwriter *rec);

/* recwriter_size() - bytes of the file, as of the last flush or thereabout */
uint64_t recwriter_size(const struct recwriter *rec);

/* recwriter_close() - free it; without recwriter_flush(), what is left is lost */
void recwriter_close(struct recwriter *rec);

#endif /* RECWRITER_H */
