/* SPDX-License-Identifier: GPL-2.0-only */
/* Demangling names of C++ and Rust. */
#ifndef PLAINNAME_H
#define PLAINNAME_H

/* plainname_off() - from now on, plainname() does not demangle */
void plainname_off(void);

/* plainname() - the demangled name, to be freed by the caller; NULL without memory */
char *plainname(const char *name);

#endif /* PLAINNAME_H */
