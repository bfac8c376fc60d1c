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
 * recwriter_text() - write a record that ends with text
 *
 * Of that, what is beyond REC_TEXT_MAX is left out.
 *
 * Return: 0, or -1 with errno.
 */
int recwriter_text(struct recwriter *rec, unsigned int type, const void *head,
		   size_t head_size, const char *text, size_t size);

/*
 * recwriter_maps() - write the text of /proc/PID/maps
 *
 * Of more than REC_MAPS_MAX bytes, the lines that have a name are kept first:
 * they tell functions and files.
 *
 * Return: 0, or -1 with errno.
 */
int recwriter_maps(struct recwriter *rec, const char *maps);

/*
 * recwriter_checkpoint() - write a checkpoint
 * @now: is kept, to find what changes next: it is empty afterwards
 *
 * A stack that is beyond the format's limits is cut at its far end, as one that
 * is beyond the pair's limit: CP_SEGF_TRUNCATED is set.
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
