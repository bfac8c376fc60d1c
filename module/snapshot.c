// SPDX-License-Identifier: GPL-2.0-only
/*
 * Snapshots: snapshot.h. How they are made, from the master's side, and read.
 */
#include <linux/anon_inodes.h>
#include <linux/checkpoint.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/ktime.h>
#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "args.h"
#include "changes.h"
#include "compat.h"
#include "difference.h"
#include "freeze.h"
#include "hold.h"
#include "limits.h"
#include "obstacles.h"
#include "pair.h"
#include "snapshot.h"
#include "watch.h"

/* In microseconds: a thread that has arrived leaves its CPU within this time. */
#define LOOK_AGAIN_MIN	50
#define LOOK_AGAIN_MAX	200

static void shot_free(struct cp_shot *shot)
{
	/* First: memory that is not watched is freed without waiting. */
	if (shot->watch)
		cp_watch_unref(shot->watch);
	if (shot->source)
		mmdrop(shot->source);
	cp_frozen_drop(&shot->frozen);
	cp_description_free(&shot->text);
	cp_kept_free(&shot->kept);
	cp_limits_remove_snapshot(shot->account, shot->charged);
	kfree(shot);
}

static int shot_release(struct inode *inode, struct file *file)
{
	shot_free(file->private_data);
	return 0;
}

static ssize_t shot_read(struct file *file, char __user *to, size_t size,
			 loff_t *pos)
{
	struct cp_shot *shot = file->private_data;
	loff_t at = *pos - CP_SNAPSHOT_HEAD;
	ssize_t ret;

	if (*pos < 0)
		return -EINVAL;
	size = min_t(size_t, size, MAX_RW_COUNT);
	if (at >= 0)
		ret = simple_read_from_buffer(to, size, &at, shot->text.data,
					      shot->text.size);
	else
		ret = cp_frozen_read(&shot->frozen, to, size, *pos);
	if (ret > 0)
		*pos += ret;
	return ret;
}

static loff_t shot_llseek(struct file *file, loff_t offset, int whence)
{
	struct cp_shot *shot = file->private_data;

	if (whence == SEEK_DATA && offset >= 0 && offset < CP_SNAPSHOT_HEAD) {
		offset = cp_frozen_seek(&shot->frozen, offset);
		if (offset < 0)
			return offset;
		whence = SEEK_SET;
	}
	return fixed_size_llseek(file, offset, whence, LLONG_MAX);
}

static void shot_show_fdinfo(struct seq_file *seq, struct file *file)
{
	struct cp_shot *shot = file->private_data;
	const struct cp_snapshot_head *head = (void *)shot->text.data;

	seq_printf(seq, "threads:\t%u\n", head->nr_threads);
	seq_printf(seq, "mappings:\t%u\n", head->nr_mappings);
	seq_printf(seq, "bytes:\t%llu\n", head->bytes);
	seq_printf(seq, "dropped:\t%d\n", !READ_ONCE(shot->frozen.mm));
}

/* One side of a comparison; the memory is to be put back. */
static int shot_side(struct cp_shot *shot, struct cp_side *side)
{
	*side = (struct cp_side){
		.mm = cp_frozen_get(&shot->frozen),
		.text = &shot->text,
		.watch = shot->watch,
	};
	return side->mm ? 0 : -ENODATA;
}

/* Compares with @shot; @now is of the process with the memory @source. */
static int shot_compare(struct cp_shot *shot, const struct cp_side *now,
			const struct mm_struct *source, struct cp_changes *arg)
{
	struct cp_side then;
	int ret;

	if (shot->source != source)
		return -ESTALE;
	ret = shot_side(shot, &then);
	if (ret)
		return ret;
	ret = cp_difference_list(&then, now, arg);
	/* The reaper has emptied it: pages that were there read as zeroes. */
	if (cp_mm_is_unstable(then.mm))
		ret = -ENODATA;
	mmput(then.mm);
	return ret;
}

