/* SPDX-License-Identifier: GPL-2.0-only */
/* The bytes of a record, read on demand. */
#ifndef INPUT_H
#define INPUT_H

#include <stddef.h>
#include <stdint.h>

/* input_fn - read the next @size bytes; return 0, or -1 if they cannot be read */
typedef int (*input_fn)(void *arg, void *to, size_t size);

/*
 * struct input - a record that is being read
 * @read: the function that reads its bytes
 * @arg: the first argument of @read
 * @left: number of bytes left
 */
struct input {
	input_fn	read;
	void		*arg;
	uint64_t	left;
};

/* input_get() - read the next @size bytes; 0, or -1 if the record is shorter */
int input_get(struct input *in, void *to, size_t size);

/* input_skip() - skip the next @size bytes; 0 or -1 */
int input_skip(struct input *in, uint64_t size);

/*
 * input_struct() - read a struct of @size bytes, which may be of another version
 *
 * Fields that it lacks are zeroed; bytes after the known fields are skipped. Return:
 * 0 or -1.
 */
int input_struct(struct input *in, void *to, size_t to_size, uint64_t size);

#endif /* INPUT_H */
