// SPDX-License-Identifier: GPL-2.0-only
/*
 * Control groups for the storm's slaves: cgroup.h.
 */
#include <sys/stat.h>

#include "../harness.h"
#include "cgroup.h"

#define ROOT	"/sys/fs/cgroup"

bool cgroup_write(const char *name, const char *file, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), ROOT "/%s", name);
	return group_write(path, file, text);
}

bool cgroup_make(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), ROOT "/%s", name);
	return !mkdir(path, 0755) || errno == EEXIST;
}

/* Retries while the group's processes are still exiting. */
void cgroup_remove(const char *name)
{
	char path[128];
	int ret;

	snprintf(path, sizeof(path), ROOT "/%s", name);
	ret = eventually(!rmdir(path) || errno != EBUSY);
	(void)ret;
}

bool cgroup_join(const char *name, pid_t pid)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", pid);
	return cgroup_write(name, "cgroup.procs", text);
}

bool cgroup_is_frozen(const char *name)
{
	char path[128], line[64];
	bool frozen = false;
	FILE *f;

	snprintf(path, sizeof(path), ROOT "/%s/cgroup.events", name);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		frozen |= !strcmp(line, "frozen 1\n");
	if (f)
		fclose(f);
	return frozen;
}
