// SPDX-License-Identifier: GPL-2.0-only
/*
 * Generic netlink family "checkpoint".
 */
#include <linux/checkpoint.h>
#include <linux/checkpoint_netlink.h>
#include <linux/module.h>
#include <linux/pid_namespace.h>
#include <linux/rwsem.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <net/genetlink.h>

#include "limits.h"
#include "netlink.h"
#include "pair.h"

/* Room for any message: all attributes together take about 500 bytes. */
#define MESSAGE_SIZE	1024

#define EVENTS_ALL	(CP_NL_EVENT_PAIRS | CP_NL_EVENT_CHECKPOINTS)

/* Of all users together, but for those who may see all pairs. */
#define LISTENERS_MAX	256

static struct genl_family family;

enum { GROUP_PAIRS, GROUP_CHECKPOINTS };

static const struct genl_multicast_group groups[] = {
	[GROUP_PAIRS] = {
		.name = CP_NL_MCGRP_PAIRS,
		.flags = GENL_MCAST_CAP_NET_ADMIN,
	},
	[GROUP_CHECKPOINTS] = {
		.name = CP_NL_MCGRP_CHECKPOINTS,
		.flags = GENL_MCAST_CAP_NET_ADMIN,
	},
};

/**
 * struct viewer - who looks, and what they may see
 * @uid:	sees the pairs of this user,
 * @all:	or all pairs
 * @ns:		in these numbers
 */
struct viewer {
	kuid_t uid;
	bool all;
	struct pid_namespace *ns;
};

/**
 * struct listener - a socket that has subscribed
 * @list:	in @listeners
 * @net:	where it is; the socket holds it, and takes the listener along
 * @portid:	its address there
 * @events:	CP_NL_EVENT_*
 * @viewer:	who asked; holds the namespace
 * @user:	and who answers for that
 * @lost:	events that did not fit since the last that did
 */
struct listener {
	struct list_head list;
	struct net *net;
	u32 portid;
	u32 events;
	struct viewer viewer;
	kuid_t user;
	atomic64_t lost;
};

static LIST_HEAD(listeners);
static u32 wanted_events;		/* of any of them */
static DECLARE_RWSEM(listeners_lock);	/* both; read to send */

static void viewer_init(struct viewer *viewer, const struct sk_buff *skb)
{
	viewer->uid = NETLINK_CREDS(skb)->uid;
	viewer->all = netlink_capable(skb, CAP_SYS_PTRACE);
	viewer->ns = task_active_pid_ns(current);
}

static bool may_see(const struct viewer *viewer, const struct cp_pair *pair)
{
	return (viewer->all || uid_eq(viewer->uid, pair->uid)) &&
	       pid_nr_ns(pair->slave_pid, viewer->ns);
}

static int put_comm(struct sk_buff *skb, int attr, struct task_struct *task)
{
	char comm[TASK_COMM_LEN];

	get_task_comm(comm, task);
	return nla_put_string(skb, attr, comm);
}

static int put_u64(struct sk_buff *skb, int attr, u64 value)
{
	return nla_put_u64_64bit(skb, attr, value, CP_NL_A_PAD);
}

static int put_names(struct sk_buff *skb, struct cp_pair *pair,
		     struct pid_namespace *ns)
{
	return nla_put_u32(skb, CP_NL_A_SLAVE,
			   pid_nr_ns(pair->slave_pid, ns)) ||
	       nla_put_u32(skb, CP_NL_A_MASTER,
			   pid_nr_ns(pair->master_pid, ns)) ||
	       put_comm(skb, CP_NL_A_SLAVE_COMM, pair->hook.task) ||
	       put_comm(skb, CP_NL_A_MASTER_COMM, pair->master) ||
	       nla_put_u32(skb, CP_NL_A_UID,
			   from_kuid_munged(&init_user_ns, pair->uid));
}

static int put_state(struct sk_buff *skb, struct cp_pair *pair)
{
	return nla_put_u32(skb, CP_NL_A_STATE, cp_ring_state(&pair->ring)) ||
	       nla_put_u32(skb, CP_NL_A_REASON, READ_ONCE(pair->reason)) ||
	       nla_put_s32(skb, CP_NL_A_STATUS, READ_ONCE(pair->status)) ||
	       put_u64(skb, CP_NL_A_MADE, pair->made);
}

