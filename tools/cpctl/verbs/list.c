// SPDX-License-Identifier: GPL-2.0-only
/* cpctl list: the pairs, each with its slave and master. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "cmdline.h"
#include "cpctl.h"
#include "entry.h"
#include "exit.h"
#include "json.h"
#include "netlink.h"
#include "output.h"
#include "selection.h"
#include "style.h"
#include "table.h"
#include "text.h"
#include "width.h"
#include "words.h"

static const struct cmdline cmdline = {
	.prints = true,
	.help =
	"Usage: cpctl list [OPTION]... [PID]...\n"
	"List the pairs: those that you have made; for root, all. With PIDs: the pairs\n"
	"whose slaves they are.\n"
	"\n"
	TARGETS_HELP
	"      --json             print JSON, one object to a line\n"
	"      --no-header        leave out the first line\n"
	CMDLINE_LAST_HELP,
	.options = {
		{ "name", required_argument, NULL, OPT_NAME },
		{ "json", no_argument, NULL, OPT_JSON },
		{ "no-header", no_argument, NULL, OPT_NO_HEADER },
	},
};

static const struct table_column columns[] = {
	{ .name = "SLAVE", .width = 7 },
	{ .name = "MASTER", .width = 7 },
	{ .name = "USER", .width = 8, .left = true, .rank = 5 },
	{ .name = "STATE", .width = 14, .left = true, .rank = 1 },
	{ .name = "TAKEN", .width = 8, .rank = 2 },
	{ .name = "MISSED", .width = 6, .rank = 6 },
	{ .name = "BYTES", .width = 6, .rank = 7 },
	{ .name = "HELD", .width = 6, .rank = 3 },
	{ .name = "THREADS", .width = 7, .rank = 4 },
	{ .name = "SYSCALL", .width = 15, .left = true, .rank = 8 },
	{ .name = "COMMANDS", .left = true },
};

static void add_pair(struct table *table, const struct pair_info *pair)
{
	char *name = syscall_name(pair->last_syscall, pair->flags);
	char slave[COMM_TEXT_SIZE], master[COMM_TEXT_SIZE];
	char bytes[FIGURE_SIZE], held[FIGURE_SIZE];

	table_add(table, "%d", pair->slave);
	table_add(table, "%d", pair->master);
	table_add(table, "%s", figure_user(pair->uid));
	table_add(table, "%s", state_word(pair->state));
	table_add(table, "%" PRIu64, pair->taken);
	table_add(table, "%" PRIu64, pair->missed);
	table_add(table, "%s", figure_bytes(bytes, (double)pair->bytes));
	table_add(table, "%s", figure_time(held, (double)pair->held));
	table_add(table, "%u", pair->threads);
	table_add(table, "%s", name ? name : "-");
	table_add(table, "%s < %s", text_comm(slave, pair->slave_comm),
		  text_comm(master, pair->master_comm));
	free(name);
}

static void print_table(const struct pair_list *list, bool header)
{
	struct table table = {
		.columns = columns,
		.nr_columns = sizeof(columns) / sizeof(columns[0]),
	};
	size_t i;

	for (i = 0; i < list->nr; i++)
		add_pair(&table, &list->pairs[i]);
	table_print(&table, stdout, width_of(stdout),
		    header ? style_of(stdout) : NULL);
	table_free(&table);
}

/*
 * struct list_options - the options of the verb
 * @targets: the slaves; all if there are none
 * @json: whether to print JSON
 * @header: whether to print a line with the names of the columns
 */
struct list_options {
	struct targets	targets;
	bool		json;
	bool		header;
};

static int list_pairs(const struct list_options *options)
{
	struct netlink *netlink = netlink_open();
	struct pair_list list;
	int status;
	size_t i;

	if (!netlink)
		return EXIT_REFUSED;
	status = selection_pairs(netlink, &options->targets, true, &list);
	netlink_close(netlink);
	if (status != EXIT_OK && !list.nr)
		return status;
	for (i = 0; i < list.nr && options->json; i++)
		json_line(stdout, words_pair(&list.pairs[i], "pair"));
	if (!options->json)
		print_table(&list, options->header);
	pair_list_free(&list);
	return status == EXIT_OK ? output_flush(stdout) : status;
}

/* The cmdline_set_fn of list. */
static bool set_option(void *arg, int option)
{
	struct list_options *options = arg;

	switch (option) {
	case OPT_NAME:
		return targets_name(&options->targets);
	case OPT_JSON:
		options->json = true;
		break;
	case OPT_NO_HEADER:
		options->header = false;
		break;
	}
	return true;
}

int verb_list(int argc, char **argv)
{
	struct list_options options = { .header = true };
	int status = cmdline_parse(argc, argv, &cmdline, set_option, &options);

	if (status < 0)
		status = targets_parse(argc, argv, &options.targets);
	if (status < 0)
		status = list_pairs(&options);
	targets_free(&options.targets);
	return status;
}
