// SPDX-License-Identifier: GPL-2.0-only
/*
 * Events of pairs: events.h.
 */
#include <linux/checkpoint_netlink.h>
#include <linux/ktime.h>

#include "events.h"
#include "message.h"

static void event_send_pair(struct cp_pair *pair, u8 cmd)
{
	struct cp_message message = {
		.cmd = cmd,
		.pair = pair,
		.time = ktime_get_ns(),
	};

	if (cp_listeners_want(pair, CP_NL_EVENT_PAIRS))
		cp_listeners_notify(&message, CP_NL_EVENT_PAIRS);
}

/**
 * cp_event_pair_made - notify listeners that a pair was made
 * @pair: the pair
 */
void cp_event_pair_made(struct cp_pair *pair)
{
	event_send_pair(pair, CP_NL_CMD_PAIR_MADE);
}

/**
 * cp_event_pair_ended - notify listeners that a pair is over
 * @pair: the pair
 */
void cp_event_pair_ended(struct cp_pair *pair)
{
	event_send_pair(pair, CP_NL_CMD_PAIR_ENDED);
}

/**
 * cp_event_child - notify listeners that the current task, a child of the slave, is held
 * @pair: the slave's pair
 */
void cp_event_child(struct cp_pair *pair)
{
	event_send_pair(pair, CP_NL_CMD_CHILD);
}

/**
 * cp_event_send_checkpoint - cp_event_checkpoint() for a pair with listeners
 * @pair: its pair
 * @checkpoint: its header
 * @seq: its number
 * @time: its time by the machine's clock
 */
void cp_event_send_checkpoint(struct cp_pair *pair,
			      const struct cp_checkpoint *checkpoint, u64 seq,
			      u64 time)
{
	struct cp_message message = {
		.cmd = CP_NL_CMD_CHECKPOINT,
		.pair = pair,
		.checkpoint = checkpoint,
		.seq = seq,
		.time = time,
	};

	cp_listeners_notify(&message, CP_NL_EVENT_CHECKPOINTS);
}
