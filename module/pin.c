// SPDX-License-Identifier: GPL-2.0-only
/*
 * What keeps the module loaded: pin.h.
 */
#include <linux/atomic.h>
#include <linux/module.h>

#include "pin.h"

static atomic_t pins = ATOMIC_INIT(0);

/**
 * cp_pin - keep the module loaded
 *
 * The caller runs in a system call on an open file, or holds a pin: the module is
 * not being unloaded.
 */
void cp_pin(void)
{
	if (atomic_inc_return(&pins) == 1)
		__module_get(THIS_MODULE);
}

/**
 * cp_try_pin - keep the module loaded if another pin does
 *
 * For a caller that nothing protects from the unloading of the module. Without a pin
 * no hook exists.
 *
 * Return: true when the module is kept until cp_unpin().
 */
bool cp_try_pin(void)
{
	return atomic_inc_not_zero(&pins);
}

/**
 * cp_unpin - undo cp_pin() or cp_try_pin()
 *
 * The module may be unloaded as soon as this has returned; see cp_hook_exit().
 */
void cp_unpin(void)
{
	if (atomic_dec_and_test(&pins))
		module_put(THIS_MODULE);
}
