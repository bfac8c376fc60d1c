/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * /dev/checkpoint: live process checkpoints
 *
 * A master process pairs with a slave: one task, or a process with all its
 * threads (CP_PREP_PROCESS). From then on, every time the slave is about to return
 * to user mode, it hands its registers and its stack to the master and continues
 * when the master has taken them. Alternatively the slave does not wait, and its last
 * states are kept, which the master can read at any time, even after the slave has
 * died ("Flight recorder", below).
 *
 *	fd = open("/dev/checkpoint", O_RDWR | O_CLOEXEC);
 *	prep.pid = pid;
 *	prep.mem_fd = open("/proc/PID/mem", O_RDONLY | O_CLOEXEC);
 *	ioctl(fd, CP_IOC_PREP, &prep);
 *	region = mmap(NULL, prep.region_size, PROT_READ, MAP_SHARED, fd, 0);
 *	get.deadline = CP_FOREVER;
 *	while (ioctl(fd, CP_IOC_GET, &get) == 1)
 *		look at the struct cp_checkpoint at region + get.slot_offset;
 *
 * One open file carries at most one pair at a time. The pair lasts until the
 * slave ends (exit, death, exec), until the master ends or closes its last
 * descriptor of the file, or until CP_IOC_END.
 *
 * Rules for all structs
 * ---------------------
 * A struct may grow at its end, and the ioctl number contains its size. A newer
 * program's longer struct is accepted if the fields that the kernel does not
 * know are zero (else E2BIG). In an older program's shorter struct, the missing
 * fields count as zero. A struct shorter than its first version, an
 * unknown flag and a non-zero reserved field are EINVAL; an unreadable or
 * unwritable argument is EFAULT. An ioctl number not listed here is ENOTTY.
 * The layout is the same for 32-bit callers. The kernel only reads fields marked
 * [in] and only writes fields marked [out]. A call that fails changes nothing,
 * and its [out] fields have no meaning.
 */
#ifndef _LINUX_CHECKPOINT_H
#define _LINUX_CHECKPOINT_H

#include <linux/ioctl.h>
#include <linux/types.h>

/* Version of this interface; it changes only when old callers would break. */
#define CP_VERSION		1

/* Number of general registers in the array at cp_get.regs; RIP follows them. */
#define CP_N_REG		16

/*
 * struct cp_info - what this kernel offers (CP_IOC_INFO)
 * @version:	[out] CP_VERSION
 * @reserved:	[out] zero
 * @features:	[out] CP_FEATURE_* bits
 * @stack_default: [out] bytes of stack kept when cp_prep.stack_limit is 0
 * @stack_max:	[out] the most that cp_prep.stack_limit times the number of slots
 *		may be
 * @arena_default: [out] as @stack_default, for a stack pointer into a mapping that
 *		was not made to be a stack (see CP_SEGMENT_STACK)
 *
 * No permission is needed besides opening the device.
 */
struct cp_info {
	__u32		version;
	__u32		reserved;
	__aligned_u64	features;
	__aligned_u64	stack_default;
	__aligned_u64	stack_max;
	__aligned_u64	arena_default;
};

/* cp_info.features */
#define CP_FEATURE_RENDEZVOUS	(1ULL << 0)	/* one slot, the slave waits */
#define CP_FEATURE_NUDGE	(1ULL << 1)	/* CP_GET_NUDGE */
#define CP_FEATURE_WAIT_LIMIT	(1ULL << 2)	/* cp_prep.wait_limit */
#define CP_FEATURE_SLOTS	(1ULL << 3)	/* nr_slots, CP_PREP_OVERWRITE */
#define CP_FEATURE_RATE		(1ULL << 4)	/* cp_prep.interval and .every */
#define CP_FEATURE_DEATH	(1ULL << 5)	/* CP_PREP_DEATH */
#define CP_FEATURE_XSTATE	(1ULL << 6)	/* CP_PREP_XSTATE */
#define CP_FEATURE_DEATH_STACK	(1ULL << 7)	/* cp_prep.death_stack_limit */
#define CP_FEATURE_PROCESS	(1ULL << 8)	/* CP_PREP_PROCESS, thread ids */
#define CP_FEATURE_HOLD		(1ULL << 9)	/* CP_IOC_HOLD, CP_IOC_RELEASE */
#define CP_FEATURE_SLEEPER	(1ULL << 10)	/* CP_HOLD_ASLEEP, CP_IOC_SLEEPER */
#define CP_FEATURE_CHILDREN	(1ULL << 11)	/* CP_PREP_CHILDREN */
#define CP_FEATURE_SNAPSHOT	(1ULL << 12)	/* CP_IOC_SNAPSHOT */
#define CP_FEATURE_CHANGES	(1ULL << 13)	/* CP_IOC_CHANGES, CP_SNAPSHOT_CHANGES */
#define CP_FEATURE_PUT_BACK	(1ULL << 14)	/* CP_IOC_PUT_BACK */

