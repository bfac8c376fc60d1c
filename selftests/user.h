/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Shared by the tests in which another user than root uses the device.
 */
#ifndef _CP_SELFTESTS_USER_H
#define _CP_SELFTESTS_USER_H

#include "harness.h"

#include <grp.h>
#include <sys/stat.h>

#define USER		1000
#define YAMA		"/proc/sys/kernel/yama/ptrace_scope"

/* Gives up root: the caller becomes a process like any other of @uid. */
static inline bool become(uid_t uid)
{
	if (setgroups(0, NULL) || setresgid(uid, uid, uid) ||
	    setresuid(uid, uid, uid))
		return false;
	/* The kernel clears both when a process changes its credentials. */
	return !prctl(PR_SET_DUMPABLE, 1) && !prctl(PR_SET_PDEATHSIG, SIGKILL);
}

/* Maps more ids into the user namespace of @pid than its maker, USER, could. */
static inline bool map_users(pid_t pid)
{
	static const char *const maps[] = { "uid_map", "gid_map" };
	char path[40];
	bool ok = true;
	size_t i;
	int fd;

	for (i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "/proc/%d/%s", pid, maps[i]);
		fd = open(path, O_WRONLY | O_CLOEXEC);
		ok = ok && fd >= 0 && dprintf(fd, "0 1000 1\n1 100000 100\n") > 0;
		close(fd);
	}
	return ok;
}

static inline bool yama_set(int scope)
{
	int fd = open(YAMA, O_WRONLY | O_CLOEXEC);
	bool set = fd >= 0 && dprintf(fd, "%d", scope) == 1;

	if (fd >= 0)
		close(fd);
	return set;
}

/* The system's settings before a test changed them, for system_restore(). */
struct system {
	mode_t mode;
	int scope;
};

/* Opens the device to all users, as an administrator might, and disables Yama. */
static inline bool system_open(struct system *s)
{
	struct stat st;

	if (stat("/dev/checkpoint", &st))
		return false;
	s->mode = st.st_mode & 07777;
	s->scope = read_number(YAMA);
	return !chmod("/dev/checkpoint", 0666) && (s->scope <= 0 || yama_set(0));
}

static inline void system_restore(const struct system *s)
{
	chmod("/dev/checkpoint", s->mode);
	if (s->scope >= 0)
		yama_set(s->scope);
}

#endif /* _CP_SELFTESTS_USER_H */
