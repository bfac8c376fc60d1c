/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Messages between cpctl and its namer, the process that reads ELF files and
 * debug information (nameserver.h).
 */
#ifndef WIRE_H
#define WIRE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * enum wire_type - what a message is
 *
 * A request is answered by any number of parts and a WIRE_DONE. Before that, the
 * namer may ask questions, each of which is answered by a WIRE_DONE.
 */
enum wire_type {
	/* Requests */
	WIRE_MAPS,	/* text: /proc/PID/maps from now on */
	WIRE_SYMBOL,	/* value: an address; a WIRE_FOUND if it is in a file */
	WIRE_RETURN,	/* the same if it follows a call instruction */
	WIRE_PLACES,	/* value: an address; a WIRE_PLACE for each */
	WIRE_LOCATE,	/* text: a symbol; done with its address as value */
	WIRE_WALK,	/* text: struct start; a WIRE_FRAME for each call. Done
			 * with 1 if complete, else more: the missing address
			 */

	/* Questions */
	WIRE_READ,	/* value: an address, more: a size; done with the bytes */
	WIRE_MAPPED,	/* value: a mapping; done with its file */
	WIRE_FETCH,	/* text: a build id; done with its debug file */
	WIRE_STRANGER,	/* text: a file that is not the one that was mapped */

	/* Parts of answers */
	WIRE_FOUND,	/* value: the offset, text: module, name */
	WIRE_PLACE,	/* value: the line, text: function, file */
	WIRE_FRAME,	/* value: the address, more: of the instruction in it */

	WIRE_DONE,
};

/* The longest text of a message: that of /proc/PID/maps has no limit of its own. */
#define WIRE_TEXT_MAX 0x40000000U

/*
 * struct wire_message - a message
 * @type: enum wire_type
 * @size: of @text
 * @value: a number
 * @more: another one
 * @text: bytes; a received one has a zero byte after its last
 * @fd: a descriptor that goes with it, or -1
 */
struct wire_message {
	uint32_t	type;
	uint32_t	size;
	uint64_t	value;
	uint64_t	more;
	char		*text;
	int		fd;
};

/* wire_send() - false when the other side is gone */
bool wire_send(int socket, const struct wire_message *message);

/*
 * wire_receive() - wait for a message
 * @message: receives it; to be freed with wire_free()
 * @timeout_ms: how long the other side may take, negative: for ever
 *
 * Return: false when the other side is gone, took too long or sent nonsense.
 */
bool wire_receive(int socket, struct wire_message *message, int timeout_ms);

/* wire_free() - free the text and close the descriptor */
void wire_free(struct wire_message *message);

/*
 * wire_text() - one of the texts of a message that holds several
 * @nr: which, from 0
 *
 * Return: NULL when it has no such text, or an empty one.
 */
const char *wire_text(const struct wire_message *message, unsigned int nr);

#endif /* WIRE_H */
