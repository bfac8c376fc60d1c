// SPDX-License-Identifier: GPL-2.0-only
/* The subject of bt and dump: a process, or a checkpoint of a recording. */
#include <getopt.h>

#include "cmdline.h"
#include "exit.h"
#include "interrupt.h"
#include "number.h"
#include "subject.h"
#include "viewer.h"

int subject_parse(int argc, char **argv, const struct take_usage *usage,
		  struct take_options *options, struct subject *subject)
{
	const char *place = NULL;
	int status;

	/* A negative number, which looks like an option, is kept from getopt_long(). */
	subject->number = -1;
	if (argc > 2 && argv[argc - 1][0] == '-' &&
	    parse_place(argv[argc - 1], &subject->number))
		place = argv[--argc];
	status = take_parse(argc, argv, usage, options);
	if (status >= 0)
		return status;
	if (argc - optind == 1 && !place && parse_pid(argv[optind], &subject->pid))
		return -1;
	if (argc - optind != 1 && argc - optind != 2)
		return usage_error(argv[0], "expected PID, or FILE [N]");
	subject->file = argv[optind];
	if (argc - optind == 2 && !place &&
	    !parse_place(argv[optind + 1], &subject->number))
		return usage_error(argv[0], "invalid checkpoint number '%s'",
				   argv[optind + 1]);
	return -1;
}

int subject_open(const struct subject *subject,
		 const struct take_options *options, subject_fn use)
{
	struct playback play;
	int status = EXIT_REFUSED;

	interrupt_catch(NULL);
	if (playback_open(&play, subject->file)) {
		if (playback_find(&play, subject->number))
			status = use(&play, options);
		status = playback_status(&play, status);
	}
	playback_close(&play);
	return status;
}
