// SPDX-License-Identifier: GPL-2.0
/*
 * Packets that wait for the SA that they have asked for (a trap policy's first ones).
 *
 *	steer.c, netdev.c		the policy says PROTECT and has no SA
 *	  esplane_hold_packet()		acquire; the queue
 *	spd.c				policy-set with an SA, or any other change
 *	  esplane_hold_retry()		output.c, or the queue again
 *
 * There is one short queue in a namespace, for what a packet waits for need not come to the policy
 * that held it: the daemon may add a narrower one. A packet that may be sent must not be left
 * behind. So who changes policies raises the generation after the change and then empties the
 * queue, and who queues a packet has read the generation before it asked the policies: if it is
 * another by now, they are asked again.
 *
 * Locking: the hold's own lock, BHs off, for queue and generation; nothing is sent or dropped under
 * it. esplane_hold_retry() comes under esplane_net::lock, which orders those who change policies.
 */
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/jiffies.h>
#include <net/dst.h>
#include <net/dst_metadata.h>
#include <net/ip.h>

#include "compat.h"
#include "drop.h"
#include "events.h"
#include "hold.h"
#include "net.h"
#include "output.h"
#include "policy.h"
#include "sa.h"
#include "selector.h"
#include "spd.h"

/* What waiting adds to a packet. output.c still wants what IP has written. */
struct held {
	union {
		struct inet_skb_parm v4;
		struct inet6_skb_parm v6;
	} ip;
	u32 policy_id;
	u32 if_id;
	unsigned long until;	/* jiffies */
};

static struct held *held_of(const struct sk_buff *skb)
{
	BUILD_BUG_ON(sizeof(struct held) > sizeof(skb->cb));
	return (struct held *)skb->cb;
}

static bool has_room(const struct esplane_hold *hold, u32 policy_id)
{
	const struct sk_buff *skb;
	unsigned int n = 0;

	if (skb_queue_len(&hold->packets) >= ESPLANE_HOLD_MAX)
		return false;
	skb_queue_walk(&hold->packets, skb)
		n += held_of(skb)->policy_id == policy_id;
	return n < ESPLANE_HOLD_PER_POLICY;
}

/* Returns 0, -EAGAIN if policies have changed since @generation, -ENOSPC. */
static int queue_packet(struct esplane_hold *hold, struct sk_buff *skb, u32 generation)
{
	int err = 0;

	spin_lock_bh(&hold->lock);
	if (hold->generation != generation) {
		err = -EAGAIN;
	} else if (!has_room(hold, held_of(skb)->policy_id)) {
		err = -ENOSPC;
	} else {
		__skb_queue_tail(&hold->packets, skb);
		if (!timer_pending(&hold->timer))
			mod_timer(&hold->timer, held_of(skb)->until);
	}
	spin_unlock_bh(&hold->lock);
	return err;
}

/* The device may have gone meanwhile; the route, of which there is a reference, knows. */
static void send(struct esplane_net *en, struct esplane_sa *sa, struct sk_buff *skb)
{
	skb->dev = skb_dst(skb)->dev;
	local_bh_disable();
	esplane_output(en, sa, skb);
	local_bh_enable();
}

/* False if it has to be done again. */
static bool decide(struct esplane_net *en, struct sk_buff *skb, u32 generation)
{
	struct esplane_policy *policy;
	struct esplane_flow flow;
	struct esplane_sa *sa;
	int err;

	policy = esplane_flow_from_skb(skb, &flow) ?
		 esplane_spd_lookup(en, ESPLANE_DIRECTION_OUT, &flow, held_of(skb)->if_id,
				    skb->mark) : NULL;
	if (!policy || policy->action != ESPLANE_ACTION_PROTECT) {
		esplane_drop(en, NULL, skb, ESPLANE_DROP_HOLD_EXPIRED, 0, 0);
		return true;
	}
	sa = rcu_dereference(policy->sa);
	if (sa && !esplane_sa_is_dead(sa)) {
		send(en, sa, skb);
		return true;
	}
	held_of(skb)->policy_id = policy->id;
	err = queue_packet(&en->hold, skb, generation);
	if (err == -EAGAIN)
		return false;
	esplane_event_acquire(en, policy, &flow);
	if (err)
		esplane_drop(en, NULL, skb, ESPLANE_DROP_NO_OUT_SA, 0, 0);
	return true;
}

