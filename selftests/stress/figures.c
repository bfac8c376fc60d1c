// SPDX-License-Identifier: GPL-2.0-only
/*
 * The module's figures in sysfs: figures.h.
 */
#include <dirent.h>

#include "../harness.h"
#include "figures.h"

#define FOLDER	"/sys/class/misc/checkpoint"

/* Reads a figure of the module; -1 if that fails. */
long long figure(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), FOLDER "/%s", name);
	return read_number(path);
}

/* The module's reference count: open files, mappings, hooks. */
int figures_users(void)
{
	return module_users();
}

/* The number of pairs that have a folder. */
int figures_folders(void)
{
	struct dirent *entry;
	DIR *dir = opendir(FOLDER "/pairs");
	int count = 0;

	if (!dir)
		return -1;
	while ((entry = readdir(dir)))
		count += entry->d_name[0] != '.';
	closedir(dir);
	return count;
}

bool figures_nothing_left(void)
{
	return !figures_users() && !figures_folders() && !figure("pairs_live");
}
