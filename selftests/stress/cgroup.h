/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Control groups for the storm's slaves, on machines that have cgroup v2.
 */
#ifndef _CP_STRESS_CGROUP_H
#define _CP_STRESS_CGROUP_H

#include <stdbool.h>
#include <sys/types.h>

/* The group with hardly any free memory. */
#define CGROUP_TIGHT	"storm-tight"

bool cgroup_make(const char *name);
void cgroup_remove(const char *name);
bool cgroup_write(const char *name, const char *file, const char *text);
bool cgroup_join(const char *name, pid_t pid);
bool cgroup_is_frozen(const char *name);

#endif /* _CP_STRESS_CGROUP_H */
