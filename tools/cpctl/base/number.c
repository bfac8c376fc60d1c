// SPDX-License-Identifier: GPL-2.0-only
/* Numbers on the command line. */
#include <ctype.h>
#include <limits.h>
#include <stddef.h>

#include "clock.h"
#include "number.h"

/* Reads digits. Returns the text after them, or NULL without a valid number. */
static const char *digits(const char *text, uint64_t *number)
{
	uint64_t n = 0;

	if (!isdigit((unsigned char)*text))
		return NULL;
	for (; isdigit((unsigned char)*text); text++) {
		if (__builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, *text - '0', &n))
			return NULL;
	}
	*number = n;
	return text;
}

bool parse_number(const char *text, uint64_t *number)
{
	const char *end = digits(text, number);

	return end && !*end;
}

bool parse_count(const char *text, uint64_t *count)
{
	return parse_number(text, count) && *count;
}

bool parse_pid(const char *text, pid_t *pid)
{
	uint64_t number;

	if (!parse_count(text, &number) || number > INT_MAX)
		return false;
	*pid = (pid_t)number;
	return true;
}

bool parse_bytes(const char *text, uint64_t *bytes)
{
	const char *end = digits(text, bytes);
	uint64_t unit = 1;

	if (!end)
		return false;
	switch (*end) {
	case 'G':
		unit *= 1024;
		/* fallthrough */
	case 'M':
		unit *= 1024;
		/* fallthrough */
	case 'K':
		unit *= 1024;
		end++;
		break;
	}
	return !*end && !__builtin_mul_overflow(*bytes, unit, bytes);
}

bool parse_seconds(const char *text, int64_t *nanoseconds)
{
	int64_t unit = NSEC_PER_SEC;
	uint64_t whole;
	const char *end = digits(text, &whole);

	if (!end || whole > INT64_MAX / NSEC_PER_SEC - 1)
		return false;
	*nanoseconds = (int64_t)whole * NSEC_PER_SEC;
	if (!*end)
		return true;
	if (*end != '.' || !isdigit((unsigned char)end[1]))
		return false;
	for (end++; isdigit((unsigned char)*end) && unit > 1; end++) {
		unit /= 10;
		*nanoseconds += (*end - '0') * unit;
	}
	return !*end;
}
