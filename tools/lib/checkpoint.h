/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * libcheckpoint: checkpoints of a living process, through /dev/checkpoint
 *
 * A master (the calling process) pairs with a slave: another task, or a process with
 * all its threads. Each time the slave is about to return to user mode, it captures its
 * registers and its stack, and continues when the master has taken this checkpoint.
 * <linux/checkpoint.h> explains pairs, checkpoints and the region;
 * libcheckpoint(3) has an example.
 *
 * The library has two interfaces. The original calls, cp_prep() and cp_get(),
 * work on one hidden pair per process. The full interface works on handles. A
 * process is the master of at most one pair at a time, whichever interface made
 * the pair.
 *
 * A call that fails returns NULL, false or -1 and sets errno. Unless its
 * description says otherwise, a failed call changes nothing.
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
 * Any thread may make these calls, at any time.
 */

/**
 * cp_prep() - become the master of a task
 * @pid: thread id of the slave; a process id stands for the main thread
 *
 * If an earlier pair of this process is over, the new pair replaces it, and the
 * region of the earlier pair is unmapped.
 *
 * Return: the address of the region, or NULL with the errno of cp_pair_open()
 * or cp_pair_prep().
 */
void *cp_prep(pid_t pid);

/**
 * cp_get() - wait for the slave's next checkpoint
 * @regs: receives RAX RCX RDX RBX RSP RBP RSI RDI R8..R15, then RIP
 *
 * Return: true if @regs holds the registers of a checkpoint. False with errno 0
 * if the pair is over, in most cases because the slave exited; each further call
 * returns the same until the next cp_prep(). False with another errno if the
 * call failed. A failed call does not lose the checkpoint:
 * ENOTCONN	cp_prep() has not made a pair
 * EFAULT	@regs is not writable
 * EINTR	a signal handler without SA_RESTART interrupted the wait
 * EPERM	this process is not the master, but for example its child
 */
bool cp_get(uint64_t regs[CP_N_REG + 1]);

/**
 * cp_stack() - find memory of the slave in the checkpoint of the last cp_get()
 * @addr: an address in the slave, for example its RSP (regs[4])
 * @left: if not NULL, receives the number of bytes saved from @addr on
 *
 * Return: the address of the copy in the region, or NULL with errno ENODATA if
 * there is no checkpoint or the checkpoint does not hold @addr. The copy does
 * not change until any thread calls cp_get() again.
 */
const void *cp_stack(uint64_t addr, size_t *left);

/*
 * The full interface
 * ------------------
 * One thread at a time may use a handle. cp_pair_end() and cp_pair_release() are the
 * exceptions: any thread, and any signal handler, may call them at any time.
 *
 * A child made by fork(2) is not the master and does not inherit the region: in
 * the child, cp_pair_get() fails with EPERM, and the calls that read the region
 * return NULL. The child may close the handle without any effect on the parent's
 * pair.
 */

/* A handle: an open file of the device, and its current or last pair. */
struct cp_pair;

/**
 * struct cp_pair_options - options of a pair
 * @size: sizeof(struct cp_pair_options); distinguishes versions of the struct
 * @stack_limit: maximum number of bytes of stack in a checkpoint
 * @wait_limit: maximum time, in nanoseconds, for which the slave waits for the
 *	master; after that the slave continues, and its checkpoint is missed
 * @interval: minimum time between two checkpoints, in nanoseconds
 * @every: capture every Nth return to user mode, starting with the first
 * @nr_slots: maximum number of checkpoints that may wait for the master
 * @flags: CP_PREP_OVERWRITE, CP_PREP_DEATH, CP_PREP_XSTATE, CP_PREP_PROCESS,
 *	CP_PREP_CHILDREN
 * @reserved: 0
 * @death_stack_limit: maximum number of bytes of stack in the state of death
 * @nr_threads: with CP_PREP_PROCESS, maximum number of threads at one time
 * @reserved2: 0
 * @child_limit: with CP_PREP_CHILDREN, time in nanoseconds after which a child continues
 *	although nobody has paired with it
 * @writable: 1: prove that this process may write to the slave's memory, too, which
 *	cp_pair_put_back() needs; or 0
 *
 * 0 selects the default of each option: the module's stack limit, no wait limit,
 * every return to user mode, one slot. struct cp_prep in <linux/checkpoint.h>
 * describes each option in full.
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
	uint32_t	nr_threads;
	uint32_t	reserved2;
	uint64_t	child_limit;
	uint64_t	writable;
};

/**
 * cp_pair_open() - open the device
 *
 * Return: a handle without a pair, which cp_pair_close() frees, or NULL with
 * errno:
 * ENOENT	the module is not loaded
 * EACCES	this process has no permission to open the device
 * ENOTTY	/dev/checkpoint is not the module's device
 * EPROTONOSUPPORT	the module has another version of the interface
 * ENOMEM	out of memory
 * or another errno of open(2).
 */
