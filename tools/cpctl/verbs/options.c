// SPDX-License-Identifier: GPL-2.0-only
/* The options of verbs that process checkpoints. */
#include "corewhole.h"
#include "exit.h"
#include "number.h"
#include "options.h"
#include "output.h"
#include "plainname.h"

/* The options, each with the bit that @has of the verb must contain, or 0. */
static const struct {
	unsigned int	has;
	struct option	option;
} table[] = {
	{ OPTIONS_COUNT, { "count", required_argument, NULL, 'n' } },
	{ OPTIONS_PROCESS, { "thread", optional_argument, NULL, OPT_THREAD } },
	{ OPTIONS_PID, { "pid", required_argument, NULL, OPT_PID } },
	{ OPTIONS_NAME, { "name", required_argument, NULL, OPT_NAME } },
	{ OPTIONS_LIVE, { "nudge", no_argument, NULL, OPT_NUDGE } },
	{ OPTIONS_LIVE, { "no-nudge", no_argument, NULL, OPT_NO_NUDGE } },
	{ OPTIONS_LIVE, { "timeout", required_argument, NULL, OPT_TIMEOUT } },
	{ OPTIONS_LIVE,
	  { "stack-limit", required_argument, NULL, OPT_STACK_LIMIT } },
	{ OPTIONS_THIN, { "interval", required_argument, NULL, OPT_INTERVAL } },
	{ OPTIONS_THIN, { "every", required_argument, NULL, OPT_EVERY } },
	{ OPTIONS_VIEW,
	  { "stack-bytes", required_argument, NULL, OPT_STACK_BYTES } },
	{ OPTIONS_VIEW, { "full", no_argument, NULL, OPT_FULL } },
	{ OPTIONS_FRAMES, { "frames", required_argument, NULL, OPT_FRAMES } },
	{ OPTIONS_JSON, { "json", no_argument, NULL, OPT_JSON } },
	{ OPTIONS_JSON,
	  { "no-demangle", no_argument, NULL, OPT_NO_DEMANGLE } },
	{ OPTIONS_CORE, { "stack-only", no_argument, NULL, OPT_STACK_ONLY } },
	{ OPTIONS_CORE, { "filter", required_argument, NULL, OPT_FILTER } },
	{ OPTIONS_CORE, { "no-snapshot", no_argument, NULL, OPT_NO_SNAPSHOT } },
	{ OPTIONS_CORE,
	  { "hold-limit", required_argument, NULL, OPT_HOLD_LIMIT } },
	{ OPTIONS_CORE, { "compress", no_argument, NULL, 'z' } },
	{ 0, { "output", required_argument, NULL, 'o' } },
};

/* A shorter hold could not copy anything. */
#define HOLD_LIMIT_LEAST 1000000

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

/* Remembers an option that only holds for a process. */
static void note_live(struct options *options, int option)
{
	size_t i;

	for (i = 0; i < NR_OPTIONS; i++) {
		if (table[i].option.val == option &&
		    table[i].has &
			    (OPTIONS_LIVE | OPTIONS_THIN | OPTIONS_PROCESS |
			     OPTIONS_NAME))
			options->live = table[i].option.name;
	}
}

/* Sets an option of the stream; returns as cmdline_set_fn. */
static bool set_stream(struct stream_options *options, int option)
{
	switch (option) {
	case 'n':
		return cmdline_number(&options->count, 1, UINT64_MAX);
	case OPT_TIMEOUT:
		return cmdline_seconds(&options->timeout_ns, 0);
	case OPT_STACK_LIMIT:
		return cmdline_bytes(&options->stack_limit, UINT64_MAX);
	case OPT_INTERVAL:
		return cmdline_seconds(&options->interval_ns, 0);
	case OPT_EVERY:
		/* A nudge would get a checkpoint earlier. */
		options->nudge = false;
		options->await = true;
		return cmdline_number(&options->every, 1, UINT32_MAX);
	case OPT_NUDGE:
		options->nudge = true;
		options->await = false;
		break;
	case OPT_NO_NUDGE:
		options->nudge = false;
		options->await = true;
		break;
	}
	return true;
}

/* The id of the thread may also be the argument of the verb. */
static bool set_thread(struct options *options)
{
	options->stream.process = false;
	return !optarg || parse_pid(optarg, &options->thread);
}

/* Remembers an option that only holds for a core of all memory of a process. */
static void note_whole(struct options *options, const char *name)
{
	options->whole = name;
	options->live = name;
}

/* Sets an option of a core; returns as cmdline_set_fn. */
static bool set_core(struct options *options, int option)
{
	switch (option) {
	case OPT_STACK_ONLY:
		options->stack_only = true;
		options->live = "stack-only";
		break;
	case OPT_FILTER:
		note_whole(options, "filter");
		return cmdline_mask(&options->filter, COREFILTER_MAX);
	case OPT_NO_SNAPSHOT:
		note_whole(options, "no-snapshot");
		options->no_snapshot = true;
		break;
	case OPT_HOLD_LIMIT:
		note_whole(options, "hold-limit");
		return cmdline_seconds(&options->hold_limit_ns, HOLD_LIMIT_LEAST);
	case 'z':
		options->compress = true;
		break;
	}
	return true;
}

/* The cmdline_set_fn of these verbs. */
static bool set_option(void *arg, int option)
{
	struct options *options = arg;

	/* With an argument, it may be of a recording, too. */
	if (option != OPT_THREAD || !optarg)
		note_live(options, option);
	switch (option) {
	case OPT_STACK_BYTES:
		return cmdline_bytes(&options->view.stack_bytes, UINT64_MAX);
	case OPT_FRAMES:
		return cmdline_number(&options->frames, 0, UINT64_MAX);
	case OPT_NAME:
		return targets_name(&options->targets);
	case OPT_PID:
		return parse_pid(optarg, &options->stream.part.process);
	case OPT_FULL:
		options->view.full = true;
		break;
	case OPT_THREAD:
		return set_thread(options);
	case OPT_JSON:
		options->json = true;
		break;
	case OPT_NO_DEMANGLE:
		plainname_off();
		break;
	case 'o':
		options->output = optarg;
		break;
	case OPT_STACK_ONLY:
	case OPT_FILTER:
	case OPT_NO_SNAPSHOT:
	case OPT_HOLD_LIMIT:
	case 'z':
		return set_core(options, option);
	default:
		return set_stream(&options->stream, option);
	}
	return true;
}

int options_parse(int argc, char **argv, const struct usage *usage,
		  struct options *options)
{
	struct cmdline cmdline = {
		.help = usage->help,
		.in_order = usage->in_order,
	};
	int status;

	select_options(cmdline.options, usage->has);
	status = cmdline_parse(argc, argv, &cmdline, set_option, options);
	/* All verbs that print have --json; dump has not, and writes a file. */
	if (status < 0 && usage->has & OPTIONS_JSON &&
	    output_check(options->output) != EXIT_OK)
		return EXIT_REFUSED;
	return status;
}
