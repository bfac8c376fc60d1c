/* SPDX-License-Identifier: GPL-2.0-only */
/* A program that is started in order to become a slave. */
#ifndef CHILD_H
#define CHILD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

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
 * child_run_to() - let it run up to an instruction, and hold it there
 * @addr: where it is; 0: do not let it run at all
 *
 * It may never come there: then it has ended, or is held where it went wrong.
 */
void child_run_to(pid_t pid, uint64_t addr);

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
