// SPDX-License-Identifier: GPL-2.0-only
/* A program that is started in order to become a slave. */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/pidfd.h>
#include <sys/ptrace.h>
#include <sys/signalfd.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"
#include "diagnose.h"
#include "identity.h"
#include "interrupt.h"
#include "message.h"

/*
 * struct inherited - signal state that cpctl has changed and the program gets back
 * @sigchld: the action of SIGCHLD
 * @sigxfsz: the action of SIGXFSZ
 * @mask: the blocked signals
 */
struct inherited {
	struct sigaction	sigchld;
	struct sigaction	sigxfsz;
	sigset_t		mask;
};

/*
 * struct start - pipes between cpctl and a child that is to become a program
 * @go: to the child: a byte, once cpctl traces the child
 * @report: from the child: the errno of execvp(), if it failed
 */
struct start {
	int	go[2];
	int	report[2];
};

/*
 * A signalfd(2) of SIGCHLD and SIGALRM: readable after a child has changed its state
 * or the alarm has expired; -1 before child_start().
 */
static int changes = -1;

/* The process that child_start() has started; 0 if there is none. */
static pid_t own;

/* The action of SIGXFSZ before child_ignore_sigxfsz(). */
static struct sigaction inherited_sigxfsz;

void child_ignore_sigxfsz(void)
{
	static const struct sigaction ignore = { .sa_handler = SIG_IGN };

	sigaction(SIGXFSZ, &ignore, &inherited_sigxfsz);
}

/* Executes the program in the child, or reports the errno. */
static void become(char **argv, bool stays, const struct start *start,
		   const struct inherited *inherited)
{
	int error;
	char byte;

	sigaction(SIGCHLD, &inherited->sigchld, NULL);
	sigaction(SIGXFSZ, &inherited->sigxfsz, NULL);
	sigprocmask(SIG_SETMASK, &inherited->mask, NULL);
	if (!stays)
		setsid();
	close(start->go[1]);
	if (read(start->go[0], &byte, 1) != 1)
		_exit(126);
	execvp(argv[0], argv);
	error = errno;
	if (write(start->report[1], &error, sizeof(error)) != sizeof(error))
		_exit(126);
	_exit(127);
}

/* The ptrace event of a seized task; 0 for a signal that is to be delivered. */
static int event_of(int status)
{
	return status >> 16;
}

/* Lets the child continue after a stop that cpctl has not requested. */
static void pass(pid_t pid, int status)
{
	int sig = WSTOPSIG(status);

	if (!event_of(status))
		ptrace(PTRACE_CONT, pid, NULL, (long)sig);
	else if (event_of(status) == PTRACE_EVENT_STOP && sig != SIGTRAP)
		/* A group stop, as by SIGSTOP: the child stays stopped. */
		ptrace(PTRACE_LISTEN, pid, NULL, NULL);
	else
		ptrace(PTRACE_CONT, pid, NULL, NULL);
}

/* Reads all pending signals from @changes. Returns whether SIGALRM was among them. */
static bool take_alarm(void)
{
	struct signalfd_siginfo signal;
	bool alarmed = false;

	while (read(changes, &signal, sizeof(signal)) == sizeof(signal))
		alarmed |= signal.ssi_signo == SIGALRM;
	return alarmed;
}

/*
 * Waits until the child stops. Returns false if the child has ended, whose status
 * child_wait() then reads; if interrupted; or after the alarm has expired.
 */
static bool wait_for_stop(pid_t pid, int *status)
{
	siginfo_t info;

	for (;;) {
		info.si_pid = 0;
		if (waitid(P_PID, (id_t)pid, &info,
			   WEXITED | WSTOPPED | WNOWAIT | WNOHANG))
			return false;
		if (info.si_pid && info.si_code != CLD_TRAPPED &&
		    info.si_code != CLD_STOPPED)
			return false;
		if (info.si_pid)
			return waitpid(pid, status, WUNTRACED) == pid &&
			       WIFSTOPPED(*status);
		if (!interrupt_wait(changes) || take_alarm())
			return false;
	}
}

/* Waits until the child is held after its execvp(). */
static bool wait_for_exec(pid_t pid)
{
	int status;

	while (wait_for_stop(pid, &status)) {
		if (event_of(status) == PTRACE_EVENT_EXEC)
			return true;
		pass(pid, status);
	}
	return false;
}

