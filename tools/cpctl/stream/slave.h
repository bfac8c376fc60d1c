/* SPDX-License-Identifier: GPL-2.0-only */
/* The slave of a verb: a process with all its threads, or one thread. */
#ifndef SLAVE_H
#define SLAVE_H

#include "stream.h"

/*
 * struct slave - the slave
 * @pid: the id that the pair is made with, which is a living thread's
 * @process: whether the slave is the whole process
 * @held: whether it is held for each checkpoint
 * @nudge: whether it is nudged
 * @several: whether the slave had several threads when it was chosen
 */
struct slave {
	pid_t	pid;
	bool	process;
	bool	held;
	bool	nudge;
	bool	several;
};

/*
 * slave_choose() - choose the slave that @options want
 * @pid: the process, or any thread
 * @pair: an open handle, by which the module says what it offers
 *
 * With a module that knows only single threads, the slave is thread @pid, and this
 * function prints so if its process has others. A process that has several is refused if
 * they are to be held, but not to be disturbed.
 *
 * Return: false after printing the reason.
 */
bool slave_choose(struct slave *slave, pid_t pid,
		  const struct stream_options *options,
		  const struct cp_pair *pair);

#endif /* SLAVE_H */
