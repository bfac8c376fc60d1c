// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: gang HOW [PROGRAM ARGUMENT...]
 *
 * A process with threads that have names, and are in functions of the same names: idler
 * sleeps, counter computes, crasher and the main thread wait. When all are there, the
 * program prints its id and waits for a byte on standard input. Then, HOW:
 *
 *	segv	crasher makes an invalid access, in fault()
 *	exec	crasher executes PROGRAM
 *	many	crasher creates 100 threads, one after the other, and exits with 7
 *	leader	the main thread ends when all are there; then as segv
 */
#include "chain.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define MANY 100

static char **arguments;
static volatile int ready, over;

/* An address that is not mapped. */
static volatile int *volatile nowhere = (int *)0x10;

static void begin(const char *name)
{
	prctl(PR_SET_NAME, name);
	__atomic_fetch_add(&ready, 1, __ATOMIC_SEQ_CST);
}

OUTLINE void *idler(void *unused)
{
	(void)unused;
	begin("idler");
	while (!over)
		pause();
	after++;
	return NULL;
}

OUTLINE void *counter(void *unused)
{
	(void)unused;
	begin("counter");
	nice(19);
	while (!over)
		after++;
	return NULL;
}

OUTLINE void fault(void)
{
	*nowhere = after;
	after++;
}

static void *leave(void *unused)
{
	return unused;
}

static void create_many(void)
{
	pthread_t thread;
	int i;

	for (i = 0; i < MANY; i++) {
		pthread_create(&thread, NULL, leave, NULL);
		pthread_join(thread, NULL);
	}
	exit(7);
}

OUTLINE void *crasher(void *unused)
{
	char byte;

	(void)unused;
	begin("crasher");
	while (ready < 3)
		usleep(1000);
	printf("%d\n", getpid());
	fflush(stdout);
	if (read(STDIN_FILENO, &byte, 1) != 1)
		exit(1);
	if (!strcmp(arguments[1], "exec"))
		execv(arguments[2], arguments + 2);
	else if (!strcmp(arguments[1], "many"))
		create_many();
	else
		fault();
	after++;
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t thread;

	if (argc < 2)
		return 2;
	arguments = argv;
	pthread_create(&thread, NULL, idler, NULL);
	pthread_create(&thread, NULL, counter, NULL);
	pthread_create(&thread, NULL, crasher, NULL);
	if (!strcmp(argv[1], "leader"))
		pthread_exit(NULL);
	pthread_join(thread, NULL);
	return after & 1;
}
