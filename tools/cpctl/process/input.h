/* SPDX-License-Identifier: GPL-2.0-only */
/* Bytes of a record, which come as they are asked for. */
#ifndef INPUT_H
#define INPUT_H

#include <stddef.h>
#include <stdint.h>

/* input_fn - read the next @size bytes; 0, or -1 when they cannot be had */
typedef int (*input_fn)(void *arg, void *to, size_t size);

/*
 * struct input - a record that is being read
 * @read: where its bytes come from
 * @arg: for @read
 * @left: how many are left
 */
struct input {
	input_fn	read;
	void		*arg;
	uint64_t	left;
};

/* input_get() - the next @size bytes; 0, or -1: there are not as many */
int input_get(struct input *in, void *to, size_t size);

/* input_skip() - do without the next @size bytes; 0 or -1 */
int input_skip(struct input *in, uint64_t size);

/*
 * input_struct() - a struct of @size bytes, of whatever version
 *
 * What it lacks is zeroed, and what it has besides is skipped. Return: 0 or -1.
 */
int input_struct(struct input *in, void *to, size_t to_size, uint64_t size);

#endif /* INPUT_H */
