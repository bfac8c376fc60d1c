// SPDX-License-Identifier: GPL-2.0-only
/* Backtraces: the calls that led to a checkpoint. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "namer.h"
#include "unwind.h"
#include "walk.h"

/* Frames beyond the captured stack: those of the stack before a signal handler's. */
#define FRAMES_SPARE 65536

/*
 * struct unwinder - the unwinder of a process
 * @symbols: the symbols of the process
 * @walker: a namer that reads no debug information, so that a huge or broken debug
 *	file cannot prevent a backtrace
 * @compat: whether the process runs 32-bit code
 */
struct unwinder {
	struct symbols	*symbols;
	struct namer	walker;
	bool		compat;
};

/*
 * struct calls - the calls that a walk has found
 * @nr: number of @call
 * @call: the calls: the address at which each continues, and an address inside the
 *	call instruction
 * @room: the number of calls for which @call has memory
 * @complete: whether the outermost call was reached
 * @missing: the address of the memory that could not be read, or 0
 * @why: the reason if the outermost call was not reached
 */
struct calls {
	size_t		nr;
	struct {
		uint64_t	pc;
		uint64_t	addr;
	}		*call;
	size_t		room;
	bool		complete;
	uint64_t	missing;
	char		why[UNWIND_WHY_SIZE];
};

struct unwinder *unwind_open(struct symbols *symbols, bool compat)
{
	struct unwinder *unwinder = calloc(1, sizeof(*unwinder));

	if (!unwinder)
		return NULL;
	unwinder->symbols = symbols;
	unwinder->compat = compat;
	if (namer_open(&unwinder->walker, symbols_namer(symbols)->around,
		       READ_SYMBOLS)) {
		unwind_close(unwinder);
		errno = ENOMEM;
		return NULL;
	}
	return unwinder;
}

void unwind_close(struct unwinder *unwinder)
{
	if (!unwinder)
		return;
	namer_close(&unwinder->walker);
	free(unwinder);
}

static void add_call(struct calls *calls, uint64_t pc, uint64_t addr)
{
	void *more;

	if (calls->nr == calls->room) {
		calls->room = calls->room ? calls->room * 2 : 64;
		more = reallocarray(calls->call, calls->room,
				    sizeof(*calls->call));
		if (!more) {
			calls->room = calls->nr;
			return;
		}
		calls->call = more;
	}
	calls->call[calls->nr].pc = pc;
	calls->call[calls->nr++].addr = addr;
}

/* A namer_part_fn: adds a call. */
static void on_part(void *arg, const struct wire_message *part)
{
	add_call(arg, part->value, part->more);
}

/* Fills in the registers of the checkpoint, in the order of their DWARF numbers. */
static void begin(const struct snapshot *snapshot, struct start *start)
{
	const struct cp_regs *r = &snapshot->head.regs;
	const uint64_t native[WALK_REGS_NATIVE] = {
		r->rax, r->rdx, r->rcx, r->rbx, r->rsi, r->rdi, r->rbp, r->rsp,
		r->r8,	r->r9,	r->r10, r->r11, r->r12, r->r13, r->r14, r->r15,
		r->rip,
	};
	const uint64_t compat[WALK_REGS_COMPAT] = {
		r->rax, r->rcx, r->rdx, r->rbx, r->rsp,
		r->rbp, r->rsi, r->rdi, r->rip,
	};

	if (start->compat)
		memcpy(start->regs, compat, sizeof(compat));
	else
		memcpy(start->regs, native, sizeof(native));
}

/*
 * Requests a walk, until a namer completes it or no namer is left. In that case, @calls
 * are those that the last namer found before it failed.
 */
static void walk_with(struct namer *namer, const struct memory *memory,
		      const struct start *start, struct calls *calls)
{
	const struct wire_message request = {
		.type = WIRE_WALK,
		.text = (char *)start,
		.size = sizeof(*start),
		.fd = -1,
	};
	struct wire_message done;

	do {
		calls->nr = 0;
		if (!namer_ask(namer, &request, memory, on_part, calls, &done))
			continue;
		calls->complete = done.value;
		calls->missing = done.more;
		snprintf(calls->why, sizeof(calls->why), "%s", done.text);
		wire_free(&done);
		return;
	} while (!namer->gone && namer->around->maps);
	snprintf(calls->why, sizeof(calls->why),
		 "the unwind information cannot be read");
}

