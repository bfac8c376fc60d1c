/* SPDX-License-Identifier: GPL-2.0-only */
/* The time. */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdint.h>

#define NSEC_PER_SEC 1000000000LL

/* clock_ns() - CLOCK_MONOTONIC in nanoseconds */
int64_t clock_ns(void);

#endif /* CLOCK_H */
