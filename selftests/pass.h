/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Descriptors that are passed over Unix sockets.
 */
#ifndef _CP_SELFTESTS_PASS_H
#define _CP_SELFTESTS_PASS_H

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

/* A message of one byte, with room for one descriptor. */
struct fd_message {
	struct msghdr msg;
	struct iovec iov;
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	char byte;
};

static inline void fd_message_init(struct fd_message *m)
{
	memset(m, 0, sizeof(*m));
	m->iov.iov_base = &m->byte;
	m->iov.iov_len = 1;
	m->msg.msg_iov = &m->iov;
	m->msg.msg_iovlen = 1;
	m->msg.msg_control = m->control.bytes;
	m->msg.msg_controllen = sizeof(m->control.bytes);
}

/* Sends @fd over @socket; @flags: MSG_*. Returns 0 or -errno. */
static inline int send_fd(int socket, int fd, int flags)
{
	struct fd_message m;

	fd_message_init(&m);
	m.control.header.cmsg_level = SOL_SOCKET;
	m.control.header.cmsg_type = SCM_RIGHTS;
	m.control.header.cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(&m.control.header), &fd, sizeof(fd));
	return sendmsg(socket, &m.msg, flags) == 1 ? 0 : -errno;
}

/*
 * Receives a descriptor from @socket; @flags: MSG_*. Returns the descriptor or -errno,
 * -ENODATA if the message has none.
 */
static inline int receive_fd(int socket, int flags)
{
	struct fd_message m;
	int fd;

	fd_message_init(&m);
	if (recvmsg(socket, &m.msg, flags) < 0)
		return -errno;
	if (m.msg.msg_controllen < CMSG_LEN(sizeof(fd)) ||
	    m.control.header.cmsg_type != SCM_RIGHTS)
		return -ENODATA;
	memcpy(&fd, CMSG_DATA(&m.control.header), sizeof(fd));
	return fd;
}

#endif /* _CP_SELFTESTS_PASS_H */
