// SPDX-License-Identifier: GPL-2.0-only
/*
 * Taking a checkpoint: registers and stack of the current task.
 */
#include <linux/checkpoint.h>
#include <linux/compat.h>
#include <linux/elf.h>
#include <linux/mm.h>
#include <linux/ptrace.h>
#include <linux/regset.h>
#include <linux/sched/signal.h>
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

/* After each of these, let others have the CPU and mmap_lock. */
#define PAUSE_BYTES	SZ_64K

/* The most that is copied with interrupts off; perf's own limit. */
#define LATE_BYTES_MAX	SZ_64K

/* A stack that was split into more mappings than this is cut after them. */
#define MAPPINGS_MAX	16

/* How far below its end the stack pointer of an overflown stack may be. */
#define OVERFLOW_MAX	SZ_1M

/* Debuggers know the one, so the other must be the same to the byte. */
static_assert(sizeof(struct cp_regs) == sizeof(struct user_regs_struct));
static_assert(offsetof(struct cp_regs, orig_rax) ==
	      offsetof(struct user_regs_struct, orig_ax));
static_assert(offsetof(struct cp_regs, fs_base) ==
	      offsetof(struct user_regs_struct, fs_base));
static_assert(offsetof(struct cp_regs, gs) ==
	      offsetof(struct user_regs_struct, gs));

/* A trap flag that a debugger set is the debugger's, not the program's. */
static unsigned long visible_flags(const struct pt_regs *regs)
{
	if (test_thread_flag(TIF_FORCED_TF))
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
	 * The processor holds the bases of the task that runs on it; in kernel
	 * mode the user's GS base waits in the other of the two registers.
	 */
	rdmsrq(MSR_FS_BASE, to->fs_base);
	rdmsrq(MSR_KERNEL_GS_BASE, to->gs_base);
}

static void capture_regs(struct cp_regs *to, const struct pt_regs *regs)
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
	to->eflags = visible_flags(regs);
	to->rsp = regs->sp;
	to->ss = regs->ss;
	capture_segments(to);
}

/**
 * cp_capture_header - fill a checkpoint's fixed part
 * @checkpoint: the slot's header; its sequence number is the caller's
 * @regs: the registers with which the current task enters user mode
 * @cause: what brought it into the kernel
 */
void cp_capture_header(struct cp_checkpoint *checkpoint,
		       struct pt_regs *regs, struct cp_cause cause)
{
	checkpoint->size = sizeof(*checkpoint);
	checkpoint->flags = user_64bit_mode(regs) ? 0 : CP_CHECKPOINT_COMPAT;
	if (cause.i386)
		checkpoint->flags |= CP_CHECKPOINT_SYSCALL32;
	checkpoint->time = ktime_get_ns();
	checkpoint->cpu = raw_smp_processor_id();
	checkpoint->entry = cause.entry;
	checkpoint->syscall = cause.entry == CP_ENTRY_SYSCALL ?
			      syscall_get_nr(current, regs) :
			      -1;
	checkpoint->nr_segments = 1;
	checkpoint->segments_offset = sizeof(*checkpoint);
	checkpoint->segment_size = sizeof(struct cp_segment);
	checkpoint->signal = 0;
	checkpoint->signal_code = 0;
	checkpoint->signal_addr = 0;
	checkpoint->signal_thread = 0;
	checkpoint->reserved = 0;
	capture_regs(&checkpoint->regs, regs);
}

/*
 * The mapping of a stack pointer: the one it points into, or ends (an empty
 * stack at its top), or that would have to grow down to it: at the next push,
 * or no further, when the stack has overflown.
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

/* A stack pointer into a device's registers points to no stack. */
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
	/* One that was split; or a guard, of a stack that has overflown. */
	return (vma->vm_flags & next->vm_flags & VM_GROWSDOWN) ||
	       (dying && !(vma->vm_flags & VM_ACCESS_FLAGS) &&
		next->vm_flags & VM_WRITE);
}

/*
 * May continues_in() hold for the next mapping? Not where the main thread's
 * stack begins, nor for the stacks of other threads. That spares most lookups;
 * for a process that moved its environment away there is a lookup.
 */
