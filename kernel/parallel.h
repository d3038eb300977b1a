/* SPDX-License-Identifier: GPL-2.0 */
/* Trains of one inbound SA decrypted on several CPUs and delivered in the order they came in. */
#ifndef _ESPLANE_PARALLEL_H
#define _ESPLANE_PARALLEL_H

#include <linux/types.h>

struct esplane_lane;
struct esplane_sa;
struct esplane_train;

/**
 * struct esplane_pace - how much of a CPU's time the cipher takes for one SA
 * @ns: nanoseconds that the cipher took since @since, on whatever CPU
 * @since: jiffies, their lower half; start of the window that is being measured
 * @busy: in the last window it was so much that other CPUs are worth their wake-up
 */
struct esplane_pace {
	u64 ns;
	u32 since;
	bool busy;
};

/**
 * esplane_parallel_run - decrypts a train, here or elsewhere, now or later
 * @train: inbound, gathered; its finish() is called after that of every train of the SA before it
 *
 * BHs off, RCU read side. Counts and traces what it drops.
 */
void esplane_parallel_run(struct esplane_train *train);

/* How many trains of @sa were decrypted by another CPU than the one they came to. RCU read side. */
u64 esplane_parallel_count(const struct esplane_sa *sa);

/* The SA has no train and no reader left. Sleeps. */
void esplane_parallel_forget(struct esplane_sa *sa);

int esplane_parallel_init(void);
/* No SA is left. */
void esplane_parallel_exit(void);

#endif
