/* SPDX-License-Identifier: GPL-2.0-only */
/* Pages of a process's memory, by address. */
#ifndef PAGES_H
#define PAGES_H

#include <stddef.h>
#include <stdint.h>

#define PAGE_BYTES 4096

/*
 * struct page - one page
 * @addr: its address in the process
 * @bytes: PAGE_BYTES bytes
 */
struct page {
	uint64_t	addr;
	unsigned char	*bytes;
};

/* struct pages - a set, by ascending address; zero it to begin with. */
struct pages {
	size_t		nr;
	size_t		room;
	struct page	*page;
};

/* pages_find() - the bytes of the page at @addr, its beginning; or NULL */
const unsigned char *pages_find(const struct pages *pages, uint64_t addr);

/*
 * pages_add() - add a page that is not there yet
 * @bytes: from malloc(3); belongs to the set, or is freed without success
 *
 * Return: 0, or -1 with errno ENOMEM.
 */
int pages_add(struct pages *pages, uint64_t addr, unsigned char *bytes);

/* pages_free() - free what it holds; it is empty then. */
void pages_free(struct pages *pages);

#endif /* PAGES_H */
