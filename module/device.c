// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/checkpoint: system calls on the device, which linux/checkpoint.h describes.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/checkpoint.h>
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/pid.h>
#include <linux/poll.h>
#include <linux/proc_fs.h>
#include <linux/sched/clock.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/seq_file.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "access.h"
#include "args.h"
#include "compat.h"
#include "device.h"
#include "difference.h"
#include "file.h"
#include "hold.h"
#include "life.h"
#include "pair.h"
#include "putback.h"
#include "region.h"
#include "slave.h"
#include "snapshot.h"
#include "sysfs.h"
#include "table.h"
#include "timens.h"
#include "trace.h"

static unsigned long stack_default = SZ_16M;
module_param(stack_default, ulong, 0444);
MODULE_PARM_DESC(stack_default,
		 "bytes of stack in a checkpoint unless the master says otherwise");

static unsigned long arena_default = SZ_64K;
module_param(arena_default, ulong, 0444);
MODULE_PARM_DESC(arena_default,
		 "bytes of a stack in a mapping that was not made to be a stack, likewise");

static unsigned long stack_max = SZ_1G;
module_param(stack_max, ulong, 0444);
MODULE_PARM_DESC(stack_max, "most bytes of stack that a master may ask for");

/* Sizes of the structs in each version; a caller's is at least the first. */
#define CP_INFO_SIZE_VER1	32
#define CP_INFO_SIZE_VER2	40	/* arena_default */
#define CP_PREP_SIZE_VER1	40
#define CP_PREP_SIZE_VER2	56	/* interval, every */
#define CP_PREP_SIZE_VER3	64	/* death_stack_limit */
#define CP_PREP_SIZE_VER4	80	/* nr_threads, thread_size */
#define CP_PREP_SIZE_VER5	88	/* child_limit */
#define CP_GET_SIZE_VER1	56
#define CP_GET_SIZE_VER2	64	/* thread, unseen */
#define CP_HOLD_SIZE_VER1	32
#define CP_SLEEPER_SIZE_VER1	304
#define CP_SNAPSHOT_SIZE_VER1	24
#define CP_PUT_BACK_SIZE_VER1	40

static_assert(sizeof(struct cp_info) == CP_INFO_SIZE_VER2);
static_assert(sizeof(struct cp_prep) == CP_PREP_SIZE_VER5);
static_assert(sizeof(struct cp_get) == CP_GET_SIZE_VER2);
static_assert(sizeof(struct cp_hold) == CP_HOLD_SIZE_VER1);
static_assert(sizeof(struct cp_sleeper) == CP_SLEEPER_SIZE_VER1);
static_assert(sizeof(struct cp_snapshot) == CP_SNAPSHOT_SIZE_VER1);
static_assert(sizeof(struct cp_put_back) == CP_PUT_BACK_SIZE_VER1);

/* The file's pair, with a reference for the caller; NULL before the first. */
static struct cp_pair *file_pair_get(struct cp_file *cp_file)
{
	struct cp_pair *pair;

	spin_lock(&cp_file->pair_lock);
	pair = cp_file->pair;
	if (pair)
		cp_pair_ref(pair);
	spin_unlock(&cp_file->pair_lock);
	return pair;
}

/* As file_pair_get(), for operations that only the pair's master may use. */
static struct cp_pair *file_pair_get_master(struct cp_file *cp_file)
{
	struct cp_pair *pair = file_pair_get(cp_file);

	if (!pair)
		return ERR_PTR(-ENOTCONN);
	if (!cp_pair_is_master(pair)) {
		cp_pair_unref(pair);
		return ERR_PTR(-EPERM);
	}
	return pair;
}

static void file_set_pair(struct cp_file *cp_file, struct cp_pair *pair)
{
	struct cp_pair *old;

	spin_lock(&cp_file->pair_lock);
	old = cp_file->pair;
	cp_file->pair = pair;
	spin_unlock(&cp_file->pair_lock);
	if (old)
		cp_life_drop(old);
}

