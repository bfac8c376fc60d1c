/* SPDX-License-Identifier: GPL-2.0-only */
/* What /proc and /sys tell about tasks and about this machine. */
#ifndef FACTS_H
#define FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * struct task_facts - a task as /proc/PID shows it
 * @name: its command name
 * @state: the letter of its state, as ps(1) shows it
 * @process: the id of its process
 * @tracer: the process that debugs it, or 0
 * @uid: its real user id
 * @files_uid: the owner of the files in /proc/PID; another one than @uid, and
 *	mostly root, when the task is not dumpable
 * @kernel: a kernel thread, or a kernel worker of a process
 * @cpu_ticks: time on a processor, of its process, in ticks of sysconf(3)
 * @switches: context switches of the task
 */
struct task_facts {
	char		name[64];
	char		state;
	pid_t		process;
	pid_t		tracer;
	uid_t		uid;
	uid_t		files_uid;
	bool		kernel;
	uint64_t	cpu_ticks;
	uint64_t	switches;
};

/* task_facts() - false when the task is not there, or hidden. */
bool task_facts(pid_t pid, struct task_facts *facts);

/* task_frozen() - does a control group keep it from running? */
bool task_frozen(pid_t pid);

/* task_thread_left() - a thread of a process whose main thread has ended; or 0 */
pid_t task_thread_left(pid_t pid);

/* state_words() - a state's letter in words, for "the process is ...". */
const char *state_words(char state);

/* first_line() - a file's first line; false when it cannot be read. */
bool first_line(const char *path, char *line, size_t size);

/* yama_scope() - kernel.yama.ptrace_scope, or -1 without Yama. */
int yama_scope(void);

/* may_trace_all() - does this process have CAP_SYS_PTRACE? */
bool may_trace_all(void);

/* may_exceed_limits() - does this process have CAP_SYS_RESOURCE? */
bool may_exceed_limits(void);

/* module_loaded() - is the module checkpoint loaded? */
bool module_loaded(void);

#endif /* FACTS_H */
