// SPDX-License-Identifier: GPL-2.0-only
/* Reading a recording; recording.h describes its format. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "delta.h"
#include "message.h"
#include "recording.h"
#include "recreader.h"

/*
 * struct recreader - a recording that is being read
 * @path: the path of the file, for messages
 * @file: the file
 * @zstd: the decompressor
 * @buf: the buffer of @in
 * @left: the number of bytes of the recording that are not in @buf yet; more if the
 *	recording ends with the file
 * @is_part: whether the recording is a part of the file
 * @in: the bytes of the file that are not decompressed yet
 * @frame_ended: whether the current frame has been read to its end
 * @record: the current record
 * @version: the version of the file
 * @threads: the threads
 * @reported: whether a message about the file has been printed
 * @quiet: whether to print none
 */
struct recreader {
	const char	*path;
	FILE		*file;
	ZSTD_DCtx	*zstd;
	void		*buf;
	uint64_t	left;
	bool		is_part;
	ZSTD_inBuffer	in;
	bool		frame_ended;
	struct input	record;
	uint32_t	version;
	struct recthreads threads;
	bool		reported;
	bool		quiet;
};

/*
 * Is there a message to print? The first failure has one: after that, reading the rest of
 * a record may fail, too.
 */
static bool report(struct recreader *rec)
{
	bool first = !rec->reported;

	rec->reported = true;
	return first && !rec->quiet;
}

int recreader_bad(struct recreader *rec)
{
	if (report(rec))
		warnx("%s: damaged: a record is invalid", rec->path);
	return -1;
}

static void cannot_read(struct recreader *rec)
{
	if (report(rec))
		warn("cannot read %s", rec->path);
}

void recreader_quiet(struct recreader *rec)
{
	rec->quiet = true;
}

/* Prints why the rest of the file cannot be read. Returns -1. */
static int cut_off(struct recreader *rec, const char *what)
{
	if (report(rec))
		warnx("%s: cut off%s", rec->path, what);
	return -1;
}

static bool is_supported(uint32_t version)
{
	return (version >= REC_VERSION_OLDEST && version <= REC_VERSION) ||
	       version == REC_VERSION_PARTS;
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
	if (!is_supported(file.version)) {
		warnx("%s: made by another version of cpctl: format %u, this one reads %u to %u",
		      rec->path, file.version, REC_VERSION_OLDEST,
		      REC_VERSION_PARTS);
		return false;
	}
	rec->version = file.version;
	return true;
}

/* Goes to the part that is wanted. Returns false after printing the reason. */
static bool go_to_part(struct recreader *rec, const struct partchoice *choice)
{
	const struct recpart *part = NULL;
	struct recparts parts = {};
	bool found = false;

	if (recparts_read(&parts, rec->file)) {
		warn("cannot read %s", rec->path);
		goto out;
	}
	part = recparts_find(&parts, choice);
	if (!part && choice->process)
		warnx("%s: there is no process %d in it: 'cpctl bt' shows all",
		      rec->path, choice->process);
	else if (!part)
		warnx("%s: there are no processes in it", rec->path);
	else if (fseeko(rec->file, (off_t)part->offset, SEEK_SET))
		warn("cannot read %s", rec->path);
	else
		found = true;
	if (found)
		rec->left = part->head.size;

out:
	recparts_free(&parts);
	return found;
}

/* Reads the beginning of the file, and of the part that is wanted. */
static bool read_heads(struct recreader *rec, const struct partchoice *choice)
{
	if (!read_file_head(rec))
		return false;
	if (rec->version != REC_VERSION_PARTS)
		return true;
	if (!go_to_part(rec, choice) || !read_file_head(rec))
		return false;
	if (rec->version == REC_VERSION_PARTS ||
	    rec->left < sizeof(struct rec_file)) {
		recreader_bad(rec);
		return false;
	}
	rec->left -= sizeof(struct rec_file);
	rec->is_part = true;
	return true;
}

