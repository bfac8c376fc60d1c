/* SPDX-License-Identifier: GPL-2.0-only */
/* The checkpoints of the threads of a process: of one instant, or the last ones. */
#ifndef INSTANT_H
#define INSTANT_H

#include <stdbool.h>
#include <sys/types.h>

#include "snapshot.h"

/*
 * struct thread - a thread at an instant
 * @snapshot: its checkpoint
 * @number: the number of its checkpoint in a recording, or 0
 * @before: in a recording, cp_checkpoint.time of the thread's checkpoint before, or 0
 * @name: its command name; empty if it is not known
 */
struct thread {
	struct snapshot	snapshot;
	uint64_t	number;
	uint64_t	before;
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

/*
 * instant_culprit() - the thread that received the signal that killed the process
 *
 * Return: NULL if none did, or several: all threads receive SIGKILL.
 */
const struct thread *instant_culprit(const struct instant *instant);

/*
 * instant_time() - the time of the death, on the clock of cp_checkpoint.time
 *
 * If no single thread caused a death, the time of the newest checkpoint stands for it.
 */
uint64_t instant_time(const struct instant *instant);

/*
 * instant_return() - when a thread of a recording last returned to user mode
 * @time: the result of instant_time()
 *
 * The states of threads that died because another one did are mostly captured after that
 * one's death. Then the checkpoint before is that of the return.
 *
 * Return: cp_checkpoint.time, at most @time; 0 if it is not known.
 */
uint64_t instant_return(const struct thread *thread, uint64_t time);

/* instant_sort() - sort the threads by their ids, but thread @first before all others */
void instant_sort(struct instant *instant, pid_t first);

/* instant_name() - read the names of those threads that still exist */
void instant_name(struct instant *instant);

/* instant_bytes() - the memory that the threads take */
uint64_t instant_bytes(const struct instant *instant);

/* instant_free() - free all threads, and zero the struct */
void instant_free(struct instant *instant);

#endif /* INSTANT_H */
