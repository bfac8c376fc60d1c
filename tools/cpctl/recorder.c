// SPDX-License-Identifier: GPL-2.0-only
/* Recording a slave: what record and run --record do once they have a pair. */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cpctl.h"
#include "diagnose.h"
#include "interrupt.h"
#include "message.h"
#include "recorder.h"
#include "recording.h"
#include "text.h"
#include "wholefile.h"
#include "witness.h"

/* How often the process is looked at, and progress shown. */
#define LOOK_MS		1000
#define LOOK_NS		(LOOK_MS * 1000000LL)

/*
 * struct recorder - a recording being made
 * @pair: the pair with the process
 * @options: how
 * @witness: what is known of the process
 * @file: where the recording goes
 * @writer: with @file: what writes it
 * @written: checkpoints in @file
 * @missed: checkpoints that have been lost
 * @size: bytes of the file that was written last
 */
struct recorder {
	struct cp_pair			*pair;
	const struct record_options	*options;
	struct witness			witness;
	struct wholefile		file;
	struct recwriter		*writer;
	uint64_t			written;
	uint64_t			missed;
	uint64_t			size;
};

static volatile sig_atomic_t asked;

static void ask(int sig)
{
	(void)sig;
	asked = 1;
}

int recorder_prep(struct cp_pair *pair, pid_t pid,
		  const struct record_options *options)
{
	const struct cp_pair_options pair_options = {
		.size = sizeof(pair_options),
		.stack_limit = options->stack_limit,
		.interval = (uint64_t)options->interval,
		.every = (uint32_t)options->every,
		.nr_slots = (uint32_t)options->slots,
		.flags = CP_PREP_DEATH |
			 (options->wait ? 0 : CP_PREP_OVERWRITE) |
			 (options->xstate ? CP_PREP_XSTATE : 0),
	};
	int error;

	if (!cp_pair_prep(pair, pid, &pair_options))
		return 0;
	error = errno;
	if (error == EINVAL && pid != getpid())
		warnx("cannot record process %d: --slots or --stack-limit is more than the module allows",
		      pid);
	else
		diagnose_prep(pid, error);
	return -1;
}

struct recorder *recorder_open(struct cp_pair *pair, pid_t pid,
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
	witness_open(&rec->witness, pid);
	recorder_look(rec);
	sigaction(SIGUSR1, &action, NULL);
	return rec;
}

void recorder_look(struct recorder *rec)
{
	witness_look(&rec->witness);
}

/* All of these return 0, or -1 after saying what is wrong. */

static int cannot_write(const struct recorder *rec)
{
	warn("cannot write %s", rec->options->output);
	return -1;
}

static int begin_file(struct recorder *rec)
{
	if (wholefile_open(&rec->file, rec->options->output)) {
		if (errno != EEXIST)
			return cannot_write(rec);
		warnx("cannot write %s: it is not a regular file",
		      rec->options->output);
		return -1;
	}
	rec->witness.told = false;
	rec->written = 0;
	rec->writer = recwriter_open(rec->file.fd);
	if (rec->writer)
		return 0;
	cannot_write(rec);
	wholefile_drop(&rec->file);
	return -1;
}

static void drop_file(struct recorder *rec)
{
	recwriter_close(rec->writer);
	rec->writer = NULL;
	wholefile_drop(&rec->file);
}

static int end_file(struct recorder *rec)
{
	struct rec_end end = { .missed = rec->missed };
	int status;

	end.reason = cp_pair_ended(rec->pair, &status);
	end.status = status;
	if (witness_tell(&rec->witness, rec->writer) ||
	    recwriter_put(rec->writer, REC_END, &end, sizeof(end), NULL, 0) ||
	    recwriter_flush(rec->writer)) {
		cannot_write(rec);
		drop_file(rec);
		return -1;
	}
	rec->size = recwriter_size(rec->writer);
	recwriter_close(rec->writer);
	rec->writer = NULL;
	return wholefile_keep(&rec->file) ? cannot_write(rec) : 0;
}

static int write_checkpoint(struct recorder *rec, struct snapshot *now)
{
	if (witness_tell(&rec->witness, rec->writer) ||
	    recwriter_checkpoint(rec->writer, now))
		return cannot_write(rec);
	rec->written++;
	return 0;
}

static int write_taken(struct recorder *rec)
{
	struct snapshot now = {};

	if (!snapshot_take(&now, rec->pair))
		return write_checkpoint(rec, &now);
	warn("cannot keep a checkpoint");
	return -1;
}

