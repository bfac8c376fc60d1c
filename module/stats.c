// SPDX-License-Identifier: GPL-2.0-only
/*
 * The module's figures, one set for each processor.
 */
#include "stats.h"

DEFINE_PER_CPU(struct cp_totals, cp_totals);