static int ioctl_info(unsigned int cmd, void __user *uarg)
{
	struct cp_info info = {
		.version = CP_VERSION,
		.features = CP_FEATURE_RENDEZVOUS | CP_FEATURE_NUDGE |
			    CP_FEATURE_WAIT_LIMIT | CP_FEATURE_SLOTS |
			    CP_FEATURE_RATE | CP_FEATURE_DEATH |
			    CP_FEATURE_XSTATE | CP_FEATURE_DEATH_STACK |
			    CP_FEATURE_PROCESS | CP_FEATURE_HOLD |
			    CP_FEATURE_SLEEPER | CP_FEATURE_CHILDREN |
			    CP_FEATURE_SNAPSHOT | CP_FEATURE_CHANGES |
			    CP_FEATURE_PUT_BACK,
		.stack_default = stack_default,
		.stack_max = stack_max,
		.arena_default = arena_default,
	};

	if (_IOC_SIZE(cmd) < CP_INFO_SIZE_VER1)
		return -EINVAL;
	if (clear_user(uarg, _IOC_SIZE(cmd)))
		return -EFAULT;
	return cp_args_out(uarg, &info, sizeof(info), cmd);
}

#define CP_PREP_FLAGS	(CP_PREP_OVERWRITE | CP_PREP_DEATH | CP_PREP_XSTATE | \
			 CP_PREP_PROCESS | CP_PREP_CHILDREN)

static int check_prep(const struct cp_prep *prep)
{
	u64 nr_slots = prep->nr_slots ?: 1;

	if (prep->pid <= 0 || prep->mem_fd < -1 ||
	    prep->flags & ~CP_PREP_FLAGS || prep->reserved ||
	    prep->reserved2 || prep->nr_threads > CP_THREADS_MAX ||
	    nr_slots > CP_SLOTS_MAX || prep->stack_limit > stack_max / nr_slots ||
	    prep->death_stack_limit > stack_max)
		return -EINVAL;
	if (prep->death_stack_limit && !(prep->flags & CP_PREP_DEATH))
		return -EINVAL;
	if (prep->nr_threads && !(prep->flags & CP_PREP_PROCESS))
		return -EINVAL;
	if (prep->flags & CP_PREP_CHILDREN && !(prep->flags & CP_PREP_PROCESS))
		return -EINVAL;
	if (prep->child_limit && !(prep->flags & CP_PREP_CHILDREN))
		return -EINVAL;
	/* A slave that never waits has no use for a limit. */
	if (prep->flags & CP_PREP_OVERWRITE && prep->wait_limit)
		return -EINVAL;
	return 0;
}

/* A limit that the master sets holds for any mapping. */
static struct cp_stack_limits limits_asked_for(u64 limit)
{
	return (struct cp_stack_limits){ PAGE_ALIGN(limit), U64_MAX };
}

/* The default: an equal share of stack_max for each slot. */
static struct cp_stack_limits limits_of(const struct cp_prep *prep)
{
	u64 share = min_t(u64, stack_default, stack_max / (prep->nr_slots ?: 1));

	if (prep->stack_limit)
		return limits_asked_for(prep->stack_limit);
	return (struct cp_stack_limits){ PAGE_ALIGN(share),
					 PAGE_ALIGN(arena_default) };
}

static struct cp_stack_limits death_limits_of(const struct cp_prep *prep)
{
	return prep->death_stack_limit ?
		       limits_asked_for(prep->death_stack_limit) :
		       limits_of(prep);
}

static enum cp_policy policy_of(const struct cp_prep *prep)
{
	if (prep->flags & CP_PREP_OVERWRITE)
		return CP_POLICY_OVERWRITE;
	return prep->nr_slots > 1 ? CP_POLICY_AHEAD : CP_POLICY_RENDEZVOUS;
}

