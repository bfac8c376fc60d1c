// SPDX-License-Identifier: GPL-2.0-only
/* cpctl dump: write a checkpoint as an ELF core. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmdline.h"
#include "core.h"
#include "cpctl.h"
#include "exit.h"
#include "facts.h"
#include "interrupt.h"
#include "message.h"
#include "output.h"
#include "subject.h"
#include "support.h"
#include "symbols.h"
#include "wholefile.h"

static const struct usage usage = {
	.has = OPTIONS_LIVE | OPTIONS_PROCESS | OPTIONS_NAME |
	       OPTIONS_PID,
	.help =
	"Usage: cpctl dump [OPTION]... PID...\n"
	"       cpctl dump [OPTION]... FILE [N]\n"
	"Write the checkpoints of all threads of the running process PID, of one\n"
	"instant, as an ELF core, to be opened by 'gdb PROGRAM CORE'. The process\n"
	"continues. Each of several processes gets a core. The id of a thread stands for\n"
	"its process, unless --thread is given; debuggers show that thread first. Or the\n"
	"last checkpoints of all threads of a recording: as of checkpoint N, whose thread\n"
	"is then shown first.\n"
	"\n"
	"  -o, --output CORE      the file (core.PID, FILE.core); - for the standard\n"
	"                         output; for one process\n"
	OPTIONS_PROCESS_HELP
	OPTIONS_ONLY_HELP
	TARGETS_HELP
	OPTIONS_LIVE_HELP
	CMDLINE_LAST_HELP
	OPTIONS_HOLD_HELP
	"A file that exists is replaced.\n",
};

static const struct subject_usage arguments = {
	.text = "PID, or FILE [N]",
	.live = true,
	.several = true,
	.most = 1,
};

/*
 * struct dumping - a core that is being written
 * @path: the path of the file
 * @file: the file, once it is open
 * @pid: a task of the process
 * @first: the thread that debuggers show first, if it is there
 * @around: the surroundings of a living process before its checkpoint
 * @identity: the identity of the process; all zero if it is not known
 * @written: whether the whole core has been written
 */
struct dumping {
	const char		*path;
	struct wholefile	file;
	pid_t			pid;
	pid_t			first;
	struct surroundings	around;
	struct identity		identity;
	bool			written;
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

static int write_core(struct dumping *dump, const struct corestate *state,
		      const struct identity *identity)
{
	const struct memory memory = { state->threads[0], state->around };

	if (!read_rest(&memory, identity)) {
		warn("cannot look up symbols");
		return EXIT_REFUSED;
	}
	if (core_write(dump->file.fd, state, identity)) {
		if (!interrupted())
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

/* Returns false after printing the reason. */
static bool open_file(struct dumping *dump)
{
	if (!wholefile_open(&dump->file, dump->path, false))
		return true;
	wholefile_diagnose(dump->path);
	return false;
}

/* Prints which data is of which time. */
static void print_written(const struct dumping *dump, const struct stream *stream)
{
	const char *when = stream->play ? "some time before" : "right after it";
	const unsigned int nr = stream->instant->nr;

	if (nr == 1)
		warnx("%s: registers and stack are those of the checkpoint; all else was read %s, while the process continued",
		      dump->file.path, when);
	else
		warnx("%s: registers and stacks of %u threads are %s; all else was read %s, while the process continued",
		      dump->file.path, nr,
		      stream->play ? "the last ones of each" :
				     "those of one instant", when);
}

/* Keeps the file if it is complete. */
static int keep(struct dumping *dump, const struct stream *stream)
{
	if (interrupted() || !dump->written) {
		wholefile_drop(&dump->file);
		return EXIT_REFUSED;
	}
	if (wholefile_keep(&dump->file)) {
		if (!interrupted())
			warn("cannot write %s", dump->file.path);
		return EXIT_REFUSED;
	}
	print_written(dump, stream);
	return EXIT_OK;
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

/* Should debuggers show @a before @b, which comes earlier? */
static bool is_before(const struct dumping *dump, const struct snapshot *a,
		      const struct snapshot *b)
{
	if (snapshot_is_death(b))
		return false;
	return snapshot_is_death(a) || (a->head.thread == dump->first &&
					b->head.thread != dump->first);
}

/* The index of the most important thread; those of a recording are sorted already. */
static unsigned int most_important(const struct dumping *dump,
				   const struct stream *stream)
{
	const struct instant *instant = stream->instant;
	unsigned int best = 0, i;

	for (i = 1; i < instant->nr && !stream->play; i++) {
		if (is_before(dump, &instant->threads[i].snapshot,
			      &instant->threads[best].snapshot))
			best = i;
	}
	return best;
}

/* Collects the checkpoints: the most important one first, the others in their order. */
static void collect(const struct dumping *dump, const struct stream *stream,
		    const struct snapshot **threads)
{
	const struct instant *instant = stream->instant;
	unsigned int best = most_important(dump, stream), i, nr = 1;

	threads[0] = &instant->threads[best].snapshot;
	for (i = 0; i < instant->nr; i++) {
		if (i != best)
			threads[nr++] = &instant->threads[i].snapshot;
	}
}

static bool has_compat(const struct instant *instant)
{
	unsigned int i;

	for (i = 0; i < instant->nr; i++) {
		if (instant->threads[i].snapshot.head.flags &
		    CP_CHECKPOINT_COMPAT)
			return true;
	}
	return false;
}

static int dump_threads(struct dumping *dump, struct stream *stream,
			const struct identity *identity)
{
	unsigned int nr = stream->instant->nr;
	const struct snapshot **threads = calloc(nr, sizeof(*threads));
	const struct corestate state = { nr, threads, stream->around };

	if (!threads) {
		warn("cannot write a core");
		return EXIT_REFUSED;
	}
	collect(dump, stream, threads);
	write_core(dump, &state, identity);
	free(threads);
	return keep(dump, stream);
}

static int dump_living(struct dumping *dump, struct stream *stream)
{
	if (has_compat(stream->instant))
		return refuse_compat(dump);
	if (!stream->replaced)
		surroundings_inherit(stream->around, &dump->around);
	if (!identify(dump, stream) || !open_file(dump))
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
	if (has_compat(stream->instant))
		return refuse_compat(dump);
	if (!open_file(dump))
		return EXIT_REFUSED;
	return dump_threads(dump, stream, &play->identity);
}

/* The default name of the core, to be freed by the caller; NULL without memory. */
static char *default_name(const struct subject *subject)
{
	char *name;
	int len;

	if (subject->file)
		len = asprintf(&name, "%s.core", subject->file);
	else
		len = asprintf(&name, "core.%d", subject->pid);
	return len < 0 ? NULL : name;
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
	};
	int status;

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
	name = default_name(subject);
	if (!name) {
		warn("cannot write a core");
		return EXIT_REFUSED;
	}
	status = dump_to(subject, options, name);
	free(name);
	return status;
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

int verb_dump(int argc, char **argv)
{
	struct options options = {
		.stream.count = 1,
		.stream.process = true,
		.stream.hold = true,
		.stream.last = LAST_AT,
		.stream.timeout_ns = -1,
	};
	struct subject subject = {};
	int status = subject_parse(argc, argv, &usage, &arguments, &options,
				   &subject);

	if (status < 0)
		status = check_output(argv[0], &subject, &options);
	return status < 0 ? subject_each(&subject, &options, dump_subject) :
			    status;
}
