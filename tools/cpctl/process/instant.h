/* SPDX-License-Identifier: GPL-2.0-only */
/* The checkpoints of the threads of a process, all of one instant. */
#ifndef INSTANT_H
#define INSTANT_H

#include <stdbool.h>
#include <sys/types.h>

#include "snapshot.h"

/*
 * struct thread - a thread at an instant
 * @snapshot: its checkpoint
 * @name: its command name; empty if it is not known
 */
struct thread {
	struct snapshot	snapshot;
	char		name[64];
};

/*
 * struct thread_end - the end of a thread
 * @thread: its id
 * @known: whether @status is known
 * @status: the status of waitpid(2)
 * @name: its name; empty if it is not known
 */
struct thread_end {
	pid_t	thread;
	bool	known;
	int	status;
	char	name[64];
};

/*
 * struct instant - the threads of a process at an instant; all zero at first
 * @nr: the number of threads
 * @threads: the threads; see instant_sort()
 */
struct instant {
	unsigned int	nr;
	struct thread	*threads;
};

/*
 * instant_take() - add the last checkpoint of @pair
 *
 * The checkpoint replaces an earlier one of the same thread. Return: 0, or -1 with
 * errno ENOMEM.
 */
int instant_take(struct instant *instant, const struct cp_pair *pair);

/*
 * instant_add() - add a thread that is not in @instant
 * @thread: the thread, which @instant then owns; freed on failure
 *
 * Return: 0, or -1 with errno ENOMEM.
 */
int instant_add(struct instant *instant, struct thread *thread);

/* instant_has() - is there a checkpoint of the thread @id? */
bool instant_has(const struct instant *instant, pid_t id);

/* instant_sort() - sort the threads by their ids, but thread @first before all others */
void instant_sort(struct instant *instant, pid_t first);

/* instant_name() - read the names of those threads that still exist */
void instant_name(struct instant *instant);

/* instant_bytes() - the memory that the threads take */
uint64_t instant_bytes(const struct instant *instant);

/* instant_free() - free all threads, and zero the struct */
void instant_free(struct instant *instant);

#endif /* INSTANT_H */
