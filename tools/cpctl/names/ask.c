// SPDX-License-Identifier: GPL-2.0-only
/* Questions of the namer to cpctl, for data that the namer may not access itself. */
#include <string.h>
#include <unistd.h>

#include "ask.h"
#include "confine.h"
#include "wire.h"

/* Receives @answer, to be freed by the caller; exits if cpctl is gone. */
static void ask(const struct wire_message *question,
		struct wire_message *answer)
{
	if (!wire_send(CONFINE_SOCKET, question) ||
	    !wire_receive(CONFINE_SOCKET, answer, -1))
		_exit(0);
}

size_t ask_memory(uint64_t addr, void *to, size_t size)
{
	const struct wire_message question = {
		.type = WIRE_READ,
		.value = addr,
		.more = size,
		.fd = -1,
	};
	struct wire_message answer;

	ask(&question, &answer);
	if (size > answer.size)
		size = answer.size;
	memcpy(to, answer.text, size);
	wire_free(&answer);
	return size;
}

bool ask_all_memory(uint64_t addr, void *to, size_t size)
{
	char *next = to;

	while (size) {
		size_t got = ask_memory(addr, next, size);

		if (!got)
			return false;
		addr += got;
		next += got;
		size -= got;
	}
	return true;
}

/* Asks for a file. Returns its descriptor, or -1. */
static int ask_file(const struct wire_message *question)
{
	struct wire_message answer;
	int fd;

	ask(question, &answer);
	fd = answer.fd;
	answer.fd = -1;
	wire_free(&answer);
	return fd;
}

int ask_mapped(uint64_t start)
{
	const struct wire_message question = {
		.type = WIRE_MAPPED,
		.value = start,
		.fd = -1,
	};

	return ask_file(&question);
}

int ask_debuginfod(const void *id, size_t size)
{
	const struct wire_message question = {
		.type = WIRE_FETCH,
		.text = (char *)id,
		.size = (uint32_t)size,
		.fd = -1,
	};

	return ask_file(&question);
}

void ask_to_warn(const char *path)
{
	const struct wire_message question = {
		.type = WIRE_STRANGER,
		.text = (char *)path,
		.size = (uint32_t)strlen(path),
		.fd = -1,
	};
	struct wire_message answer;

	ask(&question, &answer);
	wire_free(&answer);
}
