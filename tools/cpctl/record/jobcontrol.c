// SPDX-License-Identifier: GPL-2.0-only
/* The program of record -f COMMAND as the job of a shell: jobcontrol.h. */
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "interrupt.h"
#include "jobcontrol.h"

/*
 * The signals of keys, and of jobs in the background that use the terminal. Blocked, they do
 * not stop or kill cpctl, and do not keep it from writing to the terminal.
 */
static const int signals[] = { SIGQUIT, SIGTSTP, SIGTTIN, SIGTTOU };

/* The signals that jobcontrol_open() has blocked. */
static sigset_t blocked;

/* The process that has called jobcontrol_open(), if it has a terminal; else -1. */
static int front = -1;

static bool has_terminal(void)
{
	int tty = open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC);

	if (tty < 0)
		return false;
	close(tty);
	return true;
}

void jobcontrol_open(void)
{
	sigset_t set, old;
	size_t i;

	/* Without a terminal, no shell would let cpctl continue. */
	if (has_terminal())
		front = pidfd_open(getpid(), 0);
	sigemptyset(&set);
	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaddset(&set, signals[i]);
	sigprocmask(SIG_BLOCK, &set, &old);
	sigemptyset(&blocked);
	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		if (!sigismember(&old, signals[i]))
			sigaddset(&blocked, signals[i]);
	interrupt_leave_keys(true);
}

void jobcontrol_mirror(bool stop)
{
	if (front >= 0)
		pidfd_send_signal(front, stop ? SIGSTOP : SIGCONT, NULL, 0);
}

/* The shell has given the terminal to cpctl's group: gives it to the program's. */
static void give_terminal(pid_t group)
{
	int tty = open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC);

	if (tty < 0)
		return;
	if (tcgetpgrp(tty) == getpgrp())
		tcsetpgrp(tty, group);
	close(tty);
}

void jobcontrol_resume(pid_t program)
{
	const pid_t group = getpgid(program);

	if (group > 0 && group != getpgrp()) {
		give_terminal(group);
		kill(-group, SIGCONT);
	} else {
		kill(program, SIGCONT);
	}
}

/* The signals that are pending were for the program: discards them. */
static void discard(void)
{
	static const struct sigaction ignore = { .sa_handler = SIG_IGN };
	struct sigaction action;
	size_t i;

	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		sigaction(signals[i], &ignore, &action);
		sigaction(signals[i], &action, NULL);
	}
}

void jobcontrol_block(sigset_t *mask)
{
	sigorset(mask, mask, &blocked);
}

void jobcontrol_leave(void)
{
	setsid();
	discard();
}

void jobcontrol_close(void)
{
	interrupt_leave_keys(false);
	discard();
	/* Messages can be written from the background even now. */
	sigdelset(&blocked, SIGTTOU);
	sigprocmask(SIG_UNBLOCK, &blocked, NULL);
}
