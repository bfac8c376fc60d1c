// SPDX-License-Identifier: GPL-2.0-only
/*
 * cpctl watch: a live view of a running process.
 *
 * For each picture, watch makes a pair, takes one checkpoint, and ends the pair, so
 * that the process runs at full speed in between. A permanent pair would hold the
 * process at its next return to user mode until the next picture.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "cmdline.h"
#include "cpctl.h"
#include "diagnose.h"
#include "exit.h"
#include "facts.h"
#include "interrupt.h"
#include "message.h"
#include "plainname.h"
#include "print.h"
#include "screen.h"
#include "text.h"

#define NSEC_PER_SEC 1000000000LL

/* The time to wait for a checkpoint before the keyboard is polled. */
#define SLICE_NS (NSEC_PER_SEC / 5)

static const struct cmdline cmdline = {
	.prints = true,
	.help =
	"Usage: cpctl watch [OPTION]... PID\n"
	"Show the registers and the stack of the running process or thread PID,\n"
	"again and again. The process is held for one checkpoint per picture only.\n"
	"\n"
	"      --interval SEC     time from picture to picture (1)\n"
	"      --no-demangle      print names of C++ and Rust as linkers see them\n"
	"      --no-nudge         do not bring a sleeping process to user mode\n"
	"      --stack-limit SIZE most bytes of stack to take (K, M, G allowed)\n"
	CMDLINE_LAST_HELP
	"\n"
	"Keys: q leaves, any other draws at once.\n",
	.options = {
		{ "interval", required_argument, NULL, OPT_INTERVAL },
		{ "no-demangle", no_argument, NULL, OPT_NO_DEMANGLE },
		{ "no-nudge", no_argument, NULL, OPT_NO_NUDGE },
		{ "stack-limit", required_argument, NULL, OPT_STACK_LIMIT },
	},
};

/*
 * struct watch - the state of the verb
 * @pid: the slave
 * @interval_ns: the time between two pictures
 * @get_flags: CP_GET_NUDGE or 0
 * @options: the options of each pair
 * @pair: the handle
 * @paired: whether there is a pair whose checkpoint has not come yet
 * @shots: the last two checkpoints
 * @taken: number of checkpoints; the last one is shots[taken % 2]
 * @around: the surroundings of the slave
 * @symbols: the symbols of the slave
 * @facts: the facts of the slave when the last picture was drawn
 * @drawn_ns: the time when the last picture was drawn
 */
struct watch {
	pid_t			pid;
	int64_t			interval_ns;
	unsigned int		get_flags;
	struct cp_pair_options	options;
	struct cp_pair		*pair;
	bool			paired;
	struct snapshot		shots[2];
	uint64_t		taken;
	struct surroundings	around;
	struct symbols		*symbols;
	struct task_facts	facts;
	int64_t			drawn_ns;
};

/* enum outcome - the result of an attempt to take a checkpoint */
enum outcome {
	TAKEN,		/* a new checkpoint was taken */
	NOT_YET,	/* no checkpoint has come yet */
	BUSY,		/* the process is paired with another master */
	LEAVE,		/* the user wants to leave */
	OVER,		/* the process has ended */
	FAILED,		/* an error, for which a message was printed */
};

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * NSEC_PER_SEC + now.tv_nsec;
}

static enum outcome make_pair(struct watch *watch)
{
	if (watch->paired)
		return TAKEN;
	if (cp_pair_prep(watch->pair, watch->pid, &watch->options)) {
		if (interrupted())
			return LEAVE;
		if (errno == EBUSY)
			return BUSY;
		/* After the first checkpoint, ESRCH means that the slave has ended. */
		if (errno == ESRCH && watch->taken)
			return OVER;
		screen_close();
		diagnose_prep(watch->pid, errno);
		return FAILED;
	}
	watch->paired = true;
	return TAKEN;
}

static enum outcome end_pair(struct watch *watch)
{
	cp_pair_end(watch->pair);
	watch->paired = false;
	if (!cp_pair_ended(watch->pair, NULL))
		return TAKEN;
	/* After an exec, continue with the new program. */
	return cp_pair_ended(watch->pair, NULL) == CP_END_EXEC ? NOT_YET : OVER;
}

static enum outcome keep(struct watch *watch)
{
	struct snapshot *shot = &watch->shots[(watch->taken + 1) % 2];

	if (snapshot_take(shot, watch->pair)) {
		screen_close();
		warn("cannot keep a checkpoint");
		return FAILED;
	}
	/* Each is the first of its pair: count the checkpoints of all pairs. */
	shot->head.seq = ++watch->taken;
	return end_pair(watch);
}

/* Stops cpctl until SIGCONT, without a pair, which would hold the slave meanwhile. */
static void stop(struct watch *watch)
{
	cp_pair_end(watch->pair);
	watch->paired = false;
	screen_stop();
}

/*
 * Takes a checkpoint within the interval. If none comes, the pair is kept; the caller
 * must call this again at once, so that the pair does not hold the slave.
 */
static enum outcome take(struct watch *watch)
{
	int64_t until = now_ns() + watch->interval_ns;
	enum screen_event event;

