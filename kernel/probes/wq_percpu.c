// SPDX-License-Identifier: GPL-2.0
/* 6.18, and stable kernels: a workqueue bound to CPUs is asked for by name. */
#include <linux/workqueue.h>

unsigned int probe = WQ_PERCPU;
