// SPDX-License-Identifier: GPL-2.0-only
/* A view of cpctl watch: the registers and the stack of one thread. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "clock.h"
#include "diagnose.h"
#include "interrupt.h"
#include "message.h"
#include "portrait.h"
#include "print.h"
#include "screen.h"
#include "text.h"

enum outcome portrait_pair(struct portrait *portrait)
{
	const struct cp_pair_options options = {
		.size = sizeof(options),
		.stack_limit = portrait->watching->stack_limit,
	};

	if (portrait->paired)
		return TAKEN;
	if (cp_pair_prep(portrait->watching->pair, portrait->pid, &options)) {
		if (interrupted())
			return LEAVE;
		if (errno == EBUSY)
			return BUSY;
		/* After the first checkpoint, ESRCH means that the slave has ended. */
		if (errno == ESRCH && portrait->taken)
			return OVER;
		screen_close();
		diagnose_prep(portrait->pid, errno);
		return FAILED;
	}
	portrait->paired = true;
	return TAKEN;
}

void portrait_release(struct portrait *portrait)
{
	cp_pair_end(portrait->watching->pair);
	portrait->paired = false;
}

static enum outcome end_pair(struct portrait *portrait)
{
	unsigned int reason;

	portrait_release(portrait);
	reason = cp_pair_ended(portrait->watching->pair, NULL);
	if (!reason)
		return TAKEN;
	/* After an exec, continue with the new program. */
	return reason == CP_END_EXEC ? NOT_YET : OVER;
}

static enum outcome keep(struct portrait *portrait)
{
	struct snapshot *shot = &portrait->shots[(portrait->taken + 1) % 2];

	if (snapshot_take(shot, portrait->watching->pair)) {
		screen_close();
		warn("cannot keep a checkpoint");
		return FAILED;
	}
	/* Each is the first of its pair: count the checkpoints of all pairs. */
	shot->head.seq = ++portrait->taken;
	return end_pair(portrait);
}

/* Stops cpctl until SIGCONT, without a pair, which would hold the slave meanwhile. */
static void stop(struct portrait *portrait)
{
	portrait_release(portrait);
	screen_stop();
}

enum outcome portrait_take(struct portrait *portrait)
{
	const struct watching *watching = portrait->watching;
	int64_t until = clock_ns() + watching->interval_ns;
	enum screen_event event;

	do {
		enum outcome outcome = portrait_pair(portrait);
		int ret;

		if (outcome != TAKEN)
			return outcome;
		ret = cp_pair_get(watching->pair, SLICE_NS,
				  watching->get_flags);
		if (ret > 0)
			return keep(portrait);
		if (!ret)
			return end_pair(portrait);
		if (interrupted())
			return LEAVE;
		if (errno != ETIMEDOUT) {
			screen_close();
			diagnose_get(portrait->pid, errno);
			return FAILED;
		}
		event = screen_wait(0);
		if (event == SCREEN_QUIT)
			return LEAVE;
		if (event == SCREEN_STOP)
			stop(portrait);
	} while (clock_ns() < until);
	return NOT_YET;
}

static void print_head(struct portrait *portrait, FILE *out, enum outcome outcome)
{
	char name[COMM_TEXT_SIZE];
	struct task_facts facts;
	int64_t now = clock_ns();
	double seconds = (double)(now - portrait->drawn_ns) / NSEC_PER_SEC;

	if (!task_facts(portrait->pid, &facts))
		facts = portrait->facts;
	fprintf(out, "process %d (%s), %s", portrait->pid,
		text_comm(name, facts.name), state_words(facts.state));
	if (portrait->drawn_ns)
		fprintf(out, ", cpu %.0f%%, %.0f switches/s",
			100 * (double)(facts.cpu_ticks - portrait->facts.cpu_ticks) /
				(double)sysconf(_SC_CLK_TCK) / seconds,
			(double)(facts.switches - portrait->facts.switches) /
				seconds);
	fprintf(out, ", checkpoints taken: %" PRIu64 "\n", portrait->taken);
	if (outcome == NOT_YET)
		fputs("waiting for it to return to user mode\n", out);
	else if (outcome == BUSY)
		fputs("paired with another master at the moment\n", out);
	else
		fputc('\n', out);
	portrait->facts = facts;
	portrait->drawn_ns = now;
}

void portrait_draw(struct portrait *portrait, enum outcome outcome)
{
	const struct snapshot *last = &portrait->shots[portrait->taken % 2];
	char *text = NULL;
	size_t size = 0;
	struct printer printer = {
		.out = open_memstream(&text, &size),
		.style = style_of(stdout),
		.symbols = portrait->symbols,
		.columns = screen_columns(),
		/* More than fits: the screen cuts off the rest. */
		.view.stack_bytes = screen_rows() * snapshot_word(last),
	};

	if (!printer.out)
		return;
	print_head(portrait, printer.out, outcome);
	if (portrait->taken) {
		surroundings_refresh(&portrait->around);
		symbols_refresh(portrait->symbols);
		print_snapshot(&printer, last,
			       &portrait->shots[(portrait->taken + 1) % 2]);
	}
	fclose(printer.out);
	if (text)
		screen_draw(text);
	free(text);
}

bool portrait_open(struct portrait *portrait, const struct watching *watching,
		   pid_t pid)
{
	portrait->watching = watching;
	portrait->pid = pid;
	surroundings_open(&portrait->around, pid);
	portrait->symbols = symbols_open(&portrait->around);
	if (portrait->symbols)
		return true;
	warn("cannot look up symbols");
	surroundings_close(&portrait->around);
	return false;
}

void portrait_end(const struct portrait *portrait)
{
	int status;

	if (cp_pair_ended(portrait->watching->pair, &status) == CP_END_EXITED)
		diagnose_end(portrait->pid, CP_END_EXITED, status);
	else
		warnx("process %d has ended", portrait->pid);
}

void portrait_close(struct portrait *portrait)
{
	symbols_close(portrait->symbols);
	surroundings_close(&portrait->around);
	snapshot_free(&portrait->shots[0]);
	snapshot_free(&portrait->shots[1]);
}