struct cp_pair *cp_pair_open(void);

/**
 * cp_pair_close() - end the pair, unmap its region and free the handle
 * @pair: the handle, or NULL
 *
 * The call does not change errno.
 */
void cp_pair_close(struct cp_pair *pair);

/**
 * cp_pair_info() - query the module's version, features and limits
 * @pair: the handle
 * @info: receives the result of CP_IOC_INFO
 *
 * Return: 0, or -1 with errno.
 */
int cp_pair_info(const struct cp_pair *pair, struct cp_info *info);

/**
 * cp_pair_prep() - become the master of a task, or of a process
 * @pair: a handle without a pair, or with a pair that is over
 * @pid: thread id of the slave; a process id stands for the main thread. With
 *	CP_PREP_PROCESS, the slave is the whole process of that thread
 * @options: the options, or NULL for the defaults
 *
 * The region of the handle's earlier pair is unmapped.
 *
 * Return: 0, or -1 with errno:
 * EINVAL	@pid is not positive, @pid is a task of this process, or an
 *		option is out of range
 * E2BIG	@options sets an option that this library does not know
 * EALREADY	this process is a master already
 * EDEADLK	this process is a slave
 * EBUSY	the process of @pid is a master or a slave, or @pair, inherited
 *		through fork(2), carries the parent's pair
 * ESRCH	@pid does not exist, or is exiting
 * EPERM	@pid is a kernel thread, or this process may not trace @pid
 * EOVERFLOW	the process has more threads than cp_pair_options.nr_threads
 * EUSERS	this user has too many pairs (module parameter pairs_per_user)
 * ENOSPC	all users together have too many pairs (pairs_max)
 * EDQUOT	this user's pairs need too much memory (memory_per_user)
 * ENOMEM	out of memory
 * EINTR	a signal interrupted the call while another thread made a pair on
 *		the same file
 * EMFILE, ENFILE	out of file descriptors
 * EROFS	with cp_pair_options.writable: /proc is mounted read-only
 */
int cp_pair_prep(struct cp_pair *pair, pid_t pid,
		 const struct cp_pair_options *options);

/**
 * cp_pair_get() - wait for the slave's next checkpoint
 * @pair: the handle
 * @timeout_ns: maximum time to wait, in nanoseconds; 0: do not wait; negative:
 *	no limit
 * @flags: CP_GET_NUDGE or 0. A nudge interrupts a system call in which the slave
 *	sleeps, as a signal does: a call that has transferred part of its data
 *	returns the short count
 *
 * The call gives up the handle's last checkpoint: the slave may reuse its slot.
 *
 * Return: 1 if there is a new checkpoint, which cp_pair_checkpoint() returns. 2, only
 * with CP_PREP_PROCESS, if a thread has ended: cp_pair_thread() says which. 3, only with
 * CP_PREP_CHILDREN, if a child is held: cp_pair_thread() returns its id. 0 if
 * the pair is over: cp_pair_ended() returns the reason, and the last checkpoint
 * stays readable. -1 with errno if the call failed. A failed call does not lose
 * the slave's next checkpoint.
 *
 * After these errors the last checkpoint has been given up:
 * EAGAIN	no checkpoint yet, and @timeout_ns is 0 or the file has O_NONBLOCK
 * ETIMEDOUT	no checkpoint within @timeout_ns
 * EINTR	a signal handler without SA_RESTART interrupted the wait
 *
 * After these errors the last checkpoint is still valid:
 * ENOTCONN	no pair has been made
 * EPERM	this process is not the master
 * EINVAL	@flags has an unknown flag
 */
