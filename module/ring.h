/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ring of slots between one slave and its master: who may write, who may
 * read, who waits.
 *
 * Checkpoints are counted: @head have been written, @tail have left the ring,
 * and those between wait in places, number n in place n % nr_slots. A place
 * holds a slot. Two more slots are in no place: the one that the master reads,
 * and the one that the slave writes. The master takes a checkpoint by swapping
 * the slot that it holds with the one in the place, so the slave never writes
 * the slot that the master reads. The slave publishes a checkpoint by swapping
 * its slot in the same way, so a checkpoint that the slave abandons destroys no
 * other.
 *
 * The policy decides when the slave may write:
 *
 *	rendezvous	There is one place, and one slot for both. The slave
 *			may write while a master waits in CP_IOC_GET, and waits
 *			otherwise: the two meet. While the slave is held (hold.h),
 *			it writes without a master.
 *	ahead		The slave may write while a place is empty, and waits
 *			otherwise.
 *	overwrite	The slave may always write. If no place is empty, the
 *			oldest checkpoint is lost.
 *
 * After the ring is closed and empty, one more checkpoint may be taken: the
 * state in which the slave died, which has a slot of its own.
 *
 *	slave:	cp_ring_claim()  ... writes the slot ...  cp_ring_publish()
 *						     or   cp_ring_abandon()
 *		cp_ring_claim_late()  ...  cp_ring_publish_late(), with
 *		interrupts off, only for the policy overwrite
 *
 * Publishing seals the checkpoint under @lock: it gets its time there, so whoever has
 * passed the locks of several rings knows that what they publish later is younger.
 *
 *	master:	cp_ring_take()   ... reads the slot ...   cp_ring_taken()
 *						     or   cp_ring_put_back()
 *
 * There is one slave, here one thread, but any number of the master's threads may
 * take; @taking admits one at a time. A master of many rings (parts.h) looks at what
 * each offers, cp_ring_offer(), and takes the oldest checkpoint: cp_ring_take_offer().
 * While it searches the others, it can have a ring that overwrites keep what the ring
 * offers: cp_ring_keep(). If there is no checkpoint, the master lets a slave that waits
 * write one: cp_ring_invite().
 *
 * Two sides on two CPUs are quicker than the scheduler: a side that has to wait
 * spins briefly before it sleeps, for as long as spinning succeeds, and only
 * while no other task wants the CPU.
 *
 * Everything runs in process context. The late functions run with interrupts off:
 * they try @lock and do not spin on it. @lock is held for a few instructions and
 * is a leaf; wake-ups are issued after it is dropped.
 */
#ifndef _CP_RING_H
#define _CP_RING_H

#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>

struct cp_stats;

/*
 * Which of the two is waiting, in the words of the teaching kernel. The last one is that of
 * a whole pair, cp_parts_state(). The values are those of enum cp_nl_state.
 */
enum cp_ring_state {
	CP_RING_RUNNING,
	CP_RING_SLAVE_WAITING,
	CP_RING_MASTER_WAITING,
	CP_RING_OVER,
	CP_RING_HELD,
};

enum cp_policy {
	CP_POLICY_RENDEZVOUS,
	CP_POLICY_AHEAD,
	CP_POLICY_OVERWRITE,
};

/**
 * struct cp_spin - how long one side spins before it sleeps
 * @limit:	nanoseconds; 0 while spinning does not pay
 * @waits:	waits since @limit became 0
 */
struct cp_spin {
	u32 limit;
	u32 waits;
};

/**
 * struct cp_ring_counts - what has become of the checkpoints so far
 * @taken:	taken by the master
 * @missed:	lost: the slave's wait limit passed, or a newer checkpoint took the
 *		place
 */
struct cp_ring_counts {
	u64 taken;
	u64 missed;
};

/**
 * struct cp_claim - a slot that the slave may write
 * @slot:	its number
 * @seq:	the number of its checkpoint, from 1; missed ones count
 * @begun:	when the slave began to wait for the slot, CLOCK_MONOTONIC in
 *		nanoseconds, and called cp_stats_hold(); 0 if it did not wait
 */
struct cp_claim {
	unsigned int slot;
	u64 seq;
	u64 begun;
};

/**
 * struct cp_place - a place of the ring
 * @slot:	the slot in it
 * @time:	when the checkpoint in it was published, CLOCK_MONOTONIC in nanoseconds
 */
struct cp_place {
	unsigned int slot;
	u64 time;
};

/* What a ring has for the master. */
enum cp_offer_kind {
	CP_OFFER_NONE,
	CP_OFFER_CHECKPOINT,	/* a checkpoint waits */
	CP_OFFER_SLAVE,		/* the slave waits until it may write one */
	CP_OFFER_OVER,		/* the ring is closed and empty */
};

/**
 * struct cp_offer - what a ring has for the master
 * @kind:	CP_OFFER_*
 * @time:	the time when the checkpoint was published, or the slave began to wait
 */
struct cp_offer {
	enum cp_offer_kind kind;
	u64 time;
};

