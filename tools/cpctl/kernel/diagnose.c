// SPDX-License-Identifier: GPL-2.0-only
/* Messages on stderr for errors: what happened, and what the user can do. */
#include <checkpoint.h>
#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "diagnose.h"
#include "facts.h"
#include "message.h"
#include "partner.h"
#include "text.h"

void diagnose_open(int error)
{
	switch (error) {
	case ENOENT:
	case ENODEV:
	case ENXIO:
		if (module_loaded())
			warnx("the module is loaded, but there is no %s: is /dev a devtmpfs, and does udev run?",
			      CP_DEVICE);
		else
			warnx("the module checkpoint is not loaded: run 'modprobe checkpoint', or 'insmod checkpoint.ko' where it was built");
		break;
	case EACCES:
	case EPERM:
		warnx("no permission to open %s: be root, or install the udev rule and join the group 'checkpoint'",
		      CP_DEVICE);
		break;
	case EPROTONOSUPPORT:
		warnx("the module speaks another version of the interface than this cpctl: install both from the same release");
		break;
	case ENOTTY:
		warnx("%s is not the device of the module checkpoint: remove it and reload the module",
		      CP_DEVICE);
		break;
	default:
		warnx("cannot open %s: %s", CP_DEVICE, strerror(error));
	}
}

/* The rule of Yama that refused this process; NULL if it was not Yama. */
static const char *yama_reason(void)
{
	static const char *const reasons[] = {
		NULL,
		"it is not your child, and Yama allows no others (kernel.yama.ptrace_scope is 1): be root, start it by 'cpctl run', or set the scope to 0",
		"Yama lets only holders of CAP_SYS_PTRACE do that (kernel.yama.ptrace_scope is 2): be root",
		"Yama forbids all tracing until the next boot (kernel.yama.ptrace_scope is 3)",
	};
	int scope = yama_scope();

	if (scope < 0 || scope > 3 || (scope < 3 && may_trace_all()))
		return NULL;
	return reasons[scope];
}

void diagnose_start(const char *program, int error)
{
	struct task_facts self;

	/* Yama's scopes 2 and 3 forbid even a parent to trace its child. */
	if (error == EPERM && task_facts(getpid(), &self) && self.tracer)
		warnx("cannot start %s under cpctl: process %d already traces cpctl and what it starts; start it there, and give cpctl its PID",
		      program, self.tracer);
	else if (error == EPERM && yama_scope() >= 2 && yama_reason())
		warnx("cannot start %s under cpctl: %s", program,
		      yama_reason());
	else
		warnx("cannot start %s: %s", program, strerror(error));
}

static const char *permission_reason(pid_t pid)
{
	struct task_facts facts;

	if (access("/proc/self/mem", F_OK))
		return "/proc, where access is proven, is not mounted: mount it";
	if (!task_facts(pid, &facts))
		return "/proc does not show it: is it of this pid namespace, and hidepid off?";
	if (facts.kernel)
		return "it is a kernel thread or a kernel worker, which never runs in user mode";
	if (!may_trace_all()) {
		if (facts.uid != getuid())
			return "it belongs to another user: be root";
		if (facts.files_uid != facts.uid)
			return "it is non-dumpable, set-user-ID or unreadable: be root";
	}
	if (yama_reason())
		return yama_reason();
	return "a security module or user namespace forbids it, or it has just exec'ed";
}

static void diagnose_busy(pid_t pid)
{
	struct task_facts facts;
	struct partner partner;
	pid_t process = task_facts(pid, &facts) ? facts.process : pid;

	if (!partner_find(process, &partner))
		warnx("process %d is already paired, with a process that you may not see: try again later",
		      pid);
	else if (partner.slave == process)
		warnx("process %d is already paired with its master, process %d: end that one first",
		      pid, partner.master);
	else
		warnx("process %d is already paired: it is the master of process %d and cannot be a slave too",
		      pid, partner.slave);
}

/* The task does not exist, or has ended and cannot be a slave. */
static void diagnose_absent(pid_t pid)
{
	struct task_facts facts;
	pid_t thread;

	if (!task_facts(pid, &facts)) {
		warnx("there is no process or thread %d", pid);
		return;
	}
	thread = task_thread_left(pid);
	if (thread)
		warnx("the main thread of process %d has ended: give one of its other threads, such as %d (/proc/%d/task has all)",
		      pid, thread, pid);
	else
		warnx("process %d has ended and is a zombie until its parent waits for it: there is nothing left to look at",
		      pid);
}