static int put_histogram(struct sk_buff *skb, const struct cp_stats *stats)
{
	u64 histogram[ARRAY_SIZE(stats->held_histogram)];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(histogram); i++)
		histogram[i] = READ_ONCE(stats->held_histogram[i]);
	return nla_put_64bit(skb, CP_NL_A_HELD_HISTOGRAM, sizeof(histogram),
			     histogram, CP_NL_A_PAD);
}

static int put_stats(struct sk_buff *skb, struct cp_pair *pair)
{
	const struct cp_stats *stats = &pair->stats;

	return put_u64(skb, CP_NL_A_TAKEN, READ_ONCE(pair->ring.counts.taken)) ||
	       put_u64(skb, CP_NL_A_MISSED, READ_ONCE(pair->ring.counts.missed)) ||
	       put_u64(skb, CP_NL_A_BYTES, READ_ONCE(stats->bytes)) ||
	       put_u64(skb, CP_NL_A_HELD, READ_ONCE(stats->held)) ||
	       put_u64(skb, CP_NL_A_HELD_MAX, READ_ONCE(stats->held_max)) ||
	       put_histogram(skb, stats) ||
	       nla_put_s32(skb, CP_NL_A_LAST_SYSCALL,
			   READ_ONCE(stats->last_syscall)) ||
	       nla_put_u32(skb, CP_NL_A_FLAGS, READ_ONCE(stats->last_flags));
}

static int put_checkpoint(struct sk_buff *skb,
			  const struct cp_checkpoint *checkpoint)
{
	return put_u64(skb, CP_NL_A_TIME, checkpoint->time) ||
	       put_u64(skb, CP_NL_A_SEQ, checkpoint->seq) ||
	       nla_put_u32(skb, CP_NL_A_ENTRY, checkpoint->entry) ||
	       nla_put_s32(skb, CP_NL_A_SYSCALL, checkpoint->syscall) ||
	       nla_put_u32(skb, CP_NL_A_FLAGS, checkpoint->flags) ||
	       put_u64(skb, CP_NL_A_IP, checkpoint->regs.rip) ||
	       put_u64(skb, CP_NL_A_SP, checkpoint->regs.rsp);
}

/**
 * struct message - what a message says
 * @cmd:	CP_NL_CMD_*
 * @pair:	of whom
 * @checkpoint:	with CP_NL_CMD_CHECKPOINT
 * @time:	of another event; 0 for an answer
 */
struct message {
	u8 cmd;
	struct cp_pair *pair;
	const struct cp_checkpoint *checkpoint;
	u64 time;
};

static int put_message(struct sk_buff *skb, const struct message *message,
		       struct pid_namespace *ns)
{
	int full = put_names(skb, message->pair, ns);

	if (message->checkpoint)
		full = full || put_checkpoint(skb, message->checkpoint);
	else
		full = full || put_state(skb, message->pair) ||
		       put_stats(skb, message->pair);
	if (message->time)
		full = full || put_u64(skb, CP_NL_A_TIME, message->time);
	return full ? -EMSGSIZE : 0;
}

/* A whole message of its own, for the given receiver; NULL without memory. */
static struct sk_buff *new_message(const struct message *message, u32 portid,
				   u32 seq, struct pid_namespace *ns)
{
	struct sk_buff *skb;
	void *header;

	skb = genlmsg_new(MESSAGE_SIZE, GFP_KERNEL | __GFP_NORETRY);
	if (!skb)
		return NULL;
	header = genlmsg_put(skb, portid, seq, &family, 0, message->cmd);
	if (!header || put_message(skb, message, ns)) {
		nlmsg_free(skb);
		return NULL;
	}
	genlmsg_end(skb, header);
	return skb;
}

static void send_to_listener(struct listener *listener,
			     const struct message *message)
{
	u64 lost = atomic64_xchg(&listener->lost, 0);
	struct sk_buff *skb;

	skb = new_message(message, listener->portid, 0, listener->viewer.ns);
	if (!skb)
		goto err_lost;
	if (lost) {
		/* Attributes may be added to a message that has its length. */
		struct nlmsghdr *nlh = nlmsg_hdr(skb);

		if (put_u64(skb, CP_NL_A_LOST, lost)) {
			nlmsg_free(skb);
			goto err_lost;
		}
		nlmsg_end(skb, nlh);
	}
	if (!genlmsg_unicast(listener->net, skb, listener->portid))
		return;

err_lost:
	atomic64_add(lost + 1, &listener->lost);
}