int cp_pair_get(struct cp_pair *pair, int64_t timeout_ns, unsigned int flags);

/**
 * cp_pair_thread() - query which thread the last cp_pair_get() was about
 * @pair: the handle
 * @status: if not NULL, receives the status of the last thread that ended, in the
 *	format of waitpid(2)
 *
 * Return: the thread's id in this process's pid namespace, as of the last
 * cp_pair_get() that returned 1, 2 or 3.
 */
pid_t cp_pair_thread(const struct cp_pair *pair, int *status);

/**
 * cp_pair_unseen() - count the threads that the pair has not seen
 * @pair: the handle
 *
 * With CP_PREP_PROCESS, a thread that the slave creates runs without being a slave if
 * the pair has no room or no memory for it.
 *
 * Return: the number of such threads since the pair was made, as of the last
 * cp_pair_get() that did not fail.
 */
unsigned int cp_pair_unseen(const struct cp_pair *pair);

/**
 * cp_pair_hold() - hold all threads of the slave at one instant
 * @pair: the handle
 * @timeout_ns: maximum time to wait until all threads have arrived, in nanoseconds;
 *	negative: no limit
 * @limit_ns: time after which the slave continues without a release; 0: one second
 * @flags: 0: threads that sleep in a system call are nudged. CP_HOLD_ASLEEP: they are
 *	left asleep, and cp_pair_sleeper() reads their states
 * @late: if not NULL, receives the id of a thread that did not arrive, with ETIMEDOUT
 *
 * Each thread hands over a checkpoint, which cp_pair_get() returns after older ones, and
 * executes nothing until cp_pair_release(), the limit, or the end of the pair. The
 * handle's last checkpoint is given up.
 *
 * Return: the number of threads that are held or left asleep, or -1 with errno; then all
 * threads continue:
 * ETIMEDOUT	a thread did not arrive within @timeout_ns
 * EALREADY	the slave is held
 * EPIPE	the pair is over
 * EINTR	a signal handler without SA_RESTART interrupted the wait
 * ENOTCONN	no pair has been made
 * EPERM	this process is not the master
 */
int cp_pair_hold(struct cp_pair *pair, int64_t timeout_ns, uint64_t limit_ns,
		 unsigned int flags, pid_t *late);

/**
 * cp_pair_asleep() - count the threads that a hold has left asleep
 * @pair: the handle
 *
 * Return: how many of the threads that the last cp_pair_hold() counted sleep in a
 * system call, and were not captured; 0 if that call has failed, or if there is none.
 */
unsigned int cp_pair_asleep(const struct cp_pair *pair);

/**
 * cp_pair_sleeper() - read the state of a thread that sleeps in a system call
 * @pair: the handle
 * @part: index of the thread's part, below cp_pair_parts()
 * @sleeper: receives the state, as CP_IOC_SLEEPER gives it
 *
 * The thread is not disturbed. Its memory can be read from /proc/PID/mem; it belongs to
 * the state if a second call gives the same cp_sleeper.switches.
 *
 * Return: 0, or -1 with errno: EAGAIN if the thread is awake, EALREADY if it is held and
 * cp_pair_get() returns its state, ESRCH if the part has no thread now, ENOENT if
 * there is no such part, EPIPE if the pair is over, ENOTCONN, EPERM; ENOTTY if the module
 * does not know the call.
 */
int cp_pair_sleeper(const struct cp_pair *pair, unsigned int part,
		    struct cp_sleeper *sleeper);

/**
 * cp_pair_release() - let a held slave continue
 * @pair: the handle
 *
 * This function is async-signal-safe.
 *
 * Return: 0, or -1 with errno: ETIME if the slave has continued because the limit
 * passed, EALREADY if it was not held, ENOTCONN, EPERM.
 */
