// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ring of slots: waiting, and who may touch which slot when.
 */
#include <linux/checkpoint.h>
#include <linux/ktime.h>
#include <linux/poll.h>
#include <linux/sched/clock.h>
#include <linux/sched/stat.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "limits.h"
#include "ring.h"
#include "stats.h"
#include "wait.h"

/* A longer spin never pays: a sleep and a wake-up cost less. */
#define SPIN_MAX	(50 * NSEC_PER_USEC)
#define SPIN_MIN	NSEC_PER_USEC
/* The limit while the slave copies: a deep stack takes this long. */
#define SPIN_AT_WORK	(500 * NSEC_PER_USEC)
/* After this many waits without a spin, try one again. */
#define SPIN_PAUSE	64

static u32 spin_limit(struct cp_spin *spin)
{
	/* A master's threads share one @spin: a lost update does no harm. */
	if (!READ_ONCE(spin->limit) && !(data_race(++spin->waits) % SPIN_PAUSE))
		WRITE_ONCE(spin->limit, SPIN_MAX);
	return READ_ONCE(spin->limit);
}

/*
 * A successful spin resets the limit to SPIN_MAX. Tracking the last measured time
 * instead is unstable: after one late hand-over both sides sleep, each wakes the
 * other after its shorter limit, and spinning never succeeds again. A failed spin
 * halves the limit.
 */
static void spin_adapt(struct cp_spin *spin, bool found)
{
	u32 limit = READ_ONCE(spin->limit);

	if (found)
		limit = SPIN_MAX;
	else
		limit = limit > SPIN_MIN ? limit / 2 : 0;
	WRITE_ONCE(spin->limit, limit);
}

static u64 spin_time(u32 limit, bool at_work, u64 time)
{
	return limit && at_work ? min_t(u64, time, SPIN_AT_WORK) : limit;
}

static bool may_spin(void)
{
	return single_task_running() && !need_resched() &&
	       !signal_pending(current);
}

/*
 * Spins on @condition, longer while the other side is @at_work on it. Both are read
 * without a lock, as hints. With less than SPIN_MAX of @time left, there is no spin.
 */
#define cp_spin_until(spin, condition, at_work, time)			\
do {									\
	struct cp_spin *__spin = (spin);				\
	u64 __time = (time);						\
	u32 __limit = __time > SPIN_MAX && may_spin() ?			\
		      spin_limit(__spin) : 0;				\
	u64 __begun = __limit ? local_clock() : 0, __took = 0;		\
	bool __found = false;						\
									\
	while (__took < spin_time(__limit, at_work, __time) &&		\
	       may_spin()) {						\
		cpu_relax();						\
		__found = (condition);					\
		__took = local_clock() - __begun;			\
		if (__found)						\
			break;						\
	}								\
	/* A spin that another task cut short says nothing. */		\
	if (__found || (__limit && __took >= __limit))			\
		spin_adapt(__spin, __found);				\
} while (0)

/**
 * cp_ring_slots - how many slots a ring uses
 * @policy: its policy
 * @nr_slots: number of checkpoints that the ring is to hold
 *
 * Return: the number of slots, which are numbered from 0.
 */
unsigned int cp_ring_slots(enum cp_policy policy, unsigned int nr_slots)
{
	return policy == CP_POLICY_RENDEZVOUS ? 1 : nr_slots + 2;
}

/**
 * cp_ring_init - set a ring up
 * @ring: the ring
 * @policy: when the slave may write
 * @nr_slots: number of checkpoints it holds; 1 for a rendezvous
 * @master_wait: the wait queue of the file; outlives the ring
 * @is_held: set while the slave is held; outlives the ring
 * @takers: counts masters that wait for any ring of the pair; outlives the ring
 * @stats: where the slave's waits are counted; outlives the ring
 *
 * Return: 0, or -ENOMEM.
 */
int cp_ring_init(struct cp_ring *ring, enum cp_policy policy,
		 unsigned int nr_slots, wait_queue_head_t *master_wait,
		 const bool *is_held, const atomic_t *takers,
		 struct cp_stats *stats)
{
	unsigned int i;