/* May the caller, and this file, be party to a new pair? */
static int check_master(struct cp_file *cp_file)
{
	int ret = cp_table_check_caller();

	if (ret)
		return ret;
	if (cp_file->pair && !cp_pair_is_over(cp_file->pair))
		return -EBUSY;
	return 0;
}

static struct task_struct *find_slave(pid_t nr)
{
	struct task_struct *task;
	struct pid *pid;

	pid = find_get_pid(nr);
	task = get_pid_task(pid, PIDTYPE_PID);
	put_pid(pid);
	/* The flag is never cleared; data_race(): other flags change. */
	if (task && data_race(task->flags) & PF_EXITING) {
		put_task_struct(task);
		task = NULL;
	}
	return task;
}

/* The task's mm_struct, only to be compared: its pages may go. */
static struct mm_struct *grab_mm(struct task_struct *task)
{
	struct mm_struct *mm = get_task_mm(task);

	if (mm) {
		mmgrab(mm);
		mmput(mm);
	}
	return mm;
}

/* May the caller be the master of @setup->slave, and may that be a slave? */
static int check_slave(struct cp_pair_setup *setup, int mem_fd)
{
	bool may_write;
	int ret;

	/* These flags never change; data_race(): others do. */
	if (data_race(setup->slave->flags) & CP_PF_KERNEL)
		return -EPERM;
	if (same_thread_group(setup->slave, current))
		return -EINVAL;
	setup->mm = grab_mm(setup->slave);
	if (!setup->mm)
		return -ESRCH;
	ret = cp_access_check(mem_fd, setup->slave, setup->mm, &may_write);
	if (ret)
		return ret;
	if (cp_table_has(setup->slave))
		return -EBUSY;
	return 0;
}

/*
 * The answer is written before the pair begins: writing may fail or, for instance with
 * userfaultfd(2), take any time, and the slave must not be held then. Access is checked
 * again after that, because the slave may have withdrawn it meanwhile.
 */
static int begin_pair(struct cp_pair *pair, const struct cp_pair_setup *setup,
		      struct cp_prep *prep, unsigned int cmd,
		      void __user *uarg)
{
	int ret;

	prep->region_size = cp_area_size(pair->parts.area);
	prep->thread_size = cp_area_offset(pair->parts.area, 1);
	if (cp_args_out(uarg, prep, sizeof(*prep), cmd))
		return -EFAULT;
	ret = cp_access_check(prep->mem_fd, setup->slave, setup->mm,
			      &pair->ask.may_write);
	return ret ?: cp_life_begin(pair);
}

/* Sets how many threads the slave has, and may have. */
static void count_threads(struct cp_pair_setup *setup)
{
	setup->nr_threads = 1;
	setup->max_threads = 1;
	if (!(setup->prep->flags & CP_PREP_PROCESS))
		return;
	/* A thread that is created meanwhile is found later. */
	setup->nr_threads = max(1, data_race(get_nr_threads(setup->slave)));
	setup->max_threads = setup->prep->nr_threads ?:
			     clamp_t(unsigned int, 2 * setup->nr_threads,
				     CP_THREADS_DEFAULT, CP_THREADS_MAX);
}

static int device_make_pair(struct cp_file *cp_file, struct cp_prep *prep,
			    unsigned int cmd, void __user *uarg)
{
	struct cp_pair_setup setup = {
		.file = cp_file,
		.nr_slots = prep->nr_slots ?: 1,
		.hook_ops = &cp_slave_hook_ops,
		.policy = policy_of(prep),
		.limits = limits_of(prep),
		.death_limits = death_limits_of(prep),
		.prep = prep,
	};
	struct cp_pair *pair;
	int ret;

	ret = check_master(cp_file);
	if (ret)
		return ret;
	setup.slave = find_slave(prep->pid);
	if (!setup.slave)
		return -ESRCH;
	ret = check_slave(&setup, prep->mem_fd);
	if (ret)
		goto out_put;

	count_threads(&setup);
	pair = cp_pair_create(&setup);
	if (IS_ERR(pair)) {
		ret = PTR_ERR(pair);
		goto out_put;
	}
	ret = begin_pair(pair, &setup, prep, cmd, uarg);
	if (ret)
		cp_pair_unref(pair);
	else
		file_set_pair(cp_file, pair);

out_put:
	if (setup.mm)
		mmdrop(setup.mm);
	put_task_struct(setup.slave);
	return ret;
}