/*
 * Does anybody listen? Whoever begins to just now may miss this event. No static
 * key: anybody may subscribe, and should not thereby have the kernel's code
 * patched.
 */
static bool has_listeners(u32 event, unsigned int group)
{
	return READ_ONCE(wanted_events) & event ||
	       genl_has_listeners(&family, &init_net, group);
}

static void send_to_listeners(const struct message *message, u32 event)
{
	struct listener *listener;

	down_read(&listeners_lock);
	list_for_each_entry(listener, &listeners, list)
		if (listener->events & event &&
		    may_see(&listener->viewer, message->pair))
			send_to_listener(listener, message);
	up_read(&listeners_lock);
}

static void send_to_group(const struct message *message, unsigned int group)
{
	struct sk_buff *skb;

	if (!genl_has_listeners(&family, &init_net, group))
		return;
	skb = new_message(message, 0, 0, &init_pid_ns);
	/* With GFP_KERNEL a listener that does not read would be waited for. */
	if (skb)
		genlmsg_multicast(&family, skb, 0, group, GFP_NOWAIT);
}

static void send_message(const struct message *message, u32 event,
			 unsigned int group)
{
	send_to_listeners(message, event);
	send_to_group(message, group);
}

static void send_pair_event(struct cp_pair *pair, u8 cmd)
{
	const struct message message = {
		.cmd = cmd,
		.pair = pair,
		.time = ktime_get_ns(),
	};

	if (has_listeners(CP_NL_EVENT_PAIRS, GROUP_PAIRS))
		send_message(&message, CP_NL_EVENT_PAIRS, GROUP_PAIRS);
}

static noinline void send_checkpoint(struct cp_pair *pair,
				     const struct cp_checkpoint *checkpoint)
{
	const struct message message = {
		.cmd = CP_NL_CMD_CHECKPOINT,
		.pair = pair,
		.checkpoint = checkpoint,
	};

	send_message(&message, CP_NL_EVENT_CHECKPOINTS, GROUP_CHECKPOINTS);
}

/**
 * cp_netlink_pair_made - tell who listens that a pair was made
 * @pair: the pair
 */
void cp_netlink_pair_made(struct cp_pair *pair)
{
	send_pair_event(pair, CP_NL_CMD_PAIR_MADE);
}

/**
 * cp_netlink_pair_ended - tell who listens that a pair is over
 * @pair: the pair
 */
void cp_netlink_pair_ended(struct cp_pair *pair)
{
	send_pair_event(pair, CP_NL_CMD_PAIR_ENDED);
}

/**
 * cp_netlink_wants_checkpoints - does anybody listen to checkpoints?
 *
 * Return: true when it is worth telling.
 */
bool cp_netlink_wants_checkpoints(void)
{
	return has_listeners(CP_NL_EVENT_CHECKPOINTS, GROUP_CHECKPOINTS);
}

/**
 * cp_netlink_checkpoint - tell who listens of a checkpoint
 * @pair: its pair
 * @checkpoint: its header, still the slave's
 */
void cp_netlink_checkpoint(struct cp_pair *pair,
			   const struct cp_checkpoint *checkpoint)
{
	/* Out of line: the usual case should not have to build the message. */
	if (cp_netlink_wants_checkpoints())
		send_checkpoint(pair, checkpoint);
}

/* The pair that a request names, if its sender may see it. */
static struct cp_pair *requested_pair(struct sk_buff *skb,
				      struct genl_info *info)
{
	struct viewer viewer;
	struct cp_pair *pair;

	if (GENL_REQ_ATTR_CHECK(info, CP_NL_A_SLAVE))
		return ERR_PTR(-EINVAL);
	viewer_init(&viewer, skb);
	pair = cp_pair_find(nla_get_u32(info->attrs[CP_NL_A_SLAVE]));
	if (pair && !may_see(&viewer, pair)) {
		cp_pair_put(pair);
		pair = NULL;
	}
	if (!pair) {
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[CP_NL_A_SLAVE],
				    "this task is no slave of a pair that you may see");
		return ERR_PTR(-ENOENT);
	}
	return pair;
}

