// SPDX-License-Identifier: GPL-2.0-only
/* cpctl list: who is paired with whom. */
#include <err.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cpctl.h"
#include "entry.h"
#include "json.h"
#include "netlink.h"
#include "style.h"
#include "text.h"
#include "words.h"

static const char help[] =
	"Usage: cpctl list [OPTION]...\n"
	"List the pairs: those that you have made; for root, all.\n"
	"\n"
	"      --json       print JSON, one object to a line\n"
	"      --no-header  leave out the first line\n"
	"  -h, --help       print this help\n"
	"  -V, --version    print the version\n";

enum {
	OPT_JSON = 256,
	OPT_NO_HEADER,
};

static const struct option long_options[] = {
	{ "json", no_argument, NULL, OPT_JSON },
	{ "no-header", no_argument, NULL, OPT_NO_HEADER },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{}
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
	char bytes[FIGURE_SIZE], held[FIGURE_SIZE];

	printf("%7d %7d %-8s %-14s %8" PRIu64 " %6" PRIu64
	       " %6s %6s %-15s %s < %s\n",
	       pair->slave, pair->master, figure_user(pair->uid),
	       state_word(pair->state), pair->taken, pair->missed,
	       figure_bytes(bytes, (double)pair->bytes),
	       figure_time(held, (double)pair->held), name ? name : "-",
	       pair->slave_comm, pair->master_comm);
	free(name);
}

static int list_pairs(bool json, bool header)
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
	if (header && !json)
		print_header();
	for (i = 0; i < list.nr; i++) {
		if (json)
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

int verb_list(int argc, char **argv)
{
	bool json = false, header = true;
	int option;

	while ((option = getopt_long(argc, argv, "hV", long_options, NULL)) !=
	       -1) {
		switch (option) {
		case OPT_JSON:
			json = true;
			break;
		case OPT_NO_HEADER:
			header = false;
			break;
		case 'h':
			fputs(help, stdout);
			return EXIT_OK;
		case 'V':
			return print_version();
		default:
			return usage_error(argv[0], NULL);
		}
	}
	if (optind != argc)
		return usage_error(argv[0], "no argument is wanted");
	return list_pairs(json, header);
}
