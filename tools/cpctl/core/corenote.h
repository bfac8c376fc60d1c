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

#define CORENOTE_END	0x43500003	/* text: how far the memory is of the instant */

/* The size of the text of the note CORENOTE_END, and that of the note. */
#define CORENOTE_END_SIZE	64
#define CORENOTE_TAIL_SIZE	(12 + 12 + CORENOTE_END_SIZE)

/* corenote_tail() - the note CORENOTE_END with @text */
void corenote_tail(char note[CORENOTE_TAIL_SIZE],
		   const char text[CORENOTE_END_SIZE]);

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