/*
 * struct cp_prep - become the master of a slave (CP_IOC_PREP)
 * @pid:	[in] thread id of the slave in the caller's pid namespace; the
 *		id of a process stands for its main thread. With
 *		CP_PREP_PROCESS, any live thread stands for its process
 * @mem_fd:	[in] the proof of access: a descriptor of /proc/PID/mem with
 *		the same PID, opened by the caller with the credentials it has
 *		now. Opening that file is where the kernel applies the rule of
 *		ptrace(PTRACE_ATTACH), Yama and security modules included. This
 *		call opens the path again, so a permission that was withdrawn
 *		meanwhile is refused.
 *		-1 for no proof, which is always refused, but after the errors
 *		that precede it below. Not needed after the call.
 * @flags:	[in] CP_PREP_*
 * @nr_slots:	[in] the number of checkpoints that may wait for the master, at
 *		most CP_SLOTS_MAX; 0 means 1. With 1, slave and master meet: the
 *		slave waits until the master is in CP_IOC_GET. With more, the
 *		slave runs ahead until this many wait. With CP_PREP_OVERWRITE
 *		it never waits
 * @stack_limit: [in] most bytes of stack kept in a checkpoint, rounded up to
 *		whole pages; 0 means cp_info.stack_default, or a slot's share of
 *		cp_info.stack_max if that is less. Memory is allocated only as
 *		stacks need it, and charged to the master's memory cgroup. If the
 *		user's limit or the system's memory is exhausted later, stacks
 *		are truncated (CP_SEGF_NOMEM), and the master gets SIGBUS for a
 *		page of the region that was never allocated
 * @wait_limit:	[in] nanoseconds that the slave waits for the master before it
 *		continues without having handed over its checkpoint; 0 means no
 *		limit
 * @region_size: [out] bytes to mmap() at offset 0
 * @interval:	[in] capture at most one return to user mode in this many
 *		nanoseconds; the others are not counted in cp_checkpoint.seq;
 *		0: no limit
 * @every:	[in] capture every Nth return, starting with the first; 0 or 1:
 *		every return. Combined with @interval, both conditions must
 *		hold. A nudge overrides both
 * @reserved:	[in] 0
 * @death_stack_limit: [in] as @stack_limit, for the state of death alone; 0
 *		means that @stack_limit holds for it, too. So a recorder can
 *		copy little of each stack, which is cheap, and still have the
 *		whole stack of a crash. After a death that nothing announced (for
 *		instance by SIGKILL), the state of death is a copy of the newest
 *		checkpoint, truncated if it holds more than this
 * @nr_threads:	[in] with CP_PREP_PROCESS, the most threads at one time that the pair
 *		has room for, at most CP_THREADS_MAX; 0 means twice as many as the
 *		process has, but at least CP_THREADS_DEFAULT and at most
 *		CP_THREADS_MAX
 * @reserved2:	[in] 0
 * @thread_size: [out] bytes of a thread's part of the region ("The region", below);
 *		without CP_PREP_PROCESS, this is region_size
 * @child_limit: [in] with CP_PREP_CHILDREN, nanoseconds after which a child or a new
 *		program continues although no process has paired with it; 0 means
 *		CP_CHILD_LIMIT_DEFAULT
 *
 * Returns 0, or -1 with errno, the first of this order:
 *
 *	EFAULT, E2BIG	as for all structs
 *	EINVAL		pid <= 0, mem_fd < -1, unknown flag, reserved not 0,
 *			nr_slots > CP_SLOTS_MAX, nr_slots * stack_limit or
 *			death_stack_limit > cp_info.stack_max, a wait_limit
 *			with CP_PREP_OVERWRITE, a death_stack_limit without
 *			CP_PREP_DEATH, nr_threads > CP_THREADS_MAX or without
 *			CP_PREP_PROCESS, CP_PREP_CHILDREN without
 *			CP_PREP_PROCESS, a child_limit without CP_PREP_CHILDREN
 *	EALREADY	the caller's process is a master
 *	EDEADLK		the caller's process is a slave
 *	EBUSY		the file carries another process's pair
 *	ESRCH		no such task, or it is exiting
 *	EPERM		a kernel thread, or a kernel worker of a process
 *	EINVAL		the task belongs to the caller's own process
 *	EPERM		no proof, or one that is not for this task and caller,
 *			or the kernel would not let the caller open it now
 *	EBUSY		the task's process is a master or a slave
 *	EOVERFLOW	the process has more than nr_threads threads
 *	EUSERS		the user has pairs_per_user pairs (a parameter of the
 *			module)
 *	ENOSPC		all users together have pairs_max pairs
 *	EDQUOT		the user's regions would hold more memory than
 *			memory_per_user
 *	ENOMEM		out of memory
 *
 * or EINTR, when a signal comes while another call makes a pair on the same
 * file.
 *
 * A file whose pair is over may be used for the next one. A pair counts for the limits
 * until its slave returns to user mode or exits.
 */
struct cp_prep {
	__s32		pid;
	__s32		mem_fd;
	__u32		flags;
	__u32		nr_slots;
	__aligned_u64	stack_limit;
	__aligned_u64	wait_limit;
	__aligned_u64	region_size;
	__aligned_u64	interval;
	__u32		every;
	__u32		reserved;
	__aligned_u64	death_stack_limit;
	__u32		nr_threads;
	__u32		reserved2;
	__aligned_u64	thread_size;
	__aligned_u64	child_limit;
};

#define CP_SLOTS_MAX		65536
#define CP_THREADS_MAX		65536
#define CP_THREADS_DEFAULT	1024

/*
 * cp_prep.flags
 *
 * CP_PREP_OVERWRITE: the slave never waits. When nr_slots checkpoints wait for
 * the master, a new one takes the place of the oldest.
 *
 * CP_PREP_DEATH: if a signal kills the slave, the last checkpoint is the state in
 * which it died, marked with CP_CHECKPOINT_DEATH: after a fault, the registers and
 * the stack at the faulting instruction. CP_IOC_GET gives this state after all other
 * checkpoints, whatever @interval and @every say, and 0 after that.
 *
 * CP_PREP_XSTATE: checkpoints have a second segment, CP_SEGMENT_XSTATE.
 *
 * CP_PREP_PROCESS: the slave is the whole process of @pid: all its threads, and each
 * thread that it creates later, from that thread's first instruction on.
 * cp_checkpoint.thread says whose state a checkpoint is. What this file says of a
 * slave then holds for each thread: each has its own nr_slots slots and its own
 * sequence numbers, waits for the master independently of the others, and is nudged
 * by CP_GET_NUDGE unless it waits already. CP_IOC_GET gives checkpoints in the order
 * of their times, and returns 2 for the end of a thread. With CP_PREP_DEATH, each
 * thread that a signal kills leaves its last state, marked with
 * CP_CHECKPOINT_DEATH, which comes in the order of the deaths although its time may be
 * earlier; all but the one that received the signal are also marked with
 * CP_CHECKPOINT_DEATH_ELSEWHERE. The pair ends with the last thread, or
 * with an exec by any of them. Children are not slaves.
 *
 * CP_PREP_CHILDREN, with CP_PREP_PROCESS: a process that the slave creates, by any of
 * fork(2), vfork(2) and clone(2), is held before its first instruction, and so is a
 * program that the slave executes (which ends the pair, CP_END_EXEC): until any process
 * has paired with it, or @child_limit has passed. So the master of the new pair sees it
 * from its first instruction on. CP_IOC_GET returns 3 for each child, even for one that
 * begins after the slave's end, and listeners are sent CP_NL_CMD_CHILD. When the master ends
 * the pair, closes the file or exits, children that it has not taken continue. A held
 * process can be killed and frozen; a debugger's stop takes effect afterwards. A process
 * is the master of one pair at a time: each child needs another master. At most CP_CHILDREN_MAX
 * children wait for CP_IOC_GET: a further one is not held, and CP_IOC_GET does not
 * return it. cp_get.unseen counts those, and children for which there was no memory.
 */
#define CP_PREP_OVERWRITE	(1U << 0)
#define CP_PREP_DEATH		(1U << 1)
#define CP_PREP_XSTATE		(1U << 2)
#define CP_PREP_PROCESS		(1U << 3)
#define CP_PREP_CHILDREN	(1U << 4)

#define CP_CHILD_LIMIT_DEFAULT	1000000000ULL
#define CP_CHILDREN_MAX		1024