static int ioctl_prep(struct cp_file *cp_file, unsigned int cmd,
		      void __user *uarg)
{
	struct cp_prep prep;
	int ret;

	ret = cp_args_in(&prep, sizeof(prep), CP_PREP_SIZE_VER1, cmd, uarg);
	if (ret)
		return ret;
	ret = check_prep(&prep);
	if (ret)
		return ret;
	if (mutex_lock_interruptible(&cp_file->lock))
		return -ERESTARTSYS;
	ret = device_make_pair(cp_file, &prep, cmd, uarg);
	mutex_unlock(&cp_file->lock);
	return ret;
}

/* The order of registers in the teaching kernel: RAX RCX RDX RBX, and so on. */
static int copy_short_regs(void __user *to, const struct cp_regs *regs)
{
	const u64 list[CP_N_REG + 1] = {
		regs->rax, regs->rcx, regs->rdx, regs->rbx,
		regs->rsp, regs->rbp, regs->rsi, regs->rdi,
		regs->r8,  regs->r9,  regs->r10, regs->r11,
		regs->r12, regs->r13, regs->r14, regs->r15,
		regs->rip,
	};

	return copy_to_user(to, list, sizeof(list)) ? -EFAULT : 0;
}

/* Describes the checkpoint to the master, or puts it back if that fails. */
static int deliver_checkpoint(struct cp_pair *pair,
			      const struct cp_parts_taken *taken,
			      struct cp_get *get, unsigned int cmd,
			      void __user *uarg)
{
	struct cp_part *part = taken->part;
	struct cp_slot slot;
	int ret = 0;

	cp_region_slot(part->region, taken->slot, &slot);
	get->seq = slot.header->seq;
	get->thread = slot.header->thread;
	get->slot_offset = cp_area_offset(pair->parts.area, part->index) +
			   slot.offset;
	if (get->regs)
		ret = copy_short_regs(u64_to_user_ptr(get->regs),
				      &slot.header->regs);
	if (!ret)
		ret = cp_args_out(uarg, get, sizeof(*get), cmd);
	if (ret) {
		cp_ring_put_back(&part->ring);
		return ret;
	}
	cp_ring_taken(&part->ring);
	return 1;
}

/* The same for the end of a thread. */
static int deliver_end(struct cp_pair *pair, const struct cp_parts_taken *taken,
		       struct cp_get *get, unsigned int cmd, void __user *uarg)
{
	int ret;

	get->thread = taken->nr;
	get->reason = CP_END_EXITED;
	get->status = taken->status;
	ret = cp_args_out(uarg, get, sizeof(*get), cmd);
	cp_parts_end_taken(&pair->parts, taken->part, !ret);
	return ret ?: 2;
}

/* The same for a child that is held. */
static int deliver_child(struct cp_pair *pair, const struct cp_parts_taken *taken,
			 struct cp_get *get, unsigned int cmd,
			 void __user *uarg)
{
	int ret;

	get->thread = taken->newcomer->nr;
	ret = cp_args_out(uarg, get, sizeof(*get), cmd);
	cp_parts_newcomer_taken(&pair->parts, taken->newcomer, !ret);
	return ret ?: 3;
}

static int deliver_outcome(struct cp_pair *pair, struct cp_get *get,
			   unsigned int cmd, void __user *uarg)
{
	get->reason = pair->outcome.reason;
	get->status = pair->outcome.status;
	return cp_args_out(uarg, get, sizeof(*get), cmd);
}

