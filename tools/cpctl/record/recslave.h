/* SPDX-License-Identifier: GPL-2.0-only */
/* Recording one process, from the pair to the file. */
#ifndef RECSLAVE_H
#define RECSLAVE_H

#include <checkpoint.h>

#include "recopts.h"

/*
 * The functions return an exit status, on failure after printing the reason. @pair is a
 * handle without a pair, for which interrupt_catch() and recorder_catch() have been called;
 * it is set to another handle when the process executes another program.
 */

/*
 * recslave_running() - record a process that runs
 * @options: the options. Without @output, and with @family, the name of the file gets the
 *	id of the process
 */
int recslave_running(struct cp_pair **pair, pid_t pid,
		     struct record_options *options);

/*
 * recslave_command() - start a program, and record it
 * @command: the program, as for execvp(3), and its arguments
 *
 * Return: the exit status of the program if it has ended.
 */
int recslave_command(struct cp_pair **pair, char **command,
		     struct record_options *options);

/*
 * recslave_newcomer() - record a child of a slave, which the kernel holds until there is a
 * pair with it
 * @options: the options; @output is the path of the file
 */
int recslave_newcomer(struct cp_pair **pair, pid_t pid,
		      const struct record_options *options);

#endif /* RECSLAVE_H */
