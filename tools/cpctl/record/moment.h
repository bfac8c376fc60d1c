/* SPDX-License-Identifier: GPL-2.0-only */
/* What cp_pair_get() has given: a checkpoint, or the end of a thread. */
#ifndef MOMENT_H
#define MOMENT_H

#include "recording.h"
#include "snapshot.h"

/*
 * struct moment - a checkpoint, or the end of a thread; all zero at first
 * @is_end: whether this is the end of a thread
 * @end: the end of the thread
 * @shot: the checkpoint
 */
struct moment {
	bool			is_end;
	struct rec_thread_end	end;
	struct snapshot		shot;
};

#endif /* MOMENT_H */
