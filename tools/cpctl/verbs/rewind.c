// SPDX-License-Identifier: GPL-2.0-only
/* cpctl rewind: put a running process back to a snapshot, again and again. */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "cmdline.h"
#include "cpctl.h"
#include "exit.h"
#include "interrupt.h"
#include "json.h"
#include "members.h"
#include "message.h"
#include "rewinder.h"
#include "text.h"

static const struct cmdline cmdline = {
	.prints = true,
	.help =
	"Usage: cpctl rewind [OPTION]... PID\n"
	"Take a snapshot of the running process PID, which continues; and put it back to\n"
	"that, in place, at each line of the standard input (Enter) and at each SIGUSR1:\n"
	"memory, threads, registers and signal handlers are those of the snapshot again.\n"
	"Files, sockets, timers and children stay as they are. A line 'q', the end of the\n"
	"input and Ctrl-C end this; the process continues.\n"
	"\n"
	"  -n, --count N          end after it was put back N times\n"
	"      --interval SEC     put it back every SEC seconds, instead of at each line\n"
	"      --json             print JSON, one object to a line\n"
	CMDLINE_LAST_HELP
	"\n"
	"With --interval, the standard input is not read, and a refusal ends this.\n",
	.options = {
		{ "count", required_argument, NULL, 'n' },
		{ "interval", required_argument, NULL, OPT_INTERVAL },
		{ "json", no_argument, NULL, OPT_JSON },
	},
};

/*
 * struct rewind - the state of the verb
 * @rewinder: the process
 * @count: the number of put backs after which to end; 0 for no limit
 * @interval_ns: the time between two put backs; 0 if lines ask for them
 * @json: whether to print JSON
 * @signals: a signalfd for SIGUSR1
 * @done: the number of put backs
 * @line: what is known of a line that is not complete
 * @length: the length of that line
 * @status: the exit status
 * @over: whether to end
 */
struct rewind {
	struct rewinder	rewinder;
	uint64_t	count;
	int64_t		interval_ns;
	bool		json;
	int		signals;
	uint64_t	done;
	char		line;
	size_t		length;
	int		status;
	bool		over;
};

static struct json_object *object_of(const struct rewind *rewind,
				     const char *type)
{
	struct json_object *object = json_object_new_object();

	member_string(object, "type", type);
	member_int(object, "process", rewind->rewinder.pid);
	return object;
}

static void print_json(struct rewind *rewind, struct json_object *object)
{
	member_int(object, "held_ns", rewind->rewinder.took_ns);
	json_line(stdout, object);
	if (fflush(stdout))
		rewind->over = true;
}

static void print_snapshot(struct rewind *rewind)
{
	const struct rewinder *rewinder = &rewind->rewinder;
	const struct cp_snapshot_head *head = cp_snap_head(rewinder->snap);
	struct json_object *object;
	char time[FIGURE_SIZE];

	warnx("process %d: snapshot of %u thread%s, held for %s%s",
	      rewinder->pid, head->nr_threads, head->nr_threads == 1 ? "" : "s",
	      figure_time(time, (double)rewinder->took_ns),
	      rewind->interval_ns ? "" :
				    "; Enter puts the process back, q and Enter end");
	if (!rewind->json)
		return;
	object = object_of(rewind, "snapshot");
	member_number(object, "threads", head->nr_threads);
	print_json(rewind, object);
}

static void print_done(struct rewind *rewind)
{
	const struct rewinder *rewinder = &rewind->rewinder;
	struct json_object *object;
	char time[FIGURE_SIZE];

	warnx("process %d: put back %" PRIu64 ": %" PRIu64 " page%s restored, held for %s",
	      rewinder->pid, rewind->done, rewinder->pages,
	      rewinder->pages == 1 ? "" : "s",
	      figure_time(time, (double)rewinder->took_ns));
	if (!rewind->json)
		return;
	object = object_of(rewind, "put-back");
	member_number(object, "number", rewind->done);
	member_number(object, "pages", rewinder->pages);
	print_json(rewind, object);
}

static void print_refused(struct rewind *rewind, int error)
{
	struct json_object *object;

	if (!rewind->json)
		return;
	object = object_of(rewind, "refused");
	member_string(object, "error", strerrorname_np(error));
	print_json(rewind, object);
}

/* The pair is over. The end of the process is not a failure. */
static void finish(struct rewind *rewind)
{
	rewind->over = true;
	if (!interrupted() &&
	    rewinder_end(&rewind->rewinder) != CP_END_EXITED)
		rewind->status = EXIT_REFUSED;
}

