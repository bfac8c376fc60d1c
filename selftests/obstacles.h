/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Obstacles: what makes a snapshot of a process, or putting it back, impossible. Each
 * function is called by the slave, and gives 0, unless this kernel has no such thing.
 */
#ifndef _CP_SELFTESTS_OBSTACLES_H
#define _CP_SELFTESTS_OBSTACLES_H

#include "shots.h"

#include <linux/aio_abi.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <linux/userfaultfd.h>
#include <sys/ptrace.h>

static inline int refuse_by_seccomp(void)
{
	struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog program = { 1, &allow };

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

static inline int refuse_by_userfaultfd(void)
{
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC);
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register area = {
		.range = { (uintptr_t)private_page(), PAGE },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};

	return ioctl(fd, UFFDIO_API, &api) || ioctl(fd, UFFDIO_REGISTER, &area);
}

static inline int refuse_by_aio(void)
{
	aio_context_t context = 0;

	return syscall(SYS_io_setup, 1, &context);
}

static inline int refuse_by_io_uring(void)
{
	uint32_t params[30] = { 0 };

	return syscall(SYS_io_uring_setup, 1, params) < 0;
}

static inline int sleep_shared(void *unused)
{
	return body_sleep(NULL);
}

static inline int refuse_by_clone_vm(void)
{
	static char stack[4 * PAGE];

	return clone(sleep_shared, stack + sizeof(stack), CLONE_VM, NULL) < 0;
}

static inline int refuse_by_huge_pages(void)
{
	char *page = mmap(NULL, 2 << 20, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);

	return page == MAP_FAILED;
}

static inline int refuse_by_debugger(void)
{
	pid_t slave = getpid();

	if (fork())
		return 0;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (ptrace(PTRACE_SEIZE, slave, 0, 0))
		_exit(1);
	_exit(body_sleep(NULL));
}

#endif /* _CP_SELFTESTS_OBSTACLES_H */
