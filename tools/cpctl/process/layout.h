/* SPDX-License-Identifier: GPL-2.0-only */
/* Does a system call change which files' code a process has mapped? */
#ifndef LAYOUT_H
#define LAYOUT_H

#include <checkpoint.h>
#include <stdbool.h>

/* layout_changed() - may the system call that @cp is the end of have done so? */
bool layout_changed(const struct cp_checkpoint *cp);

#endif /* LAYOUT_H */
