// SPDX-License-Identifier: GPL-2.0-only
/* Exercise 2: how far does the slave get while its master does something else? */
#include <unistd.h>

#include "counted.h"

int main(int argc, char **argv)
{
	struct cp_pair *pair = pair_with(argc, argv);
	uint64_t before = next_count(pair);

	sleep(1);
	printf("system calls in one second without cp_get(): %ju\n",
	       (uintmax_t)(next_count(pair) - before));
	cp_pair_close(pair);
	return 0;
}