/* The limit of the module is for the stacks of all slots together. */
static void diagnose_stack_limit(void)
{
	char most[24];

	if (first_line("/sys/module/checkpoint/parameters/stack_max", most,
		       sizeof(most)))
		warnx("--stack-limit is more than the module allows: at most %s bytes, or with --slots that divided by them",
		      most);
	else
		warnx("--stack-limit is more than the module allows");
}

void diagnose_prep(pid_t pid, int error)
{
	switch (error) {
	case ESRCH:
		diagnose_absent(pid);
		break;
	case EPERM:
		warnx("pairing with process %d is not permitted: %s", pid,
		      permission_reason(pid));
		break;
	case EBUSY:
		diagnose_busy(pid);
		break;
	case EINVAL:
		if (pid == getpid())
			warnx("cpctl cannot pair with itself");
		else
			diagnose_stack_limit();
		break;
	case EDEADLK:
		warnx("cpctl itself is a slave at the moment, so it cannot be a master");
		break;
	case EOVERFLOW:
		warnx("process %d has more threads than a pair can have: give one of them, with --thread",
		      pid);
		break;
	case EUSERS:
		warnx("you have as many pairs as a user may have: end some ('cpctl list' shows them; one that is over counts until its slave wakes), or have root raise pairs_per_user in /sys/module/checkpoint/parameters");
		break;
	case ENOSPC:
		warnx("there are as many pairs as all users together may have: try again later, or have root raise pairs_max in /sys/module/checkpoint/parameters");
		break;
	case EDQUOT:
		warnx("your pairs would need more memory than a user's pairs may: lower --stack-limit or --slots, end other pairs, or have root raise memory_per_user in /sys/module/checkpoint/parameters");
		break;
	case ENOMEM:
		warnx("not enough memory to pair with process %d: lower --stack-limit, or the limit of this control group is too low",
		      pid);
		break;
	default:
		warnx("cannot pair with process %d: %s", pid, strerror(error));
	}
}

/* The word for the task @pid: the id of a process is also that of its main thread. */
static const char *kind_of(pid_t pid, const struct task_facts *facts)
{
	return facts->process == pid ? "process" : "thread";
}

static void diagnose_timeout(pid_t pid)
{
	char name[COMM_TEXT_SIZE];
	struct task_facts facts;

	if (!task_facts(pid, &facts)) {
		warnx("no checkpoint of process %d in time", pid);
		return;
	}
	warnx("no checkpoint of %s %d (%s) in time: it is %s%s",
	      kind_of(pid, &facts), pid,
	      text_comm(name, facts.name), state_words(facts.state),
	      facts.state == 'S' ?
		      " and has not returned to user mode; nudging would bring it there" :
		      "");
}

void diagnose_wait(pid_t pid)
{
	const char *kind;
	char name[COMM_TEXT_SIZE];
	struct task_facts facts;

	if (!task_facts(pid, &facts))
		return;
	kind = kind_of(pid, &facts);
	text_comm(name, facts.name);
	if (facts.state == 'T')
		warnx("%s %d (%s) is stopped: waiting until it is continued ('kill -CONT %d')",
		      kind, pid, name, facts.process);
	else if (facts.state == 't')
		warnx("%s %d (%s) is held by its debugger, process %d: waiting until that lets it run",
		      kind, pid, name, facts.tracer);
	else if (task_frozen(pid))
		warnx("%s %d (%s) is frozen: waiting until its control group is thawed",
		      kind, pid, name);
	else if (facts.state == 'D')
		warnx("%s %d (%s) is in uninterruptible sleep: waiting until that is over",
		      kind, pid, name);
}

void diagnose_get(pid_t pid, int error)
{
	if (error == ETIMEDOUT || error == EAGAIN)
		diagnose_timeout(pid);
	else
		warnx("cannot take a checkpoint of process %d: %s", pid,
		      strerror(error));
}

const char *snapshot_refusal(int error)
{
	switch (error) {
	case EACCES:
		return "a seccomp filter, or syscall user dispatch, is active in it";
	case EADDRINUSE:
		return "a userfaultfd is registered in it";
	case EAGAIN:
		return "it could not fork: a limit of processes, SCHED_DEADLINE, or rseq(2)";
	case EBUSY:
		return "a debugger traces it";
	case EDQUOT:
		return "your snapshots could keep more than snapshot_memory_per_user allows";
	case EINPROGRESS:
		return "it uses io_uring, or asynchronous I/O by io_setup(2)";
	case EMEDIUMTYPE:
		return "it has private huge pages of hugetlbfs, or a sealed shared mapping";
	case ENOSPC:
		return "its memory cgroup has no room for a second copy of its memory";
	case ENOTTY:
		return "the module is older than this cpctl";
	case ENOTUNIQ:
		return "another process runs in the same memory";
	case EOPNOTSUPP:
		return "it runs 32-bit code, or has no instruction for a system call";
	case EOVERFLOW:
		return "it has more threads than the pair had room for";
	case ETIMEDOUT:
		return "all its threads sleep in calls whose interruption it would notice";
	case EUSERS:
		return "you have as many snapshots as snapshots_per_user allows";
	case EXDEV:
		return "its children would begin in other pid or time namespaces";
	default:
		return strerror(error);
	}
}

