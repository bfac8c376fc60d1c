/* SPDX-License-Identifier: GPL-2.0-only */
/* The notes of a core: registers, identity of the process, origin of the data. */
#ifndef CORENOTE_H
#define CORENOTE_H

#include "coreload.h"
#include "identity.h"

/* The name and the types of the notes that only cpctl writes. */
#define CORENOTE_NAME	"checkpoint"
#define CORENOTE_ORIGIN	0x43500001	/* text: the instants of the data */
#define CORENOTE_MAPS	0x43500002	/* the text of /proc/PID/maps */

/*
 * corenote_all() - all notes of a core
 * @loads: the memory of the core
 * @size: receives the length of the notes
 *
 * Return: the notes, to be freed by the caller, or NULL with errno.
 */
char *corenote_all(const struct corestate *state, const struct identity *identity,
		   const struct coreloads *loads, size_t *size);

#endif /* CORENOTE_H */
