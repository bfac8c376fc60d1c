// SPDX-License-Identifier: GPL-2.0-only
/* cpctl diff: the differences between two checkpoints of a process or a recording. */
#include <inttypes.h>
#include <string.h>

#include "cmdline.h"
#include "cpctl.h"
#include "exit.h"
#include "interrupt.h"
#include "json.h"
#include "members.h"
#include "message.h"
#include "print.h"
#include "recorded.h"
#include "regs.h"
#include "subject.h"
#include "viewer.h"

static const struct usage usage = {
	.has = OPTIONS_COUNT | OPTIONS_LIVE | OPTIONS_THIN | OPTIONS_JSON |
	       OPTIONS_PROCESS | OPTIONS_NAME |
	       OPTIONS_PID,
	.help =
	"Usage: cpctl diff [OPTION]... PID\n"
	"       cpctl diff [OPTION]... FILE A B\n"
	"Print what differs between two checkpoints, the next two of any thread of the\n"
	"running process PID, or A and B of a recording: registers, and words of the\n"
	"stack. The id of a thread stands for its process, unless --thread is given. A\n"
	"and B are numbers as 'cpctl log' prints them; -1 is the last, -2 the one before\n"
	"it.\n"
	"\n"
	"  -n, --count N          of a process: how many checkpoints to compare with\n"
	"                         the one before of the same thread (1)\n"
	OPTIONS_PROCESS_HELP
	OPTIONS_ONLY_HELP
	TARGETS_HELP
	OPTIONS_TAKE_HELP,
};

static const struct subject_usage arguments = {
	.text = "PID, or FILE A B",
	.live = true,
	.least = 2,
	.most = 2,
};

/*
 * struct diff - a comparison of a checkpoint with an earlier one
 * @a: the earlier one
 * @b: the checkpoint
 * @number_a: the number of @a in a recording, or 0
 * @number_b: likewise of @b
 */
struct diff {
	const struct snapshot	*a;
	const struct snapshot	*b;
	uint64_t		number_a;
	uint64_t		number_b;
};

/* Finds the symbol of an address on a stack, which is mostly a return address. */
static bool find_symbol(const struct printer *printer, uint64_t value,
			struct symbol *symbol)
{
	return symbols_find_return(printer->symbols, value, symbol) ||
	       symbols_find(printer->symbols, value, symbol);
}

static void print_value(const struct printer *printer, uint64_t value)
{
	struct symbol symbol;

	fprintf(printer->out, "0x%016" PRIx64, value);
	if (!find_symbol(printer, value, &symbol))
		return;
	fputs(" ", printer->out);
	symbol_print(printer, &symbol);
}

static void print_change(const struct printer *printer, uint64_t old,
			 uint64_t new)
{
	print_value(printer, old);
	fputs(" -> ", printer->out);
	print_value(printer, new);
	fputc('\n', printer->out);
}

static void diff_regs(const struct printer *printer, const struct diff *diff)
{
	unsigned int i;

	for (i = 0; i < NR_REGS; i++) {
		uint64_t old = reg_value(&diff->a->head.regs, i);
		uint64_t new = reg_value(&diff->b->head.regs, i);

		if (old == new)
			continue;
		fprintf(printer->out, "  %-15s", reg_name(i));
		print_change(printer, old, new);
	}
}

/* Reads a word of a stack; returns false if not all its bytes were captured. */
static bool read_word(const struct snapshot *snapshot, uint64_t addr,
		      size_t len, uint64_t *value)
{
	const unsigned char *bytes = snapshot_bytes(snapshot, addr, len);

	*value = 0;
	if (!bytes)
		return false;
	memcpy(value, bytes, len);
	return true;
}

static const struct cp_segment *stack_of(const struct snapshot *snapshot)
{
	unsigned int i;

	for (i = 0; i < snapshot->nr_segments; i++)
		if (snapshot->segments[i].info.kind == CP_SEGMENT_STACK)
			return &snapshot->segments[i].info;
	return NULL;
}

