// SPDX-License-Identifier: GPL-2.0-only
/* cpctl show: print a checkpoint of a recording. */
#include "cmdline.h"
#include "cpctl.h"
#include "subject.h"
#include "viewer.h"

static const struct usage usage = {
	.has = OPTIONS_VIEW | OPTIONS_JSON | OPTIONS_PROCESS | OPTIONS_PID,
	.help =
	"Usage: cpctl show [OPTION]... FILE [N]\n"
	"Print the checkpoint number N of a recording, registers and stack. N is as\n"
	"'cpctl log' prints it; -1 is the last, -2 the one before it. Without N: that of\n"
	"the thread that crashed, or the last.\n"
	"\n"
	OPTIONS_ONLY_HELP
	OPTIONS_VIEW_HELP
	OPTIONS_OUTPUT_HELP
	CMDLINE_LAST_HELP,
};

static const struct subject_usage arguments = {
	.text = "FILE [N]",
	.most = 1,
};

int verb_show(int argc, char **argv)
{
	struct options options = {
		.stream.count = 1,
		.stream.last = LAST_CRASH,
		.view.stack_bytes = 256,
	};
	struct subject subject = {};
	int status = subject_parse(argc, argv, &usage, &arguments, &options,
				   &subject);

	if (status >= 0)
		return status;
	return viewer_show(subject_open(&subject, &options), &options);
}
