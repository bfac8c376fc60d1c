// SPDX-License-Identifier: GPL-2.0-only
/* The notes of a core: registers, identity of the process, origin of the data. */
#include <elf.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/procfs.h>

#include "corenote.h"
#include "entry.h"
#include "mapping.h"

/* The names of the notes that the kernel's cores also have. */
#define CORE_NAME "CORE"
#define LINUX_NAME "LINUX"

static void put_padded(FILE *out, const void *bytes, size_t size)
{
	static const char zeroes[4];

	fwrite(bytes, 1, size, out);
	fwrite(zeroes, 1, -size % sizeof(zeroes), out);
}

static void put_note(FILE *out, const char *name, uint32_t type,
		     const void *bytes, size_t size)
{
	const Elf64_Nhdr header = {
		.n_namesz = (uint32_t)strlen(name) + 1,
		.n_descsz = (uint32_t)size,
		.n_type = type,
	};

	fwrite(&header, 1, sizeof(header), out);
	put_padded(out, name, header.n_namesz);
	put_padded(out, bytes, size);
}

/*
 * @first: the first thread of the core. If that is the thread that received the deadly
 *	signal, all threads have the signal, as in cores of the kernel: debuggers take the
 *	signal of one of them for that of the process
 */
static void put_status(FILE *out, const struct snapshot *snapshot,
		       const struct snapshot *first,
		       const struct identity *identity)
{
	struct elf_prstatus status = {
		.pr_pid = snapshot->head.thread ? snapshot->head.thread :
						  identity->task,
		.pr_ppid = identity->parent,
		.pr_pgrp = identity->group,
		.pr_sid = identity->session,
	};

	_Static_assert(sizeof(status.pr_reg) == sizeof(struct cp_regs),
		       "both are struct user_regs_struct");
	if (snapshot_is_death(first)) {
		status.pr_cursig = (short)first->head.signal;
		status.pr_info.si_signo = first->head.signal;
		status.pr_info.si_code = snapshot->head.signal_code;
	}
	memcpy(&status.pr_reg, &snapshot->head.regs, sizeof(status.pr_reg));
	put_note(out, CORE_NAME, NT_PRSTATUS, &status, sizeof(status));
}

/* Writes the siginfo of the fatal signal. */
static void put_signal(FILE *out, const struct snapshot *snapshot)
{
	const struct cp_checkpoint *cp = &snapshot->head;
	siginfo_t info = {};

	if (!snapshot_is_death(snapshot))
		return;
	info.si_signo = cp->signal;
	info.si_code = cp->signal_code;
	if (cp->signal_addr)
		info.si_addr = (void *)(uintptr_t)cp->signal_addr;
	put_note(out, CORE_NAME, NT_SIGINFO, &info, sizeof(info));
}

/* Writes the legacy part of the extended registers as well, for old tools. */
static void put_xstate(FILE *out, const struct segment *xstate)
{
	const size_t old = sizeof(elf_fpregset_t);

	if (xstate->info.size < old)
		return;
	put_note(out, CORE_NAME, NT_PRFPREG, xstate->bytes, old);
	if (xstate->info.size > old)
		put_note(out, LINUX_NAME, NT_X86_XSTATE, xstate->bytes,
			 xstate->info.size);
}

static void put_process(FILE *out, const struct identity *identity)
{
	struct elf_prpsinfo info = {
		.pr_sname = identity->state,
		.pr_zomb = identity->state == 'Z',
		.pr_uid = identity->uid,
		.pr_gid = identity->gid,
		.pr_pid = identity->process,
		.pr_ppid = identity->parent,
		.pr_pgrp = identity->group,
		.pr_sid = identity->session,
	};

	memcpy(info.pr_fname, identity->name,
	       strnlen(identity->name, sizeof(info.pr_fname) - 1));
	memcpy(info.pr_psargs, identity->command,
	       strnlen(identity->command, sizeof(info.pr_psargs) - 1));
	put_note(out, CORE_NAME, NT_PRPSINFO, &info, sizeof(info));
}

/*
 * Debuggers read memory that is not in the core from the mapped file. For variables that
 * are not in the core, that would be the initial values: leave these files out.
 */
static bool is_listed(const struct corestate *state,
		      const struct mapping *mapping)
{
	return mapping_is_file(mapping) && (state->image || !mapping->write);
}

/* Writes the mapped files: count, page size, ranges, then the names. */
static void put_files(FILE *out, const struct corestate *state)
{
	const char *maps = state->around->maps;
	struct mapping mapping;
	const char *text = maps;
	uint64_t head[2] = { 0, PAGE_BYTES };
	size_t size = 0;
	char *note = NULL, *path;
	FILE *file = open_memstream(&note, &size);

	if (!file)
		return;
	while (mapping_next(&text, &mapping))
		head[0] += is_listed(state, &mapping);
	fwrite(head, 1, sizeof(head), file);
	for (text = maps; mapping_next(&text, &mapping);) {
		const uint64_t range[] = { mapping.start, mapping.end,
					   mapping.offset / PAGE_BYTES };

		if (is_listed(state, &mapping))
			fwrite(range, 1, sizeof(range), file);
	}
	for (text = maps; mapping_next(&text, &mapping);) {
		if (!is_listed(state, &mapping))
			continue;
		path = mapping_path(mapping.path, mapping.path_len);
		fputs(path ? path : "", file);
		fputc('\0', file);
		free(path);
	}
	fclose(file);
	put_note(out, CORE_NAME, NT_FILE, note, size);
	free(note);
}