	ring->places = kvcalloc(nr_slots, sizeof(*ring->places), CP_GFP_PAIR);
	if (!ring->places)
		return -ENOMEM;
	for (i = 0; i < nr_slots; i++)
		ring->places[i].slot = i;
	if (policy != CP_POLICY_RENDEZVOUS) {
		ring->held = nr_slots;
		ring->spare = nr_slots + 1;
	}
	spin_lock_init(&ring->lock);
	init_waitqueue_head(&ring->slave_wait);
	ring->master_wait = master_wait;
	ring->is_held = is_held;
	ring->takers = takers;
	ring->stats = stats;
	ring->policy = policy;
	ring->nr_slots = nr_slots;
	if (num_online_cpus() > 1) {
		ring->slave_spin.limit = SPIN_MAX;
		ring->master_spin.limit = SPIN_MAX;
	}
	return 0;
}

/**
 * cp_ring_destroy - free what cp_ring_init() allocated
 * @ring: the ring, which is not used any more
 */
void cp_ring_destroy(struct cp_ring *ring)
{
	kvfree(ring->places);
}

static bool ring_has_checkpoint(const struct cp_ring *ring)
{
	lockdep_assert_held(&ring->lock);
	return ring->kept || ring->head != ring->tail ||
	       (ring->has_last && ring->over);
}

/* May the slave write? In a rendezvous, only if a master waits for it: @wanted. */
static bool ring_may_claim_if(const struct cp_ring *ring, bool wanted)
{
	bool full;

	lockdep_assert_held(&ring->lock);
	full = ring->head - ring->tail == ring->nr_slots;
	switch (ring->policy) {
	case CP_POLICY_OVERWRITE:
		return true;
	case CP_POLICY_AHEAD:
		return !full;
	default:
		if (ring->taking || ring->kept)
			return false;
		return READ_ONCE(*ring->is_held) || (wanted && !full);
	}
}

static bool ring_may_claim(const struct cp_ring *ring)
{
	return ring_may_claim_if(ring, ring->getters);
}

/* Puts the slot that the slave has written into its place. */
static void ring_add_checkpoint(struct cp_ring *ring,
				const struct cp_claim *claim, cp_seal_fn seal)
{
	struct cp_place *place = &ring->places[ring->head % ring->nr_slots];

	lockdep_assert_held(&ring->lock);
	if (ring->head - ring->tail == ring->nr_slots) {
		WRITE_ONCE(ring->tail, ring->tail + 1);
		WRITE_ONCE(ring->counts.missed, ring->counts.missed + 1);
	}
	place->time = seal(ring, claim);
	swap(ring->spare, place->slot);
	WRITE_ONCE(ring->head, ring->head + 1);
}

/**
 * cp_ring_next_seq - slave: the number of its next checkpoint
 * @ring: the ring
 *
 * Return: the number, which only the slave, the caller, changes.
 */
u64 cp_ring_next_seq(const struct cp_ring *ring)
{
	return ring->head + ring->unwritten + 1;
}

/* True when the slave need not wait any longer: it has a slot, or the ring is closed. */
static bool ring_claim_now(struct cp_ring *ring, struct cp_claim *claim,
			   bool wanted)
{
	lockdep_assert_held(&ring->lock);
	if (!ring->over && ring_may_claim_if(ring, wanted)) {
		WRITE_ONCE(ring->filling, true);
		claim->slot = ring->spare;
		claim->seq = cp_ring_next_seq(ring);
	}
	return ring->filling || ring->over;
}

static bool ring_try_claim(struct cp_ring *ring, struct cp_claim *claim)
{
	bool done;

	spin_lock(&ring->lock);
	done = ring_claim_now(ring, claim, ring->getters);
	ring->slave_waiting = !done;
	spin_unlock(&ring->lock);
	return done;
}

