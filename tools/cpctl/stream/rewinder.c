// SPDX-License-Identifier: GPL-2.0-only
/* A living process, and the snapshot that it is put back to. */
#include <errno.h>

#include "clock.h"
#include "diagnose.h"
#include "facts.h"
#include "interrupt.h"
#include "message.h"
#include "pages.h"
#include "rewinder.h"

/* How long a call waits for a thread that does not arrive. */
#define PATIENCE_NS (2 * NSEC_PER_SEC)

static bool is_offered(const struct cp_pair *pair)
{
	const uint64_t needed = CP_FEATURE_PROCESS | CP_FEATURE_SNAPSHOT |
				CP_FEATURE_PUT_BACK;
	struct cp_info info;

	if (!cp_pair_info(pair, &info) && (info.features & needed) == needed)
		return true;
	warnx("the module is older than this cpctl and cannot put processes back: install both from the same release");
	return false;
}

/* The process never waits for cpctl, and hands over checkpoints only when it is held. */
static bool pair_with(struct rewinder *rewinder)
{
	const struct cp_pair_options options = {
		.size = sizeof(options),
		.stack_limit = PAGE_BYTES,
		.interval = UINT64_MAX,
		.flags = CP_PREP_PROCESS | CP_PREP_OVERWRITE,
		.writable = 1,
	};
	pid_t pid = task_of_process(rewinder->pid);

	if (!interrupt_prep(rewinder->pair, pid, &options))
		return true;
	if (errno == EROFS)
		warnx("/proc is mounted read-only, so nobody may write to process %d: mount it again with rw",
		      pid);
	else
		diagnose_prep(pid, errno);
	return false;
}

/* Prints the state of the thread that a call has waited for in vain. */
static void diagnose_late(const struct rewinder *rewinder, int error, pid_t late)
{
	if (error == ETIMEDOUT)
		diagnose_wait(late ?: rewinder->pid);
}

static bool take_snapshot(struct rewinder *rewinder)
{
	int64_t began = clock_ns();
	pid_t late = 0;
	int error;

	rewinder->snap = cp_pair_snapshot(rewinder->pair, PATIENCE_NS, 0, &late);
	error = errno;
	rewinder->took_ns = clock_ns() - began;
	if (rewinder->snap)
		return true;
	if (interrupted())
		return false;
	if (error == EPIPE) {
		rewinder_end(rewinder);
		return false;
	}
	diagnose_late(rewinder, error, late);
	warnx("there is no snapshot of process %d: %s", rewinder->pid,
	      snapshot_refusal(error));
	return false;
}

bool rewinder_open(struct rewinder *rewinder)
{
	rewinder->pair = cp_pair_open();
	if (!rewinder->pair) {
		diagnose_open(errno);
		return false;
	}
	interrupt_catch(rewinder->pair);
	return is_offered(rewinder->pair) && pair_with(rewinder) &&
	       take_snapshot(rewinder);
}

int rewinder_put_back(struct rewinder *rewinder)
{
	int64_t began = clock_ns();
	pid_t late = 0;
	int error = 0;

	if (cp_pair_put_back(rewinder->pair, rewinder->snap, PATIENCE_NS, 0,
			     &rewinder->pages, &late))
		error = errno;
	rewinder->took_ns = clock_ns() - began;
	if (!error || error == EPIPE || interrupted())
		return error;
	diagnose_late(rewinder, error, late);
	if (error == ENOTRECOVERABLE)
		warnx("process %d was killed: %s", rewinder->pid,
		      put_back_refusal(error));
	else
		warnx("process %d was not put back, and continues: %s",
		      rewinder->pid, put_back_refusal(error));
	return error;
}

unsigned int rewinder_end(struct rewinder *rewinder)
{
	unsigned int reason;
	int status;

	while (cp_pair_get(rewinder->pair, 0, 0) > 0)
		;
	reason = cp_pair_ended(rewinder->pair, &status);
	diagnose_end(rewinder->pid, reason, status);
	return reason;
}

void rewinder_close(struct rewinder *rewinder)
{
	cp_snap_close(rewinder->snap);
	interrupt_move(NULL);
	cp_pair_close(rewinder->pair);
}
