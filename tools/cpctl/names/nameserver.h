/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The namer: a process that reads ELF files and debug information for cpctl.
 *
 * What it reads, a user may have made in order to attack who looks at their
 * process. So it has no privilege that would be worth it (confine.h), and if it
 * crashes, or takes too much time or memory, only names are lost.
 */
#ifndef NAMESERVER_H
#define NAMESERVER_H

#include <stdnoreturn.h>

#include "terms.h"

/* nameserver() - serve cpctl at CONFINE_SOCKET until it is gone */
noreturn void nameserver(const struct terms *terms);

#endif /* NAMESERVER_H */
