// SPDX-License-Identifier: GPL-2.0-only
/*
 * cpctl watch: a live view of running processes.
 *
 * For each picture, watch makes a pair, takes one checkpoint of each thread, and ends the
 * pair, so that the process runs at full speed in between. A permanent pair would hold
 * the process at its next return to user mode until the next picture.
 */
#include <errno.h>

#include "cmdline.h"
#include "cpctl.h"
#include "diagnose.h"
#include "exit.h"
#include "facts.h"
#include "message.h"
#include "plainname.h"
#include "portrait.h"
#include "roll.h"
#include "screen.h"
#include "slave.h"
#include "targets.h"

static const struct cmdline cmdline = {
	.prints = true,
	.help =
	"Usage: cpctl watch [OPTION]... PID...\n"
	"Show the running process PID, again and again: a line for each thread, or the\n"
	"registers and the stack if it has only one. The process is held for one\n"
	"checkpoint per picture only. The id of a thread stands for its process, unless\n"
	"--thread is given.\n"
	"\n"
	"      --thread           the thread PID alone, with its registers and stack\n"
	TARGETS_HELP
	"      --interval SEC     time from picture to picture (1)\n"
	"      --no-demangle      print names of C++ and Rust as linkers see them\n"
	"      --no-nudge         do not bring a sleeping process to user mode\n"
	"      --stack-limit SIZE most bytes of stack to take (K, M, G allowed)\n"
	CMDLINE_LAST_HELP
	"\n"
	"Keys: q leaves, any other draws at once.\n",
	.options = {
		{ "interval", required_argument, NULL, OPT_INTERVAL },
		{ "name", required_argument, NULL, OPT_NAME },
		{ "no-demangle", no_argument, NULL, OPT_NO_DEMANGLE },
		{ "no-nudge", no_argument, NULL, OPT_NO_NUDGE },
		{ "stack-limit", required_argument, NULL, OPT_STACK_LIMIT },
		{ "thread", no_argument, NULL, OPT_THREAD },
	},
};

/*
 * struct watch - the state of the verb
 * @watching: the pair and the options
 * @targets: the processes to show
 * @thread: whether to show only one thread
 * @many: whether there may be several processes
 * @crowded: whether threads are shown, one in a line, and not a portrait
 * @portrait: the view of the thread, unless @many
 * @crowd: the processes
 * @roll: the view of their threads
 */
struct watch {
	struct watching	watching;
	struct targets	targets;
	bool		thread;
	bool		many;
	bool		crowded;
	struct portrait	portrait;
	struct crowd	crowd;
	struct roll	roll;
};

/* A process may create its second thread at any time. */
static bool is_crowded(const struct watch *watch)
{
	struct task_facts facts;

	return watch->many ||
	       (!watch->thread && task_facts(watch->portrait.pid, &facts) &&
		facts.threads > 1);
}

/* Adds processes that have got one of the names since the last picture. */
static bool add_new(struct watch *watch)
{
	struct pids pids = {};
	bool ok = true;

	if (watch->targets.nr_names)
		ok = targets_find(&watch->targets, false, &pids) &&
		     crowd_add(&watch->crowd, &pids);
	pids_free(&pids);
	return ok;
}

static enum outcome take(struct watch *watch)
{
	enum outcome outcome;

	watch->crowded = is_crowded(watch);
	if (!watch->crowded)
		return portrait_take(&watch->portrait);
	portrait_release(&watch->portrait);
	if (!add_new(watch))
		return FAILED;
	outcome = crowd_take(&watch->crowd);
	roll_read(&watch->roll, &watch->crowd);
	return outcome;
}

static void draw(struct watch *watch, enum outcome outcome)
{
	if (watch->crowded)
		roll_draw(&watch->roll, &watch->crowd);
	else
		portrait_draw(&watch->portrait, outcome);
}

/* Waits for the next picture, but not while a pair would hold the slave. */
static enum screen_event rest(const struct watch *watch)
{
	return screen_wait(watch->portrait.paired ? 0 :
						    watch->watching.interval_ns);
}

/* Pairs, so that the usual refusals come before the alternate screen hides them. */
static enum outcome try_pair(struct watch *watch)
{
	watch->crowded = is_crowded(watch);
	return watch->crowded ? crowd_take(&watch->crowd) :
				portrait_pair(&watch->portrait);
}

