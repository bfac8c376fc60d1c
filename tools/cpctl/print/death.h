/* SPDX-License-Identifier: GPL-2.0-only */
/* The text that describes the death of a slave. */
#ifndef DEATH_H
#define DEATH_H

#include <checkpoint.h>

#define DEATH_SIZE 192

/*
 * death_text() - the text, like "killed by SIGSEGV at address 0x10: nothing is mapped"
 * @cp: a checkpoint with CP_CHECKPOINT_DEATH
 * @text: receives the text
 *
 * Return: @text.
 */
const char *death_text(const struct cp_checkpoint *cp, char text[DEATH_SIZE]);

/* death_signal() - the name of a signal, like "SIGSEGV", or NULL */
const char *death_signal(int signal);

#endif /* DEATH_H */
