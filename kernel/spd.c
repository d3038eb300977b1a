// SPDX-License-Identifier: GPL-2.0
/*
 * The SPD (RFC 4301 section 4.4.1): policies in order of (priority, ID), the first match decides.
 *
 * Locking: all changes under esplane_net::lock; the classifier runs under RCU. A policy's successor
 * is in the list before the policy leaves it, so that every lookup finds one of the two.
 */
#include <linux/lockdep.h>
#include <linux/netlink.h>
#include <linux/rculist.h>
#include <linux/sched.h>

#include "net.h"
#include "policy.h"
#include "sa.h"
#include "spd.h"

struct esplane_policy *esplane_spd_lookup(const struct esplane_net *en, u8 direction,
					  const struct esplane_flow *flow, u32 if_id)
{
	struct esplane_policy *policy;

	list_for_each_entry_rcu(policy, &en->spd.policies[direction], list)
		if (policy->if_id == if_id &&
		    esplane_selectors_match(policy->selectors, policy->n_selectors, flow))
			return policy;
	return NULL;
}

bool esplane_spd_active(const struct esplane_net *en, u8 direction)
{
	return READ_ONCE(en->spd.n_global[direction]);
}

struct esplane_policy *esplane_spd_lookup_id(const struct esplane_net *en, u32 id)
{
	lockdep_assert_held(&en->lock);
	return xa_load((struct xarray *)&en->spd.by_id, id);
}

static void set_sa(struct esplane_net *en, struct esplane_policy *policy, struct esplane_sa *sa)
{
	struct esplane_sa *old;

	old = rcu_replace_pointer(policy->sa, sa, lockdep_is_held(&en->lock));
	if (old)
		old->users--;
	if (sa)
		sa->users++;
}

static void link_policy(struct esplane_net *en, struct esplane_policy *policy)
{
	struct esplane_spd *spd = &en->spd;
	struct list_head *before = &spd->policies[policy->direction];
	struct esplane_policy *other;

	list_for_each_entry(other, &spd->policies[policy->direction], list) {
		if (other->priority > policy->priority ||
		    (other->priority == policy->priority && other->id > policy->id)) {
			before = &other->list;
			break;
		}
	}
	list_add_tail_rcu(&policy->list, before);
	if (!policy->if_id)
		WRITE_ONCE(spd->n_global[policy->direction], spd->n_global[policy->direction] + 1);
}

/*
 * The policy keeps its SA: a reader that has found it already may still send by that SA, which
 * leaves the database later, if at all, and then waits for such readers (sa.c).
 */
static void unlink_policy(struct esplane_net *en, struct esplane_policy *policy)
{
	struct esplane_sa *sa = rcu_dereference_protected(policy->sa, lockdep_is_held(&en->lock));
	struct esplane_spd *spd = &en->spd;

	list_del_rcu(&policy->list);
	if (!policy->if_id)
		WRITE_ONCE(spd->n_global[policy->direction], spd->n_global[policy->direction] - 1);
	if (sa)
		sa->users--;
	esplane_policy_free_rcu(policy);
}

int esplane_spd_add(struct esplane_net *en, struct esplane_policy *policy, struct esplane_sa *sa,
		    struct netlink_ext_ack *extack)
{
	struct esplane_spd *spd = &en->spd;
	int err;

	lockdep_assert_held(&en->lock);
	if (spd->last_id == U32_MAX) {
		NL_SET_ERR_MSG(extack, "all policy IDs of this network namespace are used up");
		return -ENOSPC;
	}
	policy->id = spd->last_id + 1;
	err = xa_insert(&spd->by_id, policy->id, policy, GFP_KERNEL);
	if (err) {
		NL_SET_ERR_MSG(extack, "no memory for the table of policy IDs");
		return err;
	}
	spd->last_id = policy->id;
	set_sa(en, policy, sa);
	link_policy(en, policy);
	spd->count++;
	spd->generation++;
	return 0;
}

/*
 * Readers that hold the old policy may still count on its counter: the heir frees it, and by then
 * they are through, because the heir itself waits for a grace period that begins later.
 */
static void inherit_packets(struct esplane_policy *policy, struct esplane_policy *old)
{
	free_percpu(policy->packets);
	policy->packets = old->packets;
	old->heir_has_packets = true;
}

void esplane_spd_replace(struct esplane_net *en, struct esplane_policy *old,
			 struct esplane_policy *policy, struct esplane_sa *sa)
{
	struct esplane_spd *spd = &en->spd;

	lockdep_assert_held(&en->lock);
	spd->generation++;
	if (esplane_policy_same(old, policy)) {
		set_sa(en, old, sa);
		esplane_policy_free(policy);
		return;
	}
	policy->id = old->id;
	inherit_packets(policy, old);
	set_sa(en, policy, sa);
	link_policy(en, policy);
	/* The slot exists, so this needs no memory and cannot fail. */
	xa_store(&spd->by_id, policy->id, policy, GFP_KERNEL);
	unlink_policy(en, old);
}

void esplane_spd_remove(struct esplane_net *en, struct esplane_policy *policy)
{
	lockdep_assert_held(&en->lock);
	xa_erase(&en->spd.by_id, policy->id);
	unlink_policy(en, policy);
	en->spd.count--;
	en->spd.generation++;
}

void esplane_spd_flush(struct esplane_net *en)
{
	struct esplane_policy *policy;
	unsigned long id;

	xa_for_each(&en->spd.by_id, id, policy) {
		esplane_spd_remove(en, policy);
		cond_resched();
	}
}

void esplane_spd_forget_sa(struct esplane_net *en, struct esplane_sa *sa)
{
	struct esplane_policy *policy;

	lockdep_assert_held(&en->lock);
	if (sa && !sa->users)
		return;
	list_for_each_entry(policy, &en->spd.policies[ESPLANE_DIRECTION_OUT], list)
		if (!sa || rcu_access_pointer(policy->sa) == sa)
			set_sa(en, policy, NULL);
	en->spd.generation++;
}

int esplane_spd_init(struct esplane_net *en)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(en->spd.policies); i++)
		INIT_LIST_HEAD(&en->spd.policies[i]);
	xa_init_flags(&en->spd.by_id, XA_FLAGS_ACCOUNT);
	return 0;
}

void esplane_spd_exit(struct esplane_net *en)
{
	xa_destroy(&en->spd.by_id);
}
