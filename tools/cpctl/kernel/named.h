/* SPDX-License-Identifier: GPL-2.0-only */
/* Processes by their names. */
#ifndef NAMED_H
#define NAMED_H

#include "pids.h"

/*
 * named_find() - add the processes with a name, in ascending order of their ids
 * @name: the command name of the process, as in /proc/PID/comm, or the name of the file
 *	that it executes, without folders
 *
 * Only those processes count whose executable the caller may know, which takes the same
 * right as to attach to them with a debugger, without regard to Yama. So a user does not
 * find the processes of others, and nobody finds kernel threads and zombies, and cpctl
 * does not find itself.
 *
 * Return: the number of processes with the name, those that were in the list included;
 * -1 with errno if /proc cannot be read or memory ran out.
 */
int named_find(struct pids *pids, const char *name);

#endif /* NAMED_H */
