/* SPDX-License-Identifier: GPL-2.0-only */
/* Taking checkpoints of a slave: what get, run, bt and dump have in common. */
#ifndef TAKE_H
#define TAKE_H

#include <checkpoint.h>
#include <stdbool.h>

#include "live.h"
#include "takeopts.h"

/* take_print_end() - print, as JSON, why the pair is over, if it is */
void take_print_end(FILE *out, const struct live *live);

/*
 * take_from() - pair with the running process @pid, and have @use look at it
 *
 * Return: an exit status.
 */
int take_from(pid_t pid, const struct take_options *options, live_fn use,
	      void *arg);

/* take_show() - as live_fn: prints checkpoints, as struct take_options say */
int take_show(struct live *live, void *options);

#endif /* TAKE_H */
