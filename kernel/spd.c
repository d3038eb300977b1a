// SPDX-License-Identifier: GPL-2.0
/*
 * The SPD (RFC 4301 section 4.4.1): policies in order of (priority, ID), the first match decides.
 *
 * Locking: all changes under esplane_net::lock; lookups under RCU, and by the classifier's sequence
 * lock they see one policy or its successor, never neither.
 */
#include <linux/lockdep.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sched.h>

#include "expiry.h"
#include "hold.h"
#include "net.h"
#include "policy.h"
#include "sa.h"
#include "spd.h"

struct esplane_policy *esplane_spd_lookup(const struct esplane_net *en, u8 direction,
					  const struct esplane_flow *flow, u32 if_id, u32 mark)
{
	struct esplane_rule *rule;

	rule = esplane_classifier_lookup(&en->spd.policies[direction], flow, if_id, mark);
	return rule ? container_of(rule, struct esplane_policy, rule) : NULL;
}

bool esplane_spd_active(const struct esplane_net *en, u8 direction)
{
	return READ_ONCE(en->spd.n_global[direction]) ||
	       esplane_spd_default(en, direction) != ESPLANE_ACTION_BYPASS;
}

bool esplane_spd_discards(const struct esplane_net *en)
{
	return READ_ONCE(en->spd.n_discard_in);
}

bool esplane_spd_asks_for_mark(const struct esplane_net *en)
{
	return READ_ONCE(en->spd.n_marked);
}

u8 esplane_spd_default(const struct esplane_net *en, u8 direction)
{
	return READ_ONCE(en->spd.default_action[direction]);
}

void esplane_spd_set_default(struct esplane_net *en, u8 direction, u8 action)
{
	lockdep_assert_held(&en->lock);
	WRITE_ONCE(en->spd.default_action[direction], action);
	WRITE_ONCE(en->spd.flows_stale, true);
}

struct esplane_policy *esplane_spd_lookup_id(const struct esplane_net *en, u32 id)
{
	lockdep_assert_held(&en->lock);
	return xa_load((struct xarray *)&en->spd.by_id, id);
}

static void set_sa(struct esplane_net *en, struct esplane_policy *policy, struct esplane_sa *sa)
{
	lockdep_assert_held(&en->lock);
	rcu_assign_pointer(policy->sa, sa);
	list_del_init(&policy->by_sa);
	if (sa)
		list_add(&policy->by_sa, &sa->policies);
}

static void count_kinds(struct esplane_spd *spd, const struct esplane_policy *policy, int add)
{
	u32 *n_global = &spd->n_global[policy->direction];

	if (!policy->if_id)
		WRITE_ONCE(*n_global, *n_global + add);
	if (policy->direction == ESPLANE_DIRECTION_IN && policy->action == ESPLANE_ACTION_DISCARD)
		WRITE_ONCE(spd->n_discard_in, spd->n_discard_in + add);
	if (policy->mark_mask)
		WRITE_ONCE(spd->n_marked, spd->n_marked + add);
}

/* Packets that wait may have their SA now, or nothing to wait for. */
static void changed(struct esplane_net *en)
{
	en->spd.generation++;
	esplane_hold_retry(en);
}

/* The same when lookups may find another policy. */
static void decides_anew(struct esplane_net *en)
{
	WRITE_ONCE(en->spd.flows_stale, true);
	changed(en);
}

/* The rest of what the classifier wants to know, and its memory. */
static int prepare(struct esplane_net *en, struct esplane_policy *policy,
		   struct netlink_ext_ack *extack)
{
	int err;

	policy->rule.rank = (u64)policy->priority << 32 | policy->id;
	policy->rule.if_id = policy->if_id;
	policy->rule.mark = policy->mark;
	policy->rule.mark_mask = policy->mark_mask;
	err = esplane_classifier_prepare(&en->spd.policies[policy->direction], &policy->rule);
	if (err)
		NL_SET_ERR_MSG(extack, "no memory for the classifier");
	return err;
}

/*
 * The policy keeps its SA: a reader that has found it already may still send by that SA, which
 * leaves the database later, if at all, and then waits for such readers (sa.c).
 */
static void retire(struct esplane_policy *policy)
{
	list_del(&policy->by_sa);
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
	err = prepare(en, policy, extack);
	if (err)
		return err;
	err = xa_insert(&spd->by_id, policy->id, policy, GFP_KERNEL);
	if (err) {
		esplane_classifier_abandon(&spd->policies[policy->direction], &policy->rule);
		NL_SET_ERR_MSG(extack, "no memory for the table of policy IDs");
		return err;
	}
	spd->last_id = policy->id;
	set_sa(en, policy, sa);
	esplane_classifier_swap(&spd->policies[policy->direction], &policy->rule, NULL);
	count_kinds(spd, policy, 1);
	spd->count++;
	esplane_expiry_await(en, policy);
	decides_anew(en);
	return 0;
}

