/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's netlink family "checkpoint": who is paired with whom, and what
 * happens. What fails has been said on stderr when a function returns.
 */
#ifndef NETLINK_H
#define NETLINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <linux/checkpoint_netlink.h>

/*
 * struct pair_info - a pair, as the kernel tells of it
 *
 * The fields are those of enum cp_nl_attr. What a message does not say is 0.
 * The names are free of control characters and valid UTF-8.
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
};

/*
 * struct pair_event - something that happened, or that is so
 * @cmd: CP_NL_CMD_*; CP_NL_CMD_PAIR_GET in an answer
 * @pair: whose
 * @time, @lost, @seq, @entry, @syscall, @ip, @sp: as in enum cp_nl_attr
 * @gone: the module has been unloaded; nothing else is filled in
 */
struct pair_event {
	int			cmd;
	struct pair_info	pair;
	uint64_t		time;
	uint64_t		lost;
	uint64_t		seq;
	uint32_t		entry;
	int			syscall;
	uint64_t		ip;
	uint64_t		sp;
	bool			gone;
};

struct netlink;

/* netlink_open() - NULL when that failed. */
struct netlink *netlink_open(void);

/* netlink_close() - NULL is allowed. */
void netlink_close(struct netlink *netlink);

/* struct pair_list - pairs, in the order of their slaves */
struct pair_list {
	struct pair_info	*pairs;
	size_t			nr;
};

/*
 * netlink_pairs() - all pairs that the caller may see, or one of them
 * @pid: the slave, or 0 for all
 * @list: to be freed with pair_list_free()
 *
 * Return: an exit status.
 */
int netlink_pairs(struct netlink *netlink, pid_t pid, struct pair_list *list);

void pair_list_free(struct pair_list *list);

/* netlink_end() - end the pair of a slave. Return: an exit status. */
int netlink_end(struct netlink *netlink, pid_t pid);

/*
 * netlink_subscribe() - from now on, events come
 * @events: CP_NL_EVENT_*
 *
 * The handle is for nothing else from then on. Return: an exit status.
 */
int netlink_subscribe(struct netlink *netlink, uint32_t events);

/* netlink_fd() - for poll(2). */
int netlink_fd(const struct netlink *netlink);

/* What netlink_receive() has met. */
enum receipt {
	RECEIVED,	/* what was there, or a good deal of it */
	OVERRUN,	/* so much that some of it was lost */
	BROKEN,		/* what it was has been said */
};

/*
 * netlink_receive() - take what has come, without waiting
 * @function: is called for each event
 */
enum receipt netlink_receive(struct netlink *netlink,
			     void (*function)(const struct pair_event *event,
					      void *arg),
			     void *arg);

#endif /* NETLINK_H */
