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

/* The file operations that only a /proc/PID/mem has. */
static const struct file_operations *mem_fops __ro_after_init;

static struct file *open_proc(const char *path)
{
	return filp_open(path, O_RDONLY, 0);
}

/* Is this file a /proc/PID/mem that grants access to @mm? */
static bool file_grants(const struct file *file, const struct mm_struct *mm)
{
	return file->f_op == mem_fops && file->private_data == mm;
}

/* Does the file hold the memory of @task, and the opener's credentials? */
static bool __init is_proof_of(const struct file *file, struct task_struct *task)
{
	struct mm_struct *mm = get_task_mm(task);
	bool is;

	if (!mm)
		return false;
	is = file_grants(file, mm) && file->f_cred == current_cred();
	mmput(mm);
	return is;
}

/* Files of /proc/PID that need less permission must not pass. */
static bool __init other_files_differ(void)
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

/* Passes every file permission check; only ptrace's can refuse it. */
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

/* Does the kernel refuse to open the memory of process 1 to a process without ptrace rights? */
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
	/* -EPERM and -ENOENT come from a /proc mounted with hidepid. */
	return PTR_ERR(file) == -EACCES || PTR_ERR(file) == -EPERM ||
	       PTR_ERR(file) == -ENOENT;
}

/* Process 1 of the pid namespace of /proc. */
static struct task_struct *__init get_process_1(const struct file *proc_file)
{
	struct pid_namespace *ns = proc_pid_ns(file_inode(proc_file)->i_sb);
	struct task_struct *task;

	rcu_read_lock();
	task = get_pid_task(find_pid_ns(1, ns), PIDTYPE_PID);
	rcu_read_unlock();
	return task;
}

/* Makes the checks for process 1, too, if it is visible and not the caller. */
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
 * Fails closed: the module does not load on a kernel where the file does not hold its
 * target's memory, cannot be distinguished from other files, or can be opened by any
 * process.
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
	as_expected = is_proof_of(file, current) && other_files_differ() &&
		      holds_for_process_1(file);
	filp_close(file, NULL);

	if (!as_expected) {
		pr_err("this kernel's /proc/PID/mem gives no proof of access\n");
		return -ENODEV;
	}
	return 0;
}

/* Does the path name @task, and not another task that shares its memory? */
static bool names_task(const struct file *file, struct task_struct *task)
{
	struct pid_namespace *ns = proc_pid_ns(file_inode(file)->i_sb);
	const struct dentry *dir = file->f_path.dentry->d_parent;
	pid_t nr;

	/* The name is stable: entries of procfs are never renamed. */
	if (kstrtoint(dir->d_name.name, 10, &nr))
		return false;
	return nr == task_pid_nr_ns(task, ns);
}

/*
 * Opens the same path again, so that the kernel applies its rule again: since @file
 * was opened, the target may have become undumpable, changed its user or withdrawn its
 * permission (Yama), and the administrator may have tightened Yama. Gives 0, -EPERM or
 * -ENOMEM.
 */
static int ask_again(const struct file *file, const struct mm_struct *mm)
{
	struct file *again;
	bool granted;

	again = dentry_open(&file->f_path,
			    file->f_mode & FMODE_WRITE ? O_RDWR : O_RDONLY,
			    current_cred());
	if (IS_ERR(again))
		return PTR_ERR(again) == -ENOMEM ? -ENOMEM : -EPERM;
	granted = file_grants(again, mm);
	fput(again);
	return granted ? 0 : -EPERM;
}

static int check_proof(int mem_fd, struct task_struct *task,
		       const struct mm_struct *mm, bool *may_write)
{
	struct file *file;
	int ret = -EPERM;

	if (mem_fd < 0)
		return -EPERM;
	file = fget(mem_fd);
	if (!file)
		return -EPERM;
	if (file_grants(file, mm) && file->f_cred == current_cred() &&
	    names_task(file, task))
		ret = ask_again(file, mm);
	*may_write = file->f_mode & FMODE_WRITE;
	fput(file);
	return ret;
}

/**
 * cp_access_check - may the caller attach to a task?
 * @mem_fd: the descriptor that the caller offers, or -1
 * @task: the task
 * @mm: its memory
 * @may_write: set to whether the descriptor is open for writing, if the caller may
 *
 * The caller must have opened the file itself with the credentials that it has now: a
 * descriptor that another process opened proves what that process may do. The kernel
 * must still allow the caller to open it.
 *
 * May sleep.
 *
 * Return: 0 when the caller may, and the task has executed no other program since
 * @mem_fd was opened; -EPERM; -ESRCH when the task has begun to exit; -ENOMEM when the
 * kernel had no memory to decide.
 */
int cp_access_check(int mem_fd, struct task_struct *task,
		    const struct mm_struct *mm, bool *may_write)
{
	int ret = check_proof(mem_fd, task, mm, may_write);

	/*
	 * An exit at the same time makes the kernel refuse for reasons that have nothing
	 * to do with permission: the memory is gone, or Yama finds no parents any more.
	 * The flag is set before any of that; data_race(): others change.
	 */
	if (ret == -EPERM && data_race(task->flags) & PF_EXITING)
		ret = -ESRCH;
	return ret;
}
