// SPDX-License-Identifier: GPL-2.0-only
/* cpctl get: print checkpoints of a process or a recording. */
#include "cpctl.h"
#include "subject.h"
#include "viewer.h"

static const struct usage usage = {
	.has = OPTIONS_COUNT | OPTIONS_LIVE | OPTIONS_THIN | OPTIONS_VIEW |
	       OPTIONS_JSON | OPTIONS_PROCESS | OPTIONS_NAME |
	       OPTIONS_PID,
	.help =
	"Usage: cpctl get [OPTION]... PID\n"
	"       cpctl get [OPTION]... FILE\n"
	"Print checkpoints of the threads of the running process PID, in the order of\n"
	"their times, or of a recording from its first on: registers and stack. What\n"
	"has changed since the one before of the same thread is marked. The id of a\n"
	"thread stands for its process, unless --thread is given. A FILE whose name is\n"
	"a number is given as ./FILE.\n"
	"\n"
	"  -n, --count N          how many of all threads together (1; all of a\n"
	"                         recording)\n"
	OPTIONS_PROCESS_HELP
	OPTIONS_PID_HELP
	TARGETS_HELP
	OPTIONS_VIEW_HELP
	OPTIONS_TAKE_HELP,
};

static const struct subject_usage arguments = {
	.text = "PID, or FILE",
	.live = true,
};

int verb_get(int argc, char **argv)
{
	struct options options = {
		.stream.compare = true,
		.stream.process = true,
		.stream.nudge = true,
		.stream.timeout_ns = -1,
		.view.stack_bytes = 256,
	};
	struct subject subject = {};
	int status = subject_parse(argc, argv, &usage, &arguments, &options,
				   &subject);

	if (status >= 0)
		return status;
	if (!subject.file && !options.stream.count)
		options.stream.count = 1;
	return viewer_show(subject_open(&subject, &options), &options);
}
