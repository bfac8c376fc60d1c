// SPDX-License-Identifier: GPL-2.0-only
/* cpctl dump: write a checkpoint as an ELF core. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmdline.h"
#include "corefile.h"
#include "corewhole.h"
#include "cpctl.h"
#include "dumpwhole.h"
#include "exit.h"
#include "facts.h"
#include "interrupt.h"
#include "message.h"
#include "output.h"
#include "subject.h"
#include "support.h"
#include "symbols.h"

/* Longer than the limit of other holds, because copying takes time. */
#define HOLD_LIMIT_NS 10000000000

static const struct usage usage = {
	.has = OPTIONS_LIVE | OPTIONS_PROCESS | OPTIONS_NAME |
	       OPTIONS_PID | OPTIONS_CORE,
	.help =
	"Usage: cpctl dump [OPTION]... PID...\n"
	"       cpctl dump [OPTION]... FILE [N]\n"
	"Write the running process PID as an ELF core, to be opened by 'gdb PROGRAM CORE':\n"
	"all threads and all private memory, of one instant. The process continues while\n"
	"the core is written; where the kernel refuses a snapshot, it is held meanwhile.\n"
	"Each of several processes gets a core. The id of a thread stands for its process,\n"
	"unless --thread is given; debuggers show that thread first. Or the last\n"
	"checkpoints of all threads of a recording: as of checkpoint N, whose thread is\n"
	"then shown first.\n"
	"\n"
	"  -o, --output CORE      the file (core.PID, FILE.core); - for the standard\n"
	"                         output; for one process\n"
	OPTIONS_CORE_HELP
	OPTIONS_PROCESS_HELP
	OPTIONS_ONLY_HELP
	TARGETS_HELP
	OPTIONS_LIVE_HELP
	CMDLINE_LAST_HELP
	OPTIONS_HOLD_HELP
	"--thread, --nudge, --no-nudge and --stack-limit imply --stack-only. A file that\n"
	"exists is replaced.\n",
};

static const struct subject_usage arguments = {
	.text = "PID, or FILE [N]",
	.live = true,
	.several = true,
	.most = 1,
};

/*
 * struct dumping - a small core that is being written
 * @path: the path of the file
 * @options: the options of the verb
 * @file: the file, once it is open
 * @pid: a task of the process
 * @first: the thread that debuggers show first, if it is there
 * @around: the surroundings of a living process before its checkpoint
 * @identity: the identity of the process; all zero if it is not known
 */
struct dumping {
	const char		*path;
	const struct options	*options;
	struct corefile		file;
	pid_t			pid;
	pid_t			first;
	struct surroundings	around;
	struct identity		identity;
};

/* Reads all data of the core besides the checkpoint. */
static bool read_rest(const struct memory *memory,
		      const struct identity *identity)
{
	struct symbols *symbols = symbols_open(memory->around);

	if (!symbols)
		return false;
	symbols_refresh(symbols);
	support_read(memory, identity, symbols);
	symbols_close(symbols);
	return true;
}

static void write_core(struct dumping *dump, const struct corestate *state,
		       const struct identity *identity)
{
	const struct memory memory = { state->threads[0], state->around };

	if (!read_rest(&memory, identity))
		warn("cannot look up symbols");
	else if (!corefile_write(&dump->file, state, identity) && !interrupted())
		warn("cannot write %s", dump->path);
}

/* Prints which data is of which time. */
static void print_written(const struct dumping *dump, const struct stream *stream)
{
	const char *when = stream->play ? "some time before" : "right after it";
	const unsigned int nr = stream->instant->nr;

	if (nr == 1)
		warnx("%s: registers and stack are those of the checkpoint; all else was read %s, while the process continued",
		      dump->path, when);
	else
		warnx("%s: registers and stacks of %u threads are %s; all else was read %s, while the process continued",
		      dump->path, nr,
		      stream->play ? "the last ones of each" :
				     "those of one instant", when);
}

/*
 * Reads the identity of the process again. If the process has ended since the
 * checkpoint, the identity from before the checkpoint is kept.
 */
static bool identify(struct dumping *dump, const struct stream *stream)
{
	struct identity now;

	if (surroundings_alive(stream->around) &&
	    identity_read(&now, dump->pid)) {
		identity_free(&dump->identity);
		dump->identity = now;
	} else if (stream->replaced) {
		identity_free(&dump->identity);
	}
	if (dump->identity.auxv && stream->around->maps)
		return true;
	warnx("process %d ended before its mappings could be read", dump->pid);
	return false;
}

static int dump_threads(struct dumping *dump, struct stream *stream,
			const struct identity *identity)
{
	const struct instant *instant = stream->instant;
	/* Those of a recording are sorted already. */
	const struct snapshot **threads =
		corefile_order(instant, stream->play ? 0 :
			       corefile_first(instant, dump->first));
	const struct corestate state = {
		.nr = instant->nr,
		.threads = threads,
		.around = stream->around,
	};
	int status;

	if (threads)
		write_core(dump, &state, identity);
	free(threads);
	status = corefile_close(&dump->file);
	if (status == EXIT_OK)
		print_written(dump, stream);
	return status;
}

