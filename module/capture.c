// SPDX-License-Identifier: GPL-2.0-only
/*
 * Capturing a checkpoint: registers and stack of the current task.
 */
#include <linux/checkpoint.h>
#include <linux/elf.h>
#include <linux/mm.h>
#include <linux/ptrace.h>
#include <linux/regset.h>
#include <linux/sched/signal.h>
#include <linux/sched/task_stack.h>
#include <linux/sizes.h>
#include <linux/timekeeping.h>
#include <linux/uaccess.h>
#include <linux/user.h>
#include <asm/segment.h>
#include <asm/syscall.h>

#include "capture.h"
#include "compat.h"
#include "memory.h"
#include "region.h"

/* Bytes below RSP that belong to the running function (System V ABI). */
#define RED_ZONE	128

/* After this many bytes, let other tasks have the CPU and mmap_lock. */
#define PAUSE_BYTES	SZ_64K

/* The most that is copied with interrupts off; perf has the same limit. */
#define LATE_BYTES_MAX	SZ_64K

/* A stack that is split into more mappings than this is truncated. */
#define MAPPINGS_MAX	16

/* How far below its mapping the pointer of an overflown stack may be. */
#define OVERFLOW_MAX	SZ_1M

/* struct cp_regs must equal the struct that debuggers know. */
static_assert(sizeof(struct cp_regs) == sizeof(struct user_regs_struct));
static_assert(offsetof(struct cp_regs, orig_rax) ==
	      offsetof(struct user_regs_struct, orig_ax));
static_assert(offsetof(struct cp_regs, fs_base) ==
	      offsetof(struct user_regs_struct, fs_base));
static_assert(offsetof(struct cp_regs, gs) ==
	      offsetof(struct user_regs_struct, gs));

/* Hides a trap flag that a debugger has set: it is not the program's. */
static unsigned long visible_flags(struct task_struct *task,
				   const struct pt_regs *regs)
{
	if (test_tsk_thread_flag(task, TIF_FORCED_TF))
		return regs->flags & ~X86_EFLAGS_TF;
	return regs->flags;
}

static void capture_segments(struct cp_regs *to)
{
	unsigned int selector;

	savesegment(ds, selector);
	to->ds = selector;
	savesegment(es, selector);
	to->es = selector;
	savesegment(fs, selector);
	to->fs = selector;
	savesegment(gs, selector);
	to->gs = selector;

	/*
	 * The processor holds the bases of the current task. In kernel mode the
	 * user's GS base is in MSR_KERNEL_GS_BASE.
	 */
	rdmsrq(MSR_FS_BASE, to->fs_base);
	rdmsrq(MSR_KERNEL_GS_BASE, to->gs_base);
}

static void capture_general(struct cp_regs *to, struct task_struct *task,
			    const struct pt_regs *regs)
{
	to->r15 = regs->r15;
	to->r14 = regs->r14;
	to->r13 = regs->r13;
	to->r12 = regs->r12;
	to->rbp = regs->bp;
	to->rbx = regs->bx;
	to->r11 = regs->r11;
	to->r10 = regs->r10;
	to->r9 = regs->r9;
	to->r8 = regs->r8;
	to->rax = regs->ax;
	to->rcx = regs->cx;
	to->rdx = regs->dx;
	to->rsi = regs->si;
	to->rdi = regs->di;
	to->orig_rax = regs->orig_ax;
	to->rip = regs->ip;
	to->cs = regs->cs;
	to->eflags = visible_flags(task, regs);
	to->rsp = regs->sp;
	to->ss = regs->ss;
}

/* All but the segment registers. */
static __always_inline void capture_fixed(struct cp_checkpoint *checkpoint,
					  struct task_struct *task,
					  struct pt_regs *regs,
					  struct cp_cause cause, s32 thread)
{
	checkpoint->size = sizeof(*checkpoint);
	checkpoint->flags = user_64bit_mode(regs) ? 0 : CP_CHECKPOINT_COMPAT;
	if (cause.i386)
		checkpoint->flags |= CP_CHECKPOINT_SYSCALL32;
	checkpoint->time = ktime_get_ns();
	checkpoint->cpu = task_cpu(task);
	checkpoint->entry = cause.entry;
	checkpoint->syscall = cause.entry == CP_ENTRY_SYSCALL ?
			      syscall_get_nr(task, regs) :
			      -1;
	checkpoint->nr_segments = 1;
	checkpoint->segments_offset = sizeof(*checkpoint);
	checkpoint->segment_size = sizeof(struct cp_segment);
	checkpoint->signal = 0;
	checkpoint->signal_code = 0;
	checkpoint->signal_addr = 0;
	checkpoint->signal_thread = 0;
	checkpoint->thread = thread;
	capture_general(&checkpoint->regs, task, regs);
}

