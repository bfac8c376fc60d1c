/* SPDX-License-Identifier: GPL-2.0-only */
/* The threads of a process, from /proc. */
#ifndef THREADS_H
#define THREADS_H

#include <stdint.h>

#include "pids.h"

/*
 * struct thread_facts - a thread as /proc/PID/task/TID/stat shows it
 * @id: its id
 * @name: its command name
 * @state: the letter of its state, as ps(1) shows it
 * @cpu_ticks: its CPU time, in ticks of sysconf(_SC_CLK_TCK)
 */
struct thread_facts {
	pid_t		id;
	char		name[64];
	char		state;
	uint64_t	cpu_ticks;
};

/* thread_facts() - read them; false if the thread does not exist or is hidden */
bool thread_facts(pid_t id, struct thread_facts *facts);

/* threads_of() - add the ids of all threads of a process; false if it is gone or hidden */
bool threads_of(pid_t process, struct pids *ids);

#endif /* THREADS_H */
