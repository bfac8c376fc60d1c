// SPDX-License-Identifier: GPL-2.0-only
/* The file that cpctl dump writes. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "corefile.h"
#include "exit.h"
#include "interrupt.h"
#include "message.h"

bool corefile_refuses(const struct instant *instant, pid_t pid)
{
	unsigned int i;

	for (i = 0; i < instant->nr; i++) {
		if (instant->threads[i].snapshot.head.flags &
		    CP_CHECKPOINT_COMPAT) {
			warnx("process %d runs 32-bit code: there are no cores of that yet, but 'cpctl bt' works",
			      pid);
			return true;
		}
	}
	return false;
}

/* Should debuggers show @a before @b, which comes earlier? */
static bool is_before(const struct snapshot *a, const struct snapshot *b,
		      pid_t first)
{
	if (snapshot_is_death(b))
		return false;
	return snapshot_is_death(a) ||
	       (a->head.thread == first && b->head.thread != first);
}

unsigned int corefile_first(const struct instant *instant, pid_t first)
{
	unsigned int best = 0, i;

	for (i = 1; i < instant->nr; i++) {
		if (is_before(&instant->threads[i].snapshot,
			      &instant->threads[best].snapshot, first))
			best = i;
	}
	return best;
}

const struct snapshot **corefile_order(const struct instant *instant,
				       unsigned int first)
{
	const struct snapshot **threads = calloc(instant->nr,
						 sizeof(*threads));
	unsigned int i, nr = 1;

	if (!threads) {
		warn("cannot write a core");
		return NULL;
	}
	threads[0] = &instant->threads[first].snapshot;
	for (i = 0; i < instant->nr; i++) {
		if (i != first)
			threads[nr++] = &instant->threads[i].snapshot;
	}
	return threads;
}

char *corefile_name(const char *file, pid_t pid, const struct options *options)
{
	const char *end = options->compress ? ".zst" : "";
	char *name;
	int len;

	if (file)
		len = asprintf(&name, "%s.core%s", file, end);
	else
		len = asprintf(&name, "core.%d%s", pid, end);
	if (len >= 0)
		return name;
	warn("cannot write a core");
	return NULL;
}

bool corefile_open(struct corefile *file, const char *path,
		   const struct options *options)
{
	file->path = path;
	if (wholefile_open(&file->file, path, false)) {
		wholefile_diagnose(path);
		return false;
	}
	if (!coreout_open(&file->out, file->file.fd, options->compress))
		return true;
	warn("cannot write %s", path);
	wholefile_drop(&file->file);
	return false;
}

bool corefile_write(struct corefile *file, const struct corestate *state,
		    const struct identity *identity)
{
	struct stat st;

	if (core_write(&file->out, state, identity))
		return false;
	file->written = true;
	file->size = file->out.at;
	file->stored = file->out.packer.size;
	if (file->out.holes && !fstat(file->file.fd, &st))
		file->stored = (uint64_t)st.st_blocks * 512;
	return true;
}

int corefile_close(struct corefile *file)
{
	coreout_close(&file->out);
	if (interrupted() || !file->written) {
		wholefile_drop(&file->file);
		return EXIT_REFUSED;
	}
	if (!wholefile_keep(&file->file))
		return EXIT_OK;
	if (!interrupted())
		warn("cannot write %s", file->path);
	return EXIT_REFUSED;
}
