// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sockets that listen to events. Why they are kept like this: listeners.h.
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
#include "netlink.h"

/* Of all users together, but for those who may see all pairs. */
#define LISTENERS_MAX	256

/**
 * struct listener - a subscription
 * @by_viewer:	in @all_seeing or @by_uid
 * @by_port:	in @by_port
 * @sk:		the socket, with a reference; it holds its network namespace
 * @portid:	its address there, for as long as its file can be held
 * @events:	CP_NL_EVENT_*; all that may change
 * @viewer:	who asked; holds the pid namespace
 * @user:	and who answers for that
 * @lost:	events that did not fit since the last that did
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

static HLIST_HEAD(all_seeing);		/* listeners to everybody's pairs, */
static DEFINE_HASHTABLE(by_uid, 8);	/* and to those of one user */
static DEFINE_HASHTABLE(by_port, 8);	/* all listeners */
static DEFINE_MUTEX(listeners_mutex);	/* changes of all three; cp_pair.events */
DEFINE_STATIC_SRCU(listeners_srcu);	/* reading them without it */

#define for_each_listener(listener, head)				\
	hlist_for_each_entry_srcu(listener, head, by_viewer,		\
				  srcu_read_lock_held(&listeners_srcu) || \
				  lockdep_is_held(&listeners_mutex))

/**
 * cp_viewer_sees - may somebody see a pair?
 * @viewer: who
 * @pair: the pair
 *
 * Return: true when they may; the answer never changes.
 */
bool cp_viewer_sees(const struct cp_viewer *viewer, const struct cp_pair *pair)
{
	return (viewer->all || uid_eq(viewer->uid, pair->uid)) &&
	       pid_nr_ns(pair->slave_pid, viewer->ns);
}

static struct hlist_head *listeners_to(kuid_t uid)
{
	return &by_uid[hash_min(__kuid_val(uid), HASH_BITS(by_uid))];
}

static struct hlist_head *listeners_at(u32 portid)
{
	return &by_port[hash_min(portid, HASH_BITS(by_port))];
}

/* The socket's file; NULL when the socket is being released, or has been. */
static struct file *hold_file(struct sock *sk)
{
	struct file *file = NULL;

	/* Its release takes this lock to part the socket from its file. */
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

	skb = cp_netlink_event(message, &listener->viewer, listener->portid,
			       lost);
	if (!skb || genlmsg_unicast(sock_net(listener->sk), skb,
				    listener->portid))
		atomic64_add(lost + 1, &listener->lost);
}

static void tell(struct hlist_head *head, const struct cp_message *message,
		 u32 event)
{
	struct listener *listener;
	struct file *file;

	for_each_listener(listener, head) {
		if (!(READ_ONCE(listener->events) & event) ||
		    !cp_viewer_sees(&listener->viewer, message->pair))
			continue;
		/* Until it is put, @portid is this socket's. */
		file = hold_file(listener->sk);
		if (!file)
			continue;
		send_message(listener, message);
		fput(file);
	}
}

/**
 * cp_listeners_tell - send an event to all listeners who may see its pair
 * @message: the event
 * @event: CP_NL_EVENT_*, which kind it is
 *
 * Whoever begins to listen just now may miss it. May sleep, but waits for no
 * listener.
 */
