// SPDX-License-Identifier: GPL-2.0-only
/* The checkpoints of a living slave: taken first, and processed afterwards. */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>

#include "child.h"
#include "diagnose.h"
#include "exit.h"
#include "history.h"
#include "interrupt.h"
#include "live.h"
#include "message.h"
#include "taker.h"

/*
 * struct live - the checkpoints of a living slave
 * @stream: the interface
 * @taker: the pair, and the state of taking checkpoints
 * @threaded: whether @thread exists
 * @thread: the thread that runs @taker
 * @asked: posted after @thread has tried to pair
 * @paired: whether @thread has paired, valid after @asked
 *
 * Only the verb's thread accesses the members below:
 * @now: the checkpoints of @stream
 * @history: with @compare of the options, the checkpoints before
 * @first: the thread of the first checkpoint; 0 before
 */
struct live {
	struct stream	stream;
	struct taker	taker;
	bool		threaded;
	pthread_t	thread;
	sem_t		asked;
	bool		paired;
	struct taken	*now;
	struct history	history;
	pid_t		first;
};

/* The function of @thread. */
static void *run_taker(void *arg)
{
	struct live *live = arg;

	live->paired = taker_pair(&live->taker);
	sem_post(&live->asked);
	if (live->paired)
		taker_run(&live->taker);
	else
		queue_finish(&live->taker.queue);
	return NULL;
}

/*
 * Starts @thread, which pairs with the slave: the slave must not wait for a new thread.
 * The signals of interrupt.h are blocked in @thread, which waits only in cp_pair_get():
 * that returns when the handler ends the pair. The verb's thread may block in write(),
 * which a signal must interrupt.
 */
static bool start_taker(struct live *live)
{
	sigset_t old;

	interrupt_block(&old);
	errno = pthread_create(&live->thread, NULL, run_taker, live);
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

/* Pairs with the slave; returns false after printing the reason. */
static bool pair_with(struct live *live, pid_t pid)
{
	struct taker *taker = &live->taker;

	if (!slave_choose(&taker->slave, pid, taker->options, taker->pair))
		return false;
	live->stream.pid = taker->slave.pid;
	live->stream.several = taker->slave.several;
	/* The surroundings may be needed after the slave's end. */
	surroundings_open(&taker->around, taker->slave.pid);
	surroundings_refresh(&taker->around);
	surroundings_keep(&taker->around);
	return taker->options->count == 1 && !taker->options->differences ?
	       taker_pair(taker) : start_taker(live);
}

/* Takes the only checkpoint, or waits for the first one. */
static void begin(struct live *live)
{
	if (live->threaded)
		queue_wait_to_begin(&live->taker.queue);
	else
		taker_run(&live->taker);
	live->stream.replaced = live->taker.replaced;
}

/* Frees the current checkpoints, but keeps the one that the next one is compared with. */
static void release(struct live *live)
{
	struct taken *now = live->now;

	live->now = NULL;
	if (!now)
		return;
	if (!now->instant.nr)
		history_forget(&live->history, now->ended.thread);
	else if (live->taker.options->compare)
		history_keep(&live->history, &now->instant.threads[0].snapshot);
	queue_release(&live->taker.queue, now);
}

/* Sets the members of the stream for the end of a thread. */
static void show_end(struct live *live)
{
	struct stream *stream = &live->stream;

	stream->thread_end = &live->now->ended;
	stream->instant = NULL;
	stream->now = NULL;
	stream->before = NULL;
}

/* Sets the members of the stream for checkpoints. */
static void show_checkpoints(struct live *live)
{
	struct surroundings *around = &live->taker.around;
	struct stream *stream = &live->stream;
	struct taken *now = live->now;
	pid_t thread = now->instant.threads[0].snapshot.head.thread;
	unsigned int i;

	surroundings_refresh(around);
	if (now->maps)
		surroundings_replace(around, &now->maps);
	for (i = 0; i < now->nr_others; i++)
		surroundings_add(around, &now->others[i]);
	if (!live->first)
		live->first = thread;
	if (thread != live->first || now->instant.nr > 1)
		stream->several = true;
	if (stream->several || live->taker.slave.held)
		instant_name(&now->instant);
	stream->thread_end = NULL;
	stream->instant = &now->instant;
	stream->now = &now->instant.threads[0].snapshot;
	stream->before = history_of(&live->history, thread);
}

static bool live_next(struct stream *stream)
{
	struct live *live = (struct live *)stream;

	do {
		if (interrupted())
			return false;
		release(live);
		live->now = queue_remove(&live->taker.queue);
		if (!live->now)
			return false;
		/* The end of the only thread is that of the slave. */
	} while (!live->now->instant.nr && !stream->several);
	stream->gap = live->now->gap;
	if (live->now->instant.nr)
		show_checkpoints(live);
	else
		show_end(live);
	return true;
}

static bool live_ended(const struct stream *stream, struct stream_end *end)
{
	const struct taker *taker = &((const struct live *)stream)->taker;

	if (interrupted() || taker->error || taker->complete)
		return false;
	end->reason = cp_pair_ended(taker->pair, &end->status);
	return end->reason != CP_END_NONE;
}

/* Prints why there are no more checkpoints. */
static void explain(const struct live *live)
{
	const struct taker *taker = &live->taker;
	pid_t pid = live->stream.pid;
	struct stream_end end;

	if (interrupted())
		return;
	if (taker->error == ENOMEM)
		warnx("cannot keep a checkpoint: %s", strerror(ENOMEM));
	else if (taker->error)
		diagnose_get(taker->late ? taker->late : pid, taker->error);
	else if (taker->gone)
		warnx("process %d has ended, or runs another program now", pid);
	else if (live_ended(&live->stream, &end))
		diagnose_end(pid, end.reason, end.status);
}

static void join_taker(struct live *live)
{
	if (live->threaded)
		pthread_join(live->thread, NULL);
	live->threaded = false;
}

/* Ends @thread and the pair; returns whether there might be more checkpoints. */
static bool leave(struct live *live)
{
	bool more = queue_leave(&live->taker.queue);

	cp_pair_end(live->taker.pair);
	join_taker(live);
	return more;
}

static void free_live(struct live *live)
{
	join_taker(live);
	sem_destroy(&live->asked);
	taken_free(live->now);
	history_free(&live->history);
	queue_destroy(&live->taker.queue);
	surroundings_close(&live->taker.around);
	interrupt_move(NULL);
	cp_pair_close(live->taker.pair);
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
	const struct taker *taker = &live->taker;
	bool more = leave(live);
	pid_t pid = stream->pid;

	if (taker->gaps)
		warnx("the reader of the output is slower than process %d: %" PRIu64
		      " times, the process ran without a pair, where a number is left out",
		      pid, taker->gaps);
	if (taker->unseen)
		warnx("%u threads that process %d has created are missing: the pair had no room, or no memory, for them",
		      taker->unseen, pid);
	/* If the verb has left early, it has printed the reason. */
	if (!more)
		explain(live);
	if (status == EXIT_OK && taker->error)
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
	live->taker.pair = cp_pair_open();
	if (!live->taker.pair) {
		diagnose_open(errno);
		free(live);
		return NULL;
	}
	interrupt_catch(live->taker.pair);
	queue_init(&live->taker.queue);
	sem_init(&live->asked, 0, 0);
	live->stream.ops = &live_ops;
	live->stream.around = &live->taker.around;
	live->taker.options = options;
	live->taker.around.mem = -1;
	live->taker.around.root = -1;
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
	pid = child_start(command, NULL);
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
