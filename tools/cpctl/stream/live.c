// SPDX-License-Identifier: GPL-2.0-only
/* The checkpoints of a living slave: taken first, and processed afterwards. */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "altstack.h"
#include "child.h"
#include "diagnose.h"
#include "exit.h"
#include "facts.h"
#include "hold.h"
#include "interrupt.h"
#include "layout.h"
#include "live.h"
#include "message.h"
#include "queue.h"
#include "sleepers.h"

#define NSEC_PER_SEC 1000000000LL

/* After this time without a checkpoint, print the state of the slave. */
#define PATIENCE_NS NSEC_PER_SEC

/* The maximum number of bytes to read of a stack that a signal handler interrupted. */
#define OTHER_STACK_MAX (256 << 10)

/*
 * struct live - the checkpoints of a living slave
 * @stream: the interface
 * @options: the options of the verb
 * @pair: the pair with the slave
 * @process: whether the slave is a process
 * @hold: whether the slave is held for each checkpoint
 * @around: the surroundings of the slave
 * @queue: the checkpoints that were taken
 * @threaded: whether @taker exists
 * @taker: the thread that pairs with the slave and takes checkpoints
 * @asked: posted after @taker has tried to pair
 * @paired: whether @taker has paired, valid after @asked
 * @now, @before: the checkpoints of @stream; only the verb's thread accesses these two
 *
 * The thread that takes checkpoints owns the members below until queue_finish():
 * @explained: whether diagnose_wait() has been called
 * @late: with @hold, a thread that did not arrive in time; 0 if it is not known
 * @unseen: with @hold, the number of threads for which the pair had no room
 * @complete: with @hold, whether all wanted checkpoints were taken
 * @taken_ns: the time of the last checkpoint
 * @base: the number to add to the numbers of this pair's checkpoints
 * @last: the number of the last checkpoint
 * @gaps: how many times the pair was ended because the queue was full
 * @gone: whether the slave had ended, or ran another program, when the pair was to be
 *	made again
 * @error: the errno because of which there are no more checkpoints, or 0
 */
struct live {
	struct stream			stream;
	const struct stream_options	*options;
	struct cp_pair			*pair;
	bool				process;
	bool				hold;
	struct surroundings		around;
	struct queue			queue;
	bool				threaded;
	pthread_t			taker;
	sem_t				asked;
	bool				paired;
	struct taken			*now;
	struct taken			*before;
	bool				explained;
	pid_t				late;
	unsigned int			unseen;
	bool				complete;
	int64_t				taken_ns;
	uint64_t			base;
	uint64_t			last;
	uint64_t			gaps;
	bool				gone;
	int				error;
};

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * NSEC_PER_SEC + now.tv_nsec;
}

/* Pairs with the slave. Returns 0, or -1 with errno. */
static int try_pair(const struct live *live)
{
	const struct stream_options *options = live->options;
	const struct cp_pair_options pair_options = {
		.size = sizeof(pair_options),
		.stack_limit = options->stack_limit,
		.interval = (uint64_t)options->interval_ns,
		.every = (uint32_t)options->every,
		/* The state at the slave's death is the most useful one. */
		.flags = CP_PREP_DEATH |
			 (live->process ? CP_PREP_PROCESS : 0),
	};

	return interrupt_prep(live->pair, live->stream.pid, &pair_options);
}

/* Pairs with the slave; returns false after printing the reason. */
static bool make_pair(const struct live *live)
{
	if (!try_pair(live))
		return true;
	diagnose_prep(live->stream.pid, errno);
	return false;
}

/* Waits for a checkpoint, with the flags of the verb. Returns as cp_pair_get(). */
static int get_patiently(struct live *live)
{
	unsigned int flags = live->options->nudge ? CP_GET_NUDGE : 0;
	int64_t left = live->options->timeout_ns;
	int ret;

	if (live->explained || (left >= 0 && left <= PATIENCE_NS))
		return cp_pair_get(live->pair, left, flags);
	ret = cp_pair_get(live->pair, PATIENCE_NS, flags);
	if (ret >= 0 || errno != ETIMEDOUT)
		return ret;
	live->explained = true;
	diagnose_wait(live->stream.pid);
	return cp_pair_get(live->pair, left < 0 ? left : left - PATIENCE_NS,
			   flags);
}