/* A change may have made cp_ring_take() or poll(2) ready. */
static void ring_wake_masters(struct cp_ring *ring)
{
	if (wq_has_sleeper(ring->master_wait))
		wake_up_interruptible_poll(ring->master_wait, EPOLLIN);
}

static void ring_stop_waiting(struct cp_ring *ring)
{
	spin_lock(&ring->lock);
	ring->slave_waiting = false;
	spin_unlock(&ring->lock);
	/* A non-blocking taker that was waiting for this slave returns -EAGAIN now. */
	ring_wake_masters(ring);
}

/* Is ring_try_claim() likely to succeed? */
static bool ring_slave_may_claim(const struct cp_ring *ring)
{
	if (READ_ONCE(ring->over))
		return true;
	if (ring->policy == CP_POLICY_RENDEZVOUS)
		return READ_ONCE(ring->getters) || READ_ONCE(*ring->is_held);
	return READ_ONCE(ring->head) - READ_ONCE(ring->tail) < ring->nr_slots;
}

static void ring_count_unwritten(struct cp_ring *ring)
{
	lockdep_assert_held(&ring->lock);
	ring->unwritten++;
	WRITE_ONCE(ring->counts.missed, ring->counts.missed + 1);
}

/*
 * The wait limit has passed. A master that arrived at the last moment relies on
 * @slave_waiting, so the slave claims the slot after all if it can. A master that waits for
 * any ring may have nudged the slave and not have seen it here yet; if the slave left, that
 * master would wait for ever. Otherwise the checkpoint counts as missed, and its number is
 * not used again.
 */
static int ring_give_up_claim(struct cp_ring *ring, struct cp_claim *claim)
{
	bool done;

	spin_lock(&ring->lock);
	done = ring_claim_now(ring, claim,
			      ring->getters || atomic_read(ring->takers));
	ring->slave_waiting = false;
	if (!done)
		ring_count_unwritten(ring);
	spin_unlock(&ring->lock);
	ring_wake_masters(ring);
	return done ? 0 : -ETIME;
}

static int ring_wait_for_slot(struct cp_ring *ring, u64 wait_limit,
			      struct cp_claim *claim)
{
	u64 deadline = CP_FOREVER;
	int ret;

	claim->begun = ktime_get_ns();
	cp_stats_hold(ring->stats, claim->begun);
	if (wait_limit)
		deadline = ktime_add_safe(claim->begun, wait_limit);
	/* For pollers: cp_ring_ready() includes a slave that waits. */
	ring_wake_masters(ring);
	cp_spin_until(&ring->slave_spin, ring_slave_may_claim(ring), false,
		      wait_limit ?: CP_FOREVER);
	ret = cp_wait_event(ring->slave_wait, ring_try_claim(ring, claim),
			    deadline);
	if (ret == -ETIME)
		return ring_give_up_claim(ring, claim);
	if (ret)
		ring_stop_waiting(ring);
	return ret;
}

/**
 * cp_ring_claim - slave: wait until the next slot may be written
 * @ring: the ring
 * @wait_limit: most nanoseconds to wait; 0 for no limit
 * @claim: receives the slot
 *
 * Return: 0: the slot belongs to the caller until cp_ring_publish() or
 * cp_ring_abandon(); -EPIPE: the ring is closed; -ERESTARTSYS: a signal is
 * pending; -ETIME: @wait_limit passed, and the miss has been counted.
 */
int cp_ring_claim(struct cp_ring *ring, u64 wait_limit, struct cp_claim *claim)
{
	int ret = 0;

	claim->begun = 0;
	if (!ring_try_claim(ring, claim))
		ret = ring_wait_for_slot(ring, wait_limit, claim);
	/* Only the slave, the caller, sets @filling. */
	if (!ret && !ring->filling)
		ret = -EPIPE;
	return ret;
}

/**
 * cp_ring_publish - slave: the claimed slot is written
 * @ring: the ring
 * @claim: from cp_ring_claim()
 * @seal: called under @lock, before the slot takes its place; gives the time at which
 *	the checkpoint was complete
 */