static int pair_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct message message = { .cmd = CP_NL_CMD_PAIR_GET };
	struct sk_buff *reply;

	message.pair = requested_pair(skb, info);
	if (IS_ERR(message.pair))
		return PTR_ERR(message.pair);
	reply = new_message(&message, info->snd_portid, info->snd_seq,
			    task_active_pid_ns(current));
	cp_pair_put(message.pair);
	return reply ? genlmsg_reply(reply, info) : -ENOMEM;
}

static int pair_end_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct cp_pair *pair = requested_pair(skb, info);

	if (IS_ERR(pair))
		return PTR_ERR(pair);
	cp_pair_end(pair, CP_END_DETACHED, 0);
	cp_pair_put(pair);
	return 0;
}

static int dump_pair(struct sk_buff *skb, struct netlink_callback *cb,
		     struct cp_pair *pair, struct pid_namespace *ns)
{
	const struct message message = {
		.cmd = CP_NL_CMD_PAIR_GET,
		.pair = pair,
	};
	void *header;

	header = genlmsg_put(skb, NETLINK_CB(cb->skb).portid,
			     cb->nlh->nlmsg_seq, &family, NLM_F_MULTI,
			     message.cmd);
	if (!header)
		return -EMSGSIZE;
	if (put_message(skb, &message, ns)) {
		genlmsg_cancel(skb, header);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, header);
	return 0;
}

/* What is not understood is refused: here, what would narrow the dump. */
static int pair_get_start(struct netlink_callback *cb)
{
	if (nlmsg_attrlen(cb->nlh, GENL_HDRLEN)) {
		NL_SET_ERR_MSG(cb->extack, "a dump takes no attributes");
		return -EINVAL;
	}
	return 0;
}

static_assert(sizeof(struct cp_pair_cursor) <=
	      sizeof_field(struct netlink_callback, ctx));

static int pair_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct cp_pair_cursor *cursor = (void *)cb->ctx;
	struct viewer viewer;
	struct cp_pair *pair;
	int ret = 0;

	viewer_init(&viewer, cb->skb);
	while (!ret && (pair = cp_pair_next(cursor))) {
		if (may_see(&viewer, pair))
			ret = dump_pair(skb, cb, pair, viewer.ns);
		if (!ret)
			cp_pair_passed(cursor, pair);
		cp_pair_put(pair);
	}
	return skb->len;
}

static struct listener *find_listener(const struct net *net, u32 portid)
{
	struct listener *listener;

	list_for_each_entry(listener, &listeners, list)
		if (net_eq(listener->net, net) && listener->portid == portid)
			return listener;
	return NULL;
}

/* The listeners have changed. */
static void sum_wanted_events(void)
{
	struct listener *listener;
	u32 events = 0;

	lockdep_assert_held_write(&listeners_lock);
	list_for_each_entry(listener, &listeners, list)
		events |= listener->events;
	WRITE_ONCE(wanted_events, events);
}

static struct listener *add_listener(struct net *net, u32 portid)
{
	struct listener *listener;

	listener = kzalloc(sizeof(*listener), GFP_KERNEL_ACCOUNT);
	if (!listener)
		return NULL;
	listener->net = net;
	listener->portid = portid;
	listener->user = cp_limits_user();
	list_add_tail(&listener->list, &listeners);
	return listener;
}

static void remove_listener(struct listener *listener)
{
	list_del(&listener->list);
	put_pid_ns(listener->viewer.ns);
	kfree(listener);
}

/*
 * Every event goes past every listener: nobody, with however many names, may
 * have so many that slaves notice.
 */
static bool may_listen(const struct viewer *viewer)
{
	unsigned int all = 0, own = 0;
	kuid_t user = cp_limits_user();
	struct listener *listener;

	lockdep_assert_held_write(&listeners_lock);
	list_for_each_entry(listener, &listeners, list) {
		all++;
		own += uid_eq(listener->user, user);
	}
	return viewer->all ||
	       (all < LISTENERS_MAX && own < CP_NL_LISTENERS_PER_USER);
}

