/* SPDX-License-Identifier: GPL-2.0-only */
/* Backtraces: the calls that led to a checkpoint. */
#ifndef UNWIND_H
#define UNWIND_H

#include "memory.h"
#include "symbols.h"

/*
 * struct frame - one call
 * @pc: the address at which the function will continue
 * @known: whether @symbol is known
 * @symbol: the function of @pc, or at least its module; never an inlined function
 * @place: the place in the source; names the function if it was inlined
 *
 * The strings are valid until the next symbols_find().
 */
struct frame {
	uint64_t	pc;
	bool		known;
	struct symbol	symbol;
	struct place	place;
};

/* unwind_frame_fn - called for each frame, innermost first */
typedef void (*unwind_frame_fn)(void *arg, const struct frame *frame);

/* struct unwinder - the unwinder of a process, for any number of unwind() calls */
struct unwinder;

/*
 * unwind_open() - prepare for unwind()
 * @symbols: the symbols of the process
 * @compat: whether the process runs 32-bit code
 *
 * Return: NULL with errno.
 */
struct unwinder *unwind_open(struct symbols *symbols, bool compat);

/* unwind_close() - free @unwinder, before symbols_close(); NULL is allowed */
void unwind_close(struct unwinder *unwinder);

/* UNWIND_WHY_SIZE - room for the reason why a backtrace is not complete */
#define UNWIND_WHY_SIZE 256

/*
 * unwind() - find the calls that led to a checkpoint
 * @max: the maximum number of calls; 0 for as many as fit on the stack
 * @frame: the function to call for each frame; NULL to only read the surroundings
 * @arg: the first argument of @frame
 * @why: receives the reason if the outermost call was not reached, else ""
 *
 * Return: true if the outermost call was reached.
 */
bool unwind(struct unwinder *unwinder, const struct memory *memory,
	    uint64_t max, unwind_frame_fn frame, void *arg,
	    char why[UNWIND_WHY_SIZE]);

#endif /* UNWIND_H */