void cp_ring_publish(struct cp_ring *ring, const struct cp_claim *claim,
		     cp_seal_fn seal)
{
	spin_lock(&ring->lock);
	WRITE_ONCE(ring->filling, false);
	ring_add_checkpoint(ring, claim, seal);
	spin_unlock(&ring->lock);
	ring_wake_masters(ring);
}

/**
 * cp_ring_abandon - slave: undo cp_ring_claim()
 * @ring: the ring
 */
void cp_ring_abandon(struct cp_ring *ring)
{
	spin_lock(&ring->lock);
	WRITE_ONCE(ring->filling, false);
	spin_unlock(&ring->lock);
	ring_wake_masters(ring);
}

/**
 * cp_ring_miss - slave: the claimed slot cannot be written
 * @ring: the ring
 *
 * The checkpoint counts as missed, and its number is not used again.
 */
void cp_ring_miss(struct cp_ring *ring)
{
	spin_lock(&ring->lock);
	WRITE_ONCE(ring->filling, false);
	ring_count_unwritten(ring);
	spin_unlock(&ring->lock);
	ring_wake_masters(ring);
}

/**
 * cp_ring_would_wake - slave: does the next checkpoint wake a task?
 * @ring: the ring, which overwrites
 *
 * Pollers, and epoll's permanent entries, are only woken by the checkpoint with
 * which the ring begins to be readable.
 *
 * Return: true when it does. A sleeper that arrives at the same time may be
 * missed.
 */
bool cp_ring_would_wake(const struct cp_ring *ring)
{
	/* No barrier: cp_ring_publish_late() checks again, with one. */
	if (!waitqueue_active(ring->master_wait))
		return false;
	return READ_ONCE(ring->getters) ||
	       (!READ_ONCE(ring->kept) &&
		READ_ONCE(ring->head) == READ_ONCE(ring->tail));
}

/**
 * cp_ring_claim_late - slave: the slot to write with interrupts off
 * @ring: the ring, which overwrites
 * @claim: receives the slot
 *
 * The slot is in no place and belongs to the slave, so no lock is needed, and
 * nothing has to be undone if cp_ring_publish_late() does not follow.
 */
void cp_ring_claim_late(const struct cp_ring *ring, struct cp_claim *claim)
{
	claim->slot = ring->spare;
	claim->seq = cp_ring_next_seq(ring);
	claim->begun = 0;
}

/**
 * cp_ring_publish_late - slave: the slot is written, with interrupts off
 * @ring: the ring, which overwrites
 * @claim: from cp_ring_claim_late()
 * @seal: as for cp_ring_publish()
 *
 * Does not spin on @lock: its holder may be in an interrupt on another CPU. Issues
 * no wake-up: the length of a wait queue is not bounded, and interrupts are off.
 * cp_ring_owes_wake_up() says whether one is due.
 *
 * Return: false when the ring is closed or @lock is taken; then nothing has
 * changed.
 */
bool cp_ring_publish_late(struct cp_ring *ring, const struct cp_claim *claim,
			  cp_seal_fn seal)
{
	bool open, wanted;

	if (!spin_trylock(&ring->lock))
		return false;
	open = !ring->over;
	wanted = open && (ring->getters || !ring_has_checkpoint(ring));
	if (likely(open))
		ring_add_checkpoint(ring, claim, seal);
	spin_unlock(&ring->lock);
	if (wanted && wq_has_sleeper(ring->master_wait))
		ring->owes_wake_up = true;
	return open;
}

/**
 * cp_ring_pay_wake_up - slave: issue the wake-up that cp_ring_publish_late() owes
 * @ring: the ring
 */
void cp_ring_pay_wake_up(struct cp_ring *ring)
{
	if (likely(!ring->owes_wake_up))
		return;
	ring->owes_wake_up = false;
	ring_wake_masters(ring);
}

/**
 * cp_ring_leave_last - slave: the state of its death is written
 * @ring: the ring; cp_ring_close() follows
 * @slot: the slot of that state, which is not one of the ring's own
 *
 * Return: false when the ring is closed already.
 */
