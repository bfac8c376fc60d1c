/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Events of pairs, for the listeners that may see them. Each function may sleep but
 * waits for no listener.
 */
#ifndef _CP_EVENTS_H
#define _CP_EVENTS_H

#include "listeners.h"

struct cp_checkpoint;

void cp_event_pair_made(struct cp_pair *pair);
void cp_event_pair_ended(struct cp_pair *pair);
void cp_event_child(struct cp_pair *pair);
void cp_event_send_checkpoint(struct cp_pair *pair,
			      const struct cp_checkpoint *checkpoint, u64 seq,
			      u64 time);

/**
 * cp_event_checkpoint - notify listeners of a checkpoint
 * @pair: its pair
 * @checkpoint: its header, which the slave has not handed over yet
 * @seq: its number
 * @time: its time by the machine's clock
 */
static inline void cp_event_checkpoint(struct cp_pair *pair,
				       const struct cp_checkpoint *checkpoint,
				       u64 seq, u64 time)
{
	if (cp_listeners_want(pair, CP_NL_EVENT_CHECKPOINTS))
		cp_event_send_checkpoint(pair, checkpoint, seq, time);
}

#endif /* _CP_EVENTS_H */
