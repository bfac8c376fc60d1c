/* SPDX-License-Identifier: GPL-2.0-only */
/* Errors as sentences: what happened, and what to do. All go to stderr. */
#ifndef DIAGNOSE_H
#define DIAGNOSE_H

#include <stdint.h>
#include <sys/types.h>

/* diagnose_open() - cp_pair_open() failed with @error */
void diagnose_open(int error);

/* diagnose_start() - @program could not be started as a slave, by @error */
void diagnose_start(const char *program, int error);

/* diagnose_prep() - cp_pair_prep() for @pid failed with @error */
void diagnose_prep(pid_t pid, int error);

/* diagnose_get() - cp_pair_get() for the slave @pid failed with @error */
void diagnose_get(pid_t pid, int error);

/*
 * diagnose_wait() - no checkpoint of @pid has come for some time
 *
 * Says what the task is waiting for, where that may not end without help.
 */
void diagnose_wait(pid_t pid);

/*
 * diagnose_pair() - what was asked about the pair of @pid failed with @error
 * @said: the kernel's own words, or ""
 */
void diagnose_pair(pid_t pid, int error, const char *said);

/*
 * diagnose_end() - the pair with @pid is over
 * @reason: CP_END_*
 * @status: as waitpid(2) gives it, with CP_END_EXITED
 */
void diagnose_end(pid_t pid, unsigned int reason, int status);

#endif /* DIAGNOSE_H */
