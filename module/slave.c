// SPDX-License-Identifier: GPL-2.0-only
/*
 * The slave's side of a pair: what it does in its hook. All of it runs in the
 * slave's own context.
 */
#include <linux/checkpoint.h>
#include <linux/checkpoint_netlink.h>
#include <linux/overflow.h>
#include <linux/pid.h>
#include <linux/sched/signal.h>
#include <linux/sched/task_stack.h>

#include "capture.h"
#include "compat.h"
#include "events.h"
#include "life.h"
#include "listeners.h"
#include "pair.h"
#include "slave.h"
#include "trace.h"

/* The signal in a status as waitpid(2) gives it. */
#define WTERMSIG(status)	((status) & 0x7f)

static struct cp_pair *pair_of(const struct cp_hook *hook)
{
	return container_of(hook, struct cp_pair, slave.hook);
}

/* The slave was held up since @begun without handing anything over. */
static u64 count_vain_hold(struct cp_pair *pair, u64 begun)
{
	u64 held = ktime_get_ns() - begun;

	cp_stats_held(&pair->stats, held);
	return held;
}

static void count_miss(struct cp_pair *pair, u64 held)
{
	this_cpu_inc(cp_totals.missed);
	trace_miss(pair, held);
}

/* The slave got no slot: the pair is over, a signal arrived, or the limit passed. */
static void count_vain_wait(struct cp_pair *pair, const struct cp_claim *claim,
			    int ret)
{
	u64 held;

	/* The slave did not wait. */
	if (!claim->begun)
		return;
	held = count_vain_hold(pair, claim->begun);
	if (ret == -ETIME)
		count_miss(pair, held);
}

static void count_checkpoint(struct cp_pair *pair,
			     const struct cp_checkpoint *checkpoint,
			     u64 waited, u64 copied)
{
	u64 bytes = cp_checkpoint_bytes(checkpoint);

	WRITE_ONCE(pair->stats.bytes, pair->stats.bytes + bytes);
	if (checkpoint->entry == CP_ENTRY_SYSCALL)
		WRITE_ONCE(pair->stats.last_syscall, checkpoint->syscall);
	WRITE_ONCE(pair->stats.last_flags, checkpoint->flags);
	this_cpu_inc(cp_totals.checkpoints);
	this_cpu_add(cp_totals.bytes, bytes);
	trace_capture(pair, checkpoint, bytes, waited, copied);
}

/* The time is one of the master's clock. */
static void write_header(struct cp_pair *pair, const struct cp_slot *slot,
			 struct pt_regs *regs, struct cp_cause cause)
{
	cp_capture_header(slot->header, regs, cause);
	slot->header->time += pair->master.time_offset;
}

/* The checkpoint's time by the machine's clock. */
static u64 captured_at(const struct cp_pair *pair,
		       const struct cp_checkpoint *checkpoint)
{
	return checkpoint->time - pair->master.time_offset;
}

/* True if a late capture would have succeeded. */
static bool fill_slot(struct cp_pair *pair, const struct cp_slot *slot,
		      struct pt_regs *regs, struct cp_cause cause, bool dying)
{
	bool light;

	cp_region_unpublish(slot);
	write_header(pair, slot, regs, cause);
	light = cp_capture_stack(pair->region, slot, regs->sp, dying);
	if (pair->slave.xstate)
		cp_capture_xstate(pair->region, slot, pair->slave.xstate,
				  pair->slave.xstate_size);
	return light && !pair->slave.xstate;
}

/* Does the master want this return? */
static bool slave_is_due(const struct cp_hook *hook)
{
	const struct cp_pair *pair = pair_of(hook);

	/* The work has to run, to remove the hook or to end the pair. */
	if (cp_pair_is_over(pair) || current->mm != pair->slave.mm)
		return true;
	if (pair->ask.every > 1 && pair->slave.returns % pair->ask.every)
		return false;
	return !pair->ask.interval || ktime_get_ns() >= pair->slave.next_time;
}

/* Counts the checkpoint in @slot, and sets when the next one is due. */
static void account_capture(struct cp_pair *pair, const struct cp_slot *slot,
			    const struct cp_claim *claim)
{
	u64 begun = captured_at(pair, slot->header);
	/* Reading the clock is the most expensive part of the accounting. */
	u64 waited = claim->begun ? begun - claim->begun : 0;
	u64 copied = ktime_get_ns() - begun;

	count_checkpoint(pair, slot->header, waited, copied);
	cp_stats_held(&pair->stats, waited + copied);
	if (check_add_overflow(begun, pair->ask.interval, &pair->slave.next_time))
		pair->slave.next_time = U64_MAX;
}

