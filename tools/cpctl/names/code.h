/* SPDX-License-Identifier: GPL-2.0-only */
/* Which addresses of a process may be code, and of which file. */
#ifndef CODE_H
#define CODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * struct code_range - an executable mapping
 * @start: its first address
 * @end: the address behind its last
 * @base: where the file begins
 * @file: the file, without its directory; NULL when there is none
 */
struct code_range {
	uint64_t	start;
	uint64_t	end;
	uint64_t	base;
	char		*file;
};

/*
 * struct code - all of a process; zero it to begin with
 * @lines: the lines of /proc/PID/maps that are of executable mappings
 * @nr: number of @ranges
 * @ranges: by ascending address
 */
struct code {
	char			*lines;
	size_t			nr;
	struct code_range	*ranges;
};

/*
 * code_refresh() - look once more
 * @maps: the text of /proc/PID/maps, or NULL
 *
 * Return: true when that has changed.
 */
bool code_refresh(struct code *code, const char *maps);

/* code_find() - the range that an address is in, or NULL */
const struct code_range *code_find(const struct code *code, uint64_t addr);

/* code_free() - free all; there is none then. */
void code_free(struct code *code);

#endif /* CODE_H */
