// SPDX-License-Identifier: GPL-2.0-only
/* The processes that a verb is for: those of ids, and those of --name. */
#include <getopt.h>
#include <limits.h>

#include "cmdline.h"
#include "exit.h"
#include "message.h"
#include "named.h"
#include "number.h"
#include "targets.h"

bool targets_name(struct targets *targets)
{
	if (!*optarg || targets->nr_names == TARGETS_NAMES)
		return false;
	targets->names[targets->nr_names++] = optarg;
	return true;
}

int targets_parse(int argc, char **argv, struct targets *targets)
{
	pid_t pid;
	int i;

	for (i = optind; i < argc; i++) {
		if (!parse_pid(argv[i], &pid))
			return usage_error(argv[0], "invalid process id '%s': expected a number from 1 to %d; --name selects by name",
					   argv[i], INT_MAX);
		if (pids_add(&targets->pids, pid))
			continue;
		warn("cannot select processes");
		return EXIT_REFUSED;
	}
	return -1;
}

bool targets_given(const struct targets *targets)
{
	return targets->pids.nr || targets->nr_names;
}

static bool copy(struct pids *to, const struct pids *from)
{
	size_t i;

	for (i = 0; i < from->nr; i++) {
		if (!pids_add(to, from->ids[i]))
			return false;
	}
	return true;
}

/* Returns false after printing the reason. */
static bool find_named(const char *name, bool need, struct pids *found)
{
	int nr = named_find(found, name);

	if (nr < 0)
		warn("cannot select processes");
	else if (!nr && need)
		warnx("no process that you may look into has the name '%s'",
		      name);
	else
		return true;
	return false;
}

bool targets_find(const struct targets *targets, bool need, struct pids *found)
{
	unsigned int i = 0;

	if (!copy(found, &targets->pids)) {
		warn("cannot select processes");
		return false;
	}
	while (i < targets->nr_names &&
	       find_named(targets->names[i], need, found))
		i++;
	return i == targets->nr_names;
}

void targets_free(struct targets *targets)
{
	pids_free(&targets->pids);
}
