/* SPDX-License-Identifier: GPL-2.0-only */
/* SIGINT, SIGTERM and SIGHUP: end the pair, let the slave go on, leave. */
#ifndef INTERRUPT_H
#define INTERRUPT_H

#include <checkpoint.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>
#include <time.h>

/*
 * interrupt_catch() - from now on, one of these signals ends @pair
 * @pair: NULL when the verb has none
 *
 * Whatever system call the thread is in that has no signal blocked, or gets into
 * later, then fails with EINTR where it would wait. A second signal kills, in
 * case that something hangs.
 */
void interrupt_catch(struct cp_pair *pair);

/*
 * interrupt_prep() - cp_pair_prep() for the pair of interrupt_catch()
 *
 * The pair is over at once if a signal came before it was made.
 */
int interrupt_prep(struct cp_pair *pair, pid_t pid,
		   const struct cp_pair_options *options);

/*
 * interrupt_move() - another pair has taken the place of the one to be ended
 *
 * A signal that came before has not ended this one: see interrupted().
 */
void interrupt_move(struct cp_pair *pair);

/*
 * interrupt_pass_on() - SIGTERM and SIGHUP are for a child, and no interruption
 *
 * One that has come already is passed on now.
 */
void interrupt_pass_on(pid_t pid);

/* interrupted() - has one of them come? */
bool interrupted(void);

/*
 * interrupt_block() - these signals are for the other threads
 * @old: receives what interrupt_unblock() restores
 */
void interrupt_block(sigset_t *old);
void interrupt_unblock(const sigset_t *old);

/*
 * interrupt_poll_until() - ppoll(2), which a signal interrupts even if it came before
 * @timeout: NULL for no limit
 *
 * Return: as ppoll(2).
 */
int interrupt_poll_until(struct pollfd *files, nfds_t nr,
			 const struct timespec *timeout);

/*
 * interrupt_poll() - poll(2) without limit, unless a signal has come or comes
 *
 * Return: false when one has, or with errno.
 */
bool interrupt_poll(struct pollfd *files, nfds_t nr);

/* interrupt_wait() - interrupt_poll() until @fd is readable */
bool interrupt_wait(int fd);

#endif /* INTERRUPT_H */
