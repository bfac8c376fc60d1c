// SPDX-License-Identifier: GPL-2.0-only
/* Taking checkpoints of a slave and printing each: what get and run do. */
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <stdio_ext.h>
#include <string.h>

#include "cpctl.h"
#include "diagnose.h"
#include "interrupt.h"
#include "json.h"
#include "number.h"
#include "take.h"

/* Options without a letter. */
enum {
	OPT_NUDGE = 256,
	OPT_NO_NUDGE,
	OPT_TIMEOUT,
	OPT_STACK_LIMIT,
	OPT_STACK_BYTES,
	OPT_FULL,
	OPT_JSON,
};

static const struct option long_options[] = {
	{ "count", required_argument, NULL, 'n' },
	{ "nudge", no_argument, NULL, OPT_NUDGE },
	{ "no-nudge", no_argument, NULL, OPT_NO_NUDGE },
	{ "timeout", required_argument, NULL, OPT_TIMEOUT },
	{ "stack-limit", required_argument, NULL, OPT_STACK_LIMIT },
	{ "stack-bytes", required_argument, NULL, OPT_STACK_BYTES },
	{ "full", no_argument, NULL, OPT_FULL },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "output", required_argument, NULL, 'o' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{}
};

/* False when the option's argument is not what it should be. */
static bool set_option(struct take_options *options, int option)
{
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
	case 'o':
		options->output = optarg;
		break;
	}
	return true;
}

int take_parse(int argc, char **argv, const char *letters,
	       struct take_options *options, const char *help)
{
	int option, index;

	for (;;) {
		index = -1;
		option = getopt_long(argc, argv, letters, long_options, &index);
		switch (option) {
		case -1:
			return -1;
		case 'h':
			fputs(help, stdout);
			return EXIT_OK;
		case 'V':
			return print_version();
		case '?':
			return usage_error(argv[0], NULL);
		}
		if (!set_option(options, option))
			return usage_error(argv[0], "'%s' is not valid for %s%s",
					   optarg, index < 0 ? "-n" : "--",
					   index < 0 ? "" :
						       long_options[index].name);
	}
}

int take_prep(struct cp_pair *pair, pid_t pid,
	      const struct take_options *options)
{
	const struct cp_pair_options pair_options = {
		.size = sizeof(pair_options),
		.stack_limit = options->stack_limit,
	};

	if (!cp_pair_prep(pair, pid, &pair_options))
		return 0;
	diagnose_prep(pid, errno);
	return -1;
}

static int print(const struct printer *printer, bool json,
		 const struct snapshot *now, const struct snapshot *before)
{
	symbols_refresh(printer->symbols);
	if (json)
		json_snapshot(printer, now);
	else
		print_snapshot(printer, now, before);
	if (!fflush(printer->out) && !ferror(printer->out))
		return EXIT_OK;
	if (interrupted()) {
		/* Nobody may ever read the rest: do not wait for that. */
		__fpurge(printer->out);
		clearerr(printer->out);
		return EXIT_OK;
	}
	warn("cannot print");
	return EXIT_REFUSED;
}

/* No checkpoint has come: the pair is over, or @error tells why not. */
static int no_checkpoint(const struct cp_pair *pair, pid_t pid,
			 const struct take_options *options, FILE *out,
			 int error)
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
	if (options->json)
		json_end(out, reason, status);
	diagnose_end(pid, reason, status);
	return EXIT_OK;
}

static int take_and_print(struct cp_pair *pair, pid_t pid,
			  const struct take_options *options,
			  const struct printer *printer)
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
			status = no_checkpoint(pair, pid, options, printer->out,
					       ret ? errno : 0);
			break;
		}
		if (snapshot_take(now, pair)) {
			warn("cannot keep a checkpoint");
			status = EXIT_REFUSED;
			break;
		}
		status = print(printer, options->json, now, &shots[(n + 1) % 2]);
	}
	snapshot_free(&shots[0]);
	snapshot_free(&shots[1]);
	return status;
}

int take_all(struct cp_pair *pair, pid_t pid,
	     const struct take_options *options)
{
	struct printer printer = { .out = stdout, .view = options->view };
	int status = EXIT_REFUSED;

	if (options->output)
		printer.out = fopen(options->output, "we");
	if (!printer.out) {
		warn("cannot write %s", options->output);
		goto out_end;
	}
	printer.style = style_of(printer.out);
	printer.symbols = symbols_open(pid);
	if (!printer.symbols)
		warn("cannot look up symbols");
	else
		status = take_and_print(pair, pid, options, &printer);
	symbols_close(printer.symbols);
	if (printer.out != stdout && fclose(printer.out) && status == EXIT_OK) {
		warn("cannot write %s", options->output);
		status = EXIT_REFUSED;
	}
out_end:
	cp_pair_end(pair);
	return status;
}
