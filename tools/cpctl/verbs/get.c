// SPDX-License-Identifier: GPL-2.0-only
/* cpctl get: print checkpoints of a running process. */
#include "cpctl.h"
#include "take.h"

static const struct take_usage usage = {
	.has = TAKE_HAS_ALL,
	.help =
	"Usage: cpctl get [OPTION]... PID\n"
	"Print checkpoints of the running process or thread PID: registers and\n"
	"stack. What has changed since the one before is marked.\n"
	"\n"
	"  -n, --count N          how many (1)\n"
	TAKE_WAIT_HELP
	TAKE_VIEW_HELP
	TAKE_OUTPUT_HELP
	TAKE_LAST_HELP
	"\n"
	"A sleeping process is nudged unless --no-nudge is given.\n",
};

int verb_get(int argc, char **argv)
{
	struct take_options options = {
		.count = 1,
		.nudge = true,
		.timeout_ns = -1,
		.view.stack_bytes = 256,
	};
	pid_t pid;
	int status = take_parse_pid(argc, argv, &usage, &options, &pid);

	return status >= 0 ? status : take_from(pid, &options, take_show,
					       &options);
}