void cp_listeners_tell(const struct cp_message *message, u32 event)
{
	int index = srcu_read_lock(&listeners_srcu);

	tell(&all_seeing, message, event);
	tell(listeners_to(message->pair->uid), message, event);
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

static void set_events(struct cp_pair *pair)
{
	WRITE_ONCE(pair->events, events_wanted(&all_seeing, pair) |
		   events_wanted(listeners_to(pair->uid), pair));
}

/**
 * cp_listeners_attend - find out who listens to a new pair
 * @pair: the pair, which is in the tables: who subscribes later finds it there
 */
void cp_listeners_attend(struct cp_pair *pair)
{
	mutex_lock(&listeners_mutex);
	set_events(pair);
	mutex_unlock(&listeners_mutex);
}

/* A listener of @viewer's has come or gone. */
static void set_events_of_all(const struct cp_viewer *viewer)
{
	struct cp_pair_cursor cursor = { .all = true };
	struct cp_pair *pair;

	lockdep_assert_held(&listeners_mutex);
	while ((pair = cp_pair_next(&cursor))) {
		if (cp_viewer_sees(viewer, pair))
			set_events(pair);
		cp_pair_passed(&cursor, pair);
		cp_pair_put(pair);
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

static void add(struct listener *listener)
{
	const struct cp_viewer *viewer = &listener->viewer;

	lockdep_assert_held(&listeners_mutex);
	hlist_add_head_rcu(&listener->by_viewer, viewer->all ? &all_seeing :
			   listeners_to(viewer->uid));
	hlist_add_head_rcu(&listener->by_port, listeners_at(listener->portid));
	set_events_of_all(viewer);
}

static void remove(struct listener *listener)
{
	lockdep_assert_held(&listeners_mutex);
	hlist_del_rcu(&listener->by_viewer);
	hlist_del_rcu(&listener->by_port);
	set_events_of_all(&listener->viewer);
	call_srcu(&listeners_srcu, &listener->rcu, listener_free_rcu);
}

/* Their sockets have been closed. */
static void remove_dead(void)
{
	struct listener *listener;
	struct hlist_node *next;
	unsigned int bucket;

	lockdep_assert_held(&listeners_mutex);
	hash_for_each_safe(by_port, bucket, next, listener, by_port)
		if (sock_flag(listener->sk, SOCK_DEAD))
			remove(listener);
}

static struct listener *find(const struct sock *sk, u32 portid)
{
	struct listener *listener;

	lockdep_assert_held(&listeners_mutex);
	hlist_for_each_entry(listener, listeners_at(portid), by_port)
		if (listener->sk == sk)
			return listener;
	return NULL;
}

/*
 * Nobody, with however many names, may have so many that those notice who make
 * pairs or subscribe.
 */
static bool may_listen(const struct cp_viewer *viewer)
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
 * Takes @listener, or its events for an older one of the same viewer, which then
 * misses nothing. Gives 1 when @listener is not needed.
 */
static int take(struct listener *listener)
{
	struct listener *old = find(listener->sk, listener->portid);

	if (!old && !may_listen(&listener->viewer))
		return -EUSERS;
	if (old && same_viewer(&old->viewer, &listener->viewer)) {
		WRITE_ONCE(old->events, listener->events);
		set_events_of_all(&old->viewer);
		return 1;
	}
	/* In this order: an event comes once, or not at all. */
	if (old) {
		atomic64_set(&listener->lost, atomic64_read(&old->lost));
		remove(old);
	}
	add(listener);
	return 0;
}

static int listen(struct sock *sk, u32 portid, u32 events,
		  const struct cp_viewer *viewer)
{
	struct listener *listener = listener_alloc(sk, portid, events, viewer);
	int ret;

	if (!listener)
		return -ENOMEM;
	mutex_lock(&listeners_mutex);
	/* The closed ones do not count, and do not pile up. */
	remove_dead();
	ret = take(listener);
	mutex_unlock(&listeners_mutex);
	if (ret)
		listener_free(listener);
	return min(ret, 0);
}

static void listen_no_more(const struct sock *sk, u32 portid)
{
	struct listener *listener;

	mutex_lock(&listeners_mutex);
	listener = find(sk, portid);
	if (listener)
		remove(listener);
	mutex_unlock(&listeners_mutex);
}

/**
 * cp_listeners_set - have events sent to a socket
 * @sk: the socket, from which the request has come
 * @portid: its address
 * @events: CP_NL_EVENT_*; 0 for none from now on
 * @viewer: who asks
 * @extack: for an explanation
 *
 * Return: 0; -EUSERS when there are too many listeners, -ENOMEM.
 */
int cp_listeners_set(struct sock *sk, u32 portid, u32 events,
		     const struct cp_viewer *viewer,
		     struct netlink_ext_ack *extack)
{
	int ret;

	if (!events) {
		listen_no_more(sk, portid);
		return 0;
	}
	ret = listen(sk, portid, events, viewer);
	if (ret == -EUSERS)
		NL_SET_ERR_MSG(extack, "too many listeners: close one");
	return ret;
}

static void reap(struct work_struct *work)
{
	mutex_lock(&listeners_mutex);
	remove_dead();
	mutex_unlock(&listeners_mutex);
}

static DECLARE_WORK(reap_work, reap);

/*
 * A socket has been closed, any on the machine. Its port id may be another's by
 * now; so what is looked for is a listener that is dead.
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
 * cp_listeners_init - hear of sockets that are closed
 *
 * Return: 0 or an error.
 */
int cp_listeners_init(void)
{
	return netlink_register_notifier(&socket_notifier);
}

/**
 * cp_listeners_exit - sockets that still listen hear no more
 *
 * Nobody subscribes any more, and no pair is left.
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
		remove(listener);
	mutex_unlock(&listeners_mutex);
	srcu_barrier(&listeners_srcu);
}