/*
 * struct word - a word of the stack in both checkpoints
 * @addr: its address
 * @had: whether the first checkpoint contains the word
 * @has: whether the second checkpoint contains the word
 * @old: its value in the first checkpoint
 * @new: its value in the second checkpoint
 */
struct word {
	uint64_t	addr;
	bool		had;
	bool		has;
	uint64_t	old;
	uint64_t	new;
};

/* word_fn - called for each word that differs */
typedef void (*word_fn)(void *arg, const struct word *word);

static void compare_words(const struct diff *diff, uint64_t addr, uint64_t end,
			  word_fn report, void *arg)
{
	size_t len = snapshot_word(diff->b);

	for (addr &= ~(uint64_t)(len - 1); addr < end; addr += len) {
		struct word word = { .addr = addr };

		word.had = read_word(diff->a, addr, len, &word.old);
		word.has = read_word(diff->b, addr, len, &word.new);
		if (word.had != word.has || word.old != word.new)
			report(arg, &word);
	}
}

/* Compares the union of both stacks; returns false if the stacks do not overlap. */
static bool diff_stacks(const struct diff *diff, word_fn report, void *arg)
{
	const struct cp_segment *a = stack_of(diff->a);
	const struct cp_segment *b = stack_of(diff->b);
	uint64_t a_end, b_end;

	if (!a || !b)
		return true;
	a_end = a->addr + a->size;
	b_end = b->addr + b->size;
	if (a->addr >= b_end || b->addr >= a_end)
		return false;
	compare_words(diff, a->addr < b->addr ? a->addr : b->addr,
		      a_end > b_end ? a_end : b_end, report, arg);
	return true;
}

static void print_word(void *arg, const struct word *word)
{
	const struct printer *printer = arg;

	fprintf(printer->out, "  0x%012" PRIx64 " ", word->addr);
	if (word->had && word->has) {
		print_change(printer, word->old, word->new);
		return;
	}
	fputs(word->had ? "gone: " : "new: ", printer->out);
	print_value(printer, word->had ? word->old : word->new);
	fputc('\n', printer->out);
}

static void print_diff(struct printer *printer, const struct diff *diff)
{
	printer->number = diff->number_a;
	print_headline(printer, &diff->a->head);
	printer->number = diff->number_b;
	print_headline(printer, &diff->b->head);
	diff_regs(printer, diff);
	if (!diff_stacks(diff, print_word, printer))
		fputs("  they are on different stacks\n", printer->out);
}

static struct json_object *json_keyed(const char *key,
				      struct json_object *what)
{
	struct json_object *object = json_object_new_object();

	json_object_object_add(object, key, what);
	return object;
}

/* Adds the value of @key, "old" or "new"; null if @there is false. */
static void json_value(const struct printer *printer,
		       struct json_object *object, const char *key, bool there,
		       uint64_t value)
{
	char name[16];
	struct symbol symbol;

	json_object_object_add(object, key, there ? json_hex(value) : NULL);
	if (!there || !find_symbol(printer, value, &symbol))
		return;
	snprintf(name, sizeof(name), "%s_symbol", key);
	json_object_object_add(object, name, json_symbol(&symbol));
}

static struct json_object *json_regs(const struct printer *printer,
				     const struct diff *diff)
{
	struct json_object *list = json_object_new_array();
	unsigned int i;

	for (i = 0; i < NR_REGS; i++) {
		uint64_t old = reg_value(&diff->a->head.regs, i);
		uint64_t new = reg_value(&diff->b->head.regs, i);
		struct json_object *object;

		if (old == new)
			continue;
		object = json_keyed("name",
				    json_object_new_string(reg_name(i)));
		json_value(printer, object, "old", true, old);
		json_value(printer, object, "new", true, new);
		json_object_array_add(list, object);
	}
	return list;
}

/* struct json_words - the words that differ, and the printer with their symbols */
struct json_words {
	const struct printer	*printer;
	struct json_object	*list;
};

