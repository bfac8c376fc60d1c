// SPDX-License-Identifier: GPL-2.0-only
/* The text format that Prometheus and node_exporter's textfile collector read. */
#include <inttypes.h>

#include "clock.h"
#include "facts.h"
#include "prometheus.h"
#include "text.h"
#include "words.h"

/* The printed buckets of the module's histogram: up to 2^10, 2^12, ... 2^30 ns. */
#define FIRST_BUCKET 9
#define BUCKET_STEP 2

/* struct total - a figure of the whole module, with its file in /sys */
struct total {
	const char	*file;
	const char	*name;
	const char	*type;
	const char	*help;
};

static const struct total totals[] = {
	{ "pairs_live", "checkpoint_pairs", "gauge",
	  "Pairs that are not over." },
	{ "pairs_made", "checkpoint_pairs_made_total", "counter",
	  "Pairs made since the module was loaded." },
	{ "checkpoints", "checkpoint_checkpoints_total", "counter",
	  "Checkpoints handed over since the module was loaded." },
	{ "checkpoints_missed", "checkpoint_checkpoints_missed_total",
	  "counter",
	  "Checkpoints not handed over because a wait limit passed." },
	{ "bytes_copied", "checkpoint_copied_bytes_total", "counter",
	  "Bytes of stack copied since the module was loaded." },
};

static void print_head(FILE *out, const char *name, const char *type,
		       const char *help)
{
	fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void print_totals(FILE *out)
{
	char path[64], line[32];
	size_t i;

	for (i = 0; i < sizeof(totals) / sizeof(totals[0]); i++) {
		snprintf(path, sizeof(path), "/sys/class/misc/checkpoint/%s",
			 totals[i].file);
		if (!first_line(path, line, sizeof(line)))
			continue;
		print_head(out, totals[i].name, totals[i].type,
			   totals[i].help);
		fprintf(out, "%s ", totals[i].name);
		print_name(out, line);
		fputc('\n', out);
	}
}

/*
 * The format is UTF-8 and has escapes for these three characters only. Other characters
 * that are not plain, and invalid bytes, become U+FFFD.
 */
static void print_escaped(FILE *out, const char *key, const char *value)
{
	fprintf(out, "%s=\"", key);
	while (*value) {
		uint32_t code;
		size_t len = text_char(value, &code);

		if (*value == '"' || *value == '\\')
			fprintf(out, "\\%c", *value);
		else if (*value == '\n')
			fputs("\\n", out);
		else if (!len || !text_is_plain(code))
			fputs("\357\277\275", out);
		else
			fwrite(value, 1, len, out);
		value += len ? len : 1;
	}
	fputc('"', out);
}

/* Prints the name of a sample and its labels; @more is a further label or NULL. */
static void print_sample(FILE *out, const char *name,
			 const struct pair_info *pair, const char *more)
{
	fprintf(out, "%s{slave=\"%d\",", name, pair->slave);
	print_escaped(out, "slave_command", pair->slave_comm);
	fprintf(out, ",master=\"%d\",", pair->master);
	print_escaped(out, "master_command", pair->master_comm);
	fputc(',', out);
	print_escaped(out, "user", figure_user(pair->uid));
	fprintf(out, "%s%s} ", more ? "," : "", more ? more : "");
}

static void print_taken(FILE *out, const struct pair_info *pair)
{
	fprintf(out, "%" PRIu64 "\n", pair->taken);
}

static void print_missed(FILE *out, const struct pair_info *pair)
{
	fprintf(out, "%" PRIu64 "\n", pair->missed);
}

static void print_bytes(FILE *out, const struct pair_info *pair)
{
	fprintf(out, "%" PRIu64 "\n", pair->bytes);
}

static void print_held_max(FILE *out, const struct pair_info *pair)
{
	fprintf(out, "%.9f\n", (double)pair->held_max / NSEC_PER_SEC);
}

/* struct figure - a figure of each pair */
static const struct figure {
	const char	*name;
	const char	*type;
	const char	*help;
	void		(*print)(FILE *out, const struct pair_info *pair);
} figures[] = {
	{ "checkpoint_pair_taken_total", "counter",
	  "Checkpoints that the master has taken.", print_taken },
	{ "checkpoint_pair_missed_total", "counter",
	  "Checkpoints not handed over because the wait limit passed.",
	  print_missed },
	{ "checkpoint_pair_copied_bytes_total", "counter",
	  "Bytes of stack copied.", print_bytes },
	{ "checkpoint_pair_held_max_seconds", "gauge",
	  "Longest time for which the slave was held up at once.",
	  print_held_max },
};

static void print_state(FILE *out, const struct pair_info *pair)
{
	char label[64];
	uint32_t state;

	for (state = CP_NL_STATE_RUNNING; state <= CP_NL_STATE_HELD; state++) {
		if (state == CP_NL_STATE_OVER)
			continue;
		snprintf(label, sizeof(label), "state=\"%s\"",
			 state_word(state));
		print_sample(out, "checkpoint_pair_state", pair, label);
		fprintf(out, "%d\n", state == pair->state);
	}
}

static void print_held(FILE *out, const struct pair_info *pair)
{
	uint64_t count = 0;
	char label[64];
	unsigned int i;

	for (i = 0; i < CP_NL_HELD_BUCKETS; i++) {
		count += pair->held_histogram[i];
		if (i < FIRST_BUCKET || (i - FIRST_BUCKET) % BUCKET_STEP ||
		    i == CP_NL_HELD_BUCKETS - 1)
			continue;
		/* The upper limit of bucket i is 2^(i + 1) - 1 ns, inclusive. */
		snprintf(label, sizeof(label), "le=\"%.9f\"",
			 (double)((1ULL << (i + 1)) - 1) / NSEC_PER_SEC);
		print_sample(out, "checkpoint_pair_held_seconds_bucket", pair,
			     label);
		fprintf(out, "%" PRIu64 "\n", count);
	}
	print_sample(out, "checkpoint_pair_held_seconds_bucket", pair,
		     "le=\"+Inf\"");
	fprintf(out, "%" PRIu64 "\n", count);
	print_sample(out, "checkpoint_pair_held_seconds_sum", pair, NULL);
	fprintf(out, "%.9f\n", (double)pair->held / NSEC_PER_SEC);
	print_sample(out, "checkpoint_pair_held_seconds_count", pair, NULL);
	fprintf(out, "%" PRIu64 "\n", count);
}

void prometheus_print(FILE *out, const struct pair_list *list)
{
	size_t i, n;

	print_totals(out);
	if (!list->nr)
		return;
	/* The format requires all samples of a name in one group. */
	for (i = 0; i < sizeof(figures) / sizeof(figures[0]); i++) {
		print_head(out, figures[i].name, figures[i].type,
			   figures[i].help);
		for (n = 0; n < list->nr; n++) {
			print_sample(out, figures[i].name, &list->pairs[n],
				     NULL);
			figures[i].print(out, &list->pairs[n]);
		}
	}
	print_head(out, "checkpoint_pair_state", "gauge",
		   "1 for the state that the pair is in.");
	for (n = 0; n < list->nr; n++)
		print_state(out, &list->pairs[n]);
	print_head(out, "checkpoint_pair_held_seconds", "histogram",
		   "How long the slave was held up at each checkpoint.");
	for (n = 0; n < list->nr; n++)
		print_held(out, &list->pairs[n]);
}
