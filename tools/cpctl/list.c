// SPDX-License-Identifier: GPL-2.0-only
/* cpctl list: who is paired with whom. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmdline.h"
#include "cpctl.h"
#include "entry.h"
#include "json.h"
#include "message.h"
#include "netlink.h"
#include "style.h"
#include "text.h"
#include "words.h"

static const struct cmdline cmdline = {
	.help =
	"Usage: cpctl list [OPTION]...\n"
	"List the pairs: those that you have made; for root, all.\n"
	"\n"
	"      --json       print JSON, one object to a line\n"
	"      --no-header  leave out the first line\n"
	"  -h, --help       print this help\n"
	"  -V, --version    print the version\n",
	.options = {
		{ "json", no_argument, NULL, OPT_JSON },
		{ "no-header", no_argument, NULL, OPT_NO_HEADER },
	},
};

static void print_header(void)
{
	const struct style *style = style_of(stdout);

	printf("%s%7s %7s %-8s %-14s %8s %6s %6s %6s %-15s %s%s\n",
	       style->head, "SLAVE", "MASTER", "USER", "STATE", "TAKEN",
	       "MISSED", "BYTES", "HELD", "SYSCALL", "COMMANDS", style->end);
}

static void print_pair(const struct pair_info *pair)
{
	char *name = syscall_name(pair->last_syscall, pair->flags);
	char slave[COMM_TEXT_SIZE], master[COMM_TEXT_SIZE];
	char bytes[FIGURE_SIZE], held[FIGURE_SIZE];

	printf("%7d %7d %-8s %-14s %8" PRIu64 " %6" PRIu64
	       " %6s %6s %-15s %s < %s\n",
	       pair->slave, pair->master, figure_user(pair->uid),
	       state_word(pair->state), pair->taken, pair->missed,
	       figure_bytes(bytes, (double)pair->bytes),
	       figure_time(held, (double)pair->held), name ? name : "-",
	       text_comm(slave, pair->slave_comm),
	       text_comm(master, pair->master_comm));
	free(name);
}

/*
 * struct list_options - how it is printed
 * @json: as JSON
 * @header: with a first line that says what is what
 */
struct list_options {
	bool	json;
	bool	header;
};

static int list_pairs(const struct list_options *options)
{
	struct netlink *netlink = netlink_open();
	struct pair_list list;
	int status;
	size_t i;

	if (!netlink)
		return EXIT_REFUSED;
	status = netlink_pairs(netlink, 0, &list);
	netlink_close(netlink);
	if (status != EXIT_OK)
		return status;
	if (options->header && !options->json)
		print_header();
	for (i = 0; i < list.nr; i++) {
		if (options->json)
			json_line(stdout, words_pair(&list.pairs[i], "pair"));
		else
			print_pair(&list.pairs[i]);
	}
	pair_list_free(&list);
	if (fflush(stdout)) {
		warn("cannot write");
		return EXIT_REFUSED;
	}
	return EXIT_OK;
}

/* As cmdline_set_fn. */
static bool set_option(void *arg, int option)
{
	struct list_options *options = arg;

	if (option == OPT_JSON)
		options->json = true;
	else
		options->header = false;
	return true;
}

int verb_list(int argc, char **argv)
{
	struct list_options options = { .header = true };
	int status = cmdline_parse(argc, argv, &cmdline, set_option, &options);

	if (status < 0)
		status = cmdline_none(argc, argv);
	return status < 0 ? list_pairs(&options) : status;
}