int cp_pair_release(const struct cp_pair *pair);

/**
 * cp_pair_end() - end the pair, keep the handle
 * @pair: the handle
 *
 * The slave continues at once. A cp_pair_get() that is waiting returns 0, and so
 * does each later call. The last checkpoint stays readable. This function is
 * async-signal-safe.
 *
 * Return: 0, even if the pair was over already, or -1 with errno: ENOTCONN if no
 * pair has been made, EPERM if this process is not the master.
 */
int cp_pair_end(const struct cp_pair *pair);

/**
 * cp_pair_ended() - query why the pair is over
 * @pair: the handle
 * @status: if not NULL, receives the slave's wait status, in the format of
 *	waitpid(2), if the reason is CP_END_EXITED; else 0
 *
 * Return: CP_END_NONE until cp_pair_get() has returned 0; then one of
 * CP_END_EXITED, CP_END_EXEC, CP_END_DETACHED and CP_END_PUT_BACK.
 */
unsigned int cp_pair_ended(const struct cp_pair *pair, int *status);

/**
 * cp_pair_missed() - count the checkpoints that the master never received
 * @pair: the handle
 *
 * A checkpoint is missed if the slave's wait limit passed, if a newer checkpoint
 * overwrote it, if a new thread got its part of the region, or if there was no memory
 * for it; see cp_get.missed.
 *
 * Return: the number of missed checkpoints since the pair was made, as of the
 * last cp_pair_get() that did not fail.
 */
uint64_t cp_pair_missed(const struct cp_pair *pair);

/**
 * cp_pair_fd() - get the file descriptor, for poll(2), epoll(7) and fcntl(2)
 * @pair: the handle
 *
 * Return: the descriptor. The handle owns it: do not close it.
 */
int cp_pair_fd(const struct cp_pair *pair);

/**
 * cp_pair_region() - get the region of the handle's current or last pair
 * @pair: the handle
 * @size: if not NULL, receives the region's size in bytes
 *
 * Return: the region's address, or NULL if no pair has been made yet.
 */
const struct cp_region_head *cp_pair_region(const struct cp_pair *pair,
					    size_t *size);

/**
 * cp_pair_checkpoint() - get the checkpoint of the last cp_pair_get()
 * @pair: the handle
 *
 * Do not read fields beyond cp_checkpoint.size bytes: an older module does not
 * fill them.
 *
 * Return: the checkpoint, in the region, or NULL if there is none. The checkpoint
 * does not change until the next cp_pair_get() or cp_pair_hold().
 */
const struct cp_checkpoint *cp_pair_checkpoint(const struct cp_pair *pair);

/**
 * cp_pair_segment() - get a segment of the last checkpoint
 * @pair: the handle
 * @i: index of the segment, below cp_checkpoint.nr_segments
 *
 * Return: the segment, in the region, or NULL if the checkpoint does not have a
 * segment @i.
 */
const struct cp_segment *cp_pair_segment(const struct cp_pair *pair,
					 unsigned int i);

/**
 * cp_pair_segment_data() - get the bytes of a segment of the last checkpoint
 * @pair: the handle
 * @i: index of the segment, below cp_checkpoint.nr_segments
 *
 * Return: the address, in the region, of cp_pair_segment(@pair, @i)->size bytes,
 * or NULL if the checkpoint does not have a segment @i.
 */
const void *cp_pair_segment_data(const struct cp_pair *pair, unsigned int i);

/**
 * cp_pair_data() - find memory of the slave in the last checkpoint
 * @pair: the handle
 * @addr: address in the slave
 * @len: number of bytes
 *
 * Only stack segments are searched.
 *
 * Return: the address, in the region, of the copy of all @len bytes, or NULL if
 * no stack segment of the checkpoint holds all of them.
 */
const void *cp_pair_data(const struct cp_pair *pair, uint64_t addr,
			 size_t len);

