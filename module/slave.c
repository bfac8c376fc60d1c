// SPDX-License-Identifier: GPL-2.0-only
/*
 * The slave's side of a pair: what each of its threads does in its hook. All of it runs
 * in the thread's own context.
 */
#include <linux/checkpoint.h>
#include <linux/checkpoint_netlink.h>
#include <linux/memcontrol.h>
#include <linux/overflow.h>
#include <linux/pid.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task_stack.h>
#include <asm/syscall.h>

#include "call.h"
#include "capture.h"
#include "compat.h"
#include "events.h"
#include "life.h"
#include "listeners.h"
#include "pair.h"
#include "slave.h"
#include "sleeper.h"
#include "thread.h"
#include "trace.h"

/* The signal in a status as waitpid(2) gives it. */
#define WTERMSIG(status)	((status) & 0x7f)

static struct cp_thread *thread_of(const struct cp_hook *hook)
{
	return container_of(hook, struct cp_thread, hook);
}

/* Counts a hold-up since @begun that handed over nothing. Gives its length. */
static u64 count_vain_hold(struct cp_thread *thread, u64 begun)
{
	u64 held = ktime_get_ns() - begun;

	cp_stats_held(&thread->part->stats, held);
	return held;
}

static void count_miss(struct cp_thread *thread, u64 held)
{
	this_cpu_inc(cp_totals.missed);
	trace_miss(thread, held);
}

/* The thread got no slot: the pair is over, a signal arrived, or the limit passed. */
static void count_vain_wait(struct cp_thread *thread,
			    const struct cp_claim *claim, int ret)
{
	u64 held;

	/* The thread did not wait. */
	if (!claim->begun)
		return;
	held = count_vain_hold(thread, claim->begun);
	if (ret == -ETIME)
		count_miss(thread, held);
}

static void count_checkpoint(struct cp_thread *thread,
			     const struct cp_checkpoint *checkpoint, u64 seq,
			     u64 waited, u64 copied)
{
	struct cp_stats *stats = &thread->part->stats;
	u64 bytes = cp_checkpoint_bytes(checkpoint);

	WRITE_ONCE(stats->bytes, stats->bytes + bytes);
	if (checkpoint->entry == CP_ENTRY_SYSCALL)
		WRITE_ONCE(stats->last_syscall, checkpoint->syscall);
	WRITE_ONCE(stats->last_flags, checkpoint->flags);
	this_cpu_inc(cp_totals.checkpoints);
	this_cpu_add(cp_totals.bytes, bytes);
	trace_capture(thread, checkpoint, seq, bytes, waited, copied);
}

/* Captures into the slot. True if a late capture would have succeeded. */
static bool fill_slot(struct cp_thread *thread, const struct cp_slot *slot,
		      struct pt_regs *regs, struct cp_cause cause, bool dying)
{
	struct cp_part *part = thread->part;
	bool light;

	cp_region_unpublish(slot);
	cp_capture_header(slot->header, regs, cause, thread->nr);
	light = cp_capture_stack(part->region, slot, regs->sp, dying);
	if (part->xstate)
		cp_capture_xstate(part->region, slot, part->xstate,
				  part->parts->plan.region.xstate_size);
	return light && !part->xstate;
}

/* Does the master want this return? While the slave is held, each one leads to the gate. */
static bool slave_is_due(const struct cp_hook *hook)
{
	const struct cp_thread *thread = thread_of(hook);
	const struct cp_pair *pair = thread->pair;

	/* The work has to run, to remove the hook or to end the pair. */
	if (cp_pair_is_over(pair) || current->mm != pair->slave.mm ||
	    cp_gate_is_closed(&pair->gate))
		return true;
	if (pair->ask.every > 1 && thread->returns % pair->ask.every)
		return false;
	return !pair->ask.interval || ktime_get_ns() >= thread->next_time;
}

/* The header has the time when the capture began, by the machine's clock. */
static void account_capture(struct cp_thread *thread,
			    const struct cp_checkpoint *checkpoint,
			    const struct cp_claim *claim, u64 now)
{
	u64 begun = checkpoint->time;
	u64 waited = claim->begun ? begun - claim->begun : 0;
	u64 copied = now - begun;

	count_checkpoint(thread, checkpoint, claim->seq, waited, copied);
	cp_stats_held(&thread->part->stats, waited + copied);
	if (check_add_overflow(now, thread->pair->ask.interval,
			       &thread->next_time))
		thread->next_time = U64_MAX;
}