/**
 * cp_capture_header - fill a checkpoint's fixed part
 * @checkpoint: the slot's header; the caller sets its sequence number, and replaces its
 *	time, now that of the machine's clock, by that of the master's
 * @regs: the registers with which the current task enters user mode
 * @cause: what brought it into the kernel
 * @thread: the task's id for the master
 */
void cp_capture_header(struct cp_checkpoint *checkpoint,
		       struct pt_regs *regs, struct cp_cause cause, s32 thread)
{
	capture_fixed(checkpoint, current, regs, cause, thread);
	capture_segments(&checkpoint->regs);
}

/**
 * cp_capture_other - fill the fixed part of a checkpoint of another task
 * @checkpoint: the checkpoint; it gets no segments
 * @task: the task; the result is valid if the task is off its CPU all the time
 * @cause: what brought the task into the kernel
 * @thread: its id for the master
 *
 * The registers are those with which the task has entered the kernel.
 */
void cp_capture_other(struct cp_checkpoint *checkpoint, struct task_struct *task,
		      struct cp_cause cause, s32 thread)
{
	struct cp_regs *regs = &checkpoint->regs;

	capture_fixed(checkpoint, task, task_pt_regs(task), cause, thread);
	checkpoint->nr_segments = 0;
	/* What a switch has saved. */
	regs->ds = task->thread.ds;
	regs->es = task->thread.es;
	regs->fs = task->thread.fsindex;
	regs->gs = task->thread.gsindex;
	regs->fs_base = task->thread.fsbase;
	regs->gs_base = task->thread.gsbase;
}

/*
 * The mapping of a stack pointer: the one that contains it, the one that ends there
 * (an empty stack), or the one above it that grows down: within RLIMIT_STACK the next
 * push makes it grow, and beyond that the stack has overflown.
 */
static struct vm_area_struct *find_stack(struct vma_iterator *vmi,
					 unsigned long sp)
{
	struct vm_area_struct *vma = vma_next(vmi);

	if (vma && sp >= vma->vm_start)
		return vma;
	if (vma && (vma->vm_flags & VM_GROWSDOWN) &&
	    (vma->vm_end - sp <= rlimit(RLIMIT_STACK) ||
	     vma->vm_start - sp <= OVERFLOW_MAX))
		return vma;
	mas_set(&vmi->mas, sp - 1);
	vma = vma_next(vmi);
	return vma && sp - 1 >= vma->vm_start ? vma : NULL;
}

/* Device memory is not a stack. */
static bool is_device(const struct vm_area_struct *vma)
{
	return vma->vm_flags & (VM_IO | VM_PFNMAP);
}

/* Does the stack continue in the next mapping? */
static bool continues_in(const struct vm_area_struct *vma,
			 const struct vm_area_struct *next, bool dying)
{
	if (vma->vm_end != next->vm_start || is_device(next))
		return false;
	/* Either the stack was split, or it has overflown into its guard. */
	return (vma->vm_flags & next->vm_flags & VM_GROWSDOWN) ||
	       (dying && !(vma->vm_flags & VM_ACCESS_FLAGS) &&
		next->vm_flags & VM_WRITE);
}

/*
 * May continues_in() hold for the next mapping? The mapping that holds the
 * environment is the last one of the main thread's stack, and other threads' stacks
 * are not split; so most captures need no second lookup.
 */
static bool may_continue(const struct mm_struct *mm,
			 const struct vm_area_struct *vma, bool dying)
{
	/* prctl(2) may change @env_end at any time. */
	unsigned long env_end = READ_ONCE(mm->env_end);

	if (env_end > vma->vm_start && env_end <= vma->vm_end)
		return false;
	return dying || vma->vm_flags & VM_GROWSDOWN;
}

