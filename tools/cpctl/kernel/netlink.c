// SPDX-License-Identifier: GPL-2.0-only
/* The kernel's netlink family "checkpoint", through libnl. */
#include <errno.h>
#include <linux/genetlink.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "diagnose.h"
#include "exit.h"
#include "facts.h"
#include "message.h"
#include "netlink.h"

/* The buffer of recvmsg(2). The kernel fills it with as many pairs of a dump as fit. */
#define RECEIVE_BYTES (32 * 1024)

/* netlink_receive() returns after this number of messages, so that callers can poll. */
#define RECEIVE_EVENTS 256

/* The socket's buffer: room for some thousand events while cpctl is busy. */
#define EVENT_BYTES (4 * 1024 * 1024)

/*
 * struct netlink - a socket
 * @sock: the socket of libnl
 * @family: the number of the family
 * @notify: the multicast group of the kernel's controller, which reports families that
 *	are unregistered; negative without it
 * @error: the errno of the kernel's answer, or 0
 * @said: the message of the kernel's extended acknowledgment, or ""
 * @done: whether the answer is complete
 * @on_event: the function to call for each event; NULL for none
 * @event_arg: the second argument of @on_event
 */
struct netlink {
	struct nl_sock	*sock;
	int		family;
	int		notify;
	int		error;
	char		said[128];
	bool		done;
	void		(*on_event)(const struct pair_event *event, void *arg);
	void		*event_arg;
};

static struct nla_policy policy[CP_NL_A_MAX + 1] = {
	[CP_NL_A_SLAVE] = { .type = NLA_U32 },
	[CP_NL_A_MASTER] = { .type = NLA_U32 },
	[CP_NL_A_SLAVE_COMM] = { .type = NLA_STRING },
	[CP_NL_A_MASTER_COMM] = { .type = NLA_STRING },
	[CP_NL_A_UID] = { .type = NLA_U32 },
	[CP_NL_A_STATE] = { .type = NLA_U32 },
	[CP_NL_A_REASON] = { .type = NLA_U32 },
	[CP_NL_A_STATUS] = { .type = NLA_S32 },
	[CP_NL_A_MADE] = { .type = NLA_U64 },
	[CP_NL_A_TAKEN] = { .type = NLA_U64 },
	[CP_NL_A_MISSED] = { .type = NLA_U64 },
	[CP_NL_A_BYTES] = { .type = NLA_U64 },
	[CP_NL_A_HELD] = { .type = NLA_U64 },
	[CP_NL_A_HELD_MAX] = { .type = NLA_U64 },
	[CP_NL_A_HELD_HISTOGRAM] = {
		.minlen = CP_NL_HELD_BUCKETS * sizeof(uint64_t),
	},
	[CP_NL_A_LAST_SYSCALL] = { .type = NLA_S32 },
	[CP_NL_A_TIME] = { .type = NLA_U64 },
	[CP_NL_A_SEQ] = { .type = NLA_U64 },
	[CP_NL_A_ENTRY] = { .type = NLA_U32 },
	[CP_NL_A_SYSCALL] = { .type = NLA_S32 },
	[CP_NL_A_IP] = { .type = NLA_U64 },
	[CP_NL_A_SP] = { .type = NLA_U64 },
	[CP_NL_A_LOST] = { .type = NLA_U64 },
	[CP_NL_A_FLAGS] = { .type = NLA_U32 },
	[CP_NL_A_THREAD] = { .type = NLA_U32 },
	[CP_NL_A_THREADS] = { .type = NLA_U32 },
	[CP_NL_A_UNSEEN] = { .type = NLA_U32 },
};

static uint32_t get_u32(struct nlattr **attrs, int attr)
{
	return attrs[attr] ? nla_get_u32(attrs[attr]) : 0;
}

static uint64_t get_u64(struct nlattr **attrs, int attr)
{
	return attrs[attr] ? nla_get_u64(attrs[attr]) : 0;
}

/* Returns -1 if the message does not have the attribute. */
static int get_number(struct nlattr **attrs, int attr)
{
	return attrs[attr] ? nla_get_s32(attrs[attr]) : -1;
}

static void get_comm(struct nlattr **attrs, int attr, char *comm, size_t size)
{
	if (attrs[attr])
		nla_strlcpy(comm, attrs[attr], size);
}