static int device_take(struct cp_pair *pair, struct cp_get *get, u64 deadline,
		       unsigned int cmd, void __user *uarg)
{
	u64 begun = trace_hand_over_enabled() ? local_clock() : 0;
	struct cp_parts_taken taken;
	struct cp_ring_counts counts;
	int ret;

	ret = cp_parts_take(&pair->parts, deadline, get->flags & CP_GET_NUDGE,
			    &taken);
	if (ret < 0)
		return ret;
	cp_parts_count(&pair->parts, &counts);
	get->missed = counts.missed;
	get->unseen = atomic_read(&pair->parts.unseen);
	if (!ret)
		return deliver_outcome(pair, get, cmd, uarg);
	if (ret == 3)
		return deliver_child(pair, &taken, get, cmd, uarg);
	if (ret == 2)
		return deliver_end(pair, &taken, get, cmd, uarg);
	ret = deliver_checkpoint(pair, &taken, get, cmd, uarg);
	/* A tracer that starts during the call sees the next event. */
	if (ret > 0 && begun)
		trace_hand_over(pair, get->seq, local_clock() - begun);
	return ret;
}

static int ioctl_get(struct file *file, unsigned int cmd, void __user *uarg)
{
	struct cp_pair *pair;
	struct cp_get get;
	u64 deadline;
	int ret;

	ret = cp_args_in(&get, sizeof(get), CP_GET_SIZE_VER1, cmd, uarg);
	if (ret)
		return ret;
	if (get.flags & ~CP_GET_NUDGE || get.reserved)
		return -EINVAL;
	pair = file_pair_get_master(file->private_data);
	if (IS_ERR(pair))
		return PTR_ERR(pair);
	deadline = file->f_flags & O_NONBLOCK ?
			   0 : cp_timens_deadline(get.deadline);
	ret = device_take(pair, &get, deadline, cmd, uarg);
	cp_pair_unref(pair);
	return ret;
}

static int device_hold(struct cp_pair *pair, struct cp_hold *hold,
		       unsigned int cmd, void __user *uarg)
{
	struct cp_hold_result result = { };
	int ret, err;

	ret = cp_hold_begin(pair, cp_timens_deadline(hold->deadline),
			    hold->limit ?: CP_HOLD_LIMIT_DEFAULT,
			    hold->flags & CP_HOLD_ASLEEP, &result);
	if (ret && ret != -ETIMEDOUT)
		return ret;
	hold->nr_threads = result.nr_threads;
	hold->nr_asleep = result.nr_asleep;
	hold->late = result.late;
	err = cp_args_out(uarg, hold, sizeof(*hold), cmd);
	/* Not cp_hold_end(), which a signal interrupts. */
	if (!ret && err)
		cp_gate_open(&pair->gate);
	return err ?: ret;
}

static int ioctl_hold(struct cp_file *cp_file, unsigned int cmd,
		      void __user *uarg)
{
	struct cp_pair *pair;
	struct cp_hold hold;
	int ret;

	ret = cp_args_in(&hold, sizeof(hold), CP_HOLD_SIZE_VER1, cmd, uarg);
	if (ret)
		return ret;
	if (hold.flags & ~CP_HOLD_ASLEEP || hold.nr_asleep)
		return -EINVAL;
	pair = file_pair_get_master(cp_file);
	if (IS_ERR(pair))
		return PTR_ERR(pair);
	ret = device_hold(pair, &hold, cmd, uarg);
	cp_pair_unref(pair);
	return ret;
}

static int ioctl_release(struct cp_file *cp_file)
{
	struct cp_pair *pair = file_pair_get_master(cp_file);
	int ret;

	if (IS_ERR(pair))
		return PTR_ERR(pair);
	ret = cp_hold_end(pair);
	cp_pair_unref(pair);
	return ret;
}