/*
 * Was the mapping made to be a stack? A stack that the kernel makes grows down. A
 * thread's stack has a guard below it, or was mapped with MAP_STACK, which sets
 * VM_NOHUGEPAGE since 6.7. Any other mapping is an arena, in which the stacks of
 * coroutines lie beside other data.
 */
static bool is_stack(struct vm_area_struct *vma)
{
	VMA_ITERATOR(vmi, current->mm, vma->vm_start);
	const struct vm_area_struct *below;

	/* A mapping without access is the guard of an overflown stack. */
	if (vma->vm_flags & (VM_GROWSDOWN | VM_NOHUGEPAGE) ||
	    !(vma->vm_flags & VM_ACCESS_FLAGS))
		return true;
	below = vma_prev(&vmi);
	return below && below->vm_end == vma->vm_start &&
	       !(below->vm_flags & VM_ACCESS_FLAGS);
}

/* Fills in the mapping of @seg; map_end stays 0 if @sp points to no memory. */
static void find_mapping(struct cp_memory *memory, struct cp_segment *seg,
			 unsigned long sp, bool dying)
{
	VMA_ITERATOR(vmi, current->mm, sp);
	struct vm_area_struct *vma, *next;
	unsigned int i;

	lockdep_assert_held(&current->mm->mmap_lock);
	vma = find_stack(&vmi, sp);
	if (!vma || is_device(vma))
		return;
	cp_memory_enter(memory, vma);
	seg->map_start = vma->vm_start;
	for (i = 0; i < MAPPINGS_MAX; i++) {
		if (!may_continue(current->mm, vma, dying))
			break;
		next = vma_next(&vmi);
		if (!next || !continues_in(vma, next, dying))
			break;
		vma = next;
	}
	if (i == MAPPINGS_MAX)
		seg->flags |= CP_SEGF_TRUNCATED;
	seg->map_end = vma->vm_end;
}

static bool is_user_memory(const struct cp_segment *seg)
{
	return seg->map_end && access_ok(u64_to_user_ptr(seg->map_start),
					 seg->map_end - seg->map_start);
}

/* The most bytes of this mapping that a checkpoint holds. */
static u64 segment_limit(const struct cp_slot *slot,
			 const struct cp_segment *seg)
{
	u64 limit = slot->data_size - PAGE_SIZE;
	struct vm_area_struct *vma;

	if (slot->arena_limit >= limit || seg->size <= slot->arena_limit)
		return limit;
	vma = find_vma(current->mm, seg->addr);
	return vma && is_stack(vma) ? limit : slot->arena_limit;
}

/*
 * Decides which addresses are saved, and where. A stack that fits is placed at the
 * far end of the data area, so that the stack's base, which does not move, is always
 * at the same offset. An address and its copy have the same offset in their pages.
 */
static void place_stack(struct cp_segment *seg, const struct cp_slot *slot,
			unsigned long sp)
{
	u64 limit;

	seg->addr = seg->map_start;
	if (sp > seg->map_start + RED_ZONE)
		seg->addr = sp - RED_ZONE;
	seg->size = seg->map_end - seg->addr;
	limit = segment_limit(slot, seg);
	if (seg->size <= limit) {
		seg->offset = slot->data + slot->data_size - seg->size;
	} else {
		seg->flags |= CP_SEGF_TRUNCATED;
		seg->size = limit;
		seg->offset = slot->data + offset_in_page(seg->addr);
	}
}

/* A piece lies in one page of the slave and in one page of the region. */
static size_t first_piece(const struct cp_segment *seg)
{
	return min_t(u64, seg->size, PAGE_SIZE - offset_in_page(seg->addr));
}

/* Lets waiting tasks have the CPU and mmap_lock; false when being killed. */
static bool capture_pause(struct cp_memory *memory, bool dying)
{
	if (!dying && fatal_signal_pending(current))
		return false;
	cond_resched();
	if (likely(!mmap_lock_is_contended(current->mm)))
		return true;
	cp_memory_unlock(memory);
	return !cp_memory_lock(memory);
}

/*
 * A task that is being killed is not delayed, unless it saves its last state
 * (@dying): then it continues, but does not wait for mmap_lock, and the rest is
 * truncated.
 */
