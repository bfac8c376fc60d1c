// SPDX-License-Identifier: GPL-2.0-only
/* Checkpoints as JSON, for programs to read: one object per line. */
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "entry.h"
#include "json.h"
#include "members.h"
#include "regs.h"
#include "stack.h"
#include "text.h"
#include "words.h"

/* The replacement character, printed for a byte that is not valid UTF-8. */
#define NO_CHARACTER 0xfffd

struct json_object *json_hex(uint64_t value)
{
	char text[32];

	snprintf(text, sizeof(text), "0x%" PRIx64, value);
	return json_object_new_string(text);
}

/* Prints a character as an escape, or as two (surrogates) if it exceeds 16 bits. */
static void print_escape(FILE *out, uint32_t code)
{
	if (code > 0xffff) {
		code -= 0x10000;
		fprintf(out, "\\u%04" PRIx32, 0xd800 + (code >> 10));
		code = 0xdc00 + (code & 0x3ff);
	}
	fprintf(out, "\\u%04" PRIx32, code);
}

/*
 * Prints the output of json-c, which does not check the bytes of strings. All bytes
 * outside of strings are plain, so any other byte is in a string, where an escape is
 * valid.
 */
static void print_text(FILE *out, const char *text)
{
	uint32_t code;
	size_t len;

	while (*text) {
		len = text_plain(text);
		fwrite(text, 1, len, out);
		text += len;
		if (!*text)
			return;
		len = text_char(text, &code);
		print_escape(out, len ? code : NO_CHARACTER);
		text += len ? len : 1;
	}
}

/* The process of all objects; all zero if there is only one. */
static struct {
	pid_t		id;
	const char	*name;
} of_process;

void json_of_process(pid_t process, const char *name)
{
	of_process.id = process;
	of_process.name = name;
}

void json_line(FILE *out, struct json_object *object)
{
	if (of_process.id) {
		member_int(object, "process", of_process.id);
		member_string(object, "process_name", of_process.name);
	}
	print_text(out, json_object_to_json_string_ext(object,
						       JSON_C_TO_STRING_PLAIN |
						       JSON_C_TO_STRING_NOSLASHESCAPE));
	fputc('\n', out);
	json_object_put(object);
}

static struct json_object *bytes_object(const unsigned char *bytes, uint64_t size)
{
	static const char digits[] = "0123456789abcdef";
	struct json_object *object;
	uint64_t i;
	char *text;

	/* json-c uses int for sizes; too many bytes are printed as null. */
	if (size > INT_MAX / 2)
		return NULL;
	text = malloc(size * 2 + 1);
	if (!text)
		return NULL;
	for (i = 0; i < size; i++) {
		text[i * 2] = digits[bytes[i] >> 4];
		text[i * 2 + 1] = digits[bytes[i] & 15];
	}
	object = json_object_new_string_len(text, (int)(size * 2));
	free(text);
	return object;
}

struct json_object *json_symbol(const struct symbol *symbol)
{
	struct json_object *object = json_object_new_object();

	if (symbol->name)
		member_string(object, "name", symbol->name);
	json_object_object_add(object, "offset", json_hex(symbol->offset));
	member_string(object, "module", symbol->module);
	return object;
}

static struct json_object *returns_array(const struct printer *printer,
					 const struct snapshot *snapshot,
					 uint64_t start, uint64_t size)
{
	struct json_object *array = json_object_new_array();
	size_t word = snapshot_word(snapshot);
	struct symbol symbol;
	uint64_t at;

	for (at = start; size >= word; at += word, size -= word) {
		struct json_object *object;
		uint64_t value = 0;

		memcpy(&value, snapshot_bytes(snapshot, at, word), word);
		if (!symbols_find_return(printer->symbols, value, &symbol))
			continue;
		object = json_object_new_object();
		json_object_object_add(object, "at", json_hex(at));
		json_object_object_add(object, "to", json_hex(value));
		json_object_object_add(object, "symbol",
				       json_symbol(&symbol));
		json_object_array_add(array, object);
	}
	return array;
}

