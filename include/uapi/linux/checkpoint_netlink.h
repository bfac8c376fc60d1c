/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * Generic netlink family "checkpoint": which pairs exist, what they do, and why
 * they ended.
 *
 * Documentation/netlink/specs/checkpoint.yaml describes the same for programs.
 *
 * Permissions
 * -----------
 * A user sees the pairs that the user made; a process with CAP_SYS_PTRACE sees all
 * pairs. Process numbers are of the caller's pid namespace; a pair whose slave has
 * no number there does not exist for the caller.
 *
 * Events
 * ------
 * CP_NL_CMD_SUBSCRIBE subscribes the socket on which it is sent, with the rights and
 * the pid namespace that the caller has then; closing the socket ends the
 * subscription. Events are sent as they happen and never delay a slave: an event that
 * does not fit into the socket's buffer is lost. recv(2) then fails once with ENOBUFS,
 * unless NETLINK_NO_ENOBUFS is set, and after everything in the buffer has been read,
 * the next event says how many were lost (CP_NL_A_LOST). A dump then gives the
 * listener the current state.
 *
 * There are no multicast groups: any socket may have joined a group's number before
 * the family got it, and inside a network namespace of its own any process may join.
 *
 * Events cost a pair nothing unless a listener may see the pair.
 *
 * Times
 * -----
 * Times are CLOCK_MONOTONIC of the receiver's time namespace (for events: at the time
 * of the subscription); 0 for a time before that clock began.
 */
#ifndef _LINUX_CHECKPOINT_NETLINK_H
#define _LINUX_CHECKPOINT_NETLINK_H

#define CP_NL_FAMILY_NAME		"checkpoint"
#define CP_NL_FAMILY_VERSION		1

/*
 * enum cp_nl_cmd - requests, and what the kernel sends
 * @CP_NL_CMD_PAIR_GET: with CP_NL_A_SLAVE: describe its pair (ENOENT: it has
 *	none that the caller may see). As a dump, without attributes: describe
 *	all pairs; a pair that exists throughout the dump is described once,
 *	whatever other pairs begin and end meanwhile
 * @CP_NL_CMD_PAIR_END: with CP_NL_A_SLAVE: end its pair, as CP_IOC_END does.
 *	ENOENT as above
 * @CP_NL_CMD_SUBSCRIBE: with CP_NL_A_EVENTS: the events that this socket wants
 *	from now on; 0 for none, and then no event follows the answer. EUSERS:
 *	the user has CP_NL_LISTENERS_PER_USER sockets that listen, or all users
 *	together have too many; with CAP_SYS_PTRACE there is no limit
 * @CP_NL_CMD_PAIR_MADE: event: a pair was made
 * @CP_NL_CMD_PAIR_ENDED: event: a pair is over; with CP_NL_A_REASON
 * @CP_NL_CMD_CHECKPOINT: event: a slave handed over a checkpoint
 * @CP_NL_CMD_CHILD: event: a child of the slave is held until a process pairs with it
 *	(CP_PREP_CHILDREN); with CP_NL_A_THREAD
 * @CP_NL_CMD_LET_GO: with CP_NL_A_SLAVE: this child, or program after an exec, which is
 *	held until a process pairs with it, continues at once: none will. ENOENT: it is
 *	not held, or not due to a pair that the caller may see. Not in older modules
 */
enum cp_nl_cmd {
	CP_NL_CMD_PAIR_GET = 1,
	CP_NL_CMD_PAIR_END,
	CP_NL_CMD_SUBSCRIBE,
	CP_NL_CMD_PAIR_MADE,
	CP_NL_CMD_PAIR_ENDED,
	CP_NL_CMD_CHECKPOINT,
	CP_NL_CMD_CHILD,
	CP_NL_CMD_LET_GO,

	/* private: */
	__CP_NL_CMD_MAX,
	CP_NL_CMD_MAX = __CP_NL_CMD_MAX - 1
};

