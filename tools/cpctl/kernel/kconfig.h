/* SPDX-License-Identifier: GPL-2.0-only */
/* The configuration and the exported functions of the running kernel. */
#ifndef KCONFIG_H
#define KCONFIG_H

/*
 * kconfig_has() - is an option built in?
 * @option: the name of the option, with CONFIG_
 *
 * Return: 1 for yes, 0 for no, -1 if no configuration can be read.
 */
int kconfig_has(const char *option);

/*
 * kernel_exports() - is a function exported to modules?
 * @function: the name of the function
 *
 * Return: 1 for yes, 0 for no, -1 if Module.symvers cannot be read.
 */
int kernel_exports(const char *function);

#endif /* KCONFIG_H */
