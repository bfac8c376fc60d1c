// SPDX-License-Identifier: GPL-2.0-only
/* Printing a recording: the common part of show, log and diff. */
#include <string.h>

#include "cmdline.h"
#include "exit.h"
#include "interrupt.h"
#include "message.h"
#include "number.h"
#include "output.h"
#include "plainname.h"
#include "viewer.h"
#include "width.h"

/* The options of VIEWER_STACK_HELP. */
static const struct option stack_options[] = {
	{ "stack-bytes", required_argument, NULL, OPT_STACK_BYTES },
	{ "full", no_argument, NULL, OPT_FULL },
};

/* The cmdline_set_fn of these verbs. */
static bool set_option(void *arg, int option)
{
	struct viewer_options *options = arg;

	switch (option) {
	case OPT_STACK_BYTES:
		return cmdline_bytes(&options->view.stack_bytes, UINT64_MAX);
	case OPT_FULL:
		options->view.full = true;
		break;
	case OPT_JSON:
		options->json = true;
		break;
	case OPT_NO_DEMANGLE:
		plainname_off();
		break;
	case 'o':
		options->output = optarg;
		break;
	}
	return true;
}

int viewer_parse(int argc, char **argv, const char *help, bool has_stack,
		 struct viewer_options *options)
{
	struct cmdline cmdline = {
		.help = help,
		/* The numbers after the file may be negative, like options. */
		.in_order = true,
		.options = {
			{ "json", no_argument, NULL, OPT_JSON },
			{ "no-demangle", no_argument, NULL, OPT_NO_DEMANGLE },
			{ "output", required_argument, NULL, 'o' },
		},
	};
	int status;

	if (has_stack)
		memcpy(&cmdline.options[3], stack_options,
		       sizeof(stack_options));
	status = cmdline_parse(argc, argv, &cmdline, set_option, options);
	if (status < 0 && output_check(options->output) != EXIT_OK)
		return EXIT_REFUSED;
	return status;
}

static int show_on(FILE *out, struct viewer *viewer, viewer_fn show, void *arg)
{
	int status = EXIT_REFUSED;

	viewer->printer.out = out;
	viewer->printer.style = style_of(out);
	viewer->printer.columns = width_of(out);
	viewer->printer.view = viewer->options->view;
	viewer->printer.symbols = symbols_open(&viewer->play.around);
	if (!viewer->printer.symbols)
		warn("cannot look up symbols");
	else
		status = show(viewer, arg);
	symbols_close(viewer->printer.symbols);
	if (status == EXIT_OK)
		status = output_flush(out);
	return playback_status(&viewer->play, status);
}

int viewer_run(const char *path, const struct viewer_options *options,
	       viewer_fn show, void *arg)
{
	struct viewer viewer = { .options = options };
	int status = EXIT_REFUSED;
	FILE *out;

	interrupt_catch(NULL);
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
