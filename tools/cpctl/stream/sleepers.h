/* SPDX-License-Identifier: GPL-2.0-only */
/* The threads that a hold has left asleep: they are read without waking them. */
#ifndef SLEEPERS_H
#define SLEEPERS_H

#include <checkpoint.h>

#include "instant.h"
#include "surroundings.h"

/*
 * sleepers_take() - read the states of all threads that sleep
 * @pair: the pair, whose slave is held
 * @around: the surroundings of the slave; only the mappings and the memory are used
 * @stack_limit: the maximum number of bytes of each stack; 0 for the module's default
 * @asleep: receives the states; empty before
 *
 * A thread that is waking is waited for: it is either held then, and is left out, or
 * asleep again. The stacks are read from /proc/PID/mem.
 *
 * Return: 0, or -1 with errno: ETIMEDOUT if a thread was neither for too long, ENOMEM,
 * or an errno of cp_pair_sleeper().
 */
int sleepers_take(const struct cp_pair *pair, const struct surroundings *around,
		  uint64_t stack_limit, struct instant *asleep);

#endif /* SLEEPERS_H */