struct recreader *recreader_open(const char *path,
				 const struct partchoice *choice)
{
	struct recreader *rec = calloc(1, sizeof(*rec));

	if (rec) {
		rec->path = path;
		rec->frame_ended = true;
		rec->left = UINT64_MAX;
		rec->zstd = ZSTD_createDCtx();
		rec->buf = malloc(ZSTD_DStreamInSize());
	}
	if (!rec || !rec->zstd || !rec->buf) {
		warnx("cannot read %s: out of memory", path);
		goto err_close;
	}
	/* Limit the memory to that needed for the settings of recwriter.c. */
	ZSTD_DCtx_setParameter(rec->zstd, ZSTD_d_windowLogMax, 23);
	rec->file = fopen(path, "re");
	if (!rec->file) {
		warn("cannot read %s", path);
		goto err_close;
	}
	if (read_heads(rec, choice))
		return rec;

err_close:
	recreader_close(rec);
	return NULL;
}

bool recreader_is_part(const struct recreader *rec)
{
	return rec->is_part;
}

/* Reads more of the file; returns false at its end, or after printing the reason. */
static bool fill(struct recreader *rec)
{
	size_t most = ZSTD_DStreamInSize();
	size_t size = fread(rec->buf, 1, rec->left < most ? rec->left : most,
			    rec->file);

	rec->left -= size;
	rec->in = (ZSTD_inBuffer){ rec->buf, size, 0 };
	if (ferror(rec->file))
		cannot_read(rec);
	return size;
}

/* Returns 0; 1 at the end of the file; -1 after printing the reason. */
static int get(struct recreader *rec, void *to, size_t size)
{
	ZSTD_outBuffer out = { to, size, 0 };

	while (out.pos < out.size) {
		size_t had = out.pos, ret;

		if (rec->in.pos == rec->in.size && rec->frame_ended &&
		    !fill(rec)) {
			if (!out.pos && !rec->reported)
				return 1;
			break;
		}
		ret = ZSTD_decompressStream(rec->zstd, &out, &rec->in);
		if (ZSTD_isError(ret)) {
			if (report(rec))
				warnx("%s: damaged: %s", rec->path,
				      ZSTD_getErrorName(ret));
			return -1;
		}
		rec->frame_ended = !ret;
		if (out.pos == had && rec->in.pos == rec->in.size &&
		    !rec->frame_ended && !fill(rec))
			break;
	}
	return out.pos == out.size ? 0 : cut_off(rec, "");
}

/* The input_fn of records. */
static int get_of_record(void *arg, void *to, size_t size)
{
	struct recreader *rec = arg;
	int ret = get(rec, to, size);

	return ret > 0 ? cut_off(rec, "") : ret;
}

int recreader_end(struct recreader *rec)
{
	char byte = 0;
	int ret = get(rec, &byte, sizeof(byte));

	if (!ret && report(rec))
		warnx("%s: damaged: data follows its end", rec->path);
	return ret > 0 ? 0 : -1;
}

int recreader_next(struct recreader *rec, struct input **record)
{
	struct rec_head head = {};
	int ret;

	if (input_skip(&rec->record, rec->record.left))
		return -1;
	ret = get(rec, &head, sizeof(head));
	if (ret > 0)
		return cut_off(rec, ": the end of the recording is missing");
	if (ret)
		return -1;
	if (head.size > REC_SIZE_MAX || !head.type)
		return recreader_bad(rec);
	rec->record = (struct input){ get_of_record, rec, head.size };
	*record = &rec->record;
	return head.type > INT32_MAX ? INT32_MAX : (int)head.type;
}

/* Reads a segment; @part: the same segment of the checkpoint before. */
static int read_part(struct input *record, struct snapshot *now,
		     struct segment *part, uint64_t *most)
{
	int ret = delta_read(record, part, *most);

