// SPDX-License-Identifier: GPL-2.0-only
/* The options of verbs that take checkpoints, and pairing with these options. */
#include <errno.h>

#include "cmdline.h"
#include "diagnose.h"
#include "exit.h"
#include "interrupt.h"
#include "output.h"
#include "plainname.h"
#include "takeopts.h"

/* The options, each with the bit that @has of the verb must contain, or 0. */
static const struct {
	unsigned int	has;
	struct option	option;
} table[] = {
	{ TAKE_HAS_COUNT, { "count", required_argument, NULL, 'n' } },
	{ 0, { "nudge", no_argument, NULL, OPT_NUDGE } },
	{ 0, { "no-nudge", no_argument, NULL, OPT_NO_NUDGE } },
	{ 0, { "timeout", required_argument, NULL, OPT_TIMEOUT } },
	{ 0, { "stack-limit", required_argument, NULL, OPT_STACK_LIMIT } },
	{ TAKE_HAS_VIEW,
	  { "stack-bytes", required_argument, NULL, OPT_STACK_BYTES } },
	{ TAKE_HAS_VIEW, { "full", no_argument, NULL, OPT_FULL } },
	{ TAKE_HAS_FRAMES,
	  { "frames", required_argument, NULL, OPT_FRAMES } },
	{ TAKE_HAS_JSON, { "json", no_argument, NULL, OPT_JSON } },
	{ TAKE_HAS_JSON,
	  { "no-demangle", no_argument, NULL, OPT_NO_DEMANGLE } },
	{ 0, { "output", required_argument, NULL, 'o' } },
};

#define NR_OPTIONS (sizeof(table) / sizeof(table[0]))

/* Copies the options that the verb has. */
static void select_options(struct option options[CMDLINE_OPTIONS],
			   unsigned int has)
{
	size_t i;

	_Static_assert(NR_OPTIONS <= CMDLINE_OPTIONS, "room for all");
	for (i = 0; i < NR_OPTIONS; i++) {
		if ((table[i].has & has) == table[i].has)
			*options++ = table[i].option;
	}
}

/* The cmdline_set_fn of these verbs. */
static bool set_option(void *arg, int option)
{
	struct take_options *options = arg;

	switch (option) {
	case 'n':
		return cmdline_number(&options->count, 1, UINT64_MAX);
	case OPT_TIMEOUT:
		return cmdline_seconds(&options->timeout_ns, 0);
	case OPT_STACK_LIMIT:
		return cmdline_bytes(&options->stack_limit, UINT64_MAX);
	case OPT_STACK_BYTES:
		return cmdline_bytes(&options->view.stack_bytes, UINT64_MAX);
	case OPT_FRAMES:
		return cmdline_number(&options->frames, 0, UINT64_MAX);
	case OPT_NUDGE:
		options->nudge = true;
		break;
	case OPT_NO_NUDGE:
		options->nudge = false;
		break;
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

int take_parse(int argc, char **argv, const struct take_usage *usage,
	       struct take_options *options)
{
	struct cmdline cmdline = {
		.help = usage->help,
		.in_order = usage->in_order,
	};
	int status;

	select_options(cmdline.options, usage->has);
	status = cmdline_parse(argc, argv, &cmdline, set_option, options);
	/* All verbs that print have --json; dump has not, and writes a file. */
	if (status < 0 && usage->has & TAKE_HAS_JSON &&
	    output_check(options->output) != EXIT_OK)
		return EXIT_REFUSED;
	return status;
}

int take_parse_pid(int argc, char **argv, const struct take_usage *usage,
		   struct take_options *options, pid_t *pid)
{
	int status = take_parse(argc, argv, usage, options);

	return status < 0 ? cmdline_pid(argc, argv, pid) : status;
}

int take_try_prep(struct cp_pair *pair, pid_t pid,
		  const struct take_options *options)
{
	const struct cp_pair_options pair_options = {
		.size = sizeof(pair_options),
		.stack_limit = options->stack_limit,
		/* The state at the slave's death is the most useful one. */
		.flags = CP_PREP_DEATH,
	};

	return interrupt_prep(pair, pid, &pair_options);
}

int take_prep(struct cp_pair *pair, pid_t pid,
	      const struct take_options *options)
{
	if (!take_try_prep(pair, pid, options))
		return 0;
	diagnose_prep(pid, errno);
	return -1;
}
