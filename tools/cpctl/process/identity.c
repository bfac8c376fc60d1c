// SPDX-License-Identifier: GPL-2.0-only
/* The identity of a process: the data of a core besides registers and memory. */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "identity.h"
#include "slurp.h"
#include "taskstat.h"

static bool parse_status(struct identity *identity, const char *text)
{
	const char *process = strstr(text, "\nTgid:\t");
	const char *uid = strstr(text, "\nUid:\t");
	const char *gid = strstr(text, "\nGid:\t");

	return process && uid && gid &&
	       sscanf(process, "\nTgid:\t%d", &identity->process) == 1 &&
	       sscanf(uid, "\nUid:\t%u", &identity->uid) == 1 &&
	       sscanf(gid, "\nGid:\t%u", &identity->gid) == 1;
}

static bool read_stat(struct identity *identity)
{
	struct taskstat stat;
	bool ok;

	if (!taskstat_read(&stat, identity->task))
		return false;
	snprintf(identity->name, sizeof(identity->name), "%s", stat.name);
	ok = sscanf(stat.fields, " %c %d %d %d", &identity->state,
		    &identity->parent, &identity->group,
		    &identity->session) == 4;
	free(stat.name);
	return ok;
}

static bool read_ids(struct identity *identity)
{
	size_t size;
	char *status = slurp_task(identity->task, "status", &size);
	bool ok = status && read_stat(identity) &&
		  parse_status(identity, status);

	free(status);
	return ok;
}

bool identity_read(struct identity *identity, pid_t pid)
{
	size_t size, i;

	memset(identity, 0, sizeof(*identity));
	identity->task = pid;
	identity->command = slurp_task(pid, "cmdline", &size);
	identity->auxv = slurp_task(pid, "auxv", &identity->auxv_size);
	if (!identity->command || !identity->auxv || !read_ids(identity)) {
		identity_free(identity);
		errno = ESRCH;
		return false;
	}
	for (i = 0; i + 1 < size; i++) {
		if (!identity->command[i])
			identity->command[i] = ' ';
	}
	return true;
}

void identity_free(struct identity *identity)
{
	free(identity->command);
	free(identity->auxv);
	memset(identity, 0, sizeof(*identity));
}

bool identity_compat(const struct identity *identity)
{
	uint64_t first = 0;

	/*
	 * The type of an entry is a small number. Of a 32-bit vector, the first eight
	 * bytes are a type and a value.
	 */
	if (identity->auxv_size >= sizeof(first))
		memcpy(&first, identity->auxv, sizeof(first));
	return first > UINT32_MAX;
}

unsigned long identity_auxv(const struct identity *identity,
			    unsigned long type)
{
	size_t word = identity_compat(identity) ? 4 : 8, at;
	uint64_t kind = 0, value = 0;

	for (at = 0; at + 2 * word <= identity->auxv_size; at += 2 * word) {
		memcpy(&kind, identity->auxv + at, word);
		memcpy(&value, identity->auxv + at + word, word);
		if (kind == type)
			return value;
	}
	return 0;
}
