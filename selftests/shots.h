/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Shared by the tests of snapshots: taking one, holding a slave, and reading what a
 * snapshot says.
 */
#ifndef _CP_SELFTESTS_SHOTS_H
#define _CP_SELFTESTS_SHOTS_H

#include "harness.h"

#include <sys/klog.h>

#define MS		1000000ULL
#define SECOND		(1000 * MS)
#define PAGE		4096UL
#define KLOG_CONSOLE_LEVEL	8
#define KLOG_LEVEL_DEFAULT	7

static inline int snapshot_until(struct master *m, uint64_t deadline,
				 uint32_t flags, struct cp_snapshot *snapshot)
{
	int fd;

	*snapshot = (struct cp_snapshot){ .deadline = deadline,
					  .limit = 600 * SECOND,
					  .flags = flags };
	fd = ioctl(m->fd, CP_IOC_SNAPSHOT, snapshot);
	return fd < 0 ? -errno : fd;
}

/* A thread may be in a restartable sequence: then the call asks to be repeated. */
static inline int snapshot_with(struct master *m, uint32_t flags)
{
	struct cp_snapshot arg;
	int fd;

	do {
		fd = snapshot_until(m, now_ns() + 60 * SECOND, flags, &arg);
	} while (fd == -EAGAIN);
	return fd;
}

static inline int snapshot(struct master *m)
{
	return snapshot_with(m, 0);
}

static inline int hold(struct master *m, unsigned int flags)
{
	struct cp_hold arg = {
		.deadline = now_ns() + 60 * SECOND,
		.limit = 600 * SECOND,
		.flags = flags,
	};

	return ioctl(m->fd, CP_IOC_HOLD, &arg) ? -errno : 0;
}

/* Reads the description at @offset; NULL if that is not possible. */
static inline void *describe(int fd, uint64_t offset, size_t size)
{
	void *data = malloc(size);

	if (pread(fd, data, size, CP_SNAPSHOT_HEAD + offset) == (ssize_t)size)
		return data;
	free(data);
	return NULL;
}

static inline struct cp_snapshot_head head_of(int fd)
{
	struct cp_snapshot_head head = { 0 };

	if (pread(fd, &head, sizeof(head), CP_SNAPSHOT_HEAD) != sizeof(head))
		head.magic = 0;
	return head;
}

static inline struct cp_snapshot_thread thread_of(int fd, unsigned int i)
{
	struct cp_snapshot_head head = head_of(fd);
	struct cp_snapshot_thread thread = { 0 };

	if (pread(fd, &thread, sizeof(thread), CP_SNAPSHOT_HEAD +
		  head.threads_offset + i * head.thread_size) != sizeof(thread))
		thread.checkpoint.size = 0;
	return thread;
}

static inline char *private_page(void)
{
	char *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	*page = 'p';
	return page;
}

/* Is one page the same, or unreadable, in both? */
static inline bool same_page(int fd, int mem, uint64_t addr)
{
	char then[PAGE], now[PAGE];

	if (pread(mem, now, PAGE, addr) != (ssize_t)PAGE)
		return pread(fd, then, PAGE, addr) != (ssize_t)PAGE;
	return pread(fd, then, PAGE, addr) == (ssize_t)PAGE &&
	       !memcmp(then, now, PAGE);
}

/* The kernel stores the CPU's number in the memory of each thread: rseq(2). */
static inline bool stay_on_one_cpu(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(sched_getcpu(), &set);
	return !sched_setaffinity(0, sizeof(set), &set);
}

/*
 * Has the machine run out of memory, as far as the kernel is concerned: snapshots are
 * dropped. It also kills somebody in any case. False if this kernel cannot be asked for it.
 */
static inline bool run_out_of_memory(void)
{
	pid_t victim = fork_mortal();
	FILE *trigger;

	if (!victim) {
		int adj = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

		_exit(write(adj, "1000", 4) == 4 ? body_sleep(NULL) : 1);
	}
	trigger = fopen("/proc/sysrq-trigger", "we");
	if (!trigger || !eventually(task_syscall(victim) == SYS_pause)) {
		slave_kill(victim);
		return false;
	}
	/* Its report, with a trace, would look like a fault of the module. */
	klogctl(KLOG_CONSOLE_LEVEL, NULL, 1);
	fprintf(trigger, "f");
	fclose(trigger);
	waitpid(victim, NULL, 0);
	klogctl(KLOG_CONSOLE_LEVEL, NULL, KLOG_LEVEL_DEFAULT);
	return true;
}

#endif /* _CP_SELFTESTS_SHOTS_H */
