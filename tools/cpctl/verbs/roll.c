// SPDX-License-Identifier: GPL-2.0-only
/* A view of cpctl watch: a line for each thread of one or more processes. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "clock.h"
#include "entry.h"
#include "facts.h"
#include "printer.h"
#include "roll.h"
#include "screen.h"
#include "table.h"
#include "text.h"

/* The lines of a picture besides the threads: two at the top, the header, and the rest. */
#define OTHER_LINES 4

/* The CPU time of the thread in the last picture; that of now if it was not there. */
static uint64_t ticks_before(const struct roll *before,
			     const struct thread_facts *facts)
{
	size_t i;

	for (i = 0; i < before->nr; i++) {
		const struct thread_facts *then = &before->rows[i].facts;

		if (then->id == facts->id && then->cpu_ticks <= facts->cpu_ticks)
			return then->cpu_ticks;
	}
	return facts->cpu_ticks;
}

static const struct cp_checkpoint *checkpoint_of(const struct member *member,
						 pid_t thread)
{
	const struct instant *instant = &member->instant;
	unsigned int i;

	for (i = 0; i < instant->nr; i++) {
		if (instant->threads[i].snapshot.head.thread == thread)
			return &instant->threads[i].snapshot.head;
	}
	return NULL;
}

static void add_row(struct roll *roll, const struct roll *before,
		    const struct member *member, pid_t thread)
{
	double seconds = (double)(roll->read_ns - before->read_ns) / NSEC_PER_SEC;
	struct thread_facts facts;
	struct row *more;
	uint64_t ticks;

	if (!thread_facts(thread, &facts))
		return;
	more = reallocarray(roll->rows, roll->nr + 1, sizeof(*more));
	if (!more)
		return;
	ticks = facts.cpu_ticks - ticks_before(before, &facts);
	roll->rows = more;
	more[roll->nr++] = (struct row){
		.member = member,
		.facts = facts,
		.cpu = 100 * (double)ticks / (double)sysconf(_SC_CLK_TCK) /
		       seconds,
		.cp = checkpoint_of(member, thread),
	};
}

static void add_rows(struct roll *roll, const struct roll *before,
		     const struct member *member)
{
	struct pids ids = {};
	size_t i;

	threads_of(member->pid, &ids);
	for (i = 0; i < ids.nr; i++)
		add_row(roll, before, member, ids.ids[i]);
	pids_free(&ids);
}

/* Sorts the busiest threads first, the others by process, the main thread first. */
static int by_cpu(const void *a, const void *b)
{
	const struct row *left = a, *right = b;
	pid_t l = left->facts.id, r = right->facts.id;

	if (left->cpu < right->cpu || left->cpu > right->cpu)
		return left->cpu < right->cpu ? 1 : -1;
	if (left->member != right->member)
		return left->member->pid < right->member->pid ? -1 : 1;
	if (l == left->member->pid || r == left->member->pid)
		return (r == left->member->pid) - (l == left->member->pid);
	return (l > r) - (l < r);
}

/* The process may run another program now. */
static void refresh(struct member *member)
{
	if (!surroundings_alive(&member->around)) {
		surroundings_close(&member->around);
		surroundings_open(&member->around,
				  task_of_process(member->pid));
	}
	surroundings_refresh(&member->around);
	symbols_refresh(member->symbols);
}

void roll_read(struct roll *roll, struct crowd *crowd)
{
	const struct roll before = *roll;
	size_t i;

	*roll = (struct roll){ .read_ns = clock_ns() };
	for (i = 0; i < crowd->nr; i++) {
		if (crowd->members[i]->over)
			continue;
		refresh(crowd->members[i]);
		add_rows(roll, &before, crowd->members[i]);
	}
	if (roll->nr)
		qsort(roll->rows, roll->nr, sizeof(*roll->rows), by_cpu);
	free(before.rows);
}

static const struct table_column columns[] = {
	{ .name = "PID", .width = 7, .rank = 2 },
	{ .name = "TID", .width = 7 },
	{ .name = "NAME", .width = 15, .left = true },
	{ .name = "S", .width = 1, .rank = 3 },
	{ .name = "CPU%", .width = 5, .rank = 1 },
	{ .name = "FROM", .width = 15, .left = true, .rank = 4 },
	{ .name = "AT", .left = true },
};

