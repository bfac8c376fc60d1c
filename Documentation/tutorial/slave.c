// SPDX-License-Identifier: GPL-2.0-only
/*
 * A slave whose states can be checked: it numbers its system calls from 1, and
 * keeps the number in two places, in RDI and on its stack after a mark.
 */
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "slave.h"

int main(void)
{
	volatile struct marked top = { .mark = MARK };

	for (;;) {
		top.count++;
		syscall(SYS_getppid, top.count);
	}
}