static int compare_file(int fd, const struct cp_side *now,
			const struct mm_struct *source, struct cp_changes *arg)
{
	struct file *file = fget(fd);
	struct cp_shot *shot;
	int ret;

	if (!file)
		return -EBADF;
	shot = cp_snapshot_of(file);
	ret = shot ? shot_compare(shot, now, source, arg) : -EINVAL;
	fput(file);
	return ret;
}

/* Two snapshots. */
static long shot_changes(struct cp_shot *shot, unsigned int cmd, void __user *uarg)
{
	struct cp_changes arg;
	struct cp_side now;
	int ret;

	ret = cp_difference_ask(&arg, cmd, uarg) ?: shot_side(shot, &now);
	if (ret)
		return ret;
	ret = compare_file(arg.snapshot, &now, shot->source, &arg);
	if (cp_mm_is_unstable(now.mm))
		ret = -ENODATA;
	mmput(now.mm);
	return ret ?: cp_args_out(uarg, &arg, sizeof(arg), cmd);
}

static long shot_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	if (CP_IOC_KIND(cmd) != CP_IOC_KIND(CP_IOC_CHANGES))
		return -ENOTTY;
	return shot_changes(file->private_data, cmd, (void __user *)arg);
}

static const struct file_operations shot_fops = {
	.owner		= THIS_MODULE,
	.llseek		= shot_llseek,
	.read		= shot_read,
	.release	= shot_release,
	.unlocked_ioctl	= shot_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
	.show_fdinfo	= shot_show_fdinfo,
};

/**
 * cp_snapshot_of - the snapshot that an open file is
 * @file: the file
 *
 * Return: the snapshot; NULL when the file is something else.
 */
struct cp_shot *cp_snapshot_of(struct file *file)
{
	return file->f_op == &shot_fops ? file->private_data : NULL;
}

static struct file *shot_open(struct cp_shot *shot)
{
	struct file *file = anon_inode_getfile("[checkpoint-snapshot]",
					       &shot_fops, shot, O_RDONLY);

	/* Anonymous files are not made for pread(2). */
	if (!IS_ERR(file))
		file->f_mode |= FMODE_PREAD;
	return file;
}

/* What the snapshot keeps alone when the slave has written to all of its memory. */
static size_t count_private(struct mm_struct *mm)
{
	unsigned long pages = get_mm_counter(mm, MM_ANONPAGES) +
			      get_mm_counter(mm, MM_SWAPENTS);

	return pages * PAGE_SIZE + mm_pgtables_bytes(mm);
}

/*
 * Pages stay charged to the memory cgroup in which they were allocated. The kernel would kill
 * the slave when the cgroup is full: it does not know that a snapshot keeps them.
 */
static bool cgroup_has_room(struct mm_struct *mm, size_t bytes)
{
	bool room = true;
#ifdef CONFIG_MEMCG
	struct mem_cgroup *first = get_mem_cgroup_from_mm(mm), *memcg;
	unsigned long pages = bytes >> PAGE_SHIFT;

	for (memcg = first; memcg; memcg = parent_mem_cgroup(memcg)) {
		unsigned long max = READ_ONCE(memcg->memory.max);
		unsigned long used = page_counter_read(&memcg->memory);

		if (max != PAGE_COUNTER_MAX && (used >= max || max - used < pages))
			room = false;
	}
	mem_cgroup_put(first);
#endif
	return room;
}

static int shot_charge(struct cp_shot *shot, struct cp_pair *pair,
		       struct mm_struct *mm)
{
	size_t bytes = count_private(mm);
	size_t all = bytes + shot->text.size + cp_kept_bytes(&shot->kept) +
		     (shot->watch ? cp_watch_size() : 0);
	int ret;

	if (!cgroup_has_room(mm, bytes))
		return -ENOSPC;
	ret = cp_limits_add_snapshot(pair->account, all);
	if (ret)
		return ret;
	shot->account = pair->account;
	shot->charged = all;
	shot->frozen.bytes = bytes;
	return 0;
}

