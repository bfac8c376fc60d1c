// SPDX-License-Identifier: GPL-2.0-only
/*
 * checkpoint: live process checkpoints. Start reading at pair.h and hook.h; the
 * slave's side is slave.c, the master's side device.c.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>

#include "access.h"
#include "device.h"
#include "frozen.h"
#include "hook.h"
#include "life.h"
#include "netlink.h"
#include "tasks.h"
#include "watch.h"

static int __init checkpoint_init(void)
{
	int ret;

	ret = cp_access_init();
	if (ret)
		return ret;
	ret = cp_hook_init();
	if (ret)
		return ret;
	ret = cp_tasks_init(&cp_life_tasks_ops);
	if (ret)
		goto err_hook;
	ret = cp_netlink_init();
	if (ret)
		goto err_tasks;
	ret = cp_frozen_init();
	if (ret)
		goto err_netlink;
	ret = cp_device_init();
	if (ret)
		goto err_frozen;

	pr_info("loaded\n");
	return 0;

err_frozen:
	cp_frozen_exit();
err_netlink:
	cp_netlink_exit();
err_tasks:
	cp_tasks_exit();
err_hook:
	cp_hook_exit();
	return ret;
}

static void __exit checkpoint_exit(void)
{
	cp_device_exit();
	cp_watch_exit();
	cp_frozen_exit();
	cp_netlink_exit();
	cp_tasks_exit();
	cp_hook_exit();
	pr_info("unloaded\n");
}

module_init(checkpoint_init);
module_exit(checkpoint_exit);

MODULE_DESCRIPTION("Live process checkpoints");
MODULE_LICENSE("GPL");
