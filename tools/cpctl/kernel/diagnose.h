/* SPDX-License-Identifier: GPL-2.0-only */
/* Messages on stderr for errors: what happened, and what the user can do. */
#ifndef DIAGNOSE_H
#define DIAGNOSE_H

#include <sys/types.h>

/* diagnose_open() - cp_pair_open() failed with @error */
void diagnose_open(int error);

/* diagnose_start() - starting @program as a slave failed with @error */
void diagnose_start(const char *program, int error);

/* diagnose_prep() - cp_pair_prep() for @pid failed with @error */
void diagnose_prep(pid_t pid, int error);

/* diagnose_get() - cp_pair_get() for the slave @pid failed with @error */
void diagnose_get(pid_t pid, int error);

/* snapshot_refusal() - why cp_pair_snapshot() failed with @error, in words */
const char *snapshot_refusal(int error);

/* put_back_refusal() - why cp_pair_put_back() failed with @error, and what to do next */
const char *put_back_refusal(int error);

/*
 * diagnose_wait() - no checkpoint of @pid has come for some time
 *
 * This function prints why the task does not return to user mode, if that state may
 * last until the user does something about it.
 */
void diagnose_wait(pid_t pid);

/*
 * diagnose_pair() - a netlink request failed with @error
 * @pid: the slave of the request; 0 if the request is not about one pair
 * @said: the message of the kernel's extended acknowledgment, or ""
 */
void diagnose_pair(pid_t pid, int error, const char *said);

/*
 * diagnose_end() - the pair with @pid is over
 * @reason: CP_END_*
 * @status: the status of waitpid(2), for CP_END_EXITED
 */
void diagnose_end(pid_t pid, unsigned int reason, int status);

/* diagnose_thread_end() - a thread of the slave has ended with @status, as above */
void diagnose_thread_end(pid_t thread, int status);

#endif /* DIAGNOSE_H */