bool cp_ring_leave_last(struct cp_ring *ring, unsigned int slot)
{
	bool open;

	spin_lock(&ring->lock);
	open = !ring->over;
	ring->last.slot = slot;
	ring->last.time = ktime_get_ns();
	ring->has_last = open;
	spin_unlock(&ring->lock);
	return open;
}

/* Makes @held the slot that the master fetches. */
static void ring_take_next(struct cp_ring *ring)
{
	struct cp_place *place;

	lockdep_assert_held(&ring->lock);
	ring->taking = true;
	if (ring->kept) {
		WRITE_ONCE(ring->kept, false);
	} else if (ring->head != ring->tail) {
		place = &ring->places[ring->tail % ring->nr_slots];
		swap(ring->held, place->slot);
		ring->held_time = place->time;
		WRITE_ONCE(ring->tail, ring->tail + 1);
	} else {
		ring->unheld = ring->held;
		ring->held = ring->last.slot;
		ring->held_time = ring->last.time;
		ring->has_last = false;
	}
}

static void ring_wake_slave(struct cp_ring *ring)
{
	if (wq_has_sleeper(&ring->slave_wait))
		wake_up_interruptible(&ring->slave_wait);
}

/* What a master finds; TAKE_WAIT: it has to wait. */
enum take { TAKE_WAIT, TAKE_SLOT, TAKE_OVER, TAKE_AGAIN };

/* Unless this returns TAKE_WAIT, the caller no longer counts in @getters. */
static enum take ring_take_or_wait(struct cp_ring *ring, bool nonblock,
				   unsigned int *slot)
{
	enum take take = TAKE_WAIT;

	lockdep_assert_held(&ring->lock);
	if (!ring->taking && ring_has_checkpoint(ring)) {
		ring_take_next(ring);
		take = TAKE_SLOT;
	} else if (!ring->taking && ring->over && !ring->filling) {
		take = TAKE_OVER;
	} else if (nonblock && !ring->slave_waiting && !ring->filling) {
		take = TAKE_AGAIN;
	}
	if (take != TAKE_WAIT)
		WRITE_ONCE(ring->getters, ring->getters - 1);
	*slot = ring->held;
	return take;
}

/* Can only the arrival of the slave bring a checkpoint? */
static bool ring_slave_is_away(const struct cp_ring *ring)
{
	lockdep_assert_held(&ring->lock);
	return !ring_has_checkpoint(ring) && !ring->over &&
	       !ring->slave_waiting && !ring->filling;
}

static enum take ring_begin_taking(struct cp_ring *ring, bool nonblock,
				   cp_summon_fn summon, unsigned int *slot)
{
	enum take take;
	bool wanted, away;

	spin_lock(&ring->lock);
	WRITE_ONCE(ring->getters, ring->getters + 1);
	take = ring_take_or_wait(ring, nonblock, slot);
	wanted = ring_may_claim(ring);
	away = take != TAKE_SLOT && ring_slave_is_away(ring);
	spin_unlock(&ring->lock);
	if (wanted)
		ring_wake_slave(ring);
	/*
	 * Only after @getters was raised: summoned earlier, the slave could arrive,
	 * find no taker and miss.
	 */
	if (away && summon)
		summon(ring);
	return take;
}

static enum take ring_try_take(struct cp_ring *ring, bool nonblock,
			       unsigned int *slot)
{
	enum take take;

	spin_lock(&ring->lock);
	take = ring_take_or_wait(ring, nonblock, slot);
	spin_unlock(&ring->lock);
	return take;
}

static void ring_give_up_taking(struct cp_ring *ring)
{
	spin_lock(&ring->lock);
	WRITE_ONCE(ring->getters, ring->getters - 1);
	spin_unlock(&ring->lock);
}

static u64 time_left(u64 deadline)
{
	u64 now;

	if (deadline == CP_FOREVER)
		return CP_FOREVER;
	now = ktime_get_ns();
	return deadline > now ? deadline - now : 0;
}