/* Opens @changes. An inherited SIG_IGN for SIGCHLD would suppress that signal. */
static int watch_children(struct inherited *inherited)
{
	static const struct sigaction heed = { .sa_handler = SIG_DFL };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGALRM);
	sigprocmask(SIG_BLOCK, &set, &inherited->mask);
	sigaction(SIGCHLD, &heed, &inherited->sigchld);
	inherited->sigxfsz = inherited_sigxfsz;
	changes = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return changes < 0 ? -1 : 0;
}

/*
 * PTRACE_O_TRACECLONE stops the child when a library's constructor begins a thread:
 * an exec by that thread would replace the child, and cpctl would not notice that.
 */
#define TRACE_OPTIONS ((long)(PTRACE_O_TRACEEXEC | PTRACE_O_TRACECLONE))

/* Traces the child and lets it exec. */
static int let_exec(pid_t pid, const struct start *start)
{
	int error = 0;

	if (ptrace(PTRACE_SEIZE, pid, NULL, TRACE_OPTIONS))
		return errno;
	if (write(start->go[1], "", 1) == 1 && wait_for_exec(pid))
		return 0;
	/* The child has reported its errno, unless a signal killed the child. */
	if (read(start->report[0], &error, sizeof(error)) != sizeof(error))
		error = EINTR;
	return error;
}

static pid_t start_with(char **argv, const sigset_t *stays,
			struct start *start)
{
	struct inherited inherited;
	int error = 0;
	pid_t pid;

	if (watch_children(&inherited)) {
		warn("cannot start %s", argv[0]);
		return -1;
	}
	if (stays)
		inherited.mask = *stays;
	pid = fork();
	if (!pid)
		become(argv, stays, start, &inherited);
	error = pid < 0 ? errno : 0;
	if (stays)
		setsid();
	close(start->go[0]);
	close(start->report[1]);
	if (!error)
		error = let_exec(pid, start);
	if (!error) {
		own = pid;
		return pid;
	}
	if (pid > 0)
		child_kill(pid);
	diagnose_start(argv[0], error);
	return -1;
}

pid_t child_start(char **argv, const sigset_t *stays)
{
	struct start start;
	pid_t pid;

	if (pipe2(start.go, O_CLOEXEC)) {
		warn("cannot start %s", argv[0]);
		return -1;
	}
	if (pipe2(start.report, O_CLOEXEC)) {
		warn("cannot start %s", argv[0]);
		close(start.go[0]);
		close(start.go[1]);
		return -1;
	}
	pid = start_with(argv, stays, &start);
	close(start.go[1]);
	close(start.report[0]);
	return pid;
}

/* L0 of the debug register DR7: enables the execution breakpoint at DR0. */
#define DR7_FIRST_ON_EXECUTION 1UL

/*
 * Sets a hardware breakpoint: that changes no byte of the program, and neither the
 * child's children nor another program after an exec have the breakpoint. Returns
 * false if the CPU has no free one, as in some virtual machines.
 */
static bool set_breakpoint(pid_t pid, uint64_t addr, unsigned long control)
{
	void *dr0 = (void *)offsetof(struct user, u_debugreg[0]);
	void *dr7 = (void *)offsetof(struct user, u_debugreg[7]);

	return !ptrace(PTRACE_POKEUSER, pid, dr0, addr) &&
	       !ptrace(PTRACE_POKEUSER, pid, dr7, control);
}

/* Is the stop due to the breakpoint at @addr, and not to another SIGTRAP? */
static bool is_breakpoint(pid_t pid, int status, uint64_t addr)
{
	void *rip = (void *)offsetof(struct user, regs.rip);
	siginfo_t info;

	return !event_of(status) && WSTOPSIG(status) == SIGTRAP &&
	       !ptrace(PTRACE_GETSIGINFO, pid, NULL, &info) &&
	       info.si_code == TRAP_HWBKPT &&
	       (uint64_t)ptrace(PTRACE_PEEKUSER, pid, rip, NULL) == addr;
}

/* Detaches from the new thread of the child, which is traced automatically. */
static void release_thread(pid_t pid)
{
	unsigned long thread;
	int status;

	if (!ptrace(PTRACE_GETEVENTMSG, pid, NULL, &thread) &&
	    waitpid((pid_t)thread, &status, __WALL) == (pid_t)thread)
		ptrace(PTRACE_DETACH, (pid_t)thread, NULL, NULL);
}

/* Lets the child run until the breakpoint, an exec, or the clone of a thread. */
static enum child_stop run_to_breakpoint(pid_t pid, uint64_t addr)
{
	int status;

