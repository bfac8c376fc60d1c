// SPDX-License-Identifier: GPL-2.0-only
/*
 * The duration of a rendezvous, and the cost of a recorder for its slave.
 */
#include <stdlib.h>

#include "bench.h"

struct cp_pair *bench_pair(pid_t pid, const struct cp_pair_options *how)
{
	struct cp_pair *pair = cp_pair_open();

	if (!pair)
		bench_die(CP_DEVICE);
	if (cp_pair_prep(pair, pid, how))
		bench_die("cp_pair_prep");
	return pair;
}

/* Exits unless the checkpoint holds the whole stack. */
void bench_must_hold(struct cp_pair *pair, unsigned int kib)
{
	const struct cp_segment *seg = cp_pair_segment(pair, 0);

	if (!seg || seg->size + 512 < kib * 1024 || seg->flags ||
	    seg->size > kib * 1024 + 1024) {
		fprintf(stderr, "measure: %llu bytes of stack, %u KiB wanted\n",
			seg ? (unsigned long long)seg->size : 0, kib);
		exit(1);
	}
}

/* A bench_fn: takes @count checkpoints. */
uint64_t bench_take(void *arg, unsigned long count)
{
	uint64_t begin = bench_now();
	unsigned long i;

	for (i = 0; i < count; i++)
		if (cp_pair_get(arg, -1, 0) != 1)
			bench_die("cp_pair_get");
	return bench_now() - begin;
}

/* The slave makes null system calls; the master takes each checkpoint. */
int bench_rendezvous(const struct bench_options *options)
{
	struct slave slave = {};
	struct bench_time time;
	struct cp_pair *pair;

	bench_pin(0);
	slave_start(&slave, options->kib, bench_slave_cpu(options));
	pair = bench_pair(slave.pid, NULL);
	slave_order(&slave, SLAVE_FOREVER);
	bench_take(pair, 16);
	bench_must_hold(pair, options->kib);
	time = bench_repeat(bench_take, pair, options->ms);
	slave_stop(&slave);
	cp_pair_close(pair);
	bench_result(time);
	return 0;
}

/* The slave's time for a null system call when recorded, minus that when not. */
int bench_recorder(const struct bench_options *options)
{
	struct cp_pair_options how = {
		.size = sizeof(how),
		.flags = CP_PREP_OVERWRITE,
		.nr_slots = options->slots,
		.stack_limit = (options->kib + 16) * 1024,
	};
	struct bench_time plain, recorded;
	struct slave slave = {};
	struct cp_pair *pair;

	bench_pin(0);
	slave_start(&slave, options->kib, bench_slave_cpu(options));
	plain = bench_repeat(slave_run, &slave, options->ms);
	pair = bench_pair(slave.pid, &how);
	/* Fills each slot once: the module allocates its memory on the first use. */
	slave_run(&slave, 2 * options->slots + 4);
	recorded = bench_repeat(slave_run, &slave, options->ms);
	if (cp_pair_get(pair, 0, 0) != 1)
		bench_die("no checkpoint was recorded");
	bench_must_hold(pair, options->kib);
	slave_stop(&slave);
	cp_pair_close(pair);
	printf("{\"ns\": %.2f, \"count\": %lu, \"plain\": %.2f, \"recorded\": %.2f}\n",
	       recorded.ns - plain.ns, recorded.count, plain.ns, recorded.ns);
	return 0;
}
