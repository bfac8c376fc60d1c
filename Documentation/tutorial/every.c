// SPDX-License-Identifier: GPL-2.0-only
/* Exercise 1: is any return to user mode missed? */
#include "counted.h"

int main(int argc, char **argv)
{
	struct cp_pair *pair = pair_with(argc, argv);
	uint64_t before = next_count(pair);
	int missed = 0;

	for (int i = 0; i < 1000; i++) {
		uint64_t count = next_count(pair);

		missed += count != before + 1;
		before = count;
	}
	printf("1000 system calls, %d missed\n", missed);
	cp_pair_close(pair);
	return 0;
}
