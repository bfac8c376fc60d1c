// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tasks that begin and exit, and what tasks outside any pair pay for the module:
 * tasks.h.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/errno.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/preempt.h>
#include <linux/tracepoint.h>
#include <linux/workqueue.h>

#include "compat.h"
#include "tasks.h"

/* The time from the last use of a probe until it is disabled. */
#define IDLE_DELAY	HZ

/**
 * struct probe - a probe on a tracepoint
 * @name:	the tracepoint's name
 * @function:	the probe
 * @notifiers:	preempt notifiers are enabled along with it
 * @tracepoint:	the tracepoint
 * @users:	number of pairs that need it
 * @enabled:	users_mutex
 */
struct probe {
	const char *name;
	void *function;
	bool notifiers;
	struct tracepoint *tracepoint;
	atomic_t users;
	bool enabled;
};

static const struct cp_tasks_ops *tasks_ops;
static DEFINE_MUTEX(users_mutex);	/* @enabled */

/* Atomic context; runs in the task that is exiting. */
static void exit_probe(CP_EXIT_PROBE_ARGS)
{
	tasks_ops->exits();
}

/* Atomic context; runs in @parent, before @child runs. */
static void fork_probe(void *data, struct task_struct *parent,
		       struct task_struct *child)
{
	tasks_ops->forks(child);
}

static struct probe exit_user = {
	.name		= "sched_process_exit",
	.function	= exit_probe,
	.notifiers	= true,
};

static struct probe fork_user = {
	.name		= "sched_process_fork",
	.function	= fork_probe,
};

static struct probe *const probes[] = { &exit_user, &fork_user };

static void probe_disable_locked(struct probe *probe)
{
	lockdep_assert_held(&users_mutex);
	if (!probe->enabled)
		return;
	tracepoint_probe_unregister(probe->tracepoint, probe->function, NULL);
	if (probe->notifiers)
		preempt_notifier_dec();
	probe->enabled = false;
}

static void probes_disable_idle(struct work_struct *work)
{
	unsigned int i;

	mutex_lock(&users_mutex);
	for (i = 0; i < ARRAY_SIZE(probes); i++)
		if (!atomic_read(&probes[i]->users))
			probe_disable_locked(probes[i]);
	mutex_unlock(&users_mutex);
}

static DECLARE_DELAYED_WORK(idle_work, probes_disable_idle);

static int probe_use(struct probe *probe)
{
	int ret = 0;

	mutex_lock(&users_mutex);
	if (!probe->enabled) {
		ret = tracepoint_probe_register(probe->tracepoint,
						probe->function, NULL);
		if (!ret && probe->notifiers)
			preempt_notifier_inc();
		probe->enabled = !ret;
	}
	if (!ret)
		atomic_inc(&probe->users);
	mutex_unlock(&users_mutex);
	return ret;
}

/*
 * Enabling and disabling patch the kernel's code, which is slow: a probe outlives its last
 * user by up to IDLE_DELAY.
 */
static void probe_unuse(struct probe *probe)
{
	if (atomic_dec_and_test(&probe->users))
		schedule_delayed_work(&idle_work, IDLE_DELAY);
}

/**
 * cp_tasks_watch - enable the probes for a pair that is about to be made
 * @forks: the pair also needs the probe on sched_process_fork
 *
 * May sleep. After each success, cp_tasks_unwatch() is called once.
 *
 * Return: 0 or -ENOMEM.
 */
int cp_tasks_watch(bool forks)
{
	int ret = probe_use(&exit_user);

	if (ret || !forks)
		return ret;
	ret = probe_use(&fork_user);
	if (ret)
		probe_unuse(&exit_user);
	return ret;
}

/**
 * cp_tasks_unwatch - the last hook of a pair was removed
 * @forks: as for cp_tasks_watch()
 */
void cp_tasks_unwatch(bool forks)
{
	if (forks)
		probe_unuse(&fork_user);
	probe_unuse(&exit_user);
}

static void match_tracepoint(struct tracepoint *tp, void *data)
{
	struct probe *probe = data;

	if (!strcmp(tp->name, probe->name))
		probe->tracepoint = tp;
}

/**
 * cp_tasks_init - find the tracepoints
 * @ops: the callbacks
 *
 * Return: 0, or -ENODEV, which has been logged.
 */
int cp_tasks_init(const struct cp_tasks_ops *ops)
{
	unsigned int i;

	tasks_ops = ops;
	for (i = 0; i < ARRAY_SIZE(probes); i++) {
		for_each_kernel_tracepoint(match_tracepoint, probes[i]);
		if (!probes[i]->tracepoint) {
			pr_err("this kernel has no tracepoint %s\n",
			       probes[i]->name);
			return -ENODEV;
		}
	}
	return 0;
}

/**
 * cp_tasks_exit - disable the probes
 *
 * No hook is armed: each one holds the module.
 */
void cp_tasks_exit(void)
{
	unsigned int i;

	cancel_delayed_work_sync(&idle_work);
	mutex_lock(&users_mutex);
	for (i = 0; i < ARRAY_SIZE(probes); i++)
		probe_disable_locked(probes[i]);
	mutex_unlock(&users_mutex);
	/* A probe or a notifier may be executing its last instructions. */
	tracepoint_synchronize_unregister();
}
