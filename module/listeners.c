// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sockets that listen to events: listeners.h.
 */
#include <linux/checkpoint_netlink.h>
#include <linux/file.h>
#include <linux/hashtable.h>
#include <linux/mutex.h>
#include <linux/netlink.h>
#include <linux/pid_namespace.h>
#include <linux/slab.h>
#include <linux/srcu.h>
#include <linux/workqueue.h>
#include <net/genetlink.h>
#include <net/sock.h>

#include "compat.h"
#include "limits.h"
#include "listeners.h"
#include "message.h"
#include "table.h"
#include "viewer.h"

/* Of all users together. Those that may see all pairs count, and are not refused. */
#define LISTENERS_MAX	256

/**
 * struct listener - a subscription
 * @by_viewer:	in @all_seeing or @by_uid
 * @by_port:	in @by_port
 * @sk:		the socket, with a reference; it holds its network namespace
 * @portid:	its address there, while its file can be held
 * @events:	CP_NL_EVENT_*; the only field that changes
 * @viewer:	the process that subscribed; holds the pid namespace
 * @user:	the user who is charged
 * @lost:	events that did not fit since the last one that did
 * @rcu:	for readers
 */
struct listener {
	struct hlist_node by_viewer;
	struct hlist_node by_port;
	struct sock *sk;
	u32 portid;
	u32 events;
	struct cp_viewer viewer;
	kuid_t user;
	atomic64_t lost;
	struct rcu_head rcu;
};

static const struct genl_family *family;
static HLIST_HEAD(all_seeing);		/* listeners to all pairs */
static DEFINE_HASHTABLE(by_uid, 8);	/* listeners to one user's pairs */
static DEFINE_HASHTABLE(by_port, 8);	/* all listeners */
static DEFINE_MUTEX(listeners_mutex);	/* changes of all three; cp_pair.events */
DEFINE_STATIC_SRCU(listeners_srcu);	/* for readers without the mutex */

#define for_each_listener(listener, head)				\
	hlist_for_each_entry_srcu(listener, head, by_viewer,		\
				  srcu_read_lock_held(&listeners_srcu) || \
				  lockdep_is_held(&listeners_mutex))

static struct hlist_head *listeners_to(kuid_t uid)
{
	return &by_uid[hash_min(__kuid_val(uid), HASH_BITS(by_uid))];
}

static struct hlist_head *listeners_at(u32 portid)
{
	return &by_port[hash_min(portid, HASH_BITS(by_port))];
}

/* The socket's file; NULL when the socket is being released, or has been. */
static struct file *socket_hold_file(struct sock *sk)
{
	struct file *file = NULL;

	/* sock_orphan() takes this lock to clear @sk_socket. */
	read_lock_bh(&sk->sk_callback_lock);
	if (sk->sk_socket)
		file = get_file_active(&sk->sk_socket->file);
	read_unlock_bh(&sk->sk_callback_lock);
	return file;
}

static void send_message(struct listener *listener,
			 const struct cp_message *message)
{
	u64 lost = atomic64_xchg(&listener->lost, 0);
	struct sk_buff *skb;

	skb = cp_message_event(message, &listener->viewer, listener->portid,
			       lost);
	if (!skb || genlmsg_unicast(sock_net(listener->sk), skb,
				    listener->portid))
		atomic64_add(lost + 1, &listener->lost);
}

static void listeners_send(struct hlist_head *head,
			   const struct cp_message *message, u32 event)
{
	struct listener *listener;
	struct file *file;

	for_each_listener(listener, head) {
		if (!(READ_ONCE(listener->events) & event) ||
		    !cp_viewer_sees(&listener->viewer, message->pair))
			continue;
		/* While the file is held, @portid belongs to this socket. */
		file = socket_hold_file(listener->sk);
		if (!file)
			continue;
		send_message(listener, message);
		fput(file);
	}
}

/**
 * cp_listeners_notify - send an event to all listeners that may see its pair
 * @message: the event
 * @event: the kind of the event, CP_NL_EVENT_*
 *
 * A listener that subscribes at the same time may miss the event. May sleep, but waits
 * for no listener.
 */
void cp_listeners_notify(struct cp_message *message, u32 event)
{
	int index = srcu_read_lock(&listeners_srcu);

	message->family = family;
	listeners_send(&all_seeing, message, event);
	listeners_send(listeners_to(message->pair->master.uid), message, event);
	srcu_read_unlock(&listeners_srcu, index);
}

