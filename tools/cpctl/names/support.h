/* SPDX-License-Identifier: GPL-2.0-only */
/* The memory that a debugger needs in order to name what a stack points to. */
#ifndef SUPPORT_H
#define SUPPORT_H

#include "identity.h"
#include "memory.h"
#include "symbols.h"

/*
 * support_read() - have a process's surroundings hold that memory
 *
 * That is: the first page of each program and library, where its headers and
 * its build id are; the vDSO, which is no file; and the dynamic linker's list
 * of libraries. What cannot be read is left out.
 */
void support_read(const struct memory *memory, const struct identity *identity,
		  struct symbols *symbols);

#endif /* SUPPORT_H */