static void put_back(struct rewind *rewind)
{
	int error = rewinder_put_back(&rewind->rewinder);

	if (interrupted())
		return;
	if (error == EPIPE) {
		finish(rewind);
		return;
	}
	if (error) {
		print_refused(rewind, error);
		rewind->status = EXIT_REFUSED;
		rewind->over = rewind->interval_ns || error == ENOTRECOVERABLE;
		return;
	}
	rewind->done++;
	print_done(rewind);
	if (rewind->done == rewind->count)
		rewind->over = true;
}

static void end_line(struct rewind *rewind)
{
	if (rewind->length == 1 && rewind->line == 'q')
		rewind->over = true;
	else
		put_back(rewind);
	rewind->length = 0;
}

/* Reads lines, each of which puts the process back. */
static void read_lines(struct rewind *rewind)
{
	char text[256];
	ssize_t i, got = read(STDIN_FILENO, text, sizeof(text));

	if (got < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (got <= 0)
		rewind->over = true;
	for (i = 0; i < got && !rewind->over && !interrupted(); i++) {
		if (text[i] == '\n') {
			end_line(rewind);
			continue;
		}
		rewind->line = text[i];
		rewind->length++;
	}
}

/* The time until @when; NULL if there is no such time. */
static const struct timespec *time_until(struct timespec *time, int64_t when)
{
	int64_t left = when - clock_ns();

	if (!when)
		return NULL;
	if (left < 0)
		left = 0;
	time->tv_sec = left / NSEC_PER_SEC;
	time->tv_nsec = left % NSEC_PER_SEC;
	return time;
}

/* Waits for the next request at most until @when, and serves it. */
static void wait_for_request(struct rewind *rewind, int64_t when)
{
	struct pollfd files[] = {
		{ .fd = cp_pair_fd(rewind->rewinder.pair) },
		{ .fd = rewind->signals, .events = POLLIN },
		{ .fd = rewind->interval_ns ? -1 : STDIN_FILENO, .events = POLLIN },
	};
	struct signalfd_siginfo info;
	struct timespec time;

	if (interrupt_poll_until(files, 3, time_until(&time, when)) < 0) {
		if (errno != EINTR) {
			warn("cannot wait for requests");
			rewind->status = EXIT_REFUSED;
			rewind->over = true;
		}
		return;
	}
	if (files[0].revents)
		finish(rewind);
	else if (files[1].revents && read(rewind->signals, &info, sizeof(info)) > 0)
		put_back(rewind);
	else if (files[2].revents)
		read_lines(rewind);
	else if (when && clock_ns() >= when)
		put_back(rewind);
}

static void serve(struct rewind *rewind)
{
	int64_t next = 0;

	if (rewind->interval_ns)
		next = clock_ns() + rewind->interval_ns;
	while (!rewind->over && !interrupted()) {
		wait_for_request(rewind, next);
		while (next && next <= clock_ns())
			next += rewind->interval_ns;
	}
}

static int rewind_process(struct rewind *rewind)
{
	sigset_t set;

	/* Before the message that invites to send it. */
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	rewind->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (rewind->signals < 0) {
		warn("cannot receive signals");
		return EXIT_REFUSED;
	}
	if (rewinder_open(&rewind->rewinder)) {
		print_snapshot(rewind);
		serve(rewind);
	} else if (!interrupted()) {
		rewind->status = EXIT_REFUSED;
	}
	rewinder_close(&rewind->rewinder);
	close(rewind->signals);
	if (interrupted())
		warnx("interrupted; process %d continues", rewind->rewinder.pid);
	return rewind->status;
}

/* The cmdline_set_fn of rewind. */
static bool set_option(void *arg, int option)
{
	struct rewind *rewind = arg;

	switch (option) {
	case 'n':
		return cmdline_number(&rewind->count, 1, UINT64_MAX);
	case OPT_INTERVAL:
		return cmdline_seconds(&rewind->interval_ns, NSEC_PER_SEC / 1000);
	default:
		rewind->json = true;
		return true;
	}
}

int verb_rewind(int argc, char **argv)
{
	struct rewind rewind = {};
	int status = cmdline_parse(argc, argv, &cmdline, set_option, &rewind);

	if (status < 0)
		status = cmdline_pid(argc, argv, &rewind.rewinder.pid);
	return status < 0 ? rewind_process(&rewind) : status;
}