/*
 * Hands over a checkpoint. True when this return has been dealt with, which
 * includes that the pair is over and that the slave's wait ran out; false when a
 * signal has to be acted on first.
 */
static bool slave_capture(struct cp_hook *hook, struct pt_regs *regs,
			  struct cp_cause cause)
{
	struct cp_pair *pair = pair_of(hook);
	struct cp_claim claim;
	struct cp_slot slot;
	bool light = false;
	u64 begun;
	int ret;

	ret = cp_ring_claim(&pair->ring, pair->ask.wait_limit, &claim);
	if (ret) {
		count_vain_wait(pair, &claim, ret);
		return ret != -ERESTARTSYS;
	}

	cp_region_slot(pair->region, claim.slot, &slot);
	begun = claim.begun;
	/* With a signal pending, keep the slot's contents. */
	if (!signal_pending(current)) {
		light = fill_slot(pair, &slot, regs, cause, false);
		begun = begun ?: captured_at(pair, slot.header);
	}
	if (signal_pending(current)) {
		/* If a handler runs, these are not the final registers. */
		if (begun)
			count_vain_hold(pair, begun);
		cp_ring_abandon(&pair->ring);
		return false;
	}
	cp_region_publish(pair->region, &slot, claim.seq);
	account_capture(pair, &slot, &claim);
	cp_event_checkpoint(pair, slot.header);
	pair->slave.light = light;
	pair->slave.captured = true;
	cp_ring_publish(&pair->ring);
	return true;
}

static bool may_be_late(const struct cp_pair *pair)
{
	if (!CP_LATE_WORKS || !pair->slave.light ||
	    pair->ring.policy != CP_POLICY_OVERWRITE ||
	    cp_listeners_want(pair, CP_NL_EVENT_CHECKPOINTS))
		return false;
	/*
	 * Do not capture late while a master sleeps: the wake-up would take effect
	 * only at the next interrupt; the return from that interrupt is captured
	 * and wakes the master again, so a slave sharing its CPU would never reach
	 * user mode.
	 */
	return !cp_ring_would_wake(&pair->ring);
}

static bool slave_prefers_late(const struct cp_hook *hook)
{
	/* With a rate, a late capture is the cheaper way to skip a return. */
	return hook->rated || may_be_late(pair_of(hook));
}

/* Publishes the slot that the slave has written. */
static void publish_spare(struct cp_ring *ring)
{
	struct cp_pair *pair = container_of(ring, struct cp_pair, ring);
	struct cp_slot slot;

	cp_region_slot(pair->region, ring->spare, &slot);
	cp_region_publish(pair->region, &slot, cp_ring_next_seq(ring));
}

/* Interrupts are off: waits for nothing and allocates nothing. */
static bool slave_capture_late(struct cp_hook *hook, struct pt_regs *regs,
			       struct cp_cause cause)
{
	struct cp_pair *pair = pair_of(hook);
	struct cp_claim claim;
	struct cp_slot slot;

	if (cp_pair_is_over(pair) || current->mm != pair->slave.mm ||
	    !may_be_late(pair))
		return false;
	cp_ring_claim_late(&pair->ring, &claim);

	cp_region_slot(pair->region, claim.slot, &slot);
	cp_region_unpublish(&slot);
	write_header(pair, &slot, regs, cause);
	if (!cp_capture_stack_late(pair->region, &slot, regs->sp) ||
	    !cp_ring_publish_late(&pair->ring, publish_spare))
		return false;
	account_capture(pair, &slot, &claim);
	return true;
}

/* Saves the state if signals may kill the slave now, and the master wants it. */
static void slave_foresee_death(struct cp_hook *hook, struct pt_regs *regs,
				struct cp_cause cause)
{
	struct cp_pair *pair = pair_of(hook);
	struct cp_slot slot;

	if (!(pair->ask.flags & CP_PREP_DEATH) ||
	    !cp_death_foreseen(&pair->slave.death, ns_of_pid(pair->master.pid)))
		return;
	cp_region_slot(pair->region, cp_pair_death_slot(pair), &slot);
	fill_slot(pair, &slot, regs, cause, true);
	count_vain_hold(pair, captured_at(pair, slot.header));
	pair->slave.dying = true;
}

