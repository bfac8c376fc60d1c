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
struct cp_viewer;
struct sk_buff;

/**
 * struct cp_message - what a message says
 * @cmd:	CP_NL_CMD_*
 * @pair:	of whom
 * @checkpoint:	with CP_NL_CMD_CHECKPOINT
 * @time:	of an event, by the machine's clock; 0 for an answer
 */
struct cp_message {
	u8 cmd;
	struct cp_pair *pair;
	const struct cp_checkpoint *checkpoint;
	u64 time;
};

int cp_netlink_init(void);
void cp_netlink_exit(void);
struct sk_buff *cp_netlink_event(const struct cp_message *message,
				 const struct cp_viewer *viewer, u32 portid,
				 u64 lost);
void cp_netlink_pair_made(struct cp_pair *pair);
void cp_netlink_pair_ended(struct cp_pair *pair);
void cp_netlink_checkpoint(struct cp_pair *pair,
			   const struct cp_checkpoint *checkpoint);

#endif /* _CP_NETLINK_H */