/*
 * Reading slots while the slave writes them
 * -----------------------------------------
 * Any number of threads may copy the slots of the region at any time, without a
 * system call. With CP_PREP_OVERWRITE, the slots hold the last checkpoints of a
 * slave that never waits for its master.
 */

/* In place of a slot's index: the slot of the newest checkpoint. */
#define CP_SLOT_NEWEST	(~0U)

/**
 * cp_pair_slots() - get the number of slots
 * @pair: the handle
 *
 * Return: the number of slots in each part of the region, or 0 if no pair has been made
 * yet.
 */
unsigned int cp_pair_slots(const struct cp_pair *pair);

/**
 * cp_pair_copy() - copy the checkpoint in a slot
 * @pair: the handle; cp_pair_prep() and cp_pair_close() must not run on it
 *	meanwhile
 * @slot: index of the slot, below cp_pair_slots(), or CP_SLOT_NEWEST; in the first part
 *	of the region
 * @buf: receives a struct cp_checkpoint, its segments, and their bytes; aligned
 *	for a uint64_t
 * @size: size of @buf in bytes; cp_pair_region()->slot_size is enough for each
 *	slot but the last; the last slot also holds the state of death, and needs
 *	up to cp_pair_options.death_stack_limit bytes more
 *
 * The copy is always one whole checkpoint: a copy that the slave has overwritten
 * meanwhile is discarded, and made again up to 16 times. In the copy,
 * cp_segment.offset counts from @buf.
 *
 * Return: 1 if @buf holds a checkpoint. 0 if the slot is empty, or the slave is
 * writing it. -1 with errno:
 * EAGAIN	the slave overwrote the slot during each attempt; try again later
 * ERANGE	@buf is too small
 * EINVAL	@slot is out of range
 * ENOTCONN	no pair has been made
 */
int cp_pair_copy(const struct cp_pair *pair, unsigned int slot, void *buf,
		 size_t size);

/*
 * The parts of the region
 * -----------------------
 * With CP_PREP_PROCESS, the region has one part per thread. A part belongs to the same
 * thread until the end of that thread has been taken; CP_PREP_OVERWRITE: see
 * CP_ENDED_KEPT. So this visits the threads' newest states:
 *
 *	for (i = 0; i < cp_pair_parts(pair); i++)
 *		if (cp_pair_copy_part(pair, i, CP_SLOT_NEWEST, buf, size) == 1)
 *			look at buf->thread, buf->regs ...
 */

/**
 * cp_pair_parts() - get the number of parts that threads have had so far
 * @pair: the handle
 *
 * Return: their number; 1 without CP_PREP_PROCESS; 0 if no pair has been made yet.
 */
unsigned int cp_pair_parts(const struct cp_pair *pair);

/**
 * cp_pair_part() - get the head of a part
 * @pair: the handle
 * @i: index of the part, below cp_pair_parts()
 *
 * Return: the head, in the region, or NULL if there is no such part. Its field thread is
 * the id of the thread whose checkpoints the part holds.
 */
const struct cp_region_head *cp_pair_part(const struct cp_pair *pair,
					  unsigned int i);

/**
 * cp_pair_copy_part() - copy the checkpoint in a slot of a part
 * @pair: as for cp_pair_copy()
 * @part: index of the part, below cp_pair_parts()
 * @slot: as for cp_pair_copy(), in that part
 * @buf: as for cp_pair_copy()
 * @size: as for cp_pair_copy()
 *
 * Return: as cp_pair_copy().
 */
int cp_pair_copy_part(const struct cp_pair *pair, unsigned int part,
		      unsigned int slot, void *buf, size_t size);

/*
 * Snapshots
 * ---------
 * A snapshot is the state of a whole process at one instant: the registers of all
 * threads, the list of mappings, and all private memory. The process continues
 * at once. <linux/checkpoint.h>, "The snapshot", explains what a snapshot holds, and
 * describes the structs. This visits the threads, and reads the word that each has on top
 * of its stack:
 *
 *	snap = cp_pair_snapshot(pair, -1, 0, NULL);
 *	for (i = 0; (thread = cp_snap_thread(snap, i)); i++)
 *		cp_snap_read(snap, thread->checkpoint.regs.rsp, &word, sizeof(word));
 *	cp_snap_close(snap);
 *
 * Any number of threads may read a snapshot at a time. A child made by fork(2) may, too.
 */

