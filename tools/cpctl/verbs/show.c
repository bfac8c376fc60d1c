// SPDX-License-Identifier: GPL-2.0-only
/* cpctl show: print a checkpoint of a recording. */
#include <getopt.h>
#include <inttypes.h>

#include "cmdline.h"
#include "cpctl.h"
#include "exit.h"
#include "json.h"
#include "text.h"
#include "viewer.h"

static const char help[] =
	"Usage: cpctl show [OPTION]... FILE [N]\n"
	"Print the checkpoint number N of a recording, registers and stack. N is as\n"
	"'cpctl log' tells it; -1 is the last, -2 the one before it. Without N: the last.\n"
	"\n"
	VIEWER_STACK_HELP
	VIEWER_HELP;

static int show(struct viewer *viewer, void *arg)
{
	const struct playback *play = &viewer->play;
	const struct snapshot nothing = {};
	const int64_t *number = arg;

	if (!playback_find(&viewer->play, *number))
		return EXIT_REFUSED;
	symbols_refresh(viewer->printer.symbols);
	if (play->execs && !viewer->options->json && play->identity.command) {
		fprintf(viewer->printer.out, "after exec %" PRIu64 ": ",
			play->execs);
		print_name(viewer->printer.out, play->identity.command);
		fputc('\n', viewer->printer.out);
	}
	if (viewer->options->json)
		json_snapshot(&viewer->printer, &viewer->play.now);
	else
		print_snapshot(&viewer->printer, &viewer->play.now, &nothing);
	return EXIT_OK;
}

int verb_show(int argc, char **argv)
{
	struct viewer_options options = { .view.stack_bytes = 256 };
	int64_t number = -1;
	int status = viewer_parse(argc, argv, help, true, &options);

	if (status >= 0)
		return status;
	if (optind == argc || argc - optind > 2)
		return usage_error(argv[0], "expected FILE [N]");
	if (argc - optind == 2 && !parse_place(argv[optind + 1], &number))
		return usage_error(argv[0], "invalid checkpoint number '%s'",
				   argv[optind + 1]);
	return viewer_run(argv[optind], &options, show, &number);
}