/* Is ring_try_take() likely to succeed? */
static bool ring_master_may_take(const struct cp_ring *ring)
{
	return READ_ONCE(ring->head) != READ_ONCE(ring->tail) ||
	       READ_ONCE(ring->kept) || READ_ONCE(ring->over);
}

/* How long a taker waits for a slave that has arrived to write its checkpoint. */
#define WRITING_MAX	NSEC_PER_SEC

/**
 * cp_ring_take - master: wait for the next checkpoint
 * @ring: the ring
 * @deadline: CLOCK_MONOTONIC in nanoseconds; 0: do not wait for a slave that
 *	has not arrived; CP_FOREVER: no limit
 * @summon: called when there is nothing to take and the slave has not arrived;
 *	or NULL
 * @slot: with result 1: set to the slot that the master may read
 *
 * Return: 1: the slot belongs to the caller until cp_ring_taken() or
 * cp_ring_put_back(); 0: no checkpoint is left and none will come; -EAGAIN,
 * -ETIMEDOUT; -ERESTARTSYS: a signal is pending. No error loses a checkpoint.
 */
int cp_ring_take(struct cp_ring *ring, u64 deadline, cp_summon_fn summon,
		 unsigned int *slot)
{
	bool nonblock = !deadline;
	enum take take;
	int ret = 0;

	take = ring_begin_taking(ring, nonblock, summon, slot);
	if (take == TAKE_WAIT) {
		if (nonblock)
			deadline = ktime_get_ns() + WRITING_MAX;
		cp_spin_until(&ring->master_spin, ring_master_may_take(ring),
			      READ_ONCE(ring->filling), time_left(deadline));
		ret = cp_wait_event(*ring->master_wait,
				    (take = ring_try_take(ring, nonblock, slot)) !=
				    TAKE_WAIT, deadline);
	}
	if (ret)
		ring_give_up_taking(ring);
	if (ret == -ETIME)
		return nonblock ? -EAGAIN : -ETIMEDOUT;
	if (ret)
		return ret;
	if (take == TAKE_AGAIN)
		return -EAGAIN;
	return take == TAKE_SLOT;
}

/* What ring_take_next() would take. */
static struct cp_offer ring_next_offer(const struct cp_ring *ring)
{
	struct cp_offer offer = { .kind = CP_OFFER_CHECKPOINT };

	lockdep_assert_held(&ring->lock);
	if (ring->kept)
		offer.time = ring->held_time;
	else if (ring->head != ring->tail)
		offer.time = ring->places[ring->tail % ring->nr_slots].time;
	else
		offer.time = ring->last.time;
	return offer;
}

/**
 * cp_ring_offer - master: what a ring has for it
 * @ring: the ring
 *
 * Return: the offer. It may be gone when cp_ring_take_offer() is called.
 */
struct cp_offer cp_ring_offer(struct cp_ring *ring)
{
	struct cp_offer offer = { .kind = CP_OFFER_NONE };

	spin_lock(&ring->lock);
	if (!ring->taking && ring_has_checkpoint(ring)) {
		offer = ring_next_offer(ring);
	} else if (!ring->taking && ring->over && !ring->filling) {
		offer.kind = CP_OFFER_OVER;
	} else if (!ring->taking && ring->slave_waiting && !ring->over) {
		offer.kind = CP_OFFER_SLAVE;
		/* The slave, which writes it, waits. */
		offer.time = READ_ONCE(ring->stats->begun);
	}
	spin_unlock(&ring->lock);
	return offer;
}

static bool ring_take_same(struct cp_ring *ring, u64 time,
			   unsigned int *slot)
{
	bool same, wanted;

	spin_lock(&ring->lock);
	same = !ring->taking && ring_has_checkpoint(ring) &&
	       ring_next_offer(ring).time == time;
	if (same)
		ring_take_next(ring);
	*slot = ring->held;
	wanted = ring_may_claim(ring);
	spin_unlock(&ring->lock);
	if (wanted)
		ring_wake_slave(ring);
	return same;
}

