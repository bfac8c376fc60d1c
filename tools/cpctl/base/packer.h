/* SPDX-License-Identifier: GPL-2.0-only */
/* Writing to a file, compressed by zstd. */
#ifndef PACKER_H
#define PACKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <zstd.h>

/*
 * struct packer - a file that is being written
 * @fd: the file
 * @stop: as for writeall_unless()
 * @size: number of bytes written to the file
 * @zstd: the compressor; NULL if the file is not compressed
 * @buf: the output buffer of the compressor
 * @buf_size: the size of @buf
 */
struct packer {
	int		fd;
	bool		(*stop)(void);
	uint64_t	size;
	ZSTD_CCtx	*zstd;
	void		*buf;
	size_t		buf_size;
};

/*
 * packer_compress() - compress what packer_put() writes from now on
 *
 * Each frame has a checksum, so that a reader detects damage.
 *
 * Return: 0, or -1 with errno ENOMEM.
 */
int packer_compress(struct packer *packer);

/* packer_write() - write bytes as they are; 0, or -1 with errno */
int packer_write(struct packer *packer, const void *bytes, size_t size);

/*
 * packer_put() - compress bytes, and write the output of the compressor
 * @how: whether the compressor is flushed, or its frame is ended
 *
 * Return: 0, or -1 with errno.
 */
int packer_put(struct packer *packer, const void *bytes, size_t size,
	       ZSTD_EndDirective how);

/* packer_free() - free the compressor */
void packer_free(struct packer *packer);

#endif /* PACKER_H */