static void copy_stack(struct cp_memory *memory, struct cp_region *region,
		       struct cp_segment *seg, bool dying)
{
	size_t left = seg->size, piece = first_piece(seg);
	u64 addr = seg->addr, offset = seg->offset;

	while (left) {
		void *to = cp_region_at(region, offset);

		if (unlikely(!to)) {
			seg->flags |= CP_SEGF_NOMEM;
			break;
		}
		if (unlikely(!cp_memory_read(memory, to, addr, piece)))
			seg->flags |= CP_SEGF_HOLE;
		left -= piece;
		addr += piece;
		offset += piece;
		piece = min_t(size_t, left, PAGE_SIZE);
		if (left && unlikely(!memory->locked ||
				     (!(addr & (PAUSE_BYTES - 1)) &&
				      !capture_pause(memory, dying)))) {
			seg->flags |= CP_SEGF_TRUNCATED;
			break;
		}
	}
	seg->size -= left;
}

/* Does not wait; false when a page of the slave or of the region is missing. */
static bool copy_stack_late(struct cp_memory *memory, struct cp_region *region,
			    const struct cp_segment *seg)
{
	size_t left = seg->size, piece = first_piece(seg);
	u64 addr = seg->addr, offset = seg->offset;

	while (left) {
		void *page = cp_region_page(region, offset);

		if (unlikely(!page) ||
		    unlikely(!cp_memory_read_late(memory,
						  page + offset_in_page(offset),
						  addr, piece)))
			return false;
		left -= piece;
		addr += piece;
		offset += piece;
		piece = min_t(size_t, left, PAGE_SIZE);
	}
	return true;
}

/* The table of a slot's segments follows its header, in this order. */
enum { SEGMENT_STACK, SEGMENT_XSTATE, NR_SEGMENTS };

static struct cp_segment *new_segment(const struct cp_slot *slot,
				      unsigned int index, u32 kind)
{
	struct cp_segment *seg = (void *)(slot->header + 1);

	seg += index;
	memset(seg, 0, sizeof(*seg));
	seg->kind = kind;
	return seg;
}

/* Fills in @seg and copies. True if a late capture would have succeeded. */
static bool capture_stack_locked(struct cp_memory *memory,
				 struct cp_region *region,
				 const struct cp_slot *slot,
				 struct cp_segment *seg, bool dying)
{
	unsigned long sp = seg->addr;

	find_mapping(memory, seg, sp, dying);
	if (!is_user_memory(seg)) {
		seg->flags = CP_SEGF_UNMAPPED;
		return false;
	}
	place_stack(seg, slot, sp);
	copy_stack(memory, region, seg, dying);
	return !memory->absent && seg->size <= LATE_BYTES_MAX &&
	       !(seg->flags & ~CP_SEGF_TRUNCATED);
}

/**
 * cp_capture_stack - copy the stack in use
 * @region: where it goes
 * @slot: the slot of it
 * @sp: the stack pointer
 * @dying: copy even if a fatal signal is pending
 *
 * Without @dying, the copy is incomplete if a fatal signal arrives, so the caller
 * checks for signals afterwards.
 *
 * Return: true if cp_capture_stack_late() would have succeeded.
 */
bool cp_capture_stack(struct cp_region *region, const struct cp_slot *slot,
		      unsigned long sp, bool dying)
{
	struct cp_memory memory = { };
	struct cp_segment *seg;
	bool light;

	seg = new_segment(slot, SEGMENT_STACK, CP_SEGMENT_STACK);
	seg->addr = sp;
	if (cp_memory_lock(&memory)) {
		seg->flags = CP_SEGF_GONE;
		return false;
	}
	light = capture_stack_locked(&memory, region, slot, seg, dying);
	cp_memory_unlock(&memory);
	return light;
}

static bool capture_stack_late_locked(struct cp_memory *memory,
				      struct cp_region *region,
				      const struct cp_slot *slot,
				      struct cp_segment *seg)
{
	unsigned long sp = seg->addr;

	find_mapping(memory, seg, sp, false);
	if (!is_user_memory(seg))
		return false;
	place_stack(seg, slot, sp);
	return seg->size <= LATE_BYTES_MAX &&
	       copy_stack_late(memory, region, seg);
}