static void add_word(void *arg, const struct word *word)
{
	struct json_words *words = arg;
	struct json_object *object = json_keyed("addr", json_hex(word->addr));

	json_value(words->printer, object, "old", word->had, word->old);
	json_value(words->printer, object, "new", word->has, word->new);
	json_object_array_add(words->list, object);
}

static void json_diff(const struct printer *printer, const struct diff *diff)
{
	struct json_words words = { printer, json_object_new_array() };
	struct json_object *object = json_object_new_object();
	bool same_stack = diff_stacks(diff, add_word, &words);

	member_string(object, "type", "diff");
	member_number(object, "a", diff->number_a ?: diff->a->head.seq);
	member_number(object, "b", diff->number_b ?: diff->b->head.seq);
	if (diff->b->head.thread)
		member_int(object, "thread", diff->b->head.thread);
	json_object_object_add(object, "registers", json_regs(printer, diff));
	member_bool(object, "same_stack", same_stack);
	json_object_object_add(object, "stack", words.list);
	json_line(printer->out, object);
}

static void show_diff(struct viewer *viewer, const struct diff *diff)
{
	if (viewer->options->json) {
		json_diff(&viewer->printer, diff);
		return;
	}
	viewer_print_thread(viewer);
	print_diff(&viewer->printer, diff);
}

/* Compares each checkpoint with the one before. */
static int diff_process(const struct subject *subject, struct options *options)
{
	struct viewer viewer;
	struct diff diff = {};
	uint64_t left;

	if (!options->stream.count)
		options->stream.count = 1;
	left = options->stream.count;
	viewer_open(&viewer, subject_open(subject, options), options);
	while (left && viewer_next(&viewer)) {
		diff.a = viewer.stream->before;
		diff.b = viewer.stream->now;
		if (!diff.a->head.seq)
			continue;
		show_diff(&viewer, &diff);
		left--;
	}
	return viewer_close(&viewer);
}

static struct stream *open_at(const struct subject *subject, int i,
			      const struct options *options)
{
	return recorded_open(subject->file, subject->number[i],
			     &options->stream);
}

/*
 * Copies the checkpoint of the first number. Returns an exit status, which is not
 * EXIT_OK if the recording is damaged, even if the checkpoint was copied.
 */
static int copy_first(const struct subject *subject,
		      const struct options *options, struct snapshot *copy,
		      uint64_t *number, bool *copied)
{
	struct stream *stream = open_at(subject, 0, options);

	if (!stream)
		return EXIT_REFUSED;
	*copied = stream_next(stream) && !snapshot_copy(copy, stream->now);
	*number = stream->number;
	if (*copied)
		return stream_close(stream, EXIT_OK);
	warn("cannot compare");
	return stream_close(stream, EXIT_REFUSED);
}

static int diff_recorded(const struct subject *subject, struct options *options)
{
	struct snapshot a = {};
	struct diff diff = { .a = &a };
	struct viewer viewer;
	bool copied = false;
	int status, second;

	interrupt_catch(NULL);
	options->stream.count = 1;
	status = copy_first(subject, options, &a, &diff.number_a, &copied);
	if (!copied || interrupted())
		return status;
	viewer_open(&viewer, open_at(subject, 1, options), options);
	while (viewer_next(&viewer)) {
		diff.b = viewer.stream->now;
		diff.number_b = viewer.stream->number;
		show_diff(&viewer, &diff);
	}
	second = viewer_close(&viewer);
	snapshot_free(&a);
	return status == EXIT_OK ? second : status;
}

int verb_diff(int argc, char **argv)
{
	struct options options = {
		.stream.compare = true,
		.stream.process = true,
		.stream.differences = true,
		.stream.nudge = true,
		.stream.timeout_ns = -1,
	};
	struct subject subject = {};
	int status = subject_parse(argc, argv, &usage, &arguments, &options,
				   &subject);

	if (status >= 0)
		return status;
	if (subject.file && options.stream.count)
		return usage_error(argv[0], "--count is for a process, and %s is a recording",
				   subject.file);
	return subject.file ? diff_recorded(&subject, &options) :
			      diff_process(&subject, &options);
}