	if (ret) {
		segment_free(part);
		return ret;
	}
	*most -= part->info.size;
	return snapshot_add(now, part);
}

static int read_parts(struct input *record, struct snapshot *now,
		      struct snapshot *before, uint32_t nr, uint64_t most)
{
	uint32_t i;

	for (i = 0; i < nr; i++) {
		struct segment part = snapshot_remove(before, i);

		if (read_part(record, now, &part, &most))
			return -1;
	}
	return 0;
}

/* Finds the thread of a checkpoint; all are of one thread in an old recording. */
static struct recthread *thread_of(struct recreader *rec,
				   const struct cp_checkpoint *cp)
{
	return recthreads_get(&rec->threads,
			      rec->version < REC_VERSION_THREADS ? 0 : cp->thread);
}

static int read_last(struct recreader *rec, struct input *record,
		     struct recthread *thread, const struct cp_checkpoint *cp,
		     uint32_t nr)
{
	uint64_t most = recthreads_room(&rec->threads, thread);
	struct snapshot now = { .head = *cp };
	struct snapshot before = recthreads_take(&rec->threads, thread);
	int ret = read_parts(record, &now, &before, nr, most);

	thread->before = before.head.seq;
	snapshot_free(&before);
	recthreads_put(&rec->threads, thread, &now);
	return ret;
}

static struct recthread *read_checkpoint(struct recreader *rec,
					 struct input *record,
					 struct snapshot *before)
{
	struct recthread *thread;
	struct rec_checkpoint head;
	struct cp_checkpoint cp;

	if (input_get(record, &head, sizeof(head)) ||
	    head.nr_segments > REC_SEGMENTS_MAX ||
	    input_struct(record, &cp, sizeof(cp), head.head_size))
		return NULL;
	thread = thread_of(rec, &cp);
	if (!thread || (before && snapshot_copy(before, &thread->last)) ||
	    read_last(rec, record, thread, &cp, head.nr_segments))
		return NULL;
	return thread;
}

/* Prints why a record cannot be read, from errno. Returns -1. */
static int bad_record(struct recreader *rec)
{
	if (errno != ENOMEM)
		return recreader_bad(rec);
	cannot_read(rec);
	return -1;
}

const struct recthread *recreader_checkpoint(struct recreader *rec,
					     struct input *record,
					     struct snapshot *before)
{
	const struct recthread *thread;

	errno = EINVAL;
	thread = read_checkpoint(rec, record, before);
	if (!thread)
		bad_record(rec);
	return thread;
}

int recreader_name(struct recreader *rec, struct input *record)
{
	struct recthread *thread;
	struct rec_thread name;

	errno = EINVAL;
	if (input_get(record, &name, sizeof(name)))
		return recreader_bad(rec);
	thread = recthreads_get(&rec->threads, name.thread);
	if (!thread)
		return bad_record(rec);
	memcpy(thread->name, name.name, sizeof(thread->name));
	thread->name[sizeof(thread->name) - 1] = '\0';
	return 0;
}

int recreader_thread_end(struct recreader *rec, struct input *record,
			 struct rec_thread_end *end, char name[REC_NAME_SIZE])
{
	const struct recthread *thread;

	if (input_get(record, end, sizeof(*end)))
		return recreader_bad(rec);
	thread = recthreads_find(&rec->threads, end->thread);
	snprintf(name, REC_NAME_SIZE, "%s", thread ? thread->name : "");
	recthreads_end(&rec->threads, end->thread);
	return 0;
}

void recreader_forget(struct recreader *rec)
{
	if (rec->version >= REC_VERSION_THREADS)
		recthreads_forget(&rec->threads);
}

void recreader_close(struct recreader *rec)
{
	if (!rec)
		return;
	if (rec->file)
		fclose(rec->file);
	ZSTD_freeDCtx(rec->zstd);
	free(rec->buf);
	recthreads_forget(&rec->threads);
	free(rec);
}
