// SPDX-License-Identifier: GPL-2.0-only
/*
 * Generic netlink family "checkpoint".
 */
#include <linux/checkpoint.h>
#include <linux/checkpoint_netlink.h>
#include <linux/module.h>
#include <linux/pid_namespace.h>
#include <linux/sched/task.h>
#include <net/genetlink.h>

#include "listeners.h"
#include "netlink.h"
#include "pair.h"
#include "timens.h"

/* Room for any message: all attributes together take about 500 bytes. */
#define MESSAGE_SIZE	1024

#define EVENTS_ALL	(CP_NL_EVENT_PAIRS | CP_NL_EVENT_CHECKPOINTS)

static struct genl_family family;

static void viewer_init(struct cp_viewer *viewer, const struct sk_buff *skb)
{
	viewer->uid = NETLINK_CREDS(skb)->uid;
	viewer->all = netlink_capable(skb, CAP_SYS_PTRACE);
	viewer->ns = task_active_pid_ns(current);
	viewer->time_offset = cp_timens_offset();
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

static int put_time(struct sk_buff *skb, int attr, u64 time,
		    const struct cp_viewer *viewer)
{
	return put_u64(skb, attr, cp_timens_time(time, viewer->time_offset));
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

static int put_state(struct sk_buff *skb, struct cp_pair *pair,
		     const struct cp_viewer *viewer)
{
	return nla_put_u32(skb, CP_NL_A_STATE, cp_ring_state(&pair->ring)) ||
	       nla_put_u32(skb, CP_NL_A_REASON, READ_ONCE(pair->reason)) ||
	       nla_put_s32(skb, CP_NL_A_STATUS, READ_ONCE(pair->status)) ||
	       put_time(skb, CP_NL_A_MADE, pair->made, viewer);
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
	struct cp_held held = cp_stats_read_held(stats);

	return put_u64(skb, CP_NL_A_TAKEN, READ_ONCE(pair->ring.counts.taken)) ||
	       put_u64(skb, CP_NL_A_MISSED, READ_ONCE(pair->ring.counts.missed)) ||
	       put_u64(skb, CP_NL_A_BYTES, READ_ONCE(stats->bytes)) ||
	       put_u64(skb, CP_NL_A_HELD, held.total) ||
	       put_u64(skb, CP_NL_A_HELD_MAX, held.longest) ||
	       put_histogram(skb, stats) ||
	       nla_put_s32(skb, CP_NL_A_LAST_SYSCALL,
			   READ_ONCE(stats->last_syscall)) ||
	       nla_put_u32(skb, CP_NL_A_FLAGS, READ_ONCE(stats->last_flags));
}

static int put_checkpoint(struct sk_buff *skb,
			  const struct cp_checkpoint *checkpoint)
{
	return put_u64(skb, CP_NL_A_SEQ, checkpoint->seq) ||
	       nla_put_u32(skb, CP_NL_A_ENTRY, checkpoint->entry) ||
	       nla_put_s32(skb, CP_NL_A_SYSCALL, checkpoint->syscall) ||
	       nla_put_u32(skb, CP_NL_A_FLAGS, checkpoint->flags) ||
	       put_u64(skb, CP_NL_A_IP, checkpoint->regs.rip) ||
	       put_u64(skb, CP_NL_A_SP, checkpoint->regs.rsp);
}

static int put_message(struct sk_buff *skb, const struct cp_message *message,
		       const struct cp_viewer *viewer)
{
	int full = put_names(skb, message->pair, viewer->ns);

	if (message->checkpoint)
		full = full || put_checkpoint(skb, message->checkpoint);
	else
		full = full || put_state(skb, message->pair, viewer) ||
		       put_stats(skb, message->pair);
	if (message->time)
		full = full || put_time(skb, CP_NL_A_TIME, message->time,
					viewer);
	return full ? -EMSGSIZE : 0;
}

/* A whole message of its own, for the given receiver; NULL without memory. */
static struct sk_buff *new_message(const struct cp_message *message, u32 portid,
				   u32 seq, const struct cp_viewer *viewer)
{
	struct sk_buff *skb;
	void *header;

	skb = genlmsg_new(MESSAGE_SIZE, GFP_KERNEL | __GFP_NORETRY);
	if (!skb)
		return NULL;
	header = genlmsg_put(skb, portid, seq, &family, 0, message->cmd);
	if (!header || put_message(skb, message, viewer)) {
		nlmsg_free(skb);
		return NULL;
	}
	genlmsg_end(skb, header);
	return skb;
}

/**
 * cp_netlink_event - make the message that tells a listener of an event
 * @message: the event
 * @viewer: who the listener is
 * @portid: its address
 * @lost: events that it has missed before this one
 *
 * Return: the message; NULL without memory.
 */
struct sk_buff *cp_netlink_event(const struct cp_message *message,
				 const struct cp_viewer *viewer, u32 portid,
				 u64 lost)
{
	struct sk_buff *skb = new_message(message, portid, 0, viewer);
	struct nlmsghdr *nlh;

	if (!skb || !lost)
		return skb;
	/* Attributes may be added to a message that has its length. */
	nlh = nlmsg_hdr(skb);
	if (put_u64(skb, CP_NL_A_LOST, lost)) {
		nlmsg_free(skb);
		return NULL;
	}
	nlmsg_end(skb, nlh);
	return skb;
}

static void send_pair_event(struct cp_pair *pair, u8 cmd)
{
	const struct cp_message message = {
		.cmd = cmd,
		.pair = pair,
		.time = ktime_get_ns(),
	};

	if (cp_listeners_want(pair, CP_NL_EVENT_PAIRS))
		cp_listeners_tell(&message, CP_NL_EVENT_PAIRS);
}

static noinline void send_checkpoint(struct cp_pair *pair,
				     const struct cp_checkpoint *checkpoint)
{
	const struct cp_message message = {
		.cmd = CP_NL_CMD_CHECKPOINT,
		.pair = pair,
		.checkpoint = checkpoint,
		.time = checkpoint->time - pair->time_offset,
	};

	cp_listeners_tell(&message, CP_NL_EVENT_CHECKPOINTS);
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
 * cp_netlink_checkpoint - tell who listens of a checkpoint
 * @pair: its pair
 * @checkpoint: its header, still the slave's
 */
void cp_netlink_checkpoint(struct cp_pair *pair,
			   const struct cp_checkpoint *checkpoint)
{
	/* Out of line: the usual case should not have to build the message. */
	if (cp_listeners_want(pair, CP_NL_EVENT_CHECKPOINTS))
		send_checkpoint(pair, checkpoint);
}

/* The pair that a request names, if its sender may see it. */
static struct cp_pair *requested_pair(const struct cp_viewer *viewer,
				      struct genl_info *info)
{
	struct cp_pair *pair;

	if (GENL_REQ_ATTR_CHECK(info, CP_NL_A_SLAVE))
		return ERR_PTR(-EINVAL);
	pair = cp_pair_find(nla_get_u32(info->attrs[CP_NL_A_SLAVE]));
	if (pair && !cp_viewer_sees(viewer, pair)) {
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
	struct cp_message message = { .cmd = CP_NL_CMD_PAIR_GET };
	struct cp_viewer viewer;
	struct sk_buff *reply;

	viewer_init(&viewer, skb);
	message.pair = requested_pair(&viewer, info);
	if (IS_ERR(message.pair))
		return PTR_ERR(message.pair);
	reply = new_message(&message, info->snd_portid, info->snd_seq, &viewer);
	cp_pair_put(message.pair);
	return reply ? genlmsg_reply(reply, info) : -ENOMEM;
}

static int pair_end_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct cp_viewer viewer;
	struct cp_pair *pair;

	viewer_init(&viewer, skb);
	pair = requested_pair(&viewer, info);
	if (IS_ERR(pair))
		return PTR_ERR(pair);
	cp_pair_end(pair, CP_END_DETACHED, 0);
	cp_pair_put(pair);
	return 0;
}

static int dump_pair(struct sk_buff *skb, struct netlink_callback *cb,
		     struct cp_pair *pair, const struct cp_viewer *viewer)
{
	const struct cp_message message = {
		.cmd = CP_NL_CMD_PAIR_GET,
		.pair = pair,
	};
	void *header;

	header = genlmsg_put(skb, NETLINK_CB(cb->skb).portid,
			     cb->nlh->nlmsg_seq, &family, NLM_F_MULTI,
			     message.cmd);
	if (!header)
		return -EMSGSIZE;
	if (put_message(skb, &message, viewer)) {
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
	struct cp_viewer viewer;
	struct cp_pair *pair;
	int ret = 0;

	viewer_init(&viewer, cb->skb);
	while (!ret && (pair = cp_pair_next(cursor))) {
		if (cp_viewer_sees(&viewer, pair))
			ret = dump_pair(skb, cb, pair, &viewer);
		if (!ret)
			cp_pair_passed(cursor, pair);
		cp_pair_put(pair);
	}
	return skb->len;
}

static int subscribe_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct cp_viewer viewer;

	if (GENL_REQ_ATTR_CHECK(info, CP_NL_A_EVENTS))
		return -EINVAL;
	viewer_init(&viewer, skb);
	return cp_listeners_set(NETLINK_CB(skb).sk, info->snd_portid,
				nla_get_u32(info->attrs[CP_NL_A_EVENTS]),
				&viewer, info->extack);
}

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
	int ret = cp_listeners_init();

	if (ret)
		return ret;
	ret = genl_register_family(&family);
	if (ret)
		cp_listeners_exit();
	return ret;
}

/**
 * cp_netlink_exit - unregister it; sockets that still listen hear no more
 */
void cp_netlink_exit(void)
{
	genl_unregister_family(&family);
	cp_listeners_exit();
}
