/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The namer: a process that reads ELF files and debug information for cpctl.
 *
 * A user may have prepared these files to attack whoever inspects the user's process.
 * Therefore, the namer runs without privileges (confine.h), and if the namer crashes,
 * or exceeds its time or memory, cpctl continues without names.
 */
#ifndef NAMESERVER_H
#define NAMESERVER_H

#include <stdnoreturn.h>

#include "terms.h"

/* nameserver() - serve cpctl at CONFINE_SOCKET until cpctl closes the socket */
noreturn void nameserver(const struct terms *terms);

#endif /* NAMESERVER_H */
