// SPDX-License-Identifier: GPL-2.0-only
/* Recording a slave: the common part of record PID and record COMMAND. */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "child.h"
#include "diagnose.h"
#include "exit.h"
#include "interrupt.h"
#include "message.h"
#include "past.h"
#include "recorder.h"
#include "text.h"
#include "width.h"

/* The interval at which the surroundings are read and the progress is shown. */
#define LOOK_MS		1000
#define LOOK_NS		(LOOK_MS * 1000000LL)

/* Room for the line of show_progress(), with the largest numbers. */
#define PROGRESS_SIZE	160

/* The default limit for each stack. */
#define STACK_KEPT	(64 * 1024)

/* The first interval after an exec is shorter: the program maps its libraries. */
#define LOOK_FIRST_MS	8

/*
 * struct recorder - a recording being made
 * @pair: the pair with the process
 * @options: the options of the recording
 * @follow: whether to continue the recording after an exec
 * @now: the current program; its states are copied here only after the pair has ended
 * @base: the number of checkpoints of all earlier programs
 * @missed_before: the number of those that were lost
 * @missed: the number of all checkpoints that were lost
 * @past: the earlier programs; empty if all states are written as they come
 * @look_ms: the time until the surroundings are read next
 * @file: the file
 */
struct recorder {
	struct cp_pair			**pair;
	const struct record_options	*options;
	bool				follow;
	struct program			now;
	uint64_t			base;
	uint64_t			missed_before;
	uint64_t			missed;
	struct past			past;
	int				look_ms;
	struct recfile			file;
};

static volatile sig_atomic_t asked;

static void ask(int sig)
{
	(void)sig;
	asked = 1;
}

/*
 * Copying a deep stack at each return to user mode would slow the process down many
 * times. Therefore, by default, only the state of death contains the whole stack.
 */
static void choose_limits(struct cp_pair *pair,
			  const struct record_options *options,
			  struct cp_pair_options *chosen)
{
	struct cp_info info = {};
	uint64_t share;

	chosen->stack_limit = options->stack_limit;
	if (options->stack_limit || cp_pair_info(pair, &info) ||
	    !(info.features & CP_FEATURE_DEATH_STACK))
		return;
	share = info.stack_max / options->slots;
	chosen->stack_limit = share < STACK_KEPT ? share : STACK_KEPT;
	chosen->death_stack_limit = info.stack_default;
}

static int try_prep(struct cp_pair *pair, pid_t pid,
		    const struct record_options *options)
{
	struct cp_pair_options pair_options = {
		.size = sizeof(pair_options),
		.interval = (uint64_t)options->interval,
		.every = (uint32_t)options->every,
		.nr_slots = (uint32_t)options->slots,
		.flags = recopts_flags(options),
	};

	choose_limits(pair, options, &pair_options);
	return interrupt_prep(pair, pid, &pair_options);
}

int recorder_prep(struct cp_pair *pair, pid_t pid,
		  const struct record_options *options)
{
	int error;

	if (!try_prep(pair, pid, options))
		return 0;
	error = errno;
	if (error == EINVAL && pid != getpid())
		warnx("cannot record process %d: --slots or --stack-limit is more than the module allows",
		      pid);
	else
		diagnose_prep(pid, error);
	return -1;
}

static void look(struct recorder *rec)
{
	witness_look(&rec->now.witness);
}

struct recorder *recorder_open(struct cp_pair **pair, pid_t pid, bool follow,
			       const struct record_options *options)
{
	struct sigaction action = { .sa_handler = ask };
	struct recorder *rec = calloc(1, sizeof(*rec));

	if (!rec) {
		warn("cannot record");
		return NULL;
	}
	rec->pair = pair;
	rec->options = options;
	rec->follow = follow;
	rec->look_ms = LOOK_MS;
	rec->file.options = options;
	witness_open(&rec->now.witness, pid);
	if (recfile_begin(&rec->file)) {
		recorder_close(rec);
		return NULL;
	}
	/* Without --stream the file is written at the end: this was only a test. */
	if (!options->stream)
		recfile_drop(&rec->file);
	look(rec);
	sigaction(SIGUSR1, &action, NULL);
	return rec;
}

/* The functions below that return int return 0, or -1 after printing the reason. */

static int end_file(struct recorder *rec)
{
	struct rec_end end = { .missed = rec->missed };
	int status;

	end.reason = cp_pair_ended(*rec->pair, &status);
	end.status = status;
	return recfile_end(&rec->file, &rec->now.witness, &end);
}

/* @now: a checkpoint whose number already includes rec->base */
static int write_checkpoint(struct recorder *rec, struct snapshot *now)
{
	return recfile_checkpoint(&rec->file, &rec->now.witness, now);
}

