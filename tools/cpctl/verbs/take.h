/* SPDX-License-Identifier: GPL-2.0-only */
/* Taking checkpoints of a slave: the common part of get, run, bt and dump. */
#ifndef TAKE_H
#define TAKE_H

#include <checkpoint.h>
#include <stdbool.h>

#include "live.h"
#include "takeopts.h"

/* take_print_end() - print as JSON why the pair has ended; nothing for CP_END_NONE */
void take_print_end(FILE *out, const struct live *live);

/*
 * take_from() - pair with the running process @pid, and let @use process checkpoints
 *
 * Return: an exit status.
 */
int take_from(pid_t pid, const struct take_options *options, live_fn use,
	      void *arg);

/* take_show() - a live_fn that prints checkpoints according to struct take_options */
int take_show(struct live *live, void *options);

#endif /* TAKE_H */
