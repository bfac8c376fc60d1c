/* SPDX-License-Identifier: GPL-2.0-only */
/* SIGINT, SIGTERM and SIGHUP: end the pair, let the slave go on, leave. */
#ifndef INTERRUPT_H
#define INTERRUPT_H

#include <checkpoint.h>
#include <stdbool.h>
#include <sys/types.h>

/*
 * interrupt_catch() - from now on, one of these signals ends @pair
 *
 * A second one kills, in case that something hangs.
 */
void interrupt_catch(struct cp_pair *pair);

/*
 * interrupt_move() - another pair has taken the place of the one to be ended
 *
 * A signal that came before has not ended this one: see interrupted().
 */
void interrupt_move(struct cp_pair *pair);

/*
 * interrupt_pass_on() - SIGTERM and SIGHUP are for a child, and no interruption
 */
void interrupt_pass_on(pid_t pid);

/* interrupted() - has one of them come? */
bool interrupted(void);

/*
 * interrupt_wait() - wait until @fd can be read, unless one has come or comes
 *
 * Return: false when one has.
 */
bool interrupt_wait(int fd);

#endif /* INTERRUPT_H */
