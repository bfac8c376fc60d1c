// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the module says of itself: figures.h.
 */
#include <dirent.h>

#include "../harness.h"
#include "figures.h"

#define FOLDER	"/sys/class/misc/checkpoint"

static long long number_in(const char *path)
{
	long long value = -1;
	FILE *f = fopen(path, "re");

	if (f && fscanf(f, "%lld", &value) != 1)
		value = -1;
	if (f)
		fclose(f);
	return value;
}

/* One of the module's own; -1 when it cannot be read. */
long long figure(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), FOLDER "/%s", name);
	return number_in(path);
}

/* Who holds the module: open files, mappings, hooks. */
int figures_users(void)
{
	return number_in("/sys/module/checkpoint/refcnt");
}

/* How many pairs have a folder. */
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
