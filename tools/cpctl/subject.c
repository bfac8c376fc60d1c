// SPDX-License-Identifier: GPL-2.0-only
/* What bt and dump look at: a process, or a checkpoint of a recording. */
#include <getopt.h>

#include "cpctl.h"
#include "number.h"
#include "subject.h"
#include "viewer.h"

int subject_parse(int argc, char **argv, const struct take_usage *usage,
		  struct take_options *options, struct subject *subject)
{
	const char *place = NULL;
	int status;

	/* Below zero, it is no option: it is kept from getopt_long(). */
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
		return usage_error(argv[0], "one PID is wanted, or a FILE and perhaps a number");
	subject->file = argv[optind];
	if (argc - optind == 2 && !place &&
	    !parse_place(argv[optind + 1], &subject->number))
		return usage_error(argv[0], "'%s' is no checkpoint's number",
				   argv[optind + 1]);
	return -1;
}

int subject_open(const struct subject *subject,
		 const struct take_options *options, subject_fn use)
{
	struct playback play;
	int status = EXIT_REFUSED;

	if (playback_open(&play, subject->file) &&
	    playback_find(&play, subject->number)) {
		status = use(&play, options);
		if (status == EXIT_OK)
			status = playback_status(&play);
	}
	playback_close(&play);
	return status;
}
