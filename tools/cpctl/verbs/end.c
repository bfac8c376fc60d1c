// SPDX-License-Identifier: GPL-2.0-only
/* cpctl end: end the pair of a slave. */
#include "cmdline.h"
#include "cpctl.h"
#include "exit.h"
#include "netlink.h"

static const struct cmdline cmdline = {
	.help =
	"Usage: cpctl end [OPTION]... PID\n"
	"End the pair whose slave is PID. The slave continues at once; its master is\n"
	"notified. You can end the pairs that you have made; root can end all.\n"
	"\n"
	CMDLINE_LAST_HELP,
};

int verb_end(int argc, char **argv)
{
	int status = cmdline_parse(argc, argv, &cmdline, NULL, NULL);
	struct netlink *netlink;
	pid_t pid;

	if (status < 0)
		status = cmdline_pid(argc, argv, &pid);
	if (status >= 0)
		return status;
	netlink = netlink_open();
	if (!netlink)
		return EXIT_REFUSED;
	status = netlink_end(netlink, pid);
	netlink_close(netlink);
	return status;
}
