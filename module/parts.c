// SPDX-License-Identifier: GPL-2.0-only
/*
 * The parts of a pair: parts.h.
 */
#include <linux/checkpoint.h>
#include <linux/memcontrol.h>
#include <linux/nospec.h>
#include <linux/poll.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "gate.h"
#include "hook.h"
#include "limits.h"
#include "parts.h"
#include "sleeper.h"
#include "wait.h"

/* After this many parts, let other tasks have the CPU. */
#define PAUSE_PARTS	64

/* Part number @i, or NULL; parts are added at the end and never removed. May sleep. */
static struct cp_part *part_at(const struct cp_parts *parts, unsigned int i)
{
	if (i % PAUSE_PARTS == PAUSE_PARTS - 1)
		cond_resched();
	/* Pairs with parts_add(): a part that is found is whole. */
	return i < smp_load_acquire(&parts->nr) ? parts->at[i] : NULL;
}

static struct cp_part *part_next(const struct cp_part *part)
{
	return part_at(part->parts, part->index + 1);
}

static int part_alloc_xstate(struct cp_part *part, struct cp_parts *parts)
{
	size_t size = parts->plan.region.xstate_size;

	if (!size)
		return 0;
	part->xstate = kvmalloc(size, CP_GFP_PAIR);
	return part->xstate ? 0 : -ENOMEM;
}

/* Bytes of a part without its region, which charges itself. */
static size_t part_size(const struct cp_parts_plan *plan)
{
	return sizeof(struct cp_part) + plan->region.xstate_size +
	       plan->nr_slots * sizeof(struct cp_place);
}

static void part_free(struct cp_part *part)
{
	cp_limits_remove_memory(part->parts->area->account, part->charged);
	cp_ring_destroy(&part->ring);
	kvfree(part->xstate);
	kfree(part);
}

/* All but the region. */
static struct cp_part *part_alloc(struct cp_parts *parts)
{
	struct mem_cgroup *old = set_active_memcg(parts->area->memcg);
	struct cp_part *part;

	part = kzalloc(sizeof(*part), CP_GFP_PAIR);
	if (!part)
		goto out;
	part->parts = parts;
	part->stats.last_syscall = -1;
	if (!part_alloc_xstate(part, parts) &&
	    !cp_ring_init(&part->ring, parts->plan.policy,
			  parts->plan.nr_slots, parts->plan.wait,
			  &parts->plan.gate->closed, &parts->getters,
			  &part->stats))
		goto out;
	part_free(part);
	part = NULL;

out:
	set_active_memcg(old);
	return part;
}

/* Updates the number of parts in the region, for readers of the mapping. */
static void parts_show_nr(struct cp_parts *parts)
{
	struct cp_region_head *head = cp_region_at(parts->at[0]->region, 0);

	WRITE_ONCE(head->nr_parts, parts->nr);
}

/* Makes one more part. */
static struct cp_part *parts_add(struct cp_parts *parts)
{
	struct cp_region *region;
	struct cp_part *part;

	lockdep_assert_held(&parts->growing);
	if (parts->nr == parts->max)
		return ERR_PTR(-EOVERFLOW);
	if (!cp_limits_add_memory(parts->area->account, part_size(&parts->plan)))
		return ERR_PTR(-EDQUOT);
	part = part_alloc(parts);
	if (!part) {
		cp_limits_remove_memory(parts->area->account,
					part_size(&parts->plan));
		return ERR_PTR(-ENOMEM);
	}
	part->charged = part_size(&parts->plan);
	region = cp_area_add(parts->area, parts->nr, &parts->plan.region);
	if (IS_ERR(region)) {
		part_free(part);
		return ERR_CAST(region);
	}
	part->region = region;
	part->index = parts->nr;
	parts->at[parts->nr] = part;
	/* Pairs with part_at(). */
	smp_store_release(&parts->nr, parts->nr + 1);
	parts_show_nr(parts);
	return part;
}

/* Makes parts for the @nr threads that exist already. */
static int parts_prepare(struct cp_parts *parts, unsigned int nr)
{
	struct cp_part *part;
	int ret = 0;

	mutex_lock(&parts->growing);
	while (!ret && parts->nr < nr) {
		part = parts_add(parts);
		if (IS_ERR(part))
			ret = PTR_ERR(part);
		else
			list_add_tail(&part->node, &parts->free);
		cond_resched();
	}
	mutex_unlock(&parts->growing);
	return ret;
}

