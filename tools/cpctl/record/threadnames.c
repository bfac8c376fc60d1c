// SPDX-License-Identifier: GPL-2.0-only
/* The names of a process's threads, even of some that have ended. */
#include <checkpoint.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "recording.h"
#include "threadnames.h"

/*
 * struct threadname - the name of a thread
 * @id: the thread
 * @seen: the value of @looks when the thread was last seen
 * @name: its name
 */
struct threadname {
	pid_t		id;
	unsigned long	seen;
	char		name[REC_NAME_SIZE];
};

/* Reads a file with a name and a newline; returns false if the thread has ended. */
static bool read_comm(int task, const char *id, char name[REC_NAME_SIZE])
{
	char path[32];
	ssize_t size;
	int fd;

	if (snprintf(path, sizeof(path), "%s/comm", id) >= (int)sizeof(path))
		return false;
	fd = openat(task, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	size = read(fd, name, REC_NAME_SIZE - 1);
	close(fd);
	if (size <= 0)
		return false;
	/* The newline at the end is not one of the name. */
	name[size - 1] = '\0';
	return true;
}

static void look_at(struct threadnames *names, int task, const char *id)
{
	pid_t thread = atoi(id);
	struct threadname *entry;
	char name[REC_NAME_SIZE];

	if (thread <= 0 || !read_comm(task, id, name))
		return;
	entry = tidtable_find(&names->table, thread);
	if (!entry)
		entry = tidtable_add(&names->table, thread, sizeof(*entry));
	if (!entry)
		return;
	entry->seen = names->looks;
	memcpy(entry->name, name, sizeof(name));
}

/*
 * struct ended - the names of threads that have ended
 * @now: the number of the current look
 * @nr: their number
 * @all: the names
 */
struct ended {
	unsigned long		now;
	size_t			nr;
	struct threadname	**all;
};

static void collect(void *entry, void *arg)
{
	struct threadname *name = entry;
	struct ended *ended = arg;

	if (name->seen != ended->now)
		ended->all[ended->nr++] = name;
}

static int latest_first(const void *a, const void *b)
{
	const struct threadname *left = *(struct threadname *const *)a;
	const struct threadname *right = *(struct threadname *const *)b;

	return (left->seen < right->seen) - (left->seen > right->seen);
}

/*
 * The pair keeps the checkpoints of the last CP_ENDED_KEPT threads that have ended. A
 * thread that was seen later than another one has ended later.
 */
static void forget_old(struct threadnames *names)
{
	struct ended ended = { .now = names->looks };
	unsigned long oldest;
	size_t i;

	if (names->table.nr <= CP_ENDED_KEPT)
		return;
	ended.all = calloc(names->table.nr, sizeof(*ended.all));
	if (!ended.all)
		return;
	tidtable_walk(&names->table, collect, &ended);
	if (ended.nr > CP_ENDED_KEPT) {
		qsort(ended.all, ended.nr, sizeof(*ended.all), latest_first);
		oldest = ended.all[CP_ENDED_KEPT - 1]->seen;
		for (i = CP_ENDED_KEPT; i < ended.nr; i++) {
			if (ended.all[i]->seen < oldest)
				tidtable_remove(&names->table, ended.all[i]);
		}
	}
	free(ended.all);
}

void threadnames_look(struct threadnames *names, pid_t process)
{
	struct dirent *entry;
	char path[32];
	DIR *task;

	snprintf(path, sizeof(path), "/proc/%d/task", process);
	task = opendir(path);
	if (!task)
		return;
	names->looks++;
	while ((entry = readdir(task)))
		look_at(names, dirfd(task), entry->d_name);
	closedir(task);
	forget_old(names);
}

const char *threadnames_find(const struct threadnames *names, pid_t id)
{
	const struct threadname *entry = tidtable_find(&names->table, id);

	return entry ? entry->name : NULL;
}

void threadnames_free(struct threadnames *names)
{
	tidtable_clear(&names->table, free);
}
