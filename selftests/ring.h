/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A minimal user of io_uring: one request at a time.
 */
#ifndef _CP_SELFTESTS_RING_H
#define _CP_SELFTESTS_RING_H

#include <linux/io_uring.h>

#include "harness.h"

struct ring {
	int fd;
	unsigned int *tail;
	unsigned int *array;
	unsigned int mask;
	unsigned int *cq_head;
	unsigned int *cq_tail;
	struct io_uring_sqe *sqes;
};

/* @flags: IORING_SETUP_* */
static inline bool ring_open(struct ring *ring, unsigned int flags)
{
	struct io_uring_params p = { .flags = flags };
	char *sq, *cq;

	ring->fd = syscall(SYS_io_uring_setup, 4, &p);
	if (ring->fd < 0)
		return false;
	sq = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd,
		  IORING_OFF_SQ_RING);
	cq = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd,
		  IORING_OFF_CQ_RING);
	ring->sqes = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED,
			  ring->fd, IORING_OFF_SQES);
	ring->tail = (void *)(sq + p.sq_off.tail);
	ring->array = (void *)(sq + p.sq_off.array);
	ring->mask = *(unsigned int *)(sq + p.sq_off.ring_mask);
	ring->cq_head = (void *)(cq + p.cq_off.head);
	ring->cq_tail = (void *)(cq + p.cq_off.tail);
	return true;
}

/* The next request, zeroed; ring_enter() submits it. */
static inline struct io_uring_sqe *ring_next(struct ring *ring)
{
	unsigned int slot = *ring->tail & ring->mask;

	memset(&ring->sqes[slot], 0, sizeof(ring->sqes[slot]));
	ring->array[slot] = slot;
	__atomic_store_n(ring->tail, *ring->tail + 1, __ATOMIC_RELEASE);
	return &ring->sqes[slot];
}

/* io_uring_enter(2); the kernel ignores @mark in R9, checkpoints show it. */
static inline long ring_enter(struct ring *ring, unsigned int submit,
			      unsigned int wait, long mark)
{
	return syscall(SYS_io_uring_enter, ring->fd, submit, wait,
		       wait ? IORING_ENTER_GETEVENTS : 0, NULL, mark);
}

/* Discards all completions. */
static inline void ring_drain(struct ring *ring)
{
	*ring->cq_head = __atomic_load_n(ring->cq_tail, __ATOMIC_ACQUIRE);
}

/*
 * The body of a slave that repeats the request that @prepare fills in, waits for each
 * completion, and counts the calls in R9.
 */
static inline int ring_repeat(void (*prepare)(struct io_uring_sqe *sqe))
{
	struct ring ring;
	long i;

	if (!ring_open(&ring, 0))
		return KSFT_SKIP;
	for (i = 1;; i++) {
		prepare(ring_next(&ring));
		ring_enter(&ring, 1, 1, i);
		ring_drain(&ring);
	}
	return 0;
}

#endif /* _CP_SELFTESTS_RING_H */
