// SPDX-License-Identifier: GPL-2.0-only
/* Writing to a file, compressed by zstd. */
#include <errno.h>
#include <stdlib.h>

#include "packer.h"
#include "writeall.h"

int packer_compress(struct packer *packer)
{
	packer->zstd = ZSTD_createCCtx();
	packer->buf_size = ZSTD_CStreamOutSize();
	packer->buf = malloc(packer->buf_size);
	if (packer->zstd && packer->buf) {
		ZSTD_CCtx_setParameter(packer->zstd, ZSTD_c_checksumFlag, 1);
		return 0;
	}
	packer_free(packer);
	errno = ENOMEM;
	return -1;
}

int packer_write(struct packer *packer, const void *bytes, size_t size)
{
	if (writeall_unless(packer->fd, bytes, size, packer->stop))
		return -1;
	packer->size += size;
	return 0;
}

int packer_put(struct packer *packer, const void *bytes, size_t size,
	       ZSTD_EndDirective how)
{
	ZSTD_inBuffer in = { bytes, size, 0 };
	size_t left;

	do {
		ZSTD_outBuffer out = { packer->buf, packer->buf_size, 0 };

		left = ZSTD_compressStream2(packer->zstd, &out, &in, how);
		if (ZSTD_isError(left)) {
			errno = ENOMEM;
			return -1;
		}
		if (packer_write(packer, out.dst, out.pos))
			return -1;
	} while (how == ZSTD_e_continue ? in.pos < in.size : left);
	return 0;
}

void packer_free(struct packer *packer)
{
	ZSTD_freeCCtx(packer->zstd);
	free(packer->buf);
	packer->zstd = NULL;
	packer->buf = NULL;
}
