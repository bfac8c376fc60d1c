// SPDX-License-Identifier: GPL-2.0-only
/*
 * Holding all threads of a process, reading their registers and letting them continue,
 * through a pair and by ptrace.
 */
#include <elf.h>
#include <errno.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

#define NSEC_PER_SEC	1000000000ULL

/* The pause after each hold, in which all threads fall asleep again. */
#define SETTLE_US	4000

/**
 * struct holder - a process that holds a team
 * @team: the slave
 * @pair: the pair, or NULL
 * @hold: holds all threads, reads their registers, lets them continue
 * @clock: the CPU time of the team
 * @sum: sum of the registers that were read, so that the compiler does not omit the reading
 */
struct holder {
	struct team	team;
	struct cp_pair	*pair;
	void		(*hold)(struct holder *holder);
	clockid_t	clock;
	uint64_t	sum;
};

static unsigned int nr_threads(const struct holder *holder)
{
	return holder->team.nr + 1;
}

/* Thread 0 is the main thread. */
static pid_t thread_id(const struct holder *holder, unsigned int i)
{
	return i ? holder->team.members[i - 1].tid : holder->team.pid;
}

static void begin_hold(struct holder *holder, unsigned int flags)
{
	int nr = cp_pair_hold(holder->pair, 60 * NSEC_PER_SEC,
			      60 * NSEC_PER_SEC, flags, NULL);

	if (nr < 0)
		bench_die("cp_pair_hold");
	if ((unsigned int)nr != nr_threads(holder)) {
		errno = ESRCH;
		bench_die("cp_pair_hold");
	}
}

static void take(struct holder *holder, unsigned int nr)
{
	for (; nr; nr--) {
		if (cp_pair_get(holder->pair, 0, 0) != 1)
			bench_die("cp_pair_get");
		holder->sum += cp_pair_checkpoint(holder->pair)->regs.rip;
	}
}

static void end_hold(struct holder *holder)
{
	if (cp_pair_release(holder->pair))
		bench_die("cp_pair_release");
}

/* Each thread's registers by CP_IOC_GET. */
static void hold_and_get(struct holder *holder)
{
	begin_hold(holder, 0);
	take(holder, nr_threads(holder));
	end_hold(holder);
}

/* Each thread's registers from its part of the region. */
static void hold_and_look(struct holder *holder)
{
	const struct cp_region_head *head;
	const struct cp_checkpoint *cp;
	unsigned int i;

	begin_hold(holder, 0);
	for (i = 0; (head = cp_pair_part(holder->pair, i)); i++) {
		cp = (const void *)((const char *)head + head->newest);
		holder->sum += cp->regs.rip;
	}
	end_hold(holder);
}

/* Threads that sleep stay asleep, and their registers are read meanwhile. */
static void hold_asleep(struct holder *holder)
{
	unsigned int i, nr_held = 0;
	struct cp_sleeper sleeper;

	begin_hold(holder, CP_HOLD_ASLEEP);
	for (i = 0; i < nr_threads(holder); i++) {
		if (!cp_pair_sleeper(holder->pair, i, &sleeper))
			holder->sum += sleeper.checkpoint.regs.rip;
		else if (errno == EALREADY)
			nr_held++;
		else
			bench_die("cp_pair_sleeper");
	}
	take(holder, nr_held);
	end_hold(holder);
}

static void trace(int request, pid_t tid, void *addr, void *data)
{
	if (ptrace(request, tid, addr, data))
		bench_die("ptrace");
}

