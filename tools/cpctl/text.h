/* SPDX-License-Identifier: GPL-2.0-only */
/* Text from strangers, and figures for people. */
#ifndef TEXT_H
#define TEXT_H

#include <stdint.h>

/*
 * text_clean() - put '?' for what must not get to a terminal or into JSON
 *
 * A process chooses its own name: control characters, and bytes that are no
 * UTF-8.
 */
void text_clean(char *text);

/* Enough for a figure. */
#define FIGURE_SIZE 16

/*
 * figure_bytes() - "17", "4.2K", "380M"
 *
 * The result is in @text, which is also returned.
 */
const char *figure_bytes(char text[FIGURE_SIZE], double bytes);

/* figure_time() - "870ns", "4.20us", "38.1ms", "9.80s", "2h10m" */
const char *figure_time(char text[FIGURE_SIZE], double ns);

/* figure_user() - a user's name, or number */
const char *figure_user(uint32_t uid);

#endif /* TEXT_H */