/**
 * cp_parts_init - set the parts of a pair up
 * @parts: the parts, zeroed
 * @plan: what each is made of
 * @max: most parts
 * @nr: number of parts to begin with
 * @account: the user who is charged
 *
 * Return: 0; -EOVERFLOW when @nr is more than @max; -EDQUOT at the limit of
 * @account; -ENOMEM.
 */
int cp_parts_init(struct cp_parts *parts, const struct cp_parts_plan *plan,
		  unsigned int max, unsigned int nr, struct cp_account *account)
{
	int ret;

	parts->plan = *plan;
	parts->max = max;
	mutex_init(&parts->growing);
	spin_lock_init(&parts->lock);
	INIT_LIST_HEAD(&parts->free);
	INIT_LIST_HEAD(&parts->ended);
	cp_newcomers_init(&parts->newcomers);
	parts->at = kvcalloc(max, sizeof(*parts->at), GFP_KERNEL_ACCOUNT);
	if (!parts->at)
		return -ENOMEM;
	parts->area = cp_area_create(max, cp_region_plan_size(&plan->region),
				     account);
	if (!parts->area) {
		kvfree(parts->at);
		return -ENOMEM;
	}
	ret = parts_prepare(parts, nr);
	if (ret)
		cp_parts_destroy(parts);
	return ret;
}

/**
 * cp_parts_destroy - free what cp_parts_init() allocated
 * @parts: the parts, which are not used any more
 *
 * May sleep.
 */
void cp_parts_destroy(struct cp_parts *parts)
{
	unsigned int i;

	for (i = 0; i < parts->nr; i++)
		part_free(parts->at[i]);
	kvfree(parts->at);
	cp_area_put(parts->area);
	cp_newcomers_destroy(&parts->newcomers);
}

/**
 * cp_parts_death_slot - the slot of the state of death
 * @parts: the parts
 *
 * Return: its number: the one after the ring's.
 */
unsigned int cp_parts_death_slot(const struct cp_parts *parts)
{
	return cp_ring_slots(parts->plan.policy, parts->plan.nr_slots);
}

/* Gives the oldest part that has ended and that no master reads, if there are too many. */
static struct cp_part *parts_recycle(struct cp_parts *parts)
{
	struct cp_part *part;

	lockdep_assert_held(&parts->lock);
	if (parts->plan.policy != CP_POLICY_OVERWRITE ||
	    (parts->nr_ended <= CP_ENDED_KEPT &&
	     READ_ONCE(parts->nr) < parts->max))
		return NULL;
	list_for_each_entry(part, &parts->ended, node) {
		if (part == READ_ONCE(parts->reading) ||
		    !cp_ring_reopen(&part->ring))
			continue;
		WRITE_ONCE(part->ended, false);
		parts->nr_ended--;
		list_del(&part->node);
		return part;
	}
	return NULL;
}

static struct cp_part *parts_reuse(struct cp_parts *parts)
{
	struct cp_part *part;

	lockdep_assert_held(&parts->lock);
	part = list_first_entry_or_null(&parts->free, struct cp_part, node);
	if (!part)
		return parts_recycle(parts);
	list_del(&part->node);
	/* Cannot fail: no master takes from a free part. */
	cp_ring_reopen(&part->ring);
	return part;
}

static void part_set_hook(struct cp_parts *parts, struct cp_part *part,
			  struct cp_hook *hook)
{
	lockdep_assert_held(&parts->lock);
	WRITE_ONCE(part->hook, hook);
	WRITE_ONCE(part->is_put_back, false);
	WRITE_ONCE(parts->nr_live, parts->nr_live + 1);
}

static void part_clear_hook(struct cp_parts *parts, struct cp_part *part)
{
	lockdep_assert_held(&parts->lock);
	WRITE_ONCE(part->hook, NULL);
	WRITE_ONCE(parts->nr_live, parts->nr_live - 1);
}

/* Gives the part to the thread, unless the pair is over. */
static int part_assign(struct cp_parts *parts, struct cp_part *part,
		       struct cp_hook *hook, s32 nr)
{
	bool closed;