/* A handle: the descriptor of a snapshot, and a copy of its description. */
struct cp_snap;

/**
 * cp_pair_snapshot() - take a snapshot of the slave
 * @pair: a handle whose pair was made with CP_PREP_PROCESS
 * @timeout_ns: maximum time to wait until all threads have arrived, in nanoseconds;
 *	negative: no limit
 * @limit_ns: time after which the slave continues in any case; 0: one second
 * @late: if not NULL, receives the id of a thread that did not arrive, with ETIMEDOUT
 *
 * A slave that is not held by cp_pair_hold() is held for the call. If a thread is in a
 * restartable sequence (rseq(2)), the call is repeated up to 16 times. The snapshot
 * stays valid after the end of the pair and of the slave.
 *
 * Return: the snapshot, which cp_snap_close() frees, or NULL with errno. Then nothing has
 * changed in the slave:
 * EINVAL	the pair was made without CP_PREP_PROCESS
 * ENOTCONN	no pair has been made
 * EPERM	this process is not the master
 * EPIPE	the pair is over
 * ETIMEDOUT	a thread did not arrive within @timeout_ns; or all threads sleep in system
 *		calls that cannot be interrupted without the program noticing
 * EINTR	a signal handler without SA_RESTART interrupted the wait
 * EOVERFLOW	the process has threads that are not slaves: see cp_pair_unseen()
 * EBUSY	a debugger traces a thread
 * EINPROGRESS	a thread has an io_uring, or the process has used io_setup(2)
 * ENOTUNIQ	another process runs in the same memory
 * EMEDIUMTYPE	private huge pages of hugetlbfs, or a sealed shared mapping
 * EADDRINUSE	a userfaultfd(2) is registered in the process
 * ENOSPC	a memory cgroup of the slave has no room for a second copy of its memory
 * EUSERS	this user has too many snapshots (module parameter snapshots_per_user)
 * EDQUOT	this user's snapshots could keep too much memory
 *		(snapshot_memory_per_user)
 * EACCES	a seccomp filter, or syscall user dispatch, is active
 * EXDEV	children of the process would begin in other pid or time namespaces
 * EOPNOTSUPP	32-bit code, or no instruction for a system call was found
 * EAGAIN	fork(2) would fail with it, or a restartable sequence did not end
 * ENOTTY	the module does not know snapshots (CP_FEATURE_SNAPSHOT)
 * EMFILE, ENFILE	out of file descriptors
 * ENOMEM	out of memory
 */
struct cp_snap *cp_pair_snapshot(const struct cp_pair *pair, int64_t timeout_ns,
				 uint64_t limit_ns, pid_t *late);

/**
 * cp_pair_snapshot_with() - take a snapshot, with flags
 * @pair: as for cp_pair_snapshot()
 * @flags: CP_SNAPSHOT_CHANGES: log what may change from now on, so that cp_pair_changes() and
 *	cp_snap_changes() take a time that depends on the changes; or 0
 * @timeout_ns: as for cp_pair_snapshot()
 * @limit_ns: as for cp_pair_snapshot()
 * @late: as for cp_pair_snapshot()
 *
 * Return: as cp_pair_snapshot(). EINVAL also means that the module does not know a flag.
 */
struct cp_snap *cp_pair_snapshot_with(const struct cp_pair *pair, uint32_t flags,
				      int64_t timeout_ns, uint64_t limit_ns,
				      pid_t *late);

/**
 * cp_snap_open() - make a handle of a snapshot's descriptor
 * @fd: the descriptor, for example one that another process has passed over a socket.
 *	The handle owns it then
 *
 * Return: the handle, or NULL with errno; then the caller still owns @fd:
 * EINVAL	@fd is not a snapshot
 * EPROTONOSUPPORT	the module has another version of the interface
 * EBADF, ENOMEM, or another errno of pread(2).
 */
