/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The fuzzer: processes that make each call of the interface with valid, nearly
 * valid and invalid arguments, and check that each call succeeds or fails with an
 * error that is documented for it.
 *
 * A fuzzer has files of the device, proofs, slaves, mappings and sockets, some of
 * which it received from other fuzzers, and a thread that closes and opens files
 * while they are in use. Tables list the calls and their documented errors.
 */
#ifndef _CP_STRESS_FUZZ_H
#define _CP_STRESS_FUZZ_H

#include <pthread.h>

#include "../sock.h"
#include "dice.h"
#include "watch.h"

#define NR_FUZZERS	4
#define NR_SLAVES	3
#define NR_FILES	6	/* descriptors of the device */
#define NR_PROOFS	4
#define NR_WINDOWS	4	/* address ranges for mappings */
#define WINDOW_SIZE	(1UL << 25)
#define PAGE		4096UL
#define ERRORS_MAX	20

struct fuzzer {
	struct party *party;
	struct dice dice;
	unsigned int number;
	pthread_mutex_t forking;	/* protects @files against call_fork() */
	volatile int files[NR_FILES];	/* -1: none */
	volatile int *paired;		/* the entry of @files with the last pair */
	volatile int proofs[NR_PROOFS];
	pid_t slaves[NR_SLAVES];
	struct sock sock;
	int epoll;
	char *good;		/* 5 pages that can be read and written */
	char *constant;		/* a read-only page */
	char *edge;		/* the end of @good: the page here is not mapped */
	char *windows;		/* address space for mappings */
};

/**
 * struct call - a call that fuzzers make
 * @name:	name in the output
 * @weight:	relative frequency
 * @run:	makes the call; returns its result, or -errno
 * @errors:	documented errors; EBADF is always allowed, because the fuzzer's
 *		thread may close the file first
 */
struct call {
	const char *name;
	unsigned int weight;
	int (*run)(struct fuzzer *fuzzer);
	int errors[ERRORS_MAX];
};

/* The last entry of each table has no name. */
extern const struct call ioctl_calls[];
extern const struct call map_calls[];
extern const struct call file_calls[];
extern const struct call netlink_calls[];

/* Shared by all fuzzers. */
struct common {
	pid_t slaves[NR_FUZZERS][NR_SLAVES];
	int file_post[2];	/* socket pairs that pass descriptors on */
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

/* The result of a system call, as struct call wants it: 0 or -errno. */
static inline int result(long ret)
{
	return ret < 0 ? -errno : 0;
}

#endif /* _CP_STRESS_FUZZ_H */