	cp_region_assign(part->region, nr);
	spin_lock(&parts->lock);
	closed = parts->closed;
	WRITE_ONCE(part->nr, nr);
	if (closed)
		list_add(&part->node, &parts->free);
	else
		part_set_hook(parts, part, hook);
	spin_unlock(&parts->lock);
	return closed ? -EPIPE : 0;
}

/**
 * cp_parts_join - find a part for a thread
 * @parts: the parts
 * @hook: the thread's hook; it stays until cp_parts_leave()
 * @nr: its id for the master
 * @result: set to the part
 *
 * Called by the thread itself, or by the master that makes the pair. May sleep.
 *
 * Return: 0; -EPIPE when the pair is over; -EOVERFLOW when there are as many threads
 * as there may be parts; -EDQUOT at the user's limit; -ENOMEM.
 */
int cp_parts_join(struct cp_parts *parts, struct cp_hook *hook, s32 nr,
		  struct cp_part **result)
{
	struct cp_part *part;
	int ret;

	spin_lock(&parts->lock);
	part = parts_reuse(parts);
	spin_unlock(&parts->lock);
	if (!part) {
		mutex_lock(&parts->growing);
		part = parts_add(parts);
		mutex_unlock(&parts->growing);
		if (IS_ERR(part))
			return PTR_ERR(part);
	}
	ret = part_assign(parts, part, hook, nr);
	if (!ret)
		*result = part;
	return ret;
}

static void parts_wake_masters(struct cp_parts *parts)
{
	if (wq_has_sleeper(parts->plan.wait))
		wake_up_interruptible_poll(parts->plan.wait, EPOLLIN);
}

/**
 * cp_parts_end - the thread of a part exits
 * @parts: the parts
 * @part: the part
 * @status: the thread's status as waitpid(2) gives it
 *
 * Called by the thread.
 */
void cp_parts_end(struct cp_parts *parts, struct cp_part *part, s32 status)
{
	spin_lock(&parts->lock);
	part_clear_hook(parts, part);
	part->status = status;
	WRITE_ONCE(part->ended_at, ktime_get_ns());
	/* Pairs with part_offer(). */
	smp_store_release(&part->ended, true);
	list_add_tail(&part->node, &parts->ended);
	parts->nr_ended++;
	spin_unlock(&parts->lock);
	/* Wakes masters, which find the end. */
	cp_ring_close(&part->ring);
}

/**
 * cp_parts_leave - undo cp_parts_join() for a thread that does not write any more
 * @parts: the parts
 * @part: the part, which may have another thread by now if cp_parts_end() was called
 * @hook: the thread's hook
 */
void cp_parts_leave(struct cp_parts *parts, struct cp_part *part,
		    const struct cp_hook *hook)
{
	spin_lock(&parts->lock);
	if (part->hook == hook)
		part_clear_hook(parts, part);
	spin_unlock(&parts->lock);
}

/**
 * cp_parts_give_back - undo cp_parts_join(): the thread has written nothing
 * @parts: the parts
 * @part: the part
 */
void cp_parts_give_back(struct cp_parts *parts, struct cp_part *part)
{
	spin_lock(&parts->lock);
	part_clear_hook(parts, part);
	list_add(&part->node, &parts->free);
	spin_unlock(&parts->lock);
}

/**
 * cp_parts_close - the pair is over
 * @parts: the parts
 *
 * Threads that wait continue, and are not nudged any more; none begins. Masters return
 * when they have taken what is left. Children continue to wait: cp_newcomers_close(). May be
 * called more than once. May sleep.
 */
void cp_parts_close(struct cp_parts *parts)
{
	struct cp_part *part;

	spin_lock(&parts->lock);
	WRITE_ONCE(parts->closed, true);
	spin_unlock(&parts->lock);
	for (part = part_at(parts, 0); part; part = part_next(part)) {
		spin_lock(&parts->lock);
		if (part->hook)
			cp_hook_release(part->hook);
		spin_unlock(&parts->lock);
		cp_ring_close(&part->ring);
	}
}

static void part_summon(struct cp_part *part)
{
	spin_lock(&part->parts->lock);
	if (part->hook)
		cp_hook_nudge(part->hook);
	spin_unlock(&part->parts->lock);
}

static void ring_summon(struct cp_ring *ring)
{
	part_summon(container_of(ring, struct cp_part, ring));
}

/**
 * cp_parts_summon - nudge all threads that have not arrived
 * @parts: the parts
 */