/**
 * cp_ring_take_offer - master: take the checkpoint that cp_ring_offer() has given
 * @ring: the ring
 * @offer: a checkpoint
 * @slot: as for cp_ring_take()
 *
 * Return: 1 as cp_ring_take(); -EAGAIN when the offer is gone.
 */
int cp_ring_take_offer(struct cp_ring *ring, const struct cp_offer *offer,
		       unsigned int *slot)
{
	return ring_take_same(ring, offer->time, slot) ? 1 : -EAGAIN;
}

/**
 * cp_ring_keep - master: keep the checkpoint that cp_ring_offer() gives
 * @ring: the ring
 *
 * From here on, a slave that overwrites does not replace it: it is for the next taker.
 */
void cp_ring_keep(struct cp_ring *ring)
{
	spin_lock(&ring->lock);
	if (ring->policy == CP_POLICY_OVERWRITE && !ring->taking &&
	    ring_has_checkpoint(ring)) {
		ring_take_next(ring);
		ring->taking = false;
		WRITE_ONCE(ring->kept, true);
	}
	spin_unlock(&ring->lock);
}

/* Has the slave written, or left? */
static bool ring_has_answered(struct cp_ring *ring)
{
	bool answered;

	spin_lock(&ring->lock);
	answered = ring_has_checkpoint(ring) || ring->over ||
		   (!ring->slave_waiting && !ring->filling);
	spin_unlock(&ring->lock);
	return answered;
}

/**
 * cp_ring_invite - master: let a slave that waits write its checkpoint
 * @ring: the ring
 *
 * The checkpoint stays in the ring: meanwhile, those of other rings may have become
 * older ones.
 *
 * Return: 0: the slave has written, or does not wait any more; -ETIME: it has done neither
 * within WRITING_MAX; -ERESTARTSYS: a signal is pending.
 */
int cp_ring_invite(struct cp_ring *ring)
{
	bool wanted;
	int ret;

	spin_lock(&ring->lock);
	WRITE_ONCE(ring->getters, ring->getters + 1);
	wanted = ring_may_claim(ring);
	spin_unlock(&ring->lock);
	if (wanted)
		ring_wake_slave(ring);
	cp_spin_until(&ring->master_spin, ring_master_may_take(ring),
		      READ_ONCE(ring->filling), WRITING_MAX);
	ret = cp_wait_event(*ring->master_wait, ring_has_answered(ring),
			    ktime_get_ns() + WRITING_MAX);
	ring_give_up_taking(ring);
	return ret;
}

static void ring_end_taking(struct cp_ring *ring, bool taken)
{
	bool wanted;

	spin_lock(&ring->lock);
	ring->taking = false;
	WRITE_ONCE(ring->kept, !taken);
	WRITE_ONCE(ring->counts.taken, ring->counts.taken + taken);
	wanted = ring_may_claim(ring);
	spin_unlock(&ring->lock);
	/* Another thread of the master may wait until @taking is clear. */
	ring_wake_masters(ring);
	if (wanted)
		ring_wake_slave(ring);
}

/**
 * cp_ring_taken - master: complete cp_ring_take()
 * @ring: the ring
 */
void cp_ring_taken(struct cp_ring *ring)
{
	ring_end_taking(ring, true);
}

/**
 * cp_ring_put_back - master: undo cp_ring_take(): the next taker gets the checkpoint
 * @ring: the ring
 */
void cp_ring_put_back(struct cp_ring *ring)
{
	ring_end_taking(ring, false);
}

/**
 * cp_ring_ready - would cp_ring_take() return at once?
 * @ring: the ring
 *
 * Return: true when a checkpoint waits, the slave waits, or the ring is closed.
 */
bool cp_ring_ready(struct cp_ring *ring)
{
	bool ready;

	spin_lock(&ring->lock);
	ready = ring_has_checkpoint(ring) || ring->slave_waiting || ring->over;
	spin_unlock(&ring->lock);
	return ready;
}

