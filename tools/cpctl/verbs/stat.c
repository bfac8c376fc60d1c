// SPDX-License-Identifier: GPL-2.0-only
/* cpctl stat: rates and hold times of pairs. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "clock.h"
#include "cmdline.h"
#include "cpctl.h"
#include "exit.h"
#include "json.h"
#include "message.h"
#include "netlink.h"
#include "output.h"
#include "prometheus.h"
#include "screen.h"
#include "selection.h"
#include "style.h"
#include "table.h"
#include "text.h"
#include "width.h"
#include "words.h"

/* The length of the histogram's longest bar. */
#define BAR 40

static const struct cmdline cmdline = {
	.prints = true,
	.help =
	"Usage: cpctl stat [OPTION]... [PID]...\n"
	"Print how many checkpoints a second the pairs take, and for how long their\n"
	"slaves are held up. The first report is on all the time since a pair was\n"
	"made, each further one on the time since the report before. With PIDs: of the\n"
	"pairs whose slaves they are. At a terminal: again and again, until q is pressed.\n"
	"\n"
	TARGETS_HELP
	"      --interval SEC     time from report to report (1)\n"
	"      --count N          number of reports (1, when not at a terminal)\n"
	"      --json             print JSON, one object to a line\n"
	"      --prometheus       print what node_exporter's textfile collector reads\n"
	CMDLINE_LAST_HELP,
	.options = {
		{ "name", required_argument, NULL, OPT_NAME },
		{ "interval", required_argument, NULL, OPT_INTERVAL },
		{ "count", required_argument, NULL, OPT_COUNT },
		{ "json", no_argument, NULL, OPT_JSON },
		{ "prometheus", no_argument, NULL, OPT_PROMETHEUS },
	},
};

/*
 * struct stat_run - the state of the verb
 * @targets: the slaves to report; all if there are none
 * @status: the exit status so far
 * @interval_ns: the time between two reports
 * @count: the number of reports; 0 if not given
 * @json, @prometheus: the format
 * @netlink: the netlink connection
 * @before: the pairs at the last report
 * @now: the pairs at this report
 * @before_ns, @now_ns: the times of these two
 */
struct stat_run {
	struct targets		targets;
	int			status;
	int64_t			interval_ns;
	uint64_t		count;
	bool			json;
	bool			prometheus;
	struct netlink		*netlink;
	struct pair_list	before;
	struct pair_list	now;
	uint64_t		before_ns;
	uint64_t		now_ns;
};

/*
 * struct change - the changes of a pair since the last report
 * @pair: the pair at this report
 * @seconds: the time since the last report
 * @taken, @missed, @bytes, @held, @held_histogram: the differences of these figures
 * @holds: how many times the slave was held
 */
struct change {
	const struct pair_info	*pair;
	double			seconds;
	uint64_t		taken;
	uint64_t		missed;
	uint64_t		bytes;
	uint64_t		held;
	uint64_t		holds;
	uint64_t		held_histogram[CP_NL_HELD_BUCKETS];
};

static const struct pair_info *find_before(const struct stat_run *run,
					   const struct pair_info *pair)
{
	size_t low = 0, high = run->before.nr;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct pair_info *there = &run->before.pairs[middle];

		if (there->slave < pair->slave)
			low = middle + 1;
		else if (there->slave > pair->slave)
			high = middle;
		else
			return there->made == pair->made ? there : NULL;
	}
	return NULL;
}

static struct change change_of(const struct stat_run *run,
			       const struct pair_info *pair)
{
	static const struct pair_info nothing;
	const struct pair_info *before = find_before(run, pair);
	uint64_t since = before ? run->before_ns : pair->made;
	struct change change = { .pair = pair };
	unsigned int i;

	if (!before)
		before = &nothing;
	/* Avoid a division by zero for a pair that was made just now. */
	change.seconds = run->now_ns > since ?
			 (double)(run->now_ns - since) / NSEC_PER_SEC : 0.000000001;
	change.taken = pair->taken - before->taken;
	change.missed = pair->missed - before->missed;
	change.bytes = pair->bytes - before->bytes;
	change.held = pair->held - before->held;
	for (i = 0; i < CP_NL_HELD_BUCKETS; i++) {
		change.held_histogram[i] = pair->held_histogram[i] -
					   before->held_histogram[i];
		change.holds += change.held_histogram[i];
	}
	return change;
}

static void add_rate(struct json_object *object, const char *key,
		     uint64_t number, const struct change *change)
{
	json_object_object_add(object, key,
			       json_object_new_double((double)number /
						      change->seconds));
}

