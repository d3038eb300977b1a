// SPDX-License-Identifier: GPL-2.0
/* 6.16: the new name of from_timer(). */
#include <linux/timer.h>

struct owner {
	struct timer_list timer;
};

struct owner *probe(struct timer_list *t)
{
	struct owner *owner = timer_container_of(owner, t, timer);

	return owner;
}
