/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Everything that differs between kernel versions. The rest of the module is
 * written for the newest interface; Kbuild looks for a feature in the headers
 * of the kernel it builds for where the preprocessor cannot.
 */
#ifndef _CP_COMPAT_H
#define _CP_COMPAT_H

#include <linux/fs.h>
#include <linux/hrtimer.h>
#include <linux/mm.h>
#include <linux/rseq.h>
#include <linux/sched.h>
#include <linux/sched/coredump.h>
#ifdef CP_HAVE_SOFTLEAF
#include <linux/leafops.h>
#else
#include <linux/swap.h>
#include <linux/swapops.h>
#endif
#include <asm/msr.h>
#include <asm/prctl.h>

#ifndef CONFIG_X86_64
#error "checkpoint supports x86-64 only."
#endif
#ifndef CONFIG_USER_RETURN_NOTIFIER
#error "checkpoint needs CONFIG_USER_RETURN_NOTIFIER (it comes with CONFIG_KVM)."
#endif
#ifndef CONFIG_PREEMPT_NOTIFIERS
#error "checkpoint needs CONFIG_PREEMPT_NOTIFIERS (it comes with CONFIG_KVM)."
#endif
#ifndef CONFIG_TRACEPOINTS
#error "checkpoint needs CONFIG_TRACEPOINTS."
#endif

/* rdmsrl() was renamed in 6.16. */
#ifndef rdmsrq
#define rdmsrq rdmsrl
#endif

/* Kernel workers of a process: of io_uring alone before 6.4, any since. */
#ifdef PF_USER_WORKER
#define CP_PF_KERNEL	(PF_KTHREAD | PF_USER_WORKER | PF_IO_WORKER)
#else
#define CP_PF_KERNEL	(PF_KTHREAD | PF_IO_WORKER)
#endif

/* Flags of a mapping are changed through helpers since 6.3. */
#ifndef CP_HAVE_VM_FLAGS_MOD
static inline void vm_flags_mod(struct vm_area_struct *vma,
				unsigned long set, unsigned long clear)
{
	vma->vm_flags |= set;
	vma->vm_flags &= ~clear;
}
#endif

/* The mappings are no longer an argument since 6.5. */
#ifdef CP_HAVE_GUP_VMAS
#define cp_get_user_pages_remote(mm, start, nr, flags, pages, locked) \
	get_user_pages_remote(mm, start, nr, flags, pages, NULL, locked)
#else
#define cp_get_user_pages_remote get_user_pages_remote
#endif

/* Arguments of the tracepoint sched_process_exit: one more since 6.16. */
#ifdef CP_HAVE_EXIT_GROUP_DEAD
#define CP_EXIT_PROBE_ARGS void *data, struct task_struct *task, bool group_dead
#else
#define CP_EXIT_PROBE_ARGS void *data, struct task_struct *task
#endif

/* Types of kobjects are const since 6.2. */
#ifdef CP_HAVE_CONST_KOBJ
#define CP_KOBJ_TYPE(type) (type)
#else
#define CP_KOBJ_TYPE(type) ((struct kobj_type *)(type))
#endif

/* Timers are set up in one step since 6.13. */
#ifndef CP_HAVE_HRTIMER_SETUP
static inline void hrtimer_setup(struct hrtimer *timer,
				 enum hrtimer_restart (*function)(struct hrtimer *),
				 clockid_t clock, enum hrtimer_mode mode)
{
	hrtimer_init(timer, clock, mode);
	timer->function = function;
}
#endif

/* Has a task been switched out, so that its registers are in memory? */
static inline bool cp_task_is_off_cpu(const struct task_struct *task)
{
#ifdef CONFIG_SMP
	/* Pairs with finish_task(): what the task has saved is seen, too. */
	return !smp_load_acquire(&task->on_cpu);
#else
	return task != current;
#endif
}

/* A second flag asks for the CPU since 6.13, with PREEMPT_LAZY. */
static inline bool cp_need_resched(void)
{
#ifdef TIF_NEED_RESCHED_LAZY
	return need_resched() || test_thread_flag(TIF_NEED_RESCHED_LAZY);
#else
	return need_resched();
#endif
}

/* Gives a file that is not being released; since 6.7. */
#ifndef CP_HAVE_GET_FILE_ACTIVE
static inline struct file *get_file_active(struct file **place)
{
	struct file *file = READ_ONCE(*place);

	return file && atomic_long_inc_not_zero(&file->f_count) ? file : NULL;
}
#endif

/* The file that the program has mapped, and not the one below it, since 6.7. */
static inline const struct path *cp_file_path(const struct file *file)
{
#ifdef CP_HAVE_FILE_USER_PATH
	return file_user_path(file);
#else
	return &file->f_path;
#endif
}

static inline const struct inode *cp_file_inode(const struct file *file)
{
#ifdef CP_HAVE_FILE_USER_PATH
	return file_user_inode(file);
#else
	return file_inode(file);
#endif
}

/* The name that prctl(PR_SET_VMA) has given to a mapping of no file; mmap_lock is held. */
static inline const char *cp_anon_name(const struct vm_area_struct *vma)
{
#ifdef CONFIG_ANON_VMA_NAME
	return vma->anon_name ? vma->anon_name->name : NULL;
#else
	return NULL;
#endif
}

/* A mapping that cannot be unmapped, since 6.10. */
#ifdef VM_SEALED
#define CP_VM_SEALED	VM_SEALED
#else
#define CP_VM_SEALED	0
#endif

/* What a task has registered with rseq(2): a length since 6.3; a struct since 6.19. */
struct cp_rseq {
	struct rseq __user *area;
	u32 len;
	u32 sig;
};

