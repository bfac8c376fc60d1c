// SPDX-License-Identifier: GPL-2.0-only
/*
 * The same stack by seccomp's user notification: each system call of the slave waits
 * until the observer has read the stack, and then continues. The notification has only
 * the arguments and the instruction pointer; the slave passes its stack pointer in
 * shared memory.
 */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bench.h"

/* Since Linux 6.6. */
#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS		SECCOMP_IOW(4, __u64)
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP	1
#endif

struct supervisor {
	struct slave	slave;
	int		*listener;
	int		fd;
	char		*buf;
	size_t		size;
};

/* Runs in the slave. */
static void install_filter(void *arg)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { 4, code };
	struct supervisor *supervisor = arg;

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	*supervisor->listener = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
					SECCOMP_FILTER_FLAG_NEW_LISTENER,
					&program);
	if (*supervisor->listener < 0)
		bench_die("seccomp");
}

static uint64_t supervise(void *arg, unsigned long count)
{
	struct supervisor *supervisor = arg;
	struct slave *slave = &supervisor->slave;
	uint64_t begin = bench_now();
	unsigned long i;

	for (i = 0; i < count; i++) {
		struct seccomp_notif_resp answer = {};
		struct seccomp_notif request = {};

		if (ioctl(supervisor->fd, SECCOMP_IOCTL_NOTIF_RECV, &request))
			bench_die("SECCOMP_IOCTL_NOTIF_RECV");
		slave_read_stack(slave, slave->shared->sp, supervisor->buf,
				 supervisor->size);
		answer.id = request.id;
		answer.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
		if (ioctl(supervisor->fd, SECCOMP_IOCTL_NOTIF_SEND, &answer))
			bench_die("SECCOMP_IOCTL_NOTIF_SEND");
	}
	return bench_now() - begin;
}

int bench_seccomp(const struct bench_options *options)
{
	struct supervisor supervisor = {};
	struct bench_time time;
	int pidfd;

	bench_pin(0);
	supervisor.size = (options->kib + 4) * 1024;
	supervisor.buf = malloc(supervisor.size);
	supervisor.listener = bench_share(sizeof(int));
	supervisor.slave.setup = install_filter;
	supervisor.slave.arg = &supervisor;
	slave_start(&supervisor.slave, options->kib, bench_slave_cpu(options));

	pidfd = syscall(SYS_pidfd_open, supervisor.slave.pid, 0);
	supervisor.fd = syscall(SYS_pidfd_getfd, pidfd, *supervisor.listener, 0);
	if (supervisor.fd < 0)
		bench_die("pidfd_getfd");
	/* This flag is for this use; it helps only on one CPU. */
	if (options->cpus == 1)
		ioctl(supervisor.fd, SECCOMP_IOCTL_NOTIF_SET_FLAGS,
		      SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP);

	slave_order(&supervisor.slave, SLAVE_FOREVER);
	supervise(&supervisor, 16);
	time = bench_repeat(supervise, &supervisor, options->ms);
	slave_stop(&supervisor.slave);
	free(supervisor.buf);
	bench_result(time);
	return 0;
}