static struct json_object *segment_object(const struct printer *printer,
					  const struct snapshot *snapshot,
					  const struct segment *segment)
{
	const struct cp_segment *info = &segment->info;
	struct json_object *object = json_object_new_object();
	uint64_t start, size;

	size = stack_range(snapshot, segment, &printer->view, &start);
	member_string(object, "kind", "stack");
	json_object_object_add(object, "addr", json_hex(info->addr));
	member_number(object, "size", info->size);
	json_object_object_add(object, "map_start", json_hex(info->map_start));
	json_object_object_add(object, "map_end", json_hex(info->map_end));
	member_bool(object, "truncated", info->flags & CP_SEGF_TRUNCATED);
	member_bool(object, "hole", info->flags & CP_SEGF_HOLE);
	member_bool(object, "nomem", info->flags & CP_SEGF_NOMEM);
	member_bool(object, "unmapped", info->flags & CP_SEGF_UNMAPPED);
	member_bool(object, "gone", info->flags & CP_SEGF_GONE);
	json_object_object_add(object, "data_addr", json_hex(start));
	json_object_object_add(object, "data",
			       bytes_object(segment->bytes +
					    (start - info->addr), size));
	json_object_object_add(object, "returns",
			       returns_array(printer, snapshot, start, size));
	return object;
}

static struct json_object *regs_object(const struct cp_regs *regs)
{
	struct json_object *object = json_object_new_object();
	unsigned int i;

	for (i = 0; i < NR_REGS; i++)
		json_object_object_add(object, reg_name(i),
				       json_hex(reg_value(regs, i)));
	return object;
}

static void add_entry(struct json_object *object, const struct cp_checkpoint *cp)
{
	char *name = entry_syscall(cp);

	member_string(object, "entry", entry_word(cp));
	if (cp->entry == CP_ENTRY_SYSCALL)
		member_int(object, "syscall", cp->syscall);
	if (name)
		member_string(object, "syscall_name", name);
	free(name);
}

static struct json_object *death_object(const struct cp_checkpoint *cp)
{
	struct json_object *object = json_object_new_object();

	member_int(object, "signal", cp->signal);
	member_int(object, "code", cp->signal_code);
	if (cp->signal_code != SI_KERNEL)
		json_object_object_add(object, "address",
				       json_hex(cp->signal_addr));
	member_bool(object, "elsewhere", cp->flags & CP_CHECKPOINT_DEATH_ELSEWHERE);
	if (cp->signal_thread)
		member_int(object, "thread", cp->signal_thread);
	return object;
}

struct json_object *json_head(const char *type, uint64_t number,
			      const struct cp_checkpoint *cp)
{
	struct json_object *object = json_object_new_object();

	member_string(object, "type", type);
	if (number)
		member_number(object, "number", number);
	member_number(object, "seq", cp->seq);
	member_number(object, "time_ns", cp->time);
	member_number(object, "cpu", cp->cpu);
	if (cp->thread)
		member_int(object, "thread", cp->thread);
	add_entry(object, cp);
	member_bool(object, "compat", cp->flags & CP_CHECKPOINT_COMPAT);
	if (cp->flags & CP_CHECKPOINT_ASLEEP)
		member_bool(object, "asleep", true);
	if (cp->flags & CP_CHECKPOINT_DEATH)
		json_object_object_add(object, "death", death_object(cp));
	return object;
}

void json_snapshot(const struct printer *printer,
		   const struct snapshot *snapshot)
{
	const struct cp_checkpoint *cp = &snapshot->head;
	struct json_object *object = json_head("checkpoint", printer->number, cp);
	struct json_object *segments = json_object_new_array();
	struct symbol symbol;
	unsigned int i;

	json_object_object_add(object, "regs", regs_object(&cp->regs));
	if (symbols_find(printer->symbols, cp->regs.rip, &symbol))
		json_object_object_add(object, "symbol",
				       json_symbol(&symbol));
	for (i = 0; i < snapshot->nr_segments; i++) {
		if (snapshot->segments[i].info.kind == CP_SEGMENT_STACK)
			json_object_array_add(segments,
					      segment_object(printer, snapshot,
							     &snapshot->segments[i]));
	}
	json_object_object_add(object, "segments", segments);
	if (snapshot->xstate.bytes)
		json_object_object_add(object, "xstate",
				       bytes_object(snapshot->xstate.bytes,
						    snapshot->xstate.info.size));
	json_line(printer->out, object);
}

void json_end(FILE *out, unsigned int reason, int status)
{
	struct json_object *object = json_object_new_object();

	member_string(object, "type", "end");
	words_end(object, reason, status);
	json_line(out, object);
}

void json_thread_end(FILE *out, const struct thread_end *end)
{
	struct json_object *object = json_object_new_object();

	member_string(object, "type", "thread_end");
	member_int(object, "thread", end->thread);
	if (*end->name)
		member_string(object, "thread_name", end->name);
	if (end->known)
		words_end(object, CP_END_EXITED, end->status);
	json_line(out, object);
}
