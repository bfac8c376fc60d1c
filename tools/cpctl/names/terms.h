/* SPDX-License-Identifier: GPL-2.0-only */
/* Which files a namer may read, after earlier namers crashed on some of them. */
#ifndef TERMS_H
#define TERMS_H

#include <stdbool.h>
#include <stdint.h>

/* After this many files have ended a namer, no further namer is started. */
#define SHUNNED_MAX 8

/* enum reading - how much of a file a namer reads */
enum reading {
	READ_ALL,	/* the symbol tables and the debug information */
	READ_SYMBOLS,	/* the symbol tables only */
	READ_NOTHING,
};

/* struct shunned - a file that ended a namer, by the address of its mapping */
struct shunned {
	uint64_t	base;
	enum reading	reading;
};

/*
 * struct terms - the restrictions of a namer
 * @reading: the most that the namer reads of any file
 * @shunned: files of which the namer reads less
 * @nr_shunned: number of @shunned
 * @blame: shared memory with the base address of the file that the namer is reading
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
 * terms_shun() - add the file in *@blame to @shunned: it has ended a namer
 *
 * Return: false if no further namer shall be started.
 */
bool terms_shun(struct terms *terms);

#endif /* TERMS_H */
