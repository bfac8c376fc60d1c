// SPDX-License-Identifier: GPL-2.0-only
/* A program that is started in order to become a slave. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <sys/pidfd.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"
#include "diagnose.h"
#include "interrupt.h"
#include "message.h"

/* In the child: become the program, or tell why not. */
static void become(char **argv, int report, const struct sigaction *sigchld)
{
	int error;

	sigaction(SIGCHLD, sigchld, NULL);
	setsid();
	if (!ptrace(PTRACE_TRACEME, 0, NULL, NULL))
		execvp(argv[0], argv);
	error = errno;
	if (write(report, &error, sizeof(error)) != sizeof(error))
		_exit(126);
	_exit(127);
}

/* Waits until it is held at the beginning of the program. */
static bool wait_for_exec(pid_t pid)
{
	int status;

	for (;;) {
		if (waitpid(pid, &status, 0) < 0) {
			if (errno == EINTR)
				continue;
			return false;
		}
		if (!WIFSTOPPED(status))
			return false;
		if (WSTOPSIG(status) == SIGTRAP)
			return true;
		/* Somebody has sent it a signal already: hand it on. */
		ptrace(PTRACE_CONT, pid, NULL, (long)WSTOPSIG(status));
	}
}

pid_t child_start(char **argv)
{
	static const struct sigaction heed = { .sa_handler = SIG_DFL };
	struct sigaction sigchld;
	int report[2], error = 0;
	pid_t pid;

	if (pipe2(report, O_CLOEXEC)) {
		warn("cannot start %s", argv[0]);
		return -1;
	}
	/* Were it ignored, as inherited, there would be no status to wait for. */
	sigaction(SIGCHLD, &heed, &sigchld);
	pid = fork();
	if (!pid)
		become(argv, report[1], &sigchld);
	if (pid < 0)
		error = errno;
	close(report[1]);
	if (pid > 0 && !wait_for_exec(pid)) {
		/* It left a word, unless it was killed. */
		if (read(report[0], &error, sizeof(error)) != sizeof(error))
			error = EINTR;
	}
	close(report[0]);
	if (!error)
		return pid;
	diagnose_start(argv[0], error);
	return -1;
}

/* Waits until it stops; gives the signal, or 0 when it has ended. */
static int wait_for_stop(pid_t pid)
{
	siginfo_t info = {};
	int status;

	/* Its end is for child_wait(). */
	while (waitid(P_PID, (id_t)pid, &info, WEXITED | WSTOPPED | WNOWAIT)) {
		if (errno != EINTR)
			return 0;
	}
	if (info.si_code != CLD_TRAPPED && info.si_code != CLD_STOPPED)
		return 0;
	if (waitpid(pid, &status, WUNTRACED) != pid || !WIFSTOPPED(status))
		return 0;
	return WSTOPSIG(status);
}

#define BREAKPOINT 0xccUL

void child_run_to(pid_t pid, uint64_t addr)
{
	void *rip = (void *)offsetof(struct user, regs.rip);
	long code, sig = 0;

	errno = 0;
	code = ptrace(PTRACE_PEEKTEXT, pid, addr, NULL);
	if (!addr || errno ||
	    ptrace(PTRACE_POKETEXT, pid, addr,
		   ((unsigned long)code & ~0xffUL) | BREAKPOINT))
		return;
	do {
		/* What is sent to it on its way it is to have. */
		if (ptrace(PTRACE_CONT, pid, NULL, sig))
			return;
		sig = wait_for_stop(pid);
		if (!sig)
			return;
	} while (sig != SIGTRAP);
	ptrace(PTRACE_POKETEXT, pid, addr, code);
	if ((uint64_t)ptrace(PTRACE_PEEKUSER, pid, rip, NULL) == addr + 1)
		ptrace(PTRACE_POKEUSER, pid, rip, addr);
}

void child_release(pid_t pid)
{
	ptrace(PTRACE_DETACH, pid, NULL, NULL);
}

bool child_wait(pid_t pid, int *status)
{
	int fd = pidfd_open(pid, 0);
	bool ended = fd >= 0 && interrupt_wait(fd);

	if (fd >= 0)
		close(fd);
	return ended && waitpid(pid, status, 0) == pid;
}

void child_kill(pid_t pid)
{
	int status;

	kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
}