static void print_json(const struct change *change)
{
	struct json_object *object = words_pair(change->pair, "stat");

	json_object_object_add(object, "seconds",
			       json_object_new_double(change->seconds));
	add_rate(object, "taken_per_second", change->taken, change);
	add_rate(object, "missed_per_second", change->missed, change);
	add_rate(object, "bytes_per_second", change->bytes, change);
	add_rate(object, "held_ns_per_second", change->held, change);
	if (change->holds)
		json_object_object_add(object, "held_average_ns",
				       json_object_new_double((double)change->held /
							      (double)change->holds));
	json_line(stdout, object);
}

static const struct table_column columns[] = {
	{ .name = "SLAVE", .width = 7 },
	{ .name = "MASTER", .width = 7, .rank = 2 },
	{ .name = "STATE", .width = 14, .left = true, .rank = 4 },
	{ .name = "TAKEN/s", .width = 8 },
	{ .name = "MISS/s", .width = 7, .rank = 8 },
	{ .name = "BYTES/s", .width = 7, .rank = 9 },
	{ .name = "HELD%", .width = 5, .rank = 1 },
	{ .name = "TOTAL", .width = 7, .rank = 7 },
	{ .name = "AVERAGE", .width = 7, .rank = 6 },
	{ .name = "MAXIMUM", .width = 7, .rank = 3 },
	{ .name = "THREADS", .width = 7, .rank = 5 },
	{ .name = "COMMANDS", .left = true },
};

static void add_change(struct table *table, const struct change *change)
{
	const struct pair_info *pair = change->pair;
	char slave[COMM_TEXT_SIZE], master[COMM_TEXT_SIZE];
	char text[FIGURE_SIZE];

	table_add(table, "%d", pair->slave);
	table_add(table, "%d", pair->master);
	table_add(table, "%s", state_word(pair->state));
	table_add(table, "%.1f", (double)change->taken / change->seconds);
	table_add(table, "%.1f", (double)change->missed / change->seconds);
	table_add(table, "%s", figure_bytes(text, (double)change->bytes /
						  change->seconds));
	table_add(table, "%.1f", 100 * (double)change->held / NSEC_PER_SEC /
				 change->seconds);
	table_add(table, "%s", figure_time(text, (double)pair->held));
	table_add(table, "%s", change->holds ?
			       figure_time(text, (double)change->held /
						 (double)change->holds) : "-");
	table_add(table, "%s", figure_time(text, (double)pair->held_max));
	table_add(table, "%u", pair->threads);
	table_add(table, "%s < %s", text_comm(slave, pair->slave_comm),
		  text_comm(master, pair->master_comm));
}

/* The width of a line of the histogram before its bar. */
#define BEFORE_BAR 29

static int longest_bar(unsigned int terminal)
{
	if (!terminal || terminal >= BEFORE_BAR + BAR)
		return BAR;
	return terminal > BEFORE_BAR ? (int)terminal - BEFORE_BAR : 0;
}

static void print_histogram(FILE *out, const uint64_t *histogram,
			    unsigned int terminal)
{
	static const char bar[] = "########################################";
	unsigned int first = CP_NL_HELD_BUCKETS, last = 0, i;
	char from[FIGURE_SIZE], to[FIGURE_SIZE];
	const int longest = longest_bar(terminal);
	uint64_t max = 0;

	_Static_assert(sizeof(bar) == BAR + 1, "the longest bar");
	for (i = 0; i < CP_NL_HELD_BUCKETS; i++) {
		if (histogram[i] && first == CP_NL_HELD_BUCKETS)
			first = i;
		if (histogram[i])
			last = i;
		if (histogram[i] > max)
			max = histogram[i];
	}
	if (!max)
		return;
	fputs("\nheld up for:\n", out);
	for (i = first; i <= last; i++)
		fprintf(out, "%7s to %-7s %8" PRIu64 " |%.*s\n",
			figure_time(from, (double)(1ULL << i)),
			i < CP_NL_HELD_BUCKETS - 1 ?
				figure_time(to, (double)(2ULL << i)) : "more",
			histogram[i],
			(int)((double)histogram[i] / (double)max * longest + 0.5),
			bar);
}

/* Sorts the busiest pairs first: a small screen shows only the first ones. */
static int by_rate(const void *a, const void *b)
{
	const struct change *left = a, *right = b;
	double difference = (double)right->taken / right->seconds -
			    (double)left->taken / left->seconds;

	if (difference < 0 || difference > 0)
		return difference < 0 ? -1 : 1;
	return (left->pair->slave > right->pair->slave) -
	       (left->pair->slave < right->pair->slave);
}

static void print_table(FILE *out, struct change *changes, size_t nr)
{
	struct table table = {
		.columns = columns,
		.nr_columns = sizeof(columns) / sizeof(columns[0]),
	};
	const unsigned int terminal = width_of(stdout);
	uint64_t histogram[CP_NL_HELD_BUCKETS] = {};
	size_t i, bucket;

	qsort(changes, nr, sizeof(*changes), by_rate);
	for (i = 0; i < nr; i++) {
		add_change(&table, &changes[i]);
		for (bucket = 0; bucket < CP_NL_HELD_BUCKETS; bucket++)
			histogram[bucket] += changes[i].held_histogram[bucket];
	}
	table_print(&table, out, terminal, style_of(stdout));
	table_free(&table);
	print_histogram(out, histogram, terminal);
}