/* A time of the machine's clock becomes one of the master's. */
static void slot_set_time(struct cp_thread *thread, const struct cp_slot *slot,
			  u64 time)
{
	slot->header->time = time + thread->pair->master.time_offset;
}

/*
 * Called under the ring's lock, where the checkpoint gets its time (ring.h). Reading the
 * clock is the most expensive part, so what needs the time is counted here, too, before
 * the master can know of the checkpoint.
 */
static u64 slave_seal(struct cp_ring *ring, const struct cp_claim *claim)
{
	struct cp_part *part = container_of(ring, struct cp_part, ring);
	struct cp_thread *thread = thread_of(part->hook);
	struct cp_slot slot;
	u64 now;

	cp_region_slot(part->region, claim->slot, &slot);
	now = ktime_get_ns();
	account_capture(thread, slot.header, claim, now);
	slot_set_time(thread, &slot, now);
	cp_region_publish(part->region, &slot, claim->seq);
	return now;
}

/* Waits until the slave is released, if it is still held. */
static void wait_at_gate(struct cp_thread *thread, unsigned int ticket)
{
	struct cp_part *part = thread->part;
	struct cp_pair *pair = thread->pair;
	u64 begun = ktime_get_ns();

	if (!cp_parts_park(part, ticket))
		return;
	cp_stats_hold(&part->stats, begun);
	cp_gate_wait(&pair->gate, ticket, &part->call);
	count_vain_hold(thread, begun);
}

/*
 * The thread does not execute anything for the master any more. The master gets @result if
 * the call has not come to its end. Only now may another master pair with the thread.
 */
static void slave_end_call(struct cp_thread *thread, int result, bool leaves)
{
	struct cp_call *call;

	if (!thread->part)
		return;
	call = cp_part_recall(thread->part, &thread->hook, leaves);
	if (call)
		call->ops->over(call, thread->pair, result);
}

/* The thread waits at the gate, or is on its way back there from a call. */
static bool slave_detour(struct cp_hook *hook, struct pt_regs *regs)
{
	struct cp_thread *thread = thread_of(hook);
	struct cp_part *part = thread->part;
	struct cp_call *call;

	while (unlikely((call = READ_ONCE(part->call)))) {
		if (call->ops->step(call, thread->pair, regs))
			return true;
		slave_end_call(thread, 0, false);
		wait_at_gate(thread, part->parked);
	}
	if (unlikely(READ_ONCE(part->is_put_back))) {
		WRITE_ONCE(part->is_put_back, false);
		thread->captured = false;
		cp_hook_discard(hook);
	}
	return false;
}

/* The slot that the thread has claimed; false without memory for it. */
static bool claimed_slot(struct cp_thread *thread, const struct cp_claim *claim,
			 struct cp_slot *slot)
{
	struct cp_part *part = thread->part;

	if (likely(cp_region_slot_alloc(part->region, claim->slot, slot)))
		return true;
	cp_ring_miss(&part->ring);
	count_miss(thread, claim->begun ? count_vain_hold(thread, claim->begun) : 0);
	return false;
}

/*
 * Hands over a checkpoint. True when this return has been dealt with, even if the pair is
 * over or the wait limit has passed; false when a signal has to be acted on first. @ticket
 * is set for wait_at_gate().
 */
static bool slave_hand_over(struct cp_thread *thread, struct pt_regs *regs,
			    struct cp_cause cause, unsigned int *ticket)
{
	struct cp_ring *ring = &thread->part->ring;
	struct cp_claim claim;
	struct cp_slot slot;
	bool light = false;
	u64 begun;
	int ret;

	ret = cp_ring_claim(ring, thread->pair->ask.wait_limit, &claim);
	*ticket = cp_gate_ticket(&thread->pair->gate);
	if (ret) {
		count_vain_wait(thread, &claim, ret);
		return ret != -ERESTARTSYS;
	}
	if (!claimed_slot(thread, &claim, &slot))
		return true;

	begun = claim.begun;
	/* With a signal pending, keep the slot's contents. */
	if (!signal_pending(current)) {
		light = fill_slot(thread, &slot, regs, cause, false);
		begun = begun ?: slot.header->time;
	}
	if (signal_pending(current)) {
		/* If a handler runs, these are not the final registers. */
		if (begun)
			count_vain_hold(thread, begun);
		cp_ring_abandon(ring);
		return false;
	}
	cp_event_checkpoint(thread->pair, slot.header, claim.seq,
			    slot.header->time);
	thread->light = light;
	thread->captured = true;
	cp_ring_publish(ring, &claim, slave_seal);
	return true;
}