/*
 * enum cp_nl_attr - attributes of messages
 * @CP_NL_A_SLAVE: u32, the slave's thread id, or process id with CP_PREP_PROCESS
 * @CP_NL_A_MASTER: u32, the master's process id
 * @CP_NL_A_SLAVE_COMM: string, the slave's name
 * @CP_NL_A_MASTER_COMM: string, the master's name
 * @CP_NL_A_UID: u32, the user who made the pair
 * @CP_NL_A_STATE: u32, enum cp_nl_state
 * @CP_NL_A_REASON: u32, CP_END_* of linux/checkpoint.h
 * @CP_NL_A_STATUS: s32, with CP_END_EXITED: as waitpid(2) gives it
 * @CP_NL_A_MADE: u64, CLOCK_MONOTONIC in ns when the pair was made
 * @CP_NL_A_TAKEN: u64, checkpoints that the master has taken
 * @CP_NL_A_MISSED: u64, checkpoints lost: cp_get.missed
 * @CP_NL_A_BYTES: u64, bytes of stack copied
 * @CP_NL_A_HELD: u64, total ns for which the slave was held up, including waits that
 *	a signal, the wait limit or the end of the pair ended, and a wait that is
 *	not over
 * @CP_NL_A_HELD_MAX: u64, ns of the longest hold-up, including one that is not over
 * @CP_NL_A_HELD_HISTOGRAM: binary, CP_NL_HELD_BUCKETS of u64: number n counts the
 *	hold-ups of 2^n to 2^(n+1) - 1 ns that are over; the last one counts longer
 *	ones, too
 * @CP_NL_A_LAST_SYSCALL: s32, the last system call seen; -1 for none
 * @CP_NL_A_TIME: u64, CLOCK_MONOTONIC in ns of the event; with CP_NL_CMD_CHECKPOINT, when
 *	the capture began, which is not later than cp_checkpoint.time
 * @CP_NL_A_SEQ: u64, the checkpoint's number
 * @CP_NL_A_ENTRY: u32, CP_ENTRY_* of linux/checkpoint.h
 * @CP_NL_A_SYSCALL: s32, with CP_ENTRY_SYSCALL its number, else -1
 * @CP_NL_A_IP: u64, the slave's instruction pointer
 * @CP_NL_A_SP: u64, the slave's stack pointer
 * @CP_NL_A_EVENTS: u32, CP_NL_EVENT_* bits
 * @CP_NL_A_LOST: u64, events lost since the last one that was sent
 * @CP_NL_A_PAD: padding before a u64
 * @CP_NL_A_FLAGS: u32, CP_CHECKPOINT_* of linux/checkpoint.h: of the last
 *	checkpoint; with CP_NL_CMD_CHECKPOINT, of that one. They say which ABI the
 *	number of the system call belongs to
 * @CP_NL_A_THREAD: u32, with CP_NL_CMD_CHECKPOINT: the id of the thread; with
 *	CP_NL_CMD_CHILD: that of the child
 * @CP_NL_A_THREADS: u32, number of threads that are slaves now
 * @CP_NL_A_UNSEEN: u32, threads that have run without being slaves: cp_get.unseen
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
	CP_NL_A_THREAD,
	CP_NL_A_THREADS,
	CP_NL_A_UNSEEN,

	/* private: */
	__CP_NL_A_MAX,
	CP_NL_A_MAX = __CP_NL_A_MAX - 1
};

/*
 * enum cp_nl_state - which of the two is waiting
 * @CP_NL_STATE_RUNNING: neither
 * @CP_NL_STATE_SLAVE_WAITING: the slave waits until the master takes its checkpoint
 * @CP_NL_STATE_MASTER_WAITING: the master waits for the slave to arrive
 * @CP_NL_STATE_OVER: the pair is over
 * @CP_NL_STATE_HELD: the master holds the slave (CP_IOC_HOLD)
 */
enum cp_nl_state {
	CP_NL_STATE_RUNNING,
	CP_NL_STATE_SLAVE_WAITING,
	CP_NL_STATE_MASTER_WAITING,
	CP_NL_STATE_OVER,
	CP_NL_STATE_HELD,
};

#define CP_NL_LISTENERS_PER_USER	16

/* Elements of CP_NL_A_HELD_HISTOGRAM. */
#define CP_NL_HELD_BUCKETS		32

/* CP_NL_A_EVENTS: pairs made and ended; each checkpoint. */
#define CP_NL_EVENT_PAIRS		(1U << 0)
#define CP_NL_EVENT_CHECKPOINTS		(1U << 1)

#endif /* _LINUX_CHECKPOINT_NETLINK_H */
