/* SPDX-License-Identifier: MIT */
/*
 * Simulated time: things that will happen, in order. Ties keep the order in which they were
 * planned.
 */
#ifndef ESPLANE_SIM_CLOCK_H
#define ESPLANE_SIM_CLOCK_H

#include <stddef.h>

#include "ikev2/ike.h"

struct sim_item {
	ike_time at;
	uint64_t order;
	void (*run)(void *arg, void *data);
	void *arg;
	void *data; /* owned: freed after run() */
};

struct sim_clock {
	ike_time now;
	uint64_t planned;
	struct sim_item *heap;
	size_t n, cap;
};

/* Takes @data (malloc, may be NULL) over. */
void sim_clock_plan(struct sim_clock *c, ike_time at, void (*run)(void *arg, void *data), void *arg,
		    void *data);
/* UINT64_MAX if nothing is planned. */
ike_time sim_clock_next(const struct sim_clock *c);
/* Goes to the next thing's time and does it. */
void sim_clock_step(struct sim_clock *c);
void sim_clock_clear(struct sim_clock *c);

#endif
