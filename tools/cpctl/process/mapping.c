// SPDX-License-Identifier: GPL-2.0-only
/* The mappings of a process, from the text of /proc/PID/maps. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mapping.h"

/* The fields before the path fit in this; sscanf() does not need the rest. */
#define HEAD_SIZE 128

bool mapping_next(const char **text, struct mapping *mapping)
{
	const char *line = *text;
	char head[HEAD_SIZE] = "", mode[5];
	int path_at = 0;
	size_t len;

	if (!line || !*line)
		return false;
	len = strcspn(line, "\n");
	memcpy(head, line, len < sizeof(head) ? len : sizeof(head) - 1);
	if (sscanf(head, "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %*s %*s%n",
		   &mapping->start, &mapping->end, mode, &mapping->offset,
		   &path_at) != 4 ||
	    strlen(mode) != 4 || !path_at || (size_t)path_at > len ||
	    mapping->start >= mapping->end)
		return false;
	mapping->write = mode[1] == 'w';
	mapping->exec = mode[2] == 'x';
	mapping->path = line + path_at;
	mapping->path += strspn(mapping->path, " ");
	mapping->path_len = (size_t)(line + len - mapping->path);
	*text = line[len] ? line + len + 1 : line + len;
	return true;
}

/* The kernel's escape for a newline; the kernel escapes no other character. */
static const char newline[] = "\\012";

char *mapping_path(const char *path, size_t len)
{
	const size_t skip = sizeof(newline) - 1;
	char *text = malloc(len + 1), *to = text;
	size_t i = 0;

	if (!text)
		return NULL;
	while (i < len) {
		if (len - i >= skip && !memcmp(path + i, newline, skip)) {
			*to++ = '\n';
			i += skip;
		} else {
			*to++ = path[i++];
		}
	}
	*to = '\0';
	return text;
}

char *mapping_escaped(const char *path)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	for (; *path; path++) {
		if (*path == '\n')
			fputs(newline, out);
		else
			fputc(*path, out);
	}
	fclose(out);
	return text;
}

bool mapping_is_file(const struct mapping *mapping)
{
	return mapping->path_len && mapping->path[0] == '/';
}

bool mapping_is(const struct mapping *mapping, const char *path)
{
	return mapping->path_len == strlen(path) &&
	       !memcmp(mapping->path, path, mapping->path_len);
}

bool mapping_same_path(const struct mapping *a, const struct mapping *b)
{
	return a->path_len && a->path_len == b->path_len &&
	       !memcmp(a->path, b->path, a->path_len);
}