void cp_parts_summon(struct cp_parts *parts)
{
	struct cp_part *part;

	for (part = part_at(parts, 0); part; part = part_next(part))
		if (cp_ring_slave_is_away(&part->ring))
			part_summon(part);
}

/**
 * cp_part_is_parked - does the thread of a part wait at the gate?
 * @part: the part
 *
 * Return: true when it does, or is about to.
 */
bool cp_part_is_parked(const struct cp_part *part)
{
	return cp_gate_stops(part->parts->plan.gate, READ_ONCE(part->parked));
}

static void part_summon_to_gate(struct cp_part *part, bool asleep)
{
	spin_lock(&part->parts->lock);
	if (part->hook && !cp_part_is_parked(part)) {
		if (asleep)
			cp_hook_kick(part->hook);
		else
			cp_hook_nudge(part->hook);
	}
	spin_unlock(&part->parts->lock);
}

/**
 * cp_parts_park - thread: it is about to wait at the gate
 * @part: its part
 * @ticket: from cp_gate_ticket()
 *
 * Nudges until now have been served: they must not end a later system call. The lock
 * orders this and nudges that come after the gate has been opened.
 *
 * Return: false when the gate has been open meanwhile.
 */
bool cp_parts_park(struct cp_part *part, unsigned int ticket)
{
	bool stops;

	spin_lock(&part->parts->lock);
	stops = cp_gate_stops(part->parts->plan.gate, ticket);
	if (stops) {
		WRITE_ONCE(part->parked, ticket);
		cp_hook_nudge_served(part->hook);
	}
	spin_unlock(&part->parts->lock);
	return stops;
}

/**
 * cp_parts_hold - let all threads arrive at the gate, which is closed
 * @parts: the parts
 * @asleep: interrupt no system call
 *
 * Threads that wait for a master hand over their state without one.
 */
void cp_parts_hold(struct cp_parts *parts, bool asleep)
{
	struct cp_part *part;

	for (part = part_at(parts, 0); part; part = part_next(part)) {
		/* A thread that waits for a place takes its ticket after the wait. */
		if (!cp_ring_hold(&part->ring))
			part_summon_to_gate(part, asleep);
	}
}

/* Is the part's thread asleep in a system call? A thread that has exited has no hook here. */
static bool part_is_asleep(struct cp_part *part)
{
	bool asleep;

	spin_lock(&part->parts->lock);
	asleep = part->hook && cp_sleeper_is_asleep(part->hook->task);
	spin_unlock(&part->parts->lock);
	return asleep;
}

static bool part_is_late(struct cp_part *part, bool asleep)
{
	return READ_ONCE(part->hook) && !cp_part_is_parked(part) &&
	       !cp_ring_is_stuck(&part->ring) &&
	       !(asleep && part_is_asleep(part));
}

/**
 * cp_parts_stuck - how many threads wait until a master makes room
 * @parts: the parts, whose slave is held
 *
 * Return: their number.
 */
unsigned int cp_parts_stuck(struct cp_parts *parts)
{
	unsigned int nr = 0;
	struct cp_part *part;

	for (part = part_at(parts, 0); part; part = part_next(part))
		nr += cp_ring_is_stuck(&part->ring);
	return nr;
}

/**
 * cp_parts_asleep - how many threads sleep in a system call
 * @parts: the parts
 *
 * Return: their number.
 */
unsigned int cp_parts_asleep(struct cp_parts *parts)
{
	unsigned int nr = 0;
	struct cp_part *part;

	for (part = part_at(parts, 0); part; part = part_next(part))
		nr += part_is_asleep(part);
	return nr;
}

/**
 * cp_parts_sleeper - read the registers of a thread that sleeps in a system call
 * @parts: the parts
 * @i: the index of the thread's part
 * @sleeper: filled in
 *
 * Return: 0; -ENOENT when part @i does not exist; -EPIPE when the pair is over; -ESRCH when
 * no thread has the part now; -EALREADY when the thread waits at the gate; -EAGAIN when the
 * thread is awake.
 */
int cp_parts_sleeper(struct cp_parts *parts, unsigned int i,
		     struct cp_sleeper *sleeper)
{
	struct cp_part *part;
	int ret = 0;

