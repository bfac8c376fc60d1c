/* SPDX-License-Identifier: GPL-2.0-only */
/* Pairing with a slave in order to record it. */
#ifndef RECPREP_H
#define RECPREP_H

#include <checkpoint.h>

#include "recopts.h"

/* recprep_follows() - can the module hold children? If not, prints that it cannot. */
bool recprep_follows(const struct cp_pair *pair);

/*
 * recprep_slave() - decide whether the slave is a process or a thread
 * @options: the options; @process becomes false if the module cannot pair with processes,
 *	after a warning
 *
 * Return: the id that stands for the slave: that of its process, or @pid.
 */
pid_t recprep_slave(const struct cp_pair *pair, pid_t pid,
		    struct record_options *options);

/*
 * recprep() - pair with the slave
 * @pid: the result of recprep_slave()
 *
 * Return: 0, or -1 after printing the reason.
 */
int recprep(struct cp_pair *pair, pid_t pid,
	    const struct record_options *options);

/*
 * recprep_give_up() - the process will not be recorded
 *
 * If the kernel holds the process until there is a pair with it, the process continues.
 */
void recprep_give_up(pid_t pid);

#endif /* RECPREP_H */