static void get_pair(struct nlattr **attrs, struct pair_info *pair)
{
	pair->slave = (pid_t)get_u32(attrs, CP_NL_A_SLAVE);
	pair->master = (pid_t)get_u32(attrs, CP_NL_A_MASTER);
	get_comm(attrs, CP_NL_A_SLAVE_COMM, pair->slave_comm,
		 sizeof(pair->slave_comm));
	get_comm(attrs, CP_NL_A_MASTER_COMM, pair->master_comm,
		 sizeof(pair->master_comm));
	pair->uid = get_u32(attrs, CP_NL_A_UID);
	pair->state = get_u32(attrs, CP_NL_A_STATE);
	pair->reason = get_u32(attrs, CP_NL_A_REASON);
	pair->status = (int)get_u32(attrs, CP_NL_A_STATUS);
	pair->made = get_u64(attrs, CP_NL_A_MADE);
	pair->taken = get_u64(attrs, CP_NL_A_TAKEN);
	pair->missed = get_u64(attrs, CP_NL_A_MISSED);
	pair->bytes = get_u64(attrs, CP_NL_A_BYTES);
	pair->held = get_u64(attrs, CP_NL_A_HELD);
	pair->held_max = get_u64(attrs, CP_NL_A_HELD_MAX);
	if (attrs[CP_NL_A_HELD_HISTOGRAM])
		memcpy(pair->held_histogram,
		       nla_data(attrs[CP_NL_A_HELD_HISTOGRAM]),
		       sizeof(pair->held_histogram));
	pair->last_syscall = get_number(attrs, CP_NL_A_LAST_SYSCALL);
	pair->flags = get_u32(attrs, CP_NL_A_FLAGS);
	pair->threads = get_u32(attrs, CP_NL_A_THREADS);
	pair->unseen = get_u32(attrs, CP_NL_A_UNSEEN);
}

/* Does the message of the kernel's controller report that the family is gone? */
static bool is_farewell(struct nlmsghdr *header, int family)
{
	struct nlattr *attrs[CTRL_ATTR_MAX + 1];

	if (header->nlmsg_type != GENL_ID_CTRL ||
	    genlmsg_parse(header, 0, attrs, CTRL_ATTR_MAX, NULL) ||
	    genlmsg_hdr(header)->cmd != CTRL_CMD_DELFAMILY)
		return false;
	return attrs[CTRL_ATTR_FAMILY_ID] &&
	       nla_get_u16(attrs[CTRL_ATTR_FAMILY_ID]) == family;
}

/* Returns false if the message is not of the family. */
static bool get_event(struct nlmsghdr *header, int family,
		      struct pair_event *event)
{
	struct nlattr *attrs[CP_NL_A_MAX + 1];

	event->gone = is_farewell(header, family);
	if (event->gone)
		return true;
	if (header->nlmsg_type != family ||
	    genlmsg_parse(header, 0, attrs, CP_NL_A_MAX, policy))
		return false;
	event->cmd = genlmsg_hdr(header)->cmd;
	get_pair(attrs, &event->pair);
	event->time = get_u64(attrs, CP_NL_A_TIME);
	event->lost = get_u64(attrs, CP_NL_A_LOST);
	event->seq = get_u64(attrs, CP_NL_A_SEQ);
	event->thread = (pid_t)get_u32(attrs, CP_NL_A_THREAD);
	event->entry = get_u32(attrs, CP_NL_A_ENTRY);
	event->syscall = get_number(attrs, CP_NL_A_SYSCALL);
	event->ip = get_u64(attrs, CP_NL_A_IP);
	event->sp = get_u64(attrs, CP_NL_A_SP);
	return true;
}

static int on_message(struct nl_msg *message, void *arg)
{
	struct netlink *netlink = arg;
	struct pair_event event = {};

	if (!get_event(nlmsg_hdr(message), netlink->family, &event))
		return NL_SKIP;
	if (netlink->on_event)
		netlink->on_event(&event, netlink->event_arg);
	return NL_OK;
}

/* Saves the message of the extended acknowledgment, which libnl discards. */
static void keep_words(struct netlink *netlink, const struct nlmsgerr *error)
{
	const struct nlmsghdr *header = (const void *)((const char *)error -
						       NLMSG_HDRLEN);
	size_t size = sizeof(*error);
	struct nlattr *words;

	netlink->said[0] = '\0';
	if (!(header->nlmsg_flags & NLM_F_ACK_TLVS))
		return;
	/* The attributes follow the request, of which CAPPED leaves only the header. */
	if (!(header->nlmsg_flags & NLM_F_CAPPED))
		size += error->msg.nlmsg_len - NLMSG_HDRLEN;
	words = nlmsg_find_attr((struct nlmsghdr *)header, (int)size,
				NLMSGERR_ATTR_MSG);
	if (words)
		nla_strlcpy(netlink->said, words, sizeof(netlink->said));
}