/*
 * struct cp_get - take the next checkpoint (CP_IOC_GET)
 * @deadline:	[in] when to give up waiting, in nanoseconds of the caller's
 *		CLOCK_MONOTONIC, that of its time namespace; 0: do not wait;
 *		CP_FOREVER: no limit.
 *		Absolute, so that a call restarted after a signal does not
 *		wait longer. A file with O_NONBLOCK never waits.
 * @regs:	[in] 0, or the address of __u64[CP_N_REG + 1] that receives
 *		RAX RCX RDX RBX RSP RBP RSI RDI R8..R15, then RIP
 * @flags:	[in] CP_GET_*
 * @reason:	[out] with result 0: why the pair is over, CP_END_*
 * @status:	[out] with CP_END_EXITED: the slave's status as waitpid(2)
 *		gives it; with result 2, the thread's status in that form
 * @reserved:	[in] 0
 * @seq:	[out] with result 1: the checkpoint's number
 * @slot_offset: [out] with result 1: where in the region its
 *		struct cp_checkpoint lies
 * @missed:	[out] checkpoints lost since the pair was made: because the slave's
 *		wait_limit passed; because a newer one took the place, with
 *		CP_PREP_OVERWRITE or, in a pair with one slot, at a CP_IOC_HOLD;
 *		because a new thread got the part of one that had ended; or because
 *		there was no memory for a slot
 * @thread:	[out] with results 1 and 2: the thread's id in the pid namespace of
 *		the process that made the pair; with result 3: the child's
 * @unseen:	[out] number of threads that have run without being slaves, because the
 *		pair had no room or the system no memory for them; and, with
 *		CP_PREP_CHILDREN, of children that were not held for these reasons
 *
 * Only the process that made the pair may call it. The checkpoint of the previous
 * call stays unchanged in the region until this call, or until CP_IOC_HOLD.
 *
 * Returns 1: a checkpoint. 2, only with CP_PREP_PROCESS: thread @thread has ended; all
 * its checkpoints have been given, and another thread may get its part of the region. 3,
 * only with CP_PREP_CHILDREN: child @thread is held until a process pairs with it;
 * children come before checkpoints. 0: the pair is over; every further call returns 0,
 * too. A checkpoint that an earlier call could not give (EFAULT, ETIMEDOUT, EINTR) comes
 * first. Or -1 with errno:
 *
 *	EFAULT		an address cannot be read or written; the checkpoint
 *			is kept for the next call
 *	E2BIG, EINVAL	as for all structs
 *	ENOTCONN	no pair has been made on this file
 *	EPERM		the caller's process is not the pair's master
 *	EAGAIN		deadline 0 or O_NONBLOCK, and the slave is not waiting.
 *			If the slave is already waiting, the call succeeds; it
 *			then blocks only for the copy, at most one second
 *	ETIMEDOUT	the deadline passed; a later checkpoint is kept
 *	EINTR		a handler ran that was installed without SA_RESTART;
 *			nothing is lost
 *
 * poll(2): EPOLLIN when a call would not wait, EPOLLPRI when it would return 3, EPOLLHUP
 * when the pair is over, EPOLLERR while no pair has been made.
 */
struct cp_get {
	__aligned_u64	deadline;
	__aligned_u64	regs;
	__u32		flags;
	__u32		reason;
	__s32		status;
	__u32		reserved;
	__aligned_u64	seq;
	__aligned_u64	slot_offset;
	__aligned_u64	missed;
	__s32		thread;
	__u32		unseen;
};

#define CP_FOREVER		(~0ULL)

/*
 * cp_get.flags
 *
 * CP_GET_NUDGE: bring a slave that sleeps in the kernel to its next return to
 * user mode now. Its system call is restarted as after a handled signal with
 * SA_RESTART; calls that signal(7) lists as never restarted return EINTR in the
 * slave. A call that has moved part of its data is cut short, as by any signal,
 * and returns how much it has moved. A stopped slave, or one in uninterruptible
 * sleep, arrives when it continues. A slave that has not been in user mode since
 * its last checkpoint gets there first, for 20 microseconds to a millisecond
 * unless it enters the kernel before, so that it makes progress however often it
 * is nudged.
 */
#define CP_GET_NUDGE		(1U << 0)

/* cp_get.reason */
#define CP_END_NONE		0	/* the pair is not over */
#define CP_END_EXITED		1	/* exit or death; see cp_get.status */
#define CP_END_EXEC		2	/* the slave runs another program now */
#define CP_END_DETACHED		3	/* the master ended the pair or itself */
#define CP_END_PUT_BACK		4	/* it was killed in the middle of CP_IOC_PUT_BACK */

/*
 * The region, as mapped by the master: read-only, not inherited by a child,
 * not in core dumps.
 *
 *	0				struct cp_region_head
 *	slots_offset			slot 0: struct cp_checkpoint, then data
 *	slots_offset + slot_size	slot 1, and so on; the last slot
 *					reaches to the region's end
 *
 * With CP_PREP_PROCESS, the region consists of parts of cp_prep.thread_size bytes, one
 * for each thread, and each part is laid out like this: where this file says "from the
 * region's start", read "from the part's start", except in cp_get.slot_offset. A part
 * belongs to one thread until that thread has ended and CP_IOC_GET has returned 2 for
 * it; then a new thread may get it. With CP_PREP_OVERWRITE, of the threads that have
 * ended and for which CP_IOC_GET has not returned 2 yet, the pair keeps the last
 * CP_ENDED_KEPT and gives the parts of earlier ones to new threads. Reading a part that
 * no thread has had yet raises SIGBUS; cp_region_head.nr_parts of the first part is the
 * number of parts that can be read.
 *
 * A checkpoint's address does not change while the pair lasts. After the end of the
 * pair, the region still holds the last checkpoints until it is unmapped.
 *
 * mmap(2) fails with ENOTCONN and EPERM as CP_IOC_GET does, with EINVAL beyond
 * cp_prep.region_size, and with EACCES for a mapping that could be written or
 * executed; so does mprotect(2).
 */

/*
 * struct cp_region_head - head of the region
 * @magic:	CP_REGION_MAGIC
 * @version:	CP_VERSION
 * @nr_slots:	number of slots; may be more than cp_prep.nr_slots
 * @thread:	id of the thread whose checkpoints the part holds, as in cp_get.thread;
 *		0 before the first
 * @slots_offset: where slot 0 begins, from the region's start
 * @slot_size:	bytes from one slot to the next
 * @newest:	where the slot of the newest checkpoint lies, from the region's
 *		start; 0 before the first
 * @nr_parts:	in the first part: number of parts that threads have had so far
 * @reserved:	zero
 */
struct cp_region_head {
	__u32		magic;
	__u32		version;
	__u32		nr_slots;
	__s32		thread;
	__aligned_u64	slots_offset;
	__aligned_u64	slot_size;
	__aligned_u64	newest;
	__u32		nr_parts;
	__u32		reserved;
};

#define CP_REGION_MAGIC		0x74706b63	/* "ckpt" */
#define CP_ENDED_KEPT		64

