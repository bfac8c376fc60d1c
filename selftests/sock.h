/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The netlink family on raw sockets: the tests also send malformed requests, which
 * a library would not send.
 */
#ifndef _CP_SELFTESTS_SOCK_H
#define _CP_SELFTESTS_SOCK_H

#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include <linux/checkpoint_netlink.h>

#include "harness.h"

/*
 * struct message - a received message
 * @type: nlmsg_type
 * @cmd: the command, unless @type is NLMSG_ERROR or NLMSG_DONE
 * @error: the error of an NLMSG_ERROR or NLMSG_DONE
 * @words: the error message of the extended ACK, if there is one
 * @attrs: the attributes by their number, NULL if missing
 */
struct message {
	int type;
	int cmd;
	int error;
	char words[128];
	const struct nlattr *attrs[CP_NL_A_MAX + 1];
};

struct sock {
	int fd;
	int family;
	bool has_groups;
	unsigned int seq;
	char buf[32768] __attribute__((aligned(8)));
	int len;		/* bytes in @buf */
	int at;			/* offset of the next message in @buf */
};

static inline const void *attr_data(const struct nlattr *attr)
{
	return (const char *)attr + NLA_HDRLEN;
}

static inline uint32_t u32_of(const struct message *msg, int attr)
{
	uint32_t value = 0;

	if (msg->attrs[attr])
		memcpy(&value, attr_data(msg->attrs[attr]), sizeof(value));
	return value;
}

static inline uint64_t u64_of(const struct message *msg, int attr)
{
	uint64_t value = 0;

	if (msg->attrs[attr])
		memcpy(&value, attr_data(msg->attrs[attr]), sizeof(value));
	return value;
}

static inline void parse(const struct nlattr **attrs, int max,
			 const void *data, int len)
{
	const struct nlattr *attr = data;

	memset(attrs, 0, (max + 1) * sizeof(*attrs));
	while (len >= NLA_HDRLEN && attr->nla_len >= NLA_HDRLEN &&
	       attr->nla_len <= len) {
		int type = attr->nla_type & NLA_TYPE_MASK;

		if (type <= max)
			attrs[type] = attr;
		len -= NLA_ALIGN(attr->nla_len);
		attr = (const void *)((const char *)attr +
				      NLA_ALIGN(attr->nla_len));
	}
}

/* A request, without its command. */
struct request {
	int flags;		/* besides NLM_F_REQUEST */
	int reserved;		/* of the family's header */
	int attr;		/* 0 for none */
	uint32_t value;
	int size;		/* of @value in the message; 0: sizeof(value) */
};

static inline int send_request(struct sock *sock, int type, int cmd,
			       const struct request *req)
{
	int size = req->size ?: (int)sizeof(req->value);
	struct {
		struct nlmsghdr nl;
		struct genlmsghdr genl;
		struct nlattr attr;
		char value[CTRL_ATTR_MAX + 32];
	} msg = {
		.nl.nlmsg_type = type,
		.nl.nlmsg_flags = NLM_F_REQUEST | req->flags,
		.nl.nlmsg_seq = ++sock->seq,
		.nl.nlmsg_len = NLMSG_HDRLEN + GENL_HDRLEN,
		.genl.cmd = cmd,
		.genl.version = CP_NL_FAMILY_VERSION,
		.genl.reserved = req->reserved,
		.attr.nla_type = req->attr,
		.attr.nla_len = NLA_HDRLEN + size,
	};

	memcpy(msg.value, &req->value, sizeof(req->value));
	if (type == GENL_ID_CTRL) {
		memcpy(msg.value, CP_NL_FAMILY_NAME, sizeof(CP_NL_FAMILY_NAME));
		msg.attr.nla_len = NLA_HDRLEN + sizeof(CP_NL_FAMILY_NAME);
	}
	if (req->attr)
		msg.nl.nlmsg_len += NLA_ALIGN(msg.attr.nla_len);
	return send(sock->fd, &msg, msg.nl.nlmsg_len, 0) < 0 ? -errno : 0;
}

static inline void parse_answer(struct message *msg, const struct nlmsghdr *nl)
{
	const struct nlmsgerr *answer = NLMSG_DATA(nl);
	const struct nlattr *attrs[NLMSGERR_ATTR_MAX + 1];
	int size = sizeof(*answer);

	msg->error = nl->nlmsg_type == NLMSG_DONE ? *(int *)NLMSG_DATA(nl) :
						    answer->error;
	if (nl->nlmsg_type == NLMSG_DONE ||
	    !(nl->nlmsg_flags & NLM_F_ACK_TLVS))
		return;
	if (!(nl->nlmsg_flags & NLM_F_CAPPED))
		size += answer->msg.nlmsg_len - NLMSG_HDRLEN;
	parse(attrs, NLMSGERR_ATTR_MAX, (const char *)answer + size,
	      nl->nlmsg_len - NLMSG_HDRLEN - size);
	if (attrs[NLMSGERR_ATTR_MSG])
		snprintf(msg->words, sizeof(msg->words), "%s",
			 (const char *)attr_data(attrs[NLMSGERR_ATTR_MSG]));
}

