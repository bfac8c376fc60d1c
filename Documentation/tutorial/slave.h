/* SPDX-License-Identifier: GPL-2.0-only */
/* What a master has to know of slave.c in order to check its states. */
#ifndef TUTORIAL_SLAVE_H
#define TUTORIAL_SLAVE_H

#include <stdint.h>

#define MARK	0x6b72616d20656874ULL

/* struct marked - what slave.c has on its stack */
struct marked {
	uint64_t	mark;
	uint64_t	count;
};

#endif /* TUTORIAL_SLAVE_H */