/*
 * Flight recorder
 *
 * The slot that CP_IOC_GET returned stays unchanged until the next call. The slave
 * may write all other slots at any time and in any order; the master can read them
 * meanwhile without a system call. cp_checkpoint.seq is 0 in a slot that has never
 * been written or is being written, and no number is used twice. So a reader
 *
 *	1. reads seq (load-acquire); 0: the slot has no checkpoint now;
 *	2. copies what it needs of the slot;
 *	3. issues an acquire fence and reads seq again. The same number: the copy
 *	   is one whole checkpoint. Another number: the copy is invalid. With
 *	   CP_PREP_PROCESS, thread must be the same, too: each thread counts its own
 *	   checkpoints.
 *
 * An invalid copy may contain any values, offsets and sizes included: check them
 * against the slot before using them.
 *
 * The slots hold the last cp_prep.nr_slots checkpoints of the slave, and the one that
 * the master holds.
 */

/*
 * struct cp_regs - the registers with which the slave enters user mode
 *
 * Layout and meaning are those of struct user_regs_struct (ptrace(2),
 * PTRACE_GETREGSET with NT_PRSTATUS of a 64-bit tracer), for 32-bit slaves
 * too. orig_rax is the number of the system call from which the slave returns, or -1
 * when the entry was not a system call.
 */
struct cp_regs {
	__aligned_u64	r15;
	__aligned_u64	r14;
	__aligned_u64	r13;
	__aligned_u64	r12;
	__aligned_u64	rbp;
	__aligned_u64	rbx;
	__aligned_u64	r11;
	__aligned_u64	r10;
	__aligned_u64	r9;
	__aligned_u64	r8;
	__aligned_u64	rax;
	__aligned_u64	rcx;
	__aligned_u64	rdx;
	__aligned_u64	rsi;
	__aligned_u64	rdi;
	__aligned_u64	orig_rax;
	__aligned_u64	rip;
	__aligned_u64	cs;
	__aligned_u64	eflags;
	__aligned_u64	rsp;
	__aligned_u64	ss;
	__aligned_u64	fs_base;
	__aligned_u64	gs_base;
	__aligned_u64	ds;
	__aligned_u64	es;
	__aligned_u64	fs;
	__aligned_u64	gs;
};

/*
 * struct cp_segment - one stretch of the slave's memory
 * @addr:	first address saved, in the slave
 * @size:	bytes saved; 0 when there was nothing to save
 * @offset:	where the bytes lie, from the region's start
 * @map_start:	the slave's mapping that the stretch belongs to
 * @map_end:	its end
 * @kind:	CP_SEGMENT_*
 * @flags:	CP_SEGF_*
 */
struct cp_segment {
	__aligned_u64	addr;
	__aligned_u64	size;
	__aligned_u64	offset;
	__aligned_u64	map_start;
	__aligned_u64	map_end;
	__u32		kind;
	__u32		flags;
};

/*
 * cp_segment.kind
 *
 * CP_SEGMENT_STACK: the current stack, from RSP - 128 (the red zone; not below the
 * mapping) to the end of the mapping that RSP points into. A growing stack that
 * mprotect(2) or madvise(2) has split counts as one mapping, up to 16 parts. Unless the
 * stack is truncated, an address of the slave has the same offset in its slot in all
 * checkpoints of the same stack.
 *
 * Coroutines have their stacks in a heap, where the mapping continues far beyond
 * the end of the stack. With cp_prep.stack_limit 0, cp_info.arena_default is the
 * limit for a mapping that was not made to be a stack: that neither grows down,
 * nor lies above a mapping without access (a guard), nor was made with MAP_STACK
 * (known since Linux 6.7).
 *
 * Saving a stack allocates no memory in the slave. A page that was never touched
 * is saved as the zeroes that it reads as.
 */
#define CP_SEGMENT_STACK	1

/*
 * CP_SEGMENT_XSTATE: floating point and vector registers, in the format of
 * ptrace's NT_X86_XSTATE (XSAVE, standard form). Its first 512 bytes are
 * NT_PRFPREG; a processor without XSAVE has nothing else. addr, map_start
 * and map_end are 0.
 */
#define CP_SEGMENT_XSTATE	2

/*
 * cp_segment.flags
 *
 * CP_SEGF_HOLE: parts are zeroes because they were not readable, or because
 * process_vm_readv(2) refuses to read them, too: memfd_secret(2), a mapping without
 * PROT_READ, or pages for which a userfaultfd(2) waits.
 */
#define CP_SEGF_TRUNCATED	(1U << 0)	/* stack_limit cut the far end */
#define CP_SEGF_HOLE		(1U << 1)	/* unreadable parts are zeroes */
#define CP_SEGF_NOMEM		(1U << 2)	/* no memory for the far end */
#define CP_SEGF_UNMAPPED	(1U << 3)	/* RSP points to no memory */
#define CP_SEGF_GONE		(1U << 4)	/* died before it could be saved */

/*
 * struct cp_checkpoint - one checkpoint, at the beginning of a slot
 * @size:	bytes of this struct, as far as this kernel fills it
 * @flags:	CP_CHECKPOINT_*
 * @seq:	the checkpoint's number, from 1, of its thread; a gap means that
 *		checkpoints were missed. 0: the slot has never been written, or is
 *		being written
 * @time:	CLOCK_MONOTONIC in nanoseconds, of the time namespace in which the
 *		master made the pair: when the checkpoint was complete
 * @cpu:	the processor the slave was on
 * @entry:	why the slave had entered the kernel, CP_ENTRY_*
 * @syscall:	with CP_ENTRY_SYSCALL its number, else -1
 * @nr_segments: number of struct cp_segment
 * @segments_offset: where the first of them lies, from this struct's start
 * @segment_size: bytes from one of them to the next
 * @regs:	the registers
 * @signal:	with CP_CHECKPOINT_DEATH: the signal that killed the slave
 * @signal_code: its si_code, as in sigaction(2); 0 if unknown, as for a signal
 *		that another thread of the process received
 * @signal_addr: its si_addr, for a fault of the slave itself; else 0
 * @signal_thread: with CP_CHECKPOINT_DEATH_ELSEWHERE: the id, in the master's pid
 *		namespace, of the thread that received the signal; 0 if unknown
 * @thread:	id of the thread whose state this is, as in cp_get.thread
 */
struct cp_checkpoint {
	__u32		size;
	__u32		flags;
	__aligned_u64	seq;
	__aligned_u64	time;
	__u32		cpu;
	__u32		entry;
	__s32		syscall;
	__u32		nr_segments;
	__u32		segments_offset;
	__u32		segment_size;
	struct cp_regs	regs;
	__s32		signal;
	__s32		signal_code;
	__aligned_u64	signal_addr;
	__s32		signal_thread;
	__s32		thread;
};

/* cp_checkpoint.flags */
#define CP_CHECKPOINT_COMPAT	(1U << 0)	/* the slave runs 32-bit code */
#define CP_CHECKPOINT_DEATH	(1U << 1)	/* the state in which it died */

