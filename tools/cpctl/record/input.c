// SPDX-License-Identifier: GPL-2.0-only
/* The bytes of a record, read on demand. */
#include <string.h>

#include "input.h"

int input_get(struct input *in, void *to, size_t size)
{
	if (size > in->left)
		return -1;
	in->left -= size;
	return in->read(in->arg, to, size);
}

int input_skip(struct input *in, uint64_t size)
{
	char nowhere[4096];

	while (size) {
		size_t part = size < sizeof(nowhere) ? size : sizeof(nowhere);

		if (input_get(in, nowhere, part))
			return -1;
		size -= part;
	}
	return 0;
}

int input_struct(struct input *in, void *to, size_t to_size, uint64_t size)
{
	size_t part = size < to_size ? size : to_size;

	memset(to, 0, to_size);
	if (input_get(in, to, part))
		return -1;
	return input_skip(in, size - part);
}