	/* The caller of CP_IOC_SLEEPER has chosen @i. */
	if (i >= parts->max)
		return -ENOENT;
	part = part_at(parts, array_index_nospec(i, parts->max));
	if (!part)
		return -ENOENT;
	spin_lock(&parts->lock);
	if (parts->closed)
		ret = -EPIPE;
	else if (!part->hook)
		ret = -ESRCH;
	else if (cp_part_is_parked(part))
		ret = -EALREADY;
	else if (!cp_sleeper_capture(part->hook->task, part->nr, sleeper))
		ret = -EAGAIN;
	spin_unlock(&parts->lock);
	return ret;
}

/**
 * cp_parts_late - find a thread that has not arrived
 * @parts: the parts
 * @asleep: threads that sleep in a system call do not count
 *
 * Return: the id, for the master, of one that neither waits for a place in its ring nor
 * at the gate; 0 if there is none.
 */
s32 cp_parts_late(struct cp_parts *parts, bool asleep)
{
	struct cp_part *part;

	for (part = part_at(parts, 0); part; part = part_next(part))
		if (part_is_late(part, asleep))
			return READ_ONCE(part->nr);
	return 0;
}

/**
 * cp_parts_each - call a function for each thread
 * @parts: the parts
 * @fn: called with the thread's part under cp_parts.lock, so that the thread's hook and
 *	task stay
 * @data: passed to it
 *
 * Return: the first result of @fn that is not 0, at which the walk ends; or 0.
 */
int cp_parts_each(struct cp_parts *parts, cp_part_fn fn, void *data)
{
	struct cp_part *part;
	int ret = 0;

	for (part = part_at(parts, 0); part && !ret; part = part_next(part)) {
		spin_lock(&parts->lock);
		if (part->hook)
			ret = fn(part, data);
		spin_unlock(&parts->lock);
	}
	return ret;
}

static void part_fetch(struct cp_part *part)
{
	lockdep_assert_held(&part->parts->lock);
	WRITE_ONCE(part->conceal, true);
	cp_hook_nudge(part->hook);
}

/* What cp_parts_fetch() has found. */
struct fetch {
	bool is_anyone_parked;
	unsigned int nr_fetched;
};

static int part_fetch_waiter(struct cp_part *part, void *data)
{
	struct task_struct *task = part->hook->task;
	struct fetch *fetch = data;

	if (cp_part_is_parked(part)) {
		fetch->is_anyone_parked = true;
	} else if (cp_sleeper_is_asleep(task) &&
		   cp_sleeper_waits_for_children(task)) {
		part_fetch(part);
		fetch->nr_fetched++;
	}
	return 0;
}

static int part_fetch_sleeper(struct cp_part *part, void *data)
{
	struct task_struct *task = part->hook->task;

	if (!cp_sleeper_is_asleep(task) || !cp_sleeper_may_repeat(task))
		return 0;
	part_fetch(part);
	return 1;
}

/**
 * cp_parts_fetch - have a thread at the gate that can execute a call
 * @parts: the parts, whose threads are held or asleep
 *
 * Brings threads to the gate that sleep in a call which could find a child. If no thread is
 * at the gate, brings one there whose call can be repeated.
 *
 * Return: 0 when no thread had to be brought; 1 when a thread is on the way; -EAGAIN when all
 * threads sleep in calls that must not be interrupted.
 */
int cp_parts_fetch(struct cp_parts *parts)
{
	struct fetch fetch = { };

	cp_parts_each(parts, part_fetch_waiter, &fetch);
	if (fetch.nr_fetched)
		return 1;
	if (fetch.is_anyone_parked)
		return 0;
	return cp_parts_each(parts, part_fetch_sleeper, NULL) ? 1 : -EAGAIN;
}

/**
 * cp_part_call - let a thread execute a call
 * @part: its part, as cp_parts_each() gives it; the thread waits at the gate, which is
 *	bolted, and executes nothing
 * @call: the call
 */
void cp_part_call(struct cp_part *part, struct cp_call *call)
{
	lockdep_assert_held(&part->parts->lock);
	WRITE_ONCE(part->call, call);
	/* It sleeps at the gate, or will not begin to. */
	wake_up_process(part->hook->task);
}

static int part_call_if_parked(struct cp_part *part, void *call)
{
	if (!cp_part_is_parked(part))
		return 0;
	cp_part_call(part, call);
	return 1;
}

/**
 * cp_parts_call - let a thread that waits at the gate execute a call
 * @parts: the parts
 * @call: the call
 *
 * The gate is bolted by the caller, so no other call is under way.
 *
 * Return: false when no thread waits there.
 */
