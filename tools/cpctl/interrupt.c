// SPDX-License-Identifier: GPL-2.0-only
/* SIGINT, SIGTERM and SIGHUP: end the pair, let the slave go on, leave. */
#include <errno.h>
#include <signal.h>

#include "interrupt.h"

static struct cp_pair *pair_to_end;
static volatile sig_atomic_t caught;

/*
 * Ending the pair here, and not only noting the signal, leaves no moment at
 * which the signal could be missed: a cp_pair_get() that is about to wait
 * finds the pair over.
 */
static void handle(int sig)
{
	int saved = errno;

	(void)sig;
	caught = 1;
	cp_pair_end(pair_to_end);
	errno = saved;
}

void interrupt_catch(struct cp_pair *pair)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction action = {
		.sa_handler = handle,
		.sa_flags = SA_RESETHAND,
	};
	struct sigaction old;
	size_t i;

	pair_to_end = pair;
	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		/* What nohup(1) or a shell has set to be ignored stays so. */
		sigaction(signals[i], NULL, &old);
		if (old.sa_handler != SIG_IGN)
			sigaction(signals[i], &action, NULL);
	}
}

bool interrupted(void)
{
	return caught;
}