/*
 * CP_CHECKPOINT_SYSCALL32: with CP_ENTRY_SYSCALL, the call was made through an
 * entry for 32-bit code (int $0x80, sysenter, syscall in compatibility mode), so
 * cp_checkpoint.syscall is a number of the i386 ABI. 64-bit code can make such
 * calls, too; then CP_CHECKPOINT_COMPAT is not set. Without this flag it is a number
 * of the x86-64 ABI, or of the x32 ABI if bit 30 is set.
 */
#define CP_CHECKPOINT_SYSCALL32	(1U << 3)

/*
 * CP_CHECKPOINT_DEATH_ELSEWHERE, with CP_CHECKPOINT_DEATH: another thread of the
 * process received the signal, and the slave died because the whole process did. The
 * checkpoint is the slave's state at that time, not the state at the fault.
 * signal_code and signal_addr are 0. SIGKILL is received by all threads and never
 * sets this flag.
 */
#define CP_CHECKPOINT_DEATH_ELSEWHERE	(1U << 2)

/* CP_CHECKPOINT_ASLEEP: a state of CP_IOC_SLEEPER: the slave sleeps in @syscall. */
#define CP_CHECKPOINT_ASLEEP	(1U << 4)

/*
 * cp_checkpoint.entry
 *
 * The processor does not record which exception or interrupt it took. CP_ENTRY_FAULT
 * is derived from the slave's count of page faults, and CP_ENTRY_INTERRUPT covers
 * everything else: timer, device and inter-processor interrupts, exceptions other
 * than page faults, and the return from a signal handler (sigreturn(2) sets orig_rax
 * to -1).
 */
#define CP_ENTRY_SYSCALL	1
#define CP_ENTRY_FAULT		2
#define CP_ENTRY_INTERRUPT	3

#define CP_IOC_MAGIC		0xC7

#define CP_IOC_INFO		_IOR(CP_IOC_MAGIC, 0, struct cp_info)
#define CP_IOC_PREP		_IOWR(CP_IOC_MAGIC, 1, struct cp_prep)
#define CP_IOC_GET		_IOWR(CP_IOC_MAGIC, 2, struct cp_get)

/*
 * CP_IOC_END: end the pair without closing the file. A slave that waits continues at
 * once; CP_IOC_GET then returns 0 with CP_END_DETACHED, and the region stays.
 * Returns 0, even if the pair was over already; ENOTCONN without a pair, EPERM if the
 * caller's process is not the master.
 */
#define CP_IOC_END		_IO(CP_IOC_MAGIC, 3)

/*
 * struct cp_hold - hold the slave at one instant (CP_IOC_HOLD)
 * @deadline:	[in] when to give up, as cp_get.deadline; 0: at once
 * @limit:	[in] nanoseconds, counted from this call and rounded up to a tick, after
 *		which the slave continues in any case: a master may wait for its own
 *		slave without knowing it, as its terminal, its file server or its
 *		logger. 0 means CP_HOLD_LIMIT_DEFAULT
 * @flags:	[in] CP_HOLD_ASLEEP, or 0
 * @nr_threads:	[out] number of threads that are held
 * @late:	[out] with ETIMEDOUT, the only failure with which this field has a
 *		meaning: the id of a thread that did not arrive, as in cp_get.thread;
 *		0 if unknown
 * @nr_asleep:	[in] 0 [out] with CP_HOLD_ASLEEP, number of further threads, which are
 *		left asleep
 *
 * When the call returns 0, every thread of the slave is at a return to user mode, with
 * its final registers, and has handed over a checkpoint of that state, which CP_IOC_GET
 * gives after older ones. Only in a pair with several slots without
 * CP_PREP_OVERWRITE may a thread wait until CP_IOC_GET makes room for it. The process
 * executes no instruction until CP_IOC_RELEASE, the limit, or the end of the pair.
 * CP_IOC_GET lets no thread continue meanwhile.
 *
 * Threads that sleep in the kernel are brought out as by CP_GET_NUDGE, unless @flags has
 * CP_HOLD_ASLEEP. A held thread can be killed and frozen; other signals, stops and
 * debuggers take effect when it continues.
 *
 * CP_HOLD_ASLEEP (CP_FEATURE_SLEEPER): no system call is interrupted. A thread that sleeps
 * in one, where a signal could wake it, is left there: it hands over no checkpoint, and
 * CP_IOC_SLEEPER reads its state. If it wakes during the hold, its call may still
 * write memory of the slave, as read(2) does; then it is held, and hands over its
 * state as the others do. The deadline counts for all other threads.
 *
 * Returns 0, or -1 with errno; then no thread is held, except with EALREADY:
 *
 *	EFAULT, E2BIG, EINVAL	as for all structs
 *	ENOTCONN	no pair has been made on this file
 *	EPERM		the caller's process is not the pair's master
 *	EALREADY	the slave is held
 *	EPIPE		the pair is over
 *	ETIMEDOUT	a thread did not arrive until @deadline or within @limit: it is
 *			in an uninterruptible sleep, waits in vfork(2), or is stopped
 *	EINTR		a handler ran that was installed without SA_RESTART
 */
struct cp_hold {
	__aligned_u64	deadline;
	__aligned_u64	limit;
	__u32		flags;
	__u32		nr_threads;
	__s32		late;
	__u32		nr_asleep;
};

/* cp_hold.flags */
#define CP_HOLD_ASLEEP		(1U << 0)

#define CP_HOLD_LIMIT_DEFAULT	1000000000ULL

#define CP_IOC_HOLD		_IOWR(CP_IOC_MAGIC, 4, struct cp_hold)

/*
 * CP_IOC_RELEASE: let a held slave continue. Checkpoints that have not been taken stay.
 * Returns 0, or -1 with errno: ETIME when the slave has continued because the limit
 * passed, EALREADY when it was not held, ENOTCONN and EPERM as above.
 */
#define CP_IOC_RELEASE		_IO(CP_IOC_MAGIC, 5)

/*
 * struct cp_sleeper - read the state of a thread that sleeps in a system call
 * (CP_IOC_SLEEPER)
 * @part:	[in] index of the thread's part of the region, from 0; without
 *		CP_PREP_PROCESS, 0
 * @reserved:	[in] 0
 * @switches:	[out] how many times the thread has left a CPU so far. If two calls give
 *		the same number, the thread has executed nothing in between, neither in
 *		user mode nor in the kernel; so memory that was read in between belongs
 *		to this state. Others, as threads that run, may have written to it
 * @checkpoint:	[out] the state: cp_checkpoint.regs are those from which the thread
 *		would make the system call again, with RIP at its instruction and the
 *		call's number in RAX. It has no segments and no number, is marked with
 *		CP_CHECKPOINT_ASLEEP, and its time is that of the call
 *
 * The thread is not disturbed. In a hold with CP_HOLD_ASLEEP, the threads that were left
 * asleep are found by calling this for each part.
 *
 * Returns 0, or -1 with errno:
 *
 *	EFAULT, E2BIG, EINVAL	as for all structs
 *	ENOTCONN	no pair has been made on this file
 *	EPERM		the caller's process is not the pair's master
 *	ENOENT		there is no part @part
 *	ESRCH		the part has no thread now
 *	EPIPE		the pair is over
 *	EALREADY	the thread is held: CP_IOC_GET gives its state
 *	EAGAIN		the thread is awake, or sleeps where no signal could wake it
 */
