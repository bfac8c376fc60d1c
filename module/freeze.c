// SPDX-License-Identifier: GPL-2.0-only
/*
 * Freezing the memory of a slave: freeze.h.
 */
#include <linux/errno.h>
#include <linux/mm.h>
#include <linux/nsproxy.h>
#include <linux/pid_namespace.h>
#include <linux/refcount.h>
#include <linux/rseq.h>
#include <uapi/linux/rseq.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/task_work.h>
#include <linux/thread_info.h>
#include <linux/uaccess.h>
#include <linux/wait.h>
#include <asm/unistd.h>
#include <uapi/linux/wait.h>

#include "call.h"
#include "compat.h"
#include "errand.h"
#include "freeze.h"
#include "pair.h"
#include "pin.h"
#include "wait.h"
#include "watch.h"

#define CLONE_FROZEN	(CLONE_FILES | CLONE_FS | CLONE_VFORK | CLONE_UNTRACED)

/* What getrusage(2), times(2) and /proc/PID/io say of children. */
struct children_usage {
	u64 utime, stime, gtime;
	unsigned long nvcsw, nivcsw, min_flt, maj_flt, inblock, oublock, maxrss;
	struct task_io_accounting ioac;
};

enum freeze_step {
	FREEZE_ASKED,	/* the thread has not begun */
	FREEZE_CLONE,
	FREEZE_WAIT,
	FREEZE_OVER,
};

/**
 * struct cp_freeze - one freeze
 * @refs:	see freeze.h
 * @call:	what the thread executes
 * @step:	the thread's
 * @errand:	the thread's
 * @usage:	of the slave's children before the one here is reaped
 * @child_work:	the child's
 * @watch:	what watches the frozen memory, used; NULL without one
 * @had_thp:	the program had huge pages before the freeze
 * @mm:		the frozen memory; NULL before the fork, and when it has been taken
 * @time:	when the fork was complete, by the machine's CLOCK_MONOTONIC
 * @is_clean:	@mm has nothing but private memory, and its child has not changed it
 * @done:	the thread is done
 * @result:	with @done: 0 or an error
 * @wait:	where the master waits for @done
 */
struct cp_freeze {
	refcount_t refs;
	struct cp_call call;
	enum freeze_step step;
	struct cp_errand errand;
	struct children_usage usage;
	struct callback_head child_work;
	struct cp_watch *watch;
	bool had_thp;
	struct mm_struct *mm;
	u64 time;
	bool is_clean;
	bool done;
	int result;
	wait_queue_head_t wait;
};

/**
 * cp_freeze_ref - take a reference
 * @freeze: the freeze; the caller holds a reference already
 */
void cp_freeze_ref(struct cp_freeze *freeze)
{
	refcount_inc(&freeze->refs);
}

/**
 * cp_freeze_unref - drop a reference
 * @freeze: the freeze
 *
 * May sleep.
 */
void cp_freeze_unref(struct cp_freeze *freeze)
{
	if (!refcount_dec_and_test(&freeze->refs))
		return;
	if (freeze->watch)
		cp_watch_unref(freeze->watch);
	if (freeze->mm)
		mmput(freeze->mm);
	kfree(freeze);
}

static bool freeze_is_done(const struct cp_freeze *freeze)
{
	/* Pairs with freeze_over(). */
	return smp_load_acquire(&freeze->done);
}

/**
 * cp_freeze_wait - master: wait until the thread is done
 * @freeze: the freeze, which a thread has been given
 * @deadline: CLOCK_MONOTONIC in nanoseconds
 *
 * Return: 0, or what made it fail; -ETIMEDOUT when @deadline has passed, -EINTR when the
 * caller is killed; then the thread continues without the master.
 */
int cp_freeze_wait(struct cp_freeze *freeze, u64 deadline)
{
	bool done = false, late = false;
	int ret;

	ret = ___wait_event(freeze->wait,
			    (done = freeze_is_done(freeze)) || late,
			    (TASK_KILLABLE | TASK_FREEZABLE), 0, 0,
			    late = !cp_sleep_until(deadline));
	if (done)
		return freeze->result;
	return ret ? -EINTR : -ETIMEDOUT;
}

/**
 * cp_freeze_take - master: take the frozen memory
 * @freeze: the freeze, after cp_freeze_wait() has returned 0
 * @time: set to when it was frozen, by the machine's CLOCK_MONOTONIC
 *
 * Return: the memory, with a reference for the caller.
 */
struct mm_struct *cp_freeze_take(struct cp_freeze *freeze, u64 *time)
{
	struct mm_struct *mm = freeze->mm;

	*time = freeze->time;
	freeze->mm = NULL;
	return mm;
}

/*
 * Is the thread in a restartable sequence? The kernel would not find it there when it
 * comes back from the errand, and forget the sequence. Memory that cannot be read is one
 * that the kernel cannot use either: then it kills the thread, now or later.
 */
