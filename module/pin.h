/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What keeps the module loaded besides open files: hooks, nudges and exiting masters,
 * each of which has code of the module queued in a task.
 *
 * All of them together hold one reference on the module. All users can read the module's
 * reference count, which must not disclose how many pairs exist, or when a slave is
 * nudged.
 */
#ifndef _CP_PIN_H
#define _CP_PIN_H

#include <linux/types.h>

void cp_pin(void);
bool cp_try_pin(void);
void cp_unpin(void);

#endif /* _CP_PIN_H */
