// SPDX-License-Identifier: GPL-2.0-only
/* Distinguishing return addresses from other pointers into code. */
#include "callsite.h"

/*
 * Length of "call *operand" (FF /2) with this ModRM byte and the byte after it,
 * without prefixes; 0 if the bytes are another instruction.
 */
static size_t indirect_call_length(unsigned char modrm, unsigned char sib)
{
	unsigned int mode = modrm >> 6;
	unsigned int base = modrm & 7;
	size_t len = 2;

	if ((modrm >> 3 & 7) != 2)
		return 0;
	if (mode == 3)
		return len;
	if (base == 4) {
		len++;
		base = sib & 7;
		if (mode == 0 && base == 5)
			return len + 4;
	} else if (mode == 0 && base == 5) {
		return len + 4;
	}
	if (mode == 1)
		return len + 1;
	return mode == 2 ? len + 4 : len;
}

bool ends_with_call(const unsigned char *code, size_t len)
{
	size_t at, n;

	/* call rel32 */
	if (len >= 5 && code[len - 5] == 0xe8)
		return true;
	for (n = 2; n <= 7 && n <= len; n++) {
		at = len - n;
		if (code[at] == 0xff &&
		    indirect_call_length(code[at + 1],
					 n > 2 ? code[at + 2] : 0) == n)
			return true;
	}
	return false;
}
