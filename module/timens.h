/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Time namespaces. The module uses CLOCK_MONOTONIC of the machine. The CLOCK_MONOTONIC
 * of a time namespace differs from it by a constant offset. Each time is converted
 * where it is passed to or from a process, for the namespace of that process, because
 * the process compares it with its own clock.
 */
#ifndef _CP_TIMENS_H
#define _CP_TIMENS_H

#include <linux/checkpoint.h>
#include <linux/overflow.h>
#include <linux/sched.h>
#include <linux/time_namespace.h>

/**
 * cp_timens_offset - the offset of the caller's CLOCK_MONOTONIC
 *
 * Return: nanoseconds; negative when that clock shows less than the machine's.
 */
static inline s64 cp_timens_offset(void)
{
	struct timespec64 offset = {};

	/* An exiting task has no namespaces any more. */
	if (current->nsproxy)
		timens_add_monotonic(&offset);
	return timespec64_to_ns(&offset);
}

/**
 * cp_timens_time - convert a time of the machine for a process
 * @ns: the time
 * @offset: cp_timens_offset() of that process
 *
 * Return: the time; 0 if it was before the process's clock began.
 */
static inline u64 cp_timens_time(u64 ns, s64 offset)
{
	return offset < 0 && ns < (u64)-offset ? 0 : ns + offset;
}

/**
 * cp_timens_deadline - convert a deadline of the caller to a time of the machine
 * @ns: the deadline; 0 and CP_FOREVER are not converted
 *
 * Return: the deadline; 1, which has passed, for a deadline before the machine's clock
 * began.
 */
static inline u64 cp_timens_deadline(u64 ns)
{
	s64 offset = cp_timens_offset();

	if (!ns || ns == CP_FOREVER)
		return ns;
	if (offset >= 0)
		return ns > (u64)offset ? ns - offset : 1;
	return check_add_overflow(ns, (u64)-offset, &ns) ? CP_FOREVER : ns;
}

#endif /* _CP_TIMENS_H */
