// SPDX-License-Identifier: GPL-2.0-only
/*
 * The proof of access: a descriptor of the slave's /proc/PID/mem.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cred.h>
#include <linux/dcache.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kstrtox.h>
#include <linux/pid.h>
#include <linux/printk.h>
#include <linux/proc_fs.h>
#include <linux/sched.h>

#include "access.h"

/* What tells a /proc/PID/mem from every other file. */
static const struct file_operations *mem_fops;

/**
 * cp_access_init - learn what a /proc/PID/mem looks like on this kernel
 *
 * Fails closed: on a kernel where the file does not hold its target's memory
 * as it should, nothing could be proven, so the module does not load.
 *
 * Return: 0, or an error that has been logged.
 */
int cp_access_init(void)
{
	struct file *file = filp_open("/proc/self/mem", O_RDONLY, 0);
	bool as_expected;

	if (IS_ERR(file)) {
		pr_err("cannot open /proc/self/mem (%ld): is /proc mounted?\n",
		       PTR_ERR(file));
		return PTR_ERR(file);
	}
	mem_fops = file->f_op;
	as_expected = current->mm && file->private_data == current->mm;
	filp_close(file, NULL);

	if (!as_expected) {
		pr_err("this kernel's /proc/PID/mem gives no proof of access\n");
		return -ENODEV;
	}
	return 0;
}

/* Does the path that was opened name @task, and not one sharing its memory? */
static bool names_task(const struct file *file, struct task_struct *task)
{
	struct pid_namespace *ns = proc_pid_ns(file_inode(file)->i_sb);
	const struct dentry *dir = file->f_path.dentry->d_parent;
	pid_t nr;

	/* Entries of procfs are never renamed: the name stays as it is. */
	if (kstrtoint(dir->d_name.name, 10, &nr))
		return false;
	return nr == task_pid_nr_ns(task, ns);
}

/**
 * cp_access_proven - was the caller allowed to attach to a task?
 * @mem_fd: the descriptor that the caller offers, or -1
 * @task: the task
 * @mm: its memory
 *
 * The caller must have opened the file itself, with the credentials that it
 * still has: a descriptor that somebody else opened, and gave away or lost,
 * proves what that somebody may do.
 *
 * Return: true when it was allowed, and the task has not exec'ed since.
 */
bool cp_access_proven(int mem_fd, struct task_struct *task,
		      const struct mm_struct *mm)
{
	struct file *file;
	bool proven;

	if (mem_fd < 0)
		return false;
	file = fget(mem_fd);
	if (!file)
		return false;
	proven = file->f_op == mem_fops && file->private_data == mm &&
		 file->f_cred == current_cred() && names_task(file, task);
	fput(file);
	return proven;
}
