/* SPDX-License-Identifier: GPL-2.0-only */
/* Shared by the solutions: taking checkpoints of slave.c by the full interface. */
#ifndef TUTORIAL_COUNTED_H
#define TUTORIAL_COUNTED_H

#include <checkpoint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>

/* Prints the error in errno and ends the program. */
static inline __attribute__((noreturn)) void die(const char *what)
{
	perror(what);
	exit(1);
}

/* Pairs with the process argv[1]; ends the program if that is refused. */
static inline struct cp_pair *pair_with(int argc, char **argv)
{
	struct cp_pair *pair;

	if (argc != 2) {
		fprintf(stderr, "usage: %s PID\n", argv[0]);
		exit(1);
	}
	pair = cp_pair_open();
	if (!pair)
		die("cp_pair_open");
	if (cp_pair_prep(pair, atoi(argv[1]), NULL))
		die("cp_pair_prep");
	return pair;
}

/*
 * Takes checkpoints up to the slave's next return from getppid(), and returns the
 * call's number. Returns from timer interrupts and page faults are skipped.
 */
static inline uint64_t next_count(struct cp_pair *pair)
{
	const struct cp_checkpoint *checkpoint;

	do {
		switch (cp_pair_get(pair, -1, 0)) {
		case -1:
			die("cp_pair_get");
		case 0:
			fprintf(stderr, "the pair has ended\n");
			exit(1);
		}
		checkpoint = cp_pair_checkpoint(pair);
	} while (checkpoint->syscall != SYS_getppid);
	return checkpoint->regs.rdi;
}

#endif /* TUTORIAL_COUNTED_H */
