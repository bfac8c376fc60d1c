/* SPDX-License-Identifier: GPL-2.0-only */
/* The text format that Prometheus and node_exporter's textfile collector read. */
#ifndef PROMETHEUS_H
#define PROMETHEUS_H

#include <stdio.h>

#include "netlink.h"

/* prometheus_print() - print the figures of the module and of each pair */
void prometheus_print(FILE *out, const struct pair_list *list);

#endif /* PROMETHEUS_H */
