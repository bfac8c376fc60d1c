// SPDX-License-Identifier: GPL-2.0-only
/* Writing a recording; recording.h describes its format. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "delta.h"
#include "mapping.h"
#include "packer.h"
#include "recthreads.h"
#include "recwriter.h"

/*
 * struct recwriter - a recording that is being written
 * @packer: the file
 * @held: number of input bytes that the compressor may not have output yet
 * @threads: the threads, as a reader knows them here
 */
struct recwriter {
	struct packer	packer;
	size_t		held;
	struct recthreads threads;
};

/* After this number of bytes the compressor is flushed: a cut costs no more than it. */
#define HELD_MAX 16384

struct recwriter *recwriter_open(int fd)
{
	struct rec_file file = { .version = REC_VERSION };
	struct recwriter *rec = calloc(1, sizeof(*rec));

	if (!rec)
		return NULL;
	rec->packer.fd = fd;
	if (packer_compress(&rec->packer))
		goto err_close;
	memcpy(file.magic, REC_MAGIC, sizeof(file.magic));
	if (packer_write(&rec->packer, &file, sizeof(file)))
		goto err_close;
	return rec;

err_close:
	recwriter_close(rec);
	return NULL;
}

int recwriter_put(struct recwriter *rec, unsigned int type, const void *head,
		  size_t head_size, const void *bytes, size_t size)
{
	const struct rec_head record = {
		.type = type,
		.size = head_size + size,
	};

	rec->held += sizeof(record) + record.size;
	if (packer_put(&rec->packer, &record, sizeof(record), ZSTD_e_continue) ||
	    packer_put(&rec->packer, head, head_size, ZSTD_e_continue) ||
	    packer_put(&rec->packer, bytes, size, ZSTD_e_continue))
		return -1;
	if (rec->held < HELD_MAX)
		return 0;
	rec->held = 0;
	return packer_put(&rec->packer, NULL, 0, ZSTD_e_flush);
}

int recwriter_text(struct recwriter *rec, unsigned int type, const void *head,
		   size_t head_size, const char *text, size_t size)
{
	return recwriter_put(rec, type, head, head_size, text,
			     size < REC_TEXT_MAX ? size : REC_TEXT_MAX);
}

/* Copies the lines with a name, or those without, as far as they fit. */
static size_t copy_lines(char *to, size_t used, const char *maps, bool named)
{
	struct mapping mapping;
	const char *line;

	for (line = maps; mapping_next(&maps, &mapping); line = maps) {
		size_t size = (size_t)(maps - line);

		if (!!mapping.path_len != named || size > REC_MAPS_MAX - used)
			continue;
		memcpy(to + used, line, size);
		used += size;
	}
	return used;
}

int recwriter_maps(struct recwriter *rec, const char *maps)
{
	size_t size = strlen(maps);
	char *some;
	int ret;

	if (size <= REC_MAPS_MAX)
		return recwriter_put(rec, REC_MAPS, NULL, 0, maps, size);
	some = malloc(REC_MAPS_MAX);
	if (!some)
		return -1;
	size = copy_lines(some, 0, maps, true);
	size = copy_lines(some, size, maps, false);
	ret = recwriter_put(rec, REC_MAPS, NULL, 0, some, size);
	free(some);
	return ret;
}

/* Cuts @segment to the limits of the format, and to at most @most bytes. */
static void cut(struct segment *segment, uint64_t most)
{
	struct cp_segment *info = &segment->info;

	if (info->size && info->addr >= REC_ADDR_MAX)
		most = 0;
	else if (info->size && most > REC_ADDR_MAX - info->addr)
		most = REC_ADDR_MAX - info->addr;
	if (info->size <= most)
		return;
	info->size = most;
	info->flags |= CP_SEGF_TRUNCATED;
}

