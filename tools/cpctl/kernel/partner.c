// SPDX-License-Identifier: GPL-2.0-only
/* The partner of a process, from the fdinfo of open files of the device. */
#include <checkpoint.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "facts.h"
#include "partner.h"

static bool is_device(const char *fd_path)
{
	char target[sizeof(CP_DEVICE) + 1];
	ssize_t len = readlink(fd_path, target, sizeof(target));

	return len == sizeof(CP_DEVICE) - 1 &&
	       !memcmp(target, CP_DEVICE, (size_t)len);
}

/* Reads /proc/PID/fdinfo/N, where @fd_path is /proc/PID/fd/N. */
static bool read_fdinfo(const char *fd_path, struct partner *partner)
{
	unsigned int reason = CP_END_DETACHED;
	char path[64], line[128];
	int pid, fd;
	FILE *file;

	if (sscanf(fd_path, "/proc/%d/fd/%d", &pid, &fd) != 2)
		return false;
	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", pid, fd);
	file = fopen(path, "re");
	if (!file)
		return false;
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "master:\t%d", &partner->master) == 1 ||
		    sscanf(line, "slave:\t%d", &partner->slave) == 1 ||
		    sscanf(line, "reason:\t%u", &reason) == 1)
			continue;
	}
	fclose(file);
	return reason == CP_END_NONE;
}

bool partner_find(pid_t process, struct partner *partner)
{
	struct task_facts slave;
	bool found = false;
	glob_t files;
	size_t i;

	if (glob("/proc/[0-9]*/fd/*", GLOB_NOSORT, NULL, &files))
		return false;
	for (i = 0; i < files.gl_pathc && !found; i++) {
		if (!is_device(files.gl_pathv[i]) ||
		    !read_fdinfo(files.gl_pathv[i], partner))
			continue;
		/* fdinfo has the thread id of the slave: find its process. */
		if (task_facts(partner->slave, &slave))
			partner->slave = slave.process;
		found = partner->master == process || partner->slave == process;
	}
	globfree(&files);
	return found;
}