bool cp_parts_call(struct cp_parts *parts, struct cp_call *call)
{
	return cp_parts_each(parts, part_call_if_parked, call);
}

/**
 * cp_part_recall - take back from a thread what it executes for the master
 * @part: the thread's part, or one that it had
 * @hook: the thread's hook
 * @leaves: the part is about to be another thread's, so no call may be given to it
 *
 * Return: the call, or NULL.
 */
struct cp_call *cp_part_recall(struct cp_part *part, const struct cp_hook *hook,
			       bool leaves)
{
	struct cp_call *call = NULL;

	spin_lock(&part->parts->lock);
	if (part->hook == hook) {
		call = part->call;
		WRITE_ONCE(part->call, NULL);
		if (leaves)
			WRITE_ONCE(part->parked, 0);
	}
	spin_unlock(&part->parts->lock);
	return call;
}

/* A part, and what it offers. */
struct choice {
	struct cp_part *part;
	struct cp_offer offer;
};

static struct cp_offer part_offer(struct cp_part *part)
{
	struct cp_offer offer = cp_ring_offer(&part->ring);

	if (offer.kind != CP_OFFER_OVER)
		return offer;
	/* At most the end of the thread is left. Pairs with cp_parts_end(). */
	if (smp_load_acquire(&part->ended))
		offer.time = READ_ONCE(part->ended_at);
	else
		offer.kind = CP_OFFER_NONE;
	return offer;
}

/*
 * Is @a older than @b? A thread that waits has not written yet, so its checkpoint will be
 * younger than all that have been written.
 */
static bool offer_is_before(const struct cp_offer *a, const struct cp_offer *b)
{
	bool a_waits = a->kind == CP_OFFER_SLAVE;
	bool b_waits = b->kind == CP_OFFER_SLAVE;

	return a_waits == b_waits ? a->time < b->time : b_waits;
}

static struct choice parts_find_oldest(struct cp_parts *parts)
{
	struct choice found = { };
	struct cp_part *part;

	for (part = part_at(parts, 0); part; part = part_next(part)) {
		struct cp_offer offer = part_offer(part);

		if (offer.kind != CP_OFFER_NONE &&
		    (!found.part || offer_is_before(&offer, &found.offer)))
			found = (struct choice){ part, offer };
	}
	return found;
}

/*
 * Gives the oldest of what all parts offer. Once the search has passed the lock of a ring,
 * that ring publishes nothing older than the beginning of the search; so an offer that is
 * older than the beginning is the oldest of all. If the result is not, the search is
 * repeated, and the result must not be overwritten meanwhile: a thread that publishes more
 * often than a search takes would make the master search without end.
 */
static struct choice parts_choose(struct cp_parts *parts)
{
	struct choice found;
	u64 begun;

	for (;;) {
		begun = ktime_get_ns();
		found = parts_find_oldest(parts);
		if (!found.part || found.offer.time <= begun)
			return found;
		cp_ring_keep(&found.part->ring);
	}
}

/*
 * Takes the end of a thread, which is taken once. Since the offer, the part may have been
 * given to another thread, which has left checkpoints and has ended, too.
 */
static int parts_take_end(struct cp_parts *parts, struct cp_part *part,
			  struct cp_parts_taken *taken)
{
	int ret = -EAGAIN;

	spin_lock(&parts->lock);
	if (part->ended && cp_ring_offer(&part->ring).kind == CP_OFFER_OVER) {
		WRITE_ONCE(part->ended, false);
		list_del(&part->node);
		parts->nr_ended--;
		taken->nr = part->nr;
		taken->status = part->status;
		ret = 2;
	}
	spin_unlock(&parts->lock);
	return ret;
}

/**
 * cp_parts_end_taken - master: the end of a thread has been delivered, or not
 * @parts: the parts
 * @part: the thread's part
 * @delivered: if false, the end is for the next taker
 */
void cp_parts_end_taken(struct cp_parts *parts, struct cp_part *part,
			bool delivered)
{
	spin_lock(&parts->lock);
	WRITE_ONCE(part->ended, !delivered);
	parts->nr_ended += !delivered;
	list_add(&part->node, delivered ? &parts->free : &parts->ended);
	spin_unlock(&parts->lock);
	/* Another thread of the master may wait for this end. */
	if (!delivered)
		parts_wake_masters(parts);
}