struct cp_snap *cp_snap_open(int fd);

/**
 * cp_snap_close() - free the handle, and the snapshot with its last descriptor
 * @snap: the handle, or NULL
 *
 * The call does not change errno.
 */
void cp_snap_close(struct cp_snap *snap);

/**
 * cp_snap_fd() - get the file descriptor
 * @snap: the handle
 *
 * Return: the descriptor. The handle owns it: do not close it.
 */
int cp_snap_fd(const struct cp_snap *snap);

/**
 * cp_snap_head() - get the head of the description: time, process, number of threads
 * @snap: the handle
 *
 * Return: the head, which is valid until cp_snap_close(), as all pointers that the
 * functions below return.
 */
const struct cp_snapshot_head *cp_snap_head(const struct cp_snap *snap);

/**
 * cp_snap_read() - read memory of the snapshot
 * @snap: the handle
 * @addr: address in the slave
 * @buf: receives the bytes
 * @size: number of bytes
 *
 * Return: the number of bytes that were read, which is less than @size if what follows
 * cannot be read; -1 with errno if no byte can be read:
 * EIO		the snapshot has no memory there
 * ENODATA	the memory was dropped, because the machine ran out of memory
 * EFAULT	@buf is not writable
 */
ssize_t cp_snap_read(const struct cp_snap *snap, uint64_t addr, void *buf,
		     size_t size);

/**
 * cp_snap_thread() - get a thread
 * @snap: the handle
 * @i: index of the thread, from 0; the order has no meaning
 *
 * Return: the thread, or NULL if there is none with this index. Its xstate_offset counts
 * from cp_snap_head(); cp_snap_xstate() returns the bytes.
 */
const struct cp_snapshot_thread *cp_snap_thread(const struct cp_snap *snap,
						unsigned int i);

/**
 * cp_snap_xstate() - get the floating point and vector registers of a thread
 * @snap: the handle
 * @i: index of the thread
 * @size: if not NULL, receives the number of bytes
 *
 * Return: the registers in the format of CP_SEGMENT_XSTATE, or NULL if there are none.
 */
const void *cp_snap_xstate(const struct cp_snap *snap, unsigned int i,
			   size_t *size);

/**
 * cp_snap_mapping() - get a mapping
 * @snap: the handle
 * @i: index of the mapping, from 0, in the order of addresses
 *
 * Return: the mapping, or NULL if there is none with this index.
 */
const struct cp_snapshot_mapping *cp_snap_mapping(const struct cp_snap *snap,
						  unsigned int i);

/**
 * cp_snap_name() - get the name of a mapping
 * @snap: the handle
 * @i: index of the mapping
 *
 * Return: the path of its file, or a name like "[heap]"; NULL if it has none.
 */
const char *cp_snap_name(const struct cp_snap *snap, unsigned int i);

/**
 * cp_pair_changes() - list what differs between a snapshot and the slave as it is now
 * @pair: a handle whose slave is held: see cp_pair_hold()
 * @snap: a snapshot of the slave
 * @start: list from this address; 0 at first, then what @next has received
 * @changes: receives what differs, in the order of addresses: <linux/checkpoint.h> explains
 *	the flags
 * @nr: the number of structs that @changes has room for
 * @next: receives where the next call has to begin; CP_FOREVER at the end
 *
 * This visits all of it:
 *
 *	for (at = 0; at != CP_FOREVER;) {
 *		nr = cp_pair_changes(pair, snap, at, changes, 64, &at);
 *		if (nr < 0)
 *			break;
 *		look at changes[0] to changes[nr - 1];
 *	}
 *
 * Return: the number of changes in @changes, or -1 with errno:
 * EAGAIN	the slave is not held
 * ETIME	the slave has continued meanwhile
 * ESTALE	the snapshot is of another process, or of another program that the process
 *		has executed
 * ENODATA	the memory of the snapshot was dropped
 * EINVAL	@nr is 0, or @start is not at a page
 * ENOTCONN	no pair has been made
 * EPERM	this process is not the master
 * EPIPE	the pair is over
 * EINTR	a signal handler without SA_RESTART interrupted the call
 * ENOTTY	the module does not list changes (CP_FEATURE_CHANGES)
 * ENOMEM	out of memory
 */
