// SPDX-License-Identifier: GPL-2.0-only
/*
 * /sys/class/misc/checkpoint: sysfs.h.
 */
#include <linux/device.h>
#include <linux/kobject.h>
#include <linux/pid.h>
#include <linux/slab.h>
#include <linux/sysfs.h>
#include <linux/xarray.h>

#include "compat.h"
#include "pair.h"
#include "stats.h"
#include "sysfs.h"

/**
 * struct cp_dir - directory of a pair
 * @kobj:	the directory
 * @pair:	its pair; the caller of cp_sysfs_add() holds the reference
 */
struct cp_dir {
	struct kobject kobj;
	struct cp_pair *pair;
};

static struct kobject *pairs_dir;
static DEFINE_MUTEX(dirs_mutex);	/* @dirs, and cp_pair.dir */
static DEFINE_XARRAY(dirs);		/* struct cp_dir by the slave's number */

static struct cp_pair *pair_of(struct kobject *kobj)
{
	return container_of(kobj, struct cp_dir, kobj)->pair;
}

static struct cp_ring_counts counts_of(struct cp_pair *pair)
{
	struct cp_ring_counts counts;

	cp_parts_count(&pair->parts, &counts);
	return counts;
}

static struct cp_figures figures_of(struct cp_pair *pair)
{
	struct cp_figures figures;

	cp_parts_figures(&pair->parts, &figures);
	return figures;
}

/* A file of a pair's directory: its name, and how its one value is printed. */
#define PAIR_ATTR(_name, _format, _value)				\
static ssize_t _name##_show(struct kobject *kobj,			\
			    struct kobj_attribute *attr, char *buf)	\
{									\
	struct cp_pair *pair = pair_of(kobj);				\
									\
	return sysfs_emit(buf, _format "\n", _value);			\
}									\
static struct kobj_attribute _name##_attr = __ATTR(_name, 0400, _name##_show, NULL)

PAIR_ATTR(master, "%d", pid_nr(pair->master.pid));
PAIR_ATTR(slave, "%d", pid_nr(pair->slave.pid));
PAIR_ATTR(threads, "%u", cp_parts_threads(&pair->parts));
PAIR_ATTR(unseen, "%d", atomic_read(&pair->parts.unseen));
PAIR_ATTR(state, "%s", cp_ring_state_name(cp_parts_state(&pair->parts)));
PAIR_ATTR(taken, "%llu", counts_of(pair).taken);
PAIR_ATTR(missed, "%llu", counts_of(pair).missed);
PAIR_ATTR(bytes, "%llu", figures_of(pair).bytes);
PAIR_ATTR(held_ns, "%llu", figures_of(pair).held.total);
PAIR_ATTR(held_max_ns, "%llu", figures_of(pair).held.longest);
PAIR_ATTR(last_syscall, "%d", figures_of(pair).last_syscall);
PAIR_ATTR(reason, "%s", cp_pair_reason_name(READ_ONCE(pair->outcome.reason)));

static struct attribute *pair_attrs[] = {
	&master_attr.attr,
	&slave_attr.attr,
	&threads_attr.attr,
	&unseen_attr.attr,
	&state_attr.attr,
	&taken_attr.attr,
	&missed_attr.attr,
	&bytes_attr.attr,
	&held_ns_attr.attr,
	&held_max_ns_attr.attr,
	&last_syscall_attr.attr,
	&reason_attr.attr,
	NULL
};
ATTRIBUTE_GROUPS(pair);

static void dir_release(struct kobject *kobj)
{
	kfree(container_of(kobj, struct cp_dir, kobj));
}

static const struct kobj_type dir_type = {
	.release	= dir_release,
	.sysfs_ops	= &kobj_sysfs_ops,
	.default_groups	= pair_groups,
};

static void remove_dir(struct cp_dir *dir)
{
	lockdep_assert_held(&dirs_mutex);
	xa_erase(&dirs, pid_nr(dir->pair->slave.pid));
	dir->pair->dir = NULL;
	kobject_del(&dir->kobj);
	kobject_put(&dir->kobj);
}

