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
 * enum wire_type - the type of a message
 *
 * cpctl sends requests. The namer answers each one by any number of parts and a
 * WIRE_DONE; before that, it may send questions, each of which cpctl answers by a
 * WIRE_DONE.
 */
enum wire_type {
	/* Requests */
	WIRE_MAPS,	/* text: the current /proc/PID/maps */
	WIRE_SYMBOL,	/* value: an address; a WIRE_FOUND if it is in a file */
	WIRE_RETURN,	/* like WIRE_SYMBOL, if a call instruction precedes it */
	WIRE_PLACES,	/* value: an address; a WIRE_PLACE for each */
	WIRE_LOCATE,	/* text: a symbol; done with its address as value */
	WIRE_WALK,	/* text: struct start; a WIRE_FRAME for each call; done with
			 * value: 1 if complete, more: the missing address or 0
			 */

	/* Questions */
	WIRE_READ,	/* value: an address, more: a size; done with the bytes */
	WIRE_MAPPED,	/* value: a mapping; done with its file */
	WIRE_FETCH,	/* text: a build id; done with its debug file */
	WIRE_STRANGER,	/* text: a file that is not the one that was mapped */

	/* Parts of answers */
	WIRE_FOUND,	/* value: the offset, text: module, name */
	WIRE_PLACE,	/* value: the line, text: function, file */
	WIRE_FRAME,	/* value, more: the arguments of walk_fn */

	WIRE_DONE,
};

/* The longest text of a message: large, for /proc/PID/maps. */
#define WIRE_TEXT_MAX 0x40000000U

/*
 * struct wire_message - a message
 * @type: a value of enum wire_type
 * @size: the length of @text
 * @value: a number
 * @more: a second number
 * @text: any bytes; wire_receive() appends a zero byte
 * @fd: a descriptor that is sent with the message, or -1
 */
struct wire_message {
	uint32_t	type;
	uint32_t	size;
	uint64_t	value;
	uint64_t	more;
	char		*text;
	int		fd;
};

/* wire_send() - send a message; false if the other side is gone */
bool wire_send(int socket, const struct wire_message *message);

/*
 * wire_receive() - wait for a message
 * @message: receives the message, to be freed with wire_free()
 * @timeout_ms: the time limit in milliseconds; negative for no limit
 *
 * Return: false if the other side is gone, took too long or sent an invalid message.
 */
bool wire_receive(int socket, struct wire_message *message, int timeout_ms);

/* wire_free() - free the text and close the descriptor */
void wire_free(struct wire_message *message);

/*
 * wire_text() - one text of a message with several texts
 * @nr: the index of the text, from 0
 *
 * Return: NULL if the message has no such text, or if it is empty.
 */
const char *wire_text(const struct wire_message *message, unsigned int nr);

#endif /* WIRE_H */
