// SPDX-License-Identifier: GPL-2.0-only
/* cpctl end: end somebody's pair. */
#include <getopt.h>
#include <stdio.h>

#include "cpctl.h"
#include "netlink.h"
#include "number.h"

static const char help[] =
	"Usage: cpctl end [OPTION]... PID\n"
	"End the pair whose slave is PID. The slave goes on at once; its master is\n"
	"told. The pairs that one has made can be ended, root can end all.\n"
	"\n"
	"  -h, --help     print this help\n"
	"  -V, --version  print the version\n";

static const struct option long_options[] = {
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{}
};

int verb_end(int argc, char **argv)
{
	struct netlink *netlink;
	int option, status;
	pid_t pid;

	while ((option = getopt_long(argc, argv, "hV", long_options, NULL)) !=
	       -1) {
		switch (option) {
		case 'h':
			fputs(help, stdout);
			return EXIT_OK;
		case 'V':
			return print_version();
		default:
			return usage_error(argv[0], NULL);
		}
	}
	if (optind != argc - 1)
		return usage_error(argv[0], "one PID is wanted");
	if (!parse_pid(argv[optind], &pid))
		return usage_error(argv[0], "'%s' is no process id",
				   argv[optind]);
	netlink = netlink_open();
	if (!netlink)
		return EXIT_REFUSED;
	status = netlink_end(netlink, pid);
	netlink_close(netlink);
	return status;
}
