// SPDX-License-Identifier: GPL-2.0-only
/* A list of process or thread ids, each of which is in it once. */
#include <stdlib.h>
#include <string.h>

#include "pids.h"

bool pids_has(const struct pids *pids, pid_t id)
{
	size_t i;

	for (i = 0; i < pids->nr; i++) {
		if (pids->ids[i] == id)
			return true;
	}
	return false;
}

bool pids_add(struct pids *pids, pid_t id)
{
	pid_t *more;

	if (pids_has(pids, id))
		return true;
	more = reallocarray(pids->ids, pids->nr + 1, sizeof(*more));
	if (!more)
		return false;
	more[pids->nr++] = id;
	pids->ids = more;
	return true;
}

void pids_free(struct pids *pids)
{
	free(pids->ids);
	memset(pids, 0, sizeof(*pids));
}
