/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The storm: many pairs at once, of every kind, in all weathers.
 *
 * A lane lives one life after the other: a slave, its master, what befalls them,
 * and their end. What they are to be is a plan, rolled from the seed; what has
 * come of it is in the life, which all of them share.
 */
#ifndef _CP_STRESS_STORM_H
#define _CP_STRESS_STORM_H

#include "dice.h"
#include "watch.h"

/* What a slave does, again and again. */
enum work { WORK_COUNT, WORK_NAPS, WORK_SPIN, WORK_PAUSE, WORK_READ,
	    WORK_FUTEX, WORK_FAULTS, WORK_FORKS, NR_WORKS };

/* How it ends by itself. */
enum ending { ENDS_NEVER, ENDS_EXIT, ENDS_CRASH, ENDS_SIGNAL, ENDS_EXEC,
	      NR_ENDINGS };

/* How its stack, its threads and its signals are; bits. */
#define SLAVE_DEEP	(1U << 0)	/* far down on its stack */
#define SLAVE_TIMER	(1U << 1)	/* handlers run all the time */
#define SLAVE_ALTSTACK	(1U << 2)	/* and on a stack of their own */
#define SLAVE_THREADS	(1U << 3)	/* it is not the main thread */

/* How a master leaves, when it has taken what it wanted. */
enum leaving { LEAVES_CLOSE, LEAVES_END, LEAVES_EXIT, LEAVES_CHILD,
	       LEAVES_THREADS, LEAVES_STAYS, LEAVES_TAKES_ALL, LEAVES_AGAIN,
	       NR_LEAVINGS };

/* What may befall the two. */
enum mishap { MISHAP_NONE, MISHAP_SIGNALS, MISHAP_STOP, MISHAP_FREEZE,
	      MISHAP_TRACE, MISHAP_MOVE, MISHAP_MEMORY, MISHAP_NETLINK_END,
	      MISHAP_KILL_SLAVE, MISHAP_KILL_MASTER, NR_MISHAPS };

#define MISHAPS_MAX	3

struct plan {
	uint64_t seed;			/* of the chances taken meanwhile */
	enum work work;
	enum ending ending;
	unsigned int slave_flags;
	unsigned int rounds;		/* of work, before its ending */
	int code;			/* of its exit, or the signal */
	struct cp_prep prep;
	unsigned int takes;
	bool nudge;
	enum leaving leaving;
	enum mishap mishaps[MISHAPS_MAX];
	bool patient;			/* the master must come to its end */
};

/* What a master was told of the end, and what it had by then. */
struct told {
	bool over;
	uint32_t reason;
	int32_t status;
	int death;			/* signal of a state of death; 0: none */
};

struct life {
	struct plan plan;
	struct party *party;		/* its lane */
	pid_t slave;			/* process */
	volatile pid_t tid;		/* the slave itself; 0: not yet */
	pid_t master;
	volatile bool detached;		/* somebody is about to end the pair */
	volatile bool exec;		/* it is about to exec */
	struct told told;
};

/* Figures of the whole storm, shared. */
enum tally { TALLY_LIVES, TALLY_PREPS_TRIED, TALLY_PREPS, TALLY_TAKEN,
	     TALLY_MISSED, TALLY_PEEKS, TALLY_DEATHS, TALLY_ONLINE,
	     TALLY_RMMOD, TALLY_SYSFS, TALLY_EVENTS, TALLY_DUMPS, NR_TALLIES };

struct tallies {
	uint64_t count[NR_TALLIES];
	uint64_t works[NR_WORKS];
	uint64_t endings[NR_ENDINGS];
	uint64_t leavings[NR_LEAVINGS];
	uint64_t mishaps[NR_MISHAPS];
	uint64_t policies[3];
	uint64_t reasons[CP_END_DETACHED + 1];
};

extern struct tallies *tallies;

static inline void tally_add(uint64_t *count, uint64_t n)
{
	__atomic_add_fetch(count, n, __ATOMIC_RELAXED);
}

static inline void tally(enum tally which)
{
	tally_add(&tallies->count[which], 1);
}

/* slave.c */
#define SLAVE_COOKIE		0x5109ace0c00c1e00ULL
#define SLAVE_FAULT_ADDR	0x5000
#define SLAVE_BROKEN		99	/* exit code: its own registers are wrong */
#define SLAVE_AFTER_EXEC	98	/* exit code of the program that it execs */

int slave_run(struct life *life);
int slave_after_exec(void);

/* count.c */
void count_rounds(uint64_t rounds, uint64_t cookie);
bool count_is_in_loop(const struct cp_regs *regs);
bool count_agrees(const struct cp_regs *regs, uint64_t word);

/* master.c */
int master_run(struct life *life);

/* lane.c */
#define NR_LANES	8

struct lane_arg {
	unsigned int number;
	uint64_t seed;
};

void lane_run(struct party *party, void *arg);

/* weather.c */
void weather_begin(uint64_t seed);

#endif /* _CP_STRESS_STORM_H */