/* Before the fork, so that nobody writes unseen between the two. */
static int shot_watch(struct cp_shot *shot, struct mm_struct *mm)
{
	int ret;

	if (!shot->watch)
		return 0;
	ret = cp_watch_slave(shot->watch, mm);
	return ret == -EINTR ? -ERESTARTSYS : ret;
}

/* All that can fail before the slave is asked for anything. */
static int shot_prepare(struct cp_shot *shot, struct cp_pair *pair)
{
	struct mm_struct *mm = pair->slave.mm;
	int ret;

	if (!mmget_not_zero(mm))
		return -EPIPE;
	ret = cp_obstacles_find(pair, mm);
	if (!ret)
		ret = cp_description_make(&shot->text, pair, mm);
	if (!ret)
		ret = cp_kept_make(&shot->kept, pair, mm, shot->text.nr_threads);
	if (!ret)
		ret = shot_charge(shot, pair, mm);
	if (!ret)
		ret = shot_watch(shot, mm);
	if (!ret) {
		mmgrab(mm);
		shot->source = mm;
	}
	mmput(mm);
	return ret;
}

/*
 * What has no event: pages that were pinned are not shared with the frozen memory, and KSM
 * may have replaced frozen pages before its notifier was there.
 */
static void shot_distrust(struct cp_shot *shot, const struct mm_struct *mm)
{
	if (shot->watch && (cp_mm_has_pinned(shot->source) || cp_mm_is_mergeable(mm)))
		cp_watch_distrust(shot->watch);
}

/* A thread that waits at the gate freezes the memory, and unbolts the gate. */
static int shot_freeze(struct cp_shot *shot, struct cp_pair *pair,
		       struct cp_freeze *freeze, u64 deadline)
{
	struct mm_struct *mm;
	u64 time;
	int ret;

	if (!cp_parts_call(&pair->parts, cp_freeze_call(freeze))) {
		cp_freeze_unref(freeze);
		cp_gate_unbolt(&pair->gate);
		return -ESTALE;
	}
	ret = cp_freeze_wait(freeze, deadline);
	if (ret)
		return ret;
	if (!cp_description_is_current(&shot->text, pair))
		return -ESTALE;
	mm = cp_freeze_take(freeze, &time);
	shot_distrust(shot, mm);
	cp_description_seal(&shot->text, time + pair->master.time_offset,
			    shot->frozen.bytes);
	cp_frozen_keep(&shot->frozen, mm, shot->frozen.bytes);
	return 0;
}

static int shot_bolt_and_freeze(struct cp_shot *shot, struct cp_pair *pair,
				u64 deadline)
{
	struct cp_freeze *freeze;
	int ret;

	/* The limit has passed, or an earlier call is still under way. */
	if (!cp_gate_bolt(&pair->gate))
		return -ETIMEDOUT;
	ret = shot_prepare(shot, pair);
	if (ret) {
		cp_gate_unbolt(&pair->gate);
		return ret;
	}
	freeze = cp_freeze_create(shot->watch);
	if (!freeze) {
		cp_gate_unbolt(&pair->gate);
		return -ENOMEM;
	}
	ret = shot_freeze(shot, pair, freeze, deadline);
	cp_freeze_unref(freeze);
	return ret;
}

static struct cp_shot *shot_try(struct cp_pair *pair, struct cp_snapshot_ask *ask)
{
	struct cp_shot *shot;
	int ret;

	ret = cp_hold_for_call(pair, ask->deadline, &ask->late);
	if (ret)
		return ERR_PTR(ret);
	shot = kzalloc(sizeof(*shot), GFP_KERNEL_ACCOUNT);
	if (!shot)
		return ERR_PTR(-ENOMEM);
	if (ask->changes)
		shot->watch = cp_watch_create();
	ret = ask->changes && !shot->watch ?
		      -ENOMEM : shot_bolt_and_freeze(shot, pair, ask->deadline);
	if (!ret)
		return shot;
	shot_free(shot);
	return ERR_PTR(cp_obstacles_is_gone(pair) ? -EPIPE : ret);
}