struct cp_sleeper {
	__u32		part;
	__u32		reserved;
	__aligned_u64	switches;
	struct cp_checkpoint checkpoint;
};

#define CP_IOC_SLEEPER		_IOWR(CP_IOC_MAGIC, 6, struct cp_sleeper)

/*
 * struct cp_snapshot - take a snapshot of the slave (CP_IOC_SNAPSHOT)
 * @deadline:	[in] when to give up, as cp_hold.deadline
 * @limit:	[in] as cp_hold.limit, for the hold of this call
 * @flags:	[in] CP_SNAPSHOT_CHANGES, or 0
 * @late:	[out] with ETIMEDOUT, the only failure with which this field has a
 *		meaning: as cp_hold.late
 *
 * Only in a pair with CP_PREP_PROCESS. Returns a new descriptor, with close-on-exec set, of
 * the state of the whole process at one instant: the registers of all threads, the list
 * of mappings, and all private memory ("The snapshot", below). The process continues at
 * once. A slave that is held by CP_IOC_HOLD stays held; otherwise this call holds
 * it as CP_IOC_HOLD with CP_HOLD_ASLEEP does, for about as long as a fork(2) by the
 * slave takes.
 *
 * The kernel keeps the memory by its own copy-on-write: one thread of the slave, at its
 * return to user mode, forks a child that does not live to its first instruction. The
 * program does not notice. It has no child that a wait(2) could find, gets no
 * signal and no EINTR, and no descriptor, byte, mapping, handler, timer or figure of
 * getrusage(RUSAGE_CHILDREN) changes. If all threads sleep, one is brought out of its
 * system call and makes it again. Threads that sleep in wait(2) are, too. For
 * that, only calls are chosen that the kernel restarts, and of those that signal(7) says
 * are never restarted, only calls without a timeout. If all threads sleep in
 * other calls, this call waits until one returns. What can be noticed: the time; a gap in
 * process ids; shm_lprid and the times of System V segments; the interruption of a
 * nanosleep(2) that has to report the rest; that a socket's SO_RCVTIMEO begins again;
 * that a read(2) which waits for more than it has got (SO_RCVLOWAT, MIN of a terminal)
 * returns that;
 * page faults, because the first write to each page copies it; and what accounting says
 * (acct(2), taskstats, audit, pids.events, a perf event that children inherit).
 *
 * If the slave is stopped, frozen by its cgroup or attached to by a debugger in the middle,
 * the call fails with ETIMEDOUT, and the slave comes to the end when it continues. Until then
 * none of its threads executes anything of the program, and another CP_IOC_SNAPSHOT
 * fails with ETIMEDOUT, another CP_IOC_PREP with EBUSY.
 *
 * Returns the descriptor, or -1 with errno. Then nothing has been changed in the slave:
 *
 *	EFAULT, E2BIG, EINVAL	as for all structs; EINVAL also without
 *			CP_PREP_PROCESS
 *	ENOTCONN, EPERM	as for CP_IOC_HOLD
 *	EMFILE, ENFILE	the caller, or the machine, has too many open files
 *	EPIPE, ETIMEDOUT, EINTR	as for CP_IOC_HOLD
 *	EOVERFLOW	the process has threads that are not slaves (cp_get.unseen)
 *	EBUSY		a debugger traces a thread
 *	EINPROGRESS	a thread has an io_uring, or the process has used io_setup(2)
 *	ENOTUNIQ	another process runs in the same memory (CLONE_VM)
 *	EMEDIUMTYPE	memory of a kind that cannot be frozen: private huge pages of
 *			hugetlbfs, or a shared mapping that is sealed
 *	EADDRINUSE	a userfaultfd(2) is registered in the process
 *	ENOSPC		a memory cgroup of the slave has no room for a second copy of its
 *			private memory
 *	EUSERS		the user has snapshots_per_user snapshots
 *	EDQUOT		the user's snapshots could keep more memory than
 *			snapshot_memory_per_user (parameters of the module)
 *	EACCES		a seccomp filter, or syscall user dispatch, is active
 *	EXDEV		children of the process would begin in other pid or time
 *			namespaces
 *	EOPNOTSUPP	32-bit code, or neither the vDSO nor the program has an
 *			instruction for a system call where one is expected
 *	EAGAIN		fork(2) would fail with it: a limit of processes, or
 *			SCHED_DEADLINE; or the thread is in a restartable sequence: try
 *			again; or the child has been killed
 *	ENOMEM		out of memory
 *
 * A snapshot counts for the limits until its last descriptor is closed, with all private
 * memory that the process had: that much it keeps alone when the slave has written to
 * all of it.
 */
struct cp_snapshot {
	__aligned_u64	deadline;
	__aligned_u64	limit;
	__u32		flags;
	__s32		late;
};

/*
 * cp_snapshot.flags
 *
 * CP_SNAPSHOT_CHANGES (CP_FEATURE_CHANGES): from now on, keep a log of what may have changed,
 * so that CP_IOC_CHANGES takes a time that depends on the changes, and not on the size of the
 * process. Until the snapshot is closed, each first write of the slave to a page takes some
 * hundred instructions more, and so do its munmap(2) and madvise(2).
 */
#define CP_SNAPSHOT_CHANGES	(1U << 0)

#define CP_IOC_SNAPSHOT		_IOWR(CP_IOC_MAGIC, 7, struct cp_snapshot)

/*
 * The snapshot
 *
 * A snapshot outlives the pair and the process, and is freed when its last descriptor is
 * closed; the module cannot be unloaded before. It keeps no shared mapping, no device and
 * no descriptor of the process; files that it has mapped privately, the executable
 * among them, stay in use. Any process that has the descriptor may read:
 *
 * pread(2) at an address of the slave gives its memory as it was: anonymous memory, and
 * private mappings of files. A page of such a mapping that the process had not written to
 * belongs to the file, and follows it. read(2) and lseek(2) work, too. A call
 * returns what it could read before the first byte that it cannot read; there it
 * fails with
 *
 *	EIO	no memory of the snapshot: nothing was mapped, or a mapping with
 *		CP_MAPPING_ABSENT, or the file has become shorter
 *	ENODATA	the memory has been dropped, because the machine ran out of it. The
 *		description stays
 *
 * lseek(2) with SEEK_DATA goes to the next address where memory may be other than zeroes, or
 * fails with ENXIO if there is none. A program may have reserved far more addresses than it
 * uses: untouched memory is skipped in steps of 2 MiB and more.
 *
 * pread(2) at CP_SNAPSHOT_HEAD gives the description: a struct cp_snapshot_head, and what
 * lies at the offsets in it, all counted from CP_SNAPSHOT_HEAD.
 */
