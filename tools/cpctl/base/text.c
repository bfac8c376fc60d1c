// SPDX-License-Identifier: GPL-2.0-only
/* Names that come from other processes, and figures for people. */
#include <inttypes.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

/* The length of a character by its first byte; 0 if it cannot be a first byte. */
static size_t length_of(unsigned char first)
{
	if (first < 0x80)
		return 1;
	if (first >= 0xc2 && first <= 0xdf)
		return 2;
	if (first >= 0xe0 && first <= 0xef)
		return 3;
	return first >= 0xf0 && first <= 0xf4 ? 4 : 0;
}

size_t text_char(const char *text, uint32_t *code)
{
	/* The least code point of each length: a lesser one is an overlong form. */
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *bytes = (const unsigned char *)text;
	size_t len = length_of(*bytes), i;

	if (len < 2) {
		*code = *bytes;
		return len;
	}
	*code = *bytes & (0xffU >> (len + 1));
	for (i = 1; i < len; i++) {
		if ((bytes[i] & 0xc0) != 0x80)
			return 0;
		*code = *code << 6 | (bytes[i] & 0x3f);
	}
	/* Surrogates are valid in UTF-16 only. */
	if (*code < least[len] || *code > 0x10ffff ||
	    (*code >= 0xd800 && *code <= 0xdfff))
		return 0;
	return len;
}

bool text_is_plain(uint32_t code)
{
	static const struct {
		uint32_t	first;
		uint32_t	last;
	} others[] = {
		{ 0x00, 0x1f },		/* control characters, C0 */
		{ 0x7f, 0x9f },		/* delete, and C1 */
		{ 0xad, 0xad },		/* soft hyphen */
		{ 0x034f, 0x034f },	/* grapheme joiner */
		{ 0x061c, 0x061c },	/* mark of direction */
		{ 0x115f, 0x1160 },	/* blank letters */
		{ 0x17b4, 0x17b5 },	/* vowels without a shape */
		{ 0x180b, 0x180f },	/* selectors and separator */
		{ 0x200b, 0x200f },	/* no width; marks of direction */
		{ 0x2028, 0x202e },	/* ends of lines; directions */
		{ 0x2060, 0x206f },	/* no width; directions */
		{ 0x3164, 0x3164 },	/* a blank letter */
		{ 0xfeff, 0xfeff },	/* byte order mark */
		{ 0xffa0, 0xffa0 },	/* a blank letter */
		{ 0xfff0, 0xfffb },	/* annotations */
		{ 0xe0000, 0xe0fff },	/* tags and selectors */
	};
	size_t i;

	if (code >= ' ' && code <= '~')
		return true;
	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (code >= others[i].first && code <= others[i].last)
			return false;
	return true;
}

size_t text_plain(const char *text)
{
	const char *end = text;
	uint32_t code;
	size_t len;

	for (; *end; end += len) {
		len = text_char(end, &code);
		if (!len || !text_is_plain(code))
			break;
	}
	return (size_t)(end - text);
}

/* Prints the first character or invalid byte as an escape. Returns its length. */
static size_t print_escape(FILE *out, const char *text)
{
	uint32_t code;
	size_t len = text_char(text, &code);

	if (len < 2)
		fprintf(out, "\\x%02x", (unsigned char)*text);
	else if (code > 0xffff)
		fprintf(out, "\\U%08" PRIx32, code);
	else
		fprintf(out, "\\u%04" PRIx32, code);
	return len ? len : 1;
}

void print_name(FILE *out, const char *name)
{
	size_t len;

	while (*name) {
		len = text_plain(name);
		fwrite(name, 1, len, out);
		name += len;
		if (*name)
			name += print_escape(out, name);
	}
}

/* Can @comm be printed without quotes? */
static bool is_word(const char *comm)
{
	static const char marks[] = "+-./:@_";
	const char *c;

	for (c = comm; *c; c++) {
		/* Not isalnum(): letters beyond ASCII are bytes above 0x7f. */
		if (!((unsigned char)*c > 0x7f || (*c >= '0' && *c <= '9') ||
		      (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') ||
		      strchr(marks, *c)))
			return false;
	}
	return *comm;
}

static void print_quoted(FILE *out, const char *comm)
{
	size_t len;

	fputc('"', out);
	while (*comm) {
		if (*comm == '"' || *comm == '\\') {
			fprintf(out, "\\%c", *comm++);
			continue;
		}
		len = text_plain(comm);
		if (len > strcspn(comm, "\"\\"))
			len = strcspn(comm, "\"\\");
		fwrite(comm, 1, len, out);
		comm += len;
		if (!len)
			comm += print_escape(out, comm);
	}
	fputc('"', out);
}

const char *text_comm(char text[COMM_TEXT_SIZE], const char *comm)
{
	FILE *out = fmemopen(text, COMM_TEXT_SIZE, "w");

	*text = '\0';
	if (!out)
		return text;
	if (is_word(comm))
		print_name(out, comm);
	else
		print_quoted(out, comm);
	fclose(out);
	return text;
}

/* Prints @value with three digits in total. */
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
	static char *name;
	const struct passwd *entry;
	size_t size;
	FILE *out;

	/* Most calls are for the user of the call before. */
	if (uid == last && name)
		return name;
	free(name);
	name = NULL;
	out = open_memstream(&name, &size);
	if (!out)
		return "?";
	last = uid;
	entry = getpwuid(uid);
	if (entry)
		print_name(out, entry->pw_name);
	else
		fprintf(out, "%" PRIu32, uid);
	fclose(out);
	return name ? name : "?";
}
