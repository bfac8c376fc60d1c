// SPDX-License-Identifier: GPL-2.0-only
/* Recording a slave: the common part of record PID and record COMMAND. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "child.h"
#include "clock.h"
#include "diagnose.h"
#include "exit.h"
#include "facts.h"
#include "interrupt.h"
#include "message.h"
#include "past.h"
#include "progress.h"
#include "recorder.h"
#include "recprep.h"
#include "recsummary.h"
#include "ringcopy.h"

/* The interval at which the surroundings are read and the progress is shown. */
#define LOOK_MS		1000
#define LOOK_NS		(LOOK_MS * 1000000LL)

/*
 * The first interval of a program is shorter: the program maps its libraries, and its
 * threads set their names.
 */
#define LOOK_FIRST_MS	8

/*
 * struct recorder - a recording being made
 * @pair: the pair with the process
 * @options: the options of the recording
 * @follow: whether to continue the recording after an exec
 * @now: the current program; its states are copied here only after the pair has ended
 * @base: the number of checkpoints of all earlier programs; 0 in a recording of all
 *	threads, where it is not needed
 * @missed_before: the number of those that were lost
 * @missed: the number of all checkpoints that were lost
 * @unseen_before: the number of threads of earlier programs that were not recorded
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
	unsigned int			unseen_before;
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

void recorder_catch(void)
{
	struct sigaction action = { .sa_handler = ask };

	sigaction(SIGUSR1, &action, NULL);
}

static void look(struct recorder *rec)
{
	witness_look(&rec->now.witness);
}

struct recorder *recorder_open(struct cp_pair **pair, pid_t pid, bool follow,
			       const struct record_options *options)
{
	struct recorder *rec = calloc(1, sizeof(*rec));

	if (!rec) {
		warn("cannot record");
		return NULL;
	}
	rec->pair = pair;
	rec->options = options;
	rec->follow = follow;
	rec->look_ms = LOOK_FIRST_MS;
	rec->file.options = options;
	witness_open(&rec->now.witness, pid, options->process);
	if (recfile_begin(&rec->file)) {
		recorder_close(rec);
		return NULL;
	}
	/* Without --stream the file is written at the end: this was only a test. */
	if (!options->stream)
		recfile_drop(&rec->file);
	look(rec);
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

static int write_moment(struct recorder *rec, struct moment *now)
{
	return recfile_moment(&rec->file, &rec->now.witness, now);
}

static int keep_moment(struct recorder *rec, struct moment *now)
{
	if (!program_keep(&rec->now, now))
		return 0;
	warn("cannot keep a checkpoint");
	snapshot_free(&now->shot);
	return -1;
}

/* use_fn - writes or keeps a moment; returns 0 or -1 */
typedef int (*use_fn)(struct recorder *rec, struct moment *now);

/* Copies what cp_pair_get() has returned with @taken: 1, or 2. */
static int take(const struct recorder *rec, int taken, struct moment *now)
{
	int status;

	if (taken == 1) {
		if (snapshot_take(&now->shot, *rec->pair))
			return -1;
		now->shot.head.seq += rec->base;
		return 0;
	}
	now->is_end = true;
	now->end.thread = cp_pair_thread(*rec->pair, &status);
	now->end.status = status;
	return 0;
}

static int use_taken(struct recorder *rec, int taken, use_fn use)
{
	struct moment now = {};

	if (taken == 3) {
		rec->options->family->born(cp_pair_thread(*rec->pair, NULL));
		return 0;
	}
	if (!take(rec, taken, &now))
		return use(rec, &now);
	warn("cannot keep a checkpoint");
	return -1;
}

/*
 * Takes the remaining checkpoints of a pair that has ended, in their order. A child that has
 * been created may still have to announce itself.
 */
