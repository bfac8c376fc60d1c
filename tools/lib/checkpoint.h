/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * libcheckpoint: checkpoints of a living process, through /dev/checkpoint
 *
 * A master (this process) pairs with a slave (another task). From then on the
 * slave hands over its registers and its stack each time it is about to return
 * to user mode, and goes on when the master has taken them.
 * <linux/checkpoint.h> explains pairs, checkpoints and the region; see also
 * libcheckpoint(3).
 *
 * There are two interfaces: the original two calls, cp_prep() and cp_get(),
 * for the one pair of a process, and the full one, by handle. A process is the
 * master of at most one pair at a time, whichever interface made it.
 *
 * Calls that fail return NULL, false or -1, set errno, and change nothing.
 */
#ifndef _CHECKPOINT_H
#define _CHECKPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <linux/checkpoint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CP_DEVICE	"/dev/checkpoint"

/*
 * The original calls
 * ------------------
 * Any thread may call them.
 */

/**
 * cp_prep() - become the master of a task
 * @pid: process id (it stands for the main thread) or thread id
 *
 * When the pair of an earlier call is over, the new one takes its place and
 * the region of the earlier one is unmapped.
 *
 * Return: the address of the region, or NULL with errno as cp_pair_open() and
 * cp_pair_prep() set it.
 */
void *cp_prep(pid_t pid);

/**
 * cp_get() - wait for the slave's next checkpoint
 * @regs: receives RAX RCX RDX RBX RSP RBP RSI RDI R8..R15, then RIP
 *
 * Return: true with a checkpoint. False with errno 0 when the pair is over,
 * most often because the slave ended; false again at each further call until
 * the next cp_prep(). False with another errno when it failed; no checkpoint
 * is lost then:
 * ENOTCONN	no pair has been made
 * EFAULT	@regs cannot be written
 * EINTR	a signal handler ran that was installed without SA_RESTART
 * EPERM	this process is not the master: a child of the master, say
 */
bool cp_get(uint64_t regs[CP_N_REG + 1]);

/**
 * cp_stack() - find memory of the slave in the checkpoint that cp_get() gave
 * @addr: an address in the slave, RSP (regs[4]) for instance
 * @left: if not NULL, receives the number of bytes saved from @addr on
 *
 * Return: where the copy of @addr lies in the region, or NULL with errno
 * ENODATA when there is no checkpoint or it does not hold @addr. The copy
 * stays as it is until the next cp_get() of any thread.
 */
const void *cp_stack(uint64_t addr, size_t *left);

/*
 * The full interface
 * ------------------
 * One thread at a time may use a handle, except that cp_pair_end() may be
 * called at any time, also in a signal handler.
 *
 * A child made by fork(2) is not the master and has no region: there
 * cp_pair_get() fails with EPERM and the calls that read the region give NULL.
 * It may close the handle, which does the parent's pair no harm.
 */

/* One open file of the device, and the pair it carries. */
struct cp_pair;

/**
 * struct cp_pair_options - how to pair; zero is the default everywhere
 * @size: sizeof(struct cp_pair_options), so that the struct can grow
 * @stack_limit: most bytes of stack in a checkpoint
 * @death_stack_limit: most bytes of stack in the state of death
 * @wait_limit: nanoseconds a slave waits for the master before it goes on
 *	without having handed over its checkpoint; 0 means no limit
 * @interval: at most one checkpoint in so many nanoseconds
 * @every: only one of so many returns to user mode
 * @nr_slots: how many checkpoints may wait for the master
 * @flags: CP_PREP_OVERWRITE, CP_PREP_DEATH, CP_PREP_XSTATE
 *
 * What they mean in full: struct cp_prep in <linux/checkpoint.h>.
 */
struct cp_pair_options {
	size_t		size;
	uint64_t	stack_limit;
	uint64_t	wait_limit;
	uint64_t	interval;
	uint32_t	every;
	uint32_t	nr_slots;
	uint32_t	flags;
	uint32_t	reserved;
	uint64_t	death_stack_limit;
};