#define CP_SNAPSHOT_HEAD	(1LL << 62)
#define CP_SNAPSHOT_MAGIC	0x706e7363	/* "csnp" */

/*
 * struct cp_snapshot_head - head of the description
 * @magic:	CP_SNAPSHOT_MAGIC
 * @version:	CP_VERSION
 * @size:	bytes of the description
 * @time:	when the memory was frozen, as cp_checkpoint.time
 * @bytes:	the most memory that the snapshot can come to keep alone
 * @pid:	the process's id in the master's pid namespace
 * @reserved:	0
 * @nr_threads:	number of struct cp_snapshot_thread
 * @thread_size: bytes from one to the next
 * @threads_offset: where the first one lies
 * @nr_mappings: number of struct cp_snapshot_mapping, in the order of addresses
 * @mapping_size: bytes from one to the next
 * @mappings_offset: where the first one lies
 */
struct cp_snapshot_head {
	__u32		magic;
	__u32		version;
	__aligned_u64	size;
	__aligned_u64	time;
	__aligned_u64	bytes;
	__s32		pid;
	__u32		reserved;
	__u32		nr_threads;
	__u32		thread_size;
	__aligned_u64	threads_offset;
	__u32		nr_mappings;
	__u32		mapping_size;
	__aligned_u64	mappings_offset;
};

/*
 * struct cp_snapshot_thread - a thread
 * @checkpoint:	its registers, as CP_IOC_SLEEPER gives them: seq is 0, there are no
 *		segments, and CP_CHECKPOINT_ASLEEP says that it sleeps in a system call
 * @sigmask:	the signals that it blocks; bit 0 is signal 1
 * @altstack_addr: its alternate stack, as sigaltstack(2) gives it
 * @altstack_size: its size
 * @altstack_flags: its flags, without SS_ONSTACK
 * @reserved:	0
 * @xstate_offset: where floating point and vector registers lie, as in CP_SEGMENT_XSTATE
 * @xstate_size: bytes of them
 */
struct cp_snapshot_thread {
	struct cp_checkpoint checkpoint;
	__aligned_u64	sigmask;
	__aligned_u64	altstack_addr;
	__aligned_u64	altstack_size;
	__u32		altstack_flags;
	__u32		reserved;
	__aligned_u64	xstate_offset;
	__aligned_u64	xstate_size;
};

/*
 * struct cp_snapshot_mapping - a mapping, as in /proc/PID/maps
 * @start:	first address
 * @end:	first address after it
 * @offset:	where it begins in its file
 * @inode:	of its file; 0 without a file
 * @dev_major:	the file's device
 * @dev_minor:	the file's device
 * @flags:	CP_MAPPING_*
 * @name_size:	bytes of the name, without the zero that follows it; 0 without a name
 * @name_offset: where the name lies: a path, seen from the root of the master, or as
 *		"[heap]"
 */
struct cp_snapshot_mapping {
	__aligned_u64	start;
	__aligned_u64	end;
	__aligned_u64	offset;
	__aligned_u64	inode;
	__u32		dev_major;
	__u32		dev_minor;
	__u32		flags;
	__u32		name_size;
	__aligned_u64	name_offset;
};

/*
 * cp_snapshot_mapping.flags
 *
 * CP_MAPPING_ABSENT: the snapshot does not hold the memory, for the reason that another
 * flag says: memory that is shared with others, or a device, is not private; an area with
 * MADV_DONTFORK is not given to children, and one with MADV_WIPEONFORK is given to them
 * empty.
 *
 * CP_MAPPING_TOUCHED: a private mapping in which the process has, or has had, pages of its
 * own. Without this flag, all its pages are those of the file, or zeroes.
 */
#define CP_MAPPING_READ		(1U << 0)
#define CP_MAPPING_WRITE	(1U << 1)
#define CP_MAPPING_EXEC		(1U << 2)
#define CP_MAPPING_SHARED	(1U << 3)
#define CP_MAPPING_ABSENT	(1U << 4)
#define CP_MAPPING_DEVICE	(1U << 5)
#define CP_MAPPING_DONTFORK	(1U << 6)
#define CP_MAPPING_WIPEONFORK	(1U << 7)
#define CP_MAPPING_GROWS	(1U << 8)	/* a stack that grows down */
#define CP_MAPPING_TOUCHED	(1U << 9)
#define CP_MAPPING_DONTDUMP	(1U << 10)	/* MADV_DONTDUMP */

/*
 * struct cp_change - adjacent pages that differ in the same way
 * @start:	the first address
 * @end:	the first one after them
 * @flags:	CP_CHANGE_*
 * @reserved:	0
 */
struct cp_change {
	__aligned_u64	start;
	__aligned_u64	end;
	__u32		flags;
	__u32		reserved;
};

/*
 * cp_change.flags
 *
 * CP_CHANGE_MAPPED: nothing was mapped then. CP_CHANGE_UNMAPPED: nothing is mapped now. A
 * mapping that mremap(2) has moved is unmapped at its old address and mapped at its new one.
 * Neither comes with another flag.
 *
 * CP_CHANGE_REPLACED: another file is mapped now, or another part of it; or a file or a
 * device where none was, or the reverse; or memory that is shared and was not, or the
 * reverse. Bytes of such memory count as changed, whether or not CP_CHANGE_CONTENT is set.
 *
 * CP_CHANGE_PROTECTION: mprotect(2) has changed what the process may do there.
 * CP_CHANGE_ADVICE: madvise(2) has changed whether children get it.
 *
 * CP_CHANGE_CONTENT: in each of these pages, a byte is another one. With CP_CHANGE_NEW, the
 * process had no page of its own there: it read zeroes or the file. With CP_CHANGE_GONE, it has
 * none now.
 */
#define CP_CHANGE_MAPPED	(1U << 0)
#define CP_CHANGE_UNMAPPED	(1U << 1)
#define CP_CHANGE_REPLACED	(1U << 2)
#define CP_CHANGE_PROTECTION	(1U << 3)
#define CP_CHANGE_ADVICE	(1U << 4)
#define CP_CHANGE_CONTENT	(1U << 5)
#define CP_CHANGE_NEW		(1U << 6)
#define CP_CHANGE_GONE		(1U << 7)

