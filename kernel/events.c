// SPDX-License-Identifier: GPL-2.0
/*
 * What the module reports up by multicast: sa-expire, policy-expire, acquire, sa-mapping.
 *
 * An event that finds no memory is not lost silently: the listeners see ENOBUFS, as they do when
 * their own buffer overflows, and know that they must dump.
 *
 * Locking: none. Senders are RCU readers, so that esplane_events_stop() can wait for them: the
 * family's groups must not be used once it is unregistered.
 */
#include <linux/jiffies.h>
#include <net/genetlink.h>

#include "events.h"
#include "net.h"
#include "netlink.h"
#include "netlink_gen.h"
#include "policy.h"
#include "sa.h"

enum {
	EVENT_SIZE = 512,	/* more than any event's attributes take */
};

static bool stopped;

void esplane_events_stop(void)
{
	WRITE_ONCE(stopped, true);
	synchronize_rcu();
}

/* True once in a second, for who wins it. */
static bool due(unsigned long *next)
{
	unsigned long was = READ_ONCE(*next), now = jiffies;

	return time_after_eq(now, was) && cmpxchg(next, was, now + HZ) == was;
}

static bool anyone_listens(const struct esplane_net *en)
{
	return !READ_ONCE(stopped) &&
	       genl_has_listeners(&esplane_nl_family, en->net, ESPLANE_NLGRP_EVENTS);
}

static struct sk_buff *event_new(u8 cmd, void **header)
{
	struct sk_buff *skb = genlmsg_new(EVENT_SIZE, GFP_ATOMIC);

	if (!skb)
		return NULL;
	*header = genlmsg_put(skb, 0, 0, &esplane_nl_family, 0, cmd);
	return skb;
}

/* @err: of filling in the attributes. Takes @skb, NULL if there was no memory. */
static void event_send(const struct esplane_net *en, struct sk_buff *skb, void *header, int err)
{
	if (!skb || err) {
		WARN_ON_ONCE(skb);	/* EVENT_SIZE is too small */
		nlmsg_free(skb);
		genl_set_err(&esplane_nl_family, en->net, 0, ESPLANE_NLGRP_EVENTS, -ENOBUFS);
		return;
	}
	genlmsg_end(skb, header);
	genlmsg_multicast_netns(&esplane_nl_family, en->net, skb, 0, ESPLANE_NLGRP_EVENTS,
				GFP_ATOMIC);
}

static int put_u64(struct sk_buff *skb, int attr, u64 value)
{
	return nla_put_u64_64bit(skb, attr, value, ESPLANE_A_EVENT_PAD);
}

static int fill_expire(struct sk_buff *skb, const struct esplane_sa *sa, u32 cause, bool hard)
{
	return nla_put_u32(skb, ESPLANE_A_EVENT_SA_ID, sa->id) ?:
	       nla_put_u32(skb, ESPLANE_A_EVENT_DIRECTION, sa->direction) ?:
	       nla_put_be32(skb, ESPLANE_A_EVENT_SPI, sa->spi) ?:
	       put_u64(skb, ESPLANE_A_EVENT_COOKIE, sa->cookie) ?:
	       (hard ? nla_put_flag(skb, ESPLANE_A_EVENT_HARD) : 0) ?:
	       nla_put_u32(skb, ESPLANE_A_EVENT_CAUSE, cause) ?:
	       put_u64(skb, ESPLANE_A_EVENT_BYTES, atomic64_read(&sa->usage.bytes)) ?:
	       put_u64(skb, ESPLANE_A_EVENT_PACKETS, atomic64_read(&sa->usage.packets));
}

void esplane_event_expire(struct esplane_sa *sa, u32 cause, bool hard)
{
	struct sk_buff *skb;
	void *header;

	rcu_read_lock();
	if (anyone_listens(sa->en)) {
		skb = event_new(ESPLANE_CMD_SA_EXPIRE, &header);
		event_send(sa->en, skb, header, skb ? fill_expire(skb, sa, cause, hard) : 0);
	}
	rcu_read_unlock();
}