/* Keeps the extended registers first: they are small, and useless in part. */
static void cut_all(struct snapshot *now)
{
	uint64_t most = REC_STACK_MAX;
	unsigned int i;

	cut(&now->xstate, most);
	most -= now->xstate.info.size;
	while (now->nr_segments + 1 > REC_SEGMENTS_MAX)
		segment_free(&now->segments[--now->nr_segments]);
	for (i = 0; i < now->nr_segments; i++) {
		cut(&now->segments[i], most);
		most -= now->segments[i].info.size;
	}
}

/*
 * Finds the thread of a checkpoint. If the limits of the format leave no room
 * for @size bytes of its last checkpoint, the reader is made to forget all threads.
 */
static struct recthread *thread_with_room(struct recwriter *rec, pid_t id,
					  uint64_t size)
{
	struct recthread *thread = recthreads_find(&rec->threads, id);
	bool fits = thread ? size <= recthreads_room(&rec->threads, thread) :
			     size <= REC_LAST_MAX - rec->threads.bytes &&
				     rec->threads.table.nr < REC_THREADS_MAX;

	if (!fits) {
		recthreads_forget(&rec->threads);
		if (recwriter_put(rec, REC_FORGET, NULL, 0, NULL, 0))
			return NULL;
	}
	return recthreads_get(&rec->threads, id);
}

/* Writes @now as its differences from @before. */
static int write_checkpoint(struct recwriter *rec, const struct snapshot *now,
			    const struct snapshot *before)
{
	struct rec_checkpoint head = { .head_size = sizeof(now->head) };
	const struct segment *part;
	char *bytes = NULL;
	size_t size = 0;
	FILE *out;
	int ret;

	out = open_memstream(&bytes, &size);
	if (!out)
		return -1;
	fwrite(&now->head, sizeof(now->head), 1, out);
	for (; (part = snapshot_part(now, head.nr_segments)); head.nr_segments++)
		delta_write(out, part, snapshot_part(before, head.nr_segments));
	ret = ferror(out);
	if (fclose(out) || ret)
		ret = -1;
	else
		ret = recwriter_put(rec, REC_CHECKPOINT, &head, sizeof(head),
				    bytes, size);
	free(bytes);
	return ret;
}

/* Writes the name of a thread, unless a reader knows it already. */
static int write_name(struct recwriter *rec, struct recthread *thread,
		      const char *name)
{
	struct rec_thread record = { .thread = thread->id };

	if (!strcmp(thread->name, name))
		return 0;
	snprintf(thread->name, sizeof(thread->name), "%s", name);
	memcpy(record.name, thread->name, sizeof(record.name));
	return recwriter_put(rec, REC_THREAD, &record, sizeof(record), NULL, 0);
}

int recwriter_checkpoint(struct recwriter *rec, struct snapshot *now,
			 const char *name)
{
	struct recthread *thread;
	struct snapshot before;
	int ret;

	cut_all(now);
	thread = thread_with_room(rec, now->head.thread, snapshot_size(now));
	if (!thread || (name && write_name(rec, thread, name))) {
		snapshot_free(now);
		return -1;
	}
	before = recthreads_take(&rec->threads, thread);
	ret = write_checkpoint(rec, now, &before);
	snapshot_free(&before);
	recthreads_put(&rec->threads, thread, now);
	return ret;
}

int recwriter_thread_end(struct recwriter *rec, const struct rec_thread_end *end)
{
	recthreads_end(&rec->threads, end->thread);
	return recwriter_put(rec, REC_THREAD_END, end, sizeof(*end), NULL, 0);
}

int recwriter_exec(struct recwriter *rec, const struct rec_exec *exec)
{
	recthreads_forget(&rec->threads);
	return recwriter_put(rec, REC_EXEC, exec, sizeof(*exec), NULL, 0);
}

int recwriter_flush(struct recwriter *rec)
{
	/* End the frame, which stays readable if later frames are lost. */
	return packer_put(&rec->packer, NULL, 0, ZSTD_e_end);
}

uint64_t recwriter_size(const struct recwriter *rec)
{
	return rec->packer.size;
}

void recwriter_close(struct recwriter *rec)
{
	int saved = errno;

	packer_free(&rec->packer);
	recthreads_forget(&rec->threads);
	free(rec);
	errno = saved;
}
