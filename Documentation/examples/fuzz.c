// SPDX-License-Identifier: GPL-2.0-only
/*
 * A fuzzer that puts its target back before each input, so that no input finds what an
 * earlier one has left behind: cc -O1 fuzz.c -lcheckpoint. It ends with the first input that
 * crashes the target.
 */
#include <checkpoint.h>
#include <err.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { WAITING = 1, GO, DONE, CRASHED };

/* Memory that both processes share: a put back leaves it as it is. */
static struct shared {
	atomic_int	state;
	unsigned char	input;
	unsigned int	calls;
} *shared;

static unsigned int calls;

/* What is to be tested. It keeps state, and crashes. */
static void parse(unsigned char input)
{
	shared->calls = ++calls;
	if (input == 42)
		raise(SIGSEGV);
}

static void crashed(int sig)
{
	(void)sig;
	shared->state = CRASHED;
	for (;;)
		pause();
}

static void target(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGSEGV, crashed);
	shared->state = WAITING;
	while (shared->state != GO)
		sched_yield();
	parse(shared->input);
	shared->state = DONE;
	for (;;)
		pause();
}

/* The loop. Returns the input that crashes the target, or -1. */
static int fuzz(struct cp_pair *pair, const struct cp_snap *snap)
{
	int i;

	for (i = 0; i < 256; i++) {
		shared->input = (unsigned char)i;
		shared->state = GO;
		while (shared->state == GO)
			sched_yield();
		if (shared->state == CRASHED)
			return i;
		shared->state = WAITING;
		if (cp_pair_put_back(pair, snap, -1, 0, NULL, NULL))
			err(1, "cannot put the target back");
	}
	return -1;
}

int main(void)
{
	struct cp_pair_options options = {
		.size = sizeof(options),
		.flags = CP_PREP_PROCESS | CP_PREP_OVERWRITE,
		.writable = 1,
	};
	struct cp_snap *snap;
	struct cp_pair *pair;
	pid_t pid;

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		err(1, "mmap");
	pid = fork();
	if (!pid)
		target();
	while (shared->state != WAITING)
		sched_yield();
	/* Not before: the library's memory in a child cannot be put back. */
	pair = cp_pair_open();
	if (!pair || cp_pair_prep(pair, pid, &options))
		err(1, "cannot pair with the target");
	snap = cp_pair_snapshot(pair, -1, 0, NULL);
	if (!snap)
		err(1, "cannot take a snapshot");
	printf("input %d crashes the target\n", fuzz(pair, snap));
	printf("parse() was called %u time\n", shared->calls);
	cp_snap_close(snap);
	cp_pair_close(pair);
	kill(pid, SIGKILL);
	return 0;
}
