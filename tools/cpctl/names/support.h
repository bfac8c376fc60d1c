/* SPDX-License-Identifier: GPL-2.0-only */
/* The memory that a debugger needs to find the names of a stack's addresses. */
#ifndef SUPPORT_H
#define SUPPORT_H

#include "identity.h"
#include "memory.h"
#include "symbols.h"

/*
 * support_read() - read that memory into the pages of the surroundings
 *
 * This function reads the first page of the program and of each library, which contains
 * the headers and the build id; the vDSO, which is not a file; and the dynamic linker's
 * list of libraries. Memory that cannot be read is left out.
 */
void support_read(const struct memory *memory, const struct identity *identity,
		  struct symbols *symbols);

#endif /* SUPPORT_H */
