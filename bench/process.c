// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pairs with a process: the cost of a checkpoint, by number of threads.
 */
#include <errno.h>
#include <unistd.h>

#include "bench.h"

static void make_calls(struct team_member *member)
{
	for (;;) {
		slave_call();
		member->work++;
	}
}

/* Besides the busy threads, the main thread sleeps. */
static void start(struct team *team, const struct bench_options *options)
{
	*team = (struct team){
		.nr = options->threads,
		.nr_busy = options->threads,
		.work = make_calls,
		.kib = options->kib,
		.cpu = bench_slave_cpu(options),
	};
	bench_pin(0);
	team_start(team);
	team_go(team);
}

/* The time for a system call of the team. */
static struct bench_time time_calls(const struct team *team, unsigned int ms)
{
	uint64_t begin = bench_now(), calls = team_work(team);

	usleep(ms * 1000);
	calls = team_work(team) - calls;
	if (!calls) {
		errno = ETIME;
		bench_die("no system call of the team");
	}
	return (struct bench_time){ (double)(bench_now() - begin) / calls, calls };
}

/* The threads' time for a null system call when recorded, minus that when not. */
int bench_process_recorder(const struct bench_options *options)
{
	struct cp_pair_options how = {
		.size = sizeof(how),
		.flags = CP_PREP_PROCESS | CP_PREP_OVERWRITE,
		.nr_slots = options->slots,
		.stack_limit = (options->kib + 16) * 1024,
	};
	struct bench_time plain, recorded;
	struct cp_pair *pair;
	struct team team;

	start(&team, options);
	team_await_work(&team, 16);
	plain = time_calls(&team, options->ms);
	pair = bench_pair(team.pid, &how);
	/* Fills each slot: the module allocates its memory on the first use. */
	team_await_work(&team, 2 * options->slots + 4);
	recorded = time_calls(&team, options->ms);
	if (cp_pair_get(pair, 0, 0) != 1)
		bench_die("no checkpoint was recorded");
	bench_must_hold(pair, options->kib);
	team_stop(&team);
	cp_pair_close(pair);
	printf("{\"ns\": %.2f, \"count\": %lu, \"plain\": %.2f, \"recorded\": %.2f}\n",
	       recorded.ns - plain.ns, recorded.count, plain.ns, recorded.ns);
	return 0;
}

/* All threads make null system calls; the master takes each checkpoint. */
int bench_process_rendezvous(const struct bench_options *options)
{
	struct cp_pair_options how = {
		.size = sizeof(how),
		.flags = CP_PREP_PROCESS,
		.stack_limit = (options->kib + 16) * 1024,
	};
	struct bench_time time;
	struct cp_pair *pair;
	struct team team;

	start(&team, options);
	team_await_work(&team, 1);
	pair = bench_pair(team.pid, &how);
	bench_take(pair, 4 * options->threads);
	bench_must_hold(pair, options->kib);
	time = bench_repeat(bench_take, pair, options->ms);
	team_stop(&team);
	cp_pair_close(pair);
	bench_result(time);
	return 0;
}
