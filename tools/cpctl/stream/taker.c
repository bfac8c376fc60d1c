// SPDX-License-Identifier: GPL-2.0-only
/* Taking the checkpoints of a living slave, for the queue. */
#include <errno.h>
#include <stdlib.h>

#include "altstack.h"
#include "clock.h"
#include "diagnose.h"
#include "hold.h"
#include "interrupt.h"
#include "layout.h"
#include "prefault.h"
#include "sleepers.h"
#include "taker.h"

/* After this time without a checkpoint, print the state of the slave. */
#define PATIENCE_NS NSEC_PER_SEC

/* The maximum number of bytes to read of a stack that a signal handler interrupted. */
#define OTHER_STACK_MAX (256 << 10)

/* Pairs with the slave. Returns 0, or -1 with errno. */
static int try_pair(const struct taker *taker)
{
	const struct stream_options *options = taker->options;
	const struct cp_pair_options pair_options = {
		.size = sizeof(pair_options),
		.stack_limit = options->stack_limit,
		.interval = (uint64_t)options->interval_ns,
		.every = (uint32_t)options->every,
		/* The state at the slave's death is the most useful one. */
		.flags = CP_PREP_DEATH |
			 (taker->slave.process ? CP_PREP_PROCESS : 0),
	};

	if (interrupt_prep(taker->pair, taker->slave.pid, &pair_options))
		return -1;
	prefault_region(taker->pair);
	return 0;
}

bool taker_pair(const struct taker *taker)
{
	if (!try_pair(taker))
		return true;
	diagnose_prep(taker->slave.pid, errno);
	return false;
}

/* Waits for a checkpoint, with the flags of the verb. Returns as cp_pair_get(). */
static int get_patiently(struct taker *taker)
{
	unsigned int flags = taker->slave.nudge ? CP_GET_NUDGE : 0;
	int64_t left = taker->options->timeout_ns;
	int ret;

	if (taker->explained || (left >= 0 && left <= PATIENCE_NS))
		return cp_pair_get(taker->pair, left, flags);
	ret = cp_pair_get(taker->pair, PATIENCE_NS, flags);
	if (ret >= 0 || errno != ETIMEDOUT)
		return ret;
	taker->explained = true;
	diagnose_wait(taker->slave.pid);
	return cp_pair_get(taker->pair, left < 0 ? left : left - PATIENCE_NS,
			   flags);
}

/*
 * A nudge would get a checkpoint before the interval is over: until then, wait without
 * a nudge. Returns as cp_pair_get().
 */
static int get(struct taker *taker)
{
	int64_t early = taker->taken_ns + taker->options->interval_ns - clock_ns();
	int ret;

	if (taker->taken_ns && early > 0) {
		ret = cp_pair_get(taker->pair, early, 0);
		if (ret >= 0 || errno != ETIMEDOUT)
			return ret;
	}
	return get_patiently(taker);
}

/*
 * Reads the stack that a signal handler on an alternate stack has interrupted.
 * @bytes: those of the stack @info of the checkpoint
 */
static void read_interrupted(struct taker *taker, struct taken *taken,
			     const struct cp_checkpoint *cp,
			     const struct cp_segment *info, const void *bytes)
{
	struct stretch other = {};
	uint64_t sp;

	if (cp->flags & CP_CHECKPOINT_COMPAT)
		return;
	sp = altstack_interrupted(&cp->regs, info, bytes);
	if (!sp)
		return;
	surroundings_stretch(&taker->around, sp, OTHER_STACK_MAX, &other);
	taken_add(taken, &other);
}

/* @base: the address to which the offsets of the checkpoint's segments are relative */
static void read_other_stack(struct taker *taker, struct taken *taken,
			     const struct cp_checkpoint *cp, const char *base)
{
	const struct cp_segment *info = (const void *)((const char *)cp +
						       cp->segments_offset);

	if (cp->nr_segments && info->kind == CP_SEGMENT_STACK)
		read_interrupted(taker, taken, cp, info, base + info->offset);
}

/*
 * read_interrupted() for all threads: those that are held, whose checkpoints are in the
 * region, and those that were left asleep, whose checkpoints @taken has already.
 */
static void read_other_stacks(struct taker *taker, struct taken *taken)
{
	const struct cp_region_head *head;
	unsigned int i;

	for (i = 0; (head = cp_pair_part(taker->pair, i)); i++) {
		const char *part = (const char *)head;

		if (head->newest)
			read_other_stack(taker, taken,
					 (const void *)(part + head->newest),
					 part);
	}
	for (i = 0; i < taken->instant.nr; i++) {
		const struct snapshot *now = &taken->instant.threads[i].snapshot;

		read_interrupted(taker, taken, &now->head, &now->segments[0].info,
				 now->segments[0].bytes);
	}
}

