// SPDX-License-Identifier: GPL-2.0-only
/* The size of an ELF file's compressed sections in memory. Runs in the namer. */
#include <endian.h>
#include <gelf.h>
#include <string.h>

#include "inflated.h"

/* The older format begins with "ZLIB" and the size, most significant byte first. */
#define ZDEBUG ".zdebug"
#define ZDEBUG_MAGIC "ZLIB"

static uint64_t size_of_zdebug(Elf_Scn *section)
{
	Elf_Data *data = elf_rawdata(section, NULL);
	uint64_t size;

	if (!data || data->d_size < strlen(ZDEBUG_MAGIC) + sizeof(size) ||
	    memcmp(data->d_buf, ZDEBUG_MAGIC, strlen(ZDEBUG_MAGIC)))
		return 0;
	memcpy(&size, (char *)data->d_buf + strlen(ZDEBUG_MAGIC), sizeof(size));
	return be64toh(size);
}

static uint64_t size_of(Elf *elf, Elf_Scn *section, size_t names)
{
	const char *name;
	GElf_Shdr header;
	GElf_Chdr chdr;

	if (!gelf_getshdr(section, &header))
		return 0;
	if (header.sh_flags & SHF_COMPRESSED)
		return gelf_getchdr(section, &chdr) ? chdr.ch_size : 0;
	name = elf_strptr(elf, names, header.sh_name);
	if (name && !strncmp(name, ZDEBUG, strlen(ZDEBUG)))
		return size_of_zdebug(section);
	return 0;
}

uint64_t inflated_size(int fd)
{
	Elf *elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
	Elf_Scn *section = NULL;
	uint64_t sum = 0;
	size_t names;

	if (elf && !elf_getshdrstrndx(elf, &names)) {
		while ((section = elf_nextscn(elf, section))) {
			uint64_t size = size_of(elf, section, names);

			/* The file may contain any size: the sum must not wrap. */
			if (size > INFLATED_MAX)
				size = INFLATED_MAX + 1;
			sum += size;
		}
	}
	elf_end(elf);
	return sum;
}