static int ioctl_sleeper(struct cp_file *cp_file, unsigned int cmd,
			 void __user *uarg)
{
	struct cp_sleeper sleeper;
	struct cp_pair *pair;
	int ret;

	ret = cp_args_in(&sleeper, sizeof(sleeper), CP_SLEEPER_SIZE_VER1, cmd, uarg);
	if (ret)
		return ret;
	if (sleeper.reserved)
		return -EINVAL;
	pair = file_pair_get_master(cp_file);
	if (IS_ERR(pair))
		return PTR_ERR(pair);
	memset(&sleeper.checkpoint, 0, sizeof(sleeper.checkpoint));
	ret = cp_parts_sleeper(&pair->parts, sleeper.part, &sleeper);
	sleeper.checkpoint.time += pair->master.time_offset;
	cp_pair_unref(pair);
	return ret ?: cp_args_out(uarg, &sleeper, sizeof(sleeper), cmd);
}

/* Gives the descriptor, which is installed last because it cannot be withdrawn then. */
static int device_snapshot(struct cp_pair *pair, struct cp_snapshot *snapshot,
			   unsigned int cmd, void __user *uarg)
{
	struct cp_snapshot_ask ask = {
		.deadline = cp_timens_deadline(snapshot->deadline),
		.limit = snapshot->limit ?: CP_HOLD_LIMIT_DEFAULT,
		.changes = snapshot->flags & CP_SNAPSHOT_CHANGES,
	};
	int fd = get_unused_fd_flags(O_CLOEXEC), ret;
	struct file *file;

	if (fd < 0)
		return fd;
	file = cp_snapshot_make(pair, &ask);
	ret = PTR_ERR_OR_ZERO(file);
	snapshot->late = ask.late;
	if ((!ret || ret == -ETIMEDOUT) &&
	    cp_args_out(uarg, snapshot, sizeof(*snapshot), cmd)) {
		if (!ret)
			fput(file);
		ret = -EFAULT;
	}
	if (ret)
		put_unused_fd(fd);
	else
		fd_install(fd, file);
	return ret ?: fd;
}

static int ioctl_snapshot(struct cp_file *cp_file, unsigned int cmd,
			  void __user *uarg)
{
	struct cp_snapshot snapshot;
	struct cp_pair *pair;
	int ret;

	ret = cp_args_in(&snapshot, sizeof(snapshot), CP_SNAPSHOT_SIZE_VER1, cmd,
			 uarg);
	if (ret)
		return ret;
	if (snapshot.flags & ~CP_SNAPSHOT_CHANGES)
		return -EINVAL;
	pair = file_pair_get_master(cp_file);
	if (IS_ERR(pair))
		return PTR_ERR(pair);
	ret = device_snapshot(pair, &snapshot, cmd, uarg);
	cp_pair_unref(pair);
	return ret;
}

static int ioctl_changes(struct cp_file *cp_file, unsigned int cmd,
			 void __user *uarg)
{
	struct cp_changes changes;
	struct cp_pair *pair;
	int ret;

	ret = cp_difference_ask(&changes, cmd, uarg);
	if (ret)
		return ret;
	pair = file_pair_get_master(cp_file);
	if (IS_ERR(pair))
		return PTR_ERR(pair);
	ret = cp_snapshot_changes(pair, &changes);
	cp_pair_unref(pair);
	return ret ?: cp_args_out(uarg, &changes, sizeof(changes), cmd);
}

static int device_put_back(struct cp_pair *pair, struct cp_put_back *put_back,
			   unsigned int cmd, void __user *uarg)
{
	struct cp_putback_ask ask = {
		.deadline = cp_timens_deadline(put_back->deadline),
		.limit = put_back->limit ?: CP_HOLD_LIMIT_DEFAULT,
		.file = fget(put_back->snapshot_fd),
	};
	int ret;

	if (!ask.file)
		return -EBADF;
	ret = cp_putback(pair, &ask);
	fput(ask.file);
	put_back->late = ask.late;
	put_back->pages = ask.pages;
	if (cp_args_out(uarg, put_back, sizeof(*put_back), cmd) && !ret)
		ret = -EFAULT;
	return ret;
}

