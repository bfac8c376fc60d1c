// SPDX-License-Identifier: GPL-2.0-only
/* Looking at a recording: what show, log and diff have in common. */
#include <err.h>
#include <getopt.h>
#include <string.h>

#include "cpctl.h"
#include "number.h"
#include "output.h"
#include "viewer.h"

/* Options without a letter. */
enum {
	OPT_JSON = 256,
	OPT_STACK_BYTES,
	OPT_FULL,
};

static const struct option long_options[] = {
	/* Those of stacks come first. */
	{ "stack-bytes", required_argument, NULL, OPT_STACK_BYTES },
	{ "full", no_argument, NULL, OPT_FULL },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "output", required_argument, NULL, 'o' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{}
};

#define NR_STACK_OPTIONS 2

/* Gives -1 to go on, or an exit status. */
static int set_option(struct viewer_options *options, int option,
		      char **argv, const char *help)
{
	switch (option) {
	case OPT_JSON:
		options->json = true;
		break;
	case OPT_FULL:
		options->view.full = true;
		break;
	case OPT_STACK_BYTES:
		if (!parse_bytes(optarg, &options->view.stack_bytes))
			return usage_error(argv[0], "'%s' is not valid for --stack-bytes",
					   optarg);
		break;
	case 'o':
		options->output = optarg;
		break;
	case 'h':
		fputs(help, stdout);
		return EXIT_OK;
	case 'V':
		return print_version();
	default:
		return usage_error(argv[0], NULL);
	}
	return -1;
}

int viewer_parse(int argc, char **argv, const char *help, bool has_stack,
		 struct viewer_options *options)
{
	const struct option *known = long_options;
	int option, status;

	if (!has_stack)
		known += NR_STACK_OPTIONS;
	for (;;) {
		/* Behind the file come numbers, which may be below zero. */
		option = getopt_long(argc, argv, "+o:hV", known, NULL);
		if (option < 0)
			return -1;
		status = set_option(options, option, argv, help);
		if (status >= 0)
			return status;
	}
}

static int show_on(FILE *out, struct viewer *viewer, viewer_fn show, void *arg)
{
	int status = EXIT_REFUSED;

	viewer->printer.out = out;
	viewer->printer.style = style_of(out);
	viewer->printer.view = viewer->options->view;
	viewer->printer.symbols = symbols_open(&viewer->play.around);
	if (!viewer->printer.symbols)
		warn("cannot look up symbols");
	else
		status = show(viewer, arg);
	symbols_close(viewer->printer.symbols);
	if (status == EXIT_OK)
		status = output_flush(out);
	return status == EXIT_OK ? playback_status(&viewer->play) : status;
}

int viewer_run(const char *path, const struct viewer_options *options,
	       viewer_fn show, void *arg)
{
	struct viewer viewer = { .options = options };
	int status = EXIT_REFUSED;
	FILE *out;

	if (playback_open(&viewer.play, path)) {
		out = output_open(options->output);
		if (out) {
			status = show_on(out, &viewer, show, arg);
			status = output_close(out, options->output, status);
		}
	}
	playback_close(&viewer.play);
	return status;
}

bool parse_place(const char *text, int64_t *number)
{
	bool back = text[0] == '-';
	uint64_t count;

	if (!parse_count(text + back, &count) || count > INT64_MAX)
		return false;
	*number = back ? -(int64_t)count : (int64_t)count;
	return true;
}
