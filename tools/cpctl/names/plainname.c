// SPDX-License-Identifier: GPL-2.0-only
/* Demangling names of C++ and Rust. */
#include <libiberty/demangle.h>
#include <stdbool.h>
#include <string.h>

#include "plainname.h"

static bool nothing;

void plainname_off(void)
{
	nothing = true;
}

char *plainname(const char *name)
{
	const int options = DMGL_AUTO | DMGL_PARAMS | DMGL_ANSI | DMGL_RET_DROP;
	char *source = nothing ? NULL : cplus_demangle(name, options);

	return source ? source : strdup(name);
}
