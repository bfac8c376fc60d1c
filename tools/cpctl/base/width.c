// SPDX-License-Identifier: GPL-2.0-only
/* The width of a terminal, and of text on it. */
#include <limits.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#include "number.h"
#include "text.h"
#include "width.h"

unsigned int width_of(FILE *file)
{
	const char *set = getenv("COLUMNS");
	struct winsize size;
	uint64_t columns;

	if (!isatty(fileno(file)))
		return 0;
	if (!ioctl(fileno(file), TIOCGWINSZ, &size) && size.ws_col)
		return size.ws_col;
	if (set && parse_number(set, &columns) && columns <= USHRT_MAX)
		return (unsigned int)columns;
	return 0;
}

/* The width of a character: 0, 1, or 2 for East Asian characters and emoji. */
static unsigned int width_code(uint32_t code)
{
	static locale_t utf8;
	locale_t before;
	int width;

	if (code < 0x80)
		return 1;
	/* Outside a UTF-8 locale, wcwidth() knows only ASCII. */
	if (!utf8)
		utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", NULL);
	if (!utf8)
		return 1;
	before = uselocale(utf8);
	width = wcwidth((wchar_t)code);
	uselocale(before);
	return width < 0 ? 1 : (unsigned int)width;
}

/* The length of an escape sequence for colour, or 0. */
static size_t escape_length(const char *text, size_t len)
{
	const char *end;

	if (len < 2 || text[0] != '\033' || text[1] != '[')
		return 0;
	end = memchr(text, 'm', len);
	return end ? (size_t)(end + 1 - text) : 0;
}

size_t width_fit(const char *text, size_t len, unsigned int *columns)
{
	size_t at = 0, step;
	unsigned int wide;
	uint32_t code;

	while (at < len) {
		step = escape_length(text + at, len - at);
		wide = 0;
		if (!step) {
			step = text_char(text + at, &code);
			wide = step ? width_code(code) : 1;
		}
		if (!step || step > len - at)
			step = 1;
		if (wide > *columns)
			break;
		*columns -= wide;
		at += step;
	}
	return at;
}

unsigned int width_text(const char *text)
{
	unsigned int left = UINT_MAX;

	width_fit(text, strlen(text), &left);
	return UINT_MAX - left;
}

void width_print(FILE *out, const char *text, unsigned int columns)
{
	const size_t len = strlen(text);
	unsigned int left = columns;
	size_t fits = width_fit(text, len, &left);

	if (fits < len && columns) {
		left = columns - 1;
		fits = width_fit(text, len, &left);
	}
	fwrite(text, 1, fits, out);
	if (fits < len && columns)
		fputc('+', out);
}

/* The position of the break in a line of which @fits bytes fit: after a word if any. */
static size_t break_at(const char *line, size_t fits)
{
	size_t at = fits;

	while (at && line[at] != ' ')
		at--;
	while (at && line[at - 1] == ' ')
		at--;
	return at ? at : fits;
}

void width_fold(FILE *out, const char *line, size_t len, unsigned int columns,
		unsigned int indent)
{
	unsigned int left = columns;
	size_t fits;

	/* On a very narrow terminal, keep most of the line for the text. */
	if (indent > columns / 4)
		indent = columns / 4;
	for (;;) {
		fits = width_fit(line, len, &left);
		if (fits < len)
			fits = break_at(line, fits);
		/* If not even one character fits, print the rest in one line. */
		if (!fits)
			fits = len;
		fwrite(line, 1, fits, out);
		line += fits;
		len -= fits;
		while (len && *line == ' ') {
			line++;
			len--;
		}
		if (!len)
			return;
		fprintf(out, "\n%*s", (int)indent, "");
		left = columns - indent;
	}
}
