/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ring of slots between one slave and its master: who may write, who may
 * read, who waits.
 *
 * Checkpoints are counted: @head have been written, @tail have been taken, and
 * number n lives in slot n % nr_slots. The policy decides when the slave may
 * write. The only one so far, the rendezvous, lets it write while a master is
 * in cp_get and not otherwise, so that slave and master meet, and what the
 * master is reading stays as it is.
 *
 *	slave:	cp_ring_claim()  ... writes the slot ...  cp_ring_publish()
 *						     or   cp_ring_abandon()
 *	master:	cp_ring_take()   ... reads the slot ...   cp_ring_taken()
 *						     or   cp_ring_put_back()
 *
 * There is one slave, but any number of the master's threads may take; @taking
 * lets in one at a time.
 *
 * Everything runs in process context. @lock is held for a few instructions and
 * nests inside nothing; wake-ups are done after it is dropped.
 */
#ifndef _CP_RING_H
#define _CP_RING_H

#include <linux/ktime.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>

struct seq_file;

/* In the words of the teaching kernel: which of the two is waiting. */
enum cp_ring_state {
	CP_RING_RUNNING,
	CP_RING_SLAVE_WAITING,
	CP_RING_MASTER_WAITING,
	CP_RING_OVER,
};

/**
 * struct cp_ring - state of the ring
 * @lock:	held for a few instructions
 * @slave_wait:	where the slave waits for its turn
 * @master_wait: where masters wait, and pollers; it belongs to the file
 * @nr_slots:	number of slots, never changes
 * @getters:	masters in cp_ring_take()
 * @slave_waiting: the slave is in cp_ring_claim() and has to wait
 * @filling:	the slave writes slot @head
 * @taking:	a master reads slot @tail
 * @over:	no further checkpoint comes
 * @head:	number of checkpoints written
 * @tail:	number of checkpoints taken
 * @missed:	checkpoints not handed over because the slave's wait ran out
 */
struct cp_ring {
	spinlock_t lock; /* all that follows but the wait queues */
	wait_queue_head_t slave_wait;
	wait_queue_head_t *master_wait;
	unsigned int nr_slots;
	unsigned int getters;
	bool slave_waiting;
	bool filling;
	bool taking;
	bool over;
	u64 head;
	u64 tail;
	u64 missed;
};

void cp_ring_init(struct cp_ring *ring, unsigned int nr_slots,
		  wait_queue_head_t *master_wait);
int cp_ring_claim(struct cp_ring *ring, u64 wait_limit, unsigned int *slot,
		  u64 *seq);
void cp_ring_publish(struct cp_ring *ring);
void cp_ring_abandon(struct cp_ring *ring);
int cp_ring_take(struct cp_ring *ring, u64 deadline, unsigned int *slot);
void cp_ring_taken(struct cp_ring *ring);
void cp_ring_put_back(struct cp_ring *ring);
bool cp_ring_ready(struct cp_ring *ring);
enum cp_ring_state cp_ring_state(struct cp_ring *ring);
const char *cp_ring_state_name(enum cp_ring_state state);
u64 cp_ring_missed(struct cp_ring *ring);
void cp_ring_show(struct cp_ring *ring, struct seq_file *seq);
void cp_ring_close(struct cp_ring *ring);

#endif /* _CP_RING_H */