/**
 * cp_ring_slave_is_away - can only the arrival of the slave bring a checkpoint?
 * @ring: the ring
 *
 * Return: true when only that can.
 */
bool cp_ring_slave_is_away(struct cp_ring *ring)
{
	bool away;

	spin_lock(&ring->lock);
	away = ring_slave_is_away(ring);
	spin_unlock(&ring->lock);
	return away;
}

/**
 * cp_ring_hold - wake a slave that may write now that @is_held is set
 * @ring: the ring
 *
 * Return: true when the slave waits for a place.
 */
bool cp_ring_hold(struct cp_ring *ring)
{
	bool arrived, wanted;

	spin_lock(&ring->lock);
	arrived = ring->slave_waiting;
	wanted = ring_may_claim(ring);
	spin_unlock(&ring->lock);
	if (wanted)
		ring_wake_slave(ring);
	return arrived;
}

/**
 * cp_ring_is_stuck - does the slave wait until a master makes room?
 * @ring: the ring, whose slave is held
 *
 * Return: true when it does, with the policy ahead or while a master takes.
 */
bool cp_ring_is_stuck(struct cp_ring *ring)
{
	bool stuck;

	spin_lock(&ring->lock);
	stuck = ring->slave_waiting && !ring_may_claim(ring);
	spin_unlock(&ring->lock);
	return stuck;
}

/**
 * cp_ring_state - which of the two is waiting
 * @ring: the ring
 *
 * Return: the state, which may change at any time.
 */
enum cp_ring_state cp_ring_state(struct cp_ring *ring)
{
	enum cp_ring_state state = CP_RING_RUNNING;

	spin_lock(&ring->lock);
	if (ring->over)
		state = CP_RING_OVER;
	else if (ring->slave_waiting)
		state = CP_RING_SLAVE_WAITING;
	else if (ring->getters)
		state = CP_RING_MASTER_WAITING;
	spin_unlock(&ring->lock);
	return state;
}

/**
 * cp_ring_state_name - the word for a state
 * @state: the state
 *
 * Return: a word.
 */
const char *cp_ring_state_name(enum cp_ring_state state)
{
	static const char * const names[] = {
		[CP_RING_RUNNING]		= "running",
		[CP_RING_SLAVE_WAITING]		= "slave-waiting",
		[CP_RING_MASTER_WAITING]	= "master-waiting",
		[CP_RING_OVER]			= "over",
		[CP_RING_HELD]			= "held",
	};

	return names[state];
}

/**
 * cp_ring_close - no more checkpoints
 * @ring: the ring
 *
 * A slave that waits returns at once; masters return when they have taken the
 * checkpoints that are left.
 */
void cp_ring_close(struct cp_ring *ring)
{
	spin_lock(&ring->lock);
	WRITE_ONCE(ring->over, true);
	spin_unlock(&ring->lock);
	wake_up_interruptible(&ring->slave_wait);
	wake_up_interruptible_poll(ring->master_wait, EPOLLIN | EPOLLHUP);
}

/**
 * cp_ring_reopen - use a closed ring for another slave
 * @ring: the ring
 *
 * Checkpoints that no master has taken count as missed. No master reads the state of
 * death any more.
 *
 * Return: false while a master is being given a checkpoint of it.
 */
bool cp_ring_reopen(struct cp_ring *ring)
{
	u64 untaken;
	bool free;

	spin_lock(&ring->lock);
	free = !ring->taking;
	if (free) {
		untaken = ring->head - ring->tail + ring->kept + ring->has_last;
		WRITE_ONCE(ring->counts.missed, ring->counts.missed + untaken);
		WRITE_ONCE(ring->head, 0);
		WRITE_ONCE(ring->tail, 0);
		WRITE_ONCE(ring->kept, false);
		ring->unwritten = 0;
		ring->has_last = false;
		if (ring->held == ring->last.slot && ring->last.time)
			ring->held = ring->unheld;
		ring->last.time = 0;
		WRITE_ONCE(ring->over, false);
	}
	spin_unlock(&ring->lock);
	return free;
}
