// SPDX-License-Identifier: GPL-2.0-only
/* Checkpoints between the thread that takes them and the one that processes them. */
#include <stdlib.h>
#include <string.h>

#include "queue.h"

void taken_free(struct taken *taken)
{
	unsigned int i;

	if (!taken)
		return;
	instant_free(&taken->instant);
	free(taken->maps);
	for (i = 0; i < taken->nr_others; i++)
		free(taken->others[i].bytes);
	free(taken->others);
	free(taken);
}

void taken_add(struct taken *taken, struct stretch *other)
{
	struct stretch *more = reallocarray(taken->others, taken->nr_others + 1,
					    sizeof(*more));

	if (!more) {
		free(other->bytes);
		return;
	}
	taken->others = more;
	more[taken->nr_others++] = *other;
}

void queue_init(struct queue *queue)
{
	memset(queue, 0, sizeof(*queue));
	queue->end = &queue->first;
	pthread_mutex_init(&queue->lock, NULL);
	pthread_cond_init(&queue->changed, NULL);
}

void queue_destroy(struct queue *queue)
{
	struct taken *taken;

	while ((taken = queue->first)) {
		queue->first = taken->next;
		taken_free(taken);
	}
	pthread_mutex_destroy(&queue->lock);
	pthread_cond_destroy(&queue->changed);
}

static void count_bytes(struct taken *taken)
{
	unsigned int i;

	taken->bytes = sizeof(*taken) + instant_bytes(&taken->instant);
	if (taken->maps)
		taken->bytes += strlen(taken->maps);
	for (i = 0; i < taken->nr_others; i++)
		taken->bytes += taken->others[i].size;
}

/* Only one thread waits at a time: the other one has just changed a member. */
static void unlock_changed(struct queue *queue)
{
	pthread_cond_signal(&queue->changed);
	pthread_mutex_unlock(&queue->lock);
}

void queue_add(struct queue *queue, struct taken *taken)
{
	count_bytes(taken);
	pthread_mutex_lock(&queue->lock);
	*queue->end = taken;
	queue->end = &taken->next;
	queue->bytes += taken->bytes;
	queue->begun = true;
	unlock_changed(queue);
}

/* One checkpoint alone may be larger than the limit. */
static bool exceeds(const struct queue *queue, uint64_t bytes)
{
	return queue->first && queue->bytes > bytes;
}

bool queue_is_full(struct queue *queue)
{
	bool full;

	pthread_mutex_lock(&queue->lock);
	full = exceeds(queue, QUEUE_MEMORY_MAX);
	pthread_mutex_unlock(&queue->lock);
	return full;
}

bool queue_wait_for_room(struct queue *queue)
{
	bool left;

	pthread_mutex_lock(&queue->lock);
	while (exceeds(queue, QUEUE_MEMORY_MAX / 2) && !queue->left)
		pthread_cond_wait(&queue->changed, &queue->lock);
	left = queue->left;
	pthread_mutex_unlock(&queue->lock);
	return !left;
}

/* Reads @member, which is one of @queue. */
static bool read_locked(struct queue *queue, const bool *member)
{
	bool value;

	pthread_mutex_lock(&queue->lock);
	value = *member;
	pthread_mutex_unlock(&queue->lock);
	return value;
}

bool queue_has_begun(struct queue *queue)
{
	return read_locked(queue, &queue->begun);
}

bool queue_is_left(struct queue *queue)
{
	return read_locked(queue, &queue->left);
}

void queue_finish(struct queue *queue)
{
	pthread_mutex_lock(&queue->lock);
	queue->over = true;
	unlock_changed(queue);
}

void queue_wait_to_begin(struct queue *queue)
{
	pthread_mutex_lock(&queue->lock);
	while (!queue->begun && !queue->over)
		pthread_cond_wait(&queue->changed, &queue->lock);
	pthread_mutex_unlock(&queue->lock);
}

struct taken *queue_remove(struct queue *queue)
{
	struct taken *taken;

	pthread_mutex_lock(&queue->lock);
	while (!queue->first && !queue->over)
		pthread_cond_wait(&queue->changed, &queue->lock);
	taken = queue->first;
	if (taken)
		queue->first = taken->next;
	if (!queue->first)
		queue->end = &queue->first;
	unlock_changed(queue);
	return taken;
}

void queue_release(struct queue *queue, struct taken *taken)
{
	if (!taken)
		return;
	pthread_mutex_lock(&queue->lock);
	queue->bytes -= taken->bytes;
	unlock_changed(queue);
	taken_free(taken);
}

bool queue_leave(struct queue *queue)
{
	bool more;

	pthread_mutex_lock(&queue->lock);
	queue->left = true;
	more = !queue->over;
	unlock_changed(queue);
	return more;
}
