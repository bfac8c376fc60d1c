/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The structs that are the arguments of ioctls, in the size that the caller knows.
 */
#ifndef _CP_ARGS_H
#define _CP_ARGS_H

#include <linux/ioctl.h>
#include <linux/minmax.h>
#include <linux/uaccess.h>

/* An ioctl's number without the size, which differs between versions. */
#define CP_IOC_KIND(cmd)	((cmd) & ~IOCSIZE_MASK)

/**
 * cp_args_in - read the caller's struct in the current version
 * @arg: filled in
 * @size: its size
 * @min: the size of the first version
 * @cmd: the ioctl's number
 * @uarg: the caller's
 *
 * Return: 0; -EINVAL; -E2BIG; -EFAULT.
 */
static inline int cp_args_in(void *arg, size_t size, size_t min, unsigned int cmd,
			     const void __user *uarg)
{
	if (_IOC_SIZE(cmd) < min)
		return -EINVAL;
	return copy_struct_from_user(arg, size, uarg, _IOC_SIZE(cmd));
}

/**
 * cp_args_out - write it back; fields that this kernel does not know stay as they are
 * @uarg: the caller's
 * @arg: the struct
 * @size: its size
 * @cmd: the ioctl's number
 *
 * Return: 0 or -EFAULT.
 */
static inline int cp_args_out(void __user *uarg, const void *arg, size_t size,
			      unsigned int cmd)
{
	if (copy_to_user(uarg, arg, min_t(size_t, size, _IOC_SIZE(cmd))))
		return -EFAULT;
	return 0;
}

#endif /* _CP_ARGS_H */
