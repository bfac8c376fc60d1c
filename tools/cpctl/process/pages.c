// SPDX-License-Identifier: GPL-2.0-only
/* Pages of a process's memory, by address. */
#include <stdlib.h>
#include <string.h>

#include "pages.h"

/* The index of the first page that is not below @addr. */
static size_t place_of(const struct pages *pages, uint64_t addr)
{
	size_t low = 0, high = pages->nr;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (pages->page[middle].addr < addr)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const unsigned char *pages_find(const struct pages *pages, uint64_t addr)
{
	size_t i = place_of(pages, addr);

	if (i == pages->nr || pages->page[i].addr != addr)
		return NULL;
	return pages->page[i].bytes;
}

int pages_add(struct pages *pages, uint64_t addr, unsigned char *bytes)
{
	size_t i = place_of(pages, addr);

	if (pages->nr == pages->room) {
		size_t room = pages->room ? pages->room * 2 : 16;
		struct page *page = reallocarray(pages->page, room,
						 sizeof(*page));

		if (!page) {
			free(bytes);
			return -1;
		}
		pages->page = page;
		pages->room = room;
	}
	memmove(&pages->page[i + 1], &pages->page[i],
		(pages->nr - i) * sizeof(pages->page[0]));
	pages->page[i].addr = addr;
	pages->page[i].bytes = bytes;
	pages->nr++;
	return 0;
}

void pages_free(struct pages *pages)
{
	size_t i;

	for (i = 0; i < pages->nr; i++)
		free(pages->page[i].bytes);
	free(pages->page);
	memset(pages, 0, sizeof(*pages));
}
