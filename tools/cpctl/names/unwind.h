/* SPDX-License-Identifier: GPL-2.0-only */
/* Which functions called which, up to a checkpoint. */
#ifndef UNWIND_H
#define UNWIND_H

#include "memory.h"
#include "symbols.h"

/*
 * struct frame - one call
 * @pc: where it will go on
 * @known: @symbol is known
 * @symbol: the function, or at least the module, of @pc; not for a function
 *	that was inlined
 * @place: where in the source; the function when it was inlined
 *
 * The strings live until the next symbols_find().
 */
struct frame {
	uint64_t	pc;
	bool		known;
	struct symbol	symbol;
	struct place	place;
};

/* unwind_frame_fn - is told one call after the other, the innermost first */
typedef void (*unwind_frame_fn)(void *arg, const struct frame *frame);

/* struct unwinder - for one process; unwind() may be called again and again */
struct unwinder;

/*
 * unwind_open() - for the process that these symbols are of
 * @compat: it runs 32-bit code
 *
 * Return: NULL with errno.
 */
struct unwinder *unwind_open(struct symbols *symbols, bool compat);

/* unwind_close() - free all; NULL is allowed. Before symbols_close(). */
void unwind_close(struct unwinder *unwinder);

/* UNWIND_WHY_SIZE - room for the reason why a backtrace is not complete */
#define UNWIND_WHY_SIZE 256

/*
 * unwind() - find the calls that led to a checkpoint
 * @max: at most so many; 0: as many as the stack can hold
 * @frame: is told each of them; NULL: only have the surroundings read
 * @why: receives why there are no more, when that is not the outermost
 *
 * Return: true when the outermost was reached.
 */
bool unwind(struct unwinder *unwinder, const struct memory *memory,
	    uint64_t max, unwind_frame_fn frame, void *arg,
	    char why[UNWIND_WHY_SIZE]);

#endif /* UNWIND_H */
