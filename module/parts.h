/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The parts of a pair: what each thread of the slave writes, and how the master takes
 * from all of them.
 *
 * A part is a ring, a region and figures. It belongs to one thread at a time:
 *
 *	free	of no thread
 *	live	of a thread that runs, or will
 *	ended	of a thread that has exited; what it left waits for the master, then
 *		the end of the thread itself. After that the part is free again
 *
 * Parts are made when threads need them, stay until the pair goes, and are used again,
 * so a process that creates threads all the time needs no more of them than it has
 * threads at one time. A ring that overwrites does not wait for a master: if more than
 * CP_ENDED_KEPT parts are ended, the oldest of them is used again.
 *
 * The parts' figures are never reset, so that those of the pair, which are their sums,
 * never decrease.
 *
 * Threads share nothing while they write: the lock is taken when one begins or ends.
 */
#ifndef _CP_PARTS_H
#define _CP_PARTS_H

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include "area.h"
#include "newcomer.h"
#include "region.h"
#include "ring.h"
#include "stats.h"

struct cp_call;
struct cp_gate;
struct cp_hook;
struct cp_sleeper;

/**
 * struct cp_figures - sums of the parts' figures
 * @bytes:	as in struct cp_stats
 * @held:	hold-ups of all threads: the sum, and the longest
 * @held_histogram: as in struct cp_stats
 * @last_syscall: of the first thread
 * @last_flags:	of the first thread
 */
struct cp_figures {
	u64 bytes;
	struct cp_held held;
	u64 held_histogram[CP_NL_HELD_BUCKETS];
	s32 last_syscall;
	u32 last_flags;
};

/**
 * struct cp_part - what one thread writes
 * @ring:	whose turn it is
 * @stats:	its figures
 * @region:	where checkpoints go; belongs to the area
 * @xstate:	buffer for extended registers, or NULL
 * @parts:	all parts of the pair
 * @charged:	bytes charged to the user for the part, without @region
 * @index:	its place in the area
 * @node:	in cp_parts.free or cp_parts.ended
 * @hook:	the hook of the thread, while it is live; cp_parts.lock
 * @parked:	the ticket with which the thread waits, or waited, at the gate;
 *		cp_parts.lock
 * @call:	the call that the thread executes, or is to execute; cp_parts.lock
 * @conceal:	the thread was brought out of a system call, which must not return for that
 *		reason
 * @is_put_back: the thread, at the gate, has other registers than those that it has captured
 * @ended:	the thread has exited, and the master has not taken its end; cp_parts.lock
 * @nr:		the thread's id for the master
 * @status:	with @ended: the thread's status as waitpid(2) gives it
 * @ended_at:	with @ended: the time of the end, CLOCK_MONOTONIC in nanoseconds
 */
struct cp_part {
	struct cp_ring ring;
	struct cp_stats stats;
	struct cp_region *region;
	void *xstate;
	struct cp_parts *parts;
	size_t charged;
	unsigned int index;
	struct list_head node;
	struct cp_hook *hook;
	unsigned int parked;
	struct cp_call *call;
	bool conceal;
	bool is_put_back;
	bool ended;
	s32 nr;
	s32 status;
	u64 ended_at;
};

/**
 * struct cp_parts_plan - what each part is made of; constant
 * @single:	there is one thread, whose end is that of the pair
 * @policy:	when a thread may write
 * @nr_slots:	checkpoints in each ring
 * @region:	what each region holds
 * @wait:	where masters and pollers wait; belongs to the file
 * @gate:	where threads wait while the slave is held
 */
struct cp_parts_plan {
	bool single;
	enum cp_policy policy;
	unsigned int nr_slots;
	struct cp_region_plan region;
	wait_queue_head_t *wait;
	const struct cp_gate *gate;
};

