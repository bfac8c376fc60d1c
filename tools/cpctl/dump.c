// SPDX-License-Identifier: GPL-2.0-only
/* cpctl dump: write a checkpoint as an ELF core. */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core.h"
#include "cpctl.h"
#include "interrupt.h"
#include "message.h"
#include "subject.h"
#include "support.h"
#include "symbols.h"
#include "take.h"
#include "unwind.h"
#include "wholefile.h"

static const struct take_usage usage = {
	.help =
	"Usage: cpctl dump [OPTION]... PID\n"
	"       cpctl dump [OPTION]... FILE [N]\n"
	"Write a checkpoint of the running process or thread PID as an ELF core, to\n"
	"be opened by 'gdb PROGRAM CORE'. The process goes on. Or the checkpoint N of\n"
	"a recording: its last, without N.\n"
	"\n"
	"  -o, --output CORE      the file (core.PID, FILE.core); - for the standard\n"
	"                         output\n"
	TAKE_WAIT_HELP
	TAKE_LAST_HELP
	"\n"
	"A sleeping process is nudged unless --no-nudge is given. A file that exists\n"
	"is replaced.\n",
};

/*
 * struct dumping - a core to be made
 * @file: where it goes
 * @pid: the task
 * @around: its process
 * @written: it is in the file, whole
 */
struct dumping {
	struct wholefile	file;
	pid_t			pid;
	struct surroundings	around;
	bool			written;
};

/*
 * A handler may run on a stack of its own, and was called from another. What it
 * takes to find that way is what cpctl itself reads as it goes it.
 */
static bool read_callers(const struct memory *memory, struct symbols *symbols)
{
	struct unwinder *unwinder = unwind_open(symbols, false);
	char why[UNWIND_WHY_SIZE];

	if (unwinder)
		unwind(unwinder, memory, 0, NULL, NULL, why);
	unwind_close(unwinder);
	symbols_close(symbols);
	return unwinder;
}

/* Reads all that goes into the core besides the checkpoint. */
static bool read_rest(const struct memory *memory,
		      const struct identity *identity)
{
	struct symbols *symbols = symbols_open(memory->around);

	if (!symbols)
		return false;
	symbols_refresh(symbols);
	support_read(memory, identity, symbols);
	return read_callers(memory, symbols);
}

static int write_core(struct dumping *dump, const struct memory *memory,
		      const struct identity *identity)
{
	if (!read_rest(memory, identity)) {
		warn("cannot look up symbols");
		return EXIT_REFUSED;
	}
	if (core_write(dump->file.fd, memory, identity)) {
		warn("cannot write %s", dump->file.path);
		return EXIT_REFUSED;
	}
	dump->written = true;
	return EXIT_OK;
}

static int refuse_compat(const struct dumping *dump)
{
	warnx("process %d runs 32-bit code: there are no cores of that yet, but 'cpctl bt' works",
	      dump->pid);
	return EXIT_REFUSED;
}

static int dump_snapshot(void *arg, const struct snapshot *now,
			 const struct snapshot *before)
{
	struct dumping *dump = arg;
	const struct memory memory = { now, &dump->around };
	struct identity identity;
	int status;

	(void)before;
	if (now->head.flags & CP_CHECKPOINT_COMPAT)
		return refuse_compat(dump);
	surroundings_refresh(&dump->around);
	if (!dump->around.maps || !identity_read(&identity, dump->pid)) {
		warnx("process %d ended before its mappings could be read",
		      dump->pid);
		return EXIT_REFUSED;
	}
	status = write_core(dump, &memory, &identity);
	identity_free(&identity);
	return status;
}

/* False after saying what is wrong. */
static bool open_file(struct dumping *dump, const char *path)
{
	if (!wholefile_open(&dump->file, path))
		return true;
	wholefile_diagnose(path);
	return false;
}

/* Keeps the file, if it is whole. @when: its memory was read. */
static int keep(struct dumping *dump, const char *when)
{
	if (interrupted() || !dump->written) {
		wholefile_drop(&dump->file);
		return EXIT_REFUSED;
	}
	if (wholefile_keep(&dump->file)) {
		warn("cannot write %s", dump->file.path);
		return EXIT_REFUSED;
	}
	warnx("%s: registers and stack are those of the checkpoint; all else was read %s, while the process went on",
	      dump->file.path, when);
	return EXIT_OK;
}

static int dump_one(struct cp_pair *pair, pid_t pid,
		    const struct take_options *options)
{
	struct dumping dump = { .pid = pid };
	int status = EXIT_REFUSED;

	if (open_file(&dump, options->output)) {
		surroundings_open(&dump.around, pid);
		take_each(pair, pid, options, dump_snapshot, &dump);
		surroundings_close(&dump.around);
		status = keep(&dump, "right after it");
	}
	cp_pair_end(pair);
	return status;
}

static int dump_recorded(struct playback *play,
			 const struct take_options *options)
{
	const struct memory memory = { &play->now, &play->around };
	struct dumping dump = { .pid = play->identity.task };

	if (!play->around.maps || !play->identity.auxv ||
	    !play->identity.command) {
		warnx("%s: nothing is known of the process but its checkpoints",
		      play->path);
		return EXIT_REFUSED;
	}
	if (play->now.head.flags & CP_CHECKPOINT_COMPAT)
		return refuse_compat(&dump);
	if (!open_file(&dump, options->output))
		return EXIT_REFUSED;
	write_core(&dump, &memory, &play->identity);
	return keep(&dump, "some time before");
}

int verb_dump(int argc, char **argv)
{
	struct take_options options = {
		.count = 1,
		.nudge = true,
		.timeout_ns = -1,
	};
	struct subject subject = {};
	char core[PATH_MAX];
	int status = subject_parse(argc, argv, &usage, &options, &subject);

	if (status >= 0)
		return status;
	if (!options.output) {
		if (subject.file)
			snprintf(core, sizeof(core), "%s.core", subject.file);
		else
			snprintf(core, sizeof(core), "core.%d", subject.pid);
		options.output = core;
	}
	if (!strcmp(options.output, "-") && isatty(STDOUT_FILENO))
		return usage_error(argv[0], "a core is not for a terminal");
	if (subject.file)
		return subject_open(&subject, &options, dump_recorded);
	return take_from(subject.pid, &options, dump_one);
}