/*
 * Readers that hold the old policy may still count on its counter: the heir frees it, and by then
 * they are through, because the heir itself waits for a grace period that begins later.
 */
static void inherit_packets(struct esplane_policy *policy, struct esplane_policy *old)
{
	esplane_counter_exit(&policy->packets);
	esplane_counter_move(&policy->packets, &old->packets);
}

/* No lookup asks both directions, so only within one need it be a single step. */
static void swap_policy(struct esplane_spd *spd, struct esplane_policy *policy,
			struct esplane_policy *old)
{
	struct esplane_classifier *to = &spd->policies[policy->direction];
	struct esplane_classifier *from = &spd->policies[old->direction];

	count_kinds(spd, policy, 1);
	esplane_classifier_swap(to, &policy->rule, to == from ? &old->rule : NULL);
	if (to != from)
		esplane_classifier_swap(from, NULL, &old->rule);
	count_kinds(spd, old, -1);
}

int esplane_spd_replace(struct esplane_net *en, struct esplane_policy *old,
			struct esplane_policy *policy, struct esplane_sa *sa,
			struct netlink_ext_ack *extack)
{
	struct esplane_spd *spd = &en->spd;
	int err;

	lockdep_assert_held(&en->lock);
	if (esplane_policy_same(old, policy)) {
		set_sa(en, old, sa);
		esplane_policy_free(policy);
		changed(en);
		return 0;
	}
	policy->id = old->id;
	err = prepare(en, policy, extack);
	if (err)
		return err;
	inherit_packets(policy, old);
	set_sa(en, policy, sa);
	/* The slot exists, so this needs no memory and cannot fail. */
	xa_store(&spd->by_id, policy->id, policy, GFP_KERNEL);
	swap_policy(spd, policy, old);
	retire(old);
	esplane_expiry_await(en, policy);
	decides_anew(en);
	return 0;
}

static void take_out(struct esplane_spd *spd, struct esplane_policy *policy)
{
	xa_erase(&spd->by_id, policy->id);
	esplane_classifier_swap(&spd->policies[policy->direction], NULL, &policy->rule);
	count_kinds(spd, policy, -1);
	retire(policy);
	spd->count--;
}

void esplane_spd_remove(struct esplane_net *en, struct esplane_policy *policy)
{
	lockdep_assert_held(&en->lock);
	take_out(&en->spd, policy);
	decides_anew(en);
}

void esplane_spd_flush(struct esplane_net *en)
{
	struct esplane_policy *policy;
	unsigned long id;

	lockdep_assert_held(&en->lock);
	xa_for_each(&en->spd.by_id, id, policy) {
		take_out(&en->spd, policy);
		cond_resched();
	}
	decides_anew(en);
}

/* Set behind the change. Who is late to clear it, but ahead of the purge, purges for both. */
bool esplane_spd_changed_for_flows(struct esplane_net *en)
{
	ASSERT_RTNL();
	if (!READ_ONCE(en->spd.flows_stale))
		return false;
	WRITE_ONCE(en->spd.flows_stale, false);
	return true;
}

void esplane_spd_forget_sa(struct esplane_net *en, struct esplane_sa *sa)
{
	struct esplane_policy *policy, *next;

	lockdep_assert_held(&en->lock);
	if (list_empty(&sa->policies))
		return;
	list_for_each_entry_safe(policy, next, &sa->policies, by_sa)
		set_sa(en, policy, NULL);
	en->spd.generation++;
}

int esplane_spd_init(struct esplane_net *en)
{
	struct esplane_spd *spd = &en->spd;
	unsigned int i;
	int err;

	xa_init_flags(&spd->by_id, XA_FLAGS_ACCOUNT);
	esplane_expiry_init(en);
	for (i = 0; i < ARRAY_SIZE(spd->policies); i++) {
		spd->default_action[i] = ESPLANE_ACTION_BYPASS;
		err = esplane_classifier_init(&spd->policies[i]);
		if (err)
			goto err_classifier;
	}
	return 0;

err_classifier:
	while (i--)
		esplane_classifier_exit(&spd->policies[i]);
	return err;
}

void esplane_spd_exit(struct esplane_net *en)
{
	unsigned int i;

	esplane_expiry_exit(en);
	for (i = 0; i < ARRAY_SIZE(en->spd.policies); i++)
		esplane_classifier_exit(&en->spd.policies[i]);
	xa_destroy(&en->spd.by_id);
}
