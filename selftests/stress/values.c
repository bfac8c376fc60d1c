// SPDX-License-Identifier: GPL-2.0-only
/*
 * Odd values: numbers, structs and pointers that are nearly right.
 */
#include "fuzz.h"

/* Mostly one at which something ends, or begins. */
uint64_t odd_number(struct dice *dice)
{
	static const uint64_t ends[] = {
		0, 1, 2, 8, 127, 128, 255, 256, PAGE - 1, PAGE, PAGE + 1,
		65535, 65536, 1 << 30, 0x7fffffff, 0x80000000, 0xffffffff,
		1ULL << 32, 1ULL << 47, 1ULL << 63, ~0ULL, ~0ULL - PAGE + 1,
	};

	if (once_in(dice, 4))
		return dice_word(dice);
	return ends[roll(dice, ARRAY_SIZE(ends))];
}

/* A few of @bytes are not what they were. */
void spoil(struct dice *dice, void *bytes, size_t size)
{
	unsigned int times = roll(dice, 3);

	while (times-- && size >= sizeof(uint64_t)) {
		uint64_t value = odd_number(dice);
		size_t width = 1 << roll(dice, 4);
		size_t at = roll(dice, size / width) * width;

		memcpy((char *)bytes + at, &value, width);
	}
}

/* Where @bytes can be read, mostly: else where they are cut, or cannot be. */
void *odd_pointer(struct fuzzer *fuzzer, const void *bytes, size_t size)
{
	static const uint64_t nowhere[] = {
		0, 8, 1ULL << 47, 0x8000000000000000, 0xffff888000000000,
		0xffffffff81000000, ~0ULL, ~0ULL - PAGE + 1,
	};
	struct dice *dice = &fuzzer->dice;
	char *at = fuzzer->good;

	switch (roll(dice, 16)) {
	case 0:
		return (void *)nowhere[roll(dice, ARRAY_SIZE(nowhere))];
	case 1:
		return fuzzer->constant;
	case 2:
		at = fuzzer->edge - roll(dice, size + 1);
		memcpy(at, bytes, fuzzer->edge - at);
		return at;
	case 3:
		at = fuzzer->edge - size;
		break;
	case 4:
		at += roll(dice, 8);
		break;
	case 5:
		return fuzzer->windows + roll(dice, NR_WINDOWS) * WINDOW_SIZE;
	}
	memcpy(at, bytes, size);
	return at;
}

/* A file takes a place; the one that was there is closed, once. */
void put_file(volatile int *place, int fd)
{
	int old = __atomic_exchange_n(place, fd, __ATOMIC_SEQ_CST);

	if (old >= 0)
		close(old);
}

volatile int *any_place(struct fuzzer *fuzzer)
{
	return &fuzzer->files[roll(&fuzzer->dice, NR_FILES)];
}

/* Often the one on which there may be a pair. */
int any_file(struct fuzzer *fuzzer)
{
	if (fuzzer->paired && roll(&fuzzer->dice, 4))
		return *fuzzer->paired;
	return *any_place(fuzzer);
}
