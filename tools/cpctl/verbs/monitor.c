// SPDX-License-Identifier: GPL-2.0-only
/* cpctl monitor: the events of pairs, as they happen. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include <checkpoint.h>

#include "clock.h"
#include "cmdline.h"
#include "cpctl.h"
#include "entry.h"
#include "exit.h"
#include "folded.h"
#include "interrupt.h"
#include "json.h"
#include "members.h"
#include "message.h"
#include "netlink.h"
#include "text.h"
#include "words.h"

/* The indentation of the parts of a broken line, which are below the event's name. */
#define INDENT 16

static const struct cmdline cmdline = {
	.prints = true,
	.help =
	"Usage: cpctl monitor [OPTION]... [PID]\n"
	"Print a line for each pair that there is, that is made and that ends, until\n"
	"interrupted. With PID: the pairs that it is the slave of.\n"
	"\n"
	"      --checkpoints      and a line for each checkpoint\n"
	"      --json             print JSON, one object to a line\n"
	CMDLINE_LAST_HELP,
	.options = {
		{ "checkpoints", no_argument, NULL, OPT_CHECKPOINTS },
		{ "json", no_argument, NULL, OPT_JSON },
	},
};

/*
 * struct monitor - the state of the verb
 * @pid: the slave whose events to print; 0 for all
 * @events: a set of CP_NL_EVENT_*
 * @json: whether to print JSON
 * @out: the stream for text
 * @queries: a netlink connection for requests
 * @feed: the netlink connection for events
 * @lost: number of lost events that have not been reported yet
 * @gone: whether the module has been unloaded
 */
struct monitor {
	pid_t		pid;
	uint32_t	events;
	bool		json;
	FILE		*out;
	struct netlink	*queries;
	struct netlink	*feed;
	uint64_t	lost;
	bool		gone;
};

/* Converts CLOCK_MONOTONIC to the time of day. */
static void put_time(char *text, size_t size, uint64_t time_ns, bool json)
{
	struct timespec now;
	time_t seconds;
	struct tm tm;
	int64_t real;
	size_t len;

	clock_gettime(CLOCK_REALTIME, &now);
	real = now.tv_sec * NSEC_PER_SEC + now.tv_nsec - clock_ns() + (int64_t)time_ns;
	seconds = real / NSEC_PER_SEC;
	if (json)
		gmtime_r(&seconds, &tm);
	else
		localtime_r(&seconds, &tm);
	len = strftime(text, size, json ? "%FT%T" : "%T", &tm);
	snprintf(text + len, size - len, ".%06d%s",
		 (int)(real % NSEC_PER_SEC / 1000), json ? "Z" : "");
}

static const char *event_word(int cmd)
{
	switch (cmd) {
	case CP_NL_CMD_PAIR_MADE:
		return "made";
	case CP_NL_CMD_PAIR_ENDED:
		return "ended";
	case CP_NL_CMD_CHECKPOINT:
		return "checkpoint";
	case CP_NL_CMD_CHILD:
		return "child";
	default:
		return "present";
	}
}

static struct cp_checkpoint event_checkpoint(const struct pair_event *event)
{
	return (struct cp_checkpoint){
		.flags = event->pair.flags,
		.entry = event->entry,
		.syscall = event->syscall,
	};
}

static void print_json(const struct pair_event *event)
{
	struct json_object *object;
	char when[48];

	if (event->cmd == CP_NL_CMD_CHECKPOINT) {
		struct cp_checkpoint cp = event_checkpoint(event);

		object = json_object_new_object();
		member_string(object, "type", "checkpoint");
		words_names(object, &event->pair);
		member_int(object, "thread", event->thread);
		member_number(object, "seq", event->seq);
		member_string(object, "entry", entry_word(&cp));
		words_syscall(object, event->syscall, event->pair.flags);
		json_object_object_add(object, "ip", json_hex(event->ip));
		json_object_object_add(object, "sp", json_hex(event->sp));
	} else {
		object = words_pair(&event->pair, event_word(event->cmd));
		if (event->cmd == CP_NL_CMD_PAIR_ENDED)
			words_end(object, event->pair.reason,
				  event->pair.status);
		if (event->cmd == CP_NL_CMD_CHILD)
			member_int(object, "thread", event->thread);
	}
	put_time(when, sizeof(when), event->time, true);
	member_number(object, "time_ns", event->time);
	member_string(object, "time", when);
	json_line(stdout, object);
}

static void print_figures(FILE *out, const struct pair_info *pair)
{
	char bytes[FIGURE_SIZE], held[FIGURE_SIZE];

	fprintf(out, ", %" PRIu64 " taken, %" PRIu64 " missed, %s, held up %s",
		pair->taken, pair->missed,
		figure_bytes(bytes, (double)pair->bytes),
		figure_time(held, (double)pair->held));
}

static void print_end(FILE *out, const struct pair_info *pair)
{
	fprintf(out, ": %s", reason_name(pair->reason));
	if (pair->reason == CP_END_EXITED && WIFSIGNALED(pair->status))
		fprintf(out, " (signal %d)", WTERMSIG(pair->status));
	else if (pair->reason == CP_END_EXITED)
		fprintf(out, " (status %d)", WEXITSTATUS(pair->status));
	print_figures(out, pair);
}

static void print_checkpoint(FILE *out, const struct pair_event *event)
{
	struct cp_checkpoint cp = event_checkpoint(event);
	char *name = entry_syscall(&cp);

	if (event->thread && event->thread != event->pair.slave)
		fprintf(out, ", thread %d", event->thread);
	fprintf(out, ": %" PRIu64 ", %s", event->seq, entry_word(&cp));
	if (name) {
		fputc(' ', out);
		print_name(out, name);
	} else if (event->syscall >= 0) {
		fprintf(out, " %d", event->syscall);
	}
	fprintf(out, ", ip 0x%" PRIx64 ", sp 0x%" PRIx64, event->ip, event->sp);
	free(name);
}