static int dump_living(struct dumping *dump, struct stream *stream)
{
	if (corefile_refuses(stream->instant, dump->pid))
		return EXIT_REFUSED;
	if (!stream->replaced)
		surroundings_inherit(stream->around, &dump->around);
	if (!identify(dump, stream) ||
	    !corefile_open(&dump->file, dump->path, dump->options))
		return EXIT_REFUSED;
	return dump_threads(dump, stream, &dump->identity);
}

/*
 * Reads the data of the process before the checkpoint, because the process may end
 * immediately after it. Otherwise, the data is read again afterwards.
 */
static void foresee(struct dumping *dump)
{
	const struct snapshot nothing = {};
	const struct memory memory = { &nothing, &dump->around };

	surroundings_open(&dump->around, dump->pid);
	surroundings_refresh(&dump->around);
	if (identity_read(&dump->identity, dump->pid))
		read_rest(&memory, &dump->identity);
}

static int dump_recorded(struct dumping *dump, struct stream *stream)
{
	const struct playback *play = stream->play;

	dump->pid = play->identity.task;
	if (!play->around.maps || !play->identity.auxv ||
	    !play->identity.command) {
		warnx("%s: nothing is known of the process but its checkpoints",
		      play->path);
		return EXIT_REFUSED;
	}
	if (corefile_refuses(stream->instant, dump->pid))
		return EXIT_REFUSED;
	if (!corefile_open(&dump->file, dump->path, dump->options))
		return EXIT_REFUSED;
	return dump_threads(dump, stream, &play->identity);
}

static int dump_stream(struct dumping *dump, struct stream *stream)
{
	int status = EXIT_REFUSED;

	if (!stream)
		return status;
	if (stream_next(stream))
		status = stream->play ? dump_recorded(dump, stream) :
					dump_living(dump, stream);
	return stream_close(stream, status);
}

static int dump_to(const struct subject *subject, const struct options *options,
		   const char *path)
{
	struct dumping dump = {
		.pid = subject->pid,
		.first = subject->pid,
		.path = path,
		.options = options,
	};
	int status;

	if (!subject->file && !options->stack_only)
		return dump_whole(subject->pid, options, path);
	if (options->stream.process && !subject->file)
		dump.pid = task_of_process(subject->pid);
	dump.around.mem = -1;
	dump.around.root = -1;
	if (!subject->file)
		foresee(&dump);
	status = dump_stream(&dump, subject_open(subject, options));
	identity_free(&dump.identity);
	surroundings_close(&dump.around);
	return status;
}

/* Writes the core of a process, or of a recording. Returns an exit status. */
static int dump_subject(const struct subject *subject,
			const struct options *options)
{
	char *name;
	int status;

	if (options->output)
		return dump_to(subject, options, options->output);
	name = corefile_name(subject->file, subject->pid, options);
	if (!name)
		return EXIT_REFUSED;
	status = dump_to(subject, options, name);
	free(name);
	return status;
}

/* Does the user want checkpoints that only a small core can hold? */
static bool wants_stacks(const struct options *options)
{
	const struct stream_options *stream = &options->stream;

	return !stream->process || stream->nudge || stream->await ||
	       stream->stack_limit;
}

/* Checks --output. Returns -1 to continue, else an exit status. */
static int check_output(const char *verb, const struct subject *subject,
			const struct options *options)
{
	if (options->output && subject->pids.nr > 1)
		return usage_error(verb, "--output is for one process, and there are %zu; without it, each core is core.PID",
				   subject->pids.nr);
	if (!options->output || strcmp(options->output, "-"))
		return -1;
	if (output_check("-") != EXIT_OK)
		return EXIT_REFUSED;
	if (isatty(STDOUT_FILENO))
		return usage_error(verb, "a core is not for a terminal");
	return -1;
}

static int check_options(const char *verb, const struct subject *subject,
			 struct options *options)
{
	if (wants_stacks(options))
		options->stack_only = true;
	if (options->stack_only && options->whole)
		return usage_error(verb, "--%s is for a core of all memory: it contradicts --stack-only, and what implies that",
				   options->whole);
	return check_output(verb, subject, options);
}

int verb_dump(int argc, char **argv)
{
	struct options options = {
		.stream.count = 1,
		.stream.process = true,
		.stream.hold = true,
		.stream.last = LAST_AT,
		.stream.timeout_ns = -1,
		.filter = COREFILTER_DEFAULT,
		.hold_limit_ns = HOLD_LIMIT_NS,
	};
	struct subject subject = {};
	int status = subject_parse(argc, argv, &usage, &arguments, &options,
				   &subject);

	if (status < 0)
		status = check_options(argv[0], &subject, &options);
	return status < 0 ? subject_each(&subject, &options, dump_subject) :
			    status;
}
