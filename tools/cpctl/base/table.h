/* SPDX-License-Identifier: GPL-2.0-only */
/* A table that fits the terminal. */
#ifndef TABLE_H
#define TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "style.h"

/*
 * struct table_column - a column
 * @name: its header
 * @width: the least columns of the terminal that it takes
 * @left: its text begins at the left
 * @rank: on a narrow terminal, columns are left out in the order of falling ranks;
 *	0: never
 *
 * The last column is for text of any length: what does not fit is cut off.
 */
struct table_column {
	const char	*name;
	unsigned int	width;
	bool		left;
	unsigned int	rank;
};

/*
 * struct table - zero it but for @columns and @nr_columns to begin with
 * @columns: its columns, at most TABLE_COLUMNS_MAX
 * @cells: the text, row by row; NULL is shown as a question mark
 * @nr_cells: how many there are
 * @failed: there was not enough memory for another one
 */
struct table {
	const struct table_column	*columns;
	unsigned int			nr_columns;
	char				**cells;
	size_t				nr_cells;
	bool				failed;
};

#define TABLE_COLUMNS_MAX 16

/* table_add() - the next cell, from the left to the right, row after row */
void table_add(struct table *table, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * table_print() - print it
 * @terminal: the columns of the terminal; 0 without a limit
 * @style: for the header; NULL for none
 */
void table_print(const struct table *table, FILE *out, unsigned int terminal,
		 const struct style *style);

/* table_free() - free the cells */
void table_free(struct table *table);

#endif /* TABLE_H */
