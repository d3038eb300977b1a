/* SPDX-License-Identifier: GPL-2.0 */
/* One policy of the SPD. */
#ifndef _ESPLANE_POLICY_H
#define _ESPLANE_POLICY_H

#include <linux/list.h>
#include <linux/rcupdate.h>
#include <linux/types.h>
#include <uapi/linux/esplane.h>

#include "classifier.h"
#include "counter.h"
#include "selector.h"

struct esplane_sa;

/**
 * struct esplane_policy - immutable once published, except @sa and the counters
 *
 * policy-set with the same ID replaces the object by RCU, or only @sa if
 * nothing else changed. Reached by RCU; freed after a grace period.
 */
struct esplane_policy {
	struct esplane_rule rule;	/* its place in the classifier of its direction */
	struct esplane_sa __rcu *sa;	/* outbound PROTECT; one of the SAD, so no reference */
	struct list_head by_sa;		/* esplane_sa::policies */
	u32 id;
	u32 priority;
	u32 if_id;
	u32 mark, mark_mask;
	u8 direction;			/* enum esplane_direction */
	u8 action;			/* enum esplane_action */
	u16 n_selectors;
	u64 cookie;
	u64 ends;			/* jiffies; 0: never (expiry.c) */
	struct esplane_counter packets;	/* goes on to this one's replacement */
	unsigned long acquire_next;	/* jiffies: no acquire event before */
	struct rcu_head rcu;
	struct esplane_selector selectors[];
};

/* Unpublished, with room for @n_selectors, or NULL. */
struct esplane_policy *esplane_policy_alloc(unsigned int n_selectors);
/* Frees what no reader can see. */
void esplane_policy_free(struct esplane_policy *policy);
/* Frees after a grace period. */
void esplane_policy_free_rcu(struct esplane_policy *policy);

/* True if both decide alike, whatever their SAs. */
bool esplane_policy_same(const struct esplane_policy *a, const struct esplane_policy *b);

#endif
