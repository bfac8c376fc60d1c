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
 * @width: the minimum width in columns of the terminal
 * @left: whether its text is left-aligned
 * @rank: order of omission on a narrow terminal: the highest rank is left out
 *	first, a column of rank 0 never
 *
 * The last column is for text of any length, which is cut off where it does not fit.
 */
struct table_column {
	const char	*name;
	unsigned int	width;
	bool		left;
	unsigned int	rank;
};

/*
 * struct table - a table; all but @columns and @nr_columns is zero at first
 * @columns: the columns, at most TABLE_COLUMNS_MAX
 * @nr_columns: number of @columns
 * @cells: the text of the cells, row by row; NULL is printed as a question mark
 * @nr_cells: number of @cells
 * @failed: whether memory ran out for a cell
 */
struct table {
	const struct table_column	*columns;
	unsigned int			nr_columns;
	char				**cells;
	size_t				nr_cells;
	bool				failed;
};

#define TABLE_COLUMNS_MAX 16

/* table_add() - add the next cell: left to right, row after row */
void table_add(struct table *table, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * table_print() - print the table
 * @terminal: the width of the terminal in columns; 0 for no limit
 * @style: the style of the header; NULL to print no header
 */
void table_print(const struct table *table, FILE *out, unsigned int terminal,
		 const struct style *style);

/* table_free() - free the cells */
void table_free(struct table *table);

#endif /* TABLE_H */