static uint64_t calls_max(const struct snapshot *snapshot)
{
	uint64_t bytes = 0;
	unsigned int i;

	for (i = 0; i < snapshot->nr_segments; i++)
		bytes += snapshot->segments[i].info.size;
	return bytes / snapshot_word(snapshot) + FRAMES_SPARE;
}

/* Walks by .eh_frame, and if that is not sufficient, again with debug information. */
static void find_calls(struct unwinder *unwinder, const struct memory *memory,
		       uint64_t max, struct calls *calls)
{
	struct start start = {
		.compat = unwinder->compat,
		.max = max ? max : calls_max(memory->snapshot),
	};
	struct namer *namer = symbols_namer(unwinder->symbols);
	struct calls more = {};

	if (unwinder->walker.generation != namer->generation) {
		namer_refresh(&unwinder->walker);
		unwinder->walker.generation = namer->generation;
	}
	begin(memory->snapshot, &start);
	walk_with(&unwinder->walker, memory, &start, calls);
	if (calls->complete || calls->missing || calls->nr > start.max)
		return;
	walk_with(namer, memory, &start, &more);
	if (more.nr > calls->nr) {
		free(calls->call);
		*calls = more;
	} else {
		free(more.call);
	}
	if (!calls->nr)
		add_call(calls, memory->snapshot->head.regs.rip,
			 memory->snapshot->head.regs.rip);
}

/* Calls @report for the functions inlined at @addr and for their function. */
static void report_frames(struct unwinder *unwinder, uint64_t pc, uint64_t addr,
			  unwind_frame_fn report, void *arg)
{
	struct place places[PLACES_MAX] = {};
	struct frame frame = { .pc = pc };
	unsigned int nr, i;

	nr = symbols_places(unwinder->symbols, addr, places);
	frame.known = symbols_find(unwinder->symbols, addr, &frame.symbol);
	frame.symbol.offset += pc - addr;
	for (i = 0; i < (nr ? nr : 1); i++) {
		frame.place = places[i];
		report(arg, &frame);
	}
}

/* Replaces the reason if the missing memory is stack that was cut off. */
static void explain(const struct snapshot *snapshot, struct calls *calls)
{
	unsigned int i;

	for (i = 0; i < snapshot->nr_segments && calls->missing; i++) {
		const struct cp_segment *info = &snapshot->segments[i].info;

		if (!(info->flags & (CP_SEGF_TRUNCATED | CP_SEGF_NOMEM)) ||
		    calls->missing - info->map_start >=
			    info->map_end - info->map_start)
			continue;
		snprintf(calls->why, UNWIND_WHY_SIZE,
			 "the stack was cut off at 0x%" PRIx64 ": see --stack-limit",
			 (uint64_t)(info->addr + info->size));
		return;
	}
}

bool unwind(struct unwinder *unwinder, const struct memory *memory,
	    uint64_t max, unwind_frame_fn frame, void *arg,
	    char why[UNWIND_WHY_SIZE])
{
	const struct cp_checkpoint *cp = &memory->snapshot->head;
	struct calls calls = {};
	size_t i;

	if (!!(cp->flags & CP_CHECKPOINT_COMPAT) != unwinder->compat) {
		snprintf(why, UNWIND_WHY_SIZE,
			 "the process has gone from 64-bit to 32-bit code or back");
		return false;
	}
	find_calls(unwinder, memory, max, &calls);
	if (max && calls.nr > max) {
		calls.nr = max;
		calls.missing = 0;
		snprintf(calls.why, UNWIND_WHY_SIZE,
			 "there are more calls than %" PRIu64 ": see --frames",
			 max);
	}
	for (i = 0; i < calls.nr && frame; i++)
		report_frames(unwinder, calls.call[i].pc, calls.call[i].addr,
			      frame, arg);
	explain(memory->snapshot, &calls);
	memcpy(why, calls.why, UNWIND_WHY_SIZE);
	free(calls.call);
	return calls.complete;
}