static int add_dir(struct cp_pair *pair, unsigned long nr)
{
	struct cp_dir *dir = kzalloc(sizeof(*dir), GFP_KERNEL_ACCOUNT);
	int ret;

	lockdep_assert_held(&dirs_mutex);
	if (!dir)
		return -ENOMEM;
	dir->pair = pair;
	ret = kobject_init_and_add(&dir->kobj, CP_KOBJ_TYPE(&dir_type),
				   pairs_dir, "%lu", nr);
	if (!ret)
		ret = xa_err(xa_store(&dirs, nr, dir, GFP_KERNEL_ACCOUNT));
	if (ret) {
		kobject_put(&dir->kobj);
		return ret;
	}
	pair->dir = dir;
	return 0;
}

/**
 * cp_sysfs_add - make a pair's directory
 * @pair: the pair; the caller keeps it until cp_sysfs_remove()
 *
 * Return: 0 or -ENOMEM.
 */
int cp_sysfs_add(struct cp_pair *pair)
{
	unsigned long nr = pid_nr(pair->slave.pid);
	struct cp_dir *old;
	int ret;

	mutex_lock(&dirs_mutex);
	/* A slave is in one pair at a time, so an older pair is over. */
	old = xa_load(&dirs, nr);
	if (old)
		remove_dir(old);
	ret = add_dir(pair, nr);
	mutex_unlock(&dirs_mutex);
	return ret;
}

/**
 * cp_sysfs_remove - remove a pair's directory, if it still has one
 * @pair: the pair
 *
 * Waits for readers.
 */
void cp_sysfs_remove(struct cp_pair *pair)
{
	mutex_lock(&dirs_mutex);
	if (pair->dir)
		remove_dir(pair->dir);
	mutex_unlock(&dirs_mutex);
}

/* A figure of the module, summed over the processors. */
#define TOTAL(_field)							\
({									\
	u64 __sum = 0;							\
	int __cpu;							\
									\
	for_each_possible_cpu(__cpu)					\
		__sum += READ_ONCE(per_cpu(cp_totals, __cpu)._field);	\
	__sum;								\
})

#define TOTAL_ATTR(_name, _field)					\
static ssize_t _name##_show(struct device *dev,				\
			    struct device_attribute *attr, char *buf)	\
{									\
	return sysfs_emit(buf, "%llu\n", TOTAL(_field));		\
}									\
static DEVICE_ATTR_ADMIN_RO(_name)

TOTAL_ATTR(pairs_made, pairs_made);
TOTAL_ATTR(checkpoints, checkpoints);
TOTAL_ATTR(checkpoints_missed, missed);
TOTAL_ATTR(bytes_copied, bytes);

/* Sums @pairs_over first, so that it never exceeds @pairs_made. */
static ssize_t pairs_live_show(struct device *dev,
			       struct device_attribute *attr, char *buf)
{
	u64 over = TOTAL(pairs_over);

	smp_rmb();	/* Pairs with pairs_lock: a pair is made, then ended. */
	return sysfs_emit(buf, "%llu\n", TOTAL(pairs_made) - over);
}
static DEVICE_ATTR_ADMIN_RO(pairs_live);

static struct attribute *total_attrs[] = {
	&dev_attr_pairs_live.attr,
	&dev_attr_pairs_made.attr,
	&dev_attr_checkpoints.attr,
	&dev_attr_checkpoints_missed.attr,
	&dev_attr_bytes_copied.attr,
	NULL
};

static const struct attribute_group total_group = {
	.attrs = total_attrs,
};

/* The module's files, for misc_register(). */
const struct attribute_group *cp_sysfs_groups[] = { &total_group, NULL };

/* sysfs_chmod_file() works for directories, too. */
static int close_to_others(struct kobject *parent, const char *name)
{
	const struct attribute attr = { .name = name };

	return sysfs_chmod_file(parent, &attr, 0700);
}

/**
 * cp_sysfs_init - make the directory of the pairs
 * @device: the directory of the device, where it goes
 *
 * Only root can read it: the names, number and times of the directories, and the
 * counters of the module, would disclose what other users do.
 *
 * Return: 0 or an error.
 */
int cp_sysfs_init(struct kobject *device)
{
	int ret;

	pairs_dir = kobject_create_and_add("pairs", device);
	if (!pairs_dir)
		return -ENOMEM;
	ret = close_to_others(device, "pairs") ?:
	      close_to_others(device->parent, kobject_name(device));
	if (ret)
		kobject_put(pairs_dir);
	return ret;
}

/**
 * cp_sysfs_exit - remove the directory of the pairs, which is empty
 */
void cp_sysfs_exit(void)
{
	kobject_put(pairs_dir);
}
