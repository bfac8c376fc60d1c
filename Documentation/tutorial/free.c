// SPDX-License-Identifier: GPL-2.0-only
/* Exercise 5: a slave waits for its master, and the master is killed. */
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "counted.h"

/* The slave's count of system calls, in memory shared by all three processes. */
static volatile unsigned long *work;

static pid_t start_slave(void)
{
	pid_t child = fork();

	if (child)
		return child;
	for (;;) {
		++*work;
		getppid();
	}
}

/* A master that takes one checkpoint, writes a byte to @report, and takes no more. */
static pid_t start_master(pid_t slave, int report)
{
	struct cp_pair *pair;
	pid_t child = fork();

	if (child)
		return child;
	pair = cp_pair_open();
	if (!pair || cp_pair_prep(pair, slave, NULL) || cp_pair_get(pair, -1, 0) != 1)
		die("pair");
	if (write(report, "", 1) != 1)
		die("write");
	for (;;)
		pause();
}

/* Waits for ten more system calls of the slave. */
static void wait_for_work(void)
{
	unsigned long before = *work;

	while (*work < before + 10)
		usleep(10000);
}

int main(void)
{
	unsigned long before;
	pid_t slave, master;
	int report[2];
	char byte;

	setvbuf(stdout, NULL, _IOLBF, 0);
	work = mmap(NULL, sizeof(*work), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (work == MAP_FAILED || pipe(report))
		die("start");
	slave = start_slave();
	wait_for_work();
	printf("not paired: the slave runs\n");

	master = start_master(slave, report[1]);
	close(report[1]);
	if (read(report[0], &byte, 1) != 1)
		return 1;
	before = *work;
	sleep(1);
	/* At its next return it waits; the call after that one never begins. */
	printf("paired: the slave %s\n", *work <= before + 2 ? "waits" : "runs");

	kill(master, SIGKILL);
	waitpid(master, NULL, 0);
	wait_for_work();
	printf("master killed: the slave runs\n");
	kill(slave, SIGKILL);
	waitpid(slave, NULL, 0);
	return 0;
}
