/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What keeps the module loaded besides open files: hooks, nudges and masters that
 * exit, each of which has code queued in some task.
 *
 * All of them together hold one reference on the module, whose count anybody can
 * read: it must not tell how many pairs others have, nor when they are nudged.
 */
#ifndef _CP_PIN_H
#define _CP_PIN_H

#include <linux/types.h>

void cp_pin(void);
bool cp_try_pin(void);
void cp_unpin(void);

#endif /* _CP_PIN_H */