/* Gives -EAGAIN when there may be another choice now. */
static int parts_take_choice(struct cp_parts *parts,
			     const struct choice *choice,
			     struct cp_parts_taken *taken)
{
	struct cp_ring *ring = &choice->part->ring;

	taken->part = choice->part;
	switch (choice->offer.kind) {
	case CP_OFFER_OVER:
		return parts_take_end(parts, choice->part, taken);
	case CP_OFFER_SLAVE:
		return cp_ring_invite(ring) ?: -EAGAIN;
	default:
		return cp_ring_take_offer(ring, &choice->offer, &taken->slot);
	}
}

/* Is the pair over, and no child left? */
static bool parts_is_over(struct cp_parts *parts)
{
	return READ_ONCE(parts->closed) && cp_newcomers_over(&parts->newcomers);
}

/* Gives as cp_parts_take(), and -EAGAIN when nothing is there. */
static int parts_try_take(struct cp_parts *parts, struct cp_parts_taken *taken)
{
	struct choice choice;
	int ret;

	taken->newcomer = cp_newcomers_take(&parts->newcomers);
	if (taken->newcomer)
		return 3;
	do {
		choice = parts_choose(parts);
		if (!choice.part)
			return parts_is_over(parts) ? 0 : -EAGAIN;
		ret = parts_take_choice(parts, &choice, taken);
		if (ret == -EAGAIN && signal_pending(current))
			ret = -ERESTARTSYS;
	} while (ret == -EAGAIN);
	/* The thread that was invited has not used its turn. */
	return ret == -ETIME ? -EAGAIN : ret;
}

static int parts_wait_and_take(struct cp_parts *parts, u64 deadline,
			       struct cp_parts_taken *taken)
{
	int ret;

	do {
		ret = cp_wait_event(*parts->plan.wait, cp_parts_ready(parts),
				    deadline);
		if (ret == -ERESTARTSYS)
			return ret;
		ret = parts_try_take(parts, taken);
	} while (ret == -EAGAIN && ktime_get_ns() < deadline);
	return ret == -EAGAIN ? -ETIMEDOUT : ret;
}

static int parts_take_any(struct cp_parts *parts, u64 deadline, bool nudge,
			  struct cp_parts_taken *taken)
{
	int ret = parts_try_take(parts, taken);

	if (ret != -EAGAIN)
		return ret;
	if (nudge)
		cp_parts_summon(parts);
	return deadline ? parts_wait_and_take(parts, deadline, taken) :
			  parts_try_take(parts, taken);
}

static int part_take(struct cp_part *part, u64 deadline, bool nudge,
		     struct cp_parts_taken *taken)
{
	taken->part = part;
	return cp_ring_take(&part->ring, deadline, nudge ? ring_summon : NULL,
			    &taken->slot);
}

/**
 * cp_parts_take - master: wait for the next checkpoint of any thread
 * @parts: the parts
 * @deadline: as for cp_ring_take()
 * @nudge: nudge threads that have not arrived, if there is nothing to take
 * @taken: filled in
 *
 * Return: 1: a checkpoint; cp_ring_taken() or cp_ring_put_back() follows on the part's
 * ring. 2: a thread has ended; cp_parts_end_taken() follows. 3: a child is held;
 * cp_parts_newcomer_taken() follows. 0: nothing is left, and nothing will come. Or an
 * error, as cp_ring_take().
 */
int cp_parts_take(struct cp_parts *parts, u64 deadline, bool nudge,
		  struct cp_parts_taken *taken)
{
	int ret;

	if (parts->plan.single)
		return part_take(parts->at[0], deadline, nudge, taken);
	atomic_inc(&parts->getters);
	ret = parts_take_any(parts, deadline, nudge, taken);
	atomic_dec(&parts->getters);
	if (ret == 1)
		WRITE_ONCE(parts->reading, taken->part);
	return ret;
}

/**
 * cp_parts_newcomer_taken - master: a child has been delivered, or not
 * @parts: the parts
 * @newcomer: the child
 * @delivered: if false, the child is for the next taker
 */
void cp_parts_newcomer_taken(struct cp_parts *parts,
			     struct cp_newcomer *newcomer, bool delivered)
{
	if (delivered)
		cp_newcomer_unref(newcomer);
	else
		cp_newcomers_put_back(&parts->newcomers, newcomer);
}