static bool is_in_rseq(const struct pt_regs *regs)
{
	struct rseq __user *rseq = cp_task_rseq(current).area;
	struct rseq_cs cs;
	u64 addr;

	if (!rseq || get_user(addr, &rseq->rseq_cs) || !addr ||
	    copy_from_user(&cs, u64_to_user_ptr(addr), sizeof(cs)))
		return false;
	return regs->ip - cs.start_ip < cs.post_commit_offset;
}

/* Would a child live in other namespaces, of which it would be the first process? */
static bool has_other_namespaces(void)
{
	return current->nsproxy->pid_ns_for_children !=
		       task_active_pid_ns(current) ||
	       current->nsproxy->time_ns_for_children != current->nsproxy->time_ns;
}

/* May this thread execute a call? Changes nothing. */
static int freeze_check(struct cp_freeze *freeze, const struct pt_regs *regs)
{
	if (current->ptrace)
		return -EBUSY;
	if (test_task_syscall_work(current, SECCOMP) ||
	    test_task_syscall_work(current, SYSCALL_USER_DISPATCH))
		return -EACCES;
	if (has_other_namespaces())
		return -EXDEV;
	if (is_in_rseq(regs))
		return -EAGAIN;
	return cp_errand_prepare(&freeze->errand, regs);
}

static int freeze_begin(struct cp_freeze *freeze, const struct cp_pair *pair,
			struct pt_regs *regs)
{
	int ret = freeze_check(freeze, regs);

	if (ret)
		return ret;
	if (!cp_call_begin(&freeze->call, pair))
		return -EPIPE;
	/*
	 * The child inherits that. In its memory, khugepaged would replace pages that are
	 * shared with the slave.
	 */
	freeze->had_thp = cp_mm_disable_thp(current->mm);
	cp_errand_begin(&freeze->errand, regs);
	cp_errand_call(&freeze->errand, regs, __NR_clone, CLONE_FROZEN, 0, 0);
	freeze->step = FREEZE_CLONE;
	return 0;
}

static void save_usage(struct children_usage *usage, struct signal_struct *sig)
{
	write_seqlock_irq(&sig->stats_lock);
	usage->utime = sig->cutime;
	usage->stime = sig->cstime;
	usage->gtime = sig->cgtime;
	usage->nvcsw = sig->cnvcsw;
	usage->nivcsw = sig->cnivcsw;
	usage->min_flt = sig->cmin_flt;
	usage->maj_flt = sig->cmaj_flt;
	usage->inblock = sig->cinblock;
	usage->oublock = sig->coublock;
	usage->maxrss = sig->cmaxrss;
	usage->ioac = sig->ioac;
	write_sequnlock_irq(&sig->stats_lock);
}

static void restore_usage(const struct children_usage *usage,
			  struct signal_struct *sig)
{
	write_seqlock_irq(&sig->stats_lock);
	sig->cutime = usage->utime;
	sig->cstime = usage->stime;
	sig->cgtime = usage->gtime;
	sig->cnvcsw = usage->nvcsw;
	sig->cnivcsw = usage->nivcsw;
	sig->cmin_flt = usage->min_flt;
	sig->cmaj_flt = usage->maj_flt;
	sig->cinblock = usage->inblock;
	sig->coublock = usage->oublock;
	sig->cmaxrss = usage->maxrss;
	sig->ioac = usage->ioac;
	write_sequnlock_irq(&sig->stats_lock);
}

/* The thread's registers and signals are the program's again. */
static bool freeze_finish(struct cp_freeze *freeze, struct pt_regs *regs,
			  int result)
{
	if (freeze->step != FREEZE_ASKED) {
		cp_errand_end(&freeze->errand, regs);
		if (freeze->had_thp)
			cp_mm_enable_thp(current->mm);
	}
	freeze->step = FREEZE_OVER;
	freeze->result = result;
	return false;
}

/* clone(2) has returned. No thread of the slave reaps other children meanwhile. */
static bool freeze_cloned(struct cp_freeze *freeze, struct pt_regs *regs,
			  long child)
{
	if (child < 0)
		return freeze_finish(freeze, regs, child);
	save_usage(&freeze->usage, current->signal);
	cp_errand_call(&freeze->errand, regs, __NR_wait4, child, 0, __WALL);
	freeze->step = FREEZE_WAIT;
	return true;
}

/* wait4(2) has returned. */
static bool freeze_reaped(struct cp_freeze *freeze, struct pt_regs *regs)
{
	restore_usage(&freeze->usage, current->signal);
	/* Somebody has killed the child before its work was done. */
	return freeze_finish(freeze, regs, freeze->is_clean ? 0 : -EAGAIN);
}

static bool freeze_step(struct cp_call *call, struct cp_pair *pair,
			struct pt_regs *regs)
{
	struct cp_freeze *freeze = container_of(call, struct cp_freeze, call);
	long result;
	int ret;

