/* SPDX-License-Identifier: GPL-2.0-only */
/* Checkpoints for people to read. */
#ifndef PRINT_H
#define PRINT_H

#include "printer.h"
#include "snapshot.h"

/*
 * print_thread() - print which of several threads the next checkpoint is of
 * @name: its name; empty if it is not known
 */
void print_thread(const struct printer *printer, pid_t id, const char *name);

/* print_headline() - print the headline of a checkpoint */
void print_headline(const struct printer *printer, const struct cp_checkpoint *cp);

/*
 * print_snapshot() - print a checkpoint
 * @now: the checkpoint
 * @before: the checkpoint before, empty if there is none; differences are marked
 */
void print_snapshot(const struct printer *printer, const struct snapshot *now,
		    const struct snapshot *before);

#endif /* PRINT_H */
