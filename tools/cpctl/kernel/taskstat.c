// SPDX-License-Identifier: GPL-2.0-only
/* /proc/PID/stat, as the kernel writes it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "slurp.h"
#include "taskstat.h"

/*
 * The name is in parentheses and without escapes: it may contain blanks, newlines and
 * parentheses. The name ends at the last parenthesis, because the fields after the
 * name contain none.
 */
static bool read_file(struct taskstat *stat, pid_t pid, const char *name)
{
	size_t size;
	char *text = slurp_task(pid, name, &size);
	char *begin, *end;

	if (!text)
		return false;
	begin = strchr(text, '(');
	end = strrchr(text, ')');
	if (!begin || !end || end < begin) {
		free(text);
		errno = ESRCH;
		return false;
	}
	*end = '\0';
	memmove(text, begin + 1, (size_t)(end - begin));
	stat->name = text;
	stat->fields = end + 1;
	return true;
}

bool taskstat_read(struct taskstat *stat, pid_t pid)
{
	return read_file(stat, pid, "stat");
}

bool taskstat_read_thread(struct taskstat *stat, pid_t pid)
{
	char name[32];

	snprintf(name, sizeof(name), "task/%d/stat", pid);
	return read_file(stat, pid, name);
}