/*
 * A nudge would get a checkpoint before the interval is over: until then, wait without
 * a nudge. Returns as cp_pair_get().
 */
static int get(struct live *live)
{
	int64_t early = live->taken_ns + live->options->interval_ns - now_ns();
	int ret;

	if (live->taken_ns && early > 0) {
		ret = cp_pair_get(live->pair, early, 0);
		if (ret >= 0 || errno != ETIMEDOUT)
			return ret;
	}
	return get_patiently(live);
}

/*
 * Reads the stack that a signal handler on an alternate stack has interrupted.
 * @bytes: those of the stack @info of the checkpoint
 */
static void read_interrupted(struct live *live, struct taken *taken,
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
	surroundings_stretch(&live->around, sp, OTHER_STACK_MAX, &other);
	taken_add(taken, &other);
}

/* @base: the address to which the offsets of the checkpoint's segments are relative */
static void read_other_stack(struct live *live, struct taken *taken,
			     const struct cp_checkpoint *cp, const char *base)
{
	const struct cp_segment *info = (const void *)((const char *)cp +
						       cp->segments_offset);

	if (cp->nr_segments && info->kind == CP_SEGMENT_STACK)
		read_interrupted(live, taken, cp, info, base + info->offset);
}

/*
 * Reads those stacks of all threads: from the region while the threads are held, and of
 * those that were left asleep, which @taken has already.
 */
static void read_other_stacks(struct live *live, struct taken *taken)
{
	const struct cp_region_head *head;
	unsigned int i;

	for (i = 0; (head = cp_pair_part(live->pair, i)); i++) {
		const char *part = (const char *)head;

		if (head->newest)
			read_other_stack(live, taken,
					 (const void *)(part + head->newest),
					 part);
	}
	for (i = 0; i < taken->instant.nr; i++) {
		const struct snapshot *now = &taken->instant.threads[i].snapshot;

		read_interrupted(live, taken, &now->head, &now->segments[0].info,
				 now->segments[0].bytes);
	}
}

/*
 * The memory that the slave had at live_open() does not exist any more: either the
 * slave has executed another program before the pair was made, or the slave has ended
 * since the checkpoint. In the latter case there are no mappings, and the old ones are
 * kept.
 */
static void replace_surroundings(struct live *live)
{
	struct surroundings fresh;

	surroundings_open(&fresh, live->stream.pid);
	surroundings_refresh(&fresh);
	if (!fresh.maps) {
		surroundings_close(&fresh);
		return;
	}
	surroundings_close(&live->around);
	live->around = fresh;
	live->stream.replaced = true;
}

static void find_surroundings(struct live *live)
{
	if (!queue_has_begun(&live->queue) &&
	    !surroundings_alive(&live->around))
		replace_surroundings(live);
}

/*
 * Reads data of the slave that may change after the checkpoint. This must be short: at
 * its next return to user mode, the slave waits until this thread takes a checkpoint.
 */
static void attend(struct live *live, struct taken *taken, bool last)
{
	const struct cp_checkpoint *cp = cp_pair_checkpoint(live->pair);

	find_surroundings(live);
	read_other_stack(live, taken, cp,
			 (const char *)cp_pair_region(live->pair, NULL));
	if (!last && layout_changed(cp))
		taken->maps = surroundings_maps(&live->around);
}

static bool fail(struct live *live, int error)
{
	/* After an interruption, an error of the call is expected. */
	if (!interrupted())
		live->error = error;
	return false;
}

/* Numbers the checkpoints, and adds them to the queue. */
static void add(struct live *live, struct taken *taken)
{
	unsigned int i;

	for (i = 0; i < taken->instant.nr; i++) {
		struct cp_checkpoint *cp = &taken->instant.threads[i].snapshot.head;

		/* A state that was read of a sleeping thread has no number. */
		if (cp->seq)
			cp->seq += live->base;
		if (live->last < cp->seq)
			live->last = cp->seq;
	}
	queue_add(&live->queue, taken);
}