	do {
		enum outcome outcome = make_pair(watch);
		int ret;

		if (outcome != TAKEN)
			return outcome;
		ret = cp_pair_get(watch->pair, SLICE_NS, watch->get_flags);
		if (ret > 0)
			return keep(watch);
		if (!ret)
			return end_pair(watch);
		if (interrupted())
			return LEAVE;
		if (errno != ETIMEDOUT) {
			screen_close();
			diagnose_get(watch->pid, errno);
			return FAILED;
		}
		event = screen_wait(0);
		if (event == SCREEN_QUIT)
			return LEAVE;
		if (event == SCREEN_STOP)
			stop(watch);
	} while (now_ns() < until);
	return NOT_YET;
}

static void print_head(struct watch *watch, FILE *out, enum outcome outcome)
{
	char name[COMM_TEXT_SIZE];
	struct task_facts facts;
	int64_t now = now_ns();
	double seconds = (double)(now - watch->drawn_ns) / NSEC_PER_SEC;

	if (!task_facts(watch->pid, &facts))
		facts = watch->facts;
	fprintf(out, "process %d (%s), %s", watch->pid,
		text_comm(name, facts.name), state_words(facts.state));
	if (watch->drawn_ns)
		fprintf(out, ", cpu %.0f%%, %.0f switches/s",
			100 * (double)(facts.cpu_ticks - watch->facts.cpu_ticks) /
				(double)sysconf(_SC_CLK_TCK) / seconds,
			(double)(facts.switches - watch->facts.switches) /
				seconds);
	fprintf(out, ", checkpoints taken: %" PRIu64 "\n", watch->taken);
	if (outcome == NOT_YET)
		fputs("waiting for it to return to user mode\n", out);
	else if (outcome == BUSY)
		fputs("paired with another master at the moment\n", out);
	else
		fputc('\n', out);
	watch->facts = facts;
	watch->drawn_ns = now;
}

static void draw(struct watch *watch, enum outcome outcome)
{
	const struct snapshot *last = &watch->shots[watch->taken % 2];
	char *text = NULL;
	size_t size = 0;
	struct printer printer = {
		.out = open_memstream(&text, &size),
		.style = style_of(stdout),
		.symbols = watch->symbols,
		.columns = screen_columns(),
		/* More than fits: the screen cuts off the rest. */
		.view.stack_bytes = screen_rows() * snapshot_word(last),
	};

	if (!printer.out)
		return;
	print_head(watch, printer.out, outcome);
	if (watch->taken) {
		surroundings_refresh(&watch->around);
		symbols_refresh(watch->symbols);
		print_snapshot(&printer, last,
			       &watch->shots[(watch->taken + 1) % 2]);
	}
	fclose(printer.out);
	if (text)
		screen_draw(text);
	free(text);
}

/* Draws pictures until the end. Returns LEAVE, OVER or FAILED. */
static enum outcome watch_loop(struct watch *watch)
{
	enum outcome outcome = make_pair(watch);
	enum screen_event event;

	/* The usual refusals come now, before the alternate screen hides them. */
	if (outcome == FAILED)
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
		/* Do not wait while there is a pair, which would hold the slave. */
		event = screen_wait(watch->paired ? 0 : watch->interval_ns);
		while (event == SCREEN_RESIZED) {
			draw(watch, outcome);
			event = screen_wait(watch->paired ? 0 :
							    watch->interval_ns);
		}
		if (event == SCREEN_QUIT)
			return LEAVE;
		if (event == SCREEN_STOP)
			stop(watch);
	}
}

static int watch_process(struct watch *watch)
{
	enum outcome outcome;
	int status;

	surroundings_open(&watch->around, watch->pid);
	watch->symbols = symbols_open(&watch->around);
	if (!watch->symbols) {
		warn("cannot look up symbols");
		surroundings_close(&watch->around);
		return EXIT_REFUSED;
	}
	outcome = watch_loop(watch);
	cp_pair_end(watch->pair);
	screen_close();
	if (outcome == OVER &&
	    cp_pair_ended(watch->pair, &status) == CP_END_EXITED)
		diagnose_end(watch->pid, CP_END_EXITED, status);
	else if (outcome == OVER)
		warnx("process %d has ended", watch->pid);
	symbols_close(watch->symbols);
	surroundings_close(&watch->around);
	snapshot_free(&watch->shots[0]);
	snapshot_free(&watch->shots[1]);
	return outcome == FAILED ? EXIT_REFUSED : EXIT_OK;
}

/* The cmdline_set_fn of watch. */
static bool set_option(void *arg, int option)
{
	struct watch *watch = arg;

	switch (option) {
	case OPT_INTERVAL:
		return cmdline_interval(&watch->interval_ns);
	case OPT_STACK_LIMIT:
		return cmdline_bytes(&watch->options.stack_limit,
				     UINT64_MAX);
	case OPT_NO_DEMANGLE:
		plainname_off();
		break;
	case OPT_NO_NUDGE:
		watch->get_flags = 0;
		break;
	}
	return true;
}

int verb_watch(int argc, char **argv)
{
	struct watch watch = {
		.interval_ns = NSEC_PER_SEC,
		.get_flags = CP_GET_NUDGE,
		.options.size = sizeof(watch.options),
	};
	int status = cmdline_parse(argc, argv, &cmdline, set_option, &watch);

	if (status < 0)
		status = cmdline_pid(argc, argv, &watch.pid);
	if (status >= 0)
		return status;
	if (!screen_possible())
		return usage_error(argv[0], "this is for a terminal; 'cpctl get' prints to files and pipes");
	watch.pair = cp_pair_open();
	if (!watch.pair) {
		diagnose_open(errno);
		return EXIT_REFUSED;
	}
	status = watch_process(&watch);
	cp_pair_close(watch.pair);
	return status;
}