/**
 * cp_pair_open() - open the device
 *
 * Return: a handle without a pair, to be closed by cp_pair_close(), or NULL
 * with the errno of open(2) (ENOENT: the module is not loaded, EACCES: no
 * permission), ENOTTY (another device has that name), EPROTONOSUPPORT (the
 * module speaks another version of the interface) or ENOMEM.
 */
struct cp_pair *cp_pair_open(void);

/**
 * cp_pair_close() - end the pair, unmap its region and free the handle
 * @pair: the handle; NULL is allowed
 *
 * errno stays as it was.
 */
void cp_pair_close(struct cp_pair *pair);

/**
 * cp_pair_info() - what the module offers
 * @pair: the handle
 * @info: receives the answer of CP_IOC_INFO
 *
 * Return: 0, or -1 with errno.
 */
int cp_pair_info(const struct cp_pair *pair, struct cp_info *info);

/**
 * cp_pair_prep() - become the master of a task
 * @pair: a handle without a pair, or with one that is over
 * @pid: process id (it stands for the main thread) or thread id
 * @options: NULL for the defaults
 *
 * Return: 0, or -1 with errno:
 * EINVAL	@pid is not positive, @pid is a task of this process, or an
 *		option is out of range
 * E2BIG	@options sets what this library does not know
 * EALREADY	this process is a master
 * EDEADLK	this process is a slave
 * EBUSY	@pid is a master or a slave, or a parent's pair lives on @pair
 * ESRCH	no such task, or it is exiting
 * EPERM	@pid is a kernel thread, or may not be traced by this process
 * EUSERS	this user has too many pairs (parameter pairs_per_user)
 * ENOSPC	all users together have too many pairs (pairs_max)
 * EDQUOT	too much memory for this user's pairs (memory_per_user)
 * ENOMEM	out of memory
 * EMFILE, ENFILE	out of file descriptors
 */
int cp_pair_prep(struct cp_pair *pair, pid_t pid,
		 const struct cp_pair_options *options);

/**
 * cp_pair_get() - wait for the slave's next checkpoint
 * @pair: the handle
 * @timeout_ns: how long to wait, in nanoseconds; 0 not at all, negative
 *	without limit
 * @flags: CP_GET_NUDGE or 0. A nudge cuts short a system call of the slave that
 *	has moved part of its data, as any signal does
 *
 * Return: 1: a checkpoint. 0: the pair is over, cp_pair_ended() tells why, and
 * the last checkpoint stays. -1 with errno; the next checkpoint is not lost
 * then, but the last one has been given up if it was one of these:
 * EAGAIN	nothing has come, with @timeout_ns 0 or O_NONBLOCK on the file
 * ETIMEDOUT	nothing has come within @timeout_ns
 * EINTR	a signal handler ran that was installed without SA_RESTART
 * and is still there if the call was refused:
 * ENOTCONN	no pair has been made
 * EPERM	this process is not the master
 * EINVAL	unknown flag
 */
int cp_pair_get(struct cp_pair *pair, int64_t timeout_ns, unsigned int flags);

/**
 * cp_pair_end() - end the pair, keep the handle
 * @pair: the handle
 *
 * The slave goes on at once. A cp_pair_get() that waits, and each later one,
 * returns 0. The last checkpoint stays readable. Safe in signal handlers.
 *
 * Return: 0, also when the pair was over already, or -1 with errno: ENOTCONN
 * without a pair, EPERM when this process is not the master.
 */
int cp_pair_end(const struct cp_pair *pair);

/**
 * cp_pair_ended() - why the pair is over
 * @pair: the handle
 * @status: if not NULL, receives the slave's status as waitpid(2) gives it
 *	when the reason is CP_END_EXITED, else 0
 *
 * Return: CP_END_NONE until cp_pair_get() has returned 0, then the reason, a
 * CP_END_* value.
 */
unsigned int cp_pair_ended(const struct cp_pair *pair, int *status);