	if (freeze->step == FREEZE_ASKED) {
		ret = freeze_begin(freeze, pair, regs);
		return ret ? freeze_finish(freeze, regs, ret) : true;
	}
	if (!cp_errand_returned(&freeze->errand, regs, &result))
		return true;
	if (freeze->step == FREEZE_CLONE)
		return freeze_cloned(freeze, regs, result);
	return freeze_reaped(freeze, regs);
}

static void freeze_over(struct cp_call *call, struct cp_pair *pair, int result)
{
	struct cp_freeze *freeze = container_of(call, struct cp_freeze, call);

	cp_call_end(call);
	if (freeze->step != FREEZE_OVER)
		freeze->result = result;
	cp_gate_unbolt(&pair->gate);
	/* Pairs with freeze_is_done(). */
	smp_store_release(&freeze->done, true);
	wake_up(&freeze->wait);
	cp_freeze_unref(freeze);
}

static const struct cp_call_ops freeze_ops = {
	.step	= freeze_step,
	.over	= freeze_over,
};

/**
 * cp_freeze_create - prepare to freeze
 * @watch: what is to watch the frozen memory; NULL: nothing
 *
 * Return: the freeze, with a reference for the caller; NULL without memory.
 */
struct cp_freeze *cp_freeze_create(struct cp_watch *watch)
{
	struct cp_freeze *freeze = kzalloc(sizeof(*freeze), GFP_KERNEL_ACCOUNT);

	if (!freeze)
		return NULL;
	refcount_set(&freeze->refs, 1);
	cp_call_init(&freeze->call, &freeze_ops);
	init_waitqueue_head(&freeze->wait);
	freeze->watch = watch;
	if (watch)
		cp_watch_ref(watch);
	return freeze;
}

/**
 * cp_freeze_call - what a thread that waits at the gate has to execute
 * @freeze: the freeze
 *
 * Return: the call, with a reference on @freeze for the thread.
 */
struct cp_call *cp_freeze_call(struct cp_freeze *freeze)
{
	cp_freeze_ref(freeze);
	return &freeze->call;
}

/* Memory that the snapshot must not keep: it, or its device, is not the process's own. */
static bool is_foreign(const struct vm_area_struct *vma)
{
	return vma->vm_flags & (VM_MAYSHARE | VM_IO | VM_PFNMAP);
}

/* Finds the next foreign mapping at or after *@start. */
static int find_foreign(struct mm_struct *mm, unsigned long *start,
			unsigned long *end)
{
	struct vm_area_struct *vma;

	if (mmap_read_lock_killable(mm))
		return -EINTR;
	do {
		vma = find_vma(mm, *start);
		if (!vma)
			break;
		*start = is_foreign(vma) ? vma->vm_start : vma->vm_end;
		*end = vma->vm_end;
	} while (!is_foreign(vma));
	mmap_read_unlock(mm);
	return vma ? 1 : 0;
}

/* In the child: gives whether only private memory is left. */
static bool child_unmap_foreign(struct mm_struct *mm)
{
	unsigned long start = 0, end;
	int found;

	for (;;) {
		found = find_foreign(mm, &start, &end);
		if (found <= 0)
			return !found;
		if (vm_munmap(start, end - start))
			return false;
		start = end;
		cond_resched();
	}
}

static bool child_watch(const struct cp_freeze *freeze)
{
	return !freeze->watch || !cp_watch_frozen(freeze->watch, freeze->mm);
}

/* The child before its first instruction. */
static void child_work(struct callback_head *work)
{
	struct cp_freeze *freeze = container_of(work, struct cp_freeze,
						child_work);

	if (!(current->flags & PF_EXITING) && current->mm == freeze->mm) {
		/* Otherwise the kernel writes there on the way to user mode. */
		rseq_execve(current);
		/* Before SIGKILL is pending, with which this fails. */
		freeze->is_clean = child_unmap_foreign(current->mm) &&
				   child_watch(freeze);
	}
	send_sig(SIGKILL, current, 1);
	cp_freeze_unref(freeze);
	cp_unpin();
}

/* Atomic context. */
static void freeze_child(struct cp_freeze *freeze, struct task_struct *child)
{
	freeze->mm = child->mm;
	mmget(freeze->mm);
	freeze->time = ktime_get_ns();
	cp_freeze_ref(freeze);
	cp_pin();
	init_task_work(&freeze->child_work, child_work);
	/* Cannot fail: the child does not exit before it has run. */
	task_work_add(child, &freeze->child_work, TWA_RESUME);
}

/**
 * cp_freeze_forks - the current task has created a task, which has not run yet
 * @child: the new task
 *
 * Called for every new task on the machine, in atomic context.
 *
 * Return: true when @child belongs to a freeze; then it concerns nobody else.
 */
bool cp_freeze_forks(struct task_struct *child)
{
	struct cp_call *call = cp_call_of_current(&freeze_ops);

	if (call)
		freeze_child(container_of(call, struct cp_freeze, call), child);
	return call;
}
