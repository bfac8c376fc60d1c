/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The slave's side of a pair: it hands over checkpoints early and late, and leaves
 * the state of its death.
 */
#ifndef _CP_SLAVE_H
#define _CP_SLAVE_H

struct cp_hook_ops;

extern const struct cp_hook_ops cp_slave_hook_ops;

#endif /* _CP_SLAVE_H */
