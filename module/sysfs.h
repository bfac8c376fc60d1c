/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * /sys/class/misc/checkpoint: counters of the module, and a directory for each
 * pair in pairs/, named after the slave. Documentation/ABI/testing describes
 * the files.
 *
 * A pair has a directory from cp_sysfs_add() to cp_sysfs_remove(), which waits for
 * readers; a reader that still holds a file open gets ENODEV. A pair that is over
 * keeps its directory, which shows the reason, until its file drops the pair or the
 * slave gets a new pair.
 */
#ifndef _CP_SYSFS_H
#define _CP_SYSFS_H

struct attribute_group;
struct cp_pair;
struct kobject;

extern const struct attribute_group *cp_sysfs_groups[];

int cp_sysfs_init(struct kobject *device);
void cp_sysfs_exit(void);
int cp_sysfs_add(struct cp_pair *pair);
void cp_sysfs_remove(struct cp_pair *pair);

#endif /* _CP_SYSFS_H */
