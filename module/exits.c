// SPDX-License-Identifier: GPL-2.0-only
/*
 * Exits of tasks, and what tasks outside any pair pay for the module: exits.h.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/errno.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/preempt.h>
#include <linux/tracepoint.h>
#include <linux/workqueue.h>

#include "compat.h"
#include "exits.h"

/* How long after the last hook was released the machine still pays. */
#define IDLE_DELAY	HZ

static struct tracepoint *exit_tracepoint;
static void (*notify_exit)(void);
static DEFINE_MUTEX(users_mutex);	/* @enabled */
static atomic_t users = ATOMIC_INIT(0);	/* hooks that are armed */
static bool enabled;

/* Atomic context; runs in the task that is exiting. */
static void exit_probe(CP_EXIT_PROBE_ARGS)
{
	notify_exit();
}

static void exits_disable_locked(void)
{
	lockdep_assert_held(&users_mutex);
	if (!enabled)
		return;
	tracepoint_probe_unregister(exit_tracepoint, exit_probe, NULL);
	preempt_notifier_dec();
	enabled = false;
}

static void exits_disable_idle(struct work_struct *work)
{
	mutex_lock(&users_mutex);
	if (!atomic_read(&users))
		exits_disable_locked();
	mutex_unlock(&users_mutex);
}

static DECLARE_DELAYED_WORK(idle_work, exits_disable_idle);

/**
 * cp_exits_enable - a hook is about to be armed
 *
 * May sleep. Each success is paired with a cp_exits_disable().
 *
 * Return: 0 or -ENOMEM.
 */
int cp_exits_enable(void)
{
	int ret = 0;

	mutex_lock(&users_mutex);
	if (!enabled) {
		ret = tracepoint_probe_register(exit_tracepoint, exit_probe,
						NULL);
		if (!ret)
			preempt_notifier_inc();
		enabled = !ret;
	}
	if (!ret)
		atomic_inc(&users);
	mutex_unlock(&users_mutex);
	return ret;
}

/**
 * cp_exits_disable - a hook was released
 *
 * Enabling and disabling patch the kernel's code, which is slow: only after
 * IDLE_DELAY without a hook is it done.
 */
void cp_exits_disable(void)
{
	if (atomic_dec_and_test(&users))
		schedule_delayed_work(&idle_work, IDLE_DELAY);
}

static void match_exit_tracepoint(struct tracepoint *tp, void *data)
{
	if (!strcmp(tp->name, "sched_process_exit"))
		exit_tracepoint = tp;
}

/**
 * cp_exits_init - find the tracepoint
 * @task_exits: called in atomic context by each task that exits while a hook is
 *	armed
 *
 * Return: 0, or -ENODEV, which has been logged.
 */
int cp_exits_init(void (*task_exits)(void))
{
	notify_exit = task_exits;
	for_each_kernel_tracepoint(match_exit_tracepoint, NULL);
	if (exit_tracepoint)
		return 0;
	pr_err("this kernel has no tracepoint sched_process_exit\n");
	return -ENODEV;
}

/**
 * cp_exits_exit - remove everything
 *
 * No hook is armed: each one holds the module.
 */
void cp_exits_exit(void)
{
	cancel_delayed_work_sync(&idle_work);
	mutex_lock(&users_mutex);
	exits_disable_locked();
	mutex_unlock(&users_mutex);
	/* A probe or a notifier may be executing its last instructions. */
	tracepoint_synchronize_unregister();
}
