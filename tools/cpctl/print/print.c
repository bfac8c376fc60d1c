// SPDX-License-Identifier: GPL-2.0-only
/* Checkpoints for people to read. */
#include <inttypes.h>
#include <stdlib.h>

#include "clock.h"
#include "death.h"
#include "entry.h"
#include "print.h"
#include "regs.h"
#include "stack.h"
#include "text.h"

#define REGS_PER_LINE 3

/* The width of a register on the terminal. */
#define REG_COLUMNS 28

void print_thread(const struct printer *printer, pid_t id, const char *name)
{
	char text[COMM_TEXT_SIZE];

	fprintf(printer->out, "%sTID %d%s", printer->style->head, id,
		printer->style->end);
	if (*name)
		fprintf(printer->out, " %s", text_comm(text, name));
}

void print_headline(const struct printer *printer, const struct cp_checkpoint *cp)
{
	char *name = entry_syscall(cp);
	char death[DEATH_SIZE];

	fputs(printer->style->head, printer->out);
	if (cp->flags & CP_CHECKPOINT_ASLEEP)
		fputs("asleep", printer->out);
	else
		fprintf(printer->out, "checkpoint %" PRIu64,
			printer->number ?: (uint64_t)cp->seq);
	fprintf(printer->out,
		"%s  time %" PRIu64 ".%09" PRIu64 "  cpu %u  %s",
		printer->style->end, (uint64_t)(cp->time / NSEC_PER_SEC),
		(uint64_t)(cp->time % NSEC_PER_SEC), cp->cpu, entry_word(cp));
	if (name) {
		fputc(' ', printer->out);
		print_name(printer->out, name);
	}
	if (cp->entry == CP_ENTRY_SYSCALL)
		fprintf(printer->out, " (%d)", cp->syscall);
	if (cp->flags & CP_CHECKPOINT_COMPAT)
		fputs("  32-bit code", printer->out);
	else if (cp->flags & CP_CHECKPOINT_SYSCALL32)
		fputs("  32-bit call", printer->out);
	if (cp->flags & CP_CHECKPOINT_DEATH)
		fprintf(printer->out, "  %s", death_text(cp, death));
	fputc('\n', printer->out);
	free(name);
}

static void print_place(const struct printer *printer, uint64_t rip)
{
	struct symbol symbol;

	if (!symbols_find(printer->symbols, rip, &symbol))
		return;
	fputs("  at ", printer->out);
	symbol_print(printer, &symbol);
	fputc('\n', printer->out);
}

static unsigned int regs_per_line(const struct printer *printer)
{
	unsigned int fit = printer->columns / REG_COLUMNS;

	if (!printer->columns || fit > REGS_PER_LINE)
		return REGS_PER_LINE;
	return fit ? fit : 1;
}

static void print_regs(const struct printer *printer, const struct cp_regs *now,
		       const struct cp_regs *before)
{
	const unsigned int per_line = regs_per_line(printer);
	char flags[EFLAGS_NAMES_SIZE];
	unsigned int i;

	for (i = 0; i < NR_REGS; i++) {
		uint64_t value = reg_value(now, i);
		bool changed = before && reg_value(before, i) != value;

		fprintf(printer->out, "  %-8s%s0x%016" PRIx64 "%s", reg_name(i),
			changed ? printer->style->changed :
				  printer->style->unchanged,
			value, changed ? printer->style->end : "");
		if (i % per_line == per_line - 1 || i == NR_REGS - 1)
			fputc('\n', printer->out);
	}
	eflags_names(now->eflags, flags);
	fprintf(printer->out, "  eflags %s\n", flags);
}

static void print_segment_head(const struct printer *printer,
			       const struct cp_segment *info)
{
	fprintf(printer->out,
		"  stack: %" PRIu64 " bytes saved from 0x%" PRIx64
		", mapping 0x%" PRIx64 "-0x%" PRIx64 "\n",
		(uint64_t)info->size, (uint64_t)info->addr,
		(uint64_t)info->map_start, (uint64_t)info->map_end);
	if (info->flags & CP_SEGF_GONE)
		fputs("  the thread died before its memory could be saved\n",
		      printer->out);
	if (info->flags & CP_SEGF_UNMAPPED)
		fputs("  rsp points to no memory\n", printer->out);
	if (info->flags & CP_SEGF_TRUNCATED)
		fputs("  the far end is cut off: see --stack-limit\n",
		      printer->out);
	if (info->flags & CP_SEGF_NOMEM)
		fputs("  the far end is cut off: out of memory\n",
		      printer->out);
	if (info->flags & CP_SEGF_HOLE)
		fputs("  parts that cannot be read are shown as zeroes\n",
		      printer->out);
}

void print_snapshot(const struct printer *printer, const struct snapshot *now,
		    const struct snapshot *before)
{
	const struct segment *segment;
	unsigned int i;

	print_headline(printer, &now->head);
	print_place(printer, now->head.regs.rip);
	print_regs(printer, &now->head.regs,
		   before->head.seq ? &before->head.regs : NULL);
	for (i = 0; i < now->nr_segments; i++) {
		segment = &now->segments[i];
		if (segment->info.kind != CP_SEGMENT_STACK)
			continue;
		print_segment_head(printer, &segment->info);
		stack_print(printer, now, before, segment);
	}
	if (now->xstate.bytes)
		fprintf(printer->out,
			"  extended registers: %" PRIu64 " bytes saved\n",
			(uint64_t)now->xstate.info.size);
}