/* Prints where the thread continues. */
static void add_place(struct table *table, const struct row *row)
{
	static const struct style plain = { "", "", "", "", "" };
	char *text = NULL;
	size_t size = 0;
	struct printer printer = {
		.out = open_memstream(&text, &size),
		.style = &plain,
		.symbols = row->member->symbols,
	};
	struct symbol symbol;

	if (printer.out && row->cp) {
		if (symbols_find(printer.symbols, row->cp->regs.rip, &symbol))
			symbol_print(&printer, &symbol);
		else
			fprintf(printer.out, "0x%" PRIx64,
				(uint64_t)row->cp->regs.rip);
	}
	if (printer.out)
		fclose(printer.out);
	table_add(table, "%s", text && *text ? text : "-");
	free(text);
}

static void add_cells(struct table *table, const struct row *row)
{
	char *name = row->cp ? entry_syscall(row->cp) : NULL;
	char comm[COMM_TEXT_SIZE];

	table_add(table, "%d", row->member->pid);
	table_add(table, "%d", row->facts.id);
	table_add(table, "%s", text_comm(comm, row->facts.name));
	table_add(table, "%c", row->facts.state);
	table_add(table, "%.1f", row->cpu);
	table_add(table, "%s", name ? name : row->cp ? entry_word(row->cp) : "-");
	add_place(table, row);
	free(name);
}

/* Prints as many rows as fit. */
static void print_rows(const struct roll *roll, FILE *out)
{
	struct table table = {
		.columns = columns,
		.nr_columns = sizeof(columns) / sizeof(columns[0]),
	};
	unsigned int lines = screen_rows();
	size_t room = lines > OTHER_LINES ? lines - OTHER_LINES : 1;
	size_t nr = roll->nr, i;

	if (nr > room + 1)
		nr = room;
	for (i = 0; i < nr; i++)
		add_cells(&table, &roll->rows[i]);
	table_print(&table, out, screen_columns(), style_of(stdout));
	table_free(&table);
	if (nr < roll->nr)
		fprintf(out, "%zu more threads do not fit\n",
			roll->nr - nr);
}

static void print_title(const struct roll *roll, const struct crowd *crowd,
			FILE *out)
{
	const struct member *shown = NULL;
	char name[COMM_TEXT_SIZE];
	struct task_facts facts;
	double cpu = 0;
	size_t nr = 0, i;

	for (i = 0; i < crowd->nr; i++) {
		if (crowd->members[i]->over)
			continue;
		shown = crowd->members[i];
		nr++;
	}
	for (i = 0; i < roll->nr; i++)
		cpu += roll->rows[i].cpu;
	if (nr == 1 && task_facts(shown->pid, &facts))
		fprintf(out, "process %d (%s)", facts.process,
			text_comm(name, facts.name));
	else
		fprintf(out, "processes: %zu", nr);
	fprintf(out, ", threads: %zu, cpu %.0f%%, checkpoints taken: %" PRIu64 "\n",
		roll->nr, cpu, crowd->taken);
}

/* Prints why some threads are shown without a place. */
static void print_note(const struct roll *roll, const struct crowd *crowd,
		       FILE *out)
{
	size_t missing = 0, i;

	for (i = 0; i < crowd->nr; i++) {
		if (!crowd->members[i]->busy)
			continue;
		fprintf(out, "process %d is paired with another master at the moment\n",
			crowd->members[i]->pid);
		return;
	}
	for (i = 0; i < roll->nr; i++)
		missing += !roll->rows[i].cp;
	if (missing)
		fprintf(out, "%zu of the threads have not returned to user mode\n",
			missing);
	else
		fputc('\n', out);
}

void roll_draw(const struct roll *roll, const struct crowd *crowd)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return;
	print_title(roll, crowd, out);
	print_note(roll, crowd, out);
	print_rows(roll, out);
	fclose(out);
	if (text)
		screen_draw(text);
	free(text);
}

void roll_free(struct roll *roll)
{
	free(roll->rows);
	roll->rows = NULL;
	roll->nr = 0;
}
