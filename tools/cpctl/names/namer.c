// SPDX-License-Identifier: GPL-2.0-only
/* cpctl's side of the namer, the process that finds names of addresses. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "confine.h"
#include "debuginfod.h"
#include "interrupt.h"
#include "mapping.h"
#include "message.h"
#include "namer.h"
#include "nameserver.h"

/* Longer than the namer's limit of CPU time: it may wait for a slow file system. */
#define TIMEOUT_MS 60000

/* The maximum number of bytes of memory in an answer. */
#define READ_MAX 65536

int namer_open(struct namer *namer, struct surroundings *around,
	       enum reading reading)
{
	memset(namer, 0, sizeof(*namer));
	namer->around = around;
	namer->terms.reading = reading;
	namer->socket = -1;
	namer->terms.blame = mmap(NULL, sizeof(*namer->terms.blame),
				  PROT_READ | PROT_WRITE,
				  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (namer->terms.blame != MAP_FAILED)
		return 0;
	namer->terms.blame = NULL;
	errno = ENOMEM;
	return -1;
}

void namer_refresh(struct namer *namer)
{
	namer->current = false;
	namer->generation++;
}

static void stop(struct namer *namer)
{
	if (namer->socket < 0)
		return;
	close(namer->socket);
	namer->socket = -1;
	namer->current = false;
	kill(namer->pid, SIGKILL);
	while (waitpid(namer->pid, NULL, 0) < 0 && errno == EINTR)
		;
}

void namer_close(struct namer *namer)
{
	stop(namer);
	if (namer->terms.blame)
		munmap((void *)namer->terms.blame,
		       sizeof(*namer->terms.blame));
	namer->terms.blame = NULL;
}

static bool start(struct namer *namer)
{
	struct confinement confinement = {
		.root = namer->around->root,
		.uid = namer->around->uid,
		.gid = namer->around->gid,
		.parent = getpid(),
	};
	int sockets[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets))
		return false;
	*namer->terms.blame = 0;
	namer->pid = fork();
	if (!namer->pid) {
		confinement.socket = sockets[1];
		if (confine(&confinement))
			nameserver(&namer->terms);
		_exit(0);
	}
	close(sockets[1]);
	if (namer->pid < 0) {
		close(sockets[0]);
		return false;
	}
	namer->socket = sockets[0];
	return true;
}

/* Reads up to @size bytes, at least a word of 64 or 32 bits. Returns 0 for none. */
static size_t read_memory(const struct memory *memory, uint64_t addr, char *to,
			  size_t size)
{
	const unsigned char *held;
	size_t part = size;

	held = snapshot_run(memory->snapshot, addr, &part);
	if (held && part >= sizeof(uint64_t)) {
		memcpy(to, held, part);
		return part;
	}
	part = PAGE_BYTES - addr % PAGE_BYTES;
	if (part > size)
		part = size;
	for (; part > sizeof(uint64_t); part = sizeof(uint64_t)) {
		if (memory_read(memory, addr, to, part))
			return part;
	}
	for (part = sizeof(uint64_t); part >= sizeof(uint32_t); part /= 2) {
		if (part <= size && memory_read(memory, addr, to, part))
			return part;
	}
	return 0;
}

static bool answer_read(struct namer *namer, const struct memory *memory,
			const struct wire_message *question)
{
	struct wire_message answer = { .type = WIRE_DONE, .fd = -1 };
	uint64_t size = question->more < READ_MAX ? question->more : READ_MAX;
	bool sent;

	answer.text = malloc(READ_MAX);
	if (answer.text)
		answer.size = (uint32_t)read_memory(memory, question->value,
						    answer.text, size);
	sent = wire_send(namer->socket, &answer);
	free(answer.text);
	return sent;
}

/* Sends a descriptor and closes it. */
static bool answer_file(struct namer *namer, int fd)
{
	struct wire_message answer = { .type = WIRE_DONE, .fd = fd };
	bool sent = wire_send(namer->socket, &answer);

	wire_free(&answer);
	return sent;
}

/* Warns for a recording only: for a living process, a deleted file is normal. */
static bool answer_stranger(struct namer *namer,
			    const struct wire_message *question)
{
	if (!namer->around->pid)
		warnx("%s is not the file that was mapped: no names from it",
		      question->text);
	return answer_file(namer, -1);
}

static bool answer(struct namer *namer, const struct memory *memory,
		   const struct wire_message *question)
{
	switch (question->type) {
	case WIRE_READ:
		return answer_read(namer, memory, question);
	case WIRE_MAPPED:
		return answer_file(namer, surroundings_mapped(namer->around,
							      question->value));
	case WIRE_FETCH:
		return answer_file(namer, debuginfod_find(question->text,
							  question->size));
	case WIRE_STRANGER:
		return answer_stranger(namer, question);
	default:
		return false;
	}
}

/* The path of the file in *@terms.blame, to be freed by the caller; or NULL. */
static char *name_of(const struct namer *namer)
{
	const char *text = namer->around->maps;
	struct mapping mapping;

	while (mapping_next(&text, &mapping)) {
		if (mapping.start == *namer->terms.blame && mapping.path_len)
			return mapping_path(mapping.path, mapping.path_len);
	}
	return NULL;
}

static void give_up(struct namer *namer)
{
	char *name;

	if (interrupted()) {
		stop(namer);
		namer->gone = true;
		return;
	}
	name = name_of(namer);
	stop(namer);
	namer->gone = !terms_shun(&namer->terms);
	/*
	 * No message for the walker of struct unwinder, which reads symbols only: the
	 * other namer will fail at the same file.
	 */
	if (namer->terms.reading == READ_ALL)
		warnx("%s cannot be read, or takes too much time or memory: names are missing",
		      name ? name : "a file with symbols");
	free(name);
}

/* Sends a request, and answers the namer's questions until the request is done. */
static bool converse(struct namer *namer, const struct wire_message *request,
		     const struct memory *memory, namer_part_fn part, void *arg,
		     struct wire_message *done)
{
	bool served = wire_send(namer->socket, request);

	while (served && wire_receive(namer->socket, done, TIMEOUT_MS)) {
		if (done->type == WIRE_DONE)
			return true;
		if (done->type >= WIRE_FOUND && part)
			part(arg, done);
		else
			served = answer(namer, memory, done);
		wire_free(done);
	}
	give_up(namer);
	return false;
}

/* Sends the current mappings to the namer. */
static bool introduce(struct namer *namer, const struct memory *memory)
{
	const struct wire_message request = {
		.type = WIRE_MAPS,
		.text = namer->around->maps,
		.size = (uint32_t)strlen(namer->around->maps),
		.fd = -1,
	};
	struct wire_message done;

	if (!converse(namer, &request, memory, NULL, NULL, &done))
		return false;
	wire_free(&done);
	namer->current = true;
	return true;
}

bool namer_ask(struct namer *namer, const struct wire_message *request,
	       const struct memory *memory, namer_part_fn part, void *arg,
	       struct wire_message *done)
{
	const struct snapshot nothing = {};
	const struct memory around = { &nothing, namer->around };

	if (!memory)
		memory = &around;
	if (namer->gone || !namer->around->maps)
		return false;
	if (namer->socket < 0 && !start(namer)) {
		namer->gone = true;
		return false;
	}
	if (!namer->current && !introduce(namer, memory))
		return false;
	return converse(namer, request, memory, part, arg, done);
}
