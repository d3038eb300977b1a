/* SPDX-License-Identifier: GPL-2.0 */
/* Trains of one SA in the order they came in, while several CPUs work at them. */
#ifndef _ESPLANE_ORDER_H
#define _ESPLANE_ORDER_H

#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/types.h>

struct esplane_train;

enum {
	ESPLANE_ORDER_MAX = 64,		/* trains */
};

/**
 * struct esplane_order - belongs to its lock, with all functions below; BHs off
 * @trains: by train->in_order, the first that came first
 * @waiting: by train->in_waiting, of them those that nobody works at; in the same order
 */
struct esplane_order {
	spinlock_t lock;		/* for all of it */
	struct list_head trains, waiting;
	unsigned int n_trains, n_waiting;
};

void esplane_order_init(struct esplane_order *order);
/* The train is the last; @wait: it waits for somebody to take it. False: there is no room. */
bool esplane_order_add(struct esplane_order *order, struct esplane_train *train, bool wait);
/* The first that waits, or NULL. It keeps its place. */
struct esplane_train *esplane_order_take_waiting(struct esplane_order *order);
/* The first of all may leave. */
bool esplane_order_is_ready(struct esplane_order *order);
/* The first of all, if it is through; it leaves. Or NULL. */
struct esplane_train *esplane_order_take(struct esplane_order *order);

#endif