int cp_pair_changes(const struct cp_pair *pair, const struct cp_snap *snap,
		    uint64_t start, struct cp_change *changes, unsigned int nr,
		    uint64_t *next);

/**
 * cp_snap_changes() - list what differs between two snapshots of one process
 * @snap: the later snapshot
 * @earlier: the earlier one
 * @start: as for cp_pair_changes()
 * @changes: as for cp_pair_changes()
 * @nr: as for cp_pair_changes()
 * @next: as for cp_pair_changes()
 *
 * Neither the process nor the pair need exist any more.
 *
 * Return: as cp_pair_changes(); errno can be ESTALE, ENODATA, EINVAL, ENOTTY or ENOMEM.
 */
int cp_snap_changes(const struct cp_snap *snap, const struct cp_snap *earlier,
		    uint64_t start, struct cp_change *changes, unsigned int nr,
		    uint64_t *next);

/**
 * cp_pair_put_back() - put the slave back to a snapshot of it, in place
 * @pair: a handle whose pair was made with CP_PREP_PROCESS and cp_pair_options.writable
 * @snap: a snapshot of the slave, taken in this pair or in an earlier one
 * @timeout_ns: as for cp_pair_snapshot()
 * @limit_ns: as for cp_pair_snapshot()
 * @pages: if not NULL, receives the number of pages that were restored
 * @late: if not NULL, receives the id of a thread that did not arrive, with ETIMEDOUT; with
 *	ESRCH, of a thread that has ended since the snapshot
 *
 * <linux/checkpoint.h>, struct cp_put_back, lists what is restored and what is not. A slave
 * that is held by cp_pair_hold() stays held; any other continues from the snapshot at once.
 * The slave can be put back to a snapshot any number of times.
 *
 * A child that inherits a handle through fork(2) cannot be put back (EMEDIUMTYPE), because a
 * page of the handle is not in snapshots: cp_pair_open() after the fork.
 *
 * Return: 0, or -1 with errno. Then nothing has changed in the slave, except with
 * ENOTRECOVERABLE, and with ETIMEDOUT and EINTR if they come in the middle:
 * EROFS	the pair was made without cp_pair_options.writable
 * EXDEV	the snapshot is of another process
 * ESTALE	the process has executed another program since the snapshot
 * ESRCH	a thread of the snapshot has ended
 * ENOBUFS	a thread waits for a slot in its ring: cp_pair_get() makes room
 * EKEYREJECTED	a thread has changed its credentials since the snapshot
 * ENOLCK	a thread holds a futex with priority inheritance, for which another process
 *		waits
 * EADDRNOTAVAIL	a mapping has changed in a way that cannot be undone
 * EMEDIUMTYPE	private huge pages of hugetlbfs, a sealed mapping, or memory that is not in
 *		snapshots
 * EACCES	a thread that has to end has a seccomp filter or syscall user dispatch
 * EOPNOTSUPP	32-bit code, a shadow stack, or no instruction for a system call was found
 * ENODATA	the memory of the snapshot was dropped
 * EIO		a page cannot be read or written
 * ENOTRECOVERABLE	the call failed after the first change, and the slave was killed
 * ENOTTY	the module cannot put back (CP_FEATURE_PUT_BACK)
 * EINVAL, ENOTCONN, EPERM, EPIPE, ETIMEDOUT, EINTR, EOVERFLOW, EBUSY, EINPROGRESS, ENOTUNIQ,
 * EADDRINUSE, ENOMEM	as for cp_pair_snapshot()
 */
int cp_pair_put_back(struct cp_pair *pair, const struct cp_snap *snap,
		     int64_t timeout_ns, uint64_t limit_ns, uint64_t *pages,
		     pid_t *late);

#ifdef __cplusplus
}
#endif

#endif /* _CHECKPOINT_H */
