// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random values: numbers, structs and pointers that are valid or nearly valid.
 */
#include "fuzz.h"

/* A number, mostly at the edge of some range. */
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

/* Overwrites up to two fields of @bytes by odd numbers. */
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

/* Mostly a copy of @bytes; else a copy across the edge, or an invalid pointer. */
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

/* Stores @fd in *@place and closes the old descriptor exactly once. */
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

/* A descriptor of the device, in most cases that of the last pair. */
int any_file(struct fuzzer *fuzzer)
{
	if (fuzzer->paired && roll(&fuzzer->dice, 4))
		return *fuzzer->paired;
	return *any_place(fuzzer);
}