static u32 events_wanted(struct hlist_head *head, const struct cp_pair *pair)
{
	struct listener *listener;
	u32 events = 0;

	lockdep_assert_held(&listeners_mutex);
	for_each_listener(listener, head)
		if (cp_viewer_sees(&listener->viewer, pair))
			events |= listener->events;
	return events;
}

static void pair_set_events(struct cp_pair *pair)
{
	WRITE_ONCE(pair->events, events_wanted(&all_seeing, pair) |
		   events_wanted(listeners_to(pair->master.uid), pair));
}

/**
 * cp_listeners_attend - compute cp_pair.events of a new pair
 * @pair: the pair; in the tables, where later subscriptions find it
 */
void cp_listeners_attend(struct cp_pair *pair)
{
	mutex_lock(&listeners_mutex);
	pair_set_events(pair);
	mutex_unlock(&listeners_mutex);
}

/* A subscription of @viewer has changed. */
static void viewer_set_events(const struct cp_viewer *viewer)
{
	struct cp_table_cursor cursor = { .all = true };
	struct cp_pair *pair;

	lockdep_assert_held(&listeners_mutex);
	while ((pair = cp_table_next(&cursor))) {
		if (cp_viewer_sees(viewer, pair))
			pair_set_events(pair);
		cp_table_passed(&cursor, pair);
		cp_pair_unref(pair);
	}
}

static void listener_free(struct listener *listener)
{
	put_pid_ns(listener->viewer.ns);
	sock_put(listener->sk);
	kfree(listener);
}

static void listener_free_rcu(struct rcu_head *rcu)
{
	listener_free(container_of(rcu, struct listener, rcu));
}

static struct listener *listener_alloc(struct sock *sk, u32 portid, u32 events,
				       const struct cp_viewer *viewer)
{
	struct listener *listener;

	listener = kzalloc(sizeof(*listener), GFP_KERNEL_ACCOUNT);
	if (!listener)
		return NULL;
	sock_hold(sk);
	listener->sk = sk;
	listener->portid = portid;
	listener->events = events;
	listener->viewer = *viewer;
	get_pid_ns(viewer->ns);
	listener->user = cp_limits_user();
	return listener;
}

static void listener_add(struct listener *listener)
{
	const struct cp_viewer *viewer = &listener->viewer;

	lockdep_assert_held(&listeners_mutex);
	hlist_add_head_rcu(&listener->by_viewer, viewer->all ? &all_seeing :
			   listeners_to(viewer->uid));
	hlist_add_head_rcu(&listener->by_port, listeners_at(listener->portid));
	viewer_set_events(viewer);
}

static void listener_remove(struct listener *listener)
{
	lockdep_assert_held(&listeners_mutex);
	hlist_del_rcu(&listener->by_viewer);
	hlist_del_rcu(&listener->by_port);
	viewer_set_events(&listener->viewer);
	call_srcu(&listeners_srcu, &listener->rcu, listener_free_rcu);
}

/* Removes the listeners whose sockets have been released. */
static void listeners_remove_dead(void)
{
	struct listener *listener;
	struct hlist_node *next;
	unsigned int bucket;

	lockdep_assert_held(&listeners_mutex);
	hash_for_each_safe(by_port, bucket, next, listener, by_port)
		if (sock_flag(listener->sk, SOCK_DEAD))
			listener_remove(listener);
}

static struct listener *listener_find(const struct sock *sk, u32 portid)
{
	struct listener *listener;

	lockdep_assert_held(&listeners_mutex);
	hlist_for_each_entry(listener, listeners_at(portid), by_port)
		if (listener->sk == sk)
			return listener;
	return NULL;
}

/*
 * Making a pair and subscribing walk all listeners under the mutex, so their number is
 * limited, for each user and in all.
 */
static bool viewer_may_listen(const struct cp_viewer *viewer)
{
	unsigned int all = 0, own = 0, bucket;
	kuid_t user = cp_limits_user();
	struct listener *listener;

	lockdep_assert_held(&listeners_mutex);
	hash_for_each(by_port, bucket, listener, by_port) {
		all++;
		own += uid_eq(listener->user, user);
	}
	return viewer->all ||
	       (all < LISTENERS_MAX && own < CP_NL_LISTENERS_PER_USER);
}

static bool same_viewer(const struct cp_viewer *a, const struct cp_viewer *b)
{
	return uid_eq(a->uid, b->uid) && a->all == b->all && a->ns == b->ns &&
	       a->time_offset == b->time_offset;
}

/*
 * Inserts @listener. If the socket has a listener with the same viewer already, changes the
 * events of that one instead, so that no event is missed, and returns 1.
 */
