// SPDX-License-Identifier: GPL-2.0-only
/* The processes of a view of cpctl watch, and the checkpoints of their threads. */
#include <errno.h>
#include <stdlib.h>

#include "clock.h"
#include "crowd.h"
#include "diagnose.h"
#include "exit.h"
#include "facts.h"
#include "interrupt.h"
#include "message.h"
#include "screen.h"
#include "threads.h"

/* The maximum time from the arrival of one thread to that of the next one. */
#define NEXT_NS (SLICE_NS / 4)

/* The view shows no stack: a small part of each is captured. */
#define STACK_BYTES 4096

static bool has_member(const struct crowd *crowd, pid_t pid)
{
	size_t i;

	for (i = 0; i < crowd->nr; i++) {
		if (crowd->members[i]->pid == pid)
			return true;
	}
	return false;
}

static struct member *open_member(pid_t pid)
{
	struct member *member = calloc(1, sizeof(*member));

	if (!member)
		return NULL;
	member->pid = pid;
	surroundings_open(&member->around, task_of_process(pid));
	member->symbols = symbols_open(&member->around);
	if (member->symbols)
		return member;
	surroundings_close(&member->around);
	free(member);
	return NULL;
}

static void close_member(struct member *member)
{
	instant_free(&member->instant);
	if (!member->symbols)
		return;
	symbols_close(member->symbols);
	surroundings_close(&member->around);
	member->symbols = NULL;
}

/* Returns false with errno without memory. */
static bool add_member(struct crowd *crowd, pid_t pid)
{
	struct member **more = reallocarray(crowd->members, crowd->nr + 1,
					    sizeof(*more));

	if (!more)
		return false;
	crowd->members = more;
	more[crowd->nr] = open_member(pid);
	if (!more[crowd->nr])
		return false;
	crowd->nr++;
	return true;
}

bool crowd_add(struct crowd *crowd, const struct pids *pids)
{
	struct task_facts facts;
	size_t i;

	for (i = 0; i < pids->nr; i++) {
		pid_t pid = pids->ids[i];

		if (task_facts(pid, &facts))
			pid = facts.process;
		if (has_member(crowd, pid) || add_member(crowd, pid))
			continue;
		screen_close();
		warn("cannot look up symbols");
		return false;
	}
	return true;
}

/* @error: an errno of cp_pair_prep(), or 0 if the process has ended */
static void leave(struct member *member, int error)
{
	member->over = true;
	/* ESRCH means that the process has ended, if it has existed. */
	member->error = error == ESRCH && member->paired ? 0 : error;
	close_member(member);
}

/* Pairs with the process; returns false if there is no pair. */
static bool make_pair(struct crowd *crowd, struct member *member)
{
	const struct cp_pair_options options = {
		.size = sizeof(options),
		.stack_limit = STACK_BYTES,
		.flags = CP_PREP_PROCESS | CP_PREP_OVERWRITE,
	};

	if (!cp_pair_prep(crowd->watching->pair, task_of_process(member->pid),
			  &options)) {
		member->paired = true;
		return true;
	}
	member->busy = errno == EBUSY;
	if (!member->busy && !interrupted())
		leave(member, errno);
	return false;
}

/*
 * Takes checkpoints until each of @wanted threads has one, or until no thread has arrived
 * for some time: others may be in an uninterruptible sleep.
 */
static int take_all(struct crowd *crowd, struct member *member, size_t wanted)
{
	const struct instant *instant = &member->instant;
	int64_t until = clock_ns() + SLICE_NS;
	int ret;

	do {
		unsigned int nr = instant->nr;
		int64_t now = clock_ns();

		ret = cp_pair_get(crowd->watching->pair,
				  until > now ? until - now : 0,
				  crowd->watching->get_flags);
		if (ret == 1 &&
		    instant_take(&member->instant, crowd->watching->pair))
			return -1;
		if (instant->nr > nr)
			until = clock_ns() + NEXT_NS;
	} while (ret > 0 && instant->nr < wanted && clock_ns() < until);
	return ret;
}

static void take_member(struct crowd *crowd, struct member *member)
{
	struct cp_pair *pair = crowd->watching->pair;
	struct pids threads = {};
	int ret;

	instant_free(&member->instant);
	member->busy = false;
	if (!make_pair(crowd, member))
		return;
	threads_of(member->pid, &threads);
	ret = take_all(crowd, member, threads.nr);
	pids_free(&threads);
	cp_pair_end(pair);
	crowd->taken += member->instant.nr;
	/* After an exec, the next picture is of the new program. */
	if (ret || cp_pair_ended(pair, &member->status) != CP_END_EXITED)
		return;
	member->known = true;
	leave(member, 0);
}

enum outcome crowd_take(struct crowd *crowd)
{
	enum outcome outcome = OVER;
	size_t i;

	for (i = 0; i < crowd->nr; i++) {
		struct member *member = crowd->members[i];

		if (interrupted())
			return LEAVE;
		if (!member->over)
			take_member(crowd, member);
		if (!member->over)
			outcome = TAKEN;
	}
	return outcome;
}

int crowd_end(const struct crowd *crowd)
{
	int status = EXIT_OK;
	size_t i;

	for (i = 0; i < crowd->nr; i++) {
		const struct member *member = crowd->members[i];

		if (!member->over)
			continue;
		if (member->error) {
			diagnose_prep(member->pid, member->error);
			status = EXIT_REFUSED;
		} else if (member->known) {
			diagnose_end(member->pid, CP_END_EXITED, member->status);
		} else {
			warnx("process %d has ended", member->pid);
		}
	}
	return status;
}

void crowd_close(struct crowd *crowd)
{
	size_t i;

	for (i = 0; i < crowd->nr; i++) {
		close_member(crowd->members[i]);
		free(crowd->members[i]);
	}
	free(crowd->members);
}
