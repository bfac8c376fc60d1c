// SPDX-License-Identifier: GPL-2.0-only
/* The last states of the threads of a recording. */
#include <stdio.h>
#include <stdlib.h>

#include "interrupt.h"
#include "lasts.h"
#include "message.h"
#include "tidtable.h"

/* The maximum size of the states that are collected: it limits the memory of cpctl. */
#define LASTS_BYTES_MAX	REC_LAST_MAX

/*
 * struct last - the last checkpoint of a thread
 * @id: the thread
 * @number: the number of the checkpoint
 * @time: its time
 * @before: the time of the thread's checkpoint before, or 0
 * @died: whether it is the state in which a signal killed the thread
 */
struct last {
	pid_t		id;
	uint64_t	number;
	uint64_t	time;
	uint64_t	before;
	bool		died;
};

/*
 * struct survey - the last checkpoints of all threads
 * @table: the threads
 * @execs: the number of execs before them
 * @final: the last checkpoint of all; its number is 0 if there is none
 */
struct survey {
	struct tidtable	table;
	uint64_t	execs;
	struct last	final;
};

static bool note(struct survey *survey, const struct playback *play)
{
	const struct cp_checkpoint *cp = &play->now->head;
	struct last *last;

	/* An exec has ended all threads of the program before. */
	if (survey->execs != play->execs)
		tidtable_clear(&survey->table, free);
	survey->execs = play->execs;
	last = tidtable_find(&survey->table, cp->thread);
	if (!last && survey->table.nr < REC_THREADS_MAX)
		last = tidtable_add(&survey->table, cp->thread, sizeof(*last));
	if (!last)
		return false;
	last->number = play->number;
	last->before = last->time;
	last->time = cp->time;
	last->died = cp->flags & CP_CHECKPOINT_DEATH;
	survey->final = *last;
	return true;
}

static void note_end(struct survey *survey, pid_t id)
{
	struct last *last = tidtable_find(&survey->table, id);

	if (last && !last->died)
		tidtable_remove(&survey->table, last);
}

/* Reads the recording once; returns false after printing the reason. */
static bool make_survey(struct survey *survey, struct playback *play,
			uint64_t limit)
{
	enum playback_step step;

	do {
		step = playback_step(play);
		if (step == PLAYBACK_THREAD_END) {
			note_end(survey, play->thread_end.thread);
		} else if (step == PLAYBACK_CHECKPOINT && !note(survey, play)) {
			warnx("%s: too many threads", play->path);
			return false;
		}
	} while (step != PLAYBACK_OVER &&
		 !(limit && survey->final.number == limit));
	if (interrupted())
		return false;
	if (!survey->final.number)
		warnx("%s: there are no checkpoints in it", play->path);
	return survey->final.number;
}

/* If the current checkpoint is the last one of its thread, returns that; or NULL. */
static const struct last *find_last(const struct survey *survey,
				    const struct playback *play)
{
	const struct last *last = &survey->final;

	if (survey->table.nr)
		last = tidtable_find(&survey->table, play->now->head.thread);
	return last && last->number == play->number &&
			       survey->execs == play->execs ? last : NULL;
}

static bool collect(const struct playback *play, const struct last *last,
		    struct instant *instant)
{
	struct thread thread = {
		.number = last->number,
		.before = last->before,
	};

	snprintf(thread.name, sizeof(thread.name), "%s", play->thread->name);
	if (!snapshot_copy(&thread.snapshot, play->now) &&
	    !instant_add(instant, &thread))
		return true;
	warn("cannot keep a checkpoint");
	return false;
}

/* Reads the recording again, up to the last wanted checkpoint. */
static bool collect_all(const struct survey *survey, struct playback *play,
			struct instant *instant)
{
	size_t left = survey->table.nr ?: 1;
	uint64_t bytes = 0;

	while (left && playback_next(play)) {
		const struct last *last = find_last(survey, play);

		if (!last)
			continue;
		left--;
		bytes += snapshot_size(play->now);
		/* The state of the last checkpoint is never left out. */
		if (bytes > LASTS_BYTES_MAX && left)
			continue;
		if (!collect(play, last, instant))
			return false;
	}
	if (bytes > LASTS_BYTES_MAX)
		warnx("%s: some threads are left out: their stacks are too large for the memory of cpctl",
		      play->path);
	return instant->nr;
}

static void sort(struct instant *instant, const struct survey *survey,
		 const struct playback *play, uint64_t limit)
{
	const struct thread *culprit = instant_culprit(instant);
	pid_t first = play->identity.process;

	if (limit)
		first = survey->final.id;
	else if (culprit)
		first = culprit->snapshot.head.thread;
	instant_sort(instant, first);
}

bool lasts_read(struct playback *play, uint64_t limit, struct instant *instant)
{
	struct survey survey = {};
	bool ok = make_survey(&survey, play, limit) && playback_first(play) &&
		  collect_all(&survey, play, instant);

	if (ok)
		sort(instant, &survey, play, limit);
	tidtable_clear(&survey.table, free);
	return ok;
}
