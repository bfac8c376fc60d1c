// SPDX-License-Identifier: GPL-2.0-only
/* How a slave died, in words. */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "death.h"

#define NAME_SIZE 24

const char *death_signal(int signal)
{
	static char name[NAME_SIZE];
	const char *abbreviation = sigabbrev_np(signal);

	if (!abbreviation)
		return NULL;
	snprintf(name, sizeof(name), "SIG%s", abbreviation);
	return name;
}

/* Codes mean nothing without their signal: the ones that tell most. */
static const struct {
	int		signal;
	int		code;
	const char	*name;
} codes[] = {
	{ SIGSEGV, SEGV_MAPERR, "nothing is mapped" },
	{ SIGSEGV, SEGV_ACCERR, "not allowed" },
	{ SIGBUS, BUS_ADRALN, "not aligned" },
	{ SIGBUS, BUS_ADRERR, "no memory behind it" },
	{ SIGFPE, FPE_INTDIV, "integer division by zero" },
	{ SIGFPE, FPE_INTOVF, "integer overflow" },
	{ SIGFPE, FPE_FLTDIV, "floating point division by zero" },
	{ SIGILL, ILL_ILLOPN, "illegal operand" },
};

static const char *code_name(const struct cp_checkpoint *cp)
{
	size_t i;

	for (i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (codes[i].signal == cp->signal &&
		    codes[i].code == cp->signal_code)
			return codes[i].name;
	return NULL;
}

const char *death_text(const struct cp_checkpoint *cp, char text[DEATH_SIZE])
{
	const char *name = death_signal(cp->signal);
	const char *code = code_name(cp);
	int len;

	if (name)
		len = snprintf(text, DEATH_SIZE, "killed by %s", name);
	else
		len = snprintf(text, DEATH_SIZE, "killed by signal %d",
			       cp->signal);
	if (cp->signal_code > 0 && (cp->signal == SIGSEGV ||
				    cp->signal == SIGBUS))
		len += snprintf(text + len, DEATH_SIZE - (size_t)len,
				" at address 0x%" PRIx64,
				(uint64_t)cp->signal_addr);
	if (code)
		snprintf(text + len, DEATH_SIZE - (size_t)len, ": %s", code);
	return text;
}
