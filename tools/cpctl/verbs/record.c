// SPDX-License-Identifier: GPL-2.0-only
/* cpctl record: keep the last states of a program for the time after a crash. */
#include <errno.h>
#include <string.h>

#include "clock.h"
#include "cmdline.h"
#include "cpctl.h"
#include "diagnose.h"
#include "exit.h"
#include "follow.h"
#include "interrupt.h"
#include "number.h"
#include "recorder.h"
#include "recprep.h"
#include "recslave.h"

static const struct cmdline cmdline = {
	.help =
	"Usage: cpctl record [OPTION]... PID\n"
	"       cpctl record [OPTION]... -- COMMAND [ARGUMENT]...\n"
	"Keep the last states of all threads of a process, or of a program that is\n"
	"started for it, and write them to a file when it ends: the last are those in\n"
	"which it crashed or was killed. The program never waits.\n"
	"\n"
	"  -o, --output FILE      the file (recording.PID)\n"
	"  -s, --slots N          how many states are kept, of each thread (256)\n"
	"  -r, --rate N           at most N states a second, of each thread\n"
	"      --every N          every Nth return to user mode only, of each thread\n"
	"  -f, --follow-forks     record the processes that it creates, and so on, too\n"
	"      --output-separately\n"
	"                         with -f: each to a file of its own, FILE.PID; -ff is\n"
	"                         the same\n"
	"      --thread           the thread PID, or the first of COMMAND, alone\n"
	"      --stream           write all states as they come, not only the last\n"
	"      --wait             have the program wait when it is too fast for that\n"
	"      --xstate           floating point and vector registers too\n"
	"      --stack-limit SIZE most bytes of each stack to take (64K; all of it when the\n"
	"                         program dies; K, M, G allowed)\n"
	CMDLINE_LAST_HELP
	"\n"
	"Ctrl-C writes the file and leaves the process running. SIGUSR1 writes it and\n"
	"continues. SIGTERM and SIGHUP are passed on to a program that was started here.\n"
	"Its exit status is that of cpctl. What it executes is recorded, too.\n"
	"With -f it keeps the terminal: Ctrl-C, Ctrl-\\ and Ctrl-Z are for the program.\n"
	"The file is for 'cpctl log', 'show', 'diff', 'bt' and 'dump'.\n",
	.options = {
		{ "output", required_argument, NULL, 'o' },
		{ "slots", required_argument, NULL, 's' },
		{ "rate", required_argument, NULL, 'r' },
		{ "every", required_argument, NULL, OPT_EVERY },
		{ "follow-forks", no_argument, NULL, 'f' },
		{ "output-separately", no_argument, NULL, OPT_SEPARATELY },
		{ "stream", no_argument, NULL, OPT_STREAM },
		{ "wait", no_argument, NULL, OPT_WAIT },
		{ "thread", no_argument, NULL, OPT_THREAD },
		{ "xstate", no_argument, NULL, OPT_XSTATE },
		{ "stack-limit", required_argument, NULL, OPT_STACK_LIMIT },
	},
};

static bool set_rate(int64_t *interval)
{
	uint64_t rate;

	if (!cmdline_number(&rate, 1, NSEC_PER_SEC))
		return false;
	*interval = NSEC_PER_SEC / (int64_t)rate;
	return true;
}

/*
 * struct arguments - the command line
 * @options: the options of the recordings
 * @follow: whether to follow the children
 * @separately: whether each process gets a file
 */
struct arguments {
	struct record_options	options;
	bool			follow;
	bool			separately;
};

/* The cmdline_set_fn of record. */
static bool set_option(void *arg, int option)
{
	struct arguments *arguments = arg;
	struct record_options *options = &arguments->options;

	switch (option) {
	case 'f':
		arguments->separately |= arguments->follow;
		arguments->follow = true;
		break;
	case OPT_SEPARATELY:
		arguments->separately = true;
		break;
	case 'o':
		options->output = optarg;
		break;
	case 's':
		return cmdline_number(&options->slots, 1, CP_SLOTS_MAX);
	case 'r':
		return set_rate(&options->interval);
	case OPT_EVERY:
		return cmdline_number(&options->every, 1, UINT32_MAX);
	case OPT_STACK_LIMIT:
		return cmdline_bytes(&options->stack_limit, UINT64_MAX);
	case OPT_STREAM:
		options->stream = true;
		break;
	case OPT_WAIT:
		options->wait = true;
		break;
	case OPT_THREAD:
		options->process = false;
		break;
	case OPT_XSTATE:
		options->xstate = true;
		break;
	}
	return true;
}

/* Parses the options. Returns as cmdline_parse(). */
static int parse(int argc, char **argv, struct arguments *arguments)
{
	const struct record_options *options = &arguments->options;
	int status = cmdline_parse(argc, argv, &cmdline, set_option, arguments);

	if (status >= 0)
		return status;
	if (arguments->follow && !options->process)
		return usage_error(argv[0], "--follow-forks and --thread exclude each other: children belong to a process");
	if (arguments->separately && !arguments->follow)
		return usage_error(argv[0], "--output-separately is for --follow-forks");
	if (options->wait && !options->stream)
		return usage_error(argv[0], "--wait is for --stream");
	return -1;
}

/* Records one process, in this one. */
static int record_one(struct cp_pair *pair, char **command, pid_t pid,
		      struct record_options *options)
{
	int status;

	interrupt_catch(pair);
	recorder_catch();
	status = command ? recslave_command(&pair, command, options) :
			   recslave_running(&pair, pid, options);
	cp_pair_close(pair);
	return status;
}

/* Records a process and its descendants, in recorders of their own. */
static int record_family(struct cp_pair *pair, char **command, pid_t pid,
			 const struct arguments *arguments)
{
	bool follows = recprep_follows(pair);

	cp_pair_close(pair);
	return follows ? follow(command, pid, arguments->separately,
				&arguments->options) :
			 EXIT_REFUSED;
}

int verb_record(int argc, char **argv)
{
	struct arguments arguments = {
		.options = { .process = true, .slots = 256 },
	};
	struct record_options *options = &arguments.options;
	int status = parse(argc, argv, &arguments);
	char **command = argv + optind;
	struct cp_pair *pair;
	pid_t pid = 0;

	if (status >= 0)
		return status;
	if (options->output && !strcmp(options->output, "-"))
		return usage_error(argv[0], "a recording does not go to the standard output; a file of that name is ./-");
	if (optind <= 1 || strcmp(argv[optind - 1], "--"))
		command = NULL;
	if (command && optind == argc)
		return usage_error(argv[0], "a command is missing");
	if (!command && optind != argc - 1)
		return usage_error(argv[0], "expected one PID, or -- COMMAND");
	if (!command && !parse_pid(argv[optind], &pid))
		return usage_error(argv[0], "invalid process id '%s'; to start a command, put -- before it",
				   argv[optind]);
	pair = cp_pair_open();
	if (!pair) {
		diagnose_open(errno);
		return EXIT_REFUSED;
	}
	return arguments.follow ? record_family(pair, command, pid, &arguments) :
				  record_one(pair, command, pid, options);
}