/**
 * cp_capture_stack_late - copy the stack in use with interrupts off
 * @region: where it goes
 * @slot: the slot of it
 * @sp: the stack pointer
 *
 * Looks at no more than MAPPINGS_MAX mappings, copies no more than LATE_BYTES_MAX
 * bytes, and waits for nothing.
 *
 * Return: false when the stack needs more than that, a page is not present, or
 * mmap_lock is not free.
 */
bool cp_capture_stack_late(struct cp_region *region,
			   const struct cp_slot *slot, unsigned long sp)
{
	struct cp_memory memory = { };
	struct cp_segment *seg;
	bool copied;

	seg = new_segment(slot, SEGMENT_STACK, CP_SEGMENT_STACK);
	seg->addr = sp;
	if (!cp_memory_trylock(&memory))
		return false;
	copied = capture_stack_late_locked(&memory, region, slot, seg);
	cp_memory_unlock(&memory);
	return copied;
}

/**
 * cp_capture_no_stack - record that the task's memory is gone
 * @slot: the slot
 * @sp: the stack pointer
 */
void cp_capture_no_stack(const struct cp_slot *slot, unsigned long sp)
{
	struct cp_segment *seg;

	seg = new_segment(slot, SEGMENT_STACK, CP_SEGMENT_STACK);
	seg->addr = sp;
	seg->flags = CP_SEGF_GONE;
}

/**
 * cp_xstate_regset - how extended registers are read and written
 *
 * The extended state in the format of ptrace; without XSAVE, the legacy part. The
 * legacy part is NT_PRFPREG in the 64-bit view and NT_PRXFPREG in the 32-bit view,
 * in which an NT_PRFPREG of another layout precedes it.
 *
 * Return: the set of registers, or NULL.
 */
const struct user_regset *cp_xstate_regset(void)
{
	const struct user_regset_view *view = task_user_regset_view(current);
	const struct user_regset *found = NULL;
	unsigned int i;

	for (i = 0; i < view->n; i++) {
		const struct user_regset *regset = &view->regsets[i];

		if (regset->core_note_type == NT_X86_XSTATE && regset->n)
			return regset;
		if (regset->core_note_type == NT_PRFPREG ||
		    regset->core_note_type == NT_PRXFPREG)
			found = regset;
	}
	return found;
}

/**
 * cp_xstate_size - how large the extended registers are
 *
 * Return: bytes.
 */
size_t cp_xstate_size(void)
{
	const struct user_regset *regset = cp_xstate_regset();

	return regset ? (size_t)regset->n * regset->size : 0;
}

/**
 * cp_capture_other_xstate - save floating point and vector registers of another task
 * @task: the task, which has left its CPU and does not run
 * @buf: where they go
 * @room: the size of @buf
 *
 * Any context.
 *
 * Return: the number of bytes, or an error.
 */
int cp_capture_other_xstate(struct task_struct *task, void *buf, size_t room)
{
	const struct user_regset *regset = cp_xstate_regset();

	return regset ? regset_get(task, regset, room, buf) : 0;
}

/**
 * cp_capture_xstate - save floating point and vector registers
 * @region: where they go
 * @slot: the slot of it
 * @buf: a buffer
 * @room: the size of @buf and of the slot's part: cp_xstate_size() of the time when
 *	the pair was made
 */
void cp_capture_xstate(struct cp_region *region, const struct cp_slot *slot,
		       void *buf, size_t room)
{
	const struct user_regset *regset = cp_xstate_regset();
	struct cp_segment *seg;
	int size, done = 0;

	slot->header->nr_segments = NR_SEGMENTS;
	seg = new_segment(slot, SEGMENT_XSTATE, CP_SEGMENT_XSTATE);
	seg->offset = slot->xstate;
	size = regset_get(current, regset, room, buf);
	while (done < size) {
		void *to = cp_region_at(region, slot->xstate + done);
		size_t piece = min_t(size_t, size - done, PAGE_SIZE);

		if (!to) {
			seg->flags |= CP_SEGF_NOMEM;
			break;
		}
		memcpy(to, buf + done, piece);
		done += piece;
	}
	seg->size = done;
}