/**
 * cp_parts_announce - child: let the master take a newcomer
 * @parts: those of the parent
 * @newcomer: the newcomer, which is the current task
 *
 * Return: false when the master has left, or has too many to take; then it has not seen the
 * child.
 */
bool cp_parts_announce(struct cp_parts *parts, struct cp_newcomer *newcomer)
{
	bool queued = cp_newcomers_queue(&parts->newcomers, newcomer);

	if (!queued)
		atomic_inc(&parts->unseen);
	/* Even if it is not queued: the master may have waited for this child alone. */
	wake_up(parts->plan.wait);
	return queued;
}

/**
 * cp_parts_stillborn - child: it dies before its first instruction, and is not announced
 * @parts: those of the parent
 */
void cp_parts_stillborn(struct cp_parts *parts)
{
	cp_newcomers_skip(&parts->newcomers);
	wake_up(parts->plan.wait);
}

/**
 * cp_parts_ready - would cp_parts_take() return at once?
 * @parts: the parts
 *
 * Return: true when a checkpoint, the end of a thread or a child is there, a thread waits,
 * or the pair is over.
 */
bool cp_parts_ready(struct cp_parts *parts)
{
	struct cp_part *part;

	if (parts->plan.single)
		return cp_ring_ready(&parts->at[0]->ring);
	for (part = part_at(parts, 0); part; part = part_next(part))
		if (part_offer(part).kind != CP_OFFER_NONE)
			return true;
	return cp_newcomers_any(&parts->newcomers) || parts_is_over(parts);
}

/**
 * cp_parts_threads - how many threads the pair has
 * @parts: the parts
 *
 * Return: their number.
 */
unsigned int cp_parts_threads(const struct cp_parts *parts)
{
	return READ_ONCE(parts->nr_live);
}

/**
 * cp_parts_state - who is waiting
 * @parts: the parts
 *
 * Return: the state, which may change at any time. CP_RING_HELD if the master holds the
 * slave, else CP_RING_SLAVE_WAITING if one thread waits.
 */
enum cp_ring_state cp_parts_state(struct cp_parts *parts)
{
	enum cp_ring_state state = CP_RING_RUNNING;
	struct cp_part *part;

	if (READ_ONCE(parts->closed))
		return CP_RING_OVER;
	if (cp_gate_is_closed(parts->plan.gate))
		return CP_RING_HELD;
	for (part = part_at(parts, 0); part; part = part_next(part)) {
		state = cp_ring_state(&part->ring);
		if (state == CP_RING_SLAVE_WAITING || parts->plan.single)
			return state;
	}
	return atomic_read(&parts->getters) ? CP_RING_MASTER_WAITING :
					      CP_RING_RUNNING;
}

/**
 * cp_parts_count - what has become of all threads' checkpoints so far
 * @parts: the parts
 * @counts: filled in
 */
void cp_parts_count(struct cp_parts *parts, struct cp_ring_counts *counts)
{
	struct cp_part *part;

	memset(counts, 0, sizeof(*counts));
	for (part = part_at(parts, 0); part; part = part_next(part)) {
		counts->taken += READ_ONCE(part->ring.counts.taken);
		counts->missed += READ_ONCE(part->ring.counts.missed);
	}
}

static void figures_add(struct cp_figures *sum, const struct cp_stats *one)
{
	struct cp_held held = cp_stats_read_held(one);
	unsigned int i;

	sum->bytes += READ_ONCE(one->bytes);
	sum->held.total += held.total;
	sum->held.longest = max(sum->held.longest, held.longest);
	for (i = 0; i < ARRAY_SIZE(sum->held_histogram); i++)
		sum->held_histogram[i] += READ_ONCE(one->held_histogram[i]);
}

/**
 * cp_parts_figures - the figures of all threads together
 * @parts: the parts
 * @sum: filled in; the last system call is the first thread's
 */
void cp_parts_figures(struct cp_parts *parts, struct cp_figures *sum)
{
	struct cp_part *part;

	memset(sum, 0, sizeof(*sum));
	sum->last_syscall = READ_ONCE(parts->at[0]->stats.last_syscall);
	sum->last_flags = READ_ONCE(parts->at[0]->stats.last_flags);
	for (part = part_at(parts, 0); part; part = part_next(part))
		figures_add(sum, &part->stats);
}