/* Draws pictures until the end. Returns LEAVE, OVER or FAILED. */
static enum outcome watch_loop(struct watch *watch)
{
	enum outcome outcome = try_pair(watch);
	enum screen_event event;

	if (outcome >= LEAVE)
		return outcome;
	if (!screen_open()) {
		warn("cannot use the terminal");
		return FAILED;
	}
	for (;;) {
		outcome = take(watch);
		if (outcome >= LEAVE)
			return outcome;
		draw(watch, outcome);
		event = rest(watch);
		while (event == SCREEN_RESIZED) {
			draw(watch, outcome);
			event = rest(watch);
		}
		if (event == SCREEN_QUIT)
			return LEAVE;
		if (event == SCREEN_STOP) {
			portrait_release(&watch->portrait);
			screen_stop();
		}
	}
}

static int watch_processes(struct watch *watch)
{
	enum outcome outcome = watch_loop(watch);
	int status = EXIT_OK;

	cp_pair_end(watch->watching.pair);
	screen_close();
	if (watch->crowded)
		status = crowd_end(&watch->crowd);
	else if (outcome == OVER)
		portrait_end(&watch->portrait);
	return outcome == FAILED ? EXIT_REFUSED : status;
}

/* Chooses the views, and watches. Returns an exit status. */
static int watch_pids(struct watch *watch, const struct pids *pids)
{
	const struct stream_options options = { .process = !watch->thread };
	int status = EXIT_REFUSED;
	struct slave slave;

	watch->many = pids->nr > 1 || watch->targets.nr_names;
	slave_choose(&slave, pids->ids[0], &options, watch->watching.pair);
	if (watch->many && !slave.process) {
		warnx("the module is older than this cpctl and knows only single threads: give one PID");
		return status;
	}
	watch->thread = !slave.process;
	watch->crowd.watching = &watch->watching;
	if (!portrait_open(&watch->portrait, &watch->watching, slave.pid))
		return status;
	if (crowd_add(&watch->crowd, pids))
		status = watch_processes(watch);
	roll_free(&watch->roll);
	crowd_close(&watch->crowd);
	portrait_close(&watch->portrait);
	return status;
}

/* The cmdline_set_fn of watch. */
static bool set_option(void *arg, int option)
{
	struct watch *watch = arg;

	switch (option) {
	case OPT_INTERVAL:
		return cmdline_interval(&watch->watching.interval_ns);
	case OPT_NAME:
		return targets_name(&watch->targets);
	case OPT_STACK_LIMIT:
		return cmdline_bytes(&watch->watching.stack_limit,
				     UINT64_MAX);
	case OPT_NO_DEMANGLE:
		plainname_off();
		break;
	case OPT_NO_NUDGE:
		watch->watching.get_flags = 0;
		break;
	case OPT_THREAD:
		watch->thread = true;
		break;
	}
	return true;
}

/* Reads the command line. Returns as cmdline_parse(). */
static int parse(int argc, char **argv, struct watch *watch)
{
	const struct targets *targets = &watch->targets;
	int status = cmdline_parse(argc, argv, &cmdline, set_option, watch);

	if (status < 0)
		status = targets_parse(argc, argv, &watch->targets);
	if (status >= 0)
		return status;
	if (!targets_given(targets))
		return usage_error(argv[0], "expected PID, or --name");
	if (watch->thread && (targets->pids.nr > 1 || targets->nr_names))
		return usage_error(argv[0], "--thread is for one PID");
	if (!screen_possible())
		return usage_error(argv[0], "this is for a terminal; 'cpctl get' prints to files and pipes");
	return -1;
}

int verb_watch(int argc, char **argv)
{
	struct watch watch = {
		.watching.interval_ns = NSEC_PER_SEC,
		.watching.get_flags = CP_GET_NUDGE,
	};
	int status = parse(argc, argv, &watch);
	struct pids pids = {};

	if (status < 0 && !targets_find(&watch.targets, true, &pids))
		status = EXIT_REFUSED;
	if (status < 0) {
		watch.watching.pair = cp_pair_open();
		if (!watch.watching.pair) {
			diagnose_open(errno);
			status = EXIT_REFUSED;
		}
	}
	if (status < 0)
		status = watch_pids(&watch, &pids);
	cp_pair_close(watch.watching.pair);
	pids_free(&pids);
	targets_free(&watch.targets);
	return status;
}
