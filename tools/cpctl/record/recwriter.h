/* SPDX-License-Identifier: GPL-2.0-only */
/* Writing a recording; recording.h describes its format. */
#ifndef RECWRITER_H
#define RECWRITER_H

#include "recording.h"
#include "snapshot.h"

struct recwriter;

/*
 * recwriter_open() - begin a recording
 * @fd: an empty file, which the caller still owns
 *
 * Return: NULL with errno.
 */
struct recwriter *recwriter_open(int fd);

/*
 * recwriter_put() - write a record
 * @type: REC_*
 * @head: the struct at the beginning of the record, or NULL
 * @bytes: the bytes after @head
 *
 * Return: 0, or -1 with errno.
 */
int recwriter_put(struct recwriter *rec, unsigned int type, const void *head,
		  size_t head_size, const void *bytes, size_t size);

/*
 * recwriter_text() - write a record that ends with text
 *
 * Text beyond REC_TEXT_MAX is cut off.
 *
 * Return: 0, or -1 with errno.
 */
int recwriter_text(struct recwriter *rec, unsigned int type, const void *head,
		   size_t head_size, const char *text, size_t size);

/*
 * recwriter_maps() - write the text of /proc/PID/maps
 *
 * If @maps is larger than REC_MAPS_MAX, lines with a name are preferred: a reader needs
 * them to find functions and files.
 *
 * Return: 0, or -1 with errno.
 */
int recwriter_maps(struct recwriter *rec, const char *maps);

/*
 * recwriter_checkpoint() - write a checkpoint
 * @now: the checkpoint, which @rec then owns for the comparison with the next one of the
 *	same thread; empty afterwards
 * @name: the name of its thread, or NULL if it is not known
 *
 * A stack beyond the limits of the format is cut at its far end, and is marked with
 * CP_SEGF_TRUNCATED like a stack beyond the limit of the pair.
 *
 * Return: 0, or -1 with errno.
 */
int recwriter_checkpoint(struct recwriter *rec, struct snapshot *now,
			 const char *name);

/* recwriter_thread_end() - write the end of a thread; 0, or -1 with errno */
int recwriter_thread_end(struct recwriter *rec, const struct rec_thread_end *end);

/* recwriter_exec() - write that another program follows; 0, or -1 with errno */
int recwriter_exec(struct recwriter *rec, const struct rec_exec *exec);

/*
 * recwriter_flush() - write all buffered data to the file
 *
 * Return: 0, or -1 with errno.
 */
int recwriter_flush(struct recwriter *rec);

/* recwriter_size() - the size of the file, without buffered data */
uint64_t recwriter_size(const struct recwriter *rec);

/* recwriter_close() - free @rec; without recwriter_flush(), buffered data is lost */
void recwriter_close(struct recwriter *rec);

#endif /* RECWRITER_H */
