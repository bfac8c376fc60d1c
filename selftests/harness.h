/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Shared by the selftests: a master's system calls, and slaves.
 *
 * The tests make the system calls directly rather than through the C library,
 * so that they test each promise of <linux/checkpoint.h> as it is written there.
 * Each child dies with its parent, so no child outlives its test.
 */
#ifndef _CP_SELFTESTS_HARNESS_H
#define _CP_SELFTESTS_HARNESS_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <linux/checkpoint.h>

/*
 * Only one file of a program can include kselftest_harness.h. The programs of
 * several files define WITHOUT_TESTS and have no TEST()s.
 */
#ifdef WITHOUT_TESTS
#include "kselftest.h"
#else
#include "kselftest_harness.h"
#endif

/* Seconds until the harness kills a test. Kernels with sanitizers are slow. */
#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT 300

/* Indices into master.regs, in the order of cp_get.regs. */
enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI,
       R8, R9, R10, R11, R12, R13, R14, R15, RIP };

/* A master's end of a pair. */
struct master {
	int fd;
	pid_t slave;
	char *region;
	size_t size;
	struct cp_get get;		/* of the last master_get() */
	uint64_t regs[CP_N_REG + 1];	/* likewise */
};

static inline uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

static inline void sleep_ms(unsigned int ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000L };

	while (nanosleep(&ts, &ts) && errno == EINTR)
		;
}

/* fork(), but the child never outlives its parent. */
static inline pid_t fork_mortal(void)
{
	pid_t parent = getpid();
	pid_t pid = fork();

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		/* getppid() is 0 if the parent is outside of the pid namespace. */
		if (getppid() != parent && getppid())
			_exit(0);
	}
	return pid;
}

static inline int device_open(void)
{
	return open("/dev/checkpoint", O_RDWR | O_CLOEXEC);
}

/* Opens the proof of access for cp_prep.mem_fd; -1 if the kernel refuses. */
static inline int proof_open(pid_t pid)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	return open(path, O_RDONLY | O_CLOEXEC);
}

/* Calls CP_IOC_PREP after adding a proof to @prep. Returns 0 or -errno. */
static inline int prep_with(int fd, struct cp_prep *prep)
{
	int ret;

	prep->mem_fd = proof_open(prep->pid);
	ret = ioctl(fd, CP_IOC_PREP, prep) ? -errno : 0;
	if (prep->mem_fd >= 0)
		close(prep->mem_fd);
	return ret;
}

static inline int prep(int fd, pid_t pid)
{
	struct cp_prep arg = { .pid = pid };

	return prep_with(fd, &arg);
}

/* Opens the device, pairs and maps. Returns 0, or -errno with nothing left open. */
static inline int master_prep(struct master *m, struct cp_prep *arg)
{
	int ret;

	memset(m, 0, sizeof(*m));
	m->slave = arg->pid;
	m->fd = device_open();
	if (m->fd < 0)
		return -errno;
	ret = prep_with(m->fd, arg);
	if (ret)
		goto err_close;
	m->size = arg->region_size;
	m->region = mmap(NULL, m->size, PROT_READ, MAP_SHARED, m->fd, 0);
	if (m->region == MAP_FAILED) {
		ret = -errno;
		goto err_close;
	}
	return 0;

err_close:
	close(m->fd);
	return ret;
}

static inline int master_pair(struct master *m, pid_t pid)
{
	struct cp_prep arg = { .pid = pid };

	return master_prep(m, &arg);
}

/*
 * Starts a child and pairs with it, as @prep says. The child runs @body only once the
 * pair exists: it waits for the parent's end of a pipe to close. Returns 0 or -errno.
 */
static inline int master_start_with(struct master *m, struct cp_prep *prep,
				    int (*body)(void *), void *arg)
{
	int ends[2], ret;
	char go;

	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	prep->pid = fork_mortal();
	if (prep->pid == 0) {
		close(ends[1]);
		while (read(ends[0], &go, 1) < 0 && errno == EINTR)
			;
		close(ends[0]);
		_exit(body(arg));
	}
	ret = master_prep(m, prep);
	close(ends[0]);
	close(ends[1]);
	return ret;
}

