/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Generic netlink: queries about pairs, and subscriptions to their events.
 * linux/checkpoint_netlink.h describes the messages.
 */
#ifndef _CP_NETLINK_H
#define _CP_NETLINK_H

int cp_netlink_init(void);
void cp_netlink_exit(void);

#endif /* _CP_NETLINK_H */
