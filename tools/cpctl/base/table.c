// SPDX-License-Identifier: GPL-2.0-only
/* A table that fits the terminal. */
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>

#include "message.h"
#include "table.h"
#include "width.h"

/* Other columns are left out until the last column has this width. */
#define LAST_MIN 20

/* struct layout - the width of each column; 0 for a column that is left out */
struct layout {
	unsigned int	width[TABLE_COLUMNS_MAX];
};

void table_add(struct table *table, const char *fmt, ...)
{
	va_list args;
	char **cells;

	if (table->failed)
		return;
	cells = reallocarray(table->cells, table->nr_cells + 1, sizeof(*cells));
	if (!cells) {
		table->failed = true;
		return;
	}
	table->cells = cells;
	va_start(args, fmt);
	if (vasprintf(&cells[table->nr_cells], fmt, args) < 0)
		cells[table->nr_cells] = NULL;
	va_end(args);
	table->nr_cells++;
}

static const char *cell(const struct table *table, size_t nr)
{
	return table->cells[nr] ? table->cells[nr] : "?";
}

static void measure(const struct table *table, struct layout *layout)
{
	unsigned int *width, wide, i;
	size_t nr;

	for (i = 0; i < table->nr_columns; i++)
		layout->width[i] = table->columns[i].width;
	for (nr = 0; nr < table->nr_cells; nr++) {
		width = &layout->width[nr % table->nr_columns];
		wide = width_text(cell(table, nr));
		if (wide > *width)
			*width = wide;
	}
}

/* The width of all columns before the last one, with the blanks between them. */
static unsigned int before_last(const struct table *table,
				const struct layout *layout)
{
	unsigned int sum = 0, i;

	for (i = 0; i + 1 < table->nr_columns; i++)
		sum += layout->width[i] ? layout->width[i] + 1 : 0;
	return sum;
}

/* The column to be left out next, or the last one if all others must stay. */
static unsigned int least_wanted(const struct table *table,
				 const struct layout *layout)
{
	unsigned int last = table->nr_columns - 1, least = last, i;

	for (i = 0; i < last; i++) {
		if (layout->width[i] && table->columns[i].rank &&
		    (least == last ||
		     table->columns[i].rank > table->columns[least].rank))
			least = i;
	}
	return least;
}

static void fit(const struct table *table, struct layout *layout,
		unsigned int terminal)
{
	unsigned int last = table->nr_columns - 1, least, before;
	unsigned int wanted = layout->width[last];

	if (wanted > LAST_MIN)
		wanted = LAST_MIN;
	while (before_last(table, layout) + wanted > terminal) {
		least = least_wanted(table, layout);
		if (least == last)
			break;
		layout->width[least] = 0;
	}
	before = before_last(table, layout);
	layout->width[last] = terminal > before ? terminal - before : 1;
}

static void print_cell(const struct table *table, FILE *out,
		       const struct layout *layout, unsigned int column,
		       const char *text)
{
	const unsigned int width = layout->width[column];
	unsigned int wide;

	if (!width)
		return;
	if (column + 1 == table->nr_columns) {
		width_print(out, text, width);
		return;
	}
	wide = width_text(text);
	if (wide > width)
		wide = width;
	if (table->columns[column].left)
		fprintf(out, "%s%*s ", text, (int)(width - wide), "");
	else
		fprintf(out, "%*s%s ", (int)(width - wide), "", text);
}

void table_print(const struct table *table, FILE *out, unsigned int terminal,
		 const struct style *style)
{
	struct layout layout;
	unsigned int i;
	size_t nr;

	measure(table, &layout);
	if (terminal)
		fit(table, &layout, terminal);
	else
		layout.width[table->nr_columns - 1] = UINT_MAX;
	if (style) {
		fputs(style->head, out);
		for (i = 0; i < table->nr_columns; i++)
			print_cell(table, out, &layout, i,
				   table->columns[i].name);
		fprintf(out, "%s\n", style->end);
	}
	for (nr = 0; nr < table->nr_cells; nr++) {
		i = (unsigned int)(nr % table->nr_columns);
		print_cell(table, out, &layout, i, cell(table, nr));
		if (i + 1 == table->nr_columns)
			fputc('\n', out);
	}
	if (table->failed)
		warnx("not enough memory for the whole table");
}

void table_free(struct table *table)
{
	size_t nr;

	for (nr = 0; nr < table->nr_cells; nr++)
		free(table->cells[nr]);
	free(table->cells);
	table->cells = NULL;
	table->nr_cells = 0;
}
