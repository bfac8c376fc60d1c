// SPDX-License-Identifier: GPL-2.0-only
/*
 * What keeps the module loaded. Why one reference for all: pin.h.
 */
#include <linux/atomic.h>
#include <linux/module.h>

#include "pin.h"

static atomic_t pins = ATOMIC_INIT(0);

/**
 * cp_pin - keep the module
 *
 * The caller runs in an open file's system call, or on behalf of somebody who
 * has a pin: the module is not being unloaded.
 */
void cp_pin(void)
{
	if (atomic_inc_return(&pins) == 1)
		__module_get(THIS_MODULE);
}

/**
 * cp_try_pin - keep the module, unless nobody else does
 *
 * For callers who have nothing that keeps it. Without a pin there is no hook.
 *
 * Return: true when the module stays until cp_unpin().
 */
bool cp_try_pin(void)
{
	return atomic_inc_not_zero(&pins);
}

/**
 * cp_unpin - what cp_pin() or cp_try_pin() did is no longer needed
 *
 * The module may be unloaded once this has returned; see cp_hook_exit().
 */
void cp_unpin(void)
{
	if (atomic_dec_and_test(&pins))
		module_put(THIS_MODULE);
}
