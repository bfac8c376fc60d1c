/* SPDX-License-Identifier: GPL-2.0-only */
/* The processes that a verb is for: those of ids, and those of --name. */
#ifndef TARGETS_H
#define TARGETS_H

#include "pids.h"

/* The maximum number of --name options. */
#define TARGETS_NAMES 16

/*
 * struct targets - the processes
 * @pids: the ids on the command line
 * @nr_names: the number of @names
 * @names: the names of processes, for named_find()
 */
struct targets {
	struct pids	pids;
	unsigned int	nr_names;
	const char	*names[TARGETS_NAMES];
};

/* The line of --help for --name. */
#define TARGETS_HELP							    \
	"      --name NAME        the processes with this name: of the command, or of\n" \
	"                         the file that they execute\n"

/* targets_name() - set --name to optarg; returns as cmdline_set_fn */
bool targets_name(struct targets *targets);

/*
 * targets_parse() - read the arguments, which must be ids
 *
 * Return: -1 if they are, else the exit status of cpctl.
 */
int targets_parse(int argc, char **argv, struct targets *targets);

/* targets_given() - are there any ids or names? */
bool targets_given(const struct targets *targets);

/*
 * targets_find() - the processes: the ids first, in their order
 * @need: whether there must be a process of each name
 * @found: receives the ids; empty before, to be freed by the caller
 *
 * Return: false after printing the reason.
 */
bool targets_find(const struct targets *targets, bool need, struct pids *found);

/* targets_free() - free the ids */
void targets_free(struct targets *targets);

#endif /* TARGETS_H */
