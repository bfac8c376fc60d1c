/* SPDX-License-Identifier: GPL-2.0-only */
/* The pairs of those processes that the user has selected. */
#ifndef SELECTION_H
#define SELECTION_H

#include "netlink.h"
#include "targets.h"

/*
 * selection_pairs() - get the pairs whose slaves are @targets; all without targets
 * @complain: whether to print which of the ids are not those of slaves; if nothing was
 *	found, this function prints so in any case
 * @list: as for netlink_pairs(); on failure, the pairs that were found
 *
 * Return: an exit status.
 */
int selection_pairs(struct netlink *netlink, const struct targets *targets,
		    bool complain, struct pair_list *list);

#endif /* SELECTION_H */
