// SPDX-License-Identifier: GPL-2.0-only
/* Facts about tasks and about this machine, from /proc and /sys. */
#include <inttypes.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "facts.h"
#include "taskstat.h"
#include "threads.h"

/* Bits of the ninth field of /proc/PID/stat, from the kernel's sched.h. */
#define PF_IO_WORKER	0x00000010
#define PF_USER_WORKER	0x00004000
#define PF_KTHREAD	0x00200000

bool first_line(const char *path, char *line, size_t size)
{
	FILE *file = fopen(path, "re");
	bool ok;

	if (!file)
		return false;
	ok = fgets(line, (int)size, file);
	fclose(file);
	if (ok)
		line[strcspn(line, "\n")] = '\0';
	return ok;
}

static void read_status_line(const char *line, struct task_facts *facts)
{
	uint64_t switches;

	if (sscanf(line, "State:\t%c", &facts->state) == 1 ||
	    sscanf(line, "Tgid:\t%d", &facts->process) == 1 ||
	    sscanf(line, "Threads:\t%u", &facts->threads) == 1 ||
	    sscanf(line, "TracerPid:\t%d", &facts->tracer) == 1 ||
	    sscanf(line, "Uid:\t%u", &facts->uid) == 1)
		return;
	if (sscanf(line, "voluntary_ctxt_switches:\t%" SCNu64, &switches) == 1 ||
	    sscanf(line, "nonvoluntary_ctxt_switches:\t%" SCNu64,
		   &switches) == 1)
		facts->switches += switches;
}

static bool read_status(pid_t pid, struct task_facts *facts)
{
	char path[32], line[256];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	file = fopen(path, "re");
	if (!file)
		return false;
	while (fgets(line, sizeof(line), file))
		read_status_line(line, facts);
	fclose(file);
	return true;
}

static bool read_stat(pid_t pid, struct task_facts *facts)
{
	uint64_t user = 0, system = 0;
	unsigned int flags = 0;
	struct taskstat stat;
	bool ok;

	if (!taskstat_read(&stat, pid))
		return false;
	snprintf(facts->name, sizeof(facts->name), "%s", stat.name);
	ok = sscanf(stat.fields,
		    " %*c %*d %*d %*d %*d %*d %u %*u %*u %*u %*u %" SCNu64
		    " %" SCNu64,
		    &flags, &user, &system) == 3;
	free(stat.name);
	facts->kernel = flags & (PF_KTHREAD | PF_IO_WORKER | PF_USER_WORKER);
	facts->cpu_ticks = user + system;
	return ok;
}

bool task_facts(pid_t pid, struct task_facts *facts)
{
	char path[32];
	struct stat st;

	memset(facts, 0, sizeof(*facts));
	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	if (stat(path, &st))
		return false;
	facts->files_uid = st.st_uid;
	return read_status(pid, facts) && read_stat(pid, facts);
}

/* The wait for the state: the number of attempts, and the time between two. */
#define HELD_LOOKS	10
#define HELD_LOOK_US	1000

bool task_is_held(pid_t pid)
{
	struct task_facts facts;
	unsigned int i;

	for (i = 0; i < HELD_LOOKS && task_facts(pid, &facts); i++) {
		if (facts.state == 'I')
			return true;
		usleep(HELD_LOOK_US);
	}
	return false;
}

static bool has_line(const char *path, const char *wanted)
{
	char line[256];
	bool has = false;
	FILE *file = fopen(path, "re");

	if (!file)
		return false;
	while (!has && fgets(line, sizeof(line), file))
		has = !strcmp(line, wanted);
	fclose(file);
	return has;
}

/* Does @file of the control group @group have the line @wanted? */
static bool group_has_line(const char *folder, const char *group,
			   const char *file, const char *wanted)
{
	char *path;
	bool has;

	if (asprintf(&path, "/sys/fs/cgroup%s%s/%s", folder, group, file) < 0)
		return false;
	has = has_line(path, wanted);
	free(path);
	return has;
}

/* @line: a line of /proc/PID/cgroup, "NUMBER:CONTROLLERS:PATH" */
static bool is_frozen(char *line)
{
	char *controllers = strchr(line, ':');
	char *path = controllers ? strchr(controllers + 1, ':') : NULL;

	if (!path)
		return false;
	*path++ = '\0';
	path[strcspn(path, "\n")] = '\0';
	controllers++;
	if (!*controllers)
		return group_has_line("", path, "cgroup.events", "frozen 1\n");
	return !strcmp(controllers, "freezer") &&
	       group_has_line("/freezer", path, "freezer.state", "FROZEN\n");
}

bool task_frozen(pid_t pid)
{
	char path[32], *line = NULL;
	bool frozen = false;
	size_t size = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/cgroup", pid);
	file = fopen(path, "re");
	if (!file)
		return false;
	while (!frozen && getline(&line, &size, file) > 0)
		frozen = is_frozen(line);
	free(line);
	fclose(file);
	return frozen;
}

pid_t task_thread_left(pid_t pid)
{
	struct thread_facts facts;
	struct pids ids = {};
	pid_t thread = 0;
	size_t i;

	threads_of(pid, &ids);
	for (i = 0; !thread && i < ids.nr; i++) {
		if (ids.ids[i] != pid && thread_facts(ids.ids[i], &facts) &&
		    facts.state != 'Z' && facts.state != 'X')
			thread = ids.ids[i];
	}
	pids_free(&ids);
	return thread;
}

pid_t task_of_process(pid_t pid)
{
	struct task_facts facts;
	pid_t left;

	if (!task_facts(pid, &facts))
		return pid;
	if (facts.process != pid && !task_facts(facts.process, &facts))
		return pid;
	if (facts.state != 'Z' && facts.state != 'X')
		return facts.process;
	left = task_thread_left(facts.process);
	return left ? left : pid;
}

const char *state_words(char state)
{
	switch (state) {
	case 'R':
		return "running";
	case 'S':
		return "asleep in the kernel";
	case 'D':
		return "in uninterruptible sleep";
	case 'T':
		return "stopped";
	case 't':
		return "held by a debugger";
	case 'Z':
	case 'X':
		return "dead";
	default:
		return "idle";
	}
}

int yama_scope(void)
{
	char line[16];

	if (!first_line("/proc/sys/kernel/yama/ptrace_scope", line,
			sizeof(line)))
		return -1;
	return atoi(line);
}

static bool has_capability(int capability)
{
	unsigned long long capabilities = 0;
	char line[256];
	FILE *file = fopen("/proc/self/status", "re");

	if (!file)
		return false;
	while (fgets(line, sizeof(line), file) &&
	       sscanf(line, "CapEff:\t%llx", &capabilities) != 1)
		;
	fclose(file);
	return capabilities >> capability & 1;
}

bool may_trace_all(void)
{
	return has_capability(CAP_SYS_PTRACE);
}

bool may_exceed_limits(void)
{
	return has_capability(CAP_SYS_RESOURCE);
}

bool module_loaded(void)
{
	return !access("/sys/module/checkpoint", F_OK);
}
