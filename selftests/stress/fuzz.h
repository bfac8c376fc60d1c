/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The fuzzer: processes that call all there is to be called, with arguments that
 * are nearly right, or not at all, and look whether each call ends as it may.
 *
 * A fuzzer has files of the device, proofs, slaves, mappings and sockets, some
 * of them from other fuzzers, and a thread that closes its files behind its
 * back. What it can call is in tables, each call with the errors that are
 * documented for it.
 */
#ifndef _CP_STRESS_FUZZ_H
#define _CP_STRESS_FUZZ_H

#include <pthread.h>

#include "../sock.h"
#include "dice.h"
#include "watch.h"

#define NR_FUZZERS	4
#define NR_SLAVES	3
#define NR_FILES	6	/* places, for files of the device */
#define NR_PROOFS	4
#define NR_WINDOWS	4	/* places, for mappings */
#define WINDOW_SIZE	(1UL << 25)
#define PAGE		4096UL
#define ERRORS_MAX	16

struct fuzzer {
	struct party *party;
	struct dice dice;
	unsigned int number;
	pthread_mutex_t forking;	/* descriptors and @files are copied */
	volatile int files[NR_FILES];	/* -1: none */
	volatile int *paired;		/* the place of the last pair that was made */
	volatile int proofs[NR_PROOFS];
	pid_t slaves[NR_SLAVES];
	struct sock sock;
	int epoll;
	char *good;		/* 4 pages that can be read and written */
	char *constant;		/* a page that cannot be written */
	char *edge;		/* the end of what can be: here nothing is */
	char *windows;		/* address space of its own */
};

/**
 * struct call - something to call
 * @name:	for people
 * @weight:	how often, compared to others
 * @run:	calls it: gives a result, or -errno
 * @errors:	those it may give, besides EBADF: the file may be closed by then
 */
struct call {
	const char *name;
	unsigned int weight;
	int (*run)(struct fuzzer *fuzzer);
	int errors[ERRORS_MAX];
};

/* Each ends with a call without a name. */
extern const struct call ioctl_calls[];
extern const struct call map_calls[];
extern const struct call file_calls[];
extern const struct call netlink_calls[];

/* Shared by all fuzzers. */
struct common {
	pid_t slaves[NR_FUZZERS][NR_SLAVES];
	int file_post[2];	/* sockets, to pass files on */
	int proof_post[2];
};

extern struct common *common;

/* fuzz.c */
void fuzz_some(struct fuzzer *fuzzer, unsigned int calls);
void fuzz_begin_alarms(void);

/* values.c */
uint64_t odd_number(struct dice *dice);
void spoil(struct dice *dice, void *bytes, size_t size);
void *odd_pointer(struct fuzzer *fuzzer, const void *bytes, size_t size);
void put_file(volatile int *place, int fd);
volatile int *any_place(struct fuzzer *fuzzer);
int any_file(struct fuzzer *fuzzer);

/* To give as a result what a system call gave. */
static inline int result(long ret)
{
	return ret < 0 ? -errno : 0;
}

#endif /* _CP_STRESS_FUZZ_H */