static inline struct cp_rseq cp_task_rseq(const struct task_struct *task)
{
#if !defined(CONFIG_RSEQ)
	return (struct cp_rseq){ };
#elif defined(CP_HAVE_RSEQ_DATA)
	return (struct cp_rseq){ task->rseq.usrptr, task->rseq.len, task->rseq.sig };
#elif defined(CP_HAVE_RSEQ_LEN)
	return (struct cp_rseq){ task->rseq, task->rseq_len, task->rseq_sig };
#else
	return (struct cp_rseq){ task->rseq, 0, task->rseq_sig };
#endif
}

/*
 * The kernel writes its fields there again before user mode, and has a sequence aborted, as
 * after a preemption. The task does not run.
 */
static inline void cp_task_set_rseq(struct task_struct *task, struct cp_rseq rseq)
{
#if !defined(CONFIG_RSEQ)
#elif defined(CP_HAVE_RSEQ_DATA)
	task->rseq.usrptr = rseq.area;
	task->rseq.len = rseq.len;
	task->rseq.sig = rseq.sig;
	task->rseq.ids.cpu_cid = ~0ULL;
	task->rseq.event.has_rseq = !!rseq.area;
	task->rseq.event.ids_changed = true;
	task->rseq.event.sched_switch = true;
#ifdef TIF_RSEQ
	set_tsk_thread_flag(task, TIF_RSEQ);
#endif
	set_tsk_thread_flag(task, TIF_NOTIFY_RESUME);
#else
	task->rseq = rseq.area;
#ifdef CP_HAVE_RSEQ_LEN
	task->rseq_len = rseq.len;
#endif
	task->rseq_sig = rseq.sig;
	set_bit(RSEQ_EVENT_PREEMPT_BIT, &task->rseq_event_mask);
	set_tsk_thread_flag(task, TIF_NOTIFY_RESUME);
#endif
}

/* What a task has registered with set_robust_list(2). */
struct cp_robust_list {
	void __user *native;
	void __user *compat;
};

static inline struct cp_robust_list cp_task_robust_list(const struct task_struct *task)
{
	struct cp_robust_list list = { };

#ifdef CONFIG_FUTEX
	list.native = task->robust_list;
#ifdef CONFIG_COMPAT
	list.compat = task->compat_robust_list;
#endif
#endif
	return list;
}

static inline void cp_task_set_robust_list(struct task_struct *task,
					   struct cp_robust_list list)
{
#ifdef CONFIG_FUTEX
	task->robust_list = list.native;
#ifdef CONFIG_COMPAT
	task->compat_robust_list = list.compat;
#endif
#endif
}

/* Does another task wait for a futex with priority inheritance that a task holds? */
static inline bool cp_task_holds_pi_futex(const struct task_struct *task)
{
#ifdef CONFIG_FUTEX_PI
	return !list_empty(&task->pi_state_list);
#else
	return false;
#endif
}

/* Return addresses are kept twice, since 6.6. */
static inline bool cp_task_has_shadow_stack(const struct task_struct *task)
{
#ifdef CONFIG_X86_USER_SHADOW_STACK
	return task->thread.features & ARCH_SHSTK_SHSTK;
#else
	return false;
#endif
}

/* Pages of one mapping are dropped by another function since 6.3; mmap_lock is held. */
static inline void cp_zap_page(struct vm_area_struct *vma, unsigned long addr)
{
#ifdef CP_HAVE_ZAP_PAGE_RANGE
	zap_page_range(vma, addr, PAGE_SIZE);
#else
	zap_page_range_single(vma, addr, PAGE_SIZE, NULL);
#endif
}

/* Flags of an mm_struct are changed through helpers since 6.18. */
#ifdef CP_HAVE_MM_FLAGS_SET
#define CP_MMF_DISABLE_THP	MMF_DISABLE_THP_COMPLETELY
#else
#define CP_MMF_DISABLE_THP	MMF_DISABLE_THP
#define mm_flags_test(flag, mm)		test_bit(flag, &(mm)->flags)
#define mm_flags_clear(flag, mm)	clear_bit(flag, &(mm)->flags)
#define mm_flags_test_and_set(flag, mm)	test_and_set_bit(flag, &(mm)->flags)
#endif

/* Gives whether huge pages were enabled. */
static inline bool cp_mm_disable_thp(struct mm_struct *mm)
{
	return !mm_flags_test_and_set(CP_MMF_DISABLE_THP, mm);
}

static inline void cp_mm_enable_thp(struct mm_struct *mm)
{
	mm_flags_clear(CP_MMF_DISABLE_THP, mm);
}

static inline bool cp_mm_is_unstable(const struct mm_struct *mm)
{
	return mm_flags_test(MMF_UNSTABLE, mm);
}

/* Has a page ever been pinned, so that a fork copies it? */
static inline bool cp_mm_has_pinned(const struct mm_struct *mm)
{
	return mm_flags_test(MMF_HAS_PINNED, mm);
}

/* May KSM merge pages? */
static inline bool cp_mm_is_mergeable(const struct mm_struct *mm)
{
	return mm_flags_test(MMF_VM_MERGEABLE, mm);
}

/* The place in swap where a page lies that is not present; 0 if it is not in swap. */
static inline unsigned long cp_pte_swap(pte_t pte)
{
#ifdef CP_HAVE_SOFTLEAF
	softleaf_t entry = softleaf_from_pte(pte);

	return softleaf_is_swap(entry) ? entry.val : 0;
#else
	swp_entry_t entry = pte_to_swp_entry(pte);

	return non_swap_entry(entry) ? 0 : entry.val;
#endif
}

/* With PREEMPT_RT, locks that others hold cannot be waited for in the notifier. */
#define CP_LATE_WORKS	(!IS_ENABLED(CONFIG_PREEMPT_RT))

#endif /* _CP_COMPAT_H */
