// SPDX-License-Identifier: GPL-2.0
/* One policy of the SPD: making, comparing, freeing. */
#include <linux/jiffies.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "policy.h"

void esplane_policy_free(struct esplane_policy *policy)
{
	esplane_counter_exit(&policy->packets);
	kfree(policy->rule.places);
	kfree(policy);
}

struct esplane_policy *esplane_policy_alloc(unsigned int n_selectors)
{
	struct esplane_policy *policy;

	policy = kzalloc(struct_size(policy, selectors, n_selectors), GFP_KERNEL_ACCOUNT);
	if (!policy)
		return NULL;
	policy->rule.places = kcalloc(n_selectors, sizeof(*policy->rule.places),
				      GFP_KERNEL_ACCOUNT);
	if (!esplane_counter_init(&policy->packets) || !policy->rule.places) {
		esplane_policy_free(policy);
		return NULL;
	}
	policy->n_selectors = n_selectors;
	policy->rule.n = n_selectors;
	policy->rule.selectors = policy->selectors;
	policy->acquire_next = jiffies;
	INIT_LIST_HEAD(&policy->by_sa);
	return policy;
}

static void free_rcu_callback(struct rcu_head *rcu)
{
	esplane_policy_free(container_of(rcu, struct esplane_policy, rcu));
}

void esplane_policy_free_rcu(struct esplane_policy *policy)
{
	call_rcu(&policy->rcu, free_rcu_callback);
}

bool esplane_policy_same(const struct esplane_policy *a, const struct esplane_policy *b)
{
	return !a->ends && !b->ends && a->direction == b->direction && a->action == b->action &&
	       a->priority == b->priority && a->if_id == b->if_id && a->cookie == b->cookie &&
	       a->mark == b->mark && a->mark_mask == b->mark_mask &&
	       a->n_selectors == b->n_selectors &&
	       !memcmp(a->selectors, b->selectors, flex_array_size(a, selectors, a->n_selectors));
}
