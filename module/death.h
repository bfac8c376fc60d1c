/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The signal that is about to kill the current task.
 *
 * A task's memory is gone when its exit gets to run queued work. The last
 * moment at which it can be saved is before signals are acted on, when it is
 * not certain yet that one will kill: a debugger may discard it, a stopped task
 * may be continued. Nor is it certain that none will: a handler's frame may not
 * fit on the stack; a task that stops may be killed there. So it is saved
 * whenever signals are to be acted on, as a guess, which is kept if the task
 * dies without having entered user mode again.
 */
#ifndef _CP_DEATH_H
#define _CP_DEATH_H

#include <linux/types.h>

struct pid_namespace;

/**
 * struct cp_death - what is known of the signal
 * @signal:	its number
 * @code:	si_code, as in sigaction(2)
 * @addr:	si_addr, for a fault of the task's own; else 0
 * @elsewhere:	it hit another thread of the process
 * @thread:	with @elsewhere: that thread's id as the master sees it; else, and
 *		when it is not known, 0
 */
struct cp_death {
	s32 signal;
	s32 code;
	u64 addr;
	bool elsewhere;
	s32 thread;
};

bool cp_death_foreseen(struct cp_death *death, struct pid_namespace *ns);
bool cp_death_was_elsewhere(int signal);

#endif /* _CP_DEATH_H */