/* use_fn - writes or keeps a checkpoint that was taken; returns 0 or -1 */
typedef int (*use_fn)(struct recorder *rec, struct snapshot *now);

static int use_taken(struct recorder *rec, use_fn use)
{
	struct snapshot now = {};

	if (snapshot_take(&now, *rec->pair)) {
		warn("cannot keep a checkpoint");
		return -1;
	}
	now.head.seq += rec->base;
	return use(rec, &now);
}

static int keep_checkpoint(struct recorder *rec, struct snapshot *now)
{
	if (!program_keep(&rec->now, now))
		return 0;
	warn("cannot keep a checkpoint");
	snapshot_free(now);
	return -1;
}

/* Takes the remaining checkpoints of a pair that has ended, in their order. */
static int use_rest(struct recorder *rec, use_fn use)
{
	int ret;

	for (;;) {
		ret = cp_pair_get(*rec->pair, LOOK_NS, 0);
		if (ret == 1)
			ret = use_taken(rec, use);
		else if (!ret)
			return 0;
		else if (errno != EINTR)
			diagnose_get(rec->now.witness.pid, errno);
		else
			continue;
		if (ret)
			return -1;
	}
}

static int by_number(const void *a, const void *b)
{
	const struct snapshot *left = a, *right = b;

	return left->head.seq < right->head.seq ? -1 : 1;
}

/* Copies the current checkpoints of the ring, in order; NULL without memory. */
static struct snapshot *copy_ring(const struct recorder *rec, unsigned int *nr)
{
	size_t size = cp_pair_region(*rec->pair, NULL)->slot_size;
	unsigned int slots = cp_pair_slots(*rec->pair), slot;
	struct snapshot *shots = calloc(slots, sizeof(*shots));
	void *copy = malloc(size);

	*nr = 0;
	for (slot = 0; shots && copy && slot < slots; slot++)
		if (cp_pair_copy(*rec->pair, slot, copy, size) == 1 &&
		    !snapshot_of_copy(&shots[*nr], copy))
			shots[(*nr)++].head.seq += rec->base;
	if (!copy) {
		free(shots);
		shots = NULL;
	}
	free(copy);
	if (shots)
		qsort(shots, *nr, sizeof(*shots), by_number);
	else
		warn("cannot keep the checkpoints");
	return shots;
}

static void free_all(struct snapshot *shots, unsigned int nr)
{
	while (nr)
		snapshot_free(&shots[--nr]);
	free(shots);
}

/* Opens the file, and writes the earlier programs. */
static int begin_with_past(struct recorder *rec)
{
	if (recfile_begin(&rec->file) || past_write(&rec->past, &rec->file) ||
	    (rec->past.nr && recfile_exec(&rec->file, rec->now.flags)))
		return -1;
	rec->now.witness.written = false;
	return 0;
}

static int write_all(struct recorder *rec, struct snapshot *shots,
		     unsigned int nr)
{
	unsigned int i;

	/* All checkpoints of this program that are not in the ring are lost. */
	rec->missed = rec->missed_before;
	if (nr)
		rec->missed += shots[nr - 1].head.seq - rec->base - nr;
	if (begin_with_past(rec))
		goto err_drop;
	for (i = 0; i < nr; i++)
		if (write_checkpoint(rec, &shots[i]))
			goto err_drop;
	if (!end_file(rec))
		return 0;

err_drop:
	recfile_drop(&rec->file);
	return -1;
}

/* Writes the current checkpoints of the ring, and leaves them there. */
static int write_copies(struct recorder *rec)
{
	unsigned int nr;
	struct snapshot *shots = copy_ring(rec, &nr);
	int ret;

	if (!shots)
		return -1;
	ret = write_all(rec, shots, nr);
	free_all(shots, nr);
	return ret;
}

static void print_written(const struct recorder *rec)
{
	char size[FIGURE_SIZE];

	warnx("%s: %" PRIu64 " checkpoint%s, %s; %" PRIu64 " %s",
	      rec->options->output, rec->file.written,
	      rec->file.written == 1 ? "" : "s",
	      figure_bytes(size, (double)rec->file.size), rec->missed,
	      rec->options->stream ? "lost in between" : "came and went before");
	if (rec->file.cut)
		warnx("the stacks of %" PRIu64 " of them are cut: --stack-limit keeps more of each",
		      rec->file.cut);
}

/* The number of the newest checkpoint, which is also the number of all so far. */
static uint64_t newest(const struct recorder *rec)
{
	const struct cp_region_head *head = cp_pair_region(*rec->pair, NULL);
	const struct cp_checkpoint *cp;

	if (!head->newest)
		return rec->base;
	cp = (const void *)((const char *)head + head->newest);
	return rec->base + cp->seq;
}

