/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who takes part in a stress test, whether all of them get on, and what they
 * have to complain of.
 *
 * A party is a process that does things again and again, and says each time
 * that it goes on. The one who watches them sees who has not for too long, and
 * tells where that party, and those it has to do with, are.
 */
#ifndef _CP_STRESS_WATCH_H
#define _CP_STRESS_WATCH_H

#include "../harness.h"

#define PARTIES_MAX	32
#define PARTY_PIDS	3

/**
 * struct party - one of those who take part
 * @name:	for people
 * @stamp:	when it last went on, CLOCK_MONOTONIC in nanoseconds
 * @pids:	its own, and those that it has to do with just now; 0 for none
 * @doing:	what it said that it does
 * @ended:	it has been reaped
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
bool is_told_to_stop(void);

void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));
unsigned int complaints(void);

unsigned long setting(const char *name, unsigned long otherwise);

#endif /* _CP_STRESS_WATCH_H */
