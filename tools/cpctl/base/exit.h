/* SPDX-License-Identifier: GPL-2.0-only */
/* How cpctl ends. */
#ifndef EXIT_H
#define EXIT_H

/* Exit statuses. */
#define EXIT_OK		0	/* done; also when the slave has ended */
#define EXIT_USAGE	1	/* the command line was wrong */
#define EXIT_REFUSED	2	/* refused or missing: messages tell what */

#endif /* EXIT_H */
