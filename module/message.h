/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Netlink messages about pairs. Their attributes are described in
 * linux/checkpoint_netlink.h.
 */
#ifndef _CP_MESSAGE_H
#define _CP_MESSAGE_H

#include <linux/types.h>

struct cp_checkpoint;
struct cp_pair;
struct cp_viewer;
struct genl_family;
struct sk_buff;

/**
 * struct cp_message - the contents of a message
 * @family:	the netlink family that sends the message
 * @cmd:	CP_NL_CMD_*
 * @pair:	the pair that the message is about
 * @checkpoint:	with CP_NL_CMD_CHECKPOINT, the checkpoint's header
 * @seq:	with CP_NL_CMD_CHECKPOINT, the checkpoint's number
 * @time:	when the event happened, by the machine's clock; 0 for an answer
 */
struct cp_message {
	const struct genl_family *family;
	u8 cmd;
	struct cp_pair *pair;
	const struct cp_checkpoint *checkpoint;
	u64 seq;
	u64 time;
};

int cp_message_put(struct sk_buff *skb, const struct cp_message *message,
		   const struct cp_viewer *viewer);
struct sk_buff *cp_message_new(const struct cp_message *message, u32 portid,
			       u32 seq, const struct cp_viewer *viewer);
struct sk_buff *cp_message_event(const struct cp_message *message,
				 const struct cp_viewer *viewer, u32 portid,
				 u64 lost);

#endif /* _CP_MESSAGE_H */
