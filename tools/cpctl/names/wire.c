// SPDX-License-Identifier: GPL-2.0-only
/* Messages between cpctl and its namer. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "interrupt.h"
#include "wire.h"

/* After this number of ticks, about a second, the wait ends. */
#define TICKS_MAX 20

/* struct head - the part of a message before its text */
struct head {
	uint32_t	type;
	uint32_t	size;
	uint64_t	value;
	uint64_t	more;
};

/* The ancillary data of sendmsg(2): room for one descriptor. */
union control {
	struct cmsghdr	head;
	char		bytes[CMSG_SPACE(sizeof(int))];
};

static bool send_bytes(int socket, const char *bytes, size_t size)
{
	while (size) {
		ssize_t sent = send(socket, bytes, size, MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent <= 0)
			return false;
		bytes += sent;
		size -= (size_t)sent;
	}
	return true;
}

/* Sends the head, with the descriptor as ancillary data. */
static bool send_head(int socket, const struct head *head, int fd)
{
	struct iovec bytes = { (void *)head, 1 };
	union control control = {};
	struct msghdr message = { .msg_iov = &bytes, .msg_iovlen = 1 };
	struct cmsghdr *passed;

	if (fd < 0)
		return send_bytes(socket, (const char *)head, sizeof(*head));
	message.msg_control = &control;
	message.msg_controllen = sizeof(control);
	passed = CMSG_FIRSTHDR(&message);
	passed->cmsg_level = SOL_SOCKET;
	passed->cmsg_type = SCM_RIGHTS;
	passed->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(passed), &fd, sizeof(int));
	return sendmsg(socket, &message, MSG_NOSIGNAL) == 1 &&
	       send_bytes(socket, (const char *)head + 1, sizeof(*head) - 1);
}

bool wire_send(int socket, const struct wire_message *message)
{
	const struct head head = {
		.type = message->type,
		.size = message->size,
		.value = message->value,
		.more = message->more,
	};

	return send_head(socket, &head, message->fd) &&
	       send_bytes(socket, message->text, message->size);
}

/*
 * Waits until the socket is readable. After an interruption, poll() fails with EINTR at
 * each tick of the timer of interrupt.c. The wait continues for TICKS_MAX ticks because
 * a recording may need the answer.
 */
static bool is_ready(int socket, int timeout_ms)
{
	struct pollfd poll_fd = { .fd = socket, .events = POLLIN };
	unsigned int ticks = 0;
	int ret;

	do {
		ret = poll(&poll_fd, 1, timeout_ms);
	} while (ret < 0 && errno == EINTR &&
		 (!interrupted() || ticks++ < TICKS_MAX));
	return ret > 0;
}

static void take_descriptor(struct msghdr *message, int *fd)
{
	struct cmsghdr *passed = CMSG_FIRSTHDR(message);

	if (!passed || passed->cmsg_level != SOL_SOCKET ||
	    passed->cmsg_type != SCM_RIGHTS ||
	    passed->cmsg_len != CMSG_LEN(sizeof(int)))
		return;
	if (*fd >= 0)
		close(*fd);
	memcpy(fd, CMSG_DATA(passed), sizeof(int));
}

static bool receive_bytes(int socket, void *to, size_t size, int *fd,
			  int timeout_ms)
{
	char *next = to;

	while (size) {
		struct iovec bytes = { next, size };
		union control control;
		struct msghdr message = {
			.msg_iov = &bytes,
			.msg_iovlen = 1,
			.msg_control = &control,
			.msg_controllen = sizeof(control),
		};
		ssize_t got;

		if (!is_ready(socket, timeout_ms))
			return false;
		got = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		take_descriptor(&message, fd);
		next += got;
		size -= (size_t)got;
	}
	return true;
}

bool wire_receive(int socket, struct wire_message *message, int timeout_ms)
{
	struct head head;

	*message = (struct wire_message){ .fd = -1 };
	if (!receive_bytes(socket, &head, sizeof(head), &message->fd,
			   timeout_ms) ||
	    head.size > WIRE_TEXT_MAX)
		goto err_free;
	message->text = malloc((size_t)head.size + 1);
	if (!message->text ||
	    !receive_bytes(socket, message->text, head.size, &message->fd,
			   timeout_ms))
		goto err_free;
	message->text[head.size] = '\0';
	message->type = head.type;
	message->size = head.size;
	message->value = head.value;
	message->more = head.more;
	return true;

err_free:
	wire_free(message);
	return false;
}

void wire_free(struct wire_message *message)
{
	free(message->text);
	message->text = NULL;
	if (message->fd >= 0)
		close(message->fd);
	message->fd = -1;
}

const char *wire_text(const struct wire_message *message, unsigned int nr)
{
	const char *text = message->text;
	const char *end = text + message->size;

	for (; nr && text < end; nr--)
		text += strlen(text) + 1;
	return text < end && *text ? text : NULL;
}
