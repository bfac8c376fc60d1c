// SPDX-License-Identifier: GPL-2.0-only
/* The smallest master: where is process PID at five of its returns to user mode? */
#include <checkpoint.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
	uint64_t regs[CP_N_REG + 1];
	int taken = 0;

	if (!cp_prep(argc > 1 ? atoi(argv[1]) : 0))
		return perror("cp_prep"), 1;
	while (taken < 5 && cp_get(regs))
		printf("%d: rip %#jx\n", ++taken, (uintmax_t)regs[16]);
	return 0;
}
