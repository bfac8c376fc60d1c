/* SPDX-License-Identifier: GPL-2.0-only */
/* A program that is started in order to become a slave. */
#ifndef CHILD_H
#define CHILD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * child_ignore_sigxfsz() - have a file that grows too large be an error
 *
 * Of write(2), EFBIG, and not the end of cpctl. Programs that are started later
 * are not concerned.
 */
void child_ignore_sigxfsz(void);

/*
 * child_start() - start a program and hold it before its first instruction
 * @argv: the program, as for execvp(3), and its arguments
 *
 * It has a session of its own, so that Ctrl-C at the terminal is not for it.
 *
 * Return: its process id, or -1 after saying what went wrong.
 */
pid_t child_start(char **argv);

/*
 * enum child_stop - how far child_run_to_entry() has come
 * @CHILD_THERE: the child is held at its entry point; or elsewhere, if there is no
 *	breakpoint to be had, if it has begun a thread, or after two seconds
 * @CHILD_EXEC: it is held at the beginning of another program, by an exec
 * @CHILD_GONE: it has ended, or cpctl was interrupted
 */
enum child_stop {
	CHILD_THERE,
	CHILD_EXEC,
	CHILD_GONE,
};

/*
 * child_run_to_entry() - let it run up to the program's own first instruction
 *
 * There its libraries are mapped. The child has to be held. Its memory stays as
 * it is, and the signals that it is sent arrive.
 */
enum child_stop child_run_to_entry(pid_t pid);

/* child_hold() - hold one that runs, where it is; false when it cannot be */
bool child_hold(pid_t pid);

/* child_release() - let it run */
void child_release(pid_t pid);

/* child_kill() - end it and wait for its end */
void child_kill(pid_t pid);

/*
 * child_wait() - wait for its end, unless interrupted (interrupt.h)
 * @status: receives it as waitpid(2) gives it
 *
 * Return: false when interrupted first.
 */
bool child_wait(pid_t pid, int *status);

#endif /* CHILD_H */