static bool may_continue(const struct mm_struct *mm,
			 const struct vm_area_struct *vma, bool dying)
{
	/* prctl(2) may change it meanwhile. */
	unsigned long env_end = READ_ONCE(mm->env_end);

	if (env_end > vma->vm_start && env_end <= vma->vm_end)
		return false;
	return dying || vma->vm_flags & VM_GROWSDOWN;
}

/*
 * Was the mapping made to be a stack? The kernel's own grow down; a thread's has
 * a guard below it, or has been mapped with MAP_STACK, which since 6.7 leaves
 * VM_NOHUGEPAGE behind. Any other is an arena in which stacks lie among other
 * things, as those of coroutines do.
 */
static bool is_stack(struct vm_area_struct *vma)
{
	VMA_ITERATOR(vmi, current->mm, vma->vm_start);
	const struct vm_area_struct *below;

	/* An overflown stack's pointer is in its guard. */
	if (vma->vm_flags & (VM_GROWSDOWN | VM_NOHUGEPAGE) ||
	    !(vma->vm_flags & VM_ACCESS_FLAGS))
		return true;
	below = vma_prev(&vmi);
	return below && below->vm_end == vma->vm_start &&
	       !(below->vm_flags & VM_ACCESS_FLAGS);
}

/*
 * Fills @seg's mapping; both ends stay 0 when @sp points to no memory.
 */
