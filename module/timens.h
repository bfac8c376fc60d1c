/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Time namespaces. The module keeps CLOCK_MONOTONIC of the machine; a process in
 * a time namespace has a CLOCK_MONOTONIC of its own, a constant offset away. Each
 * time is converted where it is handed to a process or comes from one, for that
 * process, whoever it is about: the receiver compares it with its own clock.
 */
#ifndef _CP_TIMENS_H
#define _CP_TIMENS_H

#include <linux/checkpoint.h>
#include <linux/overflow.h>
#include <linux/sched.h>
#include <linux/time_namespace.h>

/**
 * cp_timens_offset - how far the caller's CLOCK_MONOTONIC is ahead
 *
 * Return: nanoseconds; negative when it is behind.
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
 * cp_timens_time - a time of the machine, for a process
 * @ns: the time
 * @offset: what cp_timens_offset() is for that process
 *
 * Return: its time; 0 for what was before its clock began.
 */
static inline u64 cp_timens_time(u64 ns, s64 offset)
{
	return offset < 0 && ns < (u64)-offset ? 0 : ns + offset;
}

/**
 * cp_timens_deadline - a deadline of the caller's, as a time of the machine
 * @ns: the deadline; 0 and CP_FOREVER mean none, and stay
 *
 * Return: the deadline. One that has passed before the machine's clock began
 * has passed, which 0 would not say.
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
