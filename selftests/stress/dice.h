/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Seeded chance: who has the same seed rolls the same numbers, everywhere.
 */
#ifndef _CP_STRESS_DICE_H
#define _CP_STRESS_DICE_H

#include <stdbool.h>
#include <stdint.h>

struct dice {
	uint64_t state;
};

/* xorshift, multiplied: its low bits alone are poor. */
static inline uint64_t dice_word(struct dice *dice)
{
	dice->state ^= dice->state << 13;
	dice->state ^= dice->state >> 7;
	dice->state ^= dice->state << 17;
	return dice->state * 0x9e3779b97f4a7c15ULL;
}

/* Dice of their own for each @number of what @seed began. */
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

/* 0 to @sides - 1 */
static inline unsigned int roll(struct dice *dice, unsigned int sides)
{
	return (dice_word(dice) >> 32) % sides;
}

static inline unsigned int between(struct dice *dice, unsigned int low,
				   unsigned int high)
{
	return low + roll(dice, high - low + 1);
}

/* Once in @times. */
static inline bool once_in(struct dice *dice, unsigned int times)
{
	return !roll(dice, times);
}

#endif /* _CP_STRESS_DICE_H */
