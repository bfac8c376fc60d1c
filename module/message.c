// SPDX-License-Identifier: GPL-2.0-only
/*
 * Netlink messages about pairs: their attributes.
 */
#include <linux/checkpoint_netlink.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <net/genetlink.h>

#include "message.h"
#include "pair.h"
#include "timens.h"
#include "viewer.h"

/* Room for any message: all attributes together take about 520 bytes. */
#define MESSAGE_SIZE	1024

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
			   pid_nr_ns(pair->slave.pid, ns)) ||
	       nla_put_u32(skb, CP_NL_A_MASTER,
			   pid_nr_ns(pair->master.pid, ns)) ||
	       put_comm(skb, CP_NL_A_SLAVE_COMM, pair->slave.task) ||
	       put_comm(skb, CP_NL_A_MASTER_COMM, pair->master.task) ||
	       nla_put_u32(skb, CP_NL_A_UID,
			   from_kuid_munged(&init_user_ns, pair->master.uid));
}

static int put_state(struct sk_buff *skb, struct cp_pair *pair,
		     const struct cp_viewer *viewer)
{
	return nla_put_u32(skb, CP_NL_A_STATE, cp_parts_state(&pair->parts)) ||
	       nla_put_u32(skb, CP_NL_A_REASON, READ_ONCE(pair->outcome.reason)) ||
	       nla_put_s32(skb, CP_NL_A_STATUS, READ_ONCE(pair->outcome.status)) ||
	       put_time(skb, CP_NL_A_MADE, pair->made, viewer);
}

static int put_figures(struct sk_buff *skb, const struct cp_figures *figures)
{
	return put_u64(skb, CP_NL_A_BYTES, figures->bytes) ||
	       put_u64(skb, CP_NL_A_HELD, figures->held.total) ||
	       put_u64(skb, CP_NL_A_HELD_MAX, figures->held.longest) ||
	       nla_put_64bit(skb, CP_NL_A_HELD_HISTOGRAM,
			     sizeof(figures->held_histogram),
			     figures->held_histogram, CP_NL_A_PAD) ||
	       nla_put_s32(skb, CP_NL_A_LAST_SYSCALL, figures->last_syscall) ||
	       nla_put_u32(skb, CP_NL_A_FLAGS, figures->last_flags);
}

static int put_stats(struct sk_buff *skb, struct cp_pair *pair)
{
	struct cp_ring_counts counts;
	struct cp_figures figures;

	cp_parts_count(&pair->parts, &counts);
	cp_parts_figures(&pair->parts, &figures);
	return put_u64(skb, CP_NL_A_TAKEN, counts.taken) ||
	       put_u64(skb, CP_NL_A_MISSED, counts.missed) ||
	       nla_put_u32(skb, CP_NL_A_THREADS,
			   cp_parts_threads(&pair->parts)) ||
	       nla_put_u32(skb, CP_NL_A_UNSEEN,
			   atomic_read(&pair->parts.unseen)) ||
	       put_figures(skb, &figures);
}

/* A message about a thread or a child is sent by that task itself. */
static int put_current(struct sk_buff *skb, const struct cp_viewer *viewer)
{
	return nla_put_u32(skb, CP_NL_A_THREAD,
			   pid_nr_ns(task_pid(current), viewer->ns));
}

static int put_checkpoint(struct sk_buff *skb, const struct cp_message *message,
			  const struct cp_viewer *viewer)
{
	const struct cp_checkpoint *checkpoint = message->checkpoint;

	return put_u64(skb, CP_NL_A_SEQ, message->seq) ||
	       put_current(skb, viewer) ||
	       nla_put_u32(skb, CP_NL_A_ENTRY, checkpoint->entry) ||
	       nla_put_s32(skb, CP_NL_A_SYSCALL, checkpoint->syscall) ||
	       nla_put_u32(skb, CP_NL_A_FLAGS, checkpoint->flags) ||
	       put_u64(skb, CP_NL_A_IP, checkpoint->regs.rip) ||
	       put_u64(skb, CP_NL_A_SP, checkpoint->regs.rsp);
}

/**
 * cp_message_put - write a message's attributes
 * @skb: the buffer, which has the message's header
 * @message: the contents
 * @viewer: the receiver
 *
 * Return: 0, or -EMSGSIZE when there is no room.
 */
int cp_message_put(struct sk_buff *skb, const struct cp_message *message,
		   const struct cp_viewer *viewer)
{
	int full = put_names(skb, message->pair, viewer->ns);

	if (message->checkpoint)
		full = full || put_checkpoint(skb, message, viewer);
	else
		full = full || put_state(skb, message->pair, viewer) ||
		       put_stats(skb, message->pair);
	if (message->cmd == CP_NL_CMD_CHILD)
		full = full || put_current(skb, viewer);
	if (message->time)
		full = full || put_time(skb, CP_NL_A_TIME, message->time,
					viewer);
	return full ? -EMSGSIZE : 0;
}

/**
 * cp_message_new - make a message that is not part of a dump
 * @message: the contents
 * @portid: the receiver's address
 * @seq: the number of the request that the message answers; 0 for an event
 * @viewer: the receiver
 *
 * Return: the message, or NULL without memory.
 */
struct sk_buff *cp_message_new(const struct cp_message *message, u32 portid,
			       u32 seq, const struct cp_viewer *viewer)
{
	struct sk_buff *skb;
	void *header;

	skb = genlmsg_new(MESSAGE_SIZE, GFP_KERNEL | __GFP_NORETRY);
	if (!skb)
		return NULL;
	header = genlmsg_put(skb, portid, seq, message->family, 0, message->cmd);
	if (!header || cp_message_put(skb, message, viewer)) {
		nlmsg_free(skb);
		return NULL;
	}
	genlmsg_end(skb, header);
	return skb;
}

/**
 * cp_message_event - make the message that notifies a listener of an event
 * @message: the event
 * @viewer: the listener
 * @portid: its address
 * @lost: number of events that the listener has missed before this one
 *
 * Return: the message; NULL without memory.
 */
struct sk_buff *cp_message_event(const struct cp_message *message,
				 const struct cp_viewer *viewer, u32 portid,
				 u64 lost)
{
	struct sk_buff *skb = cp_message_new(message, portid, 0, viewer);
	struct nlmsghdr *nlh;

	if (!skb || !lost)
		return skb;
	/* nlmsg_end() may be called again: it sets the length. */
	nlh = nlmsg_hdr(skb);
	if (put_u64(skb, CP_NL_A_LOST, lost)) {
		nlmsg_free(skb);
		return NULL;
	}
	nlmsg_end(skb, nlh);
	return skb;
}
