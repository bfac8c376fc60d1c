/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * Generic netlink family "checkpoint": who is paired with whom, how it goes,
 * and why it ended.
 *
 * Documentation/netlink/specs/checkpoint.yaml says the same for machines.
 *
 * Who sees what
 * -------------
 * A user sees the pairs that they made; who has CAP_SYS_PTRACE sees all.
 * Process numbers are those of the caller's pid namespace; a pair whose slave
 * has no number there does not exist for the caller.
 *
 * Events
 * ------
 * CP_NL_CMD_SUBSCRIBE asks for events on the socket it comes from, with the
 * rights and the pid namespace that the caller has then; closing the socket
 * ends it. Events are sent as they happen and never hold anybody up: what does
 * not fit into the socket's buffer is lost. recv(2) then fails once with
 * ENOBUFS, unless NETLINK_NO_ENOBUFS is set, and the next event that does fit,
 * after all that was in the buffer has been read, says how many were lost
 * (CP_NL_A_LOST). What the listener knows is then made good by a dump.
 *
 * There are no multicast groups: a group is a number that anybody may have joined
 * before the family got it, and in a network namespace of their own anybody may
 * join it afterwards.
 *
 * Events of a pair that nobody listens to who may see the pair cost nothing.
 *
 * Times
 * -----
 * CLOCK_MONOTONIC as the receiver's own clock shows it: in its time namespace, for
 * events that of the subscription; 0 for what was before that clock began.
 */
#ifndef _LINUX_CHECKPOINT_NETLINK_H
#define _LINUX_CHECKPOINT_NETLINK_H

#define CP_NL_FAMILY_NAME		"checkpoint"
#define CP_NL_FAMILY_VERSION		1

/*
 * enum cp_nl_cmd - requests, and what the kernel sends
 * @CP_NL_CMD_PAIR_GET: with CP_NL_A_SLAVE: tell of its pair (ENOENT: it has
 *	none that the caller may see). As a dump, without attributes: tell of
 *	all pairs. Those that live all the while are told of once, whatever
 *	comes and goes meanwhile
 * @CP_NL_CMD_PAIR_END: with CP_NL_A_SLAVE: end its pair, as CP_IOC_END does.
 *	ENOENT as above
 * @CP_NL_CMD_SUBSCRIBE: with CP_NL_A_EVENTS: the events that this socket wants
 *	from now on; 0 for none. EUSERS: the user has CP_NL_LISTENERS_PER_USER
 *	sockets that listen, or all users together have too many; who has
 *	CAP_SYS_PTRACE may have any number
 * @CP_NL_CMD_PAIR_MADE: event: a pair was made
 * @CP_NL_CMD_PAIR_ENDED: event: a pair is over; with CP_NL_A_REASON
 * @CP_NL_CMD_CHECKPOINT: event: a slave handed over a checkpoint
 */
enum cp_nl_cmd {
	CP_NL_CMD_PAIR_GET = 1,
	CP_NL_CMD_PAIR_END,
	CP_NL_CMD_SUBSCRIBE,
	CP_NL_CMD_PAIR_MADE,
	CP_NL_CMD_PAIR_ENDED,
	CP_NL_CMD_CHECKPOINT,

	/* private: */
	__CP_NL_CMD_MAX,
	CP_NL_CMD_MAX = __CP_NL_CMD_MAX - 1
};

