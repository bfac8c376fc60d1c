/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The program of record -f COMMAND as the job of a shell.
 *
 * The program is in the process group of cpctl, and keeps the terminal: the keys that send
 * signals are for the program. The shell waits for cpctl alone, so cpctl stops and continues
 * when the program does.
 */
#ifndef JOBCONTROL_H
#define JOBCONTROL_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

/*
 * jobcontrol_open() - leave the terminal's signals to the program that is to be started
 *
 * Called in the process for which the shell waits. Blocks signals, which the caller restores
 * in the program.
 */
void jobcontrol_open(void);

/* jobcontrol_block() - add the signals that jobcontrol_open() has blocked to a mask */
void jobcontrol_block(sigset_t *mask);

/* jobcontrol_leave() - in another process: leave the session, with its terminal */
void jobcontrol_leave(void);

/*
 * jobcontrol_mirror() - in another process: stop the one that has called jobcontrol_open(), or
 * let it continue
 */
void jobcontrol_mirror(bool stop);

/* jobcontrol_resume() - after a SIGCONT: the program continues, too */
void jobcontrol_resume(pid_t program);

/* jobcontrol_close() - undo jobcontrol_open(): the program has ended */
void jobcontrol_close(void);

#endif /* JOBCONTROL_H */
