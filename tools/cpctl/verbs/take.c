// SPDX-License-Identifier: GPL-2.0-only
/* Taking checkpoints of a slave: the common part of get, run, bt and dump. */
#include <errno.h>

#include "diagnose.h"
#include "exit.h"
#include "interrupt.h"
#include "json.h"
#include "message.h"
#include "output.h"
#include "print.h"
#include "take.h"
#include "width.h"

static void print(const struct printer *printer, const struct live *live,
		  bool json)
{
	if (json)
		json_snapshot(printer, live->now);
	else
		print_snapshot(printer, live->now, live->before);
}

void take_print_end(FILE *out, const struct live *live)
{
	int status;
	unsigned int reason = live_ended(live, &status);

	if (reason != CP_END_NONE)
		json_end(out, reason, status);
}

static int print_each(struct live *live, const struct take_options *options,
		      FILE *out)
{
	struct printer printer = {
		.out = out,
		.view = options->view,
		.style = style_of(out),
		.columns = width_of(out),
		.symbols = symbols_open(&live->around),
	};
	int status = EXIT_OK;

	if (!printer.symbols) {
		warn("cannot look up symbols");
		return EXIT_REFUSED;
	}
	while (status == EXIT_OK && live_next(live)) {
		symbols_refresh(printer.symbols);
		print(&printer, live, options->json);
		status = output_flush(out);
	}
	if (status == EXIT_OK && options->json)
		take_print_end(out, live);
	symbols_close(printer.symbols);
	return status;
}

int take_show(struct live *live, void *arg)
{
	const struct take_options *options = arg;
	FILE *out = output_open(options->output);

	if (!out)
		return EXIT_REFUSED;
	return output_close(out, options->output,
			    print_each(live, options, out));
}

static int take_paired(struct cp_pair *pair, pid_t pid,
		       const struct take_options *options, live_fn use,
		       void *arg)
{
	struct live live;
	int status = EXIT_REFUSED;

	if (!live_open(&live, pair, pid, options))
		return status;
	if (!take_prep(pair, pid, options))
		status = live_run(&live, use, arg);
	live_close(&live);
	return status;
}

int take_from(pid_t pid, const struct take_options *options, live_fn use,
	      void *arg)
{
	struct cp_pair *pair = cp_pair_open();
	int status;

	if (!pair) {
		diagnose_open(errno);
		return EXIT_REFUSED;
	}
	interrupt_catch(pair);
	status = take_paired(pair, pid, options, use, arg);
	cp_pair_close(pair);
	if (interrupted())
		warnx("interrupted; process %d continues", pid);
	return status;
}
