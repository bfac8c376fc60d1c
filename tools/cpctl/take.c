// SPDX-License-Identifier: GPL-2.0-only
/* Taking checkpoints of a slave: what get, run, bt and dump have in common. */
#include <errno.h>
#include <string.h>

#include "cmdline.h"
#include "cpctl.h"
#include "diagnose.h"
#include "interrupt.h"
#include "json.h"
#include "message.h"
#include "number.h"
#include "output.h"
#include "plainname.h"
#include "take.h"

/* By what a verb must have for them. */
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
	{ TAKE_HAS_JSON, { "json", no_argument, NULL, OPT_JSON } },
	{ TAKE_HAS_JSON,
	  { "no-demangle", no_argument, NULL, OPT_NO_DEMANGLE } },
	{ 0, { "output", required_argument, NULL, 'o' } },
};

#define NR_OPTIONS (sizeof(table) / sizeof(table[0]))

/* Those of them that the verb has. */
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

/* As cmdline_set_fn. */
static bool set_option(void *arg, int option)
{
	struct take_options *options = arg;

	switch (option) {
	case 'n':
		return parse_count(optarg, &options->count);
	case OPT_TIMEOUT:
		return parse_seconds(optarg, &options->timeout_ns);
	case OPT_STACK_LIMIT:
		return parse_bytes(optarg, &options->stack_limit);
	case OPT_STACK_BYTES:
		return parse_bytes(optarg, &options->view.stack_bytes);
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

	select_options(cmdline.options, usage->has);
	return cmdline_parse(argc, argv, &cmdline, set_option, options);
}

int take_parse_pid(int argc, char **argv, const struct take_usage *usage,
		   struct take_options *options, pid_t *pid)
{
	int status = take_parse(argc, argv, usage, options);

	return status < 0 ? cmdline_pid(argc, argv, pid) : status;
}

int take_prep(struct cp_pair *pair, pid_t pid,
	      const struct take_options *options)
{
	const struct cp_pair_options pair_options = {
		.size = sizeof(pair_options),
		.stack_limit = options->stack_limit,
		/* How it died is what one wants to see most. */
		.flags = CP_PREP_DEATH,
	};

	if (!cp_pair_prep(pair, pid, &pair_options))
		return 0;
	diagnose_prep(pid, errno);
	return -1;
}

/* No checkpoint has come: the pair is over, or @error tells why not. */
static int no_checkpoint(const struct cp_pair *pair, pid_t pid, int error)
{
	unsigned int reason;
	int status;

	if (interrupted())
		return EXIT_OK;
	if (error) {
		diagnose_get(pid, error);
		return EXIT_REFUSED;
	}
	reason = cp_pair_ended(pair, &status);
	diagnose_end(pid, reason, status);
	return EXIT_OK;
}

int take_each(struct cp_pair *pair, pid_t pid,
	      const struct take_options *options, take_use_fn use, void *arg)
{
	unsigned int flags = options->nudge ? CP_GET_NUDGE : 0;
	struct snapshot shots[2] = {};
	int status = EXIT_OK;
	uint64_t n;

	for (n = 0; status == EXIT_OK && !interrupted(); n++) {
		struct snapshot *now = &shots[n % 2];
		int ret;

		if (options->count && n == options->count)
			break;
		ret = cp_pair_get(pair, options->timeout_ns, flags);
		if (ret != 1) {
			status = no_checkpoint(pair, pid, ret ? errno : 0);
			break;
		}
		if (snapshot_take(now, pair)) {
			warn("cannot keep a checkpoint");
			status = EXIT_REFUSED;
			break;
		}
		status = use(arg, now, &shots[(n + 1) % 2]);
	}
	snapshot_free(&shots[0]);
	snapshot_free(&shots[1]);
	return status;
}

/* struct printing - what print() needs; the surroundings are the symbols' */
struct printing {
	struct printer		printer;
	struct surroundings	around;
	bool			json;
};

static int print(void *arg, const struct snapshot *now,
		 const struct snapshot *before)
{
	struct printing *printing = arg;

	surroundings_refresh(&printing->around);
	symbols_refresh(printing->printer.symbols);
	if (printing->json)
		json_snapshot(&printing->printer, now);
	else
		print_snapshot(&printing->printer, now, before);
	return output_flush(printing->printer.out);
}

void take_print_end(FILE *out, const struct cp_pair *pair)
{
	int status;
	unsigned int reason = cp_pair_ended(pair, &status);

	if (reason != CP_END_NONE && !interrupted())
		json_end(out, reason, status);
}

static int print_each(struct cp_pair *pair, pid_t pid,
		      const struct take_options *options, FILE *out)
{
	struct printing printing = {
		.printer = { .out = out, .view = options->view,
			     .style = style_of(out) },
		.json = options->json,
	};
	int status = EXIT_REFUSED;

	surroundings_open(&printing.around, pid);
	printing.printer.symbols = symbols_open(&printing.around);
	if (!printing.printer.symbols)
		warn("cannot look up symbols");
	else
		status = take_each(pair, pid, options, print, &printing);
	if (status == EXIT_OK && options->json)
		take_print_end(out, pair);
	symbols_close(printing.printer.symbols);
	surroundings_close(&printing.around);
	return status;
}

int take_to_output(struct cp_pair *pair, pid_t pid,
		   const struct take_options *options, take_print_fn print_all)
{
	FILE *out = output_open(options->output);
	int status = EXIT_REFUSED;

	if (out) {
		status = print_all(pair, pid, options, out);
		status = output_close(out, options->output, status);
	}
	cp_pair_end(pair);
	return status;
}

int take_all(struct cp_pair *pair, pid_t pid,
	     const struct take_options *options)
{
	return take_to_output(pair, pid, options, print_each);
}

int take_from(pid_t pid, const struct take_options *options, take_all_fn all)
{
	struct cp_pair *pair = cp_pair_open();
	int status = EXIT_REFUSED;

	if (!pair) {
		diagnose_open(errno);
		return status;
	}
	interrupt_catch(pair);
	if (!take_prep(pair, pid, options))
		status = all(pair, pid, options);
	cp_pair_close(pair);
	if (interrupted())
		warnx("stopped; process %d goes on by itself", pid);
	return status;
}