/**
 * struct cp_parts - the parts of a pair
 * @plan:	see there
 * @area:	the regions, as the master maps them
 * @max:	the most parts
 * @growing:	held while a part is added
 * @lock:	protects the lists, @closed, and who has which part
 * @at:		the parts
 * @nr:		number of parts
 * @free:	parts of no thread
 * @ended:	parts of threads that have exited, the oldest first
 * @nr_live:	number of parts that have a thread
 * @nr_ended:	number of parts of threads that have exited
 * @closed:	the pair is over: no thread gets a part
 * @reading:	the part of the checkpoint that the master reads
 * @getters:	masters in cp_parts_take()
 * @unseen:	threads that got no part, and children that could not be held
 * @newcomers:	children that are held
 */
struct cp_parts {
	struct cp_parts_plan plan;
	struct cp_area *area;
	unsigned int max;
	struct mutex growing;	/* writes of @at and @nr */
	spinlock_t lock;	/* see above */
	struct cp_part **at;
	unsigned int nr;
	struct list_head free;
	struct list_head ended;
	unsigned int nr_live;
	unsigned int nr_ended;
	bool closed;
	struct cp_part *reading;
	atomic_t getters;
	atomic_t unseen;
	struct cp_newcomers newcomers;
};

/**
 * struct cp_parts_taken - what cp_parts_take() has found
 * @part:	the part
 * @slot:	for a checkpoint: the slot that the master may read
 * @nr:		for the end of a thread: its id for the master
 * @status:	for the end of a thread: its status
 * @newcomer:	for a child: the newcomer
 */
struct cp_parts_taken {
	struct cp_part *part;
	unsigned int slot;
	s32 nr;
	s32 status;
	struct cp_newcomer *newcomer;
};

int cp_parts_init(struct cp_parts *parts, const struct cp_parts_plan *plan,
		  unsigned int max, unsigned int nr,
		  struct cp_account *account);
void cp_parts_destroy(struct cp_parts *parts);
unsigned int cp_parts_death_slot(const struct cp_parts *parts);

int cp_parts_join(struct cp_parts *parts, struct cp_hook *hook, s32 nr,
		  struct cp_part **part);
void cp_parts_end(struct cp_parts *parts, struct cp_part *part, s32 status);
void cp_parts_leave(struct cp_parts *parts, struct cp_part *part,
		    const struct cp_hook *hook);
void cp_parts_give_back(struct cp_parts *parts, struct cp_part *part);
void cp_parts_close(struct cp_parts *parts);

int cp_parts_take(struct cp_parts *parts, u64 deadline, bool nudge,
		  struct cp_parts_taken *taken);
void cp_parts_end_taken(struct cp_parts *parts, struct cp_part *part,
			bool delivered);
void cp_parts_newcomer_taken(struct cp_parts *parts,
			     struct cp_newcomer *newcomer, bool delivered);
bool cp_parts_announce(struct cp_parts *parts, struct cp_newcomer *newcomer);
void cp_parts_stillborn(struct cp_parts *parts);
void cp_parts_summon(struct cp_parts *parts);
void cp_parts_hold(struct cp_parts *parts, bool asleep);
bool cp_parts_park(struct cp_part *part, unsigned int ticket);
unsigned int cp_parts_stuck(struct cp_parts *parts);
unsigned int cp_parts_asleep(struct cp_parts *parts);
s32 cp_parts_late(struct cp_parts *parts, bool asleep);
int cp_parts_sleeper(struct cp_parts *parts, unsigned int i,
		     struct cp_sleeper *sleeper);
typedef int (*cp_part_fn)(struct cp_part *part, void *data);
int cp_parts_each(struct cp_parts *parts, cp_part_fn fn, void *data);
bool cp_part_is_parked(const struct cp_part *part);
void cp_part_call(struct cp_part *part, struct cp_call *call);
bool cp_parts_call(struct cp_parts *parts, struct cp_call *call);
struct cp_call *cp_part_recall(struct cp_part *part, const struct cp_hook *hook,
			       bool leaves);
int cp_parts_fetch(struct cp_parts *parts);
bool cp_parts_ready(struct cp_parts *parts);

unsigned int cp_parts_threads(const struct cp_parts *parts);
enum cp_ring_state cp_parts_state(struct cp_parts *parts);
void cp_parts_count(struct cp_parts *parts, struct cp_ring_counts *counts);
void cp_parts_figures(struct cp_parts *parts, struct cp_figures *sum);

#endif /* _CP_PARTS_H */
