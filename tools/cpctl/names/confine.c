// SPDX-License-Identifier: GPL-2.0-only
/* Confining a process of cpctl that reads files which an attacker may have written. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>

#include "confine.h"
#include "safeopen.h"

/* Address space, which includes mapped files: enough for the largest debug files. */
#define MEMORY_MAX (2UL << 30)

/* Spare numbers begin here, above all descriptors that are kept. */
#define FD_SPARE 16

/*
 * The system calls that are needed to read files, to allocate memory, to answer and to
 * exit; and those of the sanitizers in tests.
 */
static const int allowed[] = {
	SCMP_SYS(brk),		SCMP_SYS(clock_gettime), SCMP_SYS(close),
	SCMP_SYS(exit),		SCMP_SYS(exit_group),	SCMP_SYS(fcntl),
	SCMP_SYS(fstat),	SCMP_SYS(futex),	SCMP_SYS(getpid),
	SCMP_SYS(getrandom),	SCMP_SYS(gettid),	SCMP_SYS(lseek),
	SCMP_SYS(madvise),	SCMP_SYS(mmap),		SCMP_SYS(mprotect),
	SCMP_SYS(mremap),	SCMP_SYS(munmap),	SCMP_SYS(newfstatat),
	SCMP_SYS(openat2),	SCMP_SYS(poll),		SCMP_SYS(pread64),
	SCMP_SYS(read),		SCMP_SYS(readlink),	SCMP_SYS(recvmsg),
	SCMP_SYS(restart_syscall), SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(sendmsg),
	SCMP_SYS(sendto),	SCMP_SYS(setitimer),	SCMP_SYS(sigaltstack),
	SCMP_SYS(sysinfo),	SCMP_SYS(tgkill),
};

/* Handles SIGSYS: performs the open(2) or openat(2) that the filter has trapped. */
static void on_open(int sig, siginfo_t *info, void *context)
{
	greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;
	bool at = info->si_syscall == SYS_openat;
	const char *path = (const char *)(at ? regs[REG_RSI] : regs[REG_RDI]);
	int flags = (int)(at ? regs[REG_RDX] : regs[REG_RSI]);
	int fd = -1;

	(void)sig;
	errno = EACCES;
	if ((flags & O_ACCMODE) == O_RDONLY &&
	    (!at || path[0] == '/' || (int)regs[REG_RDI] == AT_FDCWD))
		fd = safeopen(CONFINE_ROOT, path);
	regs[REG_RAX] = fd < 0 ? -errno : fd;
}

static bool filter(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	struct sigaction handle = {
		.sa_sigaction = on_open,
		.sa_flags = SA_SIGINFO,
	};
	int ret = filter ? 0 : -1;
	size_t i;

	for (i = 0; i < sizeof(allowed) / sizeof(allowed[0]) && !ret; i++)
		ret = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
	if (!ret)
		ret = seccomp_rule_add(filter, SCMP_ACT_TRAP, SCMP_SYS(open), 0);
	if (!ret)
		ret = seccomp_rule_add(filter, SCMP_ACT_TRAP, SCMP_SYS(openat), 0);
	if (!ret)
		ret = sigaction(SIGSYS, &handle, NULL);
	if (!ret)
		ret = seccomp_load(filter);
	seccomp_release(filter);
	return !ret;
}

/* Closes all descriptors but those of confine.h, and opens /dev/null as 0 to 2. */
static bool keep_descriptors(const struct confinement *confinement)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int host = open("/", O_PATH | O_CLOEXEC);
	const int kept[] = {
		null, null, null, confinement->socket, confinement->root, host,
	};
	const int nr = sizeof(kept) / sizeof(kept[0]);
	int spare[sizeof(kept) / sizeof(kept[0])], i;

	for (i = 0; i < nr; i++)
		spare[i] = fcntl(kept[i], F_DUPFD_CLOEXEC, FD_SPARE);
	for (i = 0; i < nr; i++) {
		close(i);
		if (spare[i] >= 0 && dup2(spare[i], i) < 0)
			return false;
	}
	return !close_range((unsigned int)nr, ~0U, 0);
}

/* A failure is ignored: in a user namespace, the ids may not be mapped. */
static void drop_privileges(const struct confinement *confinement)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	const struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {};

	if (!geteuid() && !setgroups(0, NULL) &&
	    !setresgid(confinement->gid, confinement->gid, confinement->gid))
		(void)!setresuid(confinement->uid, confinement->uid,
				 confinement->uid);
	syscall(SYS_capset, &head, none);
}

static void limit(int what, rlim_t value)
{
	const struct rlimit limits = { value, value };

	setrlimit(what, &limits);
}

static void set_limits(void)
{
	/* The address sanitizer reserves terabytes of address space. */
#ifndef __SANITIZE_ADDRESS__
	limit(RLIMIT_AS, MEMORY_MAX);
#endif
	limit(RLIMIT_CORE, 0);
	limit(RLIMIT_FSIZE, 0);
}

static void use_default_signals(void)
{
	static const int signals[] = {
		SIGHUP, SIGINT, SIGTERM, SIGPIPE, SIGCHLD, SIGPROF,
	};
	sigset_t none;
	size_t i;

	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		signal(signals[i], SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

bool confine(const struct confinement *confinement)
{
	use_default_signals();
	/* Without a controlling terminal, Ctrl-C signals cpctl only. */
	setsid();
	if (!keep_descriptors(confinement))
		return false;
	set_limits();
	drop_privileges(confinement);
	/* Only after drop_privileges(): a change of the user id resets both. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) ||
	    getppid() != confinement->parent || prctl(PR_SET_DUMPABLE, 0))
		return false;
	return filter();
}

void confine_deadline(int seconds)
{
	const struct itimerval timer = { .it_value.tv_sec = seconds };

	setitimer(ITIMER_PROF, &timer, NULL);
}
