/* SPDX-License-Identifier: GPL-2.0-only */
/* Checkpoints between the thread that takes them and the one that processes them. */
#ifndef QUEUE_H
#define QUEUE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "instant.h"
#include "surroundings.h"

/* Beyond this number of bytes, queue_is_full() returns true. */
#define QUEUE_MEMORY_MAX (64 << 20)

/*
 * struct taken - a checkpoint in the queue, or those of all threads of a process, or
 * the end of a thread
 * @next: the next one in the queue
 * @instant: the checkpoint, or the checkpoints
 * @ended: the thread that has ended, if @instant is empty
 * @gap: whether the slave has run without a pair since the one before
 * @maps: the slave's mappings, if they may have changed; or NULL
 * @nr_others: the number of @others
 * @others: memory of interrupted stacks, see altstack.h
 * @bytes: the memory that this struct and its members take
 */
struct taken {
	struct taken	*next;
	struct instant	instant;
	struct thread_end ended;
	bool		gap;
	char		*maps;
	unsigned int	nr_others;
	struct stretch	*others;
	uint64_t	bytes;
};

/* taken_add() - add memory of an interrupted stack, which @taken then owns */
void taken_add(struct taken *taken, struct stretch *other);

/* taken_free() - free a checkpoint; NULL is allowed */
void taken_free(struct taken *taken);

/*
 * struct queue - the checkpoints that were taken and are not processed yet
 * @lock: the lock for all other members
 * @changed: the condition that another member has changed
 * @first, @end: the checkpoints
 * @bytes: the memory of the checkpoints that queue_release() has not freed
 * @begun: whether a checkpoint has been added
 * @over: whether no more checkpoints will be added
 * @left: whether no more checkpoints will be removed
 */
struct queue {
	pthread_mutex_t	lock;
	pthread_cond_t	changed;
	struct taken	*first;
	struct taken	**end;
	uint64_t	bytes;
	bool		begun;
	bool		over;
	bool		left;
};

void queue_init(struct queue *queue);

/* queue_destroy() - free all checkpoints in the queue */
void queue_destroy(struct queue *queue);

/* The functions below are for the thread that takes checkpoints. */

/* queue_add() - add a checkpoint, which the queue then owns */
void queue_add(struct queue *queue, struct taken *taken);

/* queue_is_full() - does the queue have more than QUEUE_MEMORY_MAX bytes? */
bool queue_is_full(struct queue *queue);

/*
 * queue_wait_for_room() - wait until half of QUEUE_MEMORY_MAX is free
 *
 * Return: false if no more checkpoints will be removed.
 */
bool queue_wait_for_room(struct queue *queue);

/* queue_has_begun() - has a checkpoint been added? */
bool queue_has_begun(struct queue *queue);

/* queue_is_left() - will no more checkpoints be removed? */
bool queue_is_left(struct queue *queue);

/* queue_finish() - no more checkpoints will be added */
void queue_finish(struct queue *queue);

/* The functions below are for the thread that processes checkpoints. */

/* queue_wait_to_begin() - wait until a checkpoint has been added, or none will be */
void queue_wait_to_begin(struct queue *queue);

/*
 * queue_remove() - wait for the next checkpoint and remove it
 *
 * The caller frees it by queue_release(). Return: NULL if there are no more.
 */
struct taken *queue_remove(struct queue *queue);

/* queue_release() - free a checkpoint of queue_remove(), and its part of @bytes */
void queue_release(struct queue *queue, struct taken *taken);

/*
 * queue_leave() - no more checkpoints will be removed
 *
 * Return: whether more checkpoints might have been added.
 */
bool queue_leave(struct queue *queue);

#endif /* QUEUE_H */