static void decide_now(struct esplane_net *en, struct sk_buff *skb)
{
	u32 generation;

	do {
		/* Pairs with esplane_hold_retry(): the policies are asked behind this. */
		generation = smp_load_acquire(&en->hold.generation);
	} while (!decide(en, skb, generation));
}

void esplane_hold_packet(struct esplane_net *en, struct sk_buff *skb, u32 if_id)
{
	struct held *held = held_of(skb);

	if (!skb_valid_dst(skb) || !skb_dst_force(skb)) {
		esplane_drop(en, NULL, skb, ESPLANE_DROP_NO_OUT_SA, 0, 0);
		return;
	}
	skb->dev = NULL;
	held->if_id = if_id;
	held->until = jiffies + ESPLANE_HOLD_SECONDS * HZ;
	decide_now(en, skb);
}

void esplane_hold_retry(struct esplane_net *en)
{
	struct esplane_hold *hold = &en->hold;
	struct sk_buff_head packets;
	struct sk_buff *skb;

	lockdep_assert_held(&en->lock);
	__skb_queue_head_init(&packets);
	spin_lock_bh(&hold->lock);
	/* Pairs with decide_now(): who reads this finds the policies as they are now. */
	smp_store_release(&hold->generation, hold->generation + 1);
	skb_queue_splice_init(&hold->packets, &packets);
	spin_unlock_bh(&hold->lock);
	rcu_read_lock();
	while ((skb = __skb_dequeue(&packets)))
		decide_now(en, skb);
	rcu_read_unlock();
}

static void drop_all(struct esplane_net *en, struct sk_buff_head *packets)
{
	struct sk_buff *skb;

	while ((skb = __skb_dequeue(packets)))
		esplane_drop(en, NULL, skb, ESPLANE_DROP_HOLD_EXPIRED, 0, 0);
}

/* Those whose time is up go to @expired. A retry may have mixed the order. */
static void expire(struct esplane_hold *hold, struct sk_buff_head *expired)
{
	unsigned long next = jiffies + ESPLANE_HOLD_SECONDS * HZ;
	struct sk_buff *skb, *other;

	skb_queue_walk_safe(&hold->packets, skb, other) {
		if (time_after_eq(jiffies, held_of(skb)->until)) {
			__skb_unlink(skb, &hold->packets);
			__skb_queue_tail(expired, skb);
		} else if (time_before(held_of(skb)->until, next)) {
			next = held_of(skb)->until;
		}
	}
	if (!skb_queue_empty(&hold->packets))
		mod_timer(&hold->timer, next);
}

static void timer_fires(struct timer_list *timer)
{
	struct esplane_hold *hold = esplane_timer_container_of(hold, timer, timer);
	struct sk_buff_head expired;

	__skb_queue_head_init(&expired);
	spin_lock_bh(&hold->lock);
	expire(hold, &expired);
	spin_unlock_bh(&hold->lock);
	drop_all(container_of(hold, struct esplane_net, hold), &expired);
}

void esplane_hold_init(struct esplane_net *en)
{
	spin_lock_init(&en->hold.lock);
	__skb_queue_head_init(&en->hold.packets);
	timer_setup(&en->hold.timer, timer_fires, 0);
	en->hold.generation = 0;
}

/* The policies were flushed, and what waited for them went with them. */
void esplane_hold_exit(struct esplane_net *en)
{
	WARN_ON(!skb_queue_empty(&en->hold.packets));
	esplane_timer_shutdown_sync(&en->hold.timer);
	drop_all(en, &en->hold.packets);
}
