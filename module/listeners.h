/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The listeners to pairs: netlink sockets that have subscribed to events.
 *
 * A listener is a socket, not an address. It holds the struct sock from its
 * subscription on; the port id, by which netlink_unicast() finds a socket, is free
 * for anybody before the end of a socket's life is reported. So each message is
 * sent while the socket's file is held: until that is put, the socket is not
 * released, and its port id is nobody else's. A socket that is being released
 * already has no file to be held, and gets nothing.
 *
 * Nobody pays for a listener that may not see them. A pair has in cp_pair.events
 * what is wanted by those who may; only who subscribes, or makes a pair, computes
 * that. Listeners are kept by the user whose pairs they see, so that an event
 * passes those of others no more than their hash does.
 *
 * Readers are in an SRCU section: they allocate memory, and hold up nobody who
 * subscribes. The notifier, which runs for every netlink socket that is closed on
 * the machine, looks into a hash table there, and takes no lock.
 */
#ifndef _CP_LISTENERS_H
#define _CP_LISTENERS_H

#include <linux/types.h>
#include <linux/uidgid.h>

#include "pair.h"

struct cp_message;
struct netlink_ext_ack;
struct pid_namespace;
struct sk_buff;
struct sock;

/**
 * struct cp_viewer - who looks, and what they may see
 * @uid:	sees the pairs of this user,
 * @all:	or all pairs
 * @ns:		in these numbers
 * @time_offset: and by this clock (timens.h)
 */
struct cp_viewer {
	kuid_t uid;
	bool all;
	struct pid_namespace *ns;
	s64 time_offset;
};

bool cp_viewer_sees(const struct cp_viewer *viewer, const struct cp_pair *pair);

int cp_listeners_set(struct sock *sk, u32 portid, u32 events,
		     const struct cp_viewer *viewer,
		     struct netlink_ext_ack *extack);
void cp_listeners_attend(struct cp_pair *pair);
void cp_listeners_tell(const struct cp_message *message, u32 event);
int cp_listeners_init(void);
void cp_listeners_exit(void);

/**
 * cp_listeners_want - does anybody listen who may see a pair?
 * @pair: the pair
 * @event: CP_NL_EVENT_*
 *
 * Return: true when it is worth telling.
 */
static inline bool cp_listeners_want(const struct cp_pair *pair, u32 event)
{
	return READ_ONCE(pair->events) & event;
}

#endif /* _CP_LISTENERS_H */
