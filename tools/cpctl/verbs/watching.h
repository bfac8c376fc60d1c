/* SPDX-License-Identifier: GPL-2.0-only */
/* What the views of cpctl watch have in common. */
#ifndef WATCHING_H
#define WATCHING_H

#include <checkpoint.h>
#include <stdint.h>

#include "clock.h"

/* The time to wait for a checkpoint before the keyboard is polled. */
#define SLICE_NS (NSEC_PER_SEC / 5)

/*
 * struct watching - the pair and the options
 * @pair: the handle
 * @interval_ns: the time between two pictures
 * @get_flags: CP_GET_NUDGE or 0
 * @stack_limit: as in struct cp_pair_options
 */
struct watching {
	struct cp_pair	*pair;
	int64_t		interval_ns;
	unsigned int	get_flags;
	uint64_t	stack_limit;
};

/* enum outcome - the result of an attempt to take a picture */
enum outcome {
	TAKEN,		/* a new picture was taken */
	NOT_YET,	/* no checkpoint has come yet */
	BUSY,		/* the process is paired with another master */
	LEAVE,		/* the user wants to leave */
	OVER,		/* the process has ended, or all processes */
	FAILED,		/* an error, for which a message was printed */
};

#endif /* WATCHING_H */
