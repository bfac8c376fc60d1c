// SPDX-License-Identifier: GPL-2.0-only
/* cpctl run: start a program and print its checkpoints. */
#include <getopt.h>
#include <string.h>

#include "child.h"
#include "cmdline.h"
#include "cpctl.h"
#include "diagnose.h"
#include "exit.h"
#include "interrupt.h"
#include "live.h"
#include "message.h"
#include "viewer.h"

static const struct usage usage = {
	/* Options after the command are those of the command. */
	.in_order = true,
	.has = OPTIONS_COUNT | OPTIONS_LIVE | OPTIONS_VIEW | OPTIONS_JSON |
	       OPTIONS_PROCESS,
	.help =
	"Usage: cpctl run [OPTION]... [--] COMMAND [ARGUMENT]...\n"
	"Start a program and print the checkpoints of its threads, from its very first\n"
	"return to user mode on. After the last, it runs to its end without a pair.\n"
	"\n"
	"  -n, --count N          how many (all until it ends)\n"
	"      --thread           those of its main thread alone\n"
	OPTIONS_LIVE_HELP
	OPTIONS_VIEW_HELP
	OPTIONS_OUTPUT_HELP
	CMDLINE_LAST_HELP
	"      --record ...       'cpctl record' by another name; goes first\n"
	"\n"
	"The program is not nudged unless --nudge is given. Ctrl-C stops printing and\n"
	"leaves it running.\n",
};

/*
 * Waits for the program's end after the end of the pair.
 * @reported: the end of the pair, for which a message has been printed
 */
static void wait_for_end(pid_t pid, const struct stream_end *reported)
{
	int status;

	if (!child_wait(pid, &status))
		warnx("interrupted; process %d continues", pid);
	else if (reported->reason != CP_END_EXITED ||
		 reported->status != status)
		diagnose_end(pid, CP_END_EXITED, status);
}

static int run(char **command, const struct options *options)
{
	struct stream *stream = live_start(command, &options->stream);
	struct stream_end end = {};
	struct viewer viewer;
	int status;
	pid_t pid;

	if (!stream)
		return EXIT_REFUSED;
	pid = stream->pid;
	viewer_open(&viewer, stream, options);
	viewer_show_all(&viewer);
	viewer_ended(&viewer, &end);
	status = viewer_close(&viewer);
	/* If interrupted, viewer_close() has printed so. */
	if (!interrupted())
		wait_for_end(pid, &end);
	return status;
}

int verb_run(int argc, char **argv)
{
	struct options options = {
		.stream.compare = true,
		.stream.process = true,
		.stream.timeout_ns = -1,
		.view.stack_bytes = 256,
	};
	int status;

	if (argc > 1 && !strcmp(argv[1], "--record")) {
		argv[1] = argv[0];
		return verb_record(argc - 1, argv + 1);
	}
	status = options_parse(argc, argv, &usage, &options);
	if (status >= 0)
		return status;
	if (optind == argc)
		return usage_error(argv[0], "a command is missing");
	return run(argv + optind, &options);
}