/* The death was not foreseen, and the slave's memory is gone. */
static void save_remains(struct cp_pair *pair, const struct cp_slot *slot,
			 struct pt_regs *regs)
{
	/* Killed between a capture and user mode: that state is the last. */
	if (pair->slave.captured) {
		cp_region_copy_newest(pair->region, slot);
		return;
	}
	write_header(pair, slot, regs,
		     (struct cp_cause){ .entry = CP_ENTRY_INTERRUPT });
	cp_capture_no_stack(slot, regs->sp);
	if (pair->slave.xstate)
		cp_capture_xstate(pair->region, slot, pair->slave.xstate,
				  pair->slave.xstate_size);
}

/* The slave has been killed: hands over its last state. */
static void leave_death(struct cp_pair *pair, int signal)
{
	struct cp_checkpoint *checkpoint;
	struct cp_slot slot;
	bool elsewhere;

	cp_region_slot(pair->region, cp_pair_death_slot(pair), &slot);
	checkpoint = slot.header;
	if (!pair->slave.dying)
		save_remains(pair, &slot, current_pt_regs());
	checkpoint->flags |= CP_CHECKPOINT_DEATH;
	checkpoint->signal = signal;
	if (pair->slave.dying && pair->slave.death.signal == signal) {
		checkpoint->signal_code = pair->slave.death.code;
		checkpoint->signal_addr = pair->slave.death.addr;
		checkpoint->signal_thread = pair->slave.death.thread;
		elsewhere = pair->slave.death.elsewhere;
	} else {
		elsewhere = cp_death_was_elsewhere(signal);
	}
	if (elsewhere)
		checkpoint->flags |= CP_CHECKPOINT_DEATH_ELSEWHERE;
	cp_region_publish(pair->region, &slot, cp_ring_next_seq(&pair->ring));
	/* If the master has ended the pair meanwhile, nothing is handed over. */
	if (!cp_ring_leave_last(&pair->ring, cp_pair_death_slot(pair)))
		return;
	count_checkpoint(pair, checkpoint, 0, 0);
	cp_event_checkpoint(pair, checkpoint);
}

/* Ends the pair if the slave is exiting, or is another program now. */
static void slave_arrive(struct cp_hook *hook)
{
	struct cp_pair *pair = pair_of(hook);
	bool exiting = current->flags & PF_EXITING;
	int code = current->exit_code;

	cp_ring_pay_wake_up(&pair->ring);
	if ((!exiting && current->mm == pair->slave.mm) || cp_pair_is_over(pair))
		return;
	/* Another thread's exec kills all others, and takes over the process. */
	if (!exiting || READ_ONCE(current->signal->group_exec_task)) {
		cp_life_end(pair, CP_END_EXEC, 0);
		return;
	}
	if (pair->ask.flags & CP_PREP_DEATH && WTERMSIG(code))
		leave_death(pair, WTERMSIG(code));
	cp_life_end(pair, CP_END_EXITED, code);
}

static bool slave_is_over(const struct cp_hook *hook)
{
	return cp_pair_is_over(pair_of(hook));
}

/* User mode is next: the state that was saved is no longer current. */
static bool slave_leave(struct cp_hook *hook, bool served)
{
	struct cp_pair *pair = pair_of(hook);

	pair->slave.captured = false;
	pair->slave.dying = false;
	pair->slave.returns += served;
	return cp_ring_owes_wake_up(&pair->ring);
}

static void slave_unhooked(struct cp_hook *hook)
{
	cp_life_unhooked(pair_of(hook));
}

static void slave_ref(struct cp_hook *hook)
{
	cp_pair_ref(pair_of(hook));
}

static void slave_unref(struct cp_hook *hook)
{
	cp_pair_unref(pair_of(hook));
}

static void slave_report(const struct cp_hook *hook, enum cp_hook_step step)
{
	switch (step) {
	case CP_HOOK_STEP_ASIDE:
		trace_step_aside(pair_of(hook));
		break;
	case CP_HOOK_REPLAY:
		trace_replay(pair_of(hook));
		break;
	case CP_HOOK_NUDGE:
		trace_nudge(pair_of(hook));
		break;
	}
}

const struct cp_hook_ops cp_slave_hook_ops = {
	.arrive		= slave_arrive,
	.is_over	= slave_is_over,
	.capture	= slave_capture,
	.prefers_late	= slave_prefers_late,
	.foresee_death	= slave_foresee_death,
	.unhooked	= slave_unhooked,
	.is_due		= slave_is_due,
	.capture_late	= slave_capture_late,
	.leave		= slave_leave,
	.ref		= slave_ref,
	.unref		= slave_unref,
	.report		= slave_report,
};
