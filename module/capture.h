/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Capturing a checkpoint: its contents, not when or for whom. All functions but
 * cp_capture_other() and cp_capture_other_xstate() run in the slave's own context.
 */
#ifndef _CP_CAPTURE_H
#define _CP_CAPTURE_H

#include <linux/checkpoint.h>
#include <linux/types.h>

struct cp_region;
struct cp_slot;
struct pt_regs;
struct task_struct;
struct user_regset;

/**
 * struct cp_cause - what brought the slave into the kernel
 * @entry:	CP_ENTRY_*
 * @i386:	with CP_ENTRY_SYSCALL: the call came through the entry for 32-bit
 *		code, so its number is one of the i386 ABI
 */
struct cp_cause {
	u32 entry;
	bool i386;
};

void cp_capture_header(struct cp_checkpoint *checkpoint,
		       struct pt_regs *regs, struct cp_cause cause, s32 thread);
void cp_capture_other(struct cp_checkpoint *checkpoint, struct task_struct *task,
		      struct cp_cause cause, s32 thread);
bool cp_capture_stack(struct cp_region *region, const struct cp_slot *slot,
		      unsigned long sp, bool dying);
bool cp_capture_stack_late(struct cp_region *region,
			   const struct cp_slot *slot, unsigned long sp);
void cp_capture_no_stack(const struct cp_slot *slot, unsigned long sp);
const struct user_regset *cp_xstate_regset(void);
size_t cp_xstate_size(void);
int cp_capture_other_xstate(struct task_struct *task, void *buf, size_t room);
void cp_capture_xstate(struct cp_region *region, const struct cp_slot *slot,
		       void *buf, size_t room);

/**
 * cp_checkpoint_bytes - how many bytes of stack a checkpoint holds
 * @checkpoint: the slot's header
 *
 * Return: the number of bytes.
 */
static inline u64 cp_checkpoint_bytes(const struct cp_checkpoint *checkpoint)
{
	const struct cp_segment *seg = (const void *)(checkpoint + 1);

	return seg->size;
}

#endif /* _CP_CAPTURE_H */