/**
 * cp_pair_missed() - checkpoints lost: to the wait limit, or to newer ones
 * @pair: the handle
 *
 * Return: their number since the pair was made, as of the last cp_pair_get()
 * that did not fail.
 */
uint64_t cp_pair_missed(const struct cp_pair *pair);

/**
 * cp_pair_fd() - the file descriptor, for poll(2), epoll(7) and fcntl(2)
 * @pair: the handle
 *
 * Return: the descriptor. It belongs to the handle.
 */
int cp_pair_fd(const struct cp_pair *pair);

/**
 * cp_pair_region() - the region of the pair, or of the last one
 * @pair: the handle
 * @size: if not NULL, receives its size in bytes
 *
 * Return: its address, or NULL before the first pair.
 */
const struct cp_region_head *cp_pair_region(const struct cp_pair *pair,
					    size_t *size);

/**
 * cp_pair_checkpoint() - the checkpoint that cp_pair_get() gave last
 * @pair: the handle
 *
 * Fields beyond the struct's own size field are not there: an older kernel
 * filled it.
 *
 * Return: the checkpoint, in the region, where it stays as it is until the
 * next cp_pair_get(); NULL when there is none.
 */
const struct cp_checkpoint *cp_pair_checkpoint(const struct cp_pair *pair);

/**
 * cp_pair_segment() - a segment of the last checkpoint
 * @pair: the handle
 * @i: which, from 0
 *
 * Return: the segment, in the region, or NULL when there is none.
 */
const struct cp_segment *cp_pair_segment(const struct cp_pair *pair,
					 unsigned int i);

/**
 * cp_pair_segment_data() - the bytes of a segment of the last checkpoint
 * @pair: the handle
 * @i: which, from 0
 *
 * Return: cp_pair_segment(@pair, @i)->size bytes in the region, or NULL when
 * there is no such segment.
 */
const void *cp_pair_segment_data(const struct cp_pair *pair, unsigned int i);

/**
 * cp_pair_data() - find memory of the slave in the last checkpoint
 * @pair: the handle
 * @addr: its address in the slave
 * @len: its length in bytes
 *
 * Return: where the copy of all @len bytes lies in the region, or NULL when
 * the checkpoint does not hold them in one segment.
 */
const void *cp_pair_data(const struct cp_pair *pair, uint64_t addr,
			 size_t len);

/*
 * Looking while the slave writes
 * ------------------------------
 * All slots of the region can be read at any time, by any number of threads,
 * without a system call: the last states of a slave that waits for nobody.
 */

/* The slot of the newest checkpoint, whichever it is. */
#define CP_SLOT_NEWEST	(~0U)

/**
 * cp_pair_slots() - how many slots there are
 * @pair: the handle
 *
 * Return: their number; 0 before the first pair.
 */
unsigned int cp_pair_slots(const struct cp_pair *pair);

/**
 * cp_pair_copy() - copy the checkpoint that is in a slot
 * @pair: the handle; no other call on it may run that makes or closes a pair
 * @slot: below cp_pair_slots(), or CP_SLOT_NEWEST
 * @buf: receives a struct cp_checkpoint, its segments, and their bytes;
 *	aligned for a uint64_t. A segment's offset is from @buf
 * @size: bytes there; cp_pair_region()->slot_size suffices for all slots but the
 *	last, in which a state of death lies, and cp_pair_options.death_stack_limit
 *	more suffices for that one
 *
 * What is copied is one checkpoint, whole.
 *
 * Return: 1: a checkpoint. 0: none is there, or it is being written. -1 with
 * errno: EAGAIN: the slave was faster time and again, try later; ERANGE: @buf
 * is too small; EINVAL: no such slot; ENOTCONN: there is no region.
 */
int cp_pair_copy(const struct cp_pair *pair, unsigned int slot, void *buf,
		 size_t size);

#ifdef __cplusplus
}
#endif

#endif /* _CHECKPOINT_H */
