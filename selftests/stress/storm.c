// SPDX-License-Identifier: GPL-2.0-only
/*
 * The storm: many pairs of every kind at once, under changing conditions of the
 * system, and checks of all invariants. storm.h describes its parts.
 *
 *	CHECKPOINT_SEED=N	repeat the random choices, though not the scheduling
 *	CHECKPOINT_MINUTES=N	run for at least N minutes
 *	CHECKPOINT_LIVES=N	run at least N pairs
 *
 * By default, the storm runs for CHECKPOINT_SECONDS (40) and at least 100 pairs.
 */
#include <sys/resource.h>

#include "figures.h"
#include "storm.h"

#define SHORT_SECONDS	40
#define SHORT_LIVES	100
#define STUCK_SECONDS	180

struct tallies *tallies;

static uint64_t begun, enough_ns, enough_lives;

static const char * const work_names[] = {
	"count", "naps", "spin", "pause", "read", "futex", "faults", "forks" };
static const char * const ending_names[] = {
	"never", "exit", "crash", "signal", "exec" };
static const char * const leaving_names[] = {
	"close", "end", "exit", "child", "threads", "stays", "takes-all",
	"again" };
static const char * const mishap_names[] = {
	"none", "signals", "stop", "freeze", "trace", "move", "memory",
	"netlink-end", "kill-slave", "kill-master" };
static const char * const policy_names[] = {
	"rendezvous", "ahead", "overwrite" };
static const char * const reason_names[] = {
	"none", "exited", "exec", "detached" };
static const char * const tally_names[] = {
	"lives", "preps-tried", "pairs", "checkpoints", "missed", "peeks",
	"deaths", "ends-of-threads", "cpu-offline", "rmmod", "sysfs", "events", "dumps" };

static bool is_enough(void)
{
	return now_ns() - begun >= enough_ns &&
	       tallies->count[TALLY_LIVES] >= enough_lives;
}

static void show(const char *title, const char * const *names,
		 const uint64_t *counts, unsigned int nr)
{
	unsigned int i;

	printf("# %s:", title);
	for (i = 0; i < nr; i++)
		printf(" %s %llu", names[i], (unsigned long long)counts[i]);
	printf("\n");
}

static void show_tallies(void)
{
	double seconds = (now_ns() - begun) / 1e9;

	show("slaves", work_names, tallies->works, NR_WORKS);
	show("their ends", ending_names, tallies->endings, NR_ENDINGS);
	show("masters leave", leaving_names, tallies->leavings, NR_LEAVINGS);
	show("mishaps", mishap_names, tallies->mishaps, NR_MISHAPS);
	show("pairs", policy_names, tallies->policies,
	     ARRAY_SIZE(policy_names));
	show("reasons of ends", reason_names, tallies->reasons,
	     ARRAY_SIZE(reason_names));
	show("total", tally_names, tallies->count, NR_TALLIES);
	printf("# %.0f seconds, %.1f lives per second\n", seconds,
	       tallies->count[TALLY_LIVES] / seconds);
}

/* The module's figures at the start of the storm. */
static struct before {
	long long made;
	long long checkpoints;
} before;

/* A master may be killed before it has counted its pair or checkpoint. */
static bool figures_add_up(void)
{
	long long made = figure("pairs_made") - before.made;
	long long taken = figure("checkpoints") - before.checkpoints;
	const uint64_t *count = tallies->count;

	printf("# /sys: %lld pairs made, %lld checkpoints\n", made, taken);
	return made >= (long long)count[TALLY_PREPS] &&
	       made <= (long long)count[TALLY_PREPS_TRIED] &&
	       taken >= (long long)count[TALLY_TAKEN] &&
	       !figure("pairs_live");
}

static void begin(uint64_t seed)
{
	static struct lane_arg lanes[NR_LANES];
	char name[16];
	unsigned int i;

	before.made = figure("pairs_made");
	before.checkpoints = figure("checkpoints");
	begun = now_ns();
	weather_begin(seed);
	for (i = 0; i < NR_LANES; i++) {
		lanes[i].number = i;
		lanes[i].seed = seed;
		snprintf(name, sizeof(name), "lane-%u", i);
		watch_start(name, lane_run, &lanes[i]);
	}
}

static void configure(void)
{
	unsigned long minutes = setting("CHECKPOINT_MINUTES", 0);

	enough_ns = setting("CHECKPOINT_SECONDS", SHORT_SECONDS);
	enough_lives = setting("CHECKPOINT_LIVES", minutes ? 0 : SHORT_LIVES);
	if (minutes)
		enough_ns = minutes * 60;
	enough_ns *= 1000000000ULL;
}

int main(int argc, char **argv)
{
	const struct rlimit no_core = { 0, 0 };
	uint64_t seed;
	bool went_on;

	if (argc && !strcmp(argv[0], "exec-ed"))
		return slave_after_exec();
	ksft_print_header();
	ksft_set_plan(4);
	if (getuid() || access("/dev/checkpoint", R_OK | W_OK))
		ksft_exit_fail_msg("needs root, and the module loaded\n");

	setrlimit(RLIMIT_CORE, &no_core);
	watch_begin();
	tallies = shared_memory(sizeof(*tallies));
	configure();
	seed = setting("CHECKPOINT_SEED", 20240628);
	printf("# CHECKPOINT_SEED=%llu\n", (unsigned long long)seed);
	begin(seed);
	went_on = watch_until(is_enough, STUCK_SECONDS);
	show_tallies();

	ksft_test_result(went_on, "everybody goes on\n");
	ksft_test_result(!complaints(), "nobody complains\n");
	ksft_test_result(went_on && figures_add_up(), "figures add up\n");
	ksft_test_result(went_on && eventually(figures_nothing_left()),
			 "nothing is left\n");
	ksft_finished();
}