static int on_error(struct sockaddr_nl *from, struct nlmsgerr *error, void *arg)
{
	struct netlink *netlink = arg;

	(void)from;
	netlink->error = -error->error;
	netlink->done = true;
	keep_words(netlink, error);
	return NL_STOP;
}

static int on_end(struct nl_msg *message, void *arg)
{
	struct netlink *netlink = arg;

	(void)message;
	netlink->done = true;
	return NL_STOP;
}

static int ignore_order(struct nl_msg *message, void *arg)
{
	(void)message;
	(void)arg;
	return NL_OK;
}

static void set_callbacks(struct netlink *netlink)
{
	struct nl_sock *sock = netlink->sock;
	struct nl_cb *cb = nl_socket_get_cb(sock);

	nl_cb_err(cb, NL_CB_CUSTOM, on_error, netlink);
	nl_cb_put(cb);
	/* Events have no sequence number, and may come between request and answer. */
	nl_socket_modify_cb(sock, NL_CB_SEQ_CHECK, NL_CB_CUSTOM, ignore_order,
			    NULL);
	nl_socket_modify_cb(sock, NL_CB_VALID, NL_CB_CUSTOM, on_message,
			    netlink);
	nl_socket_modify_cb(sock, NL_CB_FINISH, NL_CB_CUSTOM, on_end, netlink);
	nl_socket_modify_cb(sock, NL_CB_ACK, NL_CB_CUSTOM, on_end, netlink);
}

static bool connect_family(struct netlink *netlink)
{
	int on = 1, ret;

	ret = genl_connect(netlink->sock);
	if (ret < 0) {
		warnx("cannot open a netlink socket: %s", nl_geterror(ret));
		return false;
	}
	setsockopt(nl_socket_get_fd(netlink->sock), SOL_NETLINK,
		   NETLINK_EXT_ACK, &on, sizeof(on));
	nl_socket_set_msg_buf_size(netlink->sock, RECEIVE_BYTES);
	netlink->notify = genl_ctrl_resolve_grp(netlink->sock, "nlctrl",
						"notify");
	netlink->family = genl_ctrl_resolve(netlink->sock, CP_NL_FAMILY_NAME);
	if (netlink->family >= 0)
		return true;
	if (netlink->family != -NLE_OBJ_NOTFOUND)
		warnx("cannot find the netlink family '%s': %s",
		      CP_NL_FAMILY_NAME, nl_geterror(netlink->family));
	else if (module_loaded())
		warnx("the module is loaded, but has no netlink family '%s'",
		      CP_NL_FAMILY_NAME);
	else
		diagnose_open(ENOENT);
	return false;
}

struct netlink *netlink_open(void)
{
	struct netlink *netlink = calloc(1, sizeof(*netlink));

	if (netlink)
		netlink->sock = nl_socket_alloc();
	if (!netlink || !netlink->sock) {
		warn("cannot open a netlink socket");
		free(netlink);
		return NULL;
	}
	if (!connect_family(netlink)) {
		netlink_close(netlink);
		return NULL;
	}
	set_callbacks(netlink);
	return netlink;
}

void netlink_close(struct netlink *netlink)
{
	if (!netlink)
		return;
	nl_socket_free(netlink->sock);
	free(netlink);
}

/*
 * Sends a request, with the attribute @attr unless @attr is 0, and receives the whole
 * answer. Returns false on failure: @error is the errno of the kernel's answer, or 0 if
 * there was no answer.
 */
static bool request(struct netlink *netlink, int flags, uint8_t cmd, int attr,
		    uint32_t value)
{
	struct nl_msg *message = nlmsg_alloc();
	int ret = -NLE_NOMEM;

	netlink->error = 0;
	netlink->done = false;
	if (message && genlmsg_put(message, NL_AUTO_PORT, NL_AUTO_SEQ,
				   netlink->family, 0, flags, cmd,
				   CP_NL_FAMILY_VERSION) &&
	    (!attr || !nla_put_u32(message, attr, value)))
		ret = nl_send_auto(netlink->sock, message);
	nlmsg_free(message);
	while (ret >= 0 && !netlink->done)
		ret = nl_recvmsgs_default(netlink->sock);
	if (netlink->error)
		return false;
	if (ret < 0)
		warnx("the kernel does not answer: %s", nl_geterror(ret));
	return ret >= 0;
}

/* Prints the kernel's answer to a refused request. Returns an exit status. */
static int refused(const struct netlink *netlink, pid_t pid)
{
	if (netlink->error)
		diagnose_pair(pid, netlink->error, netlink->said);
	return EXIT_REFUSED;
}