static inline int master_start(struct master *m, int (*body)(void *),
			       void *arg)
{
	struct cp_prep prep = { 0 };

	return master_start_with(m, &prep, body, arg);
}

/* CP_IOC_GET with @deadline: absolute, or CP_FOREVER. Returns 1, 0 or -errno. */
static inline int master_get_until(struct master *m, uint64_t deadline,
				   uint32_t flags)
{
	int ret;

	memset(&m->get, 0, sizeof(m->get));
	m->get.deadline = deadline;
	m->get.flags = flags;
	m->get.regs = (uintptr_t)m->regs;
	ret = ioctl(m->fd, CP_IOC_GET, &m->get);
	return ret < 0 ? -errno : ret;
}

static inline int master_get(struct master *m)
{
	return master_get_until(m, CP_FOREVER, 0);
}

static inline int master_get_ms(struct master *m, unsigned int ms)
{
	return master_get_until(m, now_ns() + ms * 1000000ULL, 0);
}

static inline const struct cp_checkpoint *master_checkpoint(struct master *m)
{
	return (const void *)(m->region + m->get.slot_offset);
}

static inline const struct cp_segment *master_stack(struct master *m)
{
	const struct cp_checkpoint *c = master_checkpoint(m);

	return (const void *)((const char *)c + c->segments_offset);
}

static inline const struct cp_checkpoint *
region_slot(const struct cp_region_head *head, unsigned int i)
{
	return (const void *)((const char *)head + head->slots_offset +
			      i * head->slot_size);
}

/* The newest checkpoint of a part of a region; NULL if there is none yet. */
static inline const struct cp_checkpoint *
region_newest(const struct cp_region_head *head)
{
	return head->newest ? (const void *)((const char *)head + head->newest) :
			      NULL;
}

/* In a pair with one part: the number of the newest checkpoint; 0 if there is none. */
static inline uint64_t master_newest_seq(const struct master *m)
{
	const struct cp_checkpoint *c = region_newest((const void *)m->region);

	return c ? c->seq : 0;
}

static inline int master_release(struct master *m)
{
	return ioctl(m->fd, CP_IOC_RELEASE) ? -errno : 0;
}

/* The copy of the slave's memory at @addr; NULL if the checkpoint lacks it. */
static inline const void *master_at(struct master *m, uint64_t addr)
{
	const struct cp_segment *s = master_stack(m);

	if (addr < s->addr || addr >= s->addr + s->size)
		return NULL;
	return m->region + s->offset + (addr - s->addr);
}

/* The events that poll(2) reports within @ms; 0 if there are none. */
static inline int master_poll(struct master *m, int ms)
{
	struct pollfd p = { .fd = m->fd, .events = POLLIN };

	return poll(&p, 1, ms) < 0 ? -errno : p.revents;
}

/* Waits for up to a minute until the slave waits for its master. */
static inline bool master_sees_slave(struct master *m)
{
	return master_poll(m, 60000) == POLLIN;
}

/* The number in the environment variable @name; @otherwise if it is not set, or empty. */
static inline unsigned long setting(const char *name, unsigned long otherwise)
{
	const char *value = getenv(name);

	return value && *value ? strtoul(value, NULL, 0) : otherwise;
}

/* Field @key of /proc/self/fdinfo/@fd, cut to @size; false if it is missing. */
static inline bool fdinfo(int fd, const char *key, char *value, size_t size)
{
	char path[40], line[128];
	bool found = false;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	f = fopen(path, "re");
	while (f && !found && fgets(line, sizeof(line), f)) {
		found = !strncmp(line, key, strlen(key)) &&
			line[strlen(key)] == ':';
		if (found)
			snprintf(value, size, "%s",
				 strtok(line + strlen(key) + 1, "\t\n"));
	}
	if (f)
		fclose(f);
	return found;
}

/* Does the master's fdinfo show the pair in state @name? */
static inline bool master_state_is(struct master *m, const char *name)
{
	char state[20];

	return fdinfo(m->fd, "state", state, sizeof(state)) &&
	       !strcmp(state, name);
}

static inline void master_close(struct master *m)
{
	munmap(m->region, m->size);
	close(m->fd);
}

/* A child that runs @body and exits with what it returns. */
static inline pid_t slave_start(int (*body)(void *), void *arg)
{
	pid_t pid = fork_mortal();

	if (pid == 0)
		_exit(body(arg));
	return pid;
}

