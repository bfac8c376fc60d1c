// SPDX-License-Identifier: GPL-2.0-only
/* Holding all threads of a process, and taking their checkpoints. */
#include <errno.h>
#include <poll.h>
#include <time.h>

#include "clock.h"
#include "diagnose.h"
#include "hold.h"

/* After this time, print why a thread does not arrive. */
#define PATIENCE_NS NSEC_PER_SEC

/*
 * The time for which threads that have arrived wait for the others, less than twice this
 * for the last attempt, and the maximum time after that for which they run.
 */
#define ATTEMPT_NS (PATIENCE_NS / 4)

static int64_t shorter(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* Waits without events: poll(2) always reports POLLHUP, the end of the pair. */
void hold_rest(const struct cp_pair *pair, int64_t time_ns)
{
	struct pollfd file = { .fd = cp_pair_fd(pair) };
	const struct timespec time = {
		.tv_sec = time_ns / NSEC_PER_SEC,
		.tv_nsec = time_ns % NSEC_PER_SEC,
	};

	if (time_ns > 0)
		ppoll(&file, 1, &time, NULL);
}

static void explain(struct hold *hold)
{
	if (!hold->explained)
		diagnose_wait(hold->late ? hold->late : hold->pid);
	hold->explained = true;
}

int hold_begin(struct hold *hold, int64_t timeout_ns)
{
	int64_t left = timeout_ns < 0 ? INT64_MAX : timeout_ns;
	int64_t waited = 0;

	for (;;) {
		/* A shorter attempt would name a thread that had no time to arrive. */
		int64_t time = left < 2 * ATTEMPT_NS ? left : ATTEMPT_NS;
		int nr;

		hold->began = clock_ns();
		nr = cp_pair_hold(hold->pair, time, hold->limit_ns, hold->flags,
				  &hold->late);
		if (nr >= 0 || errno != ETIMEDOUT)
			return nr;
		left -= timeout_ns < 0 ? 0 : time;
		waited += time;
		if (left <= 0)
			break;
		if (waited >= PATIENCE_NS)
			explain(hold);
		time = shorter(left - ATTEMPT_NS, ATTEMPT_NS);
		hold_rest(hold->pair, time);
		left -= timeout_ns < 0 ? 0 : time;
		waited += time;
	}
	errno = ETIMEDOUT;
	return -1;
}

/* Is the thread one of the first @nr of @instant, which were left asleep? */
static bool is_asleep(const struct instant *instant, unsigned int nr, pid_t id)
{
	const struct instant asleep = { .nr = nr, .threads = instant->threads };

	return instant_has(&asleep, id);
}

/* Returns 1 if there are checkpoints, else @ret, the last result of cp_pair_get(). */
static int result(const struct instant *instant, int ret)
{
	if (instant->nr)
		return 1;
	return ret;
}

/*
 * The checkpoints come in the order of their times: those of the hold before all that
 * a thread hands over afterwards. A thread that was left asleep may have handed over one
 * before the hold, or when it woke.
 */
int hold_take(struct cp_pair *pair, unsigned int nr, struct instant *instant)
{
	unsigned int nr_asleep = instant->nr;
	int ret = 1;

	while (instant->nr < nr) {
		pid_t id;

		ret = cp_pair_get(pair, 0, 0);
		if (ret == 2)
			continue;
		if (ret != 1)
			break;
		id = cp_pair_thread(pair, NULL);
		if (!instant_has(instant, id)) {
			if (instant_take(instant, pair))
				return -1;
		} else if (!is_asleep(instant, nr_asleep, id)) {
			break;
		}
	}
	return result(instant, ret);
}

int hold_take_dead(struct cp_pair *pair, struct instant *instant)
{
	int ret;

	while ((ret = cp_pair_get(pair, -1, 0)) > 0) {
		/* Other states are of memory that does not exist any more. */
		if (ret == 1 &&
		    cp_pair_checkpoint(pair)->flags & CP_CHECKPOINT_DEATH &&
		    instant_take(instant, pair))
			return -1;
	}
	return result(instant, ret);
}
