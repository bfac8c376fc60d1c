/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Shared by the benchmark's rows: options, time, results, slaves.
 */
#ifndef _BENCH_H
#define _BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include <checkpoint.h>

/**
 * struct bench_options - the command line
 * @kib: KiB of stack in use
 * @cpus: number of CPUs for the two sides, 1 or 2
 * @ms: minimum duration of a measurement in milliseconds
 * @pairs: number of simultaneous pairs
 * @slots: number of slots of a recorder
 * @threads: number of threads of the slave
 * @busy: number of threads that compute
 * @mode: "wait", "record", "limit" or "none"; for process-hold, "get", "region",
 *	"asleep" or "ptrace"
 * @command: arguments after the options
 */
struct bench_options {
	unsigned int	kib;
	unsigned int	cpus;
	unsigned int	ms;
	unsigned int	pairs;
	unsigned int	slots;
	unsigned int	threads;
	unsigned int	busy;
	const char	*mode;
	char		**command;
};

/* Each row prints its result and returns 0, or prints an error and exits. */
int bench_rendezvous(const struct bench_options *options);
int bench_recorder(const struct bench_options *options);
int bench_ptrace_syscall(const struct bench_options *options);
int bench_ptrace_interrupt(const struct bench_options *options);
int bench_seccomp(const struct bench_options *options);
int bench_perf(const struct bench_options *options);
int bench_eventfd(const struct bench_options *options);
int bench_futex(const struct bench_options *options);
int bench_memcpy(const struct bench_options *options);
int bench_words(const struct bench_options *options);
int bench_null(const struct bench_options *options);
int bench_fork(const struct bench_options *options);
int bench_switch(const struct bench_options *options);
int bench_fairness(const struct bench_options *options);
int bench_scale(const struct bench_options *options);
int bench_memory(const struct bench_options *options);
int bench_hold(const struct bench_options *options);
int bench_idle(const struct bench_options *options);
int bench_process_recorder(const struct bench_options *options);
int bench_process_rendezvous(const struct bench_options *options);
int bench_process_hold(const struct bench_options *options);
int bench_gap(const struct bench_options *options);
int bench_program(const struct bench_options *options);

/* bench.c */
void bench_die(const char *what) __attribute__((noreturn));
uint64_t bench_now(void);
void bench_pin(unsigned int cpu);
void *bench_share(size_t size);
void bench_read(int fd, void *buf, size_t size);
void bench_write(int fd, const void *buf, size_t size);
pid_t bench_fork_child(void);
void bench_reap(pid_t pid);

/* Makes @count operations and returns their duration in nanoseconds. */
typedef uint64_t (*bench_fn)(void *arg, unsigned long count);

/**
 * struct bench_time - a measurement
 * @ns: nanoseconds for each operation
 * @count: number of operations
 */
struct bench_time {
	double		ns;
	unsigned long	count;
};

struct bench_time bench_repeat(bench_fn fn, void *arg, unsigned int ms);
void bench_result(struct bench_time time);

/* pair.c */
struct cp_pair *bench_pair(pid_t pid, const struct cp_pair_options *how);
void bench_must_hold(struct cp_pair *pair, unsigned int kib);
uint64_t bench_take(void *pair, unsigned long count);

/* slave.c: a process to be observed */

/**
 * struct slave_shared - memory that a slave shares with its observer
 * @sp: the slave's stack pointer during its system calls
 * @end: end of the slave's stack
 * @calls: number of system calls so far
 */
struct slave_shared {
	volatile uint64_t	sp;
	volatile uint64_t	end;
	volatile uint64_t	calls;
} __attribute__((aligned(64)));

/**
 * struct slave - a child with a stack of its own, in use to a given depth
 * @pid: the child
 * @orders: pipe from which the child reads a number of system calls to make
 * @answers: pipe to which the child writes their duration
 * @setup: function that the child calls first, or NULL
 * @arg: argument of @setup
 * @shared: memory shared with the child
 */
struct slave {
	pid_t			pid;
	int			orders[2];
	int			answers[2];
	void			(*setup)(void *arg);
	void			*arg;
	struct slave_shared	*shared;
};

/* slave_order(): make system calls for ever. */
#define SLAVE_FOREVER	(~0UL)
/* slave_order(): add microseconds to this, to sleep between the calls. */
#define SLAVE_DROWSY	0x4000000000000000UL

void slave_start(struct slave *slave, unsigned int kib, unsigned int cpu);
void slave_order(struct slave *slave, unsigned long count);
uint64_t slave_run(void *slave, unsigned long count);
void slave_stop(struct slave *slave);
long slave_call(void);
void slave_deepen(uint64_t end, unsigned int kib, void (*fn)(void *arg), void *arg);
size_t slave_read_stack(const struct slave *slave, uint64_t sp, void *buf,
			size_t size);

/* team.c: a process with threads */

/**
 * struct team_member - a thread, in memory that the team shares with its observer
 * @team: the team
 * @end: end of the thread's stack
 * @work: amount of work that the thread has done
 * @tid: its id; 0 until it runs
 */
struct team_member {
	struct team		*team;
	uint64_t		end;
	volatile uint64_t	work;
	volatile pid_t		tid;
} __attribute__((aligned(64)));

/**
 * struct team_shared - memory that a team shares with its observer
 * @go: a futex; 1 once busy threads may begin
 */
struct team_shared {
	volatile uint32_t	go;
};

/**
 * struct team - a child with threads, besides its main thread, which sleeps in futex(2)
 * @nr: number of these threads
 * @nr_busy: number of threads that work; the others sleep in futex(2)
 * @work: what the busy threads do, for ever
 * @kib: KiB of stack in use in each thread but the main one
 * @cpu: CPU to run on
 * @pid: the child
 * @never: the futex of threads that sleep
 * @members: the threads
 * @shared: memory shared with the child
 */
struct team {
	unsigned int		nr;
	unsigned int		nr_busy;
	void			(*work)(struct team_member *member);
	unsigned int		kib;
	unsigned int		cpu;
	pid_t			pid;
	volatile uint32_t	never;
	struct team_member	*members;
	struct team_shared	*shared;
};

void team_start(struct team *team);
void team_go(struct team *team);
uint64_t team_work(const struct team *team);
void team_await_work(const struct team *team, uint64_t count);
void team_stop(struct team *team);

/* The observer is on CPU 0. */
static inline unsigned int bench_slave_cpu(const struct bench_options *options)
{
	return options->cpus > 1 ? 1 : 0;
}

#endif /* _BENCH_H */
