// SPDX-License-Identifier: GPL-2.0-only
/* Separate files of debug information. Runs in the namer. */
#include <elfutils/libdwelf.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "ask.h"
#include "confine.h"
#include "debugfile.h"
#include "inflated.h"
#include "safeopen.h"

#define DEBUG_DIR "/usr/lib/debug"

/*
 * struct sought - the debug file being searched for
 * @id: its build id
 * @id_size: the length of @id; 0 without a build id
 * @crc: the checksum of all its bytes, used without a build id
 * @has_crc: whether @crc is known
 */
struct sought {
	const unsigned char	*id;
	size_t			id_size;
	GElf_Word		crc;
	bool			has_crc;
};

static bool has_id(int fd, const struct sought *sought)
{
	Elf *elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
	const void *id = NULL;
	bool same;

	same = elf && elf_kind(elf) == ELF_K_ELF &&
	       dwelf_elf_gnu_build_id(elf, &id) == (ssize_t)sought->id_size &&
	       !memcmp(id, sought->id, sought->id_size);
	elf_end(elf);
	return same;
}

static bool has_crc(int fd, const struct sought *sought)
{
	unsigned char bytes[65536];
	uLong crc = crc32(0, NULL, 0);
	off_t at = 0;
	ssize_t got;

	while ((got = pread(fd, bytes, sizeof(bytes), at)) > 0) {
		crc = crc32(crc, bytes, (uInt)got);
		at += got;
	}
	return !got && crc == sought->crc;
}

/* Prefers the build id: it is more reliable than the checksum, and faster to read. */
static bool is_sought(int fd, const struct sought *sought)
{
	if (sought->id_size)
		return has_id(fd, sought);
	return sought->has_crc && has_crc(fd, sought);
}

/* Returns @fd, or closes it and returns -1 if the file is another one or too large. */
static int check(int fd, const struct sought *sought)
{
	if (fd >= 0 && (!is_sought(fd, sought) ||
			inflated_size(fd) > INFLATED_MAX)) {
		close(fd);
		return -1;
	}
	return fd;
}

static int try_file(int root, const char *path, const struct sought *sought)
{
	return check(safeopen(root, path), sought);
}

static int find_by_id(const struct sought *sought)
{
	char path[sizeof(DEBUG_DIR "/.build-id/") + 2 * 64 + sizeof("/.debug")];
	char *next = path + sprintf(path, DEBUG_DIR "/.build-id/");
	size_t i;
	int fd;

	if (sought->id_size < 2 || sought->id_size > 64)
		return -1;
	for (i = 0; i < sought->id_size; i++)
		next += sprintf(next, i ? "%02x" : "%02x/", sought->id[i]);
	sprintf(next, ".debug");
	fd = try_file(CONFINE_ROOT, path, sought);
	return fd < 0 ? try_file(CONFINE_HOST, path, sought) : fd;
}

/* Tries the three directories in which a file of that name may be. */
static int find_by_link(const char *file, const char *link,
			const struct sought *sought)
{
	static const char *const places[][2] = {
		{ "", "" }, { "", ".debug/" }, { DEBUG_DIR, "" },
	};
	const char *slash = strrchr(file, '/');
	int dir_len = slash ? (int)(slash + 1 - file) : 0;
	char path[PATH_MAX];
	size_t i;
	int fd;

	for (i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		if (snprintf(path, sizeof(path), "%s%.*s%s%s", places[i][0],
			     dir_len, file, places[i][1], link) >=
		    (int)sizeof(path))
			continue;
		fd = try_file(CONFINE_ROOT, path, sought);
		if (fd >= 0)
			return fd;
	}
	return -1;
}

static int find_on_server(const struct sought *sought)
{
	const char *urls = getenv("DEBUGINFOD_URLS");

	if (!urls || !*urls || !sought->id_size)
		return -1;
	return check(ask_debuginfod(sought->id, sought->id_size), sought);
}

int debugfile_find(Dwfl_Module *module, const char *file, const char *link,
		   GElf_Word crc, char **name)
{
	struct sought sought = { .crc = crc, .has_crc = link };
	GElf_Addr where;
	int fd, size;

	size = dwfl_module_build_id(module, &sought.id, &where);
	if (size > 0)
		sought.id_size = (size_t)size;
	fd = find_by_id(&sought);
	if (fd < 0 && link)
		fd = find_by_link(file, link, &sought);
	if (fd < 0)
		fd = find_on_server(&sought);
	if (fd >= 0)
		*name = strdup(file);
	return fd;
}
