// SPDX-License-Identifier: GPL-2.0-only
/* cpctl get: print checkpoints of a running process. */
#include <err.h>
#include <errno.h>
#include <getopt.h>

#include "cpctl.h"
#include "diagnose.h"
#include "interrupt.h"
#include "number.h"
#include "take.h"

static const char help[] =
	"Usage: cpctl get [OPTION]... PID\n"
	"Print checkpoints of the running process or thread PID: registers and\n"
	"stack. What has changed since the one before is marked.\n"
	"\n"
	"  -n, --count N          how many (1)\n"
	TAKE_OPTIONS_HELP
	"\n"
	"A sleeping process is nudged unless --no-nudge is given.\n";

static int get(pid_t pid, const struct take_options *options)
{
	struct cp_pair *pair = cp_pair_open();
	int status = EXIT_REFUSED;

	if (!pair) {
		diagnose_open(errno);
		return status;
	}
	interrupt_catch(pair);
	if (!take_prep(pair, pid, options))
		status = take_all(pair, pid, options);
	cp_pair_close(pair);
	if (interrupted())
		warnx("stopped; process %d goes on by itself", pid);
	return status;
}

int verb_get(int argc, char **argv)
{
	struct take_options options = {
		.count = 1,
		.nudge = true,
		.timeout_ns = -1,
		.view.stack_bytes = 256,
	};
	pid_t pid;
	int status = take_parse(argc, argv, TAKE_LETTERS, &options, help);

	if (status >= 0)
		return status;
	if (optind != argc - 1)
		return usage_error(argv[0], "one PID is wanted");
	if (!parse_pid(argv[optind], &pid))
		return usage_error(argv[0], "'%s' is no process id",
				   argv[optind]);
	return get(pid, &options);
}
