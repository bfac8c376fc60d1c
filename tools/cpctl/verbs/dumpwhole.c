// SPDX-License-Identifier: GPL-2.0-only
/* cpctl dump of all memory of a living process. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "corefile.h"
#include "corenote.h"
#include "diagnose.h"
#include "dumpwhole.h"
#include "exit.h"
#include "imager.h"
#include "interrupt.h"
#include "message.h"
#include "progress.h"
#include "text.h"

/* The time between two lines of progress. */
#define PROGRESS_NS 200000000

/*
 * struct whole - the core that is being written
 * @imager: the process
 * @file: the file
 * @began: when writing began
 * @shown: when progress was printed
 * @at: the address up to which memory has been written
 * @late: the address from which on memory was read after the hold; or UINT64_MAX
 * @end: the text of the note at the end of the file
 */
struct whole {
	struct imager	imager;
	struct corefile	file;
	int64_t		began;
	int64_t		shown;
	uint64_t	at;
	uint64_t	late;
	char		end[CORENOTE_END_SIZE];
};

static void show_progress(struct whole *whole, const struct coreout *out)
{
	char done[FIGURE_SIZE], size[FIGURE_SIZE], text[160];

	whole->shown = clock_ns();
	snprintf(text, sizeof(text), "writing %s: %s of %s, %u%%",
		 whole->file.path, figure_bytes(done, (double)out->at),
		 figure_bytes(size, (double)out->total),
		 (unsigned int)(out->at * 100 / (out->total ?: 1)));
	progress_line(text);
}

/* Called after each piece of memory, which ends at @addr. */
static void piece_written(void *arg, uint64_t addr, const struct coreout *out)
{
	struct whole *whole = arg;
	int64_t now = clock_ns();

	if (!whole->imager.image.snap && whole->late == UINT64_MAX &&
	    now >= imager_until(&whole->imager))
		whole->late = whole->at;
	whole->at = addr;
	if (now - whole->shown >= PROGRESS_NS)
		show_progress(whole, out);
}

/* All memory has been read: ends the hold, and says how far the memory is of the instant. */
static const char *end_of_memory(void *arg)
{
	struct whole *whole = arg;

	imager_release(&whole->imager);
	memset(whole->end, 0, sizeof(whole->end));
	if (whole->late == UINT64_MAX)
		snprintf(whole->end, sizeof(whole->end), "held to the end\n");
	else
		snprintf(whole->end, sizeof(whole->end),
			 "not held from 0x%" PRIx64 "\n", whole->late);
	return whole->end;
}

/* Prints why the core could not be written, according to errno. */
static void diagnose_write(const struct whole *whole)
{
	const struct imager *imager = &whole->imager;

	if (interrupted())
		return;
	if (errno == ENODATA)
		warnx("the machine ran out of memory, and the snapshot of process %d was dropped: add --no-snapshot to hold the process instead",
		      imager->pid);
	else if (errno == ESRCH)
		warnx("process %d ended before its memory was read",
		      imager->pid);
	else
		warn("cannot write %s", whole->file.path);
}

static void write_image(struct whole *whole, const struct options *options,
			pid_t first)
{
	struct imager *imager = &whole->imager;
	struct corestate state = {
		.nr = imager->image.instant.nr,
		.around = &imager->around,
		.image = &imager->image,
		.filter = (uint32_t)options->filter,
		.end = imager->image.snap ? NULL : end_of_memory,
		.written = piece_written,
		.arg = whole,
	};
	const struct snapshot **threads;
	bool written;
	int error;

	threads = corefile_order(&imager->image.instant,
				 corefile_first(&imager->image.instant, first));
	if (!threads)
		return;
	state.threads = threads;
	whole->began = clock_ns();
	written = corefile_write(&whole->file, &state, &imager->identity);
	error = errno;
	progress_end();
	errno = error;
	if (!written)
		diagnose_write(whole);
	free(threads);
}

/* Prints what a complete core is, and what it lacks. */
static void print_written(const struct whole *whole)
{
	const struct imager *imager = &whole->imager;
	const bool snapshot = imager->image.snap;
	const unsigned int nr = imager->image.instant.nr;
	char size[FIGURE_SIZE], stored[FIGURE_SIZE], held[FIGURE_SIZE];
	char writing[FIGURE_SIZE];

	warnx("%s: %u thread%s and all private memory, %s, of which %s were written",
	      whole->file.path, nr, nr == 1 ? "" : "s",
	      figure_bytes(size, (double)whole->file.size),
	      figure_bytes(stored, (double)whole->file.stored));
	warnx("process %d was held for %s%s; writing took %s", imager->pid,
	      figure_time(held, (double)imager->held_ns),
	      snapshot ? "" : ", while its memory was copied",
	      figure_time(writing, (double)(clock_ns() - whole->began)));
	if (whole->late != UINT64_MAX)
		warnx("the hold ended before all memory was copied: memory from 0x%" PRIx64
		      " on was read while the process continued; --hold-limit sets the limit",
		      whole->late);
	if (imager->missing)
		warnx("%s of memory are missing, which the process withholds from children, and so from a snapshot: --no-snapshot includes them",
		      figure_bytes(size, (double)imager->missing));
	if (imager->unseen)
		warnx("%u threads that process %d has created are missing: the pair had no room, or no memory, for them",
		      imager->unseen, imager->pid);
}

static int dump_image(struct whole *whole, const struct options *options,
		      const char *path, pid_t first)
{
	struct imager *imager = &whole->imager;
	int status;

	if (corefile_refuses(&imager->image.instant, imager->pid))
		return EXIT_REFUSED;
	if (imager->refused)
		warnx("there is no snapshot of process %d: %s; it is held while its memory is copied",
		      imager->pid, snapshot_refusal(imager->refused));
	if (!corefile_open(&whole->file, path, options))
		return EXIT_REFUSED;
	write_image(whole, options, first);
	imager_release(imager);
	status = corefile_close(&whole->file);
	if (status == EXIT_OK)
		print_written(whole);
	return status;
}

int dump_whole(pid_t pid, const struct options *options, const char *path)
{
	struct whole whole = {
		.imager = {
			.pid = pid,
			.timeout_ns = options->stream.timeout_ns,
			.limit_ns = (uint64_t)options->hold_limit_ns,
			.copy = options->no_snapshot,
		},
		.late = UINT64_MAX,
	};
	int status = EXIT_REFUSED;

	if (imager_take(&whole.imager))
		status = dump_image(&whole, options, path, pid);
	imager_close(&whole.imager);
	if (interrupted())
		warnx("interrupted; process %d continues", pid);
	return status;
}
