// SPDX-License-Identifier: GPL-2.0-only
/*
 * Taking a checkpoint: registers and stack of the current task.
 */
#include <linux/checkpoint.h>
#include <linux/compat.h>
#include <linux/mm.h>
#include <linux/ptrace.h>
#include <linux/sched/signal.h>
#include <linux/timekeeping.h>
#include <linux/uaccess.h>
#include <linux/user.h>
#include <asm/segment.h>
#include <asm/syscall.h>

#include "capture.h"
#include "compat.h"
#include "region.h"

/* Bytes below RSP that belong to the running function (System V ABI). */
#define RED_ZONE	128

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
 * @entry: CP_ENTRY_*, what had brought it into the kernel
 */
void cp_capture_header(struct cp_checkpoint *checkpoint,
		       struct pt_regs *regs, u32 entry)
{
	checkpoint->size = sizeof(*checkpoint);
	checkpoint->flags = user_64bit_mode(regs) ? 0 : CP_CHECKPOINT_COMPAT;
	checkpoint->time = ktime_get_ns();
	checkpoint->cpu = raw_smp_processor_id();
	checkpoint->entry = entry;
	checkpoint->syscall = entry == CP_ENTRY_SYSCALL ?
			      syscall_get_nr(current, regs) :
			      -1;
	checkpoint->nr_segments = 1;
	checkpoint->segments_offset = sizeof(*checkpoint);
	checkpoint->segment_size = sizeof(struct cp_segment);
	capture_regs(&checkpoint->regs, regs);
}

/*
 * The mapping of a stack pointer: the one it points into, or ends (an empty
 * stack at its top), or that would grow down to it at the next push.
 */
static struct vm_area_struct *find_stack(struct mm_struct *mm, unsigned long sp)
{
	struct vm_area_struct *vma = find_vma(mm, sp);

	if (vma && sp >= vma->vm_start)
		return vma;
	if (vma && (vma->vm_flags & VM_GROWSDOWN) &&
	    vma->vm_end - sp <= rlimit(RLIMIT_STACK))
		return vma;
	vma = find_vma(mm, sp - 1);
	return vma && sp - 1 >= vma->vm_start ? vma : NULL;
}

/* Fills @seg's mapping; both ends are 0 when @sp points to no memory. */
static int stack_mapping(struct cp_segment *seg, unsigned long sp)
{
	struct mm_struct *mm = current->mm;
	struct vm_area_struct *vma;

	seg->map_start = 0;
	seg->map_end = 0;
	if (mmap_read_lock_killable(mm))
		return -EINTR;
	vma = find_stack(mm, sp);
	/* Device memory may act on being read: it is no stack. */
	if (vma && !(vma->vm_flags & (VM_IO | VM_PFNMAP))) {
		seg->map_start = vma->vm_start;
		do {
			seg->map_end = vma->vm_end;
			vma = vma->vm_flags & VM_GROWSDOWN ?
			      find_vma(mm, seg->map_end) : NULL;
		} while (vma && vma->vm_start == seg->map_end &&
			 vma->vm_flags & VM_GROWSDOWN);
	}
	mmap_read_unlock(mm);
	return 0;
}

/*
 * Decides which addresses are saved, and where. A stack that fits is laid at
 * the far end of the data area, so that its top, which does not move, always
 * comes to the same place. Slave and copy agree in their offset in the page.
 */
static void place_stack(struct cp_segment *seg, const struct cp_slot *slot,
			unsigned long sp)
{
	u64 limit = slot->data_size - PAGE_SIZE;

	seg->addr = seg->map_start;
	if (sp > seg->map_start + RED_ZONE)
		seg->addr = sp - RED_ZONE;
	seg->size = seg->map_end - seg->addr;
	if (seg->size <= limit) {
		seg->offset = slot->data + slot->data_size - seg->size;
	} else {
		seg->flags |= CP_SEGF_TRUNCATED;
		seg->size = limit;
		seg->offset = slot->data + offset_in_page(seg->addr);
	}
}

/* What cannot be read is zeroed by copy_from_user(): it is never old data. */
static int copy_stack(struct cp_region *region, struct cp_segment *seg)
{
	u64 done = 0;

	while (done < seg->size) {
		unsigned long addr = seg->addr + done;
		size_t part = min_t(u64, seg->size - done,
				    PAGE_SIZE - offset_in_page(addr));
		void *to = cp_region_at(region, seg->offset + done);

		if (!to) {
			seg->flags |= CP_SEGF_NOMEM;
			seg->size = done;
			break;
		}
		if (copy_from_user(to, (void __user *)addr, part))
			seg->flags |= CP_SEGF_HOLE;
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
		done += part;
	}
	return 0;
}

/**
 * cp_capture_stack - copy the stack in use
 * @region: where it goes
 * @slot: the slot of it
 * @sp: the stack pointer
 *
 * Return: 0, or -EINTR when the task is being killed.
 */
int cp_capture_stack(struct cp_region *region, const struct cp_slot *slot,
		     unsigned long sp)
{
	struct cp_segment *seg = (void *)(slot->header + 1);
	int ret;

	memset(seg, 0, sizeof(*seg));
	seg->kind = CP_SEGMENT_STACK;
	ret = stack_mapping(seg, sp);
	if (ret)
		return ret;
	if (!seg->map_end) {
		seg->addr = sp;
		seg->flags = CP_SEGF_UNMAPPED;
		return 0;
	}
	place_stack(seg, slot, sp);
	return copy_stack(region, seg);
}