static int fill_policy_expire(struct sk_buff *skb, const struct esplane_policy *policy)
{
	return nla_put_u32(skb, ESPLANE_A_EVENT_POLICY_ID, policy->id) ?:
	       nla_put_u32(skb, ESPLANE_A_EVENT_DIRECTION, policy->direction) ?:
	       put_u64(skb, ESPLANE_A_EVENT_COOKIE, policy->cookie) ?:
	       nla_put_u32(skb, ESPLANE_A_EVENT_IF_ID, policy->if_id) ?:
	       put_u64(skb, ESPLANE_A_EVENT_PACKETS, esplane_counter_sum(&policy->packets));
}

void esplane_event_policy_expire(struct esplane_net *en, const struct esplane_policy *policy)
{
	struct sk_buff *skb;
	void *header;

	rcu_read_lock();
	if (anyone_listens(en)) {
		skb = event_new(ESPLANE_CMD_POLICY_EXPIRE, &header);
		event_send(en, skb, header, skb ? fill_policy_expire(skb, policy) : 0);
	}
	rcu_read_unlock();
}

static int fill_acquire(struct sk_buff *skb, const struct esplane_policy *policy,
			const struct esplane_flow *flow)
{
	struct esplane_selector sel = {
		.family = flow->family,
		.protocol = flow->protocol,
		.src_first = flow->src, .src_last = flow->src,
		.dst_first = flow->dst, .dst_last = flow->dst,
		.sport_first = flow->ports ? flow->sport : 0,
		.sport_last = flow->ports ? flow->sport : U16_MAX,
		.dport_first = flow->ports ? flow->dport : 0,
		.dport_last = flow->ports ? flow->dport : U16_MAX,
	};

	return nla_put_u32(skb, ESPLANE_A_EVENT_POLICY_ID, policy->id) ?:
	       put_u64(skb, ESPLANE_A_EVENT_COOKIE, policy->cookie) ?:
	       esplane_nl_put_selector(skb, ESPLANE_A_EVENT_SELECTOR, &sel) ?:
	       nla_put_u32(skb, ESPLANE_A_EVENT_IF_ID, policy->if_id);
}

void esplane_event_acquire(struct esplane_net *en, struct esplane_policy *policy,
			   const struct esplane_flow *flow)
{
	struct sk_buff *skb;
	void *header;

	rcu_read_lock();
	if (anyone_listens(en) && due(&policy->acquire_next)) {
		skb = event_new(ESPLANE_CMD_ACQUIRE, &header);
		event_send(en, skb, header, skb ? fill_acquire(skb, policy, flow) : 0);
	}
	rcu_read_unlock();
}

static int fill_mapping(struct sk_buff *skb, const struct esplane_sa *sa,
			const struct esplane_addr *src, __be16 sport)
{
	const struct esplane_outer *outer = rcu_dereference(sa->outer);

	return nla_put_u32(skb, ESPLANE_A_EVENT_SA_ID, sa->id) ?:
	       nla_put_be32(skb, ESPLANE_A_EVENT_SPI, sa->spi) ?:
	       put_u64(skb, ESPLANE_A_EVENT_COOKIE, sa->cookie) ?:
	       esplane_nl_put_addr(skb, ESPLANE_A_EVENT_SRC, src->family, &src->ip) ?:
	       nla_put_u32(skb, ESPLANE_A_EVENT_SPORT, ntohs(sport)) ?:
	       esplane_nl_put_addr(skb, ESPLANE_A_EVENT_OLD_SRC, outer->src.family,
				   &outer->src.ip) ?:
	       nla_put_u32(skb, ESPLANE_A_EVENT_OLD_SPORT, ntohs(outer->sport));
}

void esplane_event_mapping(struct esplane_sa *sa, const struct esplane_addr *src, __be16 sport)
{
	struct sk_buff *skb;
	void *header;

	rcu_read_lock();
	if (anyone_listens(sa->en) && due(&sa->mapping_next)) {
		skb = event_new(ESPLANE_CMD_SA_MAPPING, &header);
		event_send(sa->en, skb, header, skb ? fill_mapping(skb, sa, src, sport) : 0);
	}
	rcu_read_unlock();
}
