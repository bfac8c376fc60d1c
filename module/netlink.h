/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Generic netlink: queries about pairs, and subscriptions to their events. What
 * is promised is written in linux/checkpoint_netlink.h.
 */
#ifndef _CP_NETLINK_H
#define _CP_NETLINK_H

int cp_netlink_init(void);
void cp_netlink_exit(void);

#endif /* _CP_NETLINK_H */
