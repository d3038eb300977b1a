// SPDX-License-Identifier: GPL-2.0
/* 6.2, and stable kernels: stops a timer for good. */
#include <linux/timer.h>

void probe(struct timer_list *timer)
{
	timer_shutdown_sync(timer);
}
