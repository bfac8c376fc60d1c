// SPDX-License-Identifier: GPL-2.0-only
/* The checkpoints of a living slave: taken first, and processed afterwards. */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "altstack.h"
#include "diagnose.h"
#include "exit.h"
#include "interrupt.h"
#include "layout.h"
#include "live.h"
#include "message.h"
#include "takeopts.h"

/* After this time without a checkpoint, print the state of the slave. */
#define PATIENCE_NS 1000000000LL

/* The maximum number of bytes to read of a stack that a signal handler interrupted. */
#define OTHER_STACK_MAX (256 << 10)

/*
 * struct taken - a checkpoint in the queue
 * @next: the next checkpoint in the queue
 * @snapshot: the checkpoint
 * @maps: the slave's mappings, if a system call may have changed them; or NULL
 * @other: memory of the interrupted stack, see altstack.h
 * @bytes: the memory that this struct and its members take
 */
struct taken {
	struct taken	*next;
	struct snapshot	snapshot;
	char		*maps;
	struct stretch	other;
	uint64_t	bytes;
};

/*
 * struct taking - shared by the master's thread and the processing thread
 * @pair: the pair with the slave
 * @options: the options of the verb
 * @explained: whether diagnose_wait() has been called
 * @base: the number to add to the numbers of this pair's checkpoints
 * @last: the number of the last checkpoint
 * @gaps: how many times the pair was ended because the queue was full
 * @gone: whether the slave had ended, or ran another program, when the pair was to be
 *	made again
 * @error: the errno because of which there are no more checkpoints, or 0
 * @status: EXIT_OK, or EXIT_REFUSED after a failure
 * @use, @arg: the function that processes the checkpoints, or NULL; its argument
 * @threaded: whether @looker is running
 * @looker: the processing thread
 * @signals: the signal mask of the master's thread before @looker was started
 * @used: the return value of @use
 * @lock: the lock for all members below
 * @changed: the condition that a member below has changed
 * @first, @end: the queue
 * @bytes: the memory of the queue, and of @now and @before
 * @begun: whether a checkpoint has been added
 * @over: whether no more checkpoints will be added
 * @left: whether @use has returned
 * @now, @before: as in struct live; only the processing thread accesses these two
 */
struct taking {
	struct cp_pair			*pair;
	const struct take_options	*options;
	bool				explained;
	uint64_t			base;
	uint64_t			last;
	uint64_t			gaps;
	bool				gone;
	int				error;
	int				status;
	live_fn				use;
	void				*arg;
	bool				threaded;
	pthread_t			looker;
	sigset_t			signals;
	int				used;
	pthread_mutex_t			lock;
	pthread_cond_t			changed;
	struct taken			*first;
	struct taken			**end;
	uint64_t			bytes;
	bool				begun;
	bool				over;
	bool				left;
	struct taken			*now;
	struct taken			*before;
};

static void taken_free(struct taken *taken)
{
	if (!taken)
		return;
	snapshot_free(&taken->snapshot);
	free(taken->maps);
	free(taken->other.bytes);
	free(taken);
}

/* The function of the processing thread. */
static void *look(void *arg)
{
	struct live *live = arg;
	struct taking *taking = live->taking;

	pthread_mutex_lock(&taking->lock);
	while (!taking->begun && !taking->over)
		pthread_cond_wait(&taking->changed, &taking->lock);
	pthread_mutex_unlock(&taking->lock);
	if (taking->use)
		taking->used = taking->use(live, taking->arg);
	pthread_mutex_lock(&taking->lock);
	taking->left = true;
	pthread_cond_signal(&taking->changed);
	pthread_mutex_unlock(&taking->lock);
	return NULL;
}

/*
 * Starts the processing thread, and blocks the signals of interrupt.h in this one. The
 * processing thread may block in write(), which a signal must interrupt; this thread
 * waits only in cp_pair_get(), which returns when the handler ends the pair.
 */
static bool start_looker(struct live *live)
{
	struct taking *taking = live->taking;

	errno = pthread_create(&taking->looker, NULL, look, live);
	if (errno) {
		warn("cannot take checkpoints");
		return false;
	}
	taking->threaded = true;
	interrupt_block(&taking->signals);
	return true;
}

bool live_open(struct live *live, struct cp_pair *pair, pid_t pid,
	       const struct take_options *options)
{
	struct taking *taking = calloc(1, sizeof(*taking));

	memset(live, 0, sizeof(*live));
	if (!taking) {
		warn("cannot take checkpoints");
		return false;
	}
	taking->pair = pair;
	taking->options = options;
	taking->end = &taking->first;
	pthread_mutex_init(&taking->lock, NULL);
	pthread_cond_init(&taking->changed, NULL);
	live->pid = pid;
	live->taking = taking;
	surroundings_open(&live->around, pid);
	surroundings_refresh(&live->around);
	surroundings_keep(&live->around);
	if (options->count == 1 || start_looker(live))
		return true;
	live_close(live);
	return false;
}

