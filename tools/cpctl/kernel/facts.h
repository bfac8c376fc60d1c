/* SPDX-License-Identifier: GPL-2.0-only */
/* Facts about tasks and about this machine, from /proc and /sys. */
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
 * @threads: the number of threads of its process
 * @tracer: the process that debugs it, or 0
 * @uid: its real user id
 * @files_uid: the owner of the files in /proc/PID; differs from @uid, and is mostly
 *	root, if the task is not dumpable
 * @kernel: whether the task is a kernel thread, or a kernel worker of a process
 * @cpu_ticks: the CPU time of its process, in ticks of sysconf(_SC_CLK_TCK)
 * @switches: context switches of the task
 */
struct task_facts {
	char		name[64];
	char		state;
	pid_t		process;
	unsigned int	threads;
	pid_t		tracer;
	uid_t		uid;
	uid_t		files_uid;
	bool		kernel;
	uint64_t	cpu_ticks;
	uint64_t	switches;
};

/* task_facts() - read them; false if the task does not exist or is hidden */
bool task_facts(pid_t pid, struct task_facts *facts);

/*
 * task_is_held() - does the kernel hold a task until there is a pair with it?
 *
 * A task that has just been announced is about to be held: this function waits up to
 * 10 ms for that.
 */
bool task_is_held(pid_t pid);

/* task_frozen() - is the task in a control group that is frozen? */
bool task_frozen(pid_t pid);

/* task_thread_left() - a living thread of a process without main thread, or 0 */
pid_t task_thread_left(pid_t pid);

/*
 * task_of_process() - a living thread that stands for the process of @pid
 *
 * Return: the main thread, or another one if the main thread has ended; @pid if there is
 * none.
 */
pid_t task_of_process(pid_t pid);

/* state_words() - the words for the letter of a state, after "the process is" */
const char *state_words(char state);

/* first_line() - read the first line of a file; false if it cannot be read */
bool first_line(const char *path, char *line, size_t size);

/* yama_scope() - kernel.yama.ptrace_scope, or -1 without Yama */
int yama_scope(void);

/* may_trace_all() - does this process have CAP_SYS_PTRACE? */
bool may_trace_all(void);

/* may_exceed_limits() - does this process have CAP_SYS_RESOURCE? */
bool may_exceed_limits(void);

/* module_loaded() - is the module checkpoint loaded? */
bool module_loaded(void);

#endif /* FACTS_H */
