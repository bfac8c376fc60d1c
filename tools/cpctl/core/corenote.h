/* SPDX-License-Identifier: GPL-2.0-only */
/* The notes of a core: registers, who the process is, where all is from. */
#ifndef CORENOTE_H
#define CORENOTE_H

#include "coreload.h"
#include "identity.h"
#include "memory.h"

/* Our own notes have this name, and these types. */
#define CORENOTE_NAME	"checkpoint"
#define CORENOTE_ORIGIN	0x43500001	/* what is from which instant: text */
#define CORENOTE_MAPS	0x43500002	/* the text of /proc/PID/maps */

/*
 * corenote_all() - all notes of a core
 * @loads: the memory that it holds
 * @size: receives their length
 *
 * Return: the notes, to be freed, or NULL with errno.
 */
char *corenote_all(const struct memory *memory, const struct identity *identity,
		   const struct coreloads *loads, size_t *size);

#endif /* CORENOTE_H */
