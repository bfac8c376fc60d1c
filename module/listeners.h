/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The listeners to pairs: netlink sockets that have subscribed to events.
 *
 * A listener is a socket, not an address. It holds the struct sock from its
 * subscription on. The port id, by which netlink_unicast() finds a socket, can be
 * bound by another socket before the release of the first is reported. So each
 * message is sent while the socket's file is held: until the file is put, the socket
 * is not released and keeps its port id. A socket that is being released has no file
 * that can be held, and gets nothing.
 *
 * A listener costs nothing to pairs that it may not see. cp_pair.events holds the
 * events that permitted listeners want; subscribing and making a pair compute it.
 * Listeners are hashed by the user whose pairs they see, so an event does not walk the
 * listeners of other users.
 *
 * Readers are in an SRCU section, so that they may allocate memory and do not block
 * subscriptions. The notifier, which runs for every netlink socket that is closed on
 * the machine, looks into a hash table there and takes no lock.
 */
#ifndef _CP_LISTENERS_H
#define _CP_LISTENERS_H

#include <linux/checkpoint_netlink.h>
#include <linux/types.h>

#include "pair.h"

struct cp_message;
struct cp_viewer;
struct genl_family;
struct netlink_ext_ack;
struct sock;

int cp_listeners_set(struct sock *sk, u32 portid, u32 events,
		     const struct cp_viewer *viewer,
		     struct netlink_ext_ack *extack);
void cp_listeners_attend(struct cp_pair *pair);
void cp_listeners_notify(struct cp_message *message, u32 event);
int cp_listeners_init(const struct genl_family *sender);
void cp_listeners_exit(void);

/**
 * cp_listeners_want - does a listener want this event of a pair?
 * @pair: the pair
 * @event: CP_NL_EVENT_*
 *
 * Return: true when one does that may see the pair.
 */
static inline bool cp_listeners_want(const struct cp_pair *pair, u32 event)
{
	return READ_ONCE(pair->events) & event;
}

#endif /* _CP_LISTENERS_H */
