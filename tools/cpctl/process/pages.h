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

/* struct pages - a set of pages, sorted by ascending address; all zero at first */
struct pages {
	size_t		nr;
	size_t		room;
	struct page	*page;
};

/* pages_find() - the bytes of the page that begins at @addr, or NULL */
const unsigned char *pages_find(const struct pages *pages, uint64_t addr);

/*
 * pages_add() - add a page that is not in the set yet
 * @bytes: memory from malloc(3), which the set then owns; freed on failure
 *
 * Return: 0, or -1 with errno ENOMEM.
 */
int pages_add(struct pages *pages, uint64_t addr, unsigned char *bytes);

/* pages_free() - free all pages; the set is empty then */
void pages_free(struct pages *pages);

#endif /* PAGES_H */