static uint64_t missed_now(const struct recorder *rec)
{
	return rec->missed_before + cp_pair_missed(*rec->pair);
}

/* Replaces the line of the last call, which must not have wrapped: cuts it if need be. */
static void show_progress(const struct recorder *rec)
{
	const unsigned int columns = width_of(stderr);
	char size[FIGURE_SIZE], text[PROGRESS_SIZE];
	int len;

	if (!isatty(STDERR_FILENO))
		return;
	len = snprintf(text, sizeof(text), "recording process %d: ",
		       rec->now.witness.pid);
	if (rec->options->stream)
		snprintf(text + len, sizeof(text) - (size_t)len,
			 "%" PRIu64 " checkpoints kept, %" PRIu64 " lost, %s written",
			 rec->file.written, missed_now(rec),
			 figure_bytes(size, recwriter_size(rec->file.writer)));
	else
		snprintf(text + len, sizeof(text) - (size_t)len,
			 "%" PRIu64 " checkpoints", newest(rec));
	fputs("\r\033[K", stderr);
	width_print(stderr, text, columns ? columns : UINT_MAX);
}

static void end_progress(void)
{
	if (isatty(STDERR_FILENO))
		fputs("\r\033[K", stderr);
}

/* The periodic work: surroundings, progress, and the file after a SIGUSR1. */
static int attend(struct recorder *rec)
{
	int ret;

	look(rec);
	show_progress(rec);
	if (!asked)
		return 0;
	asked = 0;
	end_progress();
	rec->missed = missed_now(rec);
	ret = rec->options->stream ? recfile_show(&rec->file) :
				     write_copies(rec);
	if (!ret)
		print_written(rec);
	/* A failure is not fatal: the ring can be written later. */
	return rec->options->stream ? ret : 0;
}

static void look_less_often(struct recorder *rec)
{
	if (rec->look_ms < LOOK_MS)
		rec->look_ms *= 2;
	if (rec->look_ms > LOOK_MS)
		rec->look_ms = LOOK_MS;
}

/* Lets the region keep the last states, until the pair has ended. */
static int keep_last(struct recorder *rec)
{
	/* Without POLLIN, poll() waits for the end of the pair only. */
	struct pollfd poll_end = { .fd = cp_pair_fd(*rec->pair) };

	do {
		attend(rec);
		poll(&poll_end, 1, rec->look_ms);
		look_less_often(rec);
	} while (!poll_end.revents);
	return 0;
}

static bool is_time(struct recorder *rec, uint64_t *last, uint64_t time)
{
	if (!asked && time - *last < (uint64_t)rec->look_ms * 1000000)
		return false;
	*last = time;
	look_less_often(rec);
	return true;
}

/* Writes all checkpoints as they come, until the pair has ended. */
static int write_stream(struct recorder *rec)
{
	uint64_t last = 0;

	for (;;) {
		int ret = cp_pair_get(*rec->pair, LOOK_NS, 0);

		if (!ret)
			return 0;
		if (ret == 1 && use_taken(rec, write_checkpoint))
			return -1;
		if (ret < 0 && errno != ETIMEDOUT && errno != EINTR) {
			diagnose_get(rec->now.witness.pid, errno);
			return -1;
		}
		if ((ret < 0 ||
		     is_time(rec, &last,
			     cp_pair_checkpoint(*rec->pair)->time)) &&
		    attend(rec))
			return -1;
	}
}

/* Keeps or writes the states of the program that was replaced. */
static int end_program(struct recorder *rec, uint32_t flags)
{
	if (rec->options->stream) {
		program_free(&rec->now);
		return recfile_exec(&rec->file, flags);
	}
	if (!past_add(&rec->past, &rec->now, rec->options->slots))
		return 0;
	warn("cannot keep the checkpoints");
	return -1;
}

/* Switches to the program after an exec, with which @next is paired. */
static int change_program(struct recorder *rec, struct cp_pair *next,
			  uint32_t flags)
{
	const pid_t pid = rec->now.witness.pid;
	int ret;

	rec->base = newest(rec);
	rec->missed_before = missed_now(rec);
	ret = end_program(rec, flags);
	witness_open(&rec->now.witness, pid);
	rec->now.flags = flags;
	rec->look_ms = LOOK_FIRST_MS;
	cp_pair_close(*rec->pair);
	*rec->pair = next;
	interrupt_move(next);
	if (interrupted())
		cp_pair_end(next);
	look(rec);
	return ret;
}

