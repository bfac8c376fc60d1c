// SPDX-License-Identifier: GPL-2.0-only
/* Exercise 6: record a slave that never waits, up to its crash. */
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "counted.h"

/* Waits for a byte in @begin, makes 1000 system calls and reads address 0. */
static pid_t start_slave(int begin)
{
	const struct rlimit no_core = { 0, 0 };
	volatile int *nowhere = NULL;
	pid_t child = fork();
	char byte;

	if (child)
		return child;
	setrlimit(RLIMIT_CORE, &no_core);
	if (read(begin, &byte, 1) != 1)
		_exit(1);
	for (int i = 0; i < 1000; i++)
		getppid();
	_exit(*nowhere);
}

int main(void)
{
	const struct cp_pair_options options = {
		.size = sizeof(options),
		.nr_slots = 8,
		.flags = CP_PREP_OVERWRITE | CP_PREP_DEATH,
	};
	struct cp_pair *pair = cp_pair_open();
	const struct cp_checkpoint *last;
	int begin[2], taken = 0;
	pid_t slave;

	if (!pair || pipe(begin))
		die("start");
	slave = start_slave(begin[0]);
	if (cp_pair_prep(pair, slave, &options) || write(begin[1], "", 1) != 1)
		die("pair");
	/* No checkpoint is taken while the slave lives; it does not wait for that. */
	waitpid(slave, NULL, 0);
	while (cp_pair_get(pair, -1, 0) == 1)
		taken++;
	last = cp_pair_checkpoint(pair);
	printf("%d checkpoints are left; the last is %s\n", taken,
	       last && last->flags & CP_CHECKPOINT_DEATH ? "the state of death" :
							   "an ordinary one");
	if (last)
		printf("signal %d at address %#jx\n", last->signal,
		       (uintmax_t)last->signal_addr);
	cp_pair_close(pair);
	return 0;
}
