// SPDX-License-Identifier: GPL-2.0
/* Compiles on every kernel, or the build's flags are wrong. */
#include <linux/module.h>
#include <linux/netdevice.h>
