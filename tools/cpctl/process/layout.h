/* SPDX-License-Identifier: GPL-2.0-only */
/* System calls that map code of a file into a process. */
#ifndef LAYOUT_H
#define LAYOUT_H

#include <checkpoint.h>
#include <stdbool.h>

/* layout_changed() - may the system call at whose end @cp was captured have done so? */
bool layout_changed(const struct cp_checkpoint *cp);

#endif /* LAYOUT_H */
