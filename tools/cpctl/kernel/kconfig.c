// SPDX-License-Identifier: GPL-2.0-only
/* The configuration and the exported functions of the running kernel. */
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <zlib.h>

#include "kconfig.h"

/* Does a line of the file contain @text? Returns -1 if the file cannot be read. */
static int has_line(const char *path, const char *text)
{
	gzFile file = gzopen(path, "rb");
	char line[512];
	int found = 0;

	if (!file)
		return -1;
	while (!found && gzgets(file, line, sizeof(line)))
		found = !!strstr(line, text);
	gzclose(file);
	return found;
}

int kconfig_has(const char *option)
{
	static const char *const places[] = {
		"/proc/config.gz",
		"/boot/config-%s",
		"/lib/modules/%s/config",
		"/lib/modules/%s/build/.config",
	};
	char path[160], text[80];
	struct utsname name;
	int found = -1;
	size_t i;

	uname(&name);
	snprintf(text, sizeof(text), "%s=y", option);
	for (i = 0; i < sizeof(places) / sizeof(places[0]) && found < 0; i++) {
		snprintf(path, sizeof(path), places[i], name.release);
		found = has_line(path, text);
	}
	return found;
}

int kernel_exports(const char *function)
{
	char path[160], text[80];
	struct utsname name;

	uname(&name);
	snprintf(path, sizeof(path), "/lib/modules/%s/build/Module.symvers",
		 name.release);
	snprintf(text, sizeof(text), "\t%s\t", function);
	return has_line(path, text);
}
