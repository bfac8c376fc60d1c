/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The storm: many pairs of every kind at once, under changing conditions of the
 * system (the weather).
 *
 * A lane runs one life after the other: a slave, its master, mishaps, and their end.
 * The plan of a life is rolled from the seed. Lane, slave and master share struct
 * life, in which they record what happened.
 */
#ifndef _CP_STRESS_STORM_H
#define _CP_STRESS_STORM_H

#include "dice.h"
#include "watch.h"

/* What a slave does repeatedly. */
enum work { WORK_COUNT, WORK_NAPS, WORK_SPIN, WORK_PAUSE, WORK_READ,
	    WORK_FUTEX, WORK_FAULTS, WORK_FORKS, NR_WORKS };

/* How a slave ends if nobody kills it. */
enum ending { ENDS_NEVER, ENDS_EXIT, ENDS_CRASH, ENDS_SIGNAL, ENDS_EXEC,
	      NR_ENDINGS };

/* plan.slave_flags */
#define SLAVE_DEEP	(1U << 0)	/* works far down on its stack */
#define SLAVE_TIMER	(1U << 1)	/* a timer's handler runs all the time */
#define SLAVE_ALTSTACK	(1U << 2)	/* ... on an alternate stack */
#define SLAVE_THREADS	(1U << 3)	/* the slave is not the main thread */
#define SLAVE_SPAWNS	(1U << 4)	/* another thread creates threads all the time */

/* How a master leaves once it has taken plan.takes checkpoints. */
enum leaving { LEAVES_CLOSE, LEAVES_END, LEAVES_EXIT, LEAVES_CHILD,
	       LEAVES_THREADS, LEAVES_STAYS, LEAVES_TAKES_ALL, LEAVES_AGAIN,
	       NR_LEAVINGS };

/* What a lane does to its slave and master. */
enum mishap { MISHAP_NONE, MISHAP_SIGNALS, MISHAP_STOP, MISHAP_FREEZE,
	      MISHAP_TRACE, MISHAP_MOVE, MISHAP_MEMORY, MISHAP_NETLINK_END,
	      MISHAP_KILL_SLAVE, MISHAP_KILL_MASTER, NR_MISHAPS };

#define MISHAPS_MAX	3

struct plan {
	uint64_t seed;			/* of the master's random choices */
	enum work work;
	enum ending ending;
	unsigned int slave_flags;
	unsigned int rounds;		/* of work before the ending */
	int code;			/* exit code, or the signal */
	struct cp_prep prep;
	unsigned int takes;
	bool nudge;
	enum leaving leaving;
	enum mishap mishaps[MISHAPS_MAX];
	bool patient;			/* wait for the master to exit */
};

/* The end of the pair, as its master saw it. */
struct outcome {
	bool over;
	uint32_t reason;
	int32_t status;
	int death;			/* signal of a state of death; 0: none */
};

struct life {
	struct plan plan;
	struct party *party;		/* the lane */
	pid_t slave;			/* the slave's process */
	volatile pid_t tid;		/* the slave; 0: not started, -1: killed */
	pid_t master;
	volatile bool detached;		/* the master or netlink ends the pair */
	volatile bool exec;		/* the slave executes a program */
	struct outcome outcome;
};

/* Figures of the whole storm, in shared memory. */
enum tally { TALLY_LIVES, TALLY_PREPS_TRIED, TALLY_PREPS, TALLY_TAKEN,
	     TALLY_MISSED, TALLY_PEEKS, TALLY_DEATHS, TALLY_ENDS, TALLY_ONLINE,
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
#define SLAVE_BROKEN		99	/* exit code: the slave's registers are wrong */
#define SLAVE_AFTER_EXEC	98	/* exit code of slave_after_exec() */

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
