// SPDX-License-Identifier: GPL-2.0-only
/* Text from strangers, and figures for people. */
#include <pwd.h>
#include <stdio.h>
#include <string.h>

#include "text.h"

/* The length of the UTF-8 character at @text, or 0 when there is none. */
static size_t character(const unsigned char *text)
{
	size_t len, i;

	if (text[0] < 0x80)
		return text[0] >= 0x20 && text[0] != 0x7f;
	if (text[0] >= 0xc2 && text[0] <= 0xdf)
		len = 2;
	else if (text[0] >= 0xe0 && text[0] <= 0xef)
		len = 3;
	else if (text[0] >= 0xf0 && text[0] <= 0xf4)
		len = 4;
	else
		return 0;
	for (i = 1; i < len; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
	}
	/* Control characters, overlong forms, surrogates, beyond the end. */
	if ((text[0] == 0xc2 && text[1] < 0xa0) ||
	    (text[0] == 0xe0 && text[1] < 0xa0) ||
	    (text[0] == 0xed && text[1] > 0x9f) ||
	    (text[0] == 0xf0 && text[1] < 0x90) ||
	    (text[0] == 0xf4 && text[1] > 0x8f))
		return 0;
	return len;
}

void text_clean(char *text)
{
	while (*text) {
		size_t len = character((const unsigned char *)text);

		if (!len)
			*text = '?';
		text += len ? len : 1;
	}
}

/* Three digits, whatever the size. */
static const char *three(char text[FIGURE_SIZE], double value, const char *unit)
{
	int decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;

	snprintf(text, FIGURE_SIZE, "%.*f%s", decimals, value, unit);
	return text;
}

const char *figure_bytes(char text[FIGURE_SIZE], double bytes)
{
	static const char *const units[] = { "K", "M", "G", "T", "P", "E" };
	size_t i;

	if (bytes < 1023.5) {
		snprintf(text, FIGURE_SIZE, "%.0f", bytes);
		return text;
	}
	bytes /= 1024;
	for (i = 0; bytes >= 999.5 && i < 5; i++)
		bytes /= 1024;
	return three(text, bytes, units[i]);
}

const char *figure_time(char text[FIGURE_SIZE], double ns)
{
	if (ns < 999.5)
		snprintf(text, FIGURE_SIZE, "%.0fns", ns);
	else if (ns < 999.5e3)
		three(text, ns / 1e3, "us");
	else if (ns < 999.5e6)
		three(text, ns / 1e6, "ms");
	else if (ns < 599.5e9)
		three(text, ns / 1e9, "s");
	else
		snprintf(text, FIGURE_SIZE, "%.0fh%02.0fm",
			 (double)(uint64_t)(ns / 3600e9),
			 (double)((uint64_t)(ns / 60e9) % 60));
	return text;
}

const char *figure_user(uint32_t uid)
{
	static uint32_t last = UINT32_MAX;
	static char name[33];
	const struct passwd *entry;

	/* Mostly it is the same one again. */
	if (uid == last && *name)
		return name;
	last = uid;
	entry = getpwuid(uid);
	if (entry)
		snprintf(name, sizeof(name), "%s", entry->pw_name);
	else
		snprintf(name, sizeof(name), "%u", uid);
	return name;
}
