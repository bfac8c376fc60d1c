// SPDX-License-Identifier: GPL-2.0-only
/*
 * Generic netlink family "checkpoint": queries, subscriptions, and the ends of pairs
 * and of waits for pairs.
 */
#include <linux/checkpoint.h>
#include <linux/checkpoint_netlink.h>
#include <linux/module.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/sched/task.h>
#include <net/genetlink.h>

#include "life.h"
#include "listeners.h"
#include "message.h"
#include "netlink.h"
#include "newcomer.h"
#include "pair.h"
#include "table.h"
#include "timens.h"
#include "viewer.h"

#define EVENTS_ALL	(CP_NL_EVENT_PAIRS | CP_NL_EVENT_CHECKPOINTS)

static struct genl_family family;

static void viewer_init(struct cp_viewer *viewer, const struct sk_buff *skb)
{
	viewer->uid = NETLINK_CREDS(skb)->uid;
	viewer->all = netlink_capable(skb, CAP_SYS_PTRACE);
	viewer->ns = task_active_pid_ns(current);
	viewer->time_offset = cp_timens_offset();
}

/* The pair that a request names, if the sender may see it. */
static struct cp_pair *requested_pair(const struct cp_viewer *viewer,
				      struct genl_info *info)
{
	struct cp_pair *pair;

	if (GENL_REQ_ATTR_CHECK(info, CP_NL_A_SLAVE))
		return ERR_PTR(-EINVAL);
	pair = cp_table_find(nla_get_u32(info->attrs[CP_NL_A_SLAVE]));
	if (pair && !cp_viewer_sees(viewer, pair)) {
		cp_pair_unref(pair);
		pair = NULL;
	}
	if (!pair) {
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[CP_NL_A_SLAVE],
				    "this task is not the slave of a pair that you may see");
		return ERR_PTR(-ENOENT);
	}
	return pair;
}

static int pair_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct cp_message message = {
		.family = &family,
		.cmd = CP_NL_CMD_PAIR_GET,
	};
	struct cp_viewer viewer;
	struct sk_buff *reply;

	viewer_init(&viewer, skb);
	message.pair = requested_pair(&viewer, info);
	if (IS_ERR(message.pair))
		return PTR_ERR(message.pair);
	reply = cp_message_new(&message, info->snd_portid, info->snd_seq, &viewer);
	cp_pair_unref(message.pair);
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
	cp_life_end(pair, CP_END_DETACHED, 0);
	cp_pair_unref(pair);
	return 0;
}

static int let_go_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct task_struct *task;
	struct cp_viewer viewer;
	bool held = false;
	struct pid *pid;

	if (GENL_REQ_ATTR_CHECK(info, CP_NL_A_SLAVE))
		return -EINVAL;
	viewer_init(&viewer, skb);
	pid = find_get_pid(nla_get_u32(info->attrs[CP_NL_A_SLAVE]));
	task = get_pid_task(pid, PIDTYPE_PID);
	put_pid(pid);
	if (task) {
		held = cp_newcomer_let_go(task, viewer.all ? NULL : &viewer.uid);
		put_task_struct(task);
	}
	if (held)
		return 0;
	NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[CP_NL_A_SLAVE],
			    "this task is not held due to a pair that you may see");
	return -ENOENT;
}

static int dump_pair(struct sk_buff *skb, struct netlink_callback *cb,
		     struct cp_pair *pair, const struct cp_viewer *viewer)
{
	const struct cp_message message = {
		.family = &family,
		.cmd = CP_NL_CMD_PAIR_GET,
		.pair = pair,
	};
	void *header;

	header = genlmsg_put(skb, NETLINK_CB(cb->skb).portid,
			     cb->nlh->nlmsg_seq, &family, NLM_F_MULTI,
			     message.cmd);
	if (!header)
		return -EMSGSIZE;
	if (cp_message_put(skb, &message, viewer)) {
		genlmsg_cancel(skb, header);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, header);
	return 0;
}

/* Dumps have no filters: refuse attributes rather than ignore them. */
static int pair_get_start(struct netlink_callback *cb)
{
	if (nlmsg_attrlen(cb->nlh, GENL_HDRLEN)) {
		NL_SET_ERR_MSG(cb->extack, "a dump takes no attributes");
		return -EINVAL;
	}
	return 0;
}

static_assert(sizeof(struct cp_table_cursor) <=
	      sizeof_field(struct netlink_callback, ctx));

static int pair_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct cp_table_cursor *cursor = (void *)cb->ctx;
	struct cp_viewer viewer;
	struct cp_pair *pair;
	int ret = 0;

	viewer_init(&viewer, cb->skb);
	while (!ret && (pair = cp_table_next(cursor))) {
		if (cp_viewer_sees(&viewer, pair))
			ret = dump_pair(skb, cb, pair, &viewer);
		if (!ret)
			cp_table_passed(cursor, pair);
		cp_pair_unref(pair);
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
		.cmd		= CP_NL_CMD_LET_GO,
		.policy		= slave_policy,
		.maxattr	= ARRAY_SIZE(slave_policy) - 1,
		.doit		= let_go_doit,
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
	int ret = cp_listeners_init(&family);

	if (ret)
		return ret;
	ret = genl_register_family(&family);
	if (ret)
		cp_listeners_exit();
	return ret;
}

/**
 * cp_netlink_exit - unregister the family; no socket is sent an event after that
 */
void cp_netlink_exit(void)
{
	genl_unregister_family(&family);
	cp_listeners_exit();
}
