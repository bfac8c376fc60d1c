/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Freezing the memory of a slave: one of its threads forks, and the child goes before its
 * first instruction. What remains is an mm_struct without tasks, in which the kernel's own
 * copy-on-write keeps all private memory as it was.
 *
 *	thread	at the gate, all others held or asleep (hold.h): clone(2) with
 *		CLONE_VFORK, as an errand
 *	thread	in the probe on sched_process_fork: takes the child's mm_struct, and
 *		queues the child's work
 *	child	in its work: gives back what is not private memory, has the rest watched
 *		(watch.h), and gets SIGKILL
 *	thread	continues when the child has released its memory, reaps it by wait4(2),
 *		and waits at the gate again
 *
 * The child shares the descriptors (CLONE_FILES), so it opens and closes none, and sends no
 * signal when it exits. Only wait4(2) with __WALL or __WCLONE finds it, and nobody else is
 * in such a call: threads that sleep in one have been brought to the gate.
 *
 * The thread cannot be called back. The gate is bolted until it is done, so no thread of
 * the slave runs in the middle, whatever happens to the master, to the limit or to the
 * pair. If the thread is killed, so is its process: the child still goes by its own work,
 * and the reaper of orphans reaps it.
 *
 * References
 * ----------
 *	the master	from cp_freeze_create() to the end of its system call
 *	the thread	from cp_freeze_call() until it is done, or exits
 *	the child's work, while it is queued; holds the module too
 * The mm_struct is dropped with the last of them, unless the master has taken it.
 */
#ifndef _CP_FREEZE_H
#define _CP_FREEZE_H

#include <linux/types.h>

struct cp_call;
struct cp_freeze;
struct mm_struct;
struct cp_watch;
struct task_struct;

struct cp_freeze *cp_freeze_create(struct cp_watch *watch);
void cp_freeze_ref(struct cp_freeze *freeze);
void cp_freeze_unref(struct cp_freeze *freeze);
int cp_freeze_wait(struct cp_freeze *freeze, u64 deadline);
struct mm_struct *cp_freeze_take(struct cp_freeze *freeze, u64 *time);

struct cp_call *cp_freeze_call(struct cp_freeze *freeze);

bool cp_freeze_forks(struct task_struct *child);

#endif /* _CP_FREEZE_H */
