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
 * @uid:	the user whose pairs the viewer may see
 * @all:	the viewer may see the pairs of all users
 * @ns:		the viewer's pid namespace; a slave without a number there is not visible
 * @time_offset: added to a time of the machine for the viewer (timens.h)
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
