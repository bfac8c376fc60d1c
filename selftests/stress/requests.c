// SPDX-License-Identifier: GPL-2.0-only
/*
 * Requests to the netlink family: valid, corrupted, and random ones.
 */
#include "fuzz.h"

#define REQUEST_MAX	512

struct odd_request {
	struct nlmsghdr nl;
	struct genlmsghdr genl;
	char attrs[REQUEST_MAX];
};

/* Adds an attribute; returns the address for the next one. */
static char *add_attr(char *at, int type, const void *value, size_t size)
{
	struct nlattr *attr = (void *)at;

	attr->nla_type = type;
	attr->nla_len = NLA_HDRLEN + size;
	memcpy(at + NLA_HDRLEN, value, size);
	return at + NLA_ALIGN(attr->nla_len);
}

/* Adds one of the two valid attributes, an unknown one, or nested ones. */
static char *odd_attr(struct fuzzer *fuzzer, char *at)
{
	struct dice *dice = &fuzzer->dice;
	uint32_t value = odd_number(dice);
	char nest[64], *end = nest;
	int depth;

	switch (roll(dice, 8)) {
	case 0:
		value = roll(dice, 4);
		return add_attr(at, CP_NL_A_EVENTS, &value, sizeof(value));
	case 1:
		return add_attr(at, roll(dice, 65536), &value, roll(dice, 5));
	case 2:
		end = add_attr(nest, CP_NL_A_SLAVE, &value, sizeof(value));
		for (depth = roll(dice, 6); depth; depth--) {
			memmove(nest + NLA_HDRLEN, nest, end - nest);
			end = add_attr(nest, CP_NL_A_SLAVE | NLA_F_NESTED,
				       nest + NLA_HDRLEN, end - nest);
		}
		memcpy(at, nest, end - nest);
		return at + (end - nest);
	default:
		value = common->slaves[roll(dice, NR_FUZZERS)]
				      [roll(dice, NR_SLAVES)];
		return add_attr(at, CP_NL_A_SLAVE, &value, sizeof(value));
	}
}

/* Fills a request, mostly with one attribute. */
static size_t fill(struct fuzzer *fuzzer, struct odd_request *req)
{
	static const int flags[] = { NLM_F_ACK, NLM_F_DUMP, NLM_F_ACK, 0 };
	struct dice *dice = &fuzzer->dice;
	char *end = req->attrs;
	int count;

	memset(req, 0, sizeof(*req));
	req->nl.nlmsg_type = fuzzer->sock.family;
	req->nl.nlmsg_flags = NLM_F_REQUEST | flags[roll(dice, 4)];
	req->nl.nlmsg_seq = ++fuzzer->sock.seq;
	req->genl.cmd = roll(dice, 8) ? between(dice, 1, 3) : roll(dice, 256);
	req->genl.version = CP_NL_FAMILY_VERSION;
	/* A dump accepts no attributes. */
	count = req->nl.nlmsg_flags & NLM_F_DUMP ? once_in(dice, 8) :
		once_in(dice, 8) ? roll(dice, 5) : 1;
	while (count--)
		end = odd_attr(fuzzer, end);
	if (once_in(dice, 4))
		spoil(dice, &req->genl, end - (char *)&req->genl);
	req->nl.nlmsg_len = end - (char *)req;
	if (once_in(dice, 16))
		req->nl.nlmsg_len += roll(dice, 16) - 8;
	return end - (char *)req;
}

/* Closes a socket, maybe with an unread dump or a subscription; opens another. */
static int call_socket(struct fuzzer *fuzzer)
{
	close(fuzzer->sock.fd);
	return sock_open(&fuzzer->sock);
}

static int call_request(struct fuzzer *fuzzer)
{
	struct odd_request req;
	size_t size = fill(fuzzer, &req);

	return result(send(fuzzer->sock.fd, &req, size, MSG_DONTWAIT));
}

/* Reads a message; returns the error if it is an answer. */
static int call_answer(struct fuzzer *fuzzer)
{
	struct message msg;
	int ret = next(&fuzzer->sock, &msg, 0);

	return ret ?: msg.error;
}

const struct call netlink_calls[] = {
	{ "netlink-socket", 1, call_socket, { 0 } },
	{ "netlink-request", 10, call_request, { ENOBUFS, EAGAIN } },
	{ "netlink-answer", 14, call_answer,
	  { EAGAIN, ENOBUFS, ENOENT, EUSERS, EINVAL, ERANGE, EOPNOTSUPP, EBUSY,
	    EMSGSIZE, ENOMEM } },
	{ }
};
