/* SPDX-License-Identifier: GPL-2.0-only */
/* What a namer may read, after what had happened to those before it. */
#ifndef TERMS_H
#define TERMS_H

#include <stdbool.h>
#include <stdint.h>

/* So many files may end a namer; then there are no names any more. */
#define SHUNNED_MAX 8

/* How much is read of a file. */
enum reading {
	READ_ALL,	/* with its debug information */
	READ_SYMBOLS,	/* without */
	READ_NOTHING,
};

/* struct shunned - a file that ended a namer */
struct shunned {
	uint64_t	base;
	enum reading	reading;
};

/*
 * struct terms - of a namer
 * @reading: at most so much of any file
 * @shunned: less of these
 * @nr_shunned: number of @shunned
 * @blame: shared memory: where the file is mapped that the namer is reading
 */
struct terms {
	enum reading		reading;
	struct shunned		shunned[SHUNNED_MAX];
	unsigned int		nr_shunned;
	volatile uint64_t	*blame;
};

/* terms_of() - how much may be read of the file that is mapped at @base */
enum reading terms_of(const struct terms *terms, uint64_t base);

/*
 * terms_shun() - the file that is to blame has ended a namer
 *
 * Return: false when that has happened too often.
 */
bool terms_shun(struct terms *terms);

#endif /* TERMS_H */
