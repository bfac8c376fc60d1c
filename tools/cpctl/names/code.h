/* SPDX-License-Identifier: GPL-2.0-only */
/* The address ranges of a process that contain code, and their files. */
#ifndef CODE_H
#define CODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * struct code_range - an executable mapping
 * @start: its first address
 * @end: the address after its last
 * @base: the address at which the file begins
 * @file: the name of the file without its directory; NULL without a file
 */
struct code_range {
	uint64_t	start;
	uint64_t	end;
	uint64_t	base;
	char		*file;
};

/*
 * struct code - the code of a process; all zero at first
 * @lines: the lines of executable mappings in /proc/PID/maps
 * @nr: number of @ranges
 * @ranges: the executable mappings, sorted by ascending address
 */
struct code {
	char			*lines;
	size_t			nr;
	struct code_range	*ranges;
};

/*
 * code_refresh() - update @code
 * @maps: the current text of /proc/PID/maps, or NULL
 *
 * Return: true if the executable mappings have changed.
 */
bool code_refresh(struct code *code, const char *maps);

/* code_find() - the range that contains an address, or NULL */
const struct code_range *code_find(const struct code *code, uint64_t addr);

/* code_free() - free all ranges; @code is empty then */
void code_free(struct code *code);

#endif /* CODE_H */