/*
 * struct cp_changes - list what differs from a snapshot (CP_IOC_CHANGES)
 * @start:	[in] list from this address: 0 at first, then @next
 * @next:	[out] where the next call has to begin; CP_FOREVER: this was the end
 * @changes:	[in] the address of struct cp_change[@room]
 * @room:	[in] how many of them there is room for, at least 1
 * @nr:		[out] how many have been written, in the order of addresses
 * @snapshot:	[in] descriptor of the earlier snapshot
 * @flags:	[in] 0
 *
 * On an open /dev/checkpoint, the call compares @snapshot with its slave as it is now. The
 * slave has to be held (CP_IOC_HOLD), and to be the process of which the snapshot was taken,
 * without an exec since. On the descriptor of a snapshot, it compares @snapshot with that
 * one; they have to be of the same process.
 *
 * The list is exact: a page has CP_CHANGE_CONTENT if and only if a byte of it differs. Only
 * memory that the snapshots hold is compared by its content, not mappings with
 * CP_MAPPING_ABSENT. A page of a private file mapping that the process has not written to
 * belongs to the file in both states, and is not listed when the file changes. Whoever
 * writes does not matter: the program, a system call, a debugger, a device.
 *
 * With CP_SNAPSHOT_CHANGES on the earlier of the two snapshots, pages are looked at that may
 * have changed. Without it, or when the process has touched memory for the first time since
 * the last call, or when the log was full, all page tables are compared.
 *
 * Returns 0, or -1 with errno:
 *
 *	EFAULT, E2BIG, EINVAL	as for all structs; EINVAL also if @room is 0, @start is
 *			not at a page, or @snapshot is not a snapshot
 *	EBADF		@snapshot is not an open descriptor
 *	ENOTCONN, EPERM	as for CP_IOC_HOLD
 *	EPIPE		the pair is over
 *	EAGAIN		the slave is not held: call CP_IOC_HOLD first
 *	ETIME		the slave has continued meanwhile
 *	ESTALE		the snapshot is of another process, or of another program that the
 *			process has executed
 *	ENODATA		the memory of a snapshot has been dropped
 *	ENOMEM		out of memory
 *	EINTR		a handler ran that was installed without SA_RESTART
 */
struct cp_changes {
	__aligned_u64	start;
	__aligned_u64	next;
	__aligned_u64	changes;
	__u32		room;
	__u32		nr;
	__s32		snapshot;
	__u32		flags;
};

#define CP_IOC_CHANGES		_IOWR(CP_IOC_MAGIC, 8, struct cp_changes)

/*
 * struct cp_put_back - put the slave back to a snapshot (CP_IOC_PUT_BACK)
 * @deadline:	[in] when to give up, as cp_hold.deadline
 * @limit:	[in] as cp_hold.limit, for the hold of this call
 * @snapshot_fd: [in] a descriptor that CP_IOC_SNAPSHOT has returned, in this pair or in an
 *		earlier one with the same process
 * @flags:	[in] 0
 * @late:	[out] with ETIMEDOUT, as cp_hold.late; with ESRCH, the id of a thread that the
 *		snapshot has and the process has not; otherwise without a meaning
 * @reserved:	[in] 0
 * @pages:	[out] number of pages that have been restored
 *
 * Only in a pair with CP_PREP_PROCESS, whose cp_prep.mem_fd was open for writing. When the
 * call returns 0, these equal the snapshot's:
 *
 *	each byte of private memory, and each mapping with its protection; the end of the
 *	heap (brk);
 *	for each thread: general registers, segment bases, flags (those that ptrace(2)
 *	sets), floating point and vector registers, signal mask and alternate stack; what
 *	set_tid_address(2), set_robust_list(2), rseq(2) and restart_syscall(2) use;
 *	signal handlers.
 *
 * All other threads have called exit(2); CP_IOC_GET reports their ends as usual. A thread
 * that slept in a system call when the snapshot was taken makes the call again, from its
 * beginning.
 *
 * Not restored: files, pipes, sockets and their offsets; shared memory and devices; timers;
 * pending signals; credentials, limits, namespaces and seccomp; children; the name of the
 * process, its working directory, umask and affinity.
 *
 * The process can be put back to the same snapshot any number of times. Each thread hands
 * over a checkpoint of its new state before its first instruction. A slave that is held by
 * CP_IOC_HOLD stays held; otherwise this call holds it. In both cases threads that sleep in
 * the kernel are brought out as by CP_GET_NUDGE, even if the call fails after that.
 *
 * Everything that can fail is tried before anything is changed, as far as possible. If the
 * call fails after the first change, the slave is killed by SIGKILL before it executes
 * anything, and the pair ends with CP_END_PUT_BACK. If the call is given up in the middle
 * (ETIMEDOUT, because a leaving thread is stopped or frozen; EINTR, because the caller is
 * killed), the slave comes to the end without it, and none of its threads executes anything
 * of the program before.
 *
 * Returns 0, or -1 with errno. Except with ENOTRECOVERABLE, and with ETIMEDOUT and EINTR in
 * the case above, nothing has been changed in the slave:
 *
 *	EFAULT, E2BIG, EINVAL	as for all structs; EINVAL also without
 *			CP_PREP_PROCESS, and when snapshot_fd is not a snapshot
 *	EBADF		snapshot_fd is not open
 *	ENOTCONN, EPERM, EPIPE, ETIMEDOUT, EINTR	as for CP_IOC_HOLD
 *	EROFS		cp_prep.mem_fd was not open for writing
 *	EXDEV		the snapshot is one of another process
 *	ESTALE		the process has executed another program since the snapshot
 *	ESRCH		a thread of the snapshot does not exist any more
 *	ENOBUFS		a thread waits for a place in its ring: CP_IOC_GET makes room
 *	EKEYREJECTED	a thread has changed its credentials since the snapshot
 *	ENOLCK		a thread holds a futex with priority inheritance, for which another
 *			process waits
 *	EOVERFLOW, EBUSY, EINPROGRESS, ENOTUNIQ, EADDRINUSE	as for CP_IOC_SNAPSHOT
 *	EMEDIUMTYPE	as for CP_IOC_SNAPSHOT; a sealed mapping would have to be removed; or
 *			a private mapping of the snapshot has CP_MAPPING_ABSENT
 *	EADDRNOTAVAIL	a mapping has changed in a way that cannot be undone: what was
 *			unmapped, mapped over or given other properties since the snapshot was
 *			not plain anonymous memory; or the kernel has added a mapping
 *	EACCES		a thread that has to end has a seccomp filter or syscall user
 *			dispatch
 *	EOPNOTSUPP	a thread executes 32-bit code or has a shadow stack; or threads have
 *			to end, and there is no instruction for a system call where one is
 *			expected
 *	ENODATA		the memory of the snapshot has been dropped
 *	EIO		a page cannot be read or written
 *	ENOMEM		out of memory
 *	ENOTRECOVERABLE	the call has failed after the first change, and the slave has been
 *			killed
 */
struct cp_put_back {
	__aligned_u64	deadline;
	__aligned_u64	limit;
	__s32		snapshot_fd;
	__u32		flags;
	__s32		late;
	__u32		reserved;
	__aligned_u64	pages;
};

#define CP_IOC_PUT_BACK		_IOWR(CP_IOC_MAGIC, 9, struct cp_put_back)

#endif /* _LINUX_CHECKPOINT_H */
