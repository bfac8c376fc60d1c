// SPDX-License-Identifier: GPL-2.0-only
/* Checking whether an ELF file is the one that was mapped, by its build id. */
#include <elfutils/libdwelf.h>
#include <gelf.h>
#include <string.h>

#include "buildid.h"
#include "pages.h"

/* The length of the longest build id: a SHA-512. */
#define BUILDID_MAX 64

/* Reads the build id. Returns its length, or 0 if @elf has none. Ends @elf. */
static size_t read_buildid(Elf *elf, unsigned char id[BUILDID_MAX])
{
	const void *bytes;
	ssize_t size = elf ? dwelf_elf_gnu_build_id(elf, &bytes) : 0;

	if (size > 0 && size <= BUILDID_MAX)
		memcpy(id, bytes, (size_t)size);
	else
		size = 0;
	elf_end(elf);
	return (size_t)size;
}

/* Removes the section headers from the ELF header: they are not in the first page. */
static void forget_sections(unsigned char page[PAGE_BYTES])
{
	Elf64_Ehdr native;
	Elf32_Ehdr compat;

	if (page[EI_CLASS] == ELFCLASS32) {
		memcpy(&compat, page, sizeof(compat));
		compat.e_shoff = 0;
		compat.e_shnum = 0;
		compat.e_shstrndx = 0;
		memcpy(page, &compat, sizeof(compat));
		return;
	}
	memcpy(&native, page, sizeof(native));
	native.e_shoff = 0;
	native.e_shnum = 0;
	native.e_shstrndx = 0;
	memcpy(page, &native, sizeof(native));
}

bool buildid_differs(int fd, const unsigned char *page)
{
	unsigned char mapped[BUILDID_MAX], found[BUILDID_MAX];
	unsigned char copy[PAGE_BYTES];
	size_t size;

	if (!page || memcmp(page, ELFMAG, SELFMAG))
		return false;
	elf_version(EV_CURRENT);
	memcpy(copy, page, sizeof(copy));
	forget_sections(copy);
	size = read_buildid(elf_memory((char *)copy, sizeof(copy)), mapped);
	if (!size)
		return false;
	return read_buildid(elf_begin(fd, ELF_C_READ_MMAP, NULL), found) !=
		       size ||
	       memcmp(mapped, found, size);
}
