// SPDX-License-Identifier: GPL-2.0-only
/* Exercise 4: the ways in which a pair ends, and what its master learns. */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "counted.h"

static void exits(void)
{
	_exit(3);
}

static void is_killed(void)
{
	raise(SIGKILL);
}

static void executes(void)
{
	execl("/bin/true", "true", NULL);
}

static void lives(void)
{
	for (;;)
		getppid();
}

static void print_end(const char *name, const struct cp_pair *pair)
{
	int status;

	printf("%-12s ", name);
	switch (cp_pair_ended(pair, &status)) {
	case CP_END_EXITED:
		if (WIFSIGNALED(status))
			printf("killed by signal %d\n", WTERMSIG(status));
		else
			printf("exited with status %d\n", WEXITSTATUS(status));
		break;
	case CP_END_EXEC:
		printf("executes another program\n");
		break;
	case CP_END_DETACHED:
		printf("ended by the master\n");
		break;
	}
}

/* Pairs with a child that then does @act; ends the pair after @wanted checkpoints. */
static void one_end(const char *name, void (*act)(void), int wanted)
{
	struct cp_pair *pair = cp_pair_open();
	int ready[2], taken = 0;
	pid_t child;

	if (!pair || pipe(ready))
		die(name);
	child = fork();
	if (!child) {
		char byte;

		if (read(ready[0], &byte, 1) == 1)
			act();
		_exit(1);
	}
	if (cp_pair_prep(pair, child, NULL) || write(ready[1], "", 1) != 1)
		die(name);
	while (cp_pair_get(pair, -1, 0) == 1)
		if (++taken == wanted)
			cp_pair_end(pair);
	print_end(name, pair);
	cp_pair_close(pair);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	close(ready[0]);
	close(ready[1]);
}

int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	one_end("_exit(3)", exits, 0);
	one_end("SIGKILL", is_killed, 0);
	one_end("execl()", executes, 0);
	one_end("cp_pair_end", lives, 10);
	return 0;
}