static int use_rest(struct recorder *rec, use_fn use)
{
	int ret;

	for (;;) {
		ret = cp_pair_get(*rec->pair, LOOK_NS, 0);
		if (ret > 0)
			ret = use_taken(rec, ret, use);
		else if (!ret)
			return 0;
		else if (errno != EINTR && errno != ETIMEDOUT)
			diagnose_get(rec->now.witness.pid, errno);
		else
			continue;
		if (ret)
			return -1;
	}
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

static int write_all(struct recorder *rec, const struct ringcopy *copy)
{
	size_t i;

	if (begin_with_past(rec))
		goto err_drop;
	for (i = 0; i < copy->nr; i++) {
		copy->moments[i].shot.head.seq += rec->base;
		if (write_moment(rec, &copy->moments[i]))
			goto err_drop;
	}
	if (!end_file(rec))
		return 0;

err_drop:
	recfile_drop(&rec->file);
	return -1;
}

/* Writes the current checkpoints of the ring, and leaves them there. */
static int write_copies(struct recorder *rec)
{
	const struct witness *witness = &rec->now.witness;
	struct ringcopy copy = {};
	int ret = ringcopy_take(&copy, *rec->pair,
				witness->process ? witness->pid : 0);

	rec->missed = rec->missed_before + copy.missed;
	if (ret)
		warn("cannot keep the checkpoints");
	else
		ret = write_all(rec, &copy);
	ringcopy_free(&copy);
	return ret;
}

static uint64_t missed_now(const struct recorder *rec)
{
	return rec->missed_before + cp_pair_missed(*rec->pair);
}

static struct progress progress_of(const struct recorder *rec, uint64_t missed)
{
	return (struct progress){
		.pid = rec->now.witness.pid,
		.pair = *rec->pair,
		.base = rec->base,
		.missed = missed,
		.unseen = rec->unseen_before + cp_pair_unseen(*rec->pair),
		.file = &rec->file,
	};
}

/* A file to poll: readable when the program that was started may have stopped. */
static int news(const struct recorder *rec)
{
	return rec->options->family ? child_news() : -1;
}

static void report_change(const struct recorder *rec)
{
	enum child_change change;

	if (!rec->options->family)
		return;
	change = child_changed();
	if (change != CHILD_SAME)
		rec->options->family->changed(change == CHILD_STOPPED);
}

static void print_written(const struct recorder *rec)
{
	const struct progress progress = progress_of(rec, rec->missed);

	progress_written(&progress);
}

/* The periodic work: surroundings, progress, and the file after a SIGUSR1. */
static int attend(struct recorder *rec)
{
	const struct progress progress = progress_of(rec, missed_now(rec));
	int ret;

	look(rec);
	report_change(rec);
	/* One of many recorders does not know the progress of the others. */
	if (!rec->options->family)
		progress_show(&progress);
	if (!asked)
		return 0;
	asked = 0;
	if (!rec->options->family)
		progress_end();
	rec->missed = missed_now(rec);
	ret = rec->options->stream ? recfile_show(&rec->file) :
				     write_copies(rec);
	if (rec->options->family)
		rec->options->family->written();
	else if (!ret)
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

/* Takes the children that are held, without the checkpoints in the region. */
static int take_children(struct recorder *rec)
{
	struct pollfd poll_child = {
		.fd = cp_pair_fd(*rec->pair),
		.events = POLLPRI,
	};
	int ret = 3;

	while (ret == 3 && poll(&poll_child, 1, 0) > 0 &&
	       poll_child.revents == POLLPRI) {
		ret = cp_pair_get(*rec->pair, 0, 0);
		if (ret > 0 && use_taken(rec, ret, keep_moment))
			return -1;
	}
	return 0;
}

/* Waits until the surroundings are to be read. Returns 1 if the pair has ended, 0, or -1. */
static int wait_to_look(struct recorder *rec)
{
	/* Without POLLIN, poll() waits for a child or the end of the pair only. */
	struct pollfd polled[] = {
		{ .fd = cp_pair_fd(*rec->pair), .events = POLLPRI },
		{ .fd = news(rec), .events = POLLIN },
	};
	const int64_t until = clock_ns() + rec->look_ms * 1000000LL;
	int64_t left;

	do {
		left = until - clock_ns();
		polled[0].revents = 0;
		polled[1].revents = 0;
		poll(polled, 2, left > 0 ? (int)(left / 1000000) + 1 : 0);
		if (polled[1].revents)
			report_change(rec);
		if (polled[0].revents & POLLPRI && take_children(rec))
			return -1;
		if (polled[0].revents & ~POLLPRI)
			return 1;
	} while (left > 0 && !asked &&
		 (polled[0].revents || polled[1].revents));
	return 0;
}

/* Lets the region keep the last states, until the pair has ended. */
static int keep_last(struct recorder *rec)
{
	int ret;

	do {
		attend(rec);
		ret = wait_to_look(rec);
		look_less_often(rec);
	} while (!ret);
	return ret < 0 ? -1 : 0;
}

static bool is_time(struct recorder *rec, uint64_t *last, uint64_t time)
{
	/* The state of a death may be older than the checkpoints before. */
	if (!asked && time < *last + (uint64_t)rec->look_ms * 1000000)
		return false;
	*last = time;
	look_less_often(rec);
	return true;
}

/* Has cp_pair_get() failed because there was no checkpoint in time? */
static bool is_early(void)
{
	return errno == ETIMEDOUT || errno == EAGAIN || errno == EINTR;
}

/*
 * cp_pair_get() for at most LOOK_MS. If there is news(), does not wait in the system call,
 * which does not notice it.
 */
static int get_next(const struct recorder *rec)
{
	struct pollfd polled[] = {
		{ .fd = cp_pair_fd(*rec->pair), .events = POLLIN | POLLPRI },
		{ .fd = news(rec), .events = POLLIN },
	};
	int ret;

	if (polled[1].fd < 0)
		return cp_pair_get(*rec->pair, LOOK_NS, 0);
	ret = cp_pair_get(*rec->pair, 0, 0);
	if (ret >= 0 || !is_early())
		return ret;
	poll(polled, 2, LOOK_MS);
	if (polled[1].revents)
		report_change(rec);
	return cp_pair_get(*rec->pair, 0, 0);
}

/* Writes all checkpoints as they come, until the pair has ended. */
static int write_stream(struct recorder *rec)
{
	uint64_t last = 0;

	for (;;) {
		int ret = get_next(rec);

		if (!ret)
			return 0;
		if (ret > 0 && use_taken(rec, ret, write_moment))
			return -1;
		if (ret < 0 && !is_early()) {
			diagnose_get(rec->now.witness.pid, errno);
			return -1;
		}
		if ((ret < 0 ||
		     (ret == 1 &&
		      is_time(rec, &last,
			      cp_pair_checkpoint(*rec->pair)->time))) &&
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

	/* Those of a process are numbered by their order, and by thread. */
	if (!rec->options->process)
		rec->base += progress_count(*rec->pair);
	rec->missed_before = missed_now(rec);
	rec->unseen_before += cp_pair_unseen(*rec->pair);
	ret = end_program(rec, flags);
	witness_open(&rec->now.witness, pid, rec->options->process);
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
	if (!recprep(next, rec->now.witness.pid, rec->options))
		return next;
	cp_pair_close(next);
	return NULL;
}

static int take_rest(struct recorder *rec)
{
	return use_rest(rec, rec->options->stream ? write_moment : keep_moment);
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
 * process has no main thread for a moment: repeat until child_hold() succeeds, or the
 * process has ended.
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

/*
 * Pairs with the new program, which the kernel holds until there is a pair, and lets the
 * program run to its entry point. Returns 1, 0 or -1.
 */
static int record_held(struct recorder *rec)
{
	const pid_t pid = rec->now.witness.pid;
	const bool late = !task_is_held(pid);
	const bool seized = !rec->options->wait && child_seize(pid);
	struct cp_pair *next = pair_again(rec);
	int ret = 0;

	if (next)
		ret = change_program(rec, next, late ? REC_EXEC_LATE : 0) ? -1 : 1;
	else
		recprep_give_up(pid);
	if (!seized)
		return ret;
	if (child_arrives(pid) && ret > 0)
		recorder_begin(rec);
	child_release(pid);
	return ret;
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
 * running, so this function holds it before taking the rest of the old pair, which may
 * take longer than the program lives.
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
	if (rec->options->family) {
		if (take_rest(rec))
			return -1;
		return cp_pair_ended(*rec->pair, &status) == CP_END_EXEC ?
			       record_held(rec) : 0;
	}
	held = hold(rec);
	if (!take_rest(rec) &&
	    cp_pair_ended(*rec->pair, &status) == CP_END_EXEC)
		return held ? record_next(rec) : 0;
	if (held)
		child_release(pid);
	return cp_pair_ended(*rec->pair, &status) == CP_END_NONE ? -1 : 0;
}

static int write_kept(struct recorder *rec)
{
	size_t i;

	for (i = 0; i < rec->now.nr; i++)
		if (write_moment(rec, &rec->now.moments[i]))
			return -1;
	return 0;
}

static int finish(struct recorder *rec)
{
	if (!rec->options->stream &&
	    (begin_with_past(rec) || write_kept(rec) ||
	     use_rest(rec, write_moment)))
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

static void report(const struct recorder *rec)
{
	const struct progress progress = progress_of(rec, rec->missed);
	const struct recfile *file = &rec->file;
	struct recsummary summary = {
		.pid = progress.pid,
		.unseen = progress.unseen,
		.checkpoints = file->written,
		.missed = rec->missed,
		.cut = file->cut,
		.size = file->size,
	};

	summary.reason = cp_pair_ended(*rec->pair, &summary.status);
	if (rec->options->family) {
		snprintf(summary.name, sizeof(summary.name), "%s",
			 rec->now.witness.identity.name);
		rec->options->family->over(&summary);
		return;
	}
	if (!interrupted())
		diagnose_end(summary.pid, summary.reason, summary.status);
	progress_written(&progress);
}

int recorder_run(struct recorder *rec)
{
	int ret;

	ret = record_all(rec);
	if (!rec->options->family)
		progress_end();
	if (ret) {
		recfile_give_up(&rec->file);
		/* With --wait, the slave would wait for a free slot forever. */
		cp_pair_end(*rec->pair);
		return EXIT_REFUSED;
	}
	report(rec);
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
