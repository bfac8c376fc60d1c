// SPDX-License-Identifier: GPL-2.0-only
/*
 * A slave with many threads, each with a stack of its own, in use to a given depth.
 */
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bench.h"

#define GUARD		4096

static void futex(volatile uint32_t *word, int operation, uint32_t value)
{
	syscall(SYS_futex, word, operation, value, NULL, NULL, 0);
}

static void sleep_in_futex(volatile uint32_t *word)
{
	for (;;)
		futex(word, FUTEX_WAIT, 0);
}

/* Waits until team_go(), then works or sleeps for ever. */
static void member_obey(void *arg)
{
	struct team_member *member = arg;
	struct team *team = member->team;

	member->tid = gettid();
	if (member - team->members >= team->nr_busy)
		sleep_in_futex(&team->never);
	while (!team->shared->go)
		futex(&team->shared->go, FUTEX_WAIT, 0);
	team->work(member);
}

static void *member_live(void *arg)
{
	struct team_member *member = arg;

	slave_deepen(member->end, member->team->kib, member_obey, member);
	return NULL;
}

static void member_start(struct team *team, struct team_member *member)
{
	size_t size = (team->kib + 67) / 4 * 4096;
	pthread_attr_t attr;
	pthread_t thread;
	char *stack;

	/* The pages without access around it keep the mapping from growing. */
	stack = mmap(NULL, size + 2 * GUARD, PROT_NONE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (stack == MAP_FAILED ||
	    mprotect(stack + GUARD, size, PROT_READ | PROT_WRITE))
		bench_die("a thread's stack");
	member->team = team;
	member->end = (uint64_t)stack + GUARD + size;
	pthread_attr_init(&attr);
	pthread_attr_setstack(&attr, stack + GUARD, size);
	errno = pthread_create(&thread, &attr, member_live, member);
	if (errno)
		bench_die("pthread_create");
	pthread_attr_destroy(&attr);
}

static void team_live(struct team *team)
{
	unsigned int i;

	bench_pin(team->cpu);
	for (i = 0; i < team->nr; i++)
		member_start(team, &team->members[i]);
	sleep_in_futex(&team->never);
}

/**
 * team_start - start a slave with threads
 * @team: zeroed except for @nr, @nr_busy, @work, @kib and @cpu
 *
 * Returns when all threads sleep; the busy ones begin with team_go().
 */
void team_start(struct team *team)
{
	unsigned int i;

	team->members = bench_share(team->nr * sizeof(*team->members));
	team->shared = bench_share(sizeof(*team->shared));
	team->pid = bench_fork_child();
	if (!team->pid)
		team_live(team);
	for (i = 0; i < team->nr; i++)
		while (!team->members[i].tid)
			usleep(1000);
	usleep(10000);
}

void team_go(struct team *team)
{
	team->shared->go = 1;
	futex(&team->shared->go, FUTEX_WAKE, INT_MAX);
}

/* The amount of work that all threads have done. */
uint64_t team_work(const struct team *team)
{
	uint64_t sum = 0;
	unsigned int i;

	for (i = 0; i < team->nr; i++)
		sum += team->members[i].work;
	return sum;
}

/* Waits until each busy thread has done @count more units of work. */
void team_await_work(const struct team *team, uint64_t count)
{
	uint64_t *wanted = calloc(team->nr_busy + 1, sizeof(*wanted));
	unsigned int i;

	for (i = 0; i < team->nr_busy; i++)
		wanted[i] = team->members[i].work + count;
	for (i = 0; i < team->nr_busy; i++)
		while (team->members[i].work < wanted[i])
			usleep(20000);
	free(wanted);
}

void team_stop(struct team *team)
{
	bench_reap(team->pid);
	munmap(team->members, team->nr * sizeof(*team->members));
	munmap(team->shared, sizeof(*team->shared));
}
