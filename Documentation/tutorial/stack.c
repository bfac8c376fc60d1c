// SPDX-License-Identifier: GPL-2.0-only
/* Exercise 3: read a local variable of the slave, and again after its death. */
#include <signal.h>
#include <string.h>

#include "counted.h"
#include "slave.h"

/* The slave's variable in the copy of its stack. */
static const struct marked *find_marked(const struct cp_pair *pair)
{
	const struct cp_segment *stack = cp_pair_segment(pair, 0);
	const char *data = cp_pair_segment_data(pair, 0);
	uint64_t mark = MARK;

	for (uint64_t at = 0; at + sizeof(struct marked) <= stack->size; at += 8)
		if (!memcmp(data + at, &mark, sizeof(mark)))
			return (const void *)(data + at);
	fprintf(stderr, "the mark is not on the stack\n");
	exit(1);
}

int main(int argc, char **argv)
{
	struct cp_pair *pair = pair_with(argc, argv);
	uint64_t count = next_count(pair);
	const struct marked *marked = find_marked(pair);

	printf("stack and RDI %s\n", marked->count == count ? "agree" : "differ");

	if (kill(atoi(argv[1]), SIGKILL))
		die("kill");
	/* A slave that a signal kills hands over nothing more. */
	while (cp_pair_get(pair, -1, 0) == 1)
		;
	printf("after the slave's death they %s\n",
	       marked->count == count ? "agree" : "differ");
	cp_pair_close(pair);
	return 0;
}
