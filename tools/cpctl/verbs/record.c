// SPDX-License-Identifier: GPL-2.0-only
/* cpctl record: keep the last states of a program for the time after a crash. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "child.h"
#include "cmdline.h"
#include "cpctl.h"
#include "diagnose.h"
#include "exit.h"
#include "interrupt.h"
#include "message.h"
#include "number.h"
#include "recorder.h"
#include "recprep.h"

#define NSEC_PER_SEC 1000000000LL

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
	"The file is for 'cpctl log', 'show', 'diff', 'bt' and 'dump'.\n",
	.options = {
		{ "output", required_argument, NULL, 'o' },
		{ "slots", required_argument, NULL, 's' },
		{ "rate", required_argument, NULL, 'r' },
		{ "every", required_argument, NULL, OPT_EVERY },
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

/* The cmdline_set_fn of record. */
static bool set_option(void *arg, int option)
{
	struct record_options *options = arg;

	switch (option) {
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
static int parse(int argc, char **argv, struct record_options *options)
{
	int status = cmdline_parse(argc, argv, &cmdline, set_option, options);

	if (status >= 0)
		return status;
	if (options->wait && !options->stream)
		return usage_error(argv[0], "--wait is for --stream");
	return -1;
}

/* The default name of the file. */
static void set_output(struct record_options *options, char name[32], pid_t pid)
{
	if (options->output)
		return;
	snprintf(name, 32, "recording.%d", pid);
	options->output = name;
}

static int record_process(struct cp_pair **pair, pid_t pid,
			  struct record_options *options)
{
	struct recorder *rec;
	int status = EXIT_REFUSED;
	char name[32];

	pid = recprep_slave(*pair, pid, options);
	set_output(options, name, pid);
	if (recprep(*pair, pid, options))
		return EXIT_REFUSED;
	/* Do not follow an exec: access was granted to the current program only. */
	rec = recorder_open(pair, pid, false, options);
	if (rec)
		status = recorder_run(rec);
	recorder_close(rec);
	if (interrupted())
		warnx("interrupted; process %d continues", pid);
	return status;
}

static int exit_status_of(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) :
				     WEXITSTATUS(status);
}

/*
 * Pairs with a child that is held at its beginning, and lets the child run to its entry
 * point, to read its mappings: the program may crash soon after. With --wait, the child
 * runs to its entry point before the pair is made, because a pair could block it.
 */
static struct recorder *prep_child(struct cp_pair **pair, pid_t pid,
				   const struct record_options *options)
{
	struct recorder *rec = NULL;

	while (options->wait && child_run_to_entry(pid) == CHILD_EXEC)
		;
	if (!recprep(*pair, pid, options))
		rec = recorder_open(pair, pid, true, options);
	if (rec)
		recorder_begin(rec);
	return rec;
}

/* Returns the exit status of the program, even if the recording has failed. */
static int wait_for_child(pid_t pid, int status)
{
	int ended;

	if (!child_wait(pid, &ended)) {
		warnx("interrupted; process %d continues", pid);
		return status;
	}
	if (status != EXIT_OK)
		warnx("the recording failed; the exit status is that of process %d",
		      pid);
	return exit_status_of(ended);
}

static int record_child(struct cp_pair **pair, char **command,
			struct record_options *options)
{
	pid_t pid = child_start(command);
	struct recorder *rec;
	int status;
	char name[32];

	if (pid < 0)
		return EXIT_REFUSED;
	interrupt_pass_on(pid);
	recprep_slave(*pair, pid, options);
	set_output(options, name, pid);
	rec = prep_child(pair, pid, options);
	if (!rec) {
		child_kill(pid);
		return EXIT_REFUSED;
	}
	child_release(pid);
	status = recorder_run(rec);
	recorder_close(rec);
	return wait_for_child(pid, status);
}

int verb_record(int argc, char **argv)
{
	struct record_options options = { .process = true, .slots = 256 };
	int status = parse(argc, argv, &options);
	struct cp_pair *pair;
	bool command;
	pid_t pid = 0;

	if (status >= 0)
		return status;
	if (options.output && !strcmp(options.output, "-"))
		return usage_error(argv[0], "a recording does not go to the standard output; a file of that name is ./-");
	command = optind > 1 && !strcmp(argv[optind - 1], "--");
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
	interrupt_catch(pair);
	recorder_catch();
	status = command ? record_child(&pair, argv + optind, &options) :
			   record_process(&pair, pid, &options);
	cp_pair_close(pair);
	return status;
}