	ptrace(PTRACE_CONT, pid, NULL, NULL);
	while (wait_for_stop(pid, &status)) {
		/* The exec has removed the breakpoint. */
		if (event_of(status) == PTRACE_EVENT_EXEC)
			return CHILD_EXEC;
		if (event_of(status) == PTRACE_EVENT_CLONE)
			release_thread(pid);
		if (event_of(status) == PTRACE_EVENT_CLONE ||
		    is_breakpoint(pid, status, addr))
			return CHILD_THERE;
		/* A signal to the child meanwhile: deliver it. */
		pass(pid, status);
	}
	return CHILD_GONE;
}

bool child_arrives(pid_t pid)
{
	int status;

	while (wait_for_stop(pid, &status)) {
		if (event_of(status) == PTRACE_EVENT_CLONE)
			release_thread(pid);
		/* Any event will do; a signal must be delivered first. */
		if (event_of(status))
			return true;
		pass(pid, status);
	}
	return false;
}

/* Stops a traced child that runs. Returns false if the child has ended. */
static bool interrupt_child(pid_t pid)
{
	return !ptrace(PTRACE_INTERRUPT, pid, NULL, NULL) &&
	       child_arrives(pid);
}

static unsigned long entry_of(pid_t pid)
{
	struct identity identity;
	unsigned long entry;

	if (!identity_read(&identity, pid))
		return 0;
	entry = identity_auxv(&identity, AT_ENTRY);
	identity_free(&identity);
	return entry;
}

/* A time limit: constructors may take long, and the entry may never be executed. */
#define ENTRY_SECONDS 2

/* Stops a traced child that runs, even if cpctl was interrupted. */
static bool stop_child(pid_t pid, int *status)
{
	struct pollfd news = { .fd = changes, .events = POLLIN };
	sigset_t old;
	pid_t stopped;

	if (ptrace(PTRACE_INTERRUPT, pid, NULL, NULL))
		return false;
	interrupt_block(&old);
	do {
		take_alarm();
		stopped = waitpid(pid, status, __WALL | WNOHANG);
	} while (!stopped && poll(&news, 1, ENTRY_SECONDS * 1000) > 0);
	interrupt_unblock(&old);
	return stopped == pid && WIFSTOPPED(*status);
}

/* Without cpctl, the breakpoint would kill the child. */
static void remove_breakpoint(pid_t pid)
{
	int status;

	if (!stop_child(pid, &status))
		return;
	set_breakpoint(pid, 0, 0);
	if (!event_of(status))
		pass(pid, status);
}

enum child_stop child_run_to_entry(pid_t pid)
{
	unsigned long entry = entry_of(pid);
	enum child_stop stop;

	if (!entry || !set_breakpoint(pid, entry, DR7_FIRST_ON_EXECUTION))
		return CHILD_THERE;
	take_alarm();
	alarm(ENTRY_SECONDS);
	stop = run_to_breakpoint(pid, entry);
	alarm(0);
	if (stop == CHILD_GONE && !interrupted() && interrupt_child(pid))
		stop = CHILD_THERE;
	if (stop == CHILD_THERE)
		set_breakpoint(pid, 0, 0);
	else if (stop == CHILD_GONE && interrupted())
		remove_breakpoint(pid);
	return stop;
}

bool child_seize(pid_t pid)
{
	return !ptrace(PTRACE_SEIZE, pid, NULL, TRACE_OPTIONS) &&
	       !ptrace(PTRACE_INTERRUPT, pid, NULL, NULL);
}

bool child_hold(pid_t pid)
{
	return child_seize(pid) && child_arrives(pid);
}

void child_release(pid_t pid)
{
	int status;

	/* The parent of a traced process does not see its end before the tracer has. */
	if (ptrace(PTRACE_DETACH, pid, NULL, NULL) && pid != own)
		waitpid(pid, &status, __WALL | WNOHANG);
}

int child_watch(void)
{
	struct inherited unused;

	if (changes >= 0 || !watch_children(&unused))
		return 0;
	warn("cannot trace processes");
	return -1;
}

int child_news(void)
{
	return own ? changes : -1;
}

enum child_change child_changed(void)
{
	enum child_change change = CHILD_SAME;
	siginfo_t info = {};

	if (!own)
		return CHILD_SAME;
	take_alarm();
	while (!waitid(P_PID, (id_t)own, &info,
		       WSTOPPED | WCONTINUED | WNOHANG) &&
	       info.si_pid) {
		change = info.si_code == CLD_CONTINUED ? CHILD_CONTINUED :
							 CHILD_STOPPED;
		info.si_pid = 0;
	}
	return change;
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
	/* waitpid() may report a stop before the end. */
	while (waitpid(pid, &status, 0) == pid ? WIFSTOPPED(status) :
						 errno == EINTR)
		;
}