static int set_listener(struct sk_buff *skb, struct genl_info *info)
{
	u32 events = nla_get_u32(info->attrs[CP_NL_A_EVENTS]);
	struct net *net = genl_info_net(info);
	struct listener *listener = find_listener(net, info->snd_portid);
	struct viewer viewer;

	lockdep_assert_held_write(&listeners_lock);
	viewer_init(&viewer, skb);
	if (!events) {
		if (listener)
			remove_listener(listener);
		return 0;
	}
	if (!listener && !may_listen(&viewer)) {
		NL_SET_ERR_MSG(info->extack, "too many listeners: close one");
		return -EUSERS;
	}
	if (listener)
		put_pid_ns(listener->viewer.ns);
	else
		listener = add_listener(net, info->snd_portid);
	if (!listener)
		return -ENOMEM;
	listener->events = events;
	listener->viewer = viewer;
	get_pid_ns(listener->viewer.ns);
	return 0;
}

static int subscribe_doit(struct sk_buff *skb, struct genl_info *info)
{
	int ret;

	if (GENL_REQ_ATTR_CHECK(info, CP_NL_A_EVENTS))
		return -EINVAL;
	down_write(&listeners_lock);
	ret = set_listener(skb, info);
	sum_wanted_events();
	up_write(&listeners_lock);
	return ret;
}

/* A socket is closed: it listens no more. */
static int socket_released(struct notifier_block *nb, unsigned long event,
			   void *data)
{
	const struct netlink_notify *notify = data;
	struct listener *listener;

	if (event != NETLINK_URELEASE || notify->protocol != NETLINK_GENERIC)
		return NOTIFY_DONE;
	down_write(&listeners_lock);
	listener = find_listener(notify->net, notify->portid);
	if (listener)
		remove_listener(listener);
	sum_wanted_events();
	up_write(&listeners_lock);
	return NOTIFY_DONE;
}

static struct notifier_block socket_notifier = {
	.notifier_call = socket_released,
};

static const struct nla_policy slave_policy[] = {
	[CP_NL_A_SLAVE] = NLA_POLICY_MIN(NLA_U32, 1),
};

static const struct nla_policy subscribe_policy[] = {
	[CP_NL_A_EVENTS] = NLA_POLICY_MASK(NLA_U32, EVENTS_ALL),
};

static const struct genl_ops ops[] = {
	{
		.cmd		= CP_NL_CMD_PAIR_GET,
		.policy		= slave_policy,
		.maxattr	= ARRAY_SIZE(slave_policy) - 1,
		.doit		= pair_get_doit,
		.start		= pair_get_start,
		.dumpit		= pair_get_dumpit,
	},
	{
		.cmd		= CP_NL_CMD_PAIR_END,
		.policy		= slave_policy,
		.maxattr	= ARRAY_SIZE(slave_policy) - 1,
		.doit		= pair_end_doit,
	},
	{
		.cmd		= CP_NL_CMD_SUBSCRIBE,
		.policy		= subscribe_policy,
		.maxattr	= ARRAY_SIZE(subscribe_policy) - 1,
		.doit		= subscribe_doit,
	},
};

static struct genl_family family = {
	.name		= CP_NL_FAMILY_NAME,
	.version	= CP_NL_FAMILY_VERSION,
	.module		= THIS_MODULE,
	.ops		= ops,
	.n_ops		= ARRAY_SIZE(ops),
	.mcgrps		= groups,
	.n_mcgrps	= ARRAY_SIZE(groups),
	.parallel_ops	= true,
	.netnsok	= true,
};

/**
 * cp_netlink_init - register the family
 *
 * Return: 0 or an error.
 */
int cp_netlink_init(void)
{
	int ret = netlink_register_notifier(&socket_notifier);

	if (ret)
		return ret;
	ret = genl_register_family(&family);
	if (ret)
		netlink_unregister_notifier(&socket_notifier);
	return ret;
}

/**
 * cp_netlink_exit - unregister it; sockets that still listen hear no more
 */
void cp_netlink_exit(void)
{
	struct listener *listener, *next;

	genl_unregister_family(&family);
	netlink_unregister_notifier(&socket_notifier);
	list_for_each_entry_safe(listener, next, &listeners, list)
		remove_listener(listener);
}