/*
 * struct gathering - a list of pairs that is being received
 * @list: the pairs received so far
 * @room: the number of pairs for which @list has memory
 * @failed: whether memory ran out
 */
struct gathering {
	struct pair_list	*list;
	size_t			room;
	bool			failed;
};

static void gather(const struct pair_event *event, void *arg)
{
	struct gathering *gathering = arg;
	struct pair_list *list = gathering->list;

	if (list->nr == gathering->room) {
		size_t room = gathering->room ? gathering->room * 2 : 16;
		struct pair_info *pairs = reallocarray(list->pairs, room,
						       sizeof(*pairs));

		if (!pairs) {
			gathering->failed = true;
			return;
		}
		list->pairs = pairs;
		gathering->room = room;
	}
	list->pairs[list->nr++] = event->pair;
}

static int by_slave(const void *a, const void *b)
{
	const struct pair_info *left = a, *right = b;

	return (left->slave > right->slave) - (left->slave < right->slave);
}

/* Requests the pair of @pid, or all pairs if @pid is 0. Returns as request(). */
static bool request_pairs(struct netlink *netlink, pid_t pid,
			  struct gathering *gathering)
{
	bool answered;

	netlink->on_event = gather;
	netlink->event_arg = gathering;
	if (pid)
		answered = request(netlink, NLM_F_ACK, CP_NL_CMD_PAIR_GET,
				   CP_NL_A_SLAVE, (uint32_t)pid);
	else
		answered = request(netlink, NLM_F_DUMP, CP_NL_CMD_PAIR_GET, 0,
				   0);
	netlink->on_event = NULL;
	return answered;
}

int netlink_pairs(struct netlink *netlink, pid_t pid, struct pair_list *list)
{
	struct gathering gathering = { .list = list };
	bool answered;

	*list = (struct pair_list){};
	answered = request_pairs(netlink, pid, &gathering);
	if (!answered || gathering.failed) {
		pair_list_free(list);
		if (answered)
			warnx("not enough memory for all pairs");
		return answered ? EXIT_REFUSED : refused(netlink, pid);
	}
	if (list->nr)
		qsort(list->pairs, list->nr, sizeof(*list->pairs), by_slave);
	return EXIT_OK;
}

void pair_list_free(struct pair_list *list)
{
	free(list->pairs);
	*list = (struct pair_list){};
}

int netlink_end(struct netlink *netlink, pid_t pid)
{
	if (!request(netlink, NLM_F_ACK, CP_NL_CMD_PAIR_END, CP_NL_A_SLAVE,
		     (uint32_t)pid))
		return refused(netlink, pid);
	return EXIT_OK;
}

void netlink_let_go(struct netlink *netlink, pid_t pid)
{
	/* Refused by an older module, and if the process has continued already. */
	request(netlink, NLM_F_ACK, CP_NL_CMD_LET_GO, CP_NL_A_SLAVE,
		(uint32_t)pid);
}

/* Enlarges the socket's buffer, with CAP_NET_ADMIN beyond net.core.rmem_max. */
static void enlarge(int fd)
{
	int size = EVENT_BYTES;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
}

int netlink_subscribe(struct netlink *netlink, uint32_t events)
{
	enlarge(netlink_fd(netlink));
	if (netlink->notify >= 0)
		nl_socket_add_membership(netlink->sock, netlink->notify);
	/* Events that arrive before the answer are dropped: on_event is NULL. */
	if (!request(netlink, NLM_F_ACK, CP_NL_CMD_SUBSCRIBE, CP_NL_A_EVENTS,
		     events))
		return refused(netlink, 0);
	nl_socket_set_nonblocking(netlink->sock);
	return EXIT_OK;
}

int netlink_fd(const struct netlink *netlink)
{
	return nl_socket_get_fd(netlink->sock);
}

enum receipt netlink_receive(struct netlink *netlink,
			     void (*function)(const struct pair_event *event,
					      void *arg),
			     void *arg)
{
	int left = RECEIVE_EVENTS, ret;

	netlink->on_event = function;
	netlink->event_arg = arg;
	do {
		ret = nl_recvmsgs_default(netlink->sock);
	} while (!ret && --left);
	netlink->on_event = NULL;
	if (!ret || ret == -NLE_AGAIN)
		return RECEIVED;
	/* libnl converts ENOBUFS, a full buffer, to this error. */
	if (ret == -NLE_NOMEM)
		return OVERRUN;
	warnx("cannot receive events: %s", nl_geterror(ret));
	return BROKEN;
}
