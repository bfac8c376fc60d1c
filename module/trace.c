// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tracepoints, defined once; trace.h declares them.
 */
#define CREATE_TRACE_POINTS
#include "trace.h"