/* Waits for a checkpoint. Returns as cp_pair_get(). */
static int get(struct live *live)
{
	struct taking *taking = live->taking;
	unsigned int flags = taking->options->nudge ? CP_GET_NUDGE : 0;
	int64_t left = taking->options->timeout_ns;
	int ret;

	if (taking->explained || (left >= 0 && left <= PATIENCE_NS))
		return cp_pair_get(taking->pair, left, flags);
	ret = cp_pair_get(taking->pair, PATIENCE_NS, flags);
	if (ret >= 0 || errno != ETIMEDOUT)
		return ret;
	taking->explained = true;
	diagnose_wait(live->pid);
	return cp_pair_get(taking->pair, left < 0 ? left : left - PATIENCE_NS,
			   flags);
}

static void read_other_stack(struct live *live, struct taken *taken)
{
	const struct cp_pair *pair = live->taking->pair;
	const struct cp_checkpoint *cp = cp_pair_checkpoint(pair);
	const struct cp_segment *info = cp_pair_segment(pair, 0);
	uint64_t sp;

	if (!info || info->kind != CP_SEGMENT_STACK ||
	    cp->flags & CP_CHECKPOINT_COMPAT)
		return;
	sp = altstack_interrupted(&cp->regs, info,
				  cp_pair_segment_data(pair, 0));
	if (sp)
		surroundings_stretch(&live->around, sp, OTHER_STACK_MAX,
				     &taken->other);
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

	surroundings_open(&fresh, live->pid);
	surroundings_refresh(&fresh);
	if (!fresh.maps) {
		surroundings_close(&fresh);
		return;
	}
	surroundings_close(&live->around);
	live->around = fresh;
	live->replaced = true;
}

/*
 * Reads data of the slave that may change after the checkpoint. This must be short: at
 * its next return to user mode, the slave waits until this thread takes a checkpoint.
 */
static void attend(struct live *live, struct taken *taken, bool last)
{
	const struct taking *taking = live->taking;
	const struct cp_checkpoint *cp = cp_pair_checkpoint(taking->pair);

	if (!taking->begun && !surroundings_alive(&live->around))
		replace_surroundings(live);
	read_other_stack(live, taken);
	if (!last && layout_changed(cp))
		taken->maps = surroundings_maps(&live->around);
}

static void count_bytes(struct taken *taken)
{
	const struct segment *part;
	unsigned int i;

	taken->bytes = sizeof(*taken) + taken->other.size;
	if (taken->maps)
		taken->bytes += strlen(taken->maps);
	for (i = 0; (part = snapshot_part(&taken->snapshot, i)); i++)
		taken->bytes += sizeof(*part) + part->info.size;
}

static void enqueue(struct taking *taking, struct taken *taken)
{
	count_bytes(taken);
	pthread_mutex_lock(&taking->lock);
	*taking->end = taken;
	taking->end = &taken->next;
	taking->bytes += taken->bytes;
	taking->begun = true;
	pthread_cond_signal(&taking->changed);
	pthread_mutex_unlock(&taking->lock);
}

static bool fail(struct taking *taking, int error)
{
	/* After an interruption, an error of the call is expected. */
	if (interrupted())
		return false;
	taking->error = error;
	taking->status = EXIT_REFUSED;
	return false;
}

/* @last: whether this is the last wanted checkpoint */
static bool take_one(struct live *live, bool last)
{
	struct taking *taking = live->taking;
	struct taken *taken = calloc(1, sizeof(*taken));
	int ret;

	if (!taken)
		return fail(taking, ENOMEM);
	ret = get(live);
	if (ret != 1) {
		free(taken);
		return ret && fail(taking, errno);
	}
	attend(live, taken, last);
	/* The checkpoint stays in the region after the end of the pair. */
	if (last)
		cp_pair_end(taking->pair);
	if (snapshot_take(&taken->snapshot, taking->pair)) {
		taken_free(taken);
		return fail(taking, ENOMEM);
	}
	taken->snapshot.head.seq += taking->base;
	taking->last = taken->snapshot.head.seq;
	enqueue(taking, taken);
	return true;
}

static bool is_full(struct taking *taking)
{
	bool full;

	pthread_mutex_lock(&taking->lock);
	full = taking->first && taking->bytes > LIVE_MEMORY_MAX;
	pthread_mutex_unlock(&taking->lock);
	return full;
}

/* Waits until half of the memory is free. Returns false if @use has returned. */
static bool wait_for_room(struct taking *taking)
{
	bool left;

	pthread_mutex_lock(&taking->lock);
	while (taking->first && taking->bytes > LIVE_MEMORY_MAX / 2 &&
	       !taking->left)
		pthread_cond_wait(&taking->changed, &taking->lock);
	left = taking->left;
	pthread_mutex_unlock(&taking->lock);
	return !left;
}

