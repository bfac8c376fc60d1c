/* SPDX-License-Identifier: GPL-2.0-only */
/* SIGINT, SIGTERM and SIGHUP end the pair and cpctl; the slave continues. */
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
 * In the thread that does not block these signals, each system call that would wait
 * then fails with EINTR: the current one, and those after it. A second signal kills
 * cpctl, in case cpctl hangs.
 */
void interrupt_catch(struct cp_pair *pair);

/*
 * interrupt_prep() - cp_pair_prep() for the pair of interrupt_catch()
 *
 * If a signal came before the pair was made, the new pair is ended at once.
 */
int interrupt_prep(struct cp_pair *pair, pid_t pid,
		   const struct cp_pair_options *options);

/*
 * interrupt_move() - from now on, a signal ends @pair instead of the pair before
 *
 * A signal that came before this call has not ended @pair: see interrupted().
 */
void interrupt_move(struct cp_pair *pair);

/*
 * interrupt_pass_on() - from now on, send SIGTERM and SIGHUP to the child @pid
 *
 * They do not interrupt cpctl any more. If one of the two has come already, this
 * function sends that signal to the child, and interrupted() becomes false.
 */
void interrupt_pass_on(pid_t pid);

/* interrupt_keep() - undo interrupt_pass_on(): the child has ended */
void interrupt_keep(void);

/*
 * interrupt_leave_keys() - leave the signals of the terminal to the program, or not
 *
 * The program is in cpctl's session, so Ctrl-C sends SIGINT to both, and the end of the
 * terminal SIGHUP. With @leave these do not interrupt cpctl, and are not passed on; signals
 * that a process sends still are.
 */
void interrupt_leave_keys(bool leave);

/* interrupted() - has one of these signals come? */
bool interrupted(void);

/*
 * interrupt_block() - block these signals in the calling thread
 * @old: receives the signal mask, which interrupt_unblock() restores
 */
void interrupt_block(sigset_t *old);
void interrupt_unblock(const sigset_t *old);

/*
 * interrupt_poll_until() - ppoll(2) that also fails if a signal came before the call
 * @timeout: NULL for no limit
 *
 * Return: as ppoll(2).
 */
int interrupt_poll_until(struct pollfd *files, nfds_t nr,
			 const struct timespec *timeout);

/*
 * interrupt_poll() - poll(2) without a time limit, until one of these signals comes
 *
 * Return: false if a signal has come, or with errno if ppoll(2) failed.
 */
bool interrupt_poll(struct pollfd *files, nfds_t nr);

/* interrupt_wait() - interrupt_poll() until @fd is readable */
bool interrupt_wait(int fd);

#endif /* INTERRUPT_H */