static int ioctl_put_back(struct cp_file *cp_file, unsigned int cmd,
			  void __user *uarg)
{
	struct cp_put_back put_back;
	struct cp_pair *pair;
	int ret;

	ret = cp_args_in(&put_back, sizeof(put_back), CP_PUT_BACK_SIZE_VER1,
			 cmd, uarg);
	if (ret)
		return ret;
	if (put_back.flags || put_back.reserved)
		return -EINVAL;
	pair = file_pair_get_master(cp_file);
	if (IS_ERR(pair))
		return PTR_ERR(pair);
	ret = device_put_back(pair, &put_back, cmd, uarg);
	cp_pair_unref(pair);
	return ret;
}

static int ioctl_end(struct cp_file *cp_file)
{
	struct cp_pair *pair = file_pair_get_master(cp_file);

	if (IS_ERR(pair))
		return PTR_ERR(pair);
	cp_life_end(pair, CP_END_DETACHED, 0);
	cp_pair_unref(pair);
	return 0;
}

static long device_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	void __user *uarg = (void __user *)arg;

	switch (CP_IOC_KIND(cmd)) {
	case CP_IOC_KIND(CP_IOC_INFO):
		return ioctl_info(cmd, uarg);
	case CP_IOC_KIND(CP_IOC_PREP):
		return ioctl_prep(file->private_data, cmd, uarg);
	case CP_IOC_KIND(CP_IOC_GET):
		return ioctl_get(file, cmd, uarg);
	case CP_IOC_KIND(CP_IOC_HOLD):
		return ioctl_hold(file->private_data, cmd, uarg);
	case CP_IOC_KIND(CP_IOC_RELEASE):
		return ioctl_release(file->private_data);
	case CP_IOC_KIND(CP_IOC_SLEEPER):
		return ioctl_sleeper(file->private_data, cmd, uarg);
	case CP_IOC_KIND(CP_IOC_SNAPSHOT):
		return ioctl_snapshot(file->private_data, cmd, uarg);
	case CP_IOC_KIND(CP_IOC_CHANGES):
		return ioctl_changes(file->private_data, cmd, uarg);
	case CP_IOC_KIND(CP_IOC_PUT_BACK):
		return ioctl_put_back(file->private_data, cmd, uarg);
	case CP_IOC_KIND(CP_IOC_END):
		return ioctl_end(file->private_data);
	default:
		return -ENOTTY;
	}
}

static int device_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct cp_pair *pair = file_pair_get_master(file->private_data);
	int ret;

	if (IS_ERR(pair))
		return PTR_ERR(pair);
	ret = cp_area_mmap(pair->parts.area, vma);
	cp_pair_unref(pair);
	return ret;
}

static __poll_t device_poll(struct file *file, struct poll_table_struct *table)
{
	struct cp_file *cp_file = file->private_data;
	struct cp_pair *pair;
	__poll_t events = 0;

	poll_wait(file, &cp_file->wait, table);
	pair = file_pair_get(cp_file);
	if (!pair)
		return EPOLLERR;
	if (cp_parts_ready(&pair->parts))
		events |= EPOLLIN | EPOLLRDNORM;
	if (cp_newcomers_any(&pair->parts.newcomers))
		events |= EPOLLPRI;
	if (cp_pair_is_over(pair))
		events |= EPOLLIN | EPOLLRDNORM | EPOLLHUP;
	cp_pair_unref(pair);
	return events;
}

/* misc_register() makes the device visible before cp_device_init() is done. */
static bool device_ready;

static int device_open(struct inode *inode, struct file *file)
{
	struct cp_file *cp_file;

	/* Pairs with cp_device_init(). */
	if (!smp_load_acquire(&device_ready))
		return -ENODEV;
	cp_file = cp_file_alloc();
	if (!cp_file)
		return -ENOMEM;
	/* Replaces the miscdevice that misc_open() has stored there. */
	file->private_data = cp_file;
	return nonseekable_open(inode, file);
}

