/* SPDX-License-Identifier: GPL-2.0-only */
/* A place in a source file. */
#ifndef PLACE_H
#define PLACE_H

/* The maximum depth of functions inlined into each other. */
#define PLACES_MAX 64

/*
 * struct place - the place in the source of an instruction
 * @function: the inlined function; NULL if the code was not inlined
 * @file: the source file; NULL if not known
 * @line: the line in @file
 */
struct place {
	const char	*function;
	const char	*file;
	int		line;
};

#endif /* PLACE_H */
