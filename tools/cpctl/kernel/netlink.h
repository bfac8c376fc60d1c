/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The module's netlink family "checkpoint": its pairs and its events. A function that
 * fails has printed a message on stderr.
 */
#ifndef NETLINK_H
#define NETLINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <linux/checkpoint_netlink.h>

/*
 * struct pair_info - a pair, as the module reports it
 *
 * The fields are those of enum cp_nl_attr. A field without an attribute in the message
 * is 0, except @last_syscall, which is -1. The names are valid UTF-8 without control
 * characters.
 */
struct pair_info {
	pid_t		slave;
	pid_t		master;
	char		slave_comm[16];
	char		master_comm[16];
	uid_t		uid;
	uint32_t	state;
	uint32_t	reason;
	int		status;
	uint64_t	made;
	uint64_t	taken;
	uint64_t	missed;
	uint64_t	bytes;
	uint64_t	held;
	uint64_t	held_max;
	uint64_t	held_histogram[CP_NL_HELD_BUCKETS];
	int		last_syscall;
	uint32_t	flags;
	uint32_t	threads;
	uint32_t	unseen;
};

/*
 * struct pair_event - an event, or an answer to a request
 * @cmd: CP_NL_CMD_*; CP_NL_CMD_PAIR_GET for an answer
 * @pair: the pair of the event
 * @time, @lost, @seq, @thread, @entry, @syscall, @ip, @sp: the attributes of enum
 *	cp_nl_attr; 0 without the attribute, but -1 for @syscall
 * @gone: whether the module has been unloaded; all other fields are 0 then
 */
struct pair_event {
	int			cmd;
	struct pair_info	pair;
	uint64_t		time;
	uint64_t		lost;
	uint64_t		seq;
	pid_t			thread;
	uint32_t		entry;
	int			syscall;
	uint64_t		ip;
	uint64_t		sp;
	bool			gone;
};

struct netlink;

/* netlink_open() - connect to the family; NULL on failure */
struct netlink *netlink_open(void);

/* netlink_close() - close the socket; NULL is allowed */
void netlink_close(struct netlink *netlink);

/* struct pair_list - pairs, in ascending order of their slaves' ids */
struct pair_list {
	struct pair_info	*pairs;
	size_t			nr;
};

/*
 * netlink_pairs() - get all pairs that the caller may see, or one of them
 * @pid: the slave, or 0 for all
 * @list: to be freed with pair_list_free()
 *
 * Return: an exit status.
 */
int netlink_pairs(struct netlink *netlink, pid_t pid, struct pair_list *list);

/* pair_list_free() - free the pairs; the list is empty then */
void pair_list_free(struct pair_list *list);

/* netlink_end() - end the pair of a slave. Return: an exit status. */
int netlink_end(struct netlink *netlink, pid_t pid);

/*
 * netlink_let_go() - no other process will pair with a process
 *
 * If the kernel holds the process until one does, the process continues at once.
 */
void netlink_let_go(struct netlink *netlink, pid_t pid);

/*
 * netlink_subscribe() - subscribe to events
 * @events: a set of CP_NL_EVENT_*
 *
 * From then on, only netlink_fd(), netlink_receive() and netlink_close() may be called
 * for @netlink. Return: an exit status.
 */
int netlink_subscribe(struct netlink *netlink, uint32_t events);

/* netlink_fd() - the descriptor of the socket, for poll(2) */
int netlink_fd(const struct netlink *netlink);

/* enum receipt - the result of netlink_receive() */
enum receipt {
	RECEIVED,	/* the available events, or a limited number of them */
	OVERRUN,	/* the buffer was full, and some events were lost */
	BROKEN,		/* an error, for which a message was printed */
};

/*
 * netlink_receive() - receive the available events, without waiting
 * @function: the function to call for each event
 * @arg: the second argument of @function
 */
enum receipt netlink_receive(struct netlink *netlink,
			     void (*function)(const struct pair_event *event,
					      void *arg),
			     void *arg);

#endif /* NETLINK_H */