static bool slave_capture(struct cp_hook *hook, struct pt_regs *regs,
			  struct cp_cause cause)
{
	struct cp_thread *thread = thread_of(hook);
	unsigned int ticket;

	thread->cause = cause;
	if (!slave_hand_over(thread, regs, cause, &ticket))
		return false;
	if (unlikely(ticket))
		wait_at_gate(thread, ticket);
	return true;
}

static bool may_be_late(const struct cp_thread *thread)
{
	const struct cp_ring *ring = &thread->part->ring;

	if (!CP_LATE_WORKS || !thread->light ||
	    ring->policy != CP_POLICY_OVERWRITE ||
	    cp_listeners_want(thread->pair, CP_NL_EVENT_CHECKPOINTS) ||
	    cp_gate_is_closed(&thread->pair->gate))
		return false;
	/*
	 * Do not capture late while a master sleeps: the wake-up would take effect
	 * only at the next interrupt; the return from that interrupt is captured
	 * and wakes the master again, so a slave sharing its CPU would never reach
	 * user mode.
	 */
	return !cp_ring_would_wake(ring);
}

static bool slave_prefers_late(const struct cp_hook *hook)
{
	/* With a rate, a late capture is the cheaper way to skip a return. */
	return hook->rated || may_be_late(thread_of(hook));
}

/* Interrupts are off: waits for nothing and allocates nothing. */
static bool slave_capture_late(struct cp_hook *hook, struct pt_regs *regs,
			       struct cp_cause cause)
{
	struct cp_thread *thread = thread_of(hook);
	struct cp_pair *pair = thread->pair;
	struct cp_part *part = thread->part;
	struct cp_claim claim;
	struct cp_slot slot;

	if (cp_pair_is_over(pair) || current->mm != pair->slave.mm ||
	    !may_be_late(thread))
		return false;
	cp_ring_claim_late(&part->ring, &claim);

	cp_region_slot(part->region, claim.slot, &slot);
	if (unlikely(!slot.header))
		return false;
	cp_region_unpublish(&slot);
	cp_capture_header(slot.header, regs, cause, thread->nr);
	return cp_capture_stack_late(part->region, &slot, regs->sp) &&
	       cp_ring_publish_late(&part->ring, &claim, slave_seal);
}

/* Saves the state if signals may kill the thread now, and the master wants it. */
static void slave_foresee_death(struct cp_hook *hook, struct pt_regs *regs,
				struct cp_cause cause)
{
	struct cp_thread *thread = thread_of(hook);
	struct cp_pair *pair = thread->pair;
	struct cp_slot slot;

	if (!(pair->ask.flags & CP_PREP_DEATH) ||
	    !cp_death_foreseen(&thread->death, ns_of_pid(pair->master.pid)))
		return;
	cp_region_slot(thread->part->region, cp_parts_death_slot(&pair->parts),
		       &slot);
	fill_slot(thread, &slot, regs, cause, true);
	count_vain_hold(thread, slot.header->time);
	slot_set_time(thread, &slot, slot.header->time);
	thread->dying = true;
}

/* The death was not foreseen, and the thread's memory is gone. */
static void slave_save_remains(struct cp_thread *thread,
			       const struct cp_slot *slot, struct pt_regs *regs)
{
	struct cp_part *part = thread->part;

	/* Killed between a capture and user mode: that state is the last. */
	if (thread->captured) {
		cp_region_copy_newest(part->region, slot);
		return;
	}
	cp_capture_header(slot->header, regs,
			  (struct cp_cause){ .entry = CP_ENTRY_INTERRUPT },
			  thread->nr);
	slot_set_time(thread, slot, slot->header->time);
	cp_capture_no_stack(slot, regs->sp);
	if (part->xstate)
		cp_capture_xstate(part->region, slot, part->xstate,
				  part->parts->plan.region.xstate_size);
}

static void describe_death(const struct cp_thread *thread,
			   struct cp_checkpoint *checkpoint, int signal)
{
	const struct cp_death *death = &thread->death;
	bool elsewhere;

