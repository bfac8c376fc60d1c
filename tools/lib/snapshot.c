// SPDX-License-Identifier: LGPL-2.1-only
/* Snapshots: taking them, and reading their memory and their description. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "pair.h"

/* How many times cp_pair_snapshot() repeats a call that asks for it, and when. */
#define TRIES		16
#define AGAIN_NS	1000000

/* struct cp_snap - @fd, and a copy of its description, of @size bytes */
struct cp_snap {
	int	fd;
	char	*text;
	size_t	size;
};

static const struct cp_snapshot_head *head_of(const struct cp_snap *snap)
{
	return (const void *)snap->text;
}

/* Is there an array of @nr structs, the first @size bytes of which are known, at @offset? */
static bool has_array(const struct cp_snap *snap, uint64_t offset, uint32_t nr,
		      uint32_t step, size_t size)
{
	return step >= size && offset <= snap->size &&
	       (uint64_t)nr * step <= snap->size - offset;
}

/* A later version of the interface might have another description. */
static bool is_known(const struct cp_snap *snap)
{
	const struct cp_snapshot_head *head = head_of(snap);

	return head->magic == CP_SNAPSHOT_MAGIC && head->version == CP_VERSION &&
	       has_array(snap, head->threads_offset, head->nr_threads,
			 head->thread_size, sizeof(struct cp_snapshot_thread)) &&
	       has_array(snap, head->mappings_offset, head->nr_mappings,
			 head->mapping_size, sizeof(struct cp_snapshot_mapping));
}

/* pread() of all @size bytes; a snapshot is read in full, or an error is at its end. */
static bool read_all(int fd, void *to, size_t size, off_t at)
{
	size_t done = 0;

	while (done < size) {
		ssize_t got = pread(fd, (char *)to + done, size - done,
				    at + (off_t)done);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) {
			errno = got ? errno : EINVAL;
			return false;
		}
		done += (size_t)got;
	}
	return true;
}

static int read_description(struct cp_snap *snap)
{
	struct cp_snapshot_head head;

	if (!read_all(snap->fd, &head, sizeof(head), CP_SNAPSHOT_HEAD))
		return -1;
	if (head.magic != CP_SNAPSHOT_MAGIC || head.size < sizeof(head)) {
		errno = EINVAL;
		return -1;
	}
	/* One byte more, so that the last name ends with a zero, too. */
	snap->text = calloc(1, head.size + 1);
	if (!snap->text)
		return -1;
	snap->size = head.size;
	if (!read_all(snap->fd, snap->text, snap->size, CP_SNAPSHOT_HEAD))
		return -1;
	if (is_known(snap))
		return 0;
	errno = EPROTONOSUPPORT;
	return -1;
}

struct cp_snap *cp_snap_open(int fd)
{
	struct cp_snap *snap = calloc(1, sizeof(*snap));

	if (!snap)
		return NULL;
	snap->fd = fd;
	if (!read_description(snap))
		return snap;
	free(snap->text);
	free(snap);
	return NULL;
}

void cp_snap_close(struct cp_snap *snap)
{
	int saved = errno;

	if (!snap)
		return;
	close(snap->fd);
	free(snap->text);
	free(snap);
	errno = saved;
}

/* Returns a descriptor, or -1 with errno. */
static int take(const struct cp_pair *pair, struct cp_snapshot *arg)
{
	const struct timespec again = { .tv_nsec = AGAIN_NS };
	unsigned int i;
	int fd;

	for (i = 0; i < TRIES; i++) {
		fd = ioctl(pair->fd, CP_IOC_SNAPSHOT, arg);
		if (fd >= 0 || errno != EAGAIN)
			return fd;
		nanosleep(&again, NULL);
	}
	errno = EAGAIN;
	return -1;
}