/* Interrupts all threads before it waits for the first, which is cheaper. */
static void hold_by_ptrace(struct holder *holder)
{
	struct user_regs_struct regs;
	struct iovec iov = { &regs, sizeof(regs) };
	unsigned int i;
	int status;

	for (i = 0; i < nr_threads(holder); i++) {
		trace(PTRACE_SEIZE, thread_id(holder, i), NULL, NULL);
		trace(PTRACE_INTERRUPT, thread_id(holder, i), NULL, NULL);
	}
	for (i = 0; i < nr_threads(holder); i++) {
		if (waitpid(thread_id(holder, i), &status, __WALL) < 0 ||
		    !WIFSTOPPED(status))
			bench_die("waitpid");
		trace(PTRACE_GETREGSET, thread_id(holder, i), (void *)NT_PRSTATUS,
		      &iov);
		holder->sum += regs.rip;
	}
	for (i = 0; i < nr_threads(holder); i++)
		trace(PTRACE_DETACH, thread_id(holder, i), NULL, NULL);
}

static const struct way {
	const char	*mode;
	void		(*hold)(struct holder *holder);
	bool		paired;
} ways[] = {
	{ "get", hold_and_get, true },
	{ "region", hold_and_look, true },
	{ "asleep", hold_asleep, true },
	{ "ptrace", hold_by_ptrace, false },
};

/* Makes no system call, so only interrupts bring the thread into the kernel. */
static void compute(struct team_member *member)
{
	for (;;)
		member->work++;
}

static uint64_t read_clock(clockid_t clock)
{
	struct timespec now;

	if (clock_gettime(clock, &now))
		bench_die("clock_gettime");
	return now.tv_sec * NSEC_PER_SEC + now.tv_nsec;
}

/* The CPU time of both sides for @count rounds; *@work is what was computed meanwhile. */
static double rounds(struct holder *holder, unsigned long count, bool hold,
		     uint64_t *work)
{
	uint64_t cpu = read_clock(CLOCK_PROCESS_CPUTIME_ID) +
		       read_clock(holder->clock);

	*work = team_work(&holder->team);
	for (; count; count--) {
		if (hold)
			holder->hold(holder);
		usleep(SETTLE_US);
	}
	*work = team_work(&holder->team) - *work;
	return read_clock(CLOCK_PROCESS_CPUTIME_ID) +
	       read_clock(holder->clock) - cpu;
}

/*
 * A bench_fn: the CPU time of @count holds, of both sides and until all threads sleep
 * again. The time for what the team has computed meanwhile is known from as many rounds
 * without a hold.
 */
static uint64_t cost(void *arg, unsigned long count)
{
	uint64_t work_alone, work;
	double alone = rounds(arg, count, false, &work_alone);
	double all = rounds(arg, count, true, &work);

	if (work_alone)
		alone *= (double)work / work_alone;
	return all > alone ? all - alone : 0;
}

static const struct way *find_way(const char *mode)
{
	const struct way *way;

	for (way = ways; way < ways + sizeof(ways) / sizeof(ways[0]); way++)
		if (!strcmp(way->mode, mode))
			return way;
	errno = EINVAL;
	bench_die(mode);
}

/* No return to user mode is captured but those of a hold. */
static const struct cp_pair_options only_holds = {
	.size = sizeof(only_holds),
	.flags = CP_PREP_PROCESS,
	.interval = 3600 * NSEC_PER_SEC,
};

/* The cost of a hold for each of @threads threads, of which @busy compute. */
int bench_process_hold(const struct bench_options *options)
{
	const struct way *way = find_way(options->mode);
	struct holder holder = {
		.team = {
			.nr = options->threads - 1,
			.nr_busy = options->busy,
			.work = compute,
			.kib = options->kib,
			.cpu = bench_slave_cpu(options),
		},
		.hold = way->hold,
	};
	struct bench_time time;

	bench_pin(0);
	team_start(&holder.team);
	team_go(&holder.team);
	if (clock_getcpuclockid(holder.team.pid, &holder.clock))
		bench_die("clock_getcpuclockid");
	if (way->paired)
		holder.pair = bench_pair(holder.team.pid, &only_holds);
	cost(&holder, 2);
	time = bench_repeat(cost, &holder, options->ms);
	team_stop(&holder.team);
	cp_pair_close(holder.pair);
	time.ns /= nr_threads(&holder);
	bench_result(time);
	return 0;
}
