/* SPDX-License-Identifier: GPL-2.0-only */
/* Colours for output to a terminal, plain marks for other output. */
#ifndef STYLE_H
#define STYLE_H

#include <stdio.h>

/* struct style - strings to print before and after words; each may be empty */
struct style {
	const char	*head;		/* before a headline */
	const char	*symbol;	/* before a symbol */
	const char	*changed;	/* before a value that has changed */
	const char	*unchanged;	/* before one that has not; same width */
	const char	*end;		/* after all of these but unchanged values */
};

/*
 * style_of() - the style for output to @file
 *
 * The style has colours if @file is a terminal that supports colours and NO_COLOR
 * is not set.
 */
const struct style *style_of(FILE *file);

#endif /* STYLE_H */