/* Runs @body in a child. Returns its result (0..255), or -1 if the child died. */
static inline int in_child(int (*body)(void *), void *arg)
{
	pid_t pid = slave_start(body, arg);
	int status;

	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

/*
 * Starts a child that becomes the master of @slave on the open file @fd and
 * takes its checkpoints. Returns the child's pid once the pair exists, or -errno.
 */
static inline pid_t other_master(int fd, pid_t slave)
{
	struct cp_get get = { .deadline = CP_FOREVER };
	int ends[2], ret = -EPIPE;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	pid = fork_mortal();
	if (pid == 0) {
		ret = prep(fd, slave);
		if (write(ends[1], &ret, sizeof(ret)) != sizeof(ret) || ret)
			_exit(1);
		while (ioctl(fd, CP_IOC_GET, &get) == 1)
			;
		_exit(0);
	}
	close(ends[1]);
	if (read(ends[0], &ret, sizeof(ret)) != sizeof(ret))
		ret = -EPIPE;
	close(ends[0]);
	return ret ?: pid;
}

/* Zeroed memory that children share. */
static inline void *shared_memory(size_t size)
{
	return mmap(NULL, size, PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

/* Bodies of slaves that repeat one thing for ever. */
static inline int body_syscalls(void *unused)
{
	for (;;)
		syscall(SYS_getppid);
	return 0;
}

/* As body_syscalls(), and counts them in the uint64_t at @counter. */
static inline int body_count_syscalls(void *counter)
{
	for (;;) {
		syscall(SYS_getppid);
		++*(volatile uint64_t *)counter;
	}
	return 0;
}

static inline int body_spin(void *unused)
{
	for (;;)
		asm volatile("pause");
	return 0;
}

static inline int body_sleep(void *unused)
{
	for (;;)
		pause();
	return 0;
}

/* Kills @pid and reaps it; returns the wait status. */
static inline int slave_kill(pid_t pid)
{
	int status = -1;

	/* kill(0) would signal the test's own process group. */
	if (pid > 0 && !kill(pid, SIGKILL))
		waitpid(pid, &status, 0);
	return status;
}

/* The state letter of /proc/PID/stat: R, S, D, T, t, Z; 0 if there is no task. */
static inline char task_state(pid_t pid)
{
	char path[32], line[512], *end;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "re");
	if (!f)
		return 0;
	end = fgets(line, sizeof(line), f) ? strrchr(line, ')') : NULL;
	fclose(f);
	return end ? end[2] : 0;
}

/* The number at the beginning of a file; -1 if there is none. */
static inline long long read_number(const char *path)
{
	long long number = -1;
	FILE *f = fopen(path, "re");

	if (f && fscanf(f, "%lld", &number) != 1)
		number = -1;
	if (f)
		fclose(f);
	return number;
}

/* The system call that a task sleeps in; -1 while the task is not in one. */
static inline long task_syscall(pid_t pid)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/syscall", pid);
	return read_number(path);
}

/* Lets the task @pid, or the caller if it is 0, run on one CPU only. */
static inline bool task_pin(pid_t pid, int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return !sched_setaffinity(pid, sizeof(set), &set);
}

/* The module's reference count; -1 if the module is not loaded. */
static inline long long module_users(void)
{
	return read_number("/sys/module/checkpoint/refcnt");
}

/* Writes @text to an existing file, of procfs or sysfs for example. */
static inline bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool written = fd >= 0 && write(fd, text, strlen(text)) > 0;

	if (fd >= 0)
		close(fd);
	return written;
}

/* Writes @text to the file @name of a control group, whose folder is @group. */
static inline bool group_write(const char *group, const char *name,
			       const char *text)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", group, name);
	return write_file(path, text);
}

/* Waits for up to a minute until @condition holds; false if it never does. */
#define eventually(condition)						\
({									\
	uint64_t __end = now_ns() + 60000000000ULL;			\
	bool __holds;							\
									\
	while (!(__holds = (condition)) && now_ns() < __end)		\
		sleep_ms(1);						\
	__holds;							\
})

#endif /* _CP_SELFTESTS_HARNESS_H */
