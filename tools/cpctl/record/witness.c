// SPDX-License-Identifier: GPL-2.0-only
/* The data of a living process that may end at any moment. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "facts.h"
#include "recording.h"
#include "slurp.h"
#include "support.h"
#include "witness.h"

/* Does the process still have these mappings? An exiting process has none. */
static bool has_maps(pid_t pid, const char *maps)
{
	char path[32], *now;
	bool same;
	size_t size;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	now = slurp(path, &size);
	same = now && maps && !strcmp(now, maps);
	free(now);
	return same;
}

/* Has no data been read yet? */
static bool is_empty(const struct witness *witness)
{
	return !witness->around.maps;
}

void witness_open(struct witness *witness, pid_t pid, bool process)
{
	memset(witness, 0, sizeof(*witness));
	witness->pid = pid;
	witness->process = process;
	witness->around.mem = -1;
	witness->around.root = -1;
}

static void read_memory(struct witness *witness)
{
	const struct snapshot nothing = {};
	const struct memory memory = { &nothing, &witness->around };
	struct symbols *symbols = symbols_open(&witness->around);

	if (!symbols)
		return;
	symbols_refresh(symbols);
	support_read(&memory, &witness->identity, symbols);
	symbols_close(symbols);
}

/* Sets the identity of a process, which was read from its thread @task. */
static bool read_identity(const struct witness *witness, pid_t task,
			  struct identity *identity)
{
	if (!identity_read(identity, task))
		return false;
	if (task == witness->pid)
		return true;
	/* The main thread has ended. */
	identity->task = witness->pid;
	if (*witness->identity.name)
		memcpy(identity->name, witness->identity.name,
		       sizeof(identity->name));
	return true;
}

void witness_look(struct witness *witness)
{
	pid_t task = witness->pid;
	struct witness now;

	if (witness->process) {
		threadnames_look(&witness->names, witness->pid);
		/* A main thread that has ended has no mappings. */
		task = task_of_process(witness->pid);
	}
	if (!is_empty(witness) && has_maps(task, witness->around.maps))
		return;
	witness_open(&now, witness->pid, witness->process);
	surroundings_open(&now.around, task);
	surroundings_refresh(&now.around);
	if (read_identity(witness, task, &now.identity) && now.around.maps) {
		read_memory(&now);
		/* The process may have changed or ended while it was read. */
		if (is_empty(witness) || has_maps(task, now.around.maps)) {
			now.names = witness->names;
			memset(&witness->names, 0, sizeof(witness->names));
			witness_close(witness);
			*witness = now;
			return;
		}
	}
	witness_close(&now);
}

static int write_process(const struct witness *witness, struct recwriter *rec)
{
	const struct identity *identity = &witness->identity;
	struct rec_process process = {
		.task = identity->task,
		.process = identity->process,
		.parent = identity->parent,
		.group = identity->group,
		.session = identity->session,
		.uid = identity->uid,
		.gid = identity->gid,
		.state = (unsigned char)identity->state,
		.time = witness->around.time,
	};

	memcpy(process.name, identity->name, sizeof(process.name));
	if (recwriter_text(rec, REC_PROCESS, &process, sizeof(process),
			   identity->command, strlen(identity->command)))
		return -1;
	return recwriter_text(rec, REC_AUXV, NULL, 0, identity->auxv,
			      identity->auxv_size);
}

static int write_around(const struct surroundings *around, struct recwriter *rec)
{
	size_t i;

	if (recwriter_maps(rec, around->maps))
		return -1;
	for (i = 0; i < around->pages.nr && i < REC_PAGES_MAX; i++) {
		const struct page *page = &around->pages.page[i];
		const struct rec_page head = { page->addr };

		/* The pages are sorted: all others are above the limit, too. */
		if (page->addr >= REC_ADDR_MAX)
			break;
		if (recwriter_put(rec, REC_PAGE, &head, sizeof(head),
				  page->bytes, PAGE_BYTES))
			return -1;
	}
	return 0;
}

int witness_write(struct witness *witness, struct recwriter *rec)
{
	if (witness->written || is_empty(witness))
		return 0;
	if (write_process(witness, rec) ||
	    write_around(&witness->around, rec))
		return -1;
	witness->written = true;
	return 0;
}

void witness_close(struct witness *witness)
{
	threadnames_free(&witness->names);
	identity_free(&witness->identity);
	surroundings_close(&witness->around);
}