static const char *stack_flags(const struct corestate *state,
			       const struct snapshot *snapshot)
{
	uint32_t flags = 0;
	unsigned int i;

	if (state->image)
		return "whole";
	for (i = 0; i < snapshot->nr_segments; i++)
		flags |= snapshot->segments[i].info.flags;
	if (flags & CP_SEGF_GONE)
		return "gone";
	if (flags & CP_SEGF_UNMAPPED)
		return "unmapped";
	if (flags & (CP_SEGF_TRUNCATED | CP_SEGF_NOMEM))
		return "truncated";
	return flags & CP_SEGF_HOLE ? "holes" : "whole";
}

static void put_range(FILE *file, const char *origin, uint64_t addr,
		      uint64_t size)
{
	fprintf(file, "%s 0x%" PRIx64 " 0x%" PRIx64 "\n", origin, addr, size);
}

/* Writes the facts of the first thread, and a line for each of several. */
static void put_threads(FILE *file, const struct corestate *state)
{
	const struct cp_checkpoint *cp = &state->threads[0]->head;
	unsigned int i;

	fprintf(file,
		"version 1\ncheckpoint %" PRIu64 "\ntime_ns %" PRIu64
		"\nlater_ns %" PRIu64 "\ncpu %u\nentry %s\n",
		(uint64_t)cp->seq, (uint64_t)cp->time, state->around->time,
		cp->cpu, entry_word(cp));
	if (cp->entry == CP_ENTRY_SYSCALL)
		fprintf(file, "syscall %d\n", cp->syscall);
	if (state->image)
		fprintf(file, "memory %s\n",
			state->image->snap ? "snapshot" : "held");
	fprintf(file, "stack %s\n", stack_flags(state, state->threads[0]));
	for (i = 0; i < state->nr && state->nr > 1; i++) {
		cp = &state->threads[i]->head;
		fprintf(file, "thread %d %" PRIu64 " %" PRIu64 " %u %s %d %s\n",
			cp->thread, (uint64_t)cp->seq, (uint64_t)cp->time,
			cp->cpu, entry_word(cp), cp->syscall,
			stack_flags(state, state->threads[i]));
	}
}

/* Writes the ranges of a thread's checkpoint. */
static void put_instant(FILE *file, const struct snapshot *snapshot)
{
	unsigned int i;

	for (i = 0; i < snapshot->nr_segments; i++)
		put_range(file, "instant", snapshot->segments[i].info.addr,
			  snapshot->segments[i].info.size);
}

static void put_origin(FILE *out, const struct corestate *state,
		       const struct coreloads *loads)
{
	size_t size = 0, i;
	char *text = NULL;
	FILE *file = open_memstream(&text, &size);

	if (!file)
		return;
	put_threads(file, state);
	for (i = 0; i < state->nr && !state->image; i++)
		put_instant(file, state->threads[i]);
	for (i = 0; i < loads->nr; i++) {
		const struct coreload *load = &loads->load[i];

		if (load->stored && (load->later || state->image))
			put_range(file, load->later ? "later" : "instant",
				  load->addr, load->stored);
	}
	fputc('\0', file);
	fclose(file);
	put_note(out, CORENOTE_NAME, CORENOTE_ORIGIN, text, size);
	free(text);
}

/*
 * Debuggers attribute the notes of registers to the thread of the last NT_PRSTATUS
 * before them: the notes of the first thread come before those of the others.
 */
static void put_others(FILE *out, const struct corestate *state,
		       const struct identity *identity)
{
	unsigned int i;

	for (i = 1; i < state->nr; i++) {
		put_status(out, state->threads[i], state->threads[0], identity);
		put_xstate(out, &state->threads[i]->xstate);
	}
}

void corenote_tail(char note[CORENOTE_TAIL_SIZE],
		   const char text[CORENOTE_END_SIZE])
{
	const Elf64_Nhdr header = {
		.n_namesz = sizeof(CORENOTE_NAME),
		.n_descsz = CORENOTE_END_SIZE,
		.n_type = CORENOTE_END,
	};

	_Static_assert(sizeof(header) + sizeof(CORENOTE_NAME) + 1 +
		       CORENOTE_END_SIZE == CORENOTE_TAIL_SIZE,
		       "the name is padded to a multiple of four bytes");
	memset(note, 0, CORENOTE_TAIL_SIZE);
	memcpy(note, &header, sizeof(header));
	memcpy(note + sizeof(header), CORENOTE_NAME, sizeof(CORENOTE_NAME));
	memcpy(note + CORENOTE_TAIL_SIZE - CORENOTE_END_SIZE, text,
	       CORENOTE_END_SIZE);
}

char *corenote_all(const struct corestate *state, const struct identity *identity,
		   const struct coreloads *loads, size_t *size)
{
	const struct snapshot *first = state->threads[0];
	const char *maps = state->around->maps;
	char *notes = NULL;
	FILE *out = open_memstream(&notes, size);
	bool ok;

	if (!out)
		return NULL;
	put_status(out, first, first, identity);
	put_process(out, identity);
	put_signal(out, first);
	put_note(out, CORE_NAME, NT_AUXV, identity->auxv, identity->auxv_size);
	put_files(out, state);
	put_xstate(out, &first->xstate);
	put_others(out, state, identity);
	put_origin(out, state, loads);
	put_note(out, CORENOTE_NAME, CORENOTE_MAPS, maps, strlen(maps) + 1);
	ok = !ferror(out);
	if (fclose(out) || !ok) {
		free(notes);
		return NULL;
	}
	return notes;
}
