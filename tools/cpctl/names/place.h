/* SPDX-License-Identifier: GPL-2.0-only */
/* A place in a source file. */
#ifndef PLACE_H
#define PLACE_H

/* More functions than that are not inlined into each other. */
#define PLACES_MAX 64

/*
 * struct place - where code comes from
 * @function: the function that was inlined there; NULL when none was
 * @file: the source file; NULL when it is not known
 * @line: the line in it
 */
struct place {
	const char	*function;
	const char	*file;
	int		line;
};

#endif /* PLACE_H */
