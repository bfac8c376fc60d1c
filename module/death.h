/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The signal that is about to kill the current task.
 *
 * A task's memory is gone when do_exit() runs queued work. The state can be saved only
 * before signals are acted on, when it is not certain that a signal will kill: a
 * debugger may discard the signal, and a stopped task may be continued. A signal with a
 * handler may kill, too, if the frame does not fit on the stack, and a task that stops
 * may be killed while it is stopped. So the state is saved whenever signals are to be
 * acted on, and kept if the task dies without having entered user mode again.
 */
#ifndef _CP_DEATH_H
#define _CP_DEATH_H

#include <linux/types.h>

struct pid_namespace;

/**
 * struct cp_death - the signal that is expected to kill
 * @signal:	its number
 * @code:	si_code, as in sigaction(2)
 * @addr:	si_addr, for a fault of the task's own; else 0
 * @elsewhere:	another thread of the process received it
 * @thread:	with @elsewhere: that thread's id in the master's pid namespace; 0
 *		if unknown
 * @stopping:	the task stops first
 */
struct cp_death {
	s32 signal;
	s32 code;
	u64 addr;
	bool elsewhere;
	bool stopping;
	s32 thread;
};

bool cp_death_foreseen(struct cp_death *death, struct pid_namespace *ns);
bool cp_death_was_elsewhere(int signal, bool stopped);

#endif /* _CP_DEATH_H */