/*
 * The memory that the slave had at first does not exist any more: either the
 * slave has executed another program before the pair was made, or the slave has ended
 * since the checkpoint. In the latter case there are no mappings, and the old ones are
 * kept.
 */
static void replace_surroundings(struct taker *taker)
{
	struct surroundings fresh;

	surroundings_open(&fresh, taker->slave.pid);
	surroundings_refresh(&fresh);
	if (!fresh.maps) {
		surroundings_close(&fresh);
		return;
	}
	surroundings_close(&taker->around);
	taker->around = fresh;
	taker->replaced = true;
}

static void find_surroundings(struct taker *taker)
{
	if (!queue_has_begun(&taker->queue) &&
	    !surroundings_alive(&taker->around))
		replace_surroundings(taker);
}

/*
 * Reads data of the slave that may change after the checkpoint. This must be short: at
 * its next return to user mode, the slave waits until this thread takes a checkpoint.
 */
static void attend(struct taker *taker, struct taken *taken, bool last)
{
	const struct cp_segment *info = cp_pair_segment(taker->pair, 0);
	const struct cp_checkpoint *cp = cp_pair_checkpoint(taker->pair);

	find_surroundings(taker);
	if (info && info->kind == CP_SEGMENT_STACK)
		read_interrupted(taker, taken, cp, info,
				 cp_pair_segment_data(taker->pair, 0));
	if (!last && layout_changed(cp))
		taken->maps = surroundings_maps(&taker->around);
}

static bool fail(struct taker *taker, int error)
{
	/* After an interruption, an error of the call is expected. */
	if (!interrupted())
		taker->error = error;
	return false;
}

/* Numbers the checkpoints, and adds them to the queue. */
static void add(struct taker *taker, struct taken *taken)
{
	unsigned int i;

	for (i = 0; i < taken->instant.nr; i++) {
		struct cp_checkpoint *cp = &taken->instant.threads[i].snapshot.head;

		/* A state that was read of a sleeping thread has no number. */
		if (cp->seq)
			cp->seq += taker->base;
		if (taker->last < cp->seq)
			taker->last = cp->seq;
	}
	taken->gap = taker->gap;
	taker->gap = false;
	queue_add(&taker->queue, taken);
}

/*
 * Takes the next checkpoint of any thread, or the end of a thread.
 * @last: whether this is the last wanted checkpoint
 *
 * Returns as cp_pair_get().
 */
static int take_next(struct taker *taker, struct taken *taken, bool last)
{
	int ret = get(taker);

	if (ret >= 0)
		taker->unseen = cp_pair_unseen(taker->pair);
	if (ret == 2) {
		find_surroundings(taker);
		taken->ended.known = true;
		taken->ended.thread = cp_pair_thread(taker->pair,
						     &taken->ended.status);
	}
	if (ret != 1)
		return ret;
	taker->taken_ns = clock_ns();
	attend(taker, taken, last);
	/* The checkpoint stays in the region after the end of the pair. */
	if (last)
		cp_pair_end(taker->pair);
	return instant_take(&taken->instant, taker->pair) ? -1 : 1;
}

/* Holds the slave; the interval since the last checkpoints is over then. */
static int hold(struct taker *taker)
{
	struct hold hold = {
		.pair = taker->pair,
		.pid = taker->slave.pid,
		.flags = taker->slave.nudge ? 0 : CP_HOLD_ASLEEP,
		.explained = taker->explained,
	};
	int nr;

	if (taker->taken_ns)
		hold_rest(taker->pair, taker->taken_ns +
			  taker->options->interval_ns - clock_ns());
	nr = hold_begin(&hold, taker->options->timeout_ns);
	taker->explained = hold.explained;
	taker->late = hold.late;
	return nr;
}

static bool any_layout_changed(const struct instant *instant)
{
	unsigned int i;

	for (i = 0; i < instant->nr; i++) {
		if (layout_changed(&instant->threads[i].snapshot.head))
			return true;
	}
	return false;
}

/* The slave is held. Returns 0, or -1 with errno, as sleepers_take(). */
static int read_held(struct taker *taker, struct taken *taken)
{
	if (cp_pair_asleep(taker->pair) &&
	    sleepers_take(taker->pair, &taker->around,
			  taker->options->stack_limit, &taken->instant))
		return -1;
	read_other_stacks(taker, taken);
	return 0;
}

