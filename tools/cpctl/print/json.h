/* SPDX-License-Identifier: GPL-2.0-only */
/* Checkpoints as JSON, for programs to read: one object per line. */
#ifndef JSON_H
#define JSON_H

#include <json-c/json.h>

#include "instant.h"
#include "printer.h"

/*
 * json_of_process() - from now on, each object is of this process of several
 * @process: its id, which json_line() adds as member "process"
 * @name: its name, likewise as "process_name"; the caller keeps it
 */
void json_of_process(pid_t process, const char *name);

/* json_hex() - a register or an address, as a string "0x..." */
struct json_object *json_hex(uint64_t value);

/* json_symbol() - a symbol, as an object */
struct json_object *json_symbol(const struct symbol *symbol);

/*
 * json_head() - begin the object of a checkpoint
 * @type: the value of its member "type"
 * @number: its number in a recording, or 0
 */
struct json_object *json_head(const char *type, uint64_t number,
			      const struct cp_checkpoint *cp);

/*
 * json_line() - print @object and a newline, and free @object
 *
 * The output is UTF-8: invalid bytes become \ufffd. Characters that text_is_plain()
 * does not allow are written as escapes.
 */
void json_line(FILE *out, struct json_object *object);

/* json_snapshot() - print a checkpoint; the style of @printer is not used */
void json_snapshot(const struct printer *printer,
		   const struct snapshot *snapshot);

/*
 * json_end() - print why a pair has ended
 * @reason: CP_END_*
 * @status: the status of waitpid(2), for CP_END_EXITED
 */
void json_end(FILE *out, unsigned int reason, int status);

/* json_thread_end() - print that a thread has ended */
void json_thread_end(FILE *out, const struct thread_end *end);

#endif /* JSON_H */