static int is_file(const void *file, struct file *candidate, unsigned int fd)
{
	return candidate == file;
}

/*
 * Called when a descriptor is closed. The master's mapping keeps the file open, so
 * its last close(2) does not call release(). Only the table of descriptors in which
 * the pair was made counts; tables of other processes and of threads with a table of
 * their own are copies. A table that is being freed has no descriptors left.
 */
static int device_flush(struct file *file, fl_owner_t owner)
{
	struct cp_pair *pair = file_pair_get(file->private_data);

	if (!pair)
		return 0;
	if (owner == pair->master.owner &&
	    !iterate_fd(current->files, 0, is_file, file))
		cp_life_end(pair, CP_END_DETACHED, 0);
	cp_pair_unref(pair);
	return 0;
}

static int device_release(struct inode *inode, struct file *file)
{
	struct cp_file *cp_file = file->private_data;

	if (cp_file->pair)
		cp_life_end(cp_file->pair, CP_END_DETACHED, 0);
	file_set_pair(cp_file, NULL);
	cp_file_put(cp_file);
	return 0;
}

static void show_parts(struct cp_parts *parts, struct seq_file *seq)
{
	struct cp_ring_counts counts;

	cp_parts_count(parts, &counts);
	seq_printf(seq, "threads:\t%u\n", cp_parts_threads(parts));
	seq_printf(seq, "unseen:\t%d\n", atomic_read(&parts->unseen));
	seq_printf(seq, "state:\t%s\n",
		   cp_ring_state_name(cp_parts_state(parts)));
	seq_printf(seq, "taken:\t%llu\n", counts.taken);
	seq_printf(seq, "missed:\t%llu\n", counts.missed);
}

static void device_show_fdinfo(struct seq_file *seq, struct file *file)
{
	struct pid_namespace *ns = proc_pid_ns(file_inode(seq->file)->i_sb);
	struct cp_pair *pair = file_pair_get(file->private_data);

	if (!pair)
		return;
	seq_printf(seq, "master:\t%d\n", pid_nr_ns(pair->master.pid, ns));
	seq_printf(seq, "slave:\t%d\n", pid_nr_ns(pair->slave.pid, ns));
	seq_printf(seq, "reason:\t%u\n", READ_ONCE(pair->outcome.reason));
	show_parts(&pair->parts, seq);
	cp_pair_unref(pair);
}

static const struct file_operations device_fops = {
	.owner		= THIS_MODULE,
	.open		= device_open,
	.flush		= device_flush,
	.release	= device_release,
	.unlocked_ioctl	= device_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
	.mmap		= device_mmap,
	.poll		= device_poll,
	.show_fdinfo	= device_show_fdinfo,
};

static struct miscdevice device = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "checkpoint",
	.fops	= &device_fops,
	.mode	= 0600,
};

/**
 * cp_device_init - make /dev/checkpoint
 *
 * Return: 0, or an error.
 */
int cp_device_init(void)
{
	int ret;

	if (!arena_default || !stack_default || stack_default > stack_max ||
	    stack_max > SZ_1G * 64UL) {
		pr_err("parameters: 0 < stack_default <= stack_max <= 64 GiB, 0 < arena_default\n");
		return -EINVAL;
	}
	device.groups = cp_sysfs_groups;
	ret = misc_register(&device);
	if (ret)
		return ret;
	ret = cp_sysfs_init(&device.this_device->kobj);
	if (ret) {
		misc_deregister(&device);
		return ret;
	}
	/* Pairs with device_open(). */
	smp_store_release(&device_ready, true);
	return 0;
}

/**
 * cp_device_exit - remove /dev/checkpoint
 */
void cp_device_exit(void)
{
	cp_sysfs_exit();
	misc_deregister(&device);
}