/* What the user can do after a put back was refused depends on the reason. */
static const struct {
	int		error;
	const char	*why;
} put_back_refusals[] = {
	{
		EACCES,
		"a thread that it has created since has a seccomp filter, or syscall user dispatch, and cannot be ended: take a new snapshot",
	},
	{
		EADDRINUSE,
		"it has registered a userfaultfd since: try again when it has closed that",
	},
	{
		EADDRNOTAVAIL,
		"it has unmapped or changed a mapping of a file, or one with special properties, since: take a new snapshot",
	},
	{
		EBUSY,
		"a debugger traces it: detach that, and try again",
	},
	{
		EINPROGRESS,
		"it uses io_uring, or asynchronous I/O by io_setup(2), since: try again when it has ended that",
	},
	{
		EIO,
		"a page could not be read or written: see the kernel's log",
	},
	{
		EKEYREJECTED,
		"a thread has changed its user, groups or capabilities since: take a new snapshot",
	},
	{
		EMEDIUMTYPE,
		"it has private huge pages of hugetlbfs, a sealed mapping, or memory that it withholds from children: this process cannot be put back",
	},
	{
		ENODATA,
		"the machine ran out of memory, and the snapshot was dropped: take a new one",
	},
	{
		ENOBUFS,
		"a thread waits for room for a checkpoint: try again",
	},
	{
		ENOLCK,
		"another process waits for a futex with priority inheritance that it holds: try again later",
	},
	{
		ENOMEM,
		"there is not enough memory: free some, or raise the limit of its control group, and try again",
	},
	{
		ENOTRECOVERABLE,
		"putting it back failed in the middle: start it again",
	},
	{
		ENOTUNIQ,
		"another process runs in the same memory (vfork): try again when that has executed a program or ended",
	},
	{
		EOPNOTSUPP,
		"a thread executes 32-bit code or has a shadow stack, or a thread that has to end cannot: this process cannot be put back",
	},
	{
		EOVERFLOW,
		"it has more threads than the pair had room for: try again when some have ended",
	},
	{
		ESRCH,
		"a thread of the snapshot has ended: take a new snapshot",
	},
	{
		ESTALE,
		"it has executed another program since: take a new snapshot",
	},
	{
		ETIMEDOUT,
		"a thread did not arrive in time: try again when that runs or sleeps",
	},
};

const char *put_back_refusal(int error)
{
	const size_t nr = sizeof(put_back_refusals) / sizeof(put_back_refusals[0]);
	size_t i;

	for (i = 0; i < nr; i++) {
		if (put_back_refusals[i].error == error)
			return put_back_refusals[i].why;
	}
	return strerror(error);
}

void diagnose_pair(pid_t pid, int error, const char *said)
{
	struct task_facts facts;

	if (error != ENOENT || !pid)
		warnx("the kernel refused: %s%s%s", strerror(error),
		      *said ? ": " : "", said);
	else if (!task_facts(pid, &facts))
		warnx("there is no process or thread %d", pid);
	else if (getuid())
		warnx("process %d is not a slave, or its pair is another user's: 'cpctl list' shows yours",
		      pid);
	else
		warnx("process %d is not a slave: 'cpctl list' shows all pairs",
		      pid);
}

/* @kind: "process" or "thread" */
static void report_exit(const char *kind, pid_t pid, int status)
{
	if (WIFSIGNALED(status))
		warnx("%s %d has ended: killed by signal %d (%s)%s", kind, pid,
		      WTERMSIG(status), strsignal(WTERMSIG(status)),
		      WCOREDUMP(status) ? ", core dumped" : "");
	else
		warnx("%s %d has ended: exit status %d", kind, pid,
		      WEXITSTATUS(status));
}

void diagnose_end(pid_t pid, unsigned int reason, int status)
{
	if (reason == CP_END_EXEC)
		warnx("process %d runs another program now (exec): the pair is over",
		      pid);
	else if (reason == CP_END_PUT_BACK)
		warnx("process %d was killed, because it could not be put back completely: start it again",
		      pid);
	else if (reason != CP_END_EXITED)
		warnx("the pair with process %d is over", pid);
	else
		report_exit("process", pid, status);
}

void diagnose_thread_end(pid_t thread, int status)
{
	report_exit("thread", thread, status);
}
