/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * /dev/checkpoint.
 */
#ifndef _CP_DEVICE_H
#define _CP_DEVICE_H

int cp_device_init(void);
void cp_device_exit(void);

#endif /* _CP_DEVICE_H */
