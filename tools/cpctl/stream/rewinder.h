/* SPDX-License-Identifier: GPL-2.0-only */
/* A living process, and the snapshot that it is put back to. */
#ifndef REWINDER_H
#define REWINDER_H

#include <checkpoint.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * struct rewinder - the process and its snapshot; all zero but @pid at first
 * @pid: the process, for messages
 * @pair: the pair, which holds the process only during a call
 * @snap: the snapshot
 * @took_ns: the time that the last call took, for which it has held the process at most
 * @pages: the number of pages that the last put back has restored
 */
struct rewinder {
	pid_t		pid;
	struct cp_pair	*pair;
	struct cp_snap	*snap;
	int64_t		took_ns;
	uint64_t	pages;
};

/*
 * rewinder_open() - pair with the process, and take the snapshot
 *
 * Return: false after printing the reason, or after an interruption.
 */
bool rewinder_open(struct rewinder *rewinder);

/*
 * rewinder_put_back() - put the process back to the snapshot; it continues from there
 *
 * Return: 0; or an errno, after printing what it means. EPIPE is not printed: the pair is
 * over, as rewinder_end() prints.
 */
int rewinder_put_back(struct rewinder *rewinder);

/*
 * rewinder_end() - the pair is over: print why
 *
 * Return: CP_END_*.
 */
unsigned int rewinder_end(struct rewinder *rewinder);

/* rewinder_close() - end the pair; the process continues */
void rewinder_close(struct rewinder *rewinder);

#endif /* REWINDER_H */
