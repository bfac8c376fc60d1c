/* SPDX-License-Identifier: GPL-2.0-only */
/* A program that is started in order to become a slave. */
#ifndef CHILD_H
#define CHILD_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

/*
 * child_ignore_sigxfsz() - ignore SIGXFSZ
 *
 * A write(2) beyond RLIMIT_FSIZE then fails with EFBIG instead of killing cpctl. A
 * program that child_start() starts gets the action that cpctl has inherited.
 */
void child_ignore_sigxfsz(void);

/*
 * child_start() - start a program and hold it before its first instruction
 * @argv: the program, as for execvp(3), and its arguments
 * @stays: NULL: the program gets a session of its own, so that Ctrl-C at the terminal sends
 *	SIGINT to the caller only. Otherwise the program keeps the terminal and gets this
 *	signal mask, and the caller gets a session of its own
 *
 * Return: the process id, or -1 after printing the reason.
 */
pid_t child_start(char **argv, const sigset_t *stays);

/*
 * enum child_change - what has happened to the program of child_start()
 * @CHILD_SAME: none of these
 * @CHILD_STOPPED: a signal has stopped it, such as that of Ctrl-Z
 * @CHILD_CONTINUED: it has continued
 */
enum child_change {
	CHILD_SAME,
	CHILD_STOPPED,
	CHILD_CONTINUED,
};

/*
 * child_changed() - the last change since the previous call
 *
 * Not while cpctl holds the program.
 */
enum child_change child_changed(void);

/*
 * child_news() - a file that poll(2) reports as readable until child_changed() is called, if
 * that may return a change; -1 if no program was started
 */
int child_news(void);

/*
 * enum child_stop - the result of child_run_to_entry()
 * @CHILD_THERE: the child is held at its entry point; or elsewhere, if no hardware
 *	breakpoint is available, if the child has begun a thread, or after two seconds
 * @CHILD_EXEC: the child has executed another program and is held at its beginning
 * @CHILD_GONE: the child has ended, or cpctl was interrupted
 */
enum child_stop {
	CHILD_THERE,
	CHILD_EXEC,
	CHILD_GONE,
};

/*
 * child_run_to_entry() - let a held child run to the entry point of its program
 *
 * There, the dynamic linker has mapped the libraries. This function does not modify
 * the memory of the child; signals to the child are delivered.
 */
enum child_stop child_run_to_entry(pid_t pid);

/* child_hold() - hold a running child at its current instruction; false on failure */
bool child_hold(pid_t pid);

/*
 * The functions below also work for a process that is not a child of cpctl, after
 * child_watch(); so do child_run_to_entry() and child_hold().
 */

/* child_watch() - prepare for holding processes; 0, or -1 after printing the reason */
int child_watch(void);

/*
 * child_seize() - hold a process as soon as it is about to execute an instruction
 *
 * For a process that the kernel holds until there is a pair with it. child_arrives()
 * follows, even if there will be no pair. Return: false on failure.
 */
bool child_seize(pid_t pid);

/* child_arrives() - wait until a seized process is held; false if it has ended */
bool child_arrives(pid_t pid);

/*
 * child_release() - let a held process run
 *
 * If a process that is not a child of cpctl has ended instead, its parent is notified
 * now.
 */
void child_release(pid_t pid);

/* child_kill() - kill a child and wait for its end */
void child_kill(pid_t pid);

/*
 * child_wait() - wait for the end of a child, unless interrupted (interrupt.h)
 * @status: receives the status of waitpid(2)
 *
 * Return: false if interrupted before the end.
 */
bool child_wait(pid_t pid, int *status);

#endif /* CHILD_H */