/* The next message, or -errno; waits for @ms at most (-EAGAIN). */
static inline int next(struct sock *sock, struct message *msg, int ms)
{
	struct pollfd pollfd = { .fd = sock->fd, .events = POLLIN };
	const struct nlmsghdr *nl;

	memset(msg, 0, sizeof(*msg));
	if (sock->at >= sock->len) {
		if (poll(&pollfd, 1, ms) <= 0)
			return -EAGAIN;
		sock->len = recv(sock->fd, sock->buf, sizeof(sock->buf), 0);
		sock->at = 0;
		if (sock->len < 0) {
			sock->len = 0;
			return -errno;
		}
	}
	nl = (const void *)(sock->buf + sock->at);
	sock->at += NLMSG_ALIGN(nl->nlmsg_len);
	msg->type = nl->nlmsg_type;
	if (msg->type == NLMSG_ERROR || msg->type == NLMSG_DONE) {
		parse_answer(msg, nl);
		return 0;
	}
	msg->cmd = ((const struct genlmsghdr *)NLMSG_DATA(nl))->cmd;
	parse(msg->attrs, CP_NL_A_MAX,
	      (const char *)NLMSG_DATA(nl) + GENL_HDRLEN,
	      nl->nlmsg_len - NLMSG_HDRLEN - GENL_HDRLEN);
	return 0;
}

static inline int sock_open(struct sock *sock)
{
	struct request req = { .attr = CTRL_ATTR_FAMILY_NAME };
	struct sockaddr_nl addr = { .nl_family = AF_NETLINK };
	struct message msg;
	int on = 1, ret;

	memset(sock, 0, sizeof(*sock));
	sock->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	if (sock->fd < 0 ||
	    bind(sock->fd, (struct sockaddr *)&addr, sizeof(addr)) ||
	    setsockopt(sock->fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on)))
		return -errno;
	ret = send_request(sock, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, &req) ?:
	      next(sock, &msg, 5000);
	if (ret || msg.type != GENL_ID_CTRL)
		return ret ?: msg.error;
	sock->family = *(uint16_t *)attr_data(msg.attrs[CTRL_ATTR_FAMILY_ID]);
	sock->has_groups = msg.attrs[CTRL_ATTR_MCAST_GROUPS];
	return 0;
}

/* Sends a request and skips events until the answer; returns its error. */
static inline int ask_with(struct sock *sock, int cmd, struct request req,
			   struct message *answer)
{
	int ret;

	req.flags |= NLM_F_ACK;
	ret = send_request(sock, sock->family, cmd, &req);
	while (!ret) {
		ret = next(sock, answer, 5000);
		if (!ret && answer->type == NLMSG_ERROR)
			return answer->error;
	}
	return ret;
}

static inline int ask(struct sock *sock, int cmd, int attr, uint32_t value)
{
	struct request req = { .attr = attr, .value = value };
	struct message answer;

	return ask_with(sock, cmd, req, &answer);
}

static inline int subscribe(struct sock *sock, uint32_t events)
{
	return ask(sock, CP_NL_CMD_SUBSCRIBE, CP_NL_A_EVENTS, events);
}

/* Queries the pair of @slave. */
static inline int query(struct sock *sock, pid_t slave, struct message *msg)
{
	struct request req = { .attr = CP_NL_A_SLAVE, .value = slave };
	int ret = send_request(sock, sock->family, CP_NL_CMD_PAIR_GET, &req) ?:
		  next(sock, msg, 5000);

	return ret ?: msg->error;
}

typedef void (*message_fn)(const struct message *msg, void *arg);

static inline int dump(struct sock *sock, message_fn fn, void *arg)
{
	struct request req = { .flags = NLM_F_DUMP };
	struct message msg;
	int ret = send_request(sock, sock->family, CP_NL_CMD_PAIR_GET, &req);

	while (!ret) {
		ret = next(sock, &msg, 20000);
		if (!ret && msg.type != sock->family)
			return msg.error;
		if (!ret)
			fn(&msg, arg);
	}
	return ret;
}

#endif /* _CP_SELFTESTS_SOCK_H */
