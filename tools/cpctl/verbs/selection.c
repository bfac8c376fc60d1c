// SPDX-License-Identifier: GPL-2.0-only
/* The pairs of those processes that the user has selected. */
#include <errno.h>

#include "diagnose.h"
#include "exit.h"
#include "facts.h"
#include "message.h"
#include "selection.h"

/* Is the slave, which may be a single thread, a process of --name? */
static bool is_named(const struct pids *named, pid_t slave)
{
	struct task_facts facts;

	return pids_has(named, slave) ||
	       (named->nr && task_facts(slave, &facts) &&
		pids_has(named, facts.process));
}

static void filter(struct pair_list *list, const struct pids *ids,
		   const struct pids *named)
{
	size_t i, nr = 0;

	for (i = 0; i < list->nr; i++) {
		pid_t slave = list->pairs[i].slave;

		if (pids_has(ids, slave) || is_named(named, slave))
			list->pairs[nr++] = list->pairs[i];
	}
	list->nr = nr;
}

static bool is_slave(const struct pair_list *list, pid_t pid)
{
	size_t i;

	for (i = 0; i < list->nr; i++) {
		if (list->pairs[i].slave == pid)
			return true;
	}
	return false;
}

/* Prints which ids are not those of slaves, or that nothing was found. Returns an exit status. */
static int report_missing(const struct targets *targets,
			  const struct pair_list *list)
{
	const struct pids *ids = &targets->pids;
	int status = EXIT_OK;
	size_t i;

	for (i = 0; i < ids->nr; i++) {
		if (is_slave(list, ids->ids[i]))
			continue;
		diagnose_pair(ids->ids[i], ENOENT, "");
		status = EXIT_REFUSED;
	}
	if (list->nr || ids->nr)
		return status;
	warnx("no slave that you may see has the name '%s'", targets->names[0]);
	return EXIT_REFUSED;
}

int selection_pairs(struct netlink *netlink, const struct targets *targets,
		    bool complain, struct pair_list *list)
{
	struct targets names = *targets;
	struct pids named = {};
	int status;

	/* The kernel looks up one slave at once. */
	if (targets->pids.nr == 1 && !targets->nr_names)
		return netlink_pairs(netlink, targets->pids.ids[0], list);
	status = netlink_pairs(netlink, 0, list);
	if (status != EXIT_OK || !targets_given(targets))
		return status;
	names.pids = (struct pids){};
	if (!targets_find(&names, false, &named)) {
		pair_list_free(list);
		return EXIT_REFUSED;
	}
	filter(list, &targets->pids, &named);
	pids_free(&named);
	return complain || !list->nr ? report_missing(targets, list) : EXIT_OK;
}
