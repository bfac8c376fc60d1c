// SPDX-License-Identifier: GPL-2.0-only
/* SIGINT, SIGTERM and SIGHUP: end the pair, let the slave go on, leave. */
#include <errno.h>
#include <poll.h>
#include <signal.h>

#include "interrupt.h"

static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
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

void interrupt_move(struct cp_pair *pair)
{
	pair_to_end = pair;
}

static pid_t child;

static void pass_on(int sig)
{
	int saved = errno;

	kill(child, sig);
	errno = saved;
}

void interrupt_pass_on(pid_t pid)
{
	static const int passed[] = { SIGTERM, SIGHUP };
	struct sigaction action = { .sa_handler = pass_on };
	struct sigaction old;
	size_t i;

	child = pid;
	for (i = 0; i < sizeof(passed) / sizeof(passed[0]); i++) {
		sigaction(passed[i], NULL, &old);
		if (old.sa_handler != SIG_IGN)
			sigaction(passed[i], &action, NULL);
	}
}

bool interrupted(void)
{
	return caught;
}

bool interrupt_wait(int fd)
{
	struct pollfd poll = { .fd = fd, .events = POLLIN };
	sigset_t blocked, old;
	int ret = -1;
	size_t i;

	/* Let in while it waits only: none comes between look and wait. */
	sigemptyset(&blocked);
	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaddset(&blocked, signals[i]);
	sigprocmask(SIG_BLOCK, &blocked, &old);
	while (!caught && ret < 0) {
		ret = ppoll(&poll, 1, NULL, &old);
		if (ret < 0 && errno != EINTR)
			break;
	}
	sigprocmask(SIG_SETMASK, &old, NULL);
	return ret > 0;
}
