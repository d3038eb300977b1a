/* SPDX-License-Identifier: GPL-2.0 */
/* Sums of the per-CPU counters, for netlink. */
#ifndef _ESPLANE_STATS_H
#define _ESPLANE_STATS_H

#include <linux/types.h>

#include "net.h"

struct esplane_sa;

/* Folds the counters of all CPUs. Any context; the parts are not a snapshot of one moment. */
void esplane_stats_sum(const struct esplane_net *en, struct esplane_stats *sum);
void esplane_stats_sum_sa(const struct esplane_sa *sa, u64 drops[ESPLANE_DROP_COUNT]);

#endif