/*
 * Holds the slave, and reads what may change when it is not held. If a thread that slept
 * has woken, and neither sleeps again nor returns to user mode, a new hold waits for it.
 * Returns the number of threads, or -1 with errno.
 */
static int hold_and_read(struct taker *taker, struct taken *taken)
{
	for (;;) {
		int nr = hold(taker);

		if (nr < 0 || !read_held(taker, taken))
			return nr;
		if (errno != ETIMEDOUT)
			return -1;
		instant_free(&taken->instant);
		cp_pair_release(taker->pair);
	}
}

/*
 * Takes the checkpoints of a hold of @nr threads, which ends as soon as possible.
 * Returns as take_next().
 */
static int take_held(struct taker *taker, struct taken *taken, unsigned int nr,
		     bool last)
{
	/* The checkpoints stay in the region after the end of the pair. */
	if (last)
		cp_pair_end(taker->pair);
	else
		cp_pair_release(taker->pair);
	taker->taken_ns = clock_ns();
	return hold_take(taker->pair, nr, &taken->instant);
}

/* The pair is over, or all threads of the slave have exited. Returns as take_next(). */
static int take_dead(struct taker *taker, struct taken *taken)
{
	/* Threads that were read asleep, before others died. */
	instant_free(&taken->instant);
	return hold_take_dead(taker->pair, &taken->instant);
}

/* Takes checkpoints of all threads of the slave at one instant, as take_next(). */
static int take_instant(struct taker *taker, struct taken *taken, bool last)
{
	int nr = hold_and_read(taker, taken), ret;

	if (nr > 0)
		ret = take_held(taker, taken, (unsigned int)nr, last);
	else if (!nr || errno == EPIPE)
		ret = take_dead(taker, taken);
	else
		ret = -1;
	if (ret != 1)
		return ret;
	taker->unseen = cp_pair_unseen(taker->pair);
	taker->complete = last;
	find_surroundings(taker);
	instant_sort(&taken->instant, taker->slave.pid);
	if (!last && any_layout_changed(&taken->instant))
		taken->maps = surroundings_maps(&taker->around);
	return 1;
}

/*
 * Does the verb count the checkpoint? The first one of a thread in this pair has the
 * number 1, and there is nothing to compare it with.
 */
static bool counts(const struct taker *taker, const struct taken *taken)
{
	return !taker->options->differences ||
	       taken->instant.threads[0].snapshot.head.seq > 1;
}

/*
 * Takes what comes next.
 * @left: the number of checkpoints that are still wanted, or 0 for no limit; reduced
 *
 * Returns whether more are wanted.
 */
static bool take_one(struct taker *taker, uint64_t *left)
{
	struct taken *taken = calloc(1, sizeof(*taken));
	bool counted, last = *left == 1 && !taker->options->differences;
	int ret;

	if (!taken)
		return fail(taker, ENOMEM);
	ret = taker->slave.held ? take_instant(taker, taken, last) :
				  take_next(taker, taken, last);
	if (ret <= 0) {
		int error = errno;

		taken_free(taken);
		return ret && fail(taker, error);
	}
	counted = ret == 1 && counts(taker, taken);
	add(taker, taken);
	return !counted || !*left || --*left;
}

/* Ends the pair, waits until there is room in the queue, and makes a new pair. */
static bool stop_and_go(struct taker *taker)
{
	cp_pair_end(taker->pair);
	taker->gaps++;
	taker->gap = true;
	if (!queue_wait_for_room(&taker->queue))
		return false;
	/* Skip one number to show that checkpoints are missing there. */
	taker->base = taker->last + 1;
	if (try_pair(taker)) {
		taker->gone = errno == ESRCH;
		return !taker->gone && fail(taker, errno);
	}
	/* An exec between the two pairs ends the run, like an exec during a pair. */
	taker->gone = !surroundings_alive(&taker->around);
	/* The verb has ended the old pair, if it left before the new one was made. */
	return !taker->gone && !queue_is_left(&taker->queue);
}

void taker_run(struct taker *taker)
{
	uint64_t left = taker->options->count;

	while (!interrupted() && !queue_is_left(&taker->queue)) {
		if (queue_is_full(&taker->queue) && !stop_and_go(taker))
			break;
		if (!take_one(taker, &left))
			break;
	}
	cp_pair_end(taker->pair);
	queue_finish(&taker->queue);
}
