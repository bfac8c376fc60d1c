/* SPDX-License-Identifier: GPL-2.0-only */
/* The file of a core, which is written from its beginning to its end. */
#ifndef COREOUT_H
#define COREOUT_H

#include "packer.h"

/*
 * struct coreout - the file
 * @packer: the file
 * @holes: whether zeroes can be left out, as holes of the file
 * @at: the offset in the core
 * @total: the size of the core, once it is known
 */
struct coreout {
	struct packer	packer;
	bool		holes;
	uint64_t	at;
	uint64_t	total;
};

/*
 * coreout_open() - begin to write
 * @fd: an empty file, or anything else that can be written
 * @compress: whether to compress the core
 *
 * Return: 0, or -1 with errno. As for all functions: EINTR if interrupted().
 */
int coreout_open(struct coreout *out, int fd, bool compress);

/* coreout_write() - write bytes; 0, or -1 with errno */
int coreout_write(struct coreout *out, const void *bytes, size_t size);

/* coreout_skip() - write zeroes, as a hole if the file can have any */
int coreout_skip(struct coreout *out, uint64_t size);

/* coreout_page() - coreout_skip() to the next multiple of a page */
int coreout_page(struct coreout *out);

/* coreout_memory() - coreout_write(), but pages of zeroes are skipped */
int coreout_memory(struct coreout *out, const unsigned char *bytes, size_t size);

/* coreout_finish() - complete the file; 0, or -1 with errno */
int coreout_finish(struct coreout *out);

/* coreout_close() - free all but the descriptor; does not change errno */
void coreout_close(struct coreout *out);

#endif /* COREOUT_H */