static bool print_report(const struct stat_run *run, FILE *out)
{
	struct change *changes;
	size_t i;

	if (run->prometheus) {
		prometheus_print(out, &run->now);
		return true;
	}
	changes = calloc(run->now.nr + 1, sizeof(*changes));
	if (!changes) {
		warn("cannot report");
		return false;
	}
	for (i = 0; i < run->now.nr; i++) {
		changes[i] = change_of(run, &run->now.pairs[i]);
		if (run->json)
			print_json(&changes[i]);
	}
	if (!run->json)
		print_table(out, changes, run->now.nr);
	free(changes);
	return true;
}

/*
 * Reads the pairs. The pairs of some of the selected slaves may be missing: the first
 * report of several is of the others. Returns EXIT_OK if there is something to report.
 */
static int sample(struct stat_run *run)
{
	bool first = !run->now_ns;
	int status;

	pair_list_free(&run->before);
	run->before = run->now;
	run->before_ns = run->now_ns;
	run->now = (struct pair_list){};
	run->now_ns = (uint64_t)clock_ns();
	status = selection_pairs(run->netlink, &run->targets, first, &run->now);
	if (status != EXIT_OK && run->now.nr) {
		run->status = status;
		return EXIT_OK;
	}
	return status;
}

static void sleep_ns(int64_t ns)
{
	struct timespec rest = {
		.tv_sec = ns / NSEC_PER_SEC,
		.tv_nsec = ns % NSEC_PER_SEC,
	};

	while (nanosleep(&rest, &rest))
		;
}

static int report(struct stat_run *run)
{
	uint64_t left = run->count ? run->count : 1;
	int status;

	for (;;) {
		status = sample(run);
		if (status != EXIT_OK)
			return status;
		if (!print_report(run, stdout))
			return EXIT_REFUSED;
		status = output_flush(stdout);
		if (status != EXIT_OK)
			return status;
		if (!--left)
			return run->status;
		sleep_ns(run->interval_ns);
		if (!run->json)
			putchar('\n');
	}
}

static bool draw(const struct stat_run *run)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	bool drawn = out && print_report(run, out);

	if (out)
		fclose(out);
	if (drawn && text)
		screen_draw(text);
	free(text);
	return drawn;
}

static int report_on_screen(struct stat_run *run)
{
	enum screen_event event = SCREEN_TIMEOUT;
	int status = sample(run);

	if (status != EXIT_OK)
		return status;
	if (!screen_open()) {
		warn("cannot use the terminal");
		return EXIT_REFUSED;
	}
	while (event != SCREEN_QUIT) {
		if (!draw(run))
			break;
		event = screen_wait(run->interval_ns);
		if (event == SCREEN_STOP)
			screen_stop();
		if (event != SCREEN_TIMEOUT)
			continue;
		status = sample(run);
		/* The pairs of @targets may have ended. */
		if (status != EXIT_OK)
			break;
	}
	screen_close();
	return event == SCREEN_QUIT ? run->status : EXIT_REFUSED;
}

/* The cmdline_set_fn of stat. */
static bool set_option(void *arg, int option)
{
	struct stat_run *run = arg;

	switch (option) {
	case OPT_NAME:
		return targets_name(&run->targets);
	case OPT_INTERVAL:
		return cmdline_interval(&run->interval_ns);
	case OPT_COUNT:
		return cmdline_number(&run->count, 1, UINT64_MAX);
	case OPT_JSON:
		run->json = true;
		break;
	case OPT_PROMETHEUS:
		run->prometheus = true;
		break;
	}
	return true;
}

/* Parses the options. Returns as cmdline_parse(). */
static int parse(int argc, char **argv, struct stat_run *run)
{
	int status = cmdline_parse(argc, argv, &cmdline, set_option, run);

	if (status >= 0)
		return status;
	if (run->prometheus && (run->json || run->count))
		return usage_error(argv[0], "--prometheus goes with neither --json nor --count");
	return targets_parse(argc, argv, &run->targets);
}

int verb_stat(int argc, char **argv)
{
	struct stat_run run = {
		.interval_ns = NSEC_PER_SEC,
		.status = EXIT_OK,
	};
	int status = parse(argc, argv, &run);

	if (status >= 0)
		return status;
	run.netlink = netlink_open();
	if (!run.netlink)
		return EXIT_REFUSED;
	if (screen_possible() && !run.json && !run.prometheus && !run.count)
		status = report_on_screen(&run);
	else
		status = report(&run);
	pair_list_free(&run.before);
	pair_list_free(&run.now);
	netlink_close(run.netlink);
	targets_free(&run.targets);
	return status;
}
