// SPDX-License-Identifier: GPL-2.0-only
/* The threads that a hold has left asleep. */
#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "mapping.h"
#include "sleepers.h"

/* Bytes below the stack pointer that belong to the running function. */
#define RED_ZONE 128

/* The wait for a thread that is waking: steps, and their number. */
#define STEP_NS 1000000L
#define STEPS 250

/*
 * struct sleepers - the threads that are being read
 * @pair, @around, @asleep: see sleepers_take()
 * @info: the module's limits; zero until a thread is found asleep
 * @stack_limit: see sleepers_take()
 * @fresh: the mappings as of now; NULL unless those of @around lack a stack
 */
struct sleepers {
	const struct cp_pair		*pair;
	const struct surroundings	*around;
	struct instant			*asleep;
	struct cp_info			info;
	uint64_t			stack_limit;
	char				*fresh;
};

/* struct stack - the mapping of a stack, and whether it was made to be one */
struct stack {
	struct mapping	mapping;
	bool		made;
};

/*
 * Finds the mapping that contains @sp. As in the module, a mapping was made to be a stack
 * if it grows down, or lies above one that cannot be accessed.
 */
static bool find_in(const char *text, uint64_t sp, struct stack *stack)
{
	struct mapping below = {};

	while (mapping_next(&text, &stack->mapping)) {
		const struct mapping *mapping = &stack->mapping;

		if (sp >= mapping->start && sp < mapping->end) {
			stack->made = mapping_is(mapping, "[stack]") ||
				      (below.end == mapping->start &&
				       !below.write && !below.exec);
			return true;
		}
		below = *mapping;
	}
	return false;
}

/* The mappings that were read before the hold may be too old. */
static bool find_stack(struct sleepers *sleepers, uint64_t sp, struct stack *stack)
{
	if (find_in(sleepers->around->maps, sp, stack))
		return true;
	if (!sleepers->fresh)
		sleepers->fresh = surroundings_maps(sleepers->around);
	return find_in(sleepers->fresh, sp, stack);
}

static uint64_t limit_of(const struct sleepers *sleepers, const struct stack *stack)
{
	if (sleepers->stack_limit)
		return sleepers->stack_limit;
	return stack->made ? sleepers->info.stack_default :
			     sleepers->info.arena_default;
}

/* Adds the stack, as far as it can be read; returns 0, or -1 with errno ENOMEM. */
static int add_stack(struct sleepers *sleepers, struct snapshot *snapshot)
{
	uint64_t sp = snapshot->head.regs.rsp, limit;
	struct segment segment = { .info.kind = CP_SEGMENT_STACK };
	struct cp_segment *info = &segment.info;
	struct stack stack;
	ssize_t size;

	if (!find_stack(sleepers, sp, &stack)) {
		info->flags = CP_SEGF_UNMAPPED;
		return segment_alloc(&segment) ?:
		       snapshot_add(snapshot, &segment);
	}
	limit = limit_of(sleepers, &stack);
	info->map_start = stack.mapping.start;
	info->map_end = stack.mapping.end;
	info->addr = sp - info->map_start > RED_ZONE ? sp - RED_ZONE :
						       info->map_start;
	info->size = info->map_end - info->addr;
	if (info->size > limit) {
		info->size = limit;
		info->flags |= CP_SEGF_TRUNCATED;
	}
	if (segment_alloc(&segment))
		return -1;
	size = pread(sleepers->around->mem, segment.bytes, info->size,
		     (off_t)info->addr);
	if (size < 0 || (uint64_t)size < info->size)
		info->flags |= CP_SEGF_TRUNCATED;
	info->size = size < 0 ? 0 : (uint64_t)size;
	return snapshot_add(snapshot, &segment);
}

/* Reads a thread. Returns 1, 0 if it has run meanwhile, or -1 with errno. */
static int read_sleeper(struct sleepers *sleepers, unsigned int part,
			struct thread *thread)
{
	struct snapshot *snapshot = &thread->snapshot;
	struct cp_sleeper before, after;

	if (cp_pair_sleeper(sleepers->pair, part, &before))
		return -1;
	if (!sleepers->info.version &&
	    cp_pair_info(sleepers->pair, &sleepers->info))
		return -1;
	snapshot->head = before.checkpoint;
	if (add_stack(sleepers, snapshot)) {
		errno = ENOMEM;
		return -1;
	}
	return !cp_pair_sleeper(sleepers->pair, part, &after) &&
	       after.switches == before.switches;
}

/* Does the thread of the part need no reading, because it is held or has exited? */
static bool is_settled(int error)
{
	return error == EALREADY || error == ESRCH;
}

/* Returns 0, or -1 with errno. */
static int take_part(struct sleepers *sleepers, unsigned int part)
{
	const struct timespec step = { .tv_nsec = STEP_NS };
	unsigned int i;

	for (i = 0; i < STEPS; i++) {
		struct thread thread = {};
		int ret = read_sleeper(sleepers, part, &thread);

		if (ret == 1)
			return instant_add(sleepers->asleep, &thread);
		snapshot_free(&thread.snapshot);
		if (ret < 0 && is_settled(errno))
			return 0;
		if (ret < 0 && errno != EAGAIN)
			return -1;
		nanosleep(&step, NULL);
	}
	errno = ETIMEDOUT;
	return -1;
}

int sleepers_take(const struct cp_pair *pair, const struct surroundings *around,
		  uint64_t stack_limit, struct instant *asleep)
{
	struct sleepers sleepers = {
		.pair = pair,
		.around = around,
		.asleep = asleep,
		.stack_limit = stack_limit,
	};
	unsigned int i;
	int ret = 0;

	for (i = 0; !ret && i < cp_pair_parts(pair); i++)
		ret = take_part(&sleepers, i);
	free(sleepers.fresh);
	return ret;
}
