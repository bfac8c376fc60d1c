// SPDX-License-Identifier: GPL-2.0-only
/*
 * Obstacles: obstacles.h.
 */
#include <linux/errno.h>
#include <linux/hugetlb_inline.h>
#include <linux/mm.h>
#include <linux/rculist.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/userfaultfd_k.h>

#include "compat.h"
#include "obstacles.h"
#include "pair.h"
#include "thread.h"

/* A thread that could not be copied, or that is not held. */
static int check_task(struct cp_pair *pair, struct task_struct *task)
{
	/* data_race(): other flags change. */
	if (data_race(task->flags) & (PF_EXITING | CP_PF_KERNEL))
		return 0;
	if (!cp_thread_find(pair, task))
		return -EOVERFLOW;
	if (READ_ONCE(task->ptrace))
		return -EBUSY;
#ifdef CONFIG_IO_URING
	if (READ_ONCE(task->io_uring))
		return -EINPROGRESS;
#endif
	return 0;
}

static int check_tasks(struct cp_pair *pair)
{
	struct task_struct *task;
	int ret = 0;

	rcu_read_lock();
	list_for_each_entry_rcu(task, &pair->slave.task->signal->thread_head,
				thread_node) {
		ret = check_task(pair, task);
		if (ret)
			break;
	}
	rcu_read_unlock();
	return ret;
}

static bool process_uses(const struct task_struct *process,
			 const struct mm_struct *mm)
{
	const struct task_struct *task;

	list_for_each_entry_rcu(task, &process->signal->thread_head, thread_node) {
		if (READ_ONCE(task->mm) != mm)
			continue;
		/* data_race(): other flags change. */
		if (!(data_race(task->flags) & PF_KTHREAD))
			return true;
	}
	return false;
}

/* Does a task of another process run in the slave's memory? */
static bool is_shared(struct cp_pair *pair, const struct mm_struct *mm)
{
	struct task_struct *slave = pair->slave.task, *process;
	bool shared = false;

	/* Besides its threads, the caller has a reference. */
	if (atomic_read(&mm->mm_users) <= get_nr_threads(slave) + 1)
		return false;
	rcu_read_lock();
	for_each_process(process) {
		shared = !same_thread_group(process, slave) &&
			 process_uses(process, mm);
		if (shared)
			break;
	}
	rcu_read_unlock();
	return shared;
}

static int check_mapping(struct vm_area_struct *vma)
{
	bool shared = vma->vm_flags & VM_MAYSHARE;

	if (is_vm_hugetlb_page(vma) && !shared)
		return -EMEDIUMTYPE;
	if (shared && vma->vm_flags & CP_VM_SEALED)
		return -EMEDIUMTYPE;
	return userfaultfd_armed(vma) ? -EADDRINUSE : 0;
}

static int check_mappings(struct mm_struct *mm)
{
	VMA_ITERATOR(vmi, mm, 0);
	struct vm_area_struct *vma;
	int ret = 0;

	if (mmap_read_lock_killable(mm))
		return -EINTR;
	for_each_vma(vmi, vma) {
		ret = check_mapping(vma);
		if (ret)
			break;
	}
	mmap_read_unlock(mm);
	return ret;
}

/**
 * cp_obstacles_find - is something in the way of a snapshot, or of a put back?
 * @pair: the pair, whose slave is held
 * @mm: its memory, with the caller's reference
 *
 * Changes nothing. May sleep.
 *
 * Return: 0; -EOVERFLOW when a thread is not a slave, -EBUSY when one is traced,
 * -EINPROGRESS when one has an io_uring, or the process has used io_setup(2), -ENOTUNIQ
 * when another process uses the memory, -EMEDIUMTYPE or -EADDRINUSE when a mapping is of a
 * kind that cannot be copied; -EINTR when the caller is killed.
 */
int cp_obstacles_find(struct cp_pair *pair, struct mm_struct *mm)
{
	int ret = check_tasks(pair);

	if (ret)
		return ret;
#ifdef CONFIG_AIO
	if (rcu_access_pointer(mm->ioctx_table))
		return -EINPROGRESS;
#endif
	if (is_shared(pair, mm))
		return -ENOTUNIQ;
	return check_mappings(mm);
}

/**
 * cp_obstacles_is_gone - does the slave not exist any more, or not for long?
 * @pair: the pair
 *
 * Whatever else a call meets in a slave that dies, such as an open gate, or a thread that is
 * not a slave any more, is a consequence of that.
 *
 * Return: true when the pair is over, or the whole process has to exit.
 */
bool cp_obstacles_is_gone(const struct cp_pair *pair)
{
	const struct signal_struct *signal = pair->slave.task->signal;

	/* data_race(): other flags change. */
	return data_race(signal->flags) & SIGNAL_GROUP_EXIT || cp_pair_is_over(pair);
}