/* Ends the pair, waits until there is room in the queue, and makes a new pair. */
static bool stop_and_go(struct live *live)
{
	struct taking *taking = live->taking;

	cp_pair_end(taking->pair);
	taking->gaps++;
	if (!wait_for_room(taking))
		return false;
	/* Skip one number to show that checkpoints are missing there. */
	taking->base = taking->last + 1;
	if (take_try_prep(taking->pair, live->pid, taking->options)) {
		taking->gone = errno == ESRCH;
		return !taking->gone && fail(taking, errno);
	}
	/* An exec between the two pairs ends the run, like an exec during a pair. */
	taking->gone = !surroundings_alive(&live->around);
	return !taking->gone;
}

static bool is_left(struct taking *taking)
{
	bool left;

	pthread_mutex_lock(&taking->lock);
	left = taking->left;
	pthread_mutex_unlock(&taking->lock);
	return left;
}

static void take_all(struct live *live)
{
	struct taking *taking = live->taking;
	uint64_t wanted = taking->options->count, n;

	for (n = 1; !interrupted() && !is_left(taking); n++) {
		if (is_full(taking) && !stop_and_go(live))
			break;
		if (!take_one(live, n == wanted) || n == wanted)
			break;
	}
	cp_pair_end(taking->pair);
}

static void end_taking(struct taking *taking)
{
	pthread_mutex_lock(&taking->lock);
	taking->over = true;
	pthread_cond_signal(&taking->changed);
	pthread_mutex_unlock(&taking->lock);
	if (!taking->threaded)
		return;
	pthread_join(taking->looker, NULL);
	taking->threaded = false;
	interrupt_unblock(&taking->signals);
}

/* Prints why there are no more checkpoints. */
static void explain(const struct live *live)
{
	const struct taking *taking = live->taking;
	int status;
	unsigned int reason = live_ended(live, &status);

	if (taking->gaps)
		warnx("what reads the output is slower than process %d: %" PRIu64
		      " times it was let run without a pair; numbers that are left out show where",
		      live->pid, taking->gaps);
	if (interrupted())
		return;
	if (taking->error == ENOMEM)
		warnx("cannot keep a checkpoint: %s", strerror(ENOMEM));
	else if (taking->error)
		diagnose_get(live->pid, taking->error);
	else if (taking->gone)
		warnx("process %d has ended, or runs another program now",
		      live->pid);
	else if (reason != CP_END_NONE)
		diagnose_end(live->pid, reason, status);
}

int live_run(struct live *live, live_fn use, void *arg)
{
	struct taking *taking = live->taking;

	taking->use = use;
	taking->arg = arg;
	take_all(live);
	if (taking->threaded) {
		end_taking(taking);
	} else {
		taking->over = true;
		taking->used = use(live, arg);
	}
	explain(live);
	return taking->used == EXIT_OK ? taking->status : taking->used;
}

/* Waits for the next checkpoint of the queue; NULL if there are no more. */
static struct taken *dequeue(struct taking *taking)
{
	struct taken *taken, *old = taking->before;

	taking->before = taking->now;
	pthread_mutex_lock(&taking->lock);
	while (!taking->first && !taking->over)
		pthread_cond_wait(&taking->changed, &taking->lock);
	taken = taking->first;
	if (taken)
		taking->first = taken->next;
	if (!taking->first)
		taking->end = &taking->first;
	if (old)
		taking->bytes -= old->bytes;
	pthread_cond_signal(&taking->changed);
	pthread_mutex_unlock(&taking->lock);
	taken_free(old);
	taking->now = taken;
	return taken;
}

bool live_next(struct live *live)
{
	static const struct snapshot nothing;
	struct taken *taken = interrupted() ? NULL : dequeue(live->taking);

	if (!taken)
		return false;
	surroundings_refresh(&live->around);
	if (taken->maps)
		surroundings_replace(&live->around, &taken->maps);
	surroundings_add(&live->around, &taken->other);
	live->now = &taken->snapshot;
	live->before = live->taking->before ? &live->taking->before->snapshot :
					      &nothing;
	return true;
}

unsigned int live_ended(const struct live *live, int *status)
{
	return interrupted() || live->taking->error ? CP_END_NONE :
	       cp_pair_ended(live->taking->pair, status);
}

void live_close(struct live *live)
{
	struct taking *taking = live->taking;
	struct taken *taken;

	if (!taking)
		return;
	end_taking(taking);
	while ((taken = taking->first)) {
		taking->first = taken->next;
		taken_free(taken);
	}
	taken_free(taking->now);
	taken_free(taking->before);
	pthread_mutex_destroy(&taking->lock);
	pthread_cond_destroy(&taking->changed);
	free(taking);
	live->taking = NULL;
	surroundings_close(&live->around);
}
