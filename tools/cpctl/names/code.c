// SPDX-License-Identifier: GPL-2.0-only
/* The address ranges of a process that contain code, and their files. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "code.h"
#include "mapping.h"

/* Copies the lines of executable mappings; NULL if there are none. */
static char *code_lines(const char *maps)
{
	struct mapping mapping;
	const char *line = maps;
	size_t size = 0;
	char *lines = NULL;
	FILE *text = open_memstream(&lines, &size);

	if (!text)
		return NULL;
	for (; mapping_next(&maps, &mapping); line = maps) {
		if (mapping.exec)
			fwrite(line, 1, (size_t)(maps - line), text);
	}
	fclose(text);
	if (!size) {
		free(lines);
		lines = NULL;
	}
	return lines;
}

static char *short_name(const struct mapping *mapping)
{
	const char *path = mapping->path;
	size_t len = mapping->path_len, i;

	for (i = len; i && path[i - 1] != '/'; i--)
		;
	return len ? mapping_path(path + i, len - i) : NULL;
}

static void free_ranges(struct code *code)
{
	size_t i;

	for (i = 0; i < code->nr; i++)
		free(code->ranges[i].file);
	free(code->ranges);
	code->ranges = NULL;
	code->nr = 0;
}

static void add_range(struct code *code, const struct mapping *mapping,
		      uint64_t base)
{
	struct code_range *ranges;

	ranges = reallocarray(code->ranges, code->nr + 1, sizeof(*ranges));
	if (!ranges)
		return;
	code->ranges = ranges;
	ranges[code->nr++] = (struct code_range){
		.start = mapping->start,
		.end = mapping->end,
		.base = base,
		.file = short_name(mapping),
	};
}

bool code_refresh(struct code *code, const char *maps)
{
	struct mapping mapping, first = {};
	char *lines = code_lines(maps);

	/* In nearly all calls, the mappings have not changed. */
	if (!lines || (code->lines && !strcmp(lines, code->lines))) {
		free(lines);
		return false;
	}
	free(code->lines);
	code->lines = lines;
	free_ranges(code);
	while (mapping_next(&maps, &mapping)) {
		if (!mapping.offset || !mapping_same_path(&mapping, &first))
			first = mapping;
		if (mapping.exec)
			add_range(code, &mapping, first.start);
	}
	return true;
}

const struct code_range *code_find(const struct code *code, uint64_t addr)
{
	size_t low = 0, high = code->nr;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (code->ranges[middle].start <= addr)
			low = middle + 1;
		else
			high = middle;
	}
	return low && addr < code->ranges[low - 1].end ?
		       &code->ranges[low - 1] : NULL;
}

void code_free(struct code *code)
{
	free_ranges(code);
	free(code->lines);
	code->lines = NULL;
}
