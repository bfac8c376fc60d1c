// SPDX-License-Identifier: GPL-2.0-only
/* cpctl run: start a program and print its checkpoints. */
#include <errno.h>
#include <getopt.h>
#include <string.h>

#include "child.h"
#include "cmdline.h"
#include "cpctl.h"
#include "diagnose.h"
#include "exit.h"
#include "interrupt.h"
#include "message.h"
#include "take.h"

static const struct take_usage usage = {
	/* Options after the command are those of the command. */
	.in_order = true,
	.has = TAKE_HAS_ALL,
	.help =
	"Usage: cpctl run [OPTION]... [--] COMMAND [ARGUMENT]...\n"
	"Start a program and print its checkpoints, from its very first return to\n"
	"user mode on. After the last, it runs to its end without a pair.\n"
	"\n"
	"  -n, --count N          how many (all until it ends)\n"
	TAKE_WAIT_HELP
	TAKE_VIEW_HELP
	TAKE_OUTPUT_HELP
	TAKE_LAST_HELP
	"      --record ...       'cpctl record' by another name; goes first\n"
	"\n"
	"The program is not nudged unless --nudge is given. Ctrl-C stops printing and\n"
	"leaves it running.\n",
};

/*
 * Waits for the program's end after the end of the pair, unless interrupted. If the
 * pair has ended because the program exited, the message has already been printed.
 */
static void wait_for_end(const struct cp_pair *pair, pid_t pid)
{
	int status, told;

	if (!child_wait(pid, &status))
		warnx("interrupted; process %d continues", pid);
	else if (cp_pair_ended(pair, &told) != CP_END_EXITED || told != status)
		diagnose_end(pid, CP_END_EXITED, status);
}

static int run_child(struct cp_pair *pair, pid_t pid,
		     struct take_options *options)
{
	struct live live;
	int status = EXIT_REFUSED;

	if (!live_open(&live, pair, pid, options)) {
		child_kill(pid);
		return status;
	}
	/*
	 * Make the pair only now, after the exec, which would end a pair. The
	 * program is held at its beginning.
	 */
	if (take_prep(pair, pid, options)) {
		child_kill(pid);
	} else {
		child_release(pid);
		status = live_run(&live, take_show, options);
		wait_for_end(pair, pid);
	}
	live_close(&live);
	return status;
}

static int run(struct cp_pair *pair, char **command,
	       struct take_options *options)
{
	pid_t pid = child_start(command);

	return pid < 0 ? EXIT_REFUSED : run_child(pair, pid, options);
}

int verb_run(int argc, char **argv)
{
	struct take_options options = {
		.timeout_ns = -1,
		.view.stack_bytes = 256,
	};
	struct cp_pair *pair;
	int status;

	if (argc > 1 && !strcmp(argv[1], "--record")) {
		argv[1] = argv[0];
		return verb_record(argc - 1, argv + 1);
	}
	status = take_parse(argc, argv, &usage, &options);
	if (status >= 0)
		return status;
	if (optind == argc)
		return usage_error(argv[0], "a command is missing");
	pair = cp_pair_open();
	if (!pair) {
		diagnose_open(errno);
		return EXIT_REFUSED;
	}
	interrupt_catch(pair);
	status = run(pair, argv + optind, &options);
	cp_pair_close(pair);
	return status;
}
