// SPDX-License-Identifier: GPL-2.0
/*
 * Policies that end by themselves: a worker of the namespace removes them and sends policy-expire.
 * One timer will do for all: such policies are few, and nobody waits for one to end.
 *
 * Locking: esplane_policy::ends is written before the policy is published; the rest under
 * esplane_net::lock.
 */
#include <linux/jiffies.h>
#include <linux/workqueue.h>

#include "events.h"
#include "expiry.h"
#include "flowtable.h"
#include "lifetime.h"
#include "net.h"
#include "policy.h"
#include "sa.h"
#include "spd.h"

void esplane_expiry_set(struct esplane_policy *policy, u32 seconds)
{
	policy->ends = seconds ? get_jiffies_64() + (u64)seconds * HZ : 0;
}

u32 esplane_expiry_left(const struct esplane_policy *policy)
{
	u64 now = get_jiffies_64();

	return policy->ends > now ? div_u64(policy->ends - now + HZ - 1, HZ) : 0;
}

static void wait_until(struct esplane_net *en, u64 ends)
{
	u64 now = get_jiffies_64();

	en->spd.first_end = ends;
	mod_delayed_work(esplane_wq, &en->spd.expiry,
			 ends > now ? esplane_lifetime_step(ends - now) : 0);
}

static void expire(struct work_struct *work)
{
	struct esplane_net *en = container_of(to_delayed_work(work), struct esplane_net,
					      spd.expiry);
	u64 now = get_jiffies_64(), next = U64_MAX;
	struct esplane_policy *policy;
	unsigned long id;

	mutex_lock(&en->lock);
	xa_for_each(&en->spd.by_id, id, policy) {
		if (!policy->ends)
			continue;
		if (policy->ends > now) {
			next = min(next, policy->ends);
			continue;
		}
		esplane_event_policy_expire(en, policy);
		esplane_spd_remove(en, policy);	/* who dumps waits for the lock */
	}
	en->spd.first_end = U64_MAX;
	if (next != U64_MAX)
		wait_until(en, next);
	mutex_unlock(&en->lock);
	esplane_flowtable_purge(en);
}

void esplane_expiry_await(struct esplane_net *en, const struct esplane_policy *policy)
{
	lockdep_assert_held(&en->lock);
	if (policy->ends && policy->ends < en->spd.first_end)
		wait_until(en, policy->ends);
}

void esplane_expiry_init(struct esplane_net *en)
{
	INIT_DELAYED_WORK(&en->spd.expiry, expire);
	en->spd.first_end = U64_MAX;
}

void esplane_expiry_exit(struct esplane_net *en)
{
	cancel_delayed_work_sync(&en->spd.expiry);
}
