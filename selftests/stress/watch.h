/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The processes of a stress test, their progress, and their complaints.
 *
 * A party is a process that repeats something, and updates its time stamp each time.
 * The test's main process watches the stamps. If a party has made no progress for
 * too long, watch_until() prints where the party's tasks are in the kernel.
 */
#ifndef _CP_STRESS_WATCH_H
#define _CP_STRESS_WATCH_H

#include "../harness.h"

#define PARTIES_MAX	32
#define PARTY_PIDS	3

/**
 * struct party - a process of a stress test
 * @name:	name in the output
 * @stamp:	time of its last progress, CLOCK_MONOTONIC in nanoseconds
 * @pids:	the party's pid, and those of its current children; 0: none
 * @doing:	the party's current action
 * @ended:	the party has been reaped
 */
struct party {
	char name[16];
	volatile uint64_t stamp;
	volatile pid_t pids[PARTY_PIDS];
	char doing[64];
	bool ended;
};

typedef void (*party_fn)(struct party *party, void *arg);

void watch_begin(void);
struct party *watch_start(const char *name, party_fn body, void *arg);
bool watch_until(bool (*over)(void), unsigned int deadline);

void goes_on(struct party *party, const char *doing);
void still_goes_on(struct party *party);
bool must_stop(void);

void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));
unsigned int complaints(void);

#endif /* _CP_STRESS_WATCH_H */
