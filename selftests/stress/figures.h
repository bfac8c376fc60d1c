/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The module's figures in sysfs.
 */
#ifndef _CP_STRESS_FIGURES_H
#define _CP_STRESS_FIGURES_H

#include <stdbool.h>

long long figure(const char *name);
int figures_users(void);
int figures_folders(void);
bool figures_nothing_left(void);

#endif /* _CP_STRESS_FIGURES_H */
