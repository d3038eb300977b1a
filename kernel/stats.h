/* SPDX-License-Identifier: GPL-2.0 */
/* Sums of counters, for netlink. */
#ifndef _ESPLANE_STATS_H
#define _ESPLANE_STATS_H

#include <linux/types.h>

#include "net.h"

struct esplane_sa;

/* Folds the counters of all CPUs. Any context; the parts are not a snapshot of one moment. */
void esplane_stats_sum(const struct esplane_net *en, struct esplane_stats *sum);
/* False if @sa never dropped anything; then @counts is not set. */
bool esplane_stats_of_sa(const struct esplane_sa *sa, u64 counts[ESPLANE_DROP_COUNT]);

#endif