/* Makes a new pair with the process; returns NULL after printing the reason. */
static struct cp_pair *pair_again(struct recorder *rec)
{
	struct cp_pair *next = cp_pair_open();

	if (!next) {
		diagnose_open(errno);
		return NULL;
	}
	if (!recorder_prep(next, rec->now.witness.pid, rec->options))
		return next;
	cp_pair_close(next);
	return NULL;
}

static int take_rest(struct recorder *rec)
{
	return use_rest(rec, rec->options->stream ? write_checkpoint :
						    keep_checkpoint);
}

/* Makes a new pair with a child that is held at the beginning of another program. */
static int begin_again(struct recorder *rec)
{
	struct cp_pair *next;

	/* The exec would end the pair only at the program's first return. */
	cp_pair_end(*rec->pair);
	if (take_rest(rec))
		return -1;
	next = pair_again(rec);
	return next ? change_program(rec, next, 0) : -1;
}

void recorder_begin(struct recorder *rec)
{
	const pid_t pid = rec->now.witness.pid;

	/* A library's constructor may execute another program. */
	while (!rec->options->wait && child_run_to_entry(pid) == CHILD_EXEC)
		if (begin_again(rec))
			break;
	look(rec);
}

/*
 * Holds the current program. If another thread than the main one has called exec, the
 * process has no main thread for a moment: repeat until child_hold() succeeds.
 */
static bool hold(const struct recorder *rec)
{
	const pid_t pid = rec->now.witness.pid;
	struct pollfd ended = { .fd = pidfd_open(pid, 0), .events = POLLIN };
	bool held = child_hold(pid);

	while (!held && !interrupted() && ended.fd >= 0 &&
	       poll(&ended, 1, 1) <= 0)
		held = child_hold(pid);
	if (ended.fd >= 0)
		close(ended.fd);
	return held;
}

/* Pairs with the new program, which is held, and releases it. Returns 1, 0 or -1. */
static int record_next(struct recorder *rec)
{
	const pid_t pid = rec->now.witness.pid;
	struct cp_pair *next;
	int ret = 0;

	while (rec->options->wait && child_run_to_entry(pid) == CHILD_EXEC)
		;
	next = pair_again(rec);
	if (next)
		ret = change_program(rec, next, REC_EXEC_LATE) ? -1 : 1;
	if (ret > 0)
		recorder_begin(rec);
	child_release(pid);
	return ret;
}

/*
 * Continues the recording if the pair has ended by an exec. The new program is already
 * running, so this function holds it before taking the rest of the old pair.
 *
 * Return: 1 if there is a new pair, else 0 or -1.
 */
static int follow(struct recorder *rec)
{
	const pid_t pid = rec->now.witness.pid;
	bool held;
	int status;

	if (!rec->follow || interrupted())
		return 0;
	held = child_hold(pid);
	if (!take_rest(rec) &&
	    cp_pair_ended(*rec->pair, &status) == CP_END_EXEC)
		return held || hold(rec) ? record_next(rec) : 0;
	if (held)
		child_release(pid);
	return cp_pair_ended(*rec->pair, &status) == CP_END_NONE ? -1 : 0;
}

static int write_kept(struct recorder *rec)
{
	size_t i;

	for (i = 0; i < rec->now.nr; i++)
		if (write_checkpoint(rec, &rec->now.shots[i]))
			return -1;
	return 0;
}

static int finish(struct recorder *rec)
{
	if (!rec->options->stream &&
	    (begin_with_past(rec) || write_kept(rec) ||
	     use_rest(rec, write_checkpoint)))
		return -1;
	rec->missed = missed_now(rec);
	return end_file(rec);
}

static int record_all(struct recorder *rec)
{
	int ret;

	do {
		ret = rec->options->stream ? write_stream(rec) : keep_last(rec);
		if (!ret)
			ret = follow(rec);
	} while (ret > 0);
	return ret ? ret : finish(rec);
}

int recorder_run(struct recorder *rec)
{
	unsigned int reason;
	int ret, status;

	ret = record_all(rec);
	end_progress();
	if (ret) {
		recfile_give_up(&rec->file);
		/* With --wait, the slave would wait for a free slot forever. */
		cp_pair_end(*rec->pair);
		return EXIT_REFUSED;
	}
	reason = cp_pair_ended(*rec->pair, &status);
	if (!interrupted())
		diagnose_end(rec->now.witness.pid, reason, status);
	print_written(rec);
	return EXIT_OK;
}

void recorder_close(struct recorder *rec)
{
	if (!rec)
		return;
	recfile_drop(&rec->file);
	past_free(&rec->past);
	program_free(&rec->now);
	free(rec);
}
