/* SPDX-License-Identifier: GPL-2.0-only */
/* Colour where a person looks at it, plain marks elsewhere. */
#ifndef STYLE_H
#define STYLE_H

#include <stdio.h>

/* struct style - what to print around things; parts of it may be empty */
struct style {
	const char	*head;		/* before a headline */
	const char	*symbol;	/* before a symbol */
	const char	*changed;	/* before what has changed */
	const char	*unchanged;	/* before what has not; as wide */
	const char	*end;		/* behind all but the unchanged */
};

/*
 * style_of() - the style for what is printed to @file
 *
 * Colour when it is a terminal that knows colour and NO_COLOR is not set.
 */
const struct style *style_of(FILE *file);

#endif /* STYLE_H */