/* Takes what there is, in the order in which it came. */
static int write_rest(struct recorder *rec)
{
	int ret;

	for (;;) {
		ret = cp_pair_get(rec->pair, LOOK_NS, 0);
		if (ret == 1)
			ret = write_taken(rec);
		else if (!ret)
			return 0;
		else if (errno != EINTR)
			diagnose_get(rec->witness.pid, errno);
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

/* The checkpoints that are in the ring now, in order; NULL without memory. */
static struct snapshot *copy_ring(const struct recorder *rec, unsigned int *nr)
{
	size_t size = cp_pair_region(rec->pair, NULL)->slot_size;
	unsigned int slots = cp_pair_slots(rec->pair), slot;
	struct snapshot *shots = calloc(slots, sizeof(*shots));
	void *copy = malloc(size);

	*nr = 0;
	for (slot = 0; shots && copy && slot < slots; slot++)
		if (cp_pair_copy(rec->pair, slot, copy, size) == 1 &&
		    !snapshot_of_copy(&shots[*nr], copy))
			++*nr;
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

static int write_all(struct recorder *rec, struct snapshot *shots,
		     unsigned int nr)
{
	unsigned int i;

	/* Of those that there have been, all others are gone. */
	rec->missed = nr ? shots[nr - 1].head.seq - nr : 0;
	if (begin_file(rec))
		return -1;
	for (i = 0; i < nr; i++) {
		if (!write_checkpoint(rec, &shots[i]))
			continue;
		drop_file(rec);
		return -1;
	}
	return end_file(rec);
}

/* Writes what is in the ring now, and leaves it there. */
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

static void tell_written(const struct recorder *rec)
{
	char size[FIGURE_SIZE];

	warnx("%s: %" PRIu64 " checkpoint%s, %s; %" PRIu64 " %s",
	      rec->options->output, rec->written, rec->written == 1 ? "" : "s",
	      figure_bytes(size, (double)rec->size), rec->missed,
	      rec->options->stream ? "lost in between" : "came and went before");
}

/* The number of the newest checkpoint: so many have there been. */
static uint64_t newest(const struct recorder *rec)
{
	const struct cp_region_head *head = cp_pair_region(rec->pair, NULL);
	const struct cp_checkpoint *cp;

	if (!head->newest)
		return 0;
	cp = (const void *)((const char *)head + head->newest);
	return cp->seq;
}

static void show_progress(const struct recorder *rec)
{
	char size[FIGURE_SIZE];

	if (!isatty(STDERR_FILENO))
		return;
	fprintf(stderr, "\rrecording process %d: %" PRIu64 " checkpoints",
		rec->witness.pid, newest(rec));
	if (rec->writer)
		fprintf(stderr, ", %s written",
			figure_bytes(size, (double)recwriter_size(rec->writer)));
	fputs("\033[K", stderr);
}

static void end_progress(void)
{
	if (isatty(STDERR_FILENO))
		fputs("\r\033[K", stderr);
}

/* What has come so far is to be in the file, and the file to have its name. */
static int show_stream(struct recorder *rec)
{
	if (recwriter_flush(rec->writer) || wholefile_show(&rec->file))
		return cannot_write(rec);
	rec->size = recwriter_size(rec->writer);
	return 0;
}

/* To be done every now and then. */
static int attend(struct recorder *rec)
{
	int ret;

	recorder_look(rec);
	show_progress(rec);
	if (!asked)
		return 0;
	asked = 0;
	end_progress();
	rec->missed = cp_pair_missed(rec->pair);
	ret = rec->options->stream ? show_stream(rec) : write_copies(rec);
	if (!ret)
		tell_written(rec);
	/* What is in the ring may still be written later. */
	return rec->options->stream ? ret : 0;
}

/* Keeps the last states, in the region, until the pair is over. */
static int keep_last(struct recorder *rec)
{
	/* Only the end is waited for. */
	struct pollfd poll_end = { .fd = cp_pair_fd(rec->pair) };

	do {
		attend(rec);
		poll(&poll_end, 1, LOOK_MS);
	} while (!poll_end.revents);
	if (begin_file(rec))
		return -1;
	if (!write_rest(rec)) {
		rec->missed = cp_pair_missed(rec->pair);
		return end_file(rec);
	}
	drop_file(rec);
	return -1;
}

static bool is_time(uint64_t *last, uint64_t time)
{
	if (!asked && time - *last < LOOK_NS)
		return false;
	*last = time;
	return true;
}

static int write_stream(struct recorder *rec)
{
	uint64_t last = 0;

	for (;;) {
		int ret = cp_pair_get(rec->pair, LOOK_NS, 0);

		if (!ret)
			return 0;
		if (ret == 1 && write_taken(rec))
			return -1;
		if (ret < 0 && errno != ETIMEDOUT && errno != EINTR) {
			diagnose_get(rec->witness.pid, errno);
			return -1;
		}
		if ((ret < 0 ||
		     is_time(&last, cp_pair_checkpoint(rec->pair)->time)) &&
		    attend(rec))
			return -1;
	}
}

/* Writes all, as it comes. */
static int stream(struct recorder *rec)
{
	if (begin_file(rec))
		return -1;
	if (!write_stream(rec)) {
		rec->missed = cp_pair_missed(rec->pair);
		return end_file(rec);
	}
	drop_file(rec);
	return -1;
}

int recorder_run(struct recorder *rec)
{
	unsigned int reason;
	int ret, status;

	ret = rec->options->stream ? stream(rec) : keep_last(rec);
	end_progress();
	if (ret) {
		/* Else a slave that may have to wait would do so for ever. */
		cp_pair_end(rec->pair);
		return EXIT_REFUSED;
	}
	reason = cp_pair_ended(rec->pair, &status);
	if (!interrupted())
		diagnose_end(rec->witness.pid, reason, status);
	tell_written(rec);
	return EXIT_OK;
}

void recorder_close(struct recorder *rec)
{
	if (!rec)
		return;
	witness_close(&rec->witness);
	free(rec);
}