/*
 * Takes the next checkpoint of one thread.
 * @last: whether this is the last wanted checkpoint
 *
 * Returns 1, 0 at the end of the pair, or -1 with errno.
 */
static int take_thread(struct live *live, struct taken *taken, bool last)
{
	int ret = get(live);

	if (ret != 1)
		return ret;
	live->taken_ns = now_ns();
	attend(live, taken, last);
	/* The checkpoint stays in the region after the end of the pair. */
	if (last)
		cp_pair_end(live->pair);
	return instant_take(&taken->instant, live->pair) ? -1 : 1;
}

/* Holds the slave; the interval since the last checkpoints is over then. */
static int hold(struct live *live)
{
	struct hold hold = {
		.pair = live->pair,
		.pid = live->stream.pid,
		.flags = live->options->nudge ? 0 : CP_HOLD_ASLEEP,
		.explained = live->explained,
	};
	int nr;

	if (live->taken_ns)
		hold_rest(live->pair, live->taken_ns +
			  live->options->interval_ns - now_ns());
	nr = hold_begin(&hold, live->options->timeout_ns);
	live->explained = hold.explained;
	live->late = hold.late;
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

/* The slave is held: reads what may change when it is not. Returns 0, or -1 with errno. */
static int read_held(struct live *live, struct taken *taken)
{
	if (!live->options->nudge &&
	    sleepers_take(live->pair, &live->around,
			  live->options->stack_limit, &taken->instant))
		return -1;
	read_other_stacks(live, taken);
	return 0;
}

/*
 * Takes the checkpoints of a hold of @nr threads, which ends as soon as possible.
 * Returns as take_thread().
 */
static int take_held(struct live *live, struct taken *taken, unsigned int nr,
		     bool last)
{
	int ret = read_held(live, taken), error = errno;

	/* The checkpoints stay in the region after the end of the pair. */
	if (last)
		cp_pair_end(live->pair);
	else
		cp_pair_release(live->pair);
	live->taken_ns = now_ns();
	if (ret && error != EPIPE) {
		errno = error;
		return -1;
	}
	return hold_take(live->pair, nr, &taken->instant);
}

/* Takes checkpoints of all threads of the slave at one instant, as take_thread(). */
static int take_instant(struct live *live, struct taken *taken, bool last)
{
	int nr = hold(live), ret;

	if (nr < 0 && errno != EPIPE)
		return -1;
	if (nr < 0)
		ret = hold_take_dead(live->pair, &taken->instant);
	else
		ret = take_held(live, taken, (unsigned int)nr, last);
	if (ret != 1)
		return ret;
	live->unseen = cp_pair_unseen(live->pair);
	live->complete = last;
	find_surroundings(live);
	instant_sort(&taken->instant, live->stream.pid);
	if (!last && any_layout_changed(&taken->instant))
		taken->maps = surroundings_maps(&live->around);
	return 1;
}

/* @last: whether this is the last wanted checkpoint */
static bool take_one(struct live *live, bool last)
{
	struct taken *taken = calloc(1, sizeof(*taken));
	int ret;

	if (!taken)
		return fail(live, ENOMEM);
	ret = live->hold ? take_instant(live, taken, last) :
			   take_thread(live, taken, last);
	if (ret != 1) {
		int error = errno;

		taken_free(taken);
		return ret && fail(live, error);
	}
	add(live, taken);
	return true;
}

/* Ends the pair, waits until there is room in the queue, and makes a new pair. */
static bool stop_and_go(struct live *live)
{
	cp_pair_end(live->pair);
	live->gaps++;
	if (!queue_wait_for_room(&live->queue))
		return false;
	/* Skip one number to show that checkpoints are missing there. */
	live->base = live->last + 1;
	if (try_pair(live)) {
		live->gone = errno == ESRCH;
		return !live->gone && fail(live, errno);
	}
	/* An exec between the two pairs ends the run, like an exec during a pair. */
	live->gone = !surroundings_alive(&live->around);
	/* live_close() has ended the old pair, if it came before the new one. */
	return !live->gone && !queue_is_left(&live->queue);
}

static void take_all(struct live *live)
{
	uint64_t wanted = live->options->count, n;

	for (n = 1; !interrupted() && !queue_is_left(&live->queue); n++) {
		if (queue_is_full(&live->queue) && !stop_and_go(live))
			break;
		if (!take_one(live, n == wanted) || n == wanted)
			break;
	}
	cp_pair_end(live->pair);
	queue_finish(&live->queue);
}

/* The function of @taker. */
static void *run_taker(void *arg)
{
	struct live *live = arg;

	live->paired = make_pair(live);
	sem_post(&live->asked);
	if (live->paired)
		take_all(live);
	else
		queue_finish(&live->queue);
	return NULL;
}

/*
 * Starts @taker, which pairs with the slave: the slave must not wait for a new thread.
 * The signals of interrupt.h are blocked in @taker, which waits only in cp_pair_get():
 * that returns when the handler ends the pair. The verb's thread may block in write(),
 * which a signal must interrupt.
 */
static bool start_taker(struct live *live)
{
	sigset_t old;

	interrupt_block(&old);
	errno = pthread_create(&live->taker, NULL, run_taker, live);
	interrupt_unblock(&old);
	if (errno) {
		warn("cannot take checkpoints");
		return false;
	}
	live->threaded = true;
	while (sem_wait(&live->asked))
		;
	return live->paired;
}

/* Can the module hold a process, and leave threads asleep? */
static bool can_hold(const struct live *live)
{
	struct cp_info info;

	return !cp_pair_info(live->pair, &info) &&
	       info.features & CP_FEATURE_HOLD &&
	       info.features & CP_FEATURE_SLEEPER;
}

/*
 * Decides whether the slave is the process or only the thread @pid, and sets its id.
 * A process that has several threads is refused if it is not to be held. Returns false
 * after printing the reason.
 */
static bool choose_slave(struct live *live, pid_t pid)
{
	struct task_facts facts;
	bool several = live->options->process && task_facts(pid, &facts) &&
		       facts.threads > 1;

	live->stream.pid = pid;
	if (several && live->options->await) {
		warnx("process %d has %u threads, which do not return to user mode at one instant by themselves: with --no-nudge or --every, add --thread for thread %d alone",
		      facts.process, facts.threads, pid);
		return false;
	}
	if (several && !can_hold(live)) {
		warnx("the module is older than this cpctl and knows only single threads: taking thread %d alone",
		      pid);
		return true;
	}
	live->hold = live->options->hold && !live->options->await &&
		     can_hold(live);
	live->process = live->options->process && live->hold;
	if (live->process)
		live->stream.pid = task_of_process(pid);
	return true;
}

/* Pairs with the slave; returns false after printing the reason. */
static bool pair_with(struct live *live, pid_t pid)
{
	if (!choose_slave(live, pid))
		return false;
	pid = live->stream.pid;
	/* The surroundings may be needed after the slave's end. */
	surroundings_open(&live->around, pid);
	surroundings_refresh(&live->around);
	surroundings_keep(&live->around);
	return live->options->count == 1 ? make_pair(live) : start_taker(live);
}

/* Takes the only checkpoint, or waits for the first one. */
static void begin(struct live *live)
{
	if (live->threaded)
		queue_wait_to_begin(&live->queue);
	else
		take_all(live);
}

static bool live_next(struct stream *stream)
{
	static const struct snapshot nothing;
	struct live *live = (struct live *)stream;
	struct taken *taken;
	unsigned int i;

	if (interrupted())
		return false;
	queue_release(&live->queue, live->before);
	live->before = live->now;
	live->now = queue_remove(&live->queue);
	taken = live->now;
	if (!taken)
		return false;
	surroundings_refresh(&live->around);
	if (live->hold)
		instant_name(&taken->instant);
	if (taken->maps)
		surroundings_replace(&live->around, &taken->maps);
	for (i = 0; i < taken->nr_others; i++)
		surroundings_add(&live->around, &taken->others[i]);
	stream->instant = &taken->instant;
	stream->now = &taken->instant.threads[0].snapshot;
	stream->before = live->before ?
			 &live->before->instant.threads[0].snapshot : &nothing;
	return true;
}

static bool live_ended(const struct stream *stream, struct stream_end *end)
{
	const struct live *live = (const struct live *)stream;

	if (interrupted() || live->error || live->complete)
		return false;
	end->reason = cp_pair_ended(live->pair, &end->status);
	return end->reason != CP_END_NONE;
}

/* Prints why there are no more checkpoints. */
static void explain(const struct live *live)
{
	pid_t pid = live->stream.pid;
	struct stream_end end;

	if (interrupted())
		return;
	if (live->error == ENOMEM)
		warnx("cannot keep a checkpoint: %s", strerror(ENOMEM));
	else if (live->error)
		diagnose_get(live->late ? live->late : pid, live->error);
	else if (live->gone)
		warnx("process %d has ended, or runs another program now", pid);
	else if (live_ended(&live->stream, &end))
		diagnose_end(pid, end.reason, end.status);
}

static void join_taker(struct live *live)
{
	if (live->threaded)
		pthread_join(live->taker, NULL);
	live->threaded = false;
}

/* Ends @taker and the pair; returns whether there might be more checkpoints. */
static bool leave(struct live *live)
{
	bool more = queue_leave(&live->queue);

	cp_pair_end(live->pair);
	join_taker(live);
	return more;
}

static void free_live(struct live *live)
{
	join_taker(live);
	sem_destroy(&live->asked);
	taken_free(live->now);
	taken_free(live->before);
	queue_destroy(&live->queue);
	surroundings_close(&live->around);
	cp_pair_close(live->pair);
	free(live);
}

/* Prints that a signal has ended the pair. */
static void report_interruption(pid_t pid)
{
	if (interrupted())
		warnx("interrupted; process %d continues", pid);
}

static int live_close(struct stream *stream, int status)
{
	struct live *live = (struct live *)stream;
	bool more = leave(live);
	pid_t pid = stream->pid;

	if (live->gaps)
		warnx("what reads the output is slower than process %d: %" PRIu64
		      " times it was let run without a pair; numbers that are left out show where",
		      pid, live->gaps);
	if (live->unseen)
		warnx("%u threads that process %d has created are missing: the pair had no room, or no memory, for them",
		      live->unseen, pid);
	/* If the verb has left early, it has printed the reason. */
	if (!more)
		explain(live);
	if (status == EXIT_OK && live->error)
		status = EXIT_REFUSED;
	free_live(live);
	report_interruption(pid);
	return status;
}

static const struct stream_ops live_ops = {
	.next = live_next,
	.ended = live_ended,
	.close = live_close,
};

/* Opens the device; returns NULL after printing the reason. */
static struct live *new_live(const struct stream_options *options)
{
	struct live *live = calloc(1, sizeof(*live));

	if (!live) {
		warn("cannot take checkpoints");
		return NULL;
	}
	live->pair = cp_pair_open();
	if (!live->pair) {
		diagnose_open(errno);
		free(live);
		return NULL;
	}
	interrupt_catch(live->pair);
	queue_init(&live->queue);
	sem_init(&live->asked, 0, 0);
	live->stream.ops = &live_ops;
	live->stream.around = &live->around;
	live->options = options;
	live->around.mem = -1;
	live->around.root = -1;
	return live;
}

struct stream *live_open(pid_t pid, const struct stream_options *options)
{
	struct live *live = new_live(options);

	if (!live)
		return NULL;
	if (pair_with(live, pid)) {
		begin(live);
		return &live->stream;
	}
	free_live(live);
	report_interruption(pid);
	return NULL;
}

struct stream *live_start(char **command, const struct stream_options *options)
{
	struct live *live = new_live(options);
	pid_t pid;

	if (!live)
		return NULL;
	pid = child_start(command);
	/*
	 * The pair is made only now, after the exec, which would end a pair. The program
	 * is held at its beginning.
	 */
	if (pid > 0 && pair_with(live, pid)) {
		child_release(pid);
		begin(live);
		return &live->stream;
	}
	if (pid > 0)
		child_kill(pid);
	free_live(live);
	return NULL;
}
