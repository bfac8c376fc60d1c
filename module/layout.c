// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two layouts side by side: layout.h.
 */
#include <linux/checkpoint.h>
#include <linux/limits.h>
#include <linux/minmax.h>

#include "description.h"
#include "layout.h"

/**
 * cp_sweep_begin - begin at the lowest address
 * @sweep: set up
 * @then: the earlier layout
 * @now: the later one; both outlive the walk
 */
void cp_sweep_begin(struct cp_sweep *sweep, const struct cp_description *then,
		    const struct cp_description *now)
{
	unsigned int nr;

	sweep->at = 0;
	sweep->then = cp_description_mappings(then, &nr);
	sweep->then_end = sweep->then + nr;
	sweep->now = cp_description_mappings(now, &nr);
	sweep->now_end = sweep->now + nr;
}

/* The first mapping that ends after @at; @end if there is none. */
static const struct cp_snapshot_mapping *skip(const struct cp_snapshot_mapping *mapping,
					      const struct cp_snapshot_mapping *end,
					      u64 at)
{
	while (mapping != end && mapping->end <= at)
		mapping++;
	return mapping;
}

static u64 start_of(const struct cp_snapshot_mapping *mapping,
		    const struct cp_snapshot_mapping *end)
{
	return mapping == end ? U64_MAX : mapping->start;
}

/* The next boundary after @at. */
static u64 boundary(const struct cp_snapshot_mapping *mapping,
		    const struct cp_snapshot_mapping *end, u64 at)
{
	if (mapping == end)
		return U64_MAX;
	return mapping->start > at ? mapping->start : mapping->end;
}

/**
 * cp_sweep_next - the next stretch that is mapped in one of the layouts
 * @sweep: the walk
 * @stretch: filled in
 *
 * Return: false at the end.
 */
bool cp_sweep_next(struct cp_sweep *sweep, struct cp_stretch *stretch)
{
	u64 start;

	sweep->then = skip(sweep->then, sweep->then_end, sweep->at);
	sweep->now = skip(sweep->now, sweep->now_end, sweep->at);
	start = min(start_of(sweep->then, sweep->then_end),
		    start_of(sweep->now, sweep->now_end));
	if (start == U64_MAX)
		return false;
	start = max(start, sweep->at);
	stretch->start = start;
	stretch->end = min(boundary(sweep->then, sweep->then_end, start),
			   boundary(sweep->now, sweep->now_end, start));
	stretch->then = start_of(sweep->then, sweep->then_end) <= start ?
				sweep->then : NULL;
	stretch->now = start_of(sweep->now, sweep->now_end) <= start ?
			       sweep->now : NULL;
	sweep->at = stretch->end;
	return true;
}
