// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: crew
 *
 * A process with threads that have names, and are in functions of the same names. Each
 * thread prints its id and its name when it is there, or about to be there:
 *
 *	asleep		sleeps in a system call
 *	computing	computes
 *	deep		sleeps after 100 calls of the function
 *	handler		sleeps in a signal handler on an alternate stack
 *	left, right	take turns: at any time, at most one of them is in baton()
 */
#include "chain.h"

#include <sched.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define DEPTH 100

static volatile int over, turn;

static void say(const char *name)
{
	prctl(PR_SET_NAME, name);
	printf("%ld %s\n", (long)syscall(SYS_gettid), name);
	fflush(stdout);
}

/* The compiler must not see that the functions never return. */
OUTLINE void rest(void)
{
	while (!over)
		pause();
}

OUTLINE void *asleep(void *unused)
{
	(void)unused;
	say("asleep");
	rest();
	after++;
	return NULL;
}

OUTLINE void *computing(void *unused)
{
	(void)unused;
	say("computing");
	for (;;)
		after++;
	return NULL;
}

OUTLINE void arrive(void)
{
	say("deep");
	rest();
	after++;
}

OUTLINE int deep(int n)
{
	if (n > 1)
		after = deep(n - 1);
	else
		arrive();
	return after + 1;
}

static void *run_deep(void *unused)
{
	(void)unused;
	after = deep(DEPTH);
	return NULL;
}

OUTLINE void handler(int sig)
{
	(void)sig;
	say("handler");
	rest();
	after++;
}

OUTLINE void interrupted(void)
{
	pthread_kill(pthread_self(), SIGUSR1);
	after++;
}

static void *run_handler(void *unused)
{
	(void)unused;
	handle_sigusr1(handler, SA_ONSTACK);
	interrupted();
	return NULL;
}

OUTLINE void baton(void)
{
	int i;

	for (i = 0; i < 100000; i++)
		after++;
}

OUTLINE void wait_for(int mine)
{
	while (turn != mine)
		sched_yield();
}

static void *pass(void *which)
{
	const int mine = !!which;

	say(mine ? "left" : "right");
	for (;;) {
		wait_for(mine);
		baton();
		turn = !mine;
	}
	return NULL;
}

int main(void)
{
	static int left;
	pthread_t thread;

	pthread_create(&thread, NULL, asleep, NULL);
	pthread_create(&thread, NULL, computing, NULL);
	pthread_create(&thread, NULL, run_deep, NULL);
	pthread_create(&thread, NULL, run_handler, NULL);
	pthread_create(&thread, NULL, pass, &left);
	pthread_create(&thread, NULL, pass, NULL);
	say("crew");
	pthread_join(thread, NULL);
	return after & 1;
}
