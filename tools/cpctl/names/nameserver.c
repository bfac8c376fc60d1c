// SPDX-License-Identifier: GPL-2.0-only
/* The namer: a process that reads ELF files and debug information for cpctl. */
#include <elfutils/libdw.h>
#include <libelf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "confine.h"
#include "lookup.h"
#include "modules.h"
#include "nameserver.h"
#include "plainname.h"
#include "source.h"
#include "walk.h"
#include "wire.h"

/* A limit of CPU time. The largest debug information takes a few seconds. */
#define SECONDS_PER_REQUEST 20

static void answer(const struct wire_message *message)
{
	if (!wire_send(CONFINE_SOCKET, message))
		_exit(0);
}

/* Sends a message with two texts, either of which may be NULL. */
static void answer_texts(enum wire_type type, uint64_t value, const char *first,
			 const char *second)
{
	size_t first_size = first ? strlen(first) + 1 : 1;
	size_t size = first_size + (second ? strlen(second) + 1 : 1);
	struct wire_message message = {
		.type = type,
		.value = value,
		.size = (uint32_t)size,
		.text = calloc(size, 1),
		.fd = -1,
	};

	if (!message.text)
		abort();
	if (first)
		memcpy(message.text, first, first_size);
	if (second)
		memcpy(message.text + first_size, second, size - first_size);
	answer(&message);
	free(message.text);
}

static void done_with(uint64_t value, uint64_t more, const char *text)
{
	const struct wire_message message = {
		.type = WIRE_DONE,
		.value = value,
		.more = more,
		.text = (char *)text,
		.size = (uint32_t)strlen(text),
		.fd = -1,
	};

	answer(&message);
}

static void done(void)
{
	done_with(0, 0, "");
}

static void serve_symbol(const struct modules *modules, uint64_t addr)
{
	struct found_symbol found;

	if (lookup_symbol(modules, addr, &found))
		answer_texts(WIRE_FOUND, found.offset, found.file, found.name);
	free(found.name);
	done();
}

static void serve_return(const struct modules *modules, uint64_t addr)
{
	if (lookup_follows_call(modules, addr)) {
		/*
		 * A call that never returns may be the last instruction of its
		 * function: the return address is then in the next function.
		 */
		serve_symbol(modules, addr - 1);
		return;
	}
	done();
}

static void serve_places(const struct modules *modules, uint64_t addr)
{
	Dwfl_Module *module = modules_at(modules, addr);
	struct place places[PLACES_MAX];
	unsigned int nr = 0, i;
	char *name;

	if (module && modules_reading(module) == READ_ALL)
		nr = source_places(modules_units(module), module, addr, places,
				   PLACES_MAX);
	for (i = 0; i < nr; i++) {
		name = places[i].function ? plainname(places[i].function) : NULL;
		answer_texts(WIRE_PLACE, (uint64_t)places[i].line, name,
			     places[i].file);
		free(name);
	}
	done();
}

static void on_frame(uint64_t pc, uint64_t addr)
{
	const struct wire_message message = {
		.type = WIRE_FRAME,
		.value = pc,
		.more = addr,
		.fd = -1,
	};

	answer(&message);
}

static void serve_walk(const struct modules *modules,
		       const struct wire_message *request)
{
	char why[WALK_WHY_SIZE] = "";
	uint64_t missing = 0;
	struct start start;
	bool complete;

	if (request->size != sizeof(start))
		abort();
	memcpy(&start, request->text, sizeof(start));
	complete = walk(modules, &start, on_frame, &missing, why);
	done_with(complete, missing, why);
}

static void serve(struct modules *modules, struct wire_message *request)
{
	switch (request->type) {
	case WIRE_MAPS:
		modules_report(modules, request->text);
		request->text = NULL;
		done();
		break;
	case WIRE_SYMBOL:
		serve_symbol(modules, request->value);
		break;
	case WIRE_RETURN:
		serve_return(modules, request->value);
		break;
	case WIRE_PLACES:
		serve_places(modules, request->value);
		break;
	case WIRE_LOCATE:
		done_with(lookup_address(modules, request->text), 0, "");
		break;
	case WIRE_WALK:
		serve_walk(modules, request);
		break;
	default:
		abort();
	}
}

noreturn void nameserver(const struct terms *terms)
{
	struct wire_message request;
	struct modules modules;

	elf_version(EV_CURRENT);
	if (!modules_open(&modules, terms))
		_exit(0);
	while (wire_receive(CONFINE_SOCKET, &request, -1)) {
		*terms->blame = 0;
		confine_deadline(SECONDS_PER_REQUEST);
		serve(&modules, &request);
		confine_deadline(0);
		wire_free(&request);
	}
	_exit(0);
}
