// SPDX-License-Identifier: GPL-2.0-only
/* The threads of a process, from /proc. */
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "number.h"
#include "taskstat.h"
#include "threads.h"

bool thread_facts(pid_t id, struct thread_facts *facts)
{
	uint64_t user = 0, system = 0;
	struct taskstat stat;
	bool ok;

	memset(facts, 0, sizeof(*facts));
	if (!taskstat_read_thread(&stat, id))
		return false;
	facts->id = id;
	snprintf(facts->name, sizeof(facts->name), "%s", stat.name);
	ok = sscanf(stat.fields,
		    " %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %" SCNu64
		    " %" SCNu64,
		    &facts->state, &user, &system) == 3;
	facts->cpu_ticks = user + system;
	free(stat.name);
	return ok;
}

bool threads_of(pid_t process, struct pids *ids)
{
	struct dirent *entry;
	bool ok = true;
	char path[32];
	DIR *folder;
	pid_t id;

	snprintf(path, sizeof(path), "/proc/%d/task", process);
	folder = opendir(path);
	if (!folder)
		return false;
	while (ok && (entry = readdir(folder))) {
		if (parse_pid(entry->d_name, &id))
			ok = pids_add(ids, id);
	}
	closedir(folder);
	return ok;
}