	checkpoint->flags |= CP_CHECKPOINT_DEATH;
	checkpoint->signal = signal;
	if (thread->dying && death->signal == signal) {
		checkpoint->signal_code = death->code;
		checkpoint->signal_addr = death->addr;
		checkpoint->signal_thread = death->thread;
		elsewhere = death->elsewhere;
	} else {
		elsewhere = cp_death_was_elsewhere(signal, thread->dying && death->stopping);
	}
	if (elsewhere)
		checkpoint->flags |= CP_CHECKPOINT_DEATH_ELSEWHERE;
}

/* The thread has been killed: hands over its last state. */
static void slave_leave_death(struct cp_thread *thread, int signal)
{
	unsigned int nr = cp_parts_death_slot(&thread->pair->parts);
	struct cp_ring *ring = &thread->part->ring;
	u64 seq = cp_ring_next_seq(ring);
	struct cp_slot slot;

	cp_region_slot(thread->part->region, nr, &slot);
	if (!thread->dying)
		slave_save_remains(thread, &slot, current_pt_regs());
	describe_death(thread, slot.header, signal);
	cp_region_publish(thread->part->region, &slot, seq);
	/* If the master has ended the pair meanwhile, nothing is handed over. */
	if (!cp_ring_leave_last(ring, nr))
		return;
	count_checkpoint(thread, slot.header, seq, 0, 0);
	cp_event_checkpoint(thread->pair, slot.header, seq,
			    slot.header->time - thread->pair->master.time_offset);
}

/* Notes the status of the process, as far as it is known when the current thread exits. */
static void note_exit_status(struct cp_thread *thread)
{
	struct cp_pair *pair = thread->pair;

	if (current->signal->flags & SIGNAL_GROUP_EXIT)
		WRITE_ONCE(pair->exit_status, current->signal->group_exit_code);
	else if (thread_group_leader(current))
		WRITE_ONCE(pair->exit_status, current->exit_code);
}

/* The thread exits; if it is alone in its pair, the pair is over. */
static void slave_exit(struct cp_thread *thread)
{
	struct cp_pair *pair = thread->pair;
	int code = current->exit_code;

	/* Before another thread can get the part. */
	slave_end_call(thread, -EPIPE, true);
	if (thread->part && pair->ask.flags & CP_PREP_DEATH && WTERMSIG(code))
		slave_leave_death(thread, WTERMSIG(code));
	if (!cp_pair_is_process(pair)) {
		cp_life_end(pair, CP_END_EXITED, code);
		return;
	}
	note_exit_status(thread);
	if (thread->part)
		cp_parts_end(&pair->parts, thread->part, code);
	thread->over = true;
}

/* A thread that has been created since the pair was made has no part yet. */
static void slave_join(struct cp_thread *thread)
{
	struct cp_parts *parts = &thread->pair->parts;
	int ret;

	if (thread->part)
		return;
	ret = cp_parts_join(parts, &thread->hook, thread->nr, &thread->part);
	if (!ret)
		return;
	thread->over = true;
	/* After the end of the pair, the thread need not be seen. */
	if (ret != -EPIPE)
		cp_life_thread_unseen(thread->pair);
}

/* Replaces @spare, which is charged to the master as all memory of the pair is. */
static void thread_renew_spare(struct cp_thread *thread)
{
	struct mem_cgroup *old;

	thread->created = false;
	if (thread->spare && (thread->spare_child ||
			      !cp_pair_holds_children(thread->pair)))
		return;
	old = set_active_memcg(thread->pair->parts.area->memcg);
	if (!thread->spare)
		thread->spare = cp_thread_alloc(GFP_KERNEL);
	if (!thread->spare_child && cp_pair_holds_children(thread->pair))
		thread->spare_child = cp_newcomer_alloc(GFP_KERNEL);
	set_active_memcg(old);
}

/*
 * The slave executes another program now. With CP_PREP_CHILDREN, the program does not begin
 * before a process has paired with it.
 */
static void slave_exec(struct cp_pair *pair)
{
	struct cp_newcomer *newcomer = NULL;

	if (cp_pair_holds_children(pair))
		newcomer = cp_newcomer_alloc(GFP_KERNEL);
	/* Before the master is notified: it may pair at once. */
	if (newcomer)
		cp_newcomer_add(newcomer, current, pair->master.uid);
	cp_life_end(pair, CP_END_EXEC, 0);
	if (!newcomer)
		return;
	cp_life_newcomer_wait(pair, newcomer, false);
	cp_newcomer_remove(newcomer);
	cp_newcomer_unref(newcomer);
}