/*
 * enum cp_nl_attr - what a message may hold
 * @CP_NL_A_SLAVE: u32, the slave's thread id
 * @CP_NL_A_MASTER: u32, the master's process id
 * @CP_NL_A_SLAVE_COMM: string, the slave's name
 * @CP_NL_A_MASTER_COMM: string, the master's name
 * @CP_NL_A_UID: u32, the user who made the pair
 * @CP_NL_A_STATE: u32, enum cp_nl_state
 * @CP_NL_A_REASON: u32, CP_END_* of linux/checkpoint.h
 * @CP_NL_A_STATUS: s32, with CP_END_EXITED: as waitpid(2) gives it
 * @CP_NL_A_MADE: u64, CLOCK_MONOTONIC in ns when the pair was made
 * @CP_NL_A_TAKEN: u64, checkpoints that the master has taken
 * @CP_NL_A_MISSED: u64, checkpoints not handed over as a wait ran out
 * @CP_NL_A_BYTES: u64, bytes of stack copied
 * @CP_NL_A_HELD: u64, ns for which the slave was held up, all told: also where
 *	the wait was in vain, because a signal, its limit or the end of the pair
 *	ended it, and with a wait that is not over
 * @CP_NL_A_HELD_MAX: u64, the longest of them, likewise
 * @CP_NL_A_HELD_HISTOGRAM: binary, 32 of u64: how many hold-ups took 2^n to
 *	2^(n+1) - 1 ns; the last one: that long, or longer. Those that are over
 * @CP_NL_A_LAST_SYSCALL: s32, the last system call seen; -1 for none
 * @CP_NL_A_TIME: u64, CLOCK_MONOTONIC in ns of the event
 * @CP_NL_A_SEQ: u64, the checkpoint's number
 * @CP_NL_A_ENTRY: u32, CP_ENTRY_* of linux/checkpoint.h
 * @CP_NL_A_SYSCALL: s32, with CP_ENTRY_SYSCALL its number, else -1
 * @CP_NL_A_IP: u64, the slave's instruction pointer
 * @CP_NL_A_SP: u64, the slave's stack pointer
 * @CP_NL_A_EVENTS: u32, CP_NL_EVENT_* bits
 * @CP_NL_A_LOST: u64, events that did not fit, since the last that did
 * @CP_NL_A_PAD: filling before a u64
 * @CP_NL_A_FLAGS: u32, CP_CHECKPOINT_* of linux/checkpoint.h: of the last
 *	checkpoint; with CP_NL_CMD_CHECKPOINT, of that one. Whose system calls
 *	the numbers are depends on them
 */
enum cp_nl_attr {
	CP_NL_A_SLAVE = 1,
	CP_NL_A_MASTER,
	CP_NL_A_SLAVE_COMM,
	CP_NL_A_MASTER_COMM,
	CP_NL_A_UID,
	CP_NL_A_STATE,
	CP_NL_A_REASON,
	CP_NL_A_STATUS,
	CP_NL_A_MADE,
	CP_NL_A_TAKEN,
	CP_NL_A_MISSED,
	CP_NL_A_BYTES,
	CP_NL_A_HELD,
	CP_NL_A_HELD_MAX,
	CP_NL_A_HELD_HISTOGRAM,
	CP_NL_A_LAST_SYSCALL,
	CP_NL_A_TIME,
	CP_NL_A_SEQ,
	CP_NL_A_ENTRY,
	CP_NL_A_SYSCALL,
	CP_NL_A_IP,
	CP_NL_A_SP,
	CP_NL_A_EVENTS,
	CP_NL_A_LOST,
	CP_NL_A_PAD,
	CP_NL_A_FLAGS,

	/* private: */
	__CP_NL_A_MAX,
	CP_NL_A_MAX = __CP_NL_A_MAX - 1
};

/*
 * enum cp_nl_state - which of the two is waiting
 * @CP_NL_STATE_RUNNING: neither
 * @CP_NL_STATE_SLAVE_WAITING: the slave, for the master to ask
 * @CP_NL_STATE_MASTER_WAITING: the master, for the slave to come
 * @CP_NL_STATE_OVER: the pair is over
 */
enum cp_nl_state {
	CP_NL_STATE_RUNNING,
	CP_NL_STATE_SLAVE_WAITING,
	CP_NL_STATE_MASTER_WAITING,
	CP_NL_STATE_OVER,
};

#define CP_NL_LISTENERS_PER_USER	16

/* CP_NL_A_EVENTS: pairs made and ended; each checkpoint. */
#define CP_NL_EVENT_PAIRS		(1U << 0)
#define CP_NL_EVENT_CHECKPOINTS		(1U << 1)

#endif /* _LINUX_CHECKPOINT_NETLINK_H */
