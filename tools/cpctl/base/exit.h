/* SPDX-License-Identifier: GPL-2.0-only */
/* The exit statuses of cpctl. */
#ifndef EXIT_H
#define EXIT_H

#define EXIT_OK		0	/* done; the end of the slave is not a failure */
#define EXIT_USAGE	1	/* the command line was wrong */
#define EXIT_REFUSED	2	/* refused or missing: a message names what */

#endif /* EXIT_H */