static int listener_insert(struct listener *listener)
{
	struct listener *old = listener_find(listener->sk, listener->portid);

	if (!old && !viewer_may_listen(&listener->viewer))
		return -EUSERS;
	if (old && same_viewer(&old->viewer, &listener->viewer)) {
		WRITE_ONCE(old->events, listener->events);
		viewer_set_events(&old->viewer);
		return 1;
	}
	/* Remove first: an event arrives once or not at all, never twice. */
	if (old) {
		atomic64_set(&listener->lost, atomic64_read(&old->lost));
		listener_remove(old);
	}
	listener_add(listener);
	return 0;
}

static int listeners_subscribe(struct sock *sk, u32 portid, u32 events,
			       const struct cp_viewer *viewer)
{
	struct listener *listener = listener_alloc(sk, portid, events, viewer);
	int ret;

	if (!listener)
		return -ENOMEM;
	mutex_lock(&listeners_mutex);
	/* Listeners of closed sockets do not count. */
	listeners_remove_dead();
	ret = listener_insert(listener);
	mutex_unlock(&listeners_mutex);
	if (ret)
		listener_free(listener);
	return min(ret, 0);
}

static void listeners_unsubscribe(const struct sock *sk, u32 portid)
{
	struct listener *listener;

	mutex_lock(&listeners_mutex);
	listener = listener_find(sk, portid);
	if (listener)
		listener_remove(listener);
	mutex_unlock(&listeners_mutex);
}

/**
 * cp_listeners_set - subscribe a socket to events
 * @sk: the socket that sent the request
 * @portid: its address
 * @events: CP_NL_EVENT_*; 0 ends the subscription
 * @viewer: the process that asks
 * @extack: for an explanation
 *
 * Return: 0; -EUSERS when there are too many listeners, -ENOMEM.
 */
int cp_listeners_set(struct sock *sk, u32 portid, u32 events,
		     const struct cp_viewer *viewer,
		     struct netlink_ext_ack *extack)
{
	int ret = 0;

	if (events)
		ret = listeners_subscribe(sk, portid, events, viewer);
	else
		listeners_unsubscribe(sk, portid);
	/*
	 * Events that are being sent arrive before the answer to this request. Those that
	 * arrive after the answer are for the new subscription, whose viewer may see less.
	 */
	synchronize_srcu(&listeners_srcu);
	if (ret == -EUSERS)
		NL_SET_ERR_MSG(extack, "too many listeners: close one");
	return ret;
}

static void listeners_reap(struct work_struct *work)
{
	mutex_lock(&listeners_mutex);
	listeners_remove_dead();
	mutex_unlock(&listeners_mutex);
}

static DECLARE_WORK(reap_work, listeners_reap);

/*
 * Called for each netlink socket that is released on the machine. Another socket may
 * have its port id by now, so this looks for a listener whose own socket is dead.
 */
static int socket_released(struct notifier_block *nb, unsigned long event,
			   void *data)
{
	const struct netlink_notify *notify = data;
	struct listener *listener;
	int index;

	if (event != NETLINK_URELEASE || notify->protocol != NETLINK_GENERIC)
		return NOTIFY_DONE;
	index = srcu_read_lock(&listeners_srcu);
	hlist_for_each_entry_srcu(listener, listeners_at(notify->portid),
				  by_port,
				  srcu_read_lock_held(&listeners_srcu))
		if (listener->portid == notify->portid &&
		    net_eq(sock_net(listener->sk), notify->net) &&
		    sock_flag(listener->sk, SOCK_DEAD))
			schedule_work(&reap_work);
	srcu_read_unlock(&listeners_srcu, index);
	return NOTIFY_DONE;
}

static struct notifier_block socket_notifier = {
	.notifier_call = socket_released,
};

/**
 * cp_listeners_init - begin to watch for sockets that are closed
 * @sender: the netlink family that sends events
 *
 * Return: 0 or an error.
 */
int cp_listeners_init(const struct genl_family *sender)
{
	family = sender;
	return netlink_register_notifier(&socket_notifier);
}

/**
 * cp_listeners_exit - end all subscriptions
 *
 * The family is unregistered and no pair is left.
 */
void cp_listeners_exit(void)
{
	struct listener *listener;
	struct hlist_node *next;
	unsigned int bucket;

	netlink_unregister_notifier(&socket_notifier);
	cancel_work_sync(&reap_work);
	mutex_lock(&listeners_mutex);
	hash_for_each_safe(by_port, bucket, next, listener, by_port)
		listener_remove(listener);
	mutex_unlock(&listeners_mutex);
	srcu_barrier(&listeners_srcu);
}
