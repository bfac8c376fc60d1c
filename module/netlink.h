/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Generic netlink: questions about pairs, and events of them. What is promised
 * is written in linux/checkpoint_netlink.h.
 */
#ifndef _CP_NETLINK_H
#define _CP_NETLINK_H

#include <linux/types.h>

struct cp_checkpoint;
struct cp_pair;

int cp_netlink_init(void);
void cp_netlink_exit(void);
void cp_netlink_pair_made(struct cp_pair *pair);
void cp_netlink_pair_ended(struct cp_pair *pair);
bool cp_netlink_wants_checkpoints(void);
void cp_netlink_checkpoint(struct cp_pair *pair,
			   const struct cp_checkpoint *checkpoint);

#endif /* _CP_NETLINK_H */
