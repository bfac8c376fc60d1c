// SPDX-License-Identifier: GPL-2.0-only
/* The time. */
#include <time.h>

#include "clock.h"

int64_t clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * NSEC_PER_SEC + now.tv_nsec;
}
