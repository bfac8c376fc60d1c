/* SPDX-License-Identifier: GPL-2.0-only */
/* How a slave died, in words. */
#ifndef DEATH_H
#define DEATH_H

#include <checkpoint.h>

#define DEATH_SIZE 192

/*
 * death_text() - "killed by SIGSEGV at address 0x10: nothing is mapped"
 * @cp: a checkpoint with CP_CHECKPOINT_DEATH
 * @text: receives the words
 *
 * Return: @text.
 */
const char *death_text(const struct cp_checkpoint *cp, char text[DEATH_SIZE]);

/* death_signal() - the name of a signal, "SIGSEGV", or NULL */
const char *death_signal(int signal);

#endif /* DEATH_H */