/* Has another thread's exec ended the pair, and is this the thread that continues? */
static bool slave_is_replaced(const struct cp_pair *pair)
{
	return READ_ONCE(pair->outcome.reason) == CP_END_EXEC &&
	       current->mm && current->mm != pair->slave.mm;
}

static bool has_to_conceal(const struct cp_thread *thread)
{
	return thread->part && unlikely(READ_ONCE(thread->part->conceal)) &&
	       !(current->flags & PF_EXITING);
}

/*
 * The thread was brought out of a system call that signals end with EINTR. It has received
 * no signal, so it makes the call again. Only calls without a timeout are interrupted like
 * this, and calls that the kernel restarts itself unless their file has a timeout.
 */
static void slave_conceal(struct cp_thread *thread, struct pt_regs *regs)
{
	long nr = cp_hook_syscall(&thread->hook, regs);

	if (!cp_hook_is_final(&thread->hook, regs))
		return;
	WRITE_ONCE(thread->part->conceal, false);
	if (nr == -1 || syscall_get_error(current, regs) != -EINTR)
		return;
	regs->ax = nr;
	regs->ip -= CP_SYSCALL_INSN_SIZE;
}

/*
 * Ends the pair if the slave executes another program now, or has exited. Otherwise provides
 * the thread with a part and a spare.
 */
static void slave_arrive(struct cp_hook *hook)
{
	struct cp_thread *thread = thread_of(hook);
	struct cp_pair *pair = thread->pair;
	bool exiting = current->flags & PF_EXITING;

	if (thread->part)
		cp_ring_pay_wake_up(&thread->part->ring);
	if (has_to_conceal(thread))
		slave_conceal(thread, current_pt_regs());
	if (cp_pair_is_over(pair)) {
		if (!exiting && slave_is_replaced(pair))
			slave_exec(pair);
		return;
	}
	if (exiting && !READ_ONCE(current->signal->group_exec_task)) {
		slave_exit(thread);
	} else if (exiting) {
		/* Another thread's exec kills all others, and takes over the process. */
		cp_life_end(pair, CP_END_EXEC, 0);
	} else if (current->mm != pair->slave.mm) {
		slave_exec(pair);
	} else if (cp_pair_is_process(pair)) {
		slave_join(thread);
		thread_renew_spare(thread);
	}
}

static bool slave_is_over(const struct cp_hook *hook)
{
	const struct cp_thread *thread = thread_of(hook);

	/* Even if the pair is over: the call is made again first. */
	if (has_to_conceal(thread))
		return false;
	return thread->over || cp_pair_is_over(thread->pair);
}

/*
 * User mode is next: the state that was saved is no longer current. A thread that has
 * used @spare gets a new one in the work before it can create another thread.
 */
static bool slave_leave(struct cp_hook *hook, bool served)
{
	struct cp_thread *thread = thread_of(hook);

	thread->captured = false;
	thread->dying = false;
	thread->returns += served;
	return cp_ring_owes_wake_up(&thread->part->ring) || thread->created;
}

static void slave_unhooked(struct cp_hook *hook)
{
	slave_end_call(thread_of(hook), -EPIPE, true);
	cp_life_thread_over(thread_of(hook));
}

static void slave_ref(struct cp_hook *hook)
{
	cp_thread_ref(thread_of(hook));
}

static void slave_unref(struct cp_hook *hook)
{
	cp_thread_unref(thread_of(hook));
}

static void slave_report(const struct cp_hook *hook, enum cp_hook_step step)
{
	switch (step) {
	case CP_HOOK_STEP_ASIDE:
		trace_step_aside(thread_of(hook));
		break;
	case CP_HOOK_REPLAY:
		trace_replay(thread_of(hook));
		break;
	case CP_HOOK_NUDGE:
		trace_nudge(thread_of(hook));
		break;
	}
}

const struct cp_hook_ops cp_slave_hook_ops = {
	.arrive		= slave_arrive,
	.is_over	= slave_is_over,
	.capture	= slave_capture,
	.prefers_late	= slave_prefers_late,
	.foresee_death	= slave_foresee_death,
	.detour		= slave_detour,
	.unhooked	= slave_unhooked,
	.is_due		= slave_is_due,
	.capture_late	= slave_capture_late,
	.leave		= slave_leave,
	.ref		= slave_ref,
	.unref		= slave_unref,
	.report		= slave_report,
};