static void find_mapping(struct cp_segment *seg, unsigned long sp, bool dying)
{
	VMA_ITERATOR(vmi, current->mm, sp);
	struct vm_area_struct *vma, *next;
	unsigned int i;

	lockdep_assert_held(&current->mm->mmap_lock);
	vma = find_stack(&vmi, sp);
	if (!vma || is_device(vma))
		return;
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

/* How many bytes of this mapping a checkpoint holds at most. */
static u64 limit_of(const struct cp_slot *slot, const struct cp_segment *seg)
{
	u64 limit = slot->data_size - PAGE_SIZE;
	struct vm_area_struct *vma;

	if (slot->arena_limit >= limit || seg->size <= slot->arena_limit)
		return limit;
	vma = find_vma(current->mm, seg->addr);
	return vma && is_stack(vma) ? limit : slot->arena_limit;
}

/*
 * Decides which addresses are saved, and where. A stack that fits is laid at
 * the far end of the data area, so that its top, which does not move, always
 * comes to the same place. Slave and copy agree in their offset in the page.
 */
static void place_stack(struct cp_segment *seg, const struct cp_slot *slot,
			unsigned long sp)
{
	u64 limit;

	seg->addr = seg->map_start;
	if (sp > seg->map_start + RED_ZONE)
		seg->addr = sp - RED_ZONE;
	seg->size = seg->map_end - seg->addr;
	limit = limit_of(slot, seg);
	if (seg->size <= limit) {
		seg->offset = slot->data + slot->data_size - seg->size;
	} else {
		seg->flags |= CP_SEGF_TRUNCATED;
		seg->size = limit;
		seg->offset = slot->data + offset_in_page(seg->addr);
	}
}

/* Slave and copy agree in their offset in the page: a part lies in one of each. */
static size_t first_part(const struct cp_segment *seg)
{
	return min_t(u64, seg->size, PAGE_SIZE - offset_in_page(seg->addr));
}

/* Lets others have the CPU and mmap_lock; false when the task is being killed. */
static bool pause(struct cp_memory *memory, bool dying)
{
	if (!dying && fatal_signal_pending(current))
		return false;
	cp_memory_unlock(memory);
	cond_resched();
	return !cp_memory_lock(memory);
}

/*
 * A task that is killed is not held up, unless it is to leave its last state:
 * even then it does not wait for mmap_lock, and what is missing is cut.
 */
static void copy_stack(struct cp_memory *memory, struct cp_region *region,
		       struct cp_segment *seg, bool dying)
{
	size_t left = seg->size, part = first_part(seg);
	u64 addr = seg->addr, offset = seg->offset;

	while (left) {
		void *to = cp_region_at(region, offset);

		if (unlikely(!to)) {
			seg->flags |= CP_SEGF_NOMEM;
			break;
		}
		if (unlikely(!cp_memory_read(memory, to, addr, part)))
			seg->flags |= CP_SEGF_HOLE;
		left -= part;
		addr += part;
		offset += part;
		part = min_t(size_t, left, PAGE_SIZE);
		if (left && unlikely(!memory->locked ||
				     (!(addr & (PAUSE_BYTES - 1)) &&
				      !pause(memory, dying)))) {
			seg->flags |= CP_SEGF_TRUNCATED;
			break;
		}
	}
	seg->size -= left;
}

/* Without waiting for anything; false when a part is missing on either side. */
static bool copy_stack_late(struct cp_memory *memory, struct cp_region *region,
			    const struct cp_segment *seg)
{
	size_t left = seg->size, part = first_part(seg);
	u64 addr = seg->addr, offset = seg->offset;

	while (left) {
		void *page = cp_region_page(region, offset);

		if (unlikely(!page) ||
		    unlikely(!cp_memory_read_present(memory, page +
						     offset_in_page(offset),
						     addr, part)))
			return false;
		left -= part;
		addr += part;
		offset += part;
		part = min_t(size_t, left, PAGE_SIZE);
	}
	return true;
}

/* A slot's segments follow its header, in a table of this order. */
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

/* Fills @seg and copies; the lock is held. False when late capture must fail. */
static bool capture_stack_locked(struct cp_memory *memory,
				 struct cp_region *region,
				 const struct cp_slot *slot,
				 struct cp_segment *seg, bool dying)
{
	unsigned long sp = seg->addr;

	find_mapping(seg, sp, dying);
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
 * @dying: copy even if a signal that kills is pending
 *
 * Without @dying the caller checks for a signal afterwards: then what was copied
 * is not complete.
 *
 * Return: true if cp_capture_stack_late() could have done it.
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

	find_mapping(seg, sp, false);
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
 * Bounded: looks at MAPPINGS_MAX mappings and copies LATE_BYTES_MAX bytes
 * at most, and waits for nothing.
 *
 * Return: false when that is not enough, or a page or mmap_lock is missing.
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
 * cp_capture_no_stack - the task has no memory any more
 * @slot: the slot in which to say so
 * @sp: the stack pointer
 */
void cp_capture_no_stack(const struct cp_slot *slot, unsigned long sp)
{
	struct cp_segment *seg;

	seg = new_segment(slot, SEGMENT_STACK, CP_SEGMENT_STACK);
	seg->addr = sp;
	seg->flags = CP_SEGF_GONE;
}

/*
 * The extended state as ptrace has it; only the old part without XSAVE. That has
 * the same layout under two names: the 32-bit view has another one before it.
 */
static const struct user_regset *find_xstate(void)
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
	const struct user_regset *regset = find_xstate();

	return regset ? (size_t)regset->n * regset->size : 0;
}

/**
 * cp_capture_xstate - save floating point and vector registers
 * @region: where they go
 * @slot: the slot of it
 * @buf: memory to work in
 * @room: its bytes, and those of the slot; what cp_xstate_size() was
 */
void cp_capture_xstate(struct cp_region *region, const struct cp_slot *slot,
		       void *buf, size_t room)
{
	const struct user_regset *regset = find_xstate();
	struct cp_segment *seg;
	int size, done = 0;

	slot->header->nr_segments = NR_SEGMENTS;
	seg = new_segment(slot, SEGMENT_XSTATE, CP_SEGMENT_XSTATE);
	seg->offset = slot->xstate;
	size = regset_get(current, regset, room, buf);
	while (done < size) {
		void *to = cp_region_at(region, slot->xstate + done);
		size_t part = min_t(size_t, size - done, PAGE_SIZE);

		if (!to) {
			seg->flags |= CP_SEGF_NOMEM;
			break;
		}
		memcpy(to, buf + done, part);
		done += part;
	}
	seg->size = done;
}
