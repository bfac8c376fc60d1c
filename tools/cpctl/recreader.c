// SPDX-License-Identifier: GPL-2.0-only
/* Reading a recording; its layout is in recording.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "message.h"
#include "recording.h"
#include "recreader.h"

/*
 * struct recreader - a recording that is read
 * @path: its name, for people
 * @file: the file
 * @zstd: the decompressor
 * @buf: what was read of the file
 * @in: how much of that is not used yet
 * @frame_ended: nothing is left of the frame at hand
 * @record: the record at hand
 * @room: bytes there
 * @before: the last checkpoint
 */
struct recreader {
	const char	*path;
	FILE		*file;
	ZSTD_DCtx	*zstd;
	void		*buf;
	ZSTD_inBuffer	in;
	bool		frame_ended;
	unsigned char	*record;
	size_t		room;
	struct snapshot	before;
};

int recreader_bad(const struct recreader *rec)
{
	warnx("%s: damaged: what it holds makes no sense", rec->path);
	return -1;
}

static bool read_file_head(struct recreader *rec)
{
	struct rec_file file;

	if (fread(&file, sizeof(file), 1, rec->file) != 1) {
		if (ferror(rec->file))
			warn("cannot read %s", rec->path);
		else
			warnx("%s: not a recording", rec->path);
		return false;
	}
	if (memcmp(file.magic, REC_MAGIC, sizeof(file.magic))) {
		warnx("%s: not a recording", rec->path);
		return false;
	}
	if (file.version != REC_VERSION) {
		warnx("%s: made by another version of cpctl: format %u, this one reads %u",
		      rec->path, file.version, REC_VERSION);
		return false;
	}
	return true;
}

struct recreader *recreader_open(const char *path)
{
	struct recreader *rec = calloc(1, sizeof(*rec));

	if (rec) {
		rec->path = path;
		rec->frame_ended = true;
		rec->zstd = ZSTD_createDCtx();
		rec->buf = malloc(ZSTD_DStreamInSize());
	}
	if (!rec || !rec->zstd || !rec->buf) {
		warnx("cannot read %s: out of memory", path);
		goto err_close;
	}
	/* No more memory than the writer's own settings take. */
	ZSTD_DCtx_setParameter(rec->zstd, ZSTD_d_windowLogMax, 23);
	rec->file = fopen(path, "re");
	if (!rec->file) {
		warn("cannot read %s", path);
		goto err_close;
	}
	if (read_file_head(rec))
		return rec;

err_close:
	recreader_close(rec);
	return NULL;
}

/* More of the file; false at its end, or after saying what is wrong. */
static bool fill(struct recreader *rec)
{
	size_t size = fread(rec->buf, 1, ZSTD_DStreamInSize(), rec->file);

	rec->in = (ZSTD_inBuffer){ rec->buf, size, 0 };
	if (ferror(rec->file))
		warn("cannot read %s", rec->path);
	return size;
}

/* Returns 0; 1 when there is nothing more; -1 after saying what is wrong. */
static int get(struct recreader *rec, void *to, size_t size)
{
	ZSTD_outBuffer out = { to, size, 0 };

	while (out.pos < out.size) {
		size_t had = out.pos, ret;

		if (rec->in.pos == rec->in.size && rec->frame_ended &&
		    !fill(rec)) {
			if (!out.pos && !ferror(rec->file))
				return 1;
			break;
		}
		ret = ZSTD_decompressStream(rec->zstd, &out, &rec->in);
		if (ZSTD_isError(ret)) {
			warnx("%s: damaged: %s", rec->path,
			      ZSTD_getErrorName(ret));
			return -1;
		}
		rec->frame_ended = !ret;
		if (out.pos == had && rec->in.pos == rec->in.size &&
		    !rec->frame_ended && !fill(rec))
			break;
	}
	if (out.pos == out.size)
		return 0;
	if (!ferror(rec->file))
		warnx("%s: cut off", rec->path);
	return -1;
}

/* Room grows with what has come, not with what was said to come. */
static int get_record(struct recreader *rec, size_t size)
{
	const size_t step = 1 << 20;
	size_t done = 0;

	/* There is room also for a record of nothing. */
	while (done < size || !rec->room) {
		size_t part = size - done < step ? size - done : step;
		int ret;

		if (done + part >= rec->room) {
			size_t room = 2 * (done + part) + 1;
			unsigned char *more = realloc(rec->record, room);

			if (!more) {
				warn("cannot read %s", rec->path);
				return -1;
			}
			rec->record = more;
			rec->room = room;
		}
		ret = get(rec, rec->record + done, part);
		if (ret > 0)
			warnx("%s: cut off", rec->path);
		if (ret)
			return -1;
		done += part;
	}
	return 0;
}

/* Frames tell at their end whether what they held was damaged. */
static int check_end(struct recreader *rec)
{
	char byte = 0;
	int ret = get(rec, &byte, sizeof(byte));

	if (!ret)
		warnx("%s: damaged: something follows its end", rec->path);
	return ret > 0 ? 0 : -1;
}

int recreader_next(struct recreader *rec, struct input *record)
{
	struct rec_head head = {};
	int ret = get(rec, &head, sizeof(head));

	if (ret > 0)
		warnx("%s: cut off: the end of the recording is missing",
		      rec->path);
	if (ret)
		return -1;
	if (head.size > REC_SIZE_MAX || !head.type)
		return recreader_bad(rec);
	if (get_record(rec, head.size) ||
	    (head.type == REC_END && check_end(rec)))
		return -1;
	*record = (struct input){ rec->record, head.size };
	return head.type > INT32_MAX ? INT32_MAX : (int)head.type;
}

static int read_checkpoint(struct recreader *rec, struct input *record,
			   struct snapshot *now)
{
	const struct rec_checkpoint *head = input_take(record, sizeof(*head));
	const void *checkpoint;
	unsigned int i;

	if (!head || head->nr_segments > REC_SEGMENTS_MAX)
		return -1;
	checkpoint = input_take(record, head->head_size);
	if (!checkpoint)
		return -1;
	copy_struct(&now->head, sizeof(now->head), checkpoint, head->head_size);
	for (i = 0; i < head->nr_segments; i++) {
		struct segment segment = {};

		if (delta_read(record, &segment, snapshot_part(&rec->before, i))) {
			free(segment.bytes);
			return -1;
		}
		if (snapshot_add(now, &segment))
			return -1;
	}
	return 0;
}

int recreader_checkpoint(struct recreader *rec, struct input *record,
			 struct snapshot *now)
{
	struct snapshot new = {};

	errno = EINVAL;
	if (read_checkpoint(rec, record, &new) ||
	    snapshot_copy(&rec->before, &new)) {
		snapshot_free(&new);
		if (errno != ENOMEM)
			return recreader_bad(rec);
		warn("cannot read %s", rec->path);
		return -1;
	}
	snapshot_free(now);
	*now = new;
	return 0;
}

void recreader_close(struct recreader *rec)
{
	if (!rec)
		return;
	if (rec->file)
		fclose(rec->file);
	ZSTD_freeDCtx(rec->zstd);
	free(rec->buf);
	free(rec->record);
	snapshot_free(&rec->before);
	free(rec);
}
