/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Two layouts of the memory of one process, at two times, side by side: in stretches, in
 * each of which neither has a boundary between mappings.
 */
#ifndef _CP_LAYOUT_H
#define _CP_LAYOUT_H

#include <linux/types.h>

struct cp_description;
struct cp_snapshot_mapping;

/**
 * struct cp_sweep - a walk over two layouts
 * @at:		the next address
 * @then:	the next mapping of the earlier layout
 * @then_end:	after the last one
 * @now:	the next mapping of the later layout
 * @now_end:	after the last one
 */
struct cp_sweep {
	u64 at;
	const struct cp_snapshot_mapping *then, *then_end;
	const struct cp_snapshot_mapping *now, *now_end;
};

/**
 * struct cp_stretch - what one step of the walk gives
 * @start:	the first address
 * @end:	the first one after it
 * @then:	the mapping of the earlier layout; NULL without one
 * @now:	the mapping of the later layout; NULL without one
 */
struct cp_stretch {
	u64 start, end;
	const struct cp_snapshot_mapping *then, *now;
};

void cp_sweep_begin(struct cp_sweep *sweep, const struct cp_description *then,
		    const struct cp_description *now);
bool cp_sweep_next(struct cp_sweep *sweep, struct cp_stretch *stretch);

#endif /* _CP_LAYOUT_H */