/**
 * struct cp_ring - state of the ring
 * @lock:	held for a few instructions; fields that are also read without it,
 *		as a hint or for display, are written with WRITE_ONCE()
 * @slave_wait:	where the slave waits for a slot
 * @master_wait: where masters and pollers wait; belongs to the file
 * @policy:	when the slave may write; never changes
 * @nr_slots:	number of places, never changes
 * @places:	the places
 * @held:	the slot that the master reads, or reads next
 * @held_time:	with @taking or @kept: when the checkpoint in @held was published
 * @unheld:	the slot that @held was before it became @last
 * @spare:	the slot that the slave writes, or writes next
 * @last:	with @has_last: the place of the state of death
 * @getters:	masters in cp_ring_take()
 * @slave_waiting: the slave is in cp_ring_claim() and has to wait
 * @filling:	the slave writes slot @spare
 * @taking:	a master is being given slot @held
 * @kept:	slot @held is for the next taker
 * @has_last:	@last holds a state of death
 * @over:	the ring is closed
 * @owes_wake_up: a late checkpoint still has to wake masters; the slave's own
 * @unwritten:	checkpoints that were not written because the wait limit passed
 * @head:	number of checkpoints written
 * @tail:	number of checkpoints that left the ring
 * @counts:	see struct cp_ring_counts
 * @is_held:	the slave is held: it may write although no master waits, once
 * @takers:	masters that wait for any ring of the pair
 * @stats:	the part's figures, where the slave's waits are counted
 * @slave_spin:	the slave's own
 * @master_spin: shared by the master's threads; lost updates do no harm
 */
struct cp_ring {
	spinlock_t lock; /* all below, except wait queues and the slave's own */
	wait_queue_head_t slave_wait;
	wait_queue_head_t *master_wait;
	enum cp_policy policy;
	unsigned int nr_slots;
	struct cp_place *places;
	unsigned int held;
	u64 held_time;
	unsigned int unheld;
	unsigned int spare;
	struct cp_place last;
	unsigned int getters;
	bool slave_waiting;
	bool filling;
	bool taking;
	bool kept;
	bool has_last;
	bool over;
	bool owes_wake_up;
	u64 unwritten;
	u64 head;
	u64 tail;
	struct cp_ring_counts counts;
	const bool *is_held;
	const atomic_t *takers;
	struct cp_stats *stats;
	struct cp_spin slave_spin;
	struct cp_spin master_spin;
};

int cp_ring_init(struct cp_ring *ring, enum cp_policy policy,
		 unsigned int nr_slots, wait_queue_head_t *master_wait,
		 const bool *is_held, const atomic_t *takers,
		 struct cp_stats *stats);
void cp_ring_destroy(struct cp_ring *ring);
unsigned int cp_ring_slots(enum cp_policy policy, unsigned int nr_slots);
u64 cp_ring_next_seq(const struct cp_ring *ring);
int cp_ring_claim(struct cp_ring *ring, u64 wait_limit,
		  struct cp_claim *claim);
bool cp_ring_would_wake(const struct cp_ring *ring);
void cp_ring_claim_late(const struct cp_ring *ring, struct cp_claim *claim);
typedef u64 (*cp_seal_fn)(struct cp_ring *ring, const struct cp_claim *claim);
bool cp_ring_publish_late(struct cp_ring *ring, const struct cp_claim *claim,
			  cp_seal_fn seal);
void cp_ring_pay_wake_up(struct cp_ring *ring);
void cp_ring_publish(struct cp_ring *ring, const struct cp_claim *claim,
		     cp_seal_fn seal);
void cp_ring_abandon(struct cp_ring *ring);
void cp_ring_miss(struct cp_ring *ring);
bool cp_ring_leave_last(struct cp_ring *ring, unsigned int slot);
typedef void (*cp_summon_fn)(struct cp_ring *ring);
int cp_ring_take(struct cp_ring *ring, u64 deadline, cp_summon_fn summon,
		 unsigned int *slot);
struct cp_offer cp_ring_offer(struct cp_ring *ring);
int cp_ring_take_offer(struct cp_ring *ring, const struct cp_offer *offer,
		       unsigned int *slot);
void cp_ring_keep(struct cp_ring *ring);
int cp_ring_invite(struct cp_ring *ring);
void cp_ring_taken(struct cp_ring *ring);
void cp_ring_put_back(struct cp_ring *ring);
bool cp_ring_ready(struct cp_ring *ring);
bool cp_ring_slave_is_away(struct cp_ring *ring);
bool cp_ring_hold(struct cp_ring *ring);
bool cp_ring_is_stuck(struct cp_ring *ring);
enum cp_ring_state cp_ring_state(struct cp_ring *ring);
const char *cp_ring_state_name(enum cp_ring_state state);
void cp_ring_close(struct cp_ring *ring);
bool cp_ring_reopen(struct cp_ring *ring);

/**
 * cp_ring_owes_wake_up - slave: does cp_ring_publish_late() owe a wake-up?
 * @ring: the ring
 *
 * Return: true until cp_ring_pay_wake_up().
 */
static inline bool cp_ring_owes_wake_up(const struct cp_ring *ring)
{
	return ring->owes_wake_up;
}

#endif /* _CP_RING_H */
