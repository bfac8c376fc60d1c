/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Seeded random numbers: the same seed gives the same numbers on every system.
 */
#ifndef _CP_STRESS_DICE_H
#define _CP_STRESS_DICE_H

#include <stdbool.h>
#include <stdint.h>

struct dice {
	uint64_t state;
};

/* xorshift64*: the multiplication improves the low bits of xorshift. */
static inline uint64_t dice_word(struct dice *dice)
{
	dice->state ^= dice->state << 13;
	dice->state ^= dice->state >> 7;
	dice->state ^= dice->state << 17;
	return dice->state * 0x9e3779b97f4a7c15ULL;
}

/* Independent dice for each @number, reproducible by @seed. */
static inline struct dice dice_of(uint64_t seed, uint64_t number)
{
	struct dice dice = { (seed + 1) * 0xd1342543de82ef95ULL ^
			     (number + 1) * 0x2545f4914f6cdd1dULL };
	int i;

	dice.state = dice.state ?: 1;
	for (i = 0; i < 8; i++)
		dice_word(&dice);
	return dice;
}

/* Returns 0 to @sides - 1. */
static inline unsigned int roll(struct dice *dice, unsigned int sides)
{
	return (dice_word(dice) >> 32) % sides;
}

static inline unsigned int between(struct dice *dice, unsigned int low,
				   unsigned int high)
{
	return low + roll(dice, high - low + 1);
}

/* True once in @times calls, on average. */
static inline bool once_in(struct dice *dice, unsigned int times)
{
	return !roll(dice, times);
}

#endif /* _CP_STRESS_DICE_H */
