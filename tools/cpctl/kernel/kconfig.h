/* SPDX-License-Identifier: GPL-2.0-only */
/* What the running kernel was built with. */
#ifndef KCONFIG_H
#define KCONFIG_H

/*
 * kconfig_has() - is an option built in?
 * @option: its name, with CONFIG_
 *
 * Return: 1 yes, 0 no, -1 when no configuration can be read.
 */
int kconfig_has(const char *option);

/*
 * kernel_exports() - is a function exported to modules?
 * @function: its name
 *
 * Return: 1 yes, 0 no, -1 when no list can be read.
 */
int kernel_exports(const char *function);

#endif /* KCONFIG_H */