static void print_text(FILE *out, const struct pair_event *event)
{
	char slave[COMM_TEXT_SIZE], master[COMM_TEXT_SIZE];
	const struct pair_info *pair = &event->pair;
	char when[48];

	put_time(when, sizeof(when), event->time, false);
	fprintf(out, "%s %-10s slave %d (%s), master %d (%s)", when,
		event_word(event->cmd), pair->slave,
		text_comm(slave, pair->slave_comm), pair->master,
		text_comm(master, pair->master_comm));
	if (event->cmd == CP_NL_CMD_CHECKPOINT)
		print_checkpoint(out, event);
	else if (event->cmd == CP_NL_CMD_PAIR_ENDED)
		print_end(out, pair);
	else
		fprintf(out, ", user %s", figure_user(pair->uid));
	if (event->cmd == CP_NL_CMD_CHILD)
		fprintf(out, ", child %d is held", event->thread);
	if (event->cmd == CP_NL_CMD_PAIR_GET)
		print_figures(out, pair);
	fputc('\n', out);
}

static void print_event(const struct monitor *monitor,
			const struct pair_event *event)
{
	if (monitor->json)
		print_json(event);
	else
		print_text(monitor->out, event);
}

static void on_event(const struct pair_event *event, void *arg)
{
	struct monitor *monitor = arg;

	if (event->gone) {
		monitor->gone = true;
		return;
	}
	monitor->lost += event->lost;
	/* After an interruption, print no more: each line might block. */
	if (interrupted())
		return;
	if (!monitor->pid || event->pair.slave == monitor->pid)
		print_event(monitor, event);
}

/* Reports a failure to print; after an interruption, output_flush() does that. */
static int check_output(void)
{
	if (!ferror(stdout) || interrupted())
		return EXIT_OK;
	warnx("cannot write: %s", strerror(errno));
	return EXIT_REFUSED;
}

/* Prints all present pairs: at the beginning, and after events were lost. */
static int print_present(struct monitor *monitor)
{
	struct pair_event event = { .cmd = CP_NL_CMD_PAIR_GET };
	struct pair_list list;
	size_t i;
	int status = netlink_pairs(monitor->queries, 0, &list);

	if (status != EXIT_OK)
		return status;
	event.time = (uint64_t)clock_ns();
	for (i = 0; i < list.nr && !interrupted(); i++) {
		event.pair = list.pairs[i];
		if (!monitor->pid || event.pair.slave == monitor->pid)
			print_event(monitor, &event);
	}
	status = check_output();
	pair_list_free(&list);
	return status;
}

/* Prints that events were lost; @lost: their number, 0 if it is not known yet */
static int resynchronise(struct monitor *monitor, uint64_t lost)
{
	struct json_object *object;

	if (monitor->json) {
		object = json_object_new_object();
		member_string(object, "type", "lost");
		if (lost)
			member_number(object, "events", lost);
		json_line(stdout, object);
	} else if (lost) {
		fprintf(monitor->out,
			"%" PRIu64 " events were lost; the pairs that are there now:\n",
			lost);
	} else {
		fputs("events were lost; the pairs that are there now:\n",
		      monitor->out);
	}
	return print_present(monitor);
}

/* Processes the available events. Returns -1 to continue, else an exit status. */
static int receive(struct monitor *monitor)
{
	enum receipt receipt = netlink_receive(monitor->feed, on_event,
					       monitor);
	uint64_t lost = monitor->lost;

	monitor->lost = 0;
	if (receipt == BROKEN)
		return EXIT_REFUSED;
	if (monitor->gone) {
		warnx("the module has been unloaded");
		return EXIT_REFUSED;
	}
	if ((lost || receipt == OVERRUN) &&
	    resynchronise(monitor, lost) != EXIT_OK)
		return EXIT_REFUSED;
	return check_output() == EXIT_OK ? -1 : EXIT_REFUSED;
}

static int follow(struct monitor *monitor)
{
	int status = netlink_subscribe(monitor->feed, monitor->events);
	/* After the subscription, so that no pair is missed between the two. */
	if (status == EXIT_OK)
		status = print_present(monitor);
	if (status != EXIT_OK)
		return status;
	while (interrupt_wait(netlink_fd(monitor->feed))) {
		status = receive(monitor);
		if (status >= 0)
			return status;
	}
	if (interrupted())
		return EXIT_OK;
	warn("cannot wait for events");
	return EXIT_REFUSED;
}

/* The cmdline_set_fn of monitor. */
static bool set_option(void *arg, int option)
{
	struct monitor *monitor = arg;

	if (option == OPT_JSON)
		monitor->json = true;
	else
		monitor->events |= CP_NL_EVENT_CHECKPOINTS;
	return true;
}

int verb_monitor(int argc, char **argv)
{
	struct monitor monitor = { .events = CP_NL_EVENT_PAIRS };
	int status = cmdline_parse(argc, argv, &cmdline, set_option, &monitor);

	if (status < 0)
		status = cmdline_pid_or_none(argc, argv, &monitor.pid);
	if (status >= 0)
		return status;
	interrupt_catch(NULL);
	setvbuf(stdout, NULL, _IOLBF, 0);
	monitor.out = folded_open(stdout, INDENT);
	status = EXIT_REFUSED;
	monitor.queries = netlink_open();
	if (monitor.queries)
		monitor.feed = netlink_open();
	if (monitor.feed)
		status = follow(&monitor);
	netlink_close(monitor.feed);
	netlink_close(monitor.queries);
	folded_close(monitor.out, stdout);
	return status;
}
