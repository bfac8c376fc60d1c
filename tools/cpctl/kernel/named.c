// SPDX-License-Identifier: GPL-2.0-only
/* Processes by their names. */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "facts.h"
#include "named.h"
#include "number.h"
#include "taskstat.h"

/* What the kernel appends to the path of a file that has no name any more. */
#define DELETED " (deleted)"

/* Reads the path of the executable; returns false if there is none, or it is hidden. */
static bool read_executable(pid_t pid, char path[PATH_MAX])
{
	char link[32];
	ssize_t len;

	snprintf(link, sizeof(link), "/proc/%d/exe", pid);
	len = readlink(link, path, PATH_MAX - 1);
	if (len < 0)
		return false;
	path[len] = '\0';
	return true;
}

/* The main thread may have ended before the others. */
static bool find_executable(pid_t pid, char path[PATH_MAX])
{
	pid_t left;

	if (read_executable(pid, path))
		return true;
	left = errno == ENOENT ? task_thread_left(pid) : 0;
	return left && read_executable(left, path);
}

static bool is_file_name(char *path, const char *name)
{
	char *file = strrchr(path, '/');
	char *end;

	file = file ? file + 1 : path;
	if (!strcmp(file, name))
		return true;
	end = file + strlen(file) - strlen(DELETED);
	if (end <= file || strcmp(end, DELETED))
		return false;
	*end = '\0';
	return !strcmp(file, name);
}

static bool is_command_name(pid_t pid, const char *name)
{
	struct taskstat stat;
	bool same;

	if (!taskstat_read(&stat, pid))
		return false;
	same = !strcmp(stat.name, name);
	free(stat.name);
	return same;
}

static bool has_name(pid_t pid, const char *name)
{
	char path[PATH_MAX];

	return find_executable(pid, path) &&
	       (is_file_name(path, name) || is_command_name(pid, name));
}

static int is_process(const struct dirent *entry)
{
	pid_t pid;

	return parse_pid(entry->d_name, &pid);
}

static int by_number(const struct dirent **a, const struct dirent **b)
{
	return strverscmp((*a)->d_name, (*b)->d_name);
}

int named_find(struct pids *pids, const char *name)
{
	struct dirent **entries;
	int nr = scandir("/proc", &entries, is_process, by_number);
	int found = nr < 0 ? -1 : 0, i;

	for (i = 0; i < nr; i++) {
		pid_t pid = atoi(entries[i]->d_name);

		free(entries[i]);
		if (found < 0 || pid == getpid() || !has_name(pid, name))
			continue;
		found = pids_add(pids, pid) ? found + 1 : -1;
	}
	if (nr >= 0)
		free(entries);
	return found;
}
