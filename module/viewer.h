/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Permission to see pairs.
 */
#ifndef _CP_VIEWER_H
#define _CP_VIEWER_H

#include <linux/pid.h>
#include <linux/types.h>
#include <linux/uidgid.h>

#include "pair.h"

/**
 * struct cp_viewer - a process that asks about pairs, or listens to them
 * @uid:	it sees the pairs of this user,
 * @all:	or all pairs
 * @ns:		the pid namespace in whose numbers it sees them
 * @time_offset: as in struct cp_master, for its clock
 */
struct cp_viewer {
	kuid_t uid;
	bool all;
	struct pid_namespace *ns;
	s64 time_offset;
};

/**
 * cp_viewer_sees - may a viewer see a pair?
 * @viewer: the viewer
 * @pair: the pair
 *
 * Return: true when it may; the answer never changes.
 */
static inline bool cp_viewer_sees(const struct cp_viewer *viewer,
				  const struct cp_pair *pair)
{
	return (viewer->all || uid_eq(viewer->uid, pair->master.uid)) &&
	       pid_nr_ns(pair->slave.pid, viewer->ns);
}

#endif /* _CP_VIEWER_H */
