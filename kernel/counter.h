/* SPDX-License-Identifier: GPL-2.0 */
/* Per-CPU counters of which there are many. */
#ifndef _ESPLANE_COUNTER_H
#define _ESPLANE_COUNTER_H

#include <linux/percpu.h>
#include <linux/types.h>

struct esplane_counter_block;

/**
 * struct esplane_counter - counts up from 0
 * @value: on each CPU
 * @block: of which it is a part; NULL if it is not this one's to give back
 */
struct esplane_counter {
	u64 __percpu *value;
	struct esplane_counter_block *block;
};

/* May sleep. False: no memory. */
bool esplane_counter_init(struct esplane_counter *c);
/* In any context but hard interrupts; nobody counts any more. Nothing on a zeroed or moved one. */
void esplane_counter_exit(struct esplane_counter *c);
/* @to is not set up. Who still counts on @from counts on @to. */
void esplane_counter_move(struct esplane_counter *to, struct esplane_counter *from);
u64 esplane_counter_sum(const struct esplane_counter *c);

static inline void esplane_counter_add(const struct esplane_counter *c, u64 n)
{
	this_cpu_add(*c->value, n);
}

#endif