/* Repeats what a thread that was asleep has spoilt by waking up. */
static struct cp_shot *shot_take(struct cp_pair *pair, struct cp_snapshot_ask *ask)
{
	struct cp_shot *shot;

	for (;;) {
		shot = shot_try(pair, ask);
		if (!IS_ERR(shot) || PTR_ERR(shot) != -ESTALE)
			return shot;
		if (signal_pending(current))
			return ERR_PTR(-ERESTARTSYS);
		if (ktime_get_ns() >= ask->deadline)
			return ERR_PTR(-ETIMEDOUT);
		usleep_range(LOOK_AGAIN_MIN, LOOK_AGAIN_MAX);
	}
}

/* The caller has the right to hold. */
static struct cp_shot *shot_hold_and_take(struct cp_pair *pair,
					  struct cp_snapshot_ask *ask)
{
	struct cp_hold_result result = { };
	struct cp_shot *shot;
	int ret;

	ret = cp_hold_begin_locked(pair, ask->deadline, ask->limit, true, &result);
	ask->late = result.late;
	if (ret && ret != -EALREADY)
		return ERR_PTR(ret);
	shot = shot_take(pair, ask);
	if (ret != -EALREADY)
		cp_gate_open(&pair->gate);
	return shot;
}

/**
 * cp_snapshot_make - master: take a snapshot of the slave
 * @pair: the pair
 * @ask: how
 *
 * If the slave is not held, it is held for this call.
 *
 * Return: the snapshot, or an ERR_PTR() as in struct cp_snapshot; -ERESTARTSYS: a signal is
 * pending.
 */
struct file *cp_snapshot_make(struct cp_pair *pair, struct cp_snapshot_ask *ask)
{
	struct cp_shot *shot;
	struct file *file;

	if (!cp_pair_is_process(pair))
		return ERR_PTR(-EINVAL);
	if (mutex_lock_interruptible(&pair->gate.holding))
		return ERR_PTR(-ERESTARTSYS);
	shot = shot_hold_and_take(pair, ask);
	mutex_unlock(&pair->gate.holding);
	if (IS_ERR(shot))
		return ERR_CAST(shot);
	file = shot_open(shot);
	if (IS_ERR(file))
		shot_free(shot);
	return file;
}

/* Is the slave held? Then @ticket is valid until it continues. */
static int get_ticket(struct cp_pair *pair, unsigned int *ticket)
{
	if (mutex_lock_interruptible(&pair->gate.holding))
		return -ERESTARTSYS;
	/* Nobody is in the middle of a hold. */
	*ticket = cp_gate_ticket(&pair->gate);
	mutex_unlock(&pair->gate.holding);
	if (*ticket)
		return 0;
	return cp_pair_is_over(pair) ? -EPIPE : -EAGAIN;
}

static int compare_held(struct cp_pair *pair, struct cp_changes *arg)
{
	struct cp_side now = { .mm = pair->slave.mm, .process = pair->slave.task };
	struct cp_description text;
	int ret;

	if (!mmget_not_zero(now.mm))
		return -EPIPE;
	ret = cp_description_layout(&text, now.mm);
	now.text = &text;
	if (!ret)
		ret = compare_file(arg->snapshot, &now, now.mm, arg);
	cp_description_free(&text);
	mmput(now.mm);
	return ret;
}

/**
 * cp_snapshot_changes - master: what differs between a snapshot and the held slave
 * @pair: the pair
 * @arg: what the master asks for; filled in
 *
 * Return: as in struct cp_changes; -ERESTARTSYS: a signal is pending.
 */
int cp_snapshot_changes(struct cp_pair *pair, struct cp_changes *arg)
{
	unsigned int ticket;
	int ret;

	ret = get_ticket(pair, &ticket) ?: compare_held(pair, arg);
	if (ret || cp_gate_stops(&pair->gate, ticket))
		return ret;
	return cp_pair_is_over(pair) ? -EPIPE : -ETIME;
}
