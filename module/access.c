// SPDX-License-Identifier: GPL-2.0-only
/*
 * The proof of access: a descriptor of the slave's /proc/PID/mem.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/dcache.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/highuid.h>
#include <linux/init.h>
#include <linux/kstrtox.h>
#include <linux/pid.h>
#include <linux/printk.h>
#include <linux/proc_fs.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>

#include "access.h"

/* What tells a /proc/PID/mem from every other file. */
static const struct file_operations *mem_fops __ro_after_init;

static struct file *open_proc(const char *path)
{
	return filp_open(path, O_RDONLY, 0);
}

/* Is this file a /proc/PID/mem that grants access to @mm? */
static bool grants(const struct file *file, const struct mm_struct *mm)
{
	return file->f_op == mem_fops && file->private_data == mm;
}

/* The file holds the memory of @task, and who opened it. */
static bool __init is_proof_of(const struct file *file, struct task_struct *task)
{
	struct mm_struct *mm = get_task_mm(task);
	bool is;

	if (!mm)
		return false;
	is = grants(file, mm) && file->f_cred == current_cred();
	mmput(mm);
	return is;
}

/* Files that hold the same memory are opened for less: they must not pass. */
static bool __init others_are_told_apart(void)
{
	static const char * const paths[] = {
		"/proc/self/auxv", "/proc/self/environ", "/proc/self/maps",
	};
	struct file *file;
	bool apart;
	int i;

	for (i = 0; i < ARRAY_SIZE(paths); i++) {
		file = open_proc(paths[i]);
		if (IS_ERR(file))
			return false;
		apart = file->f_op != mem_fops;
		filp_close(file, NULL);
		if (!apart)
			return false;
	}
	return true;
}

/* Nobody but the kernel's rule for debuggers is in the way of this one. */
static struct cred *__init stranger_creds(void)
{
	struct cred *cred = prepare_creds();

	if (!cred)
		return NULL;
	cred->uid = make_kuid(&init_user_ns, overflowuid);
	cred->euid = cred->uid;
	cred->suid = cred->uid;
	cred->fsuid = cred->uid;
	cap_clear(cred->cap_permitted);
	cap_clear(cred->cap_effective);
	cap_raise(cred->cap_effective, CAP_DAC_OVERRIDE);
	return cred;
}

/* Does the kernel ask whether the opener may attach to process 1? */
static bool __init stranger_is_refused(void)
{
	struct cred *stranger = stranger_creds();
	const struct cred *own;
	struct file *file;

	if (!stranger)
		return false;
	own = override_creds(stranger);
	file = open_proc("/proc/1/mem");
	revert_creds(own);
	put_cred(stranger);
	if (!IS_ERR(file)) {
		filp_close(file, NULL);
		return false;
	}
	/* All but the first are what a /proc that hides processes says. */
	return PTR_ERR(file) == -EACCES || PTR_ERR(file) == -EPERM ||
	       PTR_ERR(file) == -ENOENT;
}

/* Of the pid namespace that /proc is of. */
static struct task_struct *__init get_process_1(const struct file *proc_file)
{
	struct pid_namespace *ns = proc_pid_ns(file_inode(proc_file)->i_sb);
	struct task_struct *task;

	rcu_read_lock();
	task = get_pid_task(find_pid_ns(1, ns), PIDTYPE_PID);
	rcu_read_unlock();
	return task;
}

/* The same of a process that is not the caller, where it may be seen at all. */
static bool __init holds_for_process_1(const struct file *proc_file)
{
	struct task_struct *task = get_process_1(proc_file);
	struct file *file;
	bool holds = true;

	if (!task)
		return true;
	if (same_thread_group(task, current))
		goto out_put;
	holds = stranger_is_refused();
	file = open_proc("/proc/1/mem");
	if (IS_ERR(file))
		goto out_put;
	holds = holds && is_proof_of(file, task);
	filp_close(file, NULL);

out_put:
	put_task_struct(task);
	return holds;
}

/**
 * cp_access_init - learn what a /proc/PID/mem looks like on this kernel
 *
 * Fails closed: on a kernel where the file does not hold its target's memory
 * as it should, looks like others, or can be opened by anybody, nothing could
 * be proven, so the module does not load.
 *
 * Return: 0, or an error that has been logged.
 */
int __init cp_access_init(void)
{
	struct file *file = open_proc("/proc/self/mem");
	bool as_expected;

	if (IS_ERR(file)) {
		pr_err("cannot open /proc/self/mem (%ld): is /proc mounted?\n",
		       PTR_ERR(file));
		return PTR_ERR(file);
	}
	mem_fops = file->f_op;
	as_expected = is_proof_of(file, current) && others_are_told_apart() &&
		      holds_for_process_1(file);
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

/*
 * Opens the same path once more, which makes the kernel apply its rule again: the
 * rule may refuse today what it allowed when @file was opened. The target may have
 * become undumpable, changed its user or withdrawn its permission (Yama), and the
 * administrator may have tightened Yama. Gives 0, -EPERM, -ESRCH when the target has
 * died meanwhile or, when there was no answer, -ENOMEM.
 */
static int ask_again(const struct file *file, const struct mm_struct *mm)
{
	struct file *again;
	int ret = -EPERM;

	again = dentry_open(&file->f_path, O_RDONLY, current_cred());
	if (IS_ERR(again)) {
		ret = PTR_ERR(again);
		return ret == -ENOMEM || ret == -ESRCH ? ret : -EPERM;
	}
	if (grants(again, mm))
		ret = 0;
	else if (!again->private_data)
		/* What has no memory any more can still be opened. */
		ret = -ESRCH;
	fput(again);
	return ret;
}

/**
 * cp_access_check - may the caller attach to a task?
 * @mem_fd: the descriptor that the caller offers, or -1
 * @task: the task
 * @mm: its memory
 *
 * The caller must have opened the file itself, with the credentials that it
 * still has: a descriptor that somebody else opened, and gave away or lost,
 * proves what that somebody may do. And the kernel must still allow the caller
 * to open it.
 *
 * May sleep.
 *
 * Return: 0 when the caller may, and the task has not exec'ed since; -EPERM;
 * -ESRCH when the task died meanwhile; -ENOMEM when the kernel had no memory to decide.
 */
int cp_access_check(int mem_fd, struct task_struct *task,
		    const struct mm_struct *mm)
{
	struct file *file;
	int ret = -EPERM;

	if (mem_fd < 0)
		return -EPERM;
	file = fget(mem_fd);
	if (!file)
		return -EPERM;
	if (grants(file, mm) && file->f_cred == current_cred() &&
	    names_task(file, task))
		ret = ask_again(file, mm);
	fput(file);
	return ret;
}
