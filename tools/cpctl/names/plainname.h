/* SPDX-License-Identifier: GPL-2.0-only */
/* Names of C++ and Rust as they are in the source. */
#ifndef PLAINNAME_H
#define PLAINNAME_H

/* plainname_off() - from now on, names stay as linkers see them */
void plainname_off(void);

/* plainname() - a name as it is in the source, to be freed; NULL without memory */
char *plainname(const char *name);

#endif /* PLAINNAME_H */