struct cp_snap *cp_pair_snapshot_with(const struct cp_pair *pair, uint32_t flags,
				      int64_t timeout_ns, uint64_t limit_ns,
				      pid_t *late)
{
	struct cp_snapshot arg = {
		.deadline = cp_pair_deadline(timeout_ns),
		.limit = limit_ns,
		.flags = flags,
	};
	struct cp_snap *snap;
	int fd = take(pair, &arg);

	if (late)
		*late = arg.late;
	if (fd < 0)
		return NULL;
	snap = cp_snap_open(fd);
	if (!snap) {
		int saved = errno;

		close(fd);
		errno = saved;
	}
	return snap;
}

struct cp_snap *cp_pair_snapshot(const struct cp_pair *pair, int64_t timeout_ns,
				 uint64_t limit_ns, pid_t *late)
{
	return cp_pair_snapshot_with(pair, 0, timeout_ns, limit_ns, late);
}

int cp_snap_fd(const struct cp_snap *snap)
{
	return snap->fd;
}

const struct cp_snapshot_head *cp_snap_head(const struct cp_snap *snap)
{
	return head_of(snap);
}

ssize_t cp_snap_read(const struct cp_snap *snap, uint64_t addr, void *buf,
		     size_t size)
{
	/* The description and the offsets after it are not memory. */
	if (addr >= CP_SNAPSHOT_HEAD) {
		errno = EIO;
		return -1;
	}
	return pread(snap->fd, buf, size, (off_t)addr);
}

const struct cp_snapshot_thread *cp_snap_thread(const struct cp_snap *snap,
						unsigned int i)
{
	const struct cp_snapshot_head *head = head_of(snap);

	if (i >= head->nr_threads)
		return NULL;
	return (const void *)(snap->text + head->threads_offset +
			      (size_t)i * head->thread_size);
}

const void *cp_snap_xstate(const struct cp_snap *snap, unsigned int i,
			   size_t *size)
{
	const struct cp_snapshot_thread *thread = cp_snap_thread(snap, i);

	if (!thread || !thread->xstate_size ||
	    thread->xstate_offset > snap->size ||
	    thread->xstate_size > snap->size - thread->xstate_offset)
		return NULL;
	if (size)
		*size = thread->xstate_size;
	return snap->text + thread->xstate_offset;
}

const struct cp_snapshot_mapping *cp_snap_mapping(const struct cp_snap *snap,
						  unsigned int i)
{
	const struct cp_snapshot_head *head = head_of(snap);

	if (i >= head->nr_mappings)
		return NULL;
	return (const void *)(snap->text + head->mappings_offset +
			      (size_t)i * head->mapping_size);
}

const char *cp_snap_name(const struct cp_snap *snap, unsigned int i)
{
	const struct cp_snapshot_mapping *mapping = cp_snap_mapping(snap, i);

	if (!mapping || !mapping->name_size || mapping->name_offset > snap->size ||
	    mapping->name_size > snap->size - mapping->name_offset)
		return NULL;
	return snap->text + mapping->name_offset;
}

static int list_changes(int fd, const struct cp_snap *earlier, uint64_t start,
			struct cp_change *changes, unsigned int nr, uint64_t *next)
{
	struct cp_changes arg = {
		.start = start,
		.changes = (uintptr_t)changes,
		.room = nr > INT_MAX ? INT_MAX : nr,
		.snapshot = earlier->fd,
	};

	if (ioctl(fd, CP_IOC_CHANGES, &arg))
		return -1;
	*next = arg.next;
	return (int)arg.nr;
}

int cp_pair_changes(const struct cp_pair *pair, const struct cp_snap *snap,
		    uint64_t start, struct cp_change *changes, unsigned int nr,
		    uint64_t *next)
{
	return list_changes(pair->fd, snap, start, changes, nr, next);
}

int cp_snap_changes(const struct cp_snap *snap, const struct cp_snap *earlier,
		    uint64_t start, struct cp_change *changes, unsigned int nr,
		    uint64_t *next)
{
	return list_changes(snap->fd, earlier, start, changes, nr, next);
}
