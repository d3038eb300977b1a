// SPDX-License-Identifier: GPL-2.0
/*
 * Policy mode (RFC 4301 section 5): the SPD is asked about every packet.
 *
 *	outbound()	POST_ROUTING, behind SNAT: local and forwarded packets with their final
 *			addresses. PROTECT takes the packet to output.c. An ICMP error that no
 *			policy covers goes the way of what it is about (quote.c).
 *	inbound()	LOCAL_IN and FORWARD: cleartext that a policy wants protected, or discarded,
 *			stops here. encap.c has taken ESP of ours away before. What we decrypted has
 *			passed its SA's selectors, and stops only for a DISCARD policy.
 *
 * What passes unasked: what never leaves the host (loopback, or a VRF as such), what leaves by an
 * esplane interface (route mode's business), what a bridge only passes on, ESP that this host has
 * made (IPSKB_XFRM_TRANSFORMED, set by output.c and by xfrm), what xfrm has decrypted, the IKE
 * daemon's own sockets, and the neighbour discovery of a link, which ESP itself cannot do without.
 *
 * A packet taken here has passed conntrack's hooks but its confirmation (confirm.h); a NAT helper
 * that rewrites payload and sequence numbers does so in that last hook and is not supported.
 *
 * Locking: RCU read side from the hooks. Local senders come with BHs on, output.c wants them off.
 */
#include <linux/icmpv6.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/netdevice.h>
#include <linux/netfilter_bridge.h>
#include <linux/netfilter_ipv4.h>
#include <linux/skbuff.h>
#include <linux/udp.h>
#include <net/inet_sock.h>
#include <net/ip.h>
#include <net/ndisc.h>
#include <net/sock.h>
#include <net/xfrm.h>

#include "confirm.h"
#include "encap.h"
#include "flowtable.h"
#include "hold.h"
#include "net.h"
#include "netdev.h"
#include "output.h"
#include "policy.h"
#include "quote.h"
#include "sa.h"
#include "selector.h"
#include "spd.h"
#include "steer.h"

/* Behind encap.c's hook, ahead of conntrack's confirmation (for IPv6 one before the last). */
#define HOOK_PRIORITY (NF_IP_PRI_CONNTRACK_CONFIRM - 2)

static void count_policy(struct esplane_policy *policy, const struct sk_buff *skb)
{
	esplane_counter_add(&policy->packets, max_t(u64, skb_shinfo(skb)->gso_segs, 1));
}

/*
 * What leaves by a VRF as such stays here, or comes by again when it leaves by a member; what came
 * in by one as such (and not by a member, see esplane_steer_in()) has stayed here.
 */
static bool device_exempt(const struct net_device *dev)
{
	return dev && (dev->flags & IFF_LOOPBACK || netif_is_l3_master(dev) ||
		       esplane_netdev_is_ours(dev));
}

/*
 * br_netfilter has our hooks see frames on their way from port to port: unlike IP it leaves the
 * port in skb->dev. Its note in the packet is not enough: a tunnel's packet may have an old one.
 */
static bool is_bridged(const struct sk_buff *skb, const struct nf_hook_state *state)
{
#if IS_ENABLED(CONFIG_BRIDGE_NETFILTER)
	const struct net_device *dev = state->hook == NF_INET_POST_ROUTING ? state->out : state->in;

	return skb->dev && skb->dev != dev && nf_bridge_get_physoutdev(skb) == skb->dev;
#else
	return false;
#endif
}

static unsigned int drop(struct esplane_net *en, struct sk_buff *skb,
			 enum esplane_drop_reason reason)
{
	esplane_drop(en, NULL, skb, reason, 0, 0);
	return NF_STOLEN;
}

/* The control block's flags, by family. */
static bool is_transformed(const struct sk_buff *skb, u8 pf)
{
	if (IS_ENABLED(CONFIG_IPV6) && pf == NFPROTO_IPV6)
		return IP6CB(skb)->flags & IP6SKB_XFRM_TRANSFORMED;
	return IPCB(skb)->flags & IPSKB_XFRM_TRANSFORMED;
}

/* And not made here. IPv6 has a flag for it, but sets it for multicast only. */
static bool came_in(const struct sk_buff *skb)
{
	return skb->skb_iif;
}

const struct net_device *esplane_steer_in(const struct sk_buff *skb,
					  const struct nf_hook_state *state)
{
	if (likely(!state->in || !netif_is_l3_master(state->in)))
		return state->in;
	if (IS_ENABLED(CONFIG_IPV6) && state->pf == NFPROTO_IPV6)
		return dev_get_by_index_rcu(state->net, IP6CB(skb)->iif);
	return dev_get_by_index_rcu(state->net, IPCB(skb)->iif);
}

/* RFC 4861 sections 4 and 7: with a hop limit of 255 it has not passed, nor will pass, a router. */
static bool is_neighbour_discovery(const struct sk_buff *skb, const struct esplane_flow *flow)
{
	return flow->family == AF_INET6 && flow->protocol == IPPROTO_ICMPV6 && flow->ports &&
	       flow->sport >= NDISC_ROUTER_SOLICITATION && flow->sport <= NDISC_REDIRECT &&
	       ipv6_hdr(skb)->hop_limit == 255;
}

/* The socket, not the packet, tells IKE: SNAT may have changed the port. */
static bool sent_by_ike(const struct esplane_net *en, const struct sk_buff *skb)
{
	const struct sock *sk = skb_to_full_sk(skb);

	return sk && sk->sk_protocol == IPPROTO_UDP && !came_in(skb) &&
	       esplane_encap_port_exempt(en, htons(inet_sk(sk)->inet_num));
}

static unsigned int protect(struct esplane_net *en, struct esplane_policy *policy,
			    struct sk_buff *skb)
{
	struct esplane_sa *sa = rcu_dereference(policy->sa);

	if (esplane_confirm(skb) != NF_ACCEPT)
		return drop(en, skb, ESPLANE_DROP_CONNTRACK);
	if (!sa || esplane_sa_is_dead(sa)) {
		esplane_hold_packet(en, skb, 0);
		return NF_STOLEN;
	}
	local_bh_disable();
	esplane_output(en, sa, skb);
	local_bh_enable();
	return NF_STOLEN;
}

/* No SA is made for an error (RFC 4301 section 6.2), so it cannot wait for one. */
static unsigned int protect_error(struct esplane_net *en, struct esplane_policy *policy,
				  struct sk_buff *skb)
{
	struct esplane_sa *sa = rcu_dereference(policy->sa);

	if (!sa || esplane_sa_is_dead(sa))
		return drop(en, skb, ESPLANE_DROP_NO_OUT_SA);
	count_policy(policy, skb);
	return protect(en, policy, skb);
}

/* What we decrypted has been let in by its SA, and may go on to whom it is for. */
static unsigned int no_policy(struct esplane_net *en, struct sk_buff *skb, u8 direction,
			      const struct net_device *in)
{
	if (esplane_spd_default(en, direction) == ESPLANE_ACTION_BYPASS ||
	    (in && esplane_netdev_is_ours(in)))
		return NF_ACCEPT;
	return drop(en, skb, ESPLANE_DROP_NO_POLICY);
}

/* A VRF makes a packet of this host's own look as if it had come in by it. */
static const struct net_device *forwarded_from(const struct sk_buff *skb,
					       const struct nf_hook_state *state)
{
	return came_in(skb) ? esplane_steer_in(skb, state) : NULL;
}

static unsigned int outbound(void *priv, struct sk_buff *skb, const struct nf_hook_state *state)
{
	struct esplane_net *en = esplane_net(state->net);
	struct esplane_policy *policy;
	struct esplane_flow flow;

	if (!esplane_spd_active(en, ESPLANE_DIRECTION_OUT) ||
	    is_transformed(skb, state->pf) || device_exempt(state->out) ||
	    is_bridged(skb, state) || sent_by_ike(en, skb) ||
	    !esplane_flow_from_skb(skb, &flow) || is_neighbour_discovery(skb, &flow))
		return NF_ACCEPT;
	policy = esplane_spd_lookup(en, ESPLANE_DIRECTION_OUT, &flow, 0, skb->mark);
	if (!policy) {
		policy = esplane_quote_policy(en, skb, &flow, 0);
		return policy ? protect_error(en, policy, skb) :
				no_policy(en, skb, ESPLANE_DIRECTION_OUT,
					  forwarded_from(skb, state));
	}
	count_policy(policy, skb);
	switch (policy->action) {
	case ESPLANE_ACTION_PROTECT:
		return protect(en, policy, skb);
	case ESPLANE_ACTION_BYPASS:
		return NF_ACCEPT;
	default:
		return drop(en, skb, ESPLANE_DROP_DISCARD);
	}
}

static bool decrypted_by_xfrm(const struct sk_buff *skb)
{
#ifdef CONFIG_XFRM
	const struct sec_path *sp = skb_sec_path(skb);

	return sp && sp->len;
#else
	return false;
#endif
}

/* IKE to a registered port, and what other IPsec stacks here are about to decrypt. */
static bool inbound_exempt(const struct esplane_net *en, const struct sk_buff *skb,
			   const struct esplane_flow *flow, unsigned int hook)
{
	if (hook != NF_INET_LOCAL_IN)
		return false;
	switch (flow->protocol) {
	case IPPROTO_ESP:
	case IPPROTO_AH:
		return true;
	case IPPROTO_UDP:
		return flow->ports && esplane_encap_port_exempt(en, htons(flow->dport));
	default:
		return false;
	}
}

/* The policies of @in are those of where it was made, wherever it has been moved to. */
static unsigned int decrypted(struct sk_buff *skb, const struct net_device *in)
{
	struct esplane_net *en = esplane_netdev_home(in);
	struct esplane_policy *policy;
	struct esplane_flow flow;

	if (!esplane_spd_discards(en) || !esplane_flow_from_skb(skb, &flow))
		return NF_ACCEPT;
	policy = esplane_spd_lookup(en, ESPLANE_DIRECTION_IN, &flow,
				    esplane_netdev_if_id(in), skb->mark);
	if (!policy || policy->action != ESPLANE_ACTION_DISCARD)
		return NF_ACCEPT;
	count_policy(policy, skb);
	return drop(en, skb, ESPLANE_DROP_DISCARD);
}

static unsigned int inbound(void *priv, struct sk_buff *skb, const struct nf_hook_state *state)
{
	const struct net_device *in = esplane_steer_in(skb, state);
	struct esplane_net *en = esplane_net(state->net);
	struct esplane_policy *policy;
	struct esplane_flow flow;

	if (in && esplane_netdev_is_ours(in))
		return decrypted(skb, in);
	if (!esplane_spd_active(en, ESPLANE_DIRECTION_IN) || device_exempt(in) ||
	    is_bridged(skb, state) || decrypted_by_xfrm(skb) ||
	    !esplane_flow_from_skb(skb, &flow) ||
	    inbound_exempt(en, skb, &flow, state->hook) || is_neighbour_discovery(skb, &flow))
		return NF_ACCEPT;
	policy = esplane_spd_lookup(en, ESPLANE_DIRECTION_IN, &flow, 0, skb->mark);
	if (!policy)
		return no_policy(en, skb, ESPLANE_DIRECTION_IN, NULL);
	count_policy(policy, skb);
	switch (policy->action) {
	case ESPLANE_ACTION_PROTECT:
		return drop(en, skb, ESPLANE_DROP_POLICY_IN);
	case ESPLANE_ACTION_BYPASS:
		return NF_ACCEPT;
	default:
		return drop(en, skb, ESPLANE_DROP_DISCARD);
	}
}

#define HOOKS(family)						\
	{							\
		.hook = outbound,				\
		.pf = family,					\
		.hooknum = NF_INET_POST_ROUTING,		\
		.priority = HOOK_PRIORITY,			\
	},							\
	{							\
		.hook = inbound,				\
		.pf = family,					\
		.hooknum = NF_INET_LOCAL_IN,			\
		.priority = HOOK_PRIORITY,			\
	},							\
	{							\
		.hook = inbound,				\
		.pf = family,					\
		.hooknum = NF_INET_FORWARD,			\
		.priority = HOOK_PRIORITY,			\
	},							\
	{							\
		.hook = esplane_flowtable_guard,		\
		.pf = family,					\
		.hooknum = NF_INET_FORWARD,			\
		.priority = NF_IP_PRI_FIRST,			\
	}

static const struct nf_hook_ops hooks[] = {
	HOOKS(NFPROTO_IPV4),
#if IS_ENABLED(CONFIG_IPV6)
	HOOKS(NFPROTO_IPV6),
#endif
};

int esplane_steer_init(struct esplane_net *en)
{
	return nf_register_net_hooks(en->net, hooks, ARRAY_SIZE(hooks));
}

void esplane_steer_exit(struct esplane_net *en)
{
	nf_unregister_net_hooks(en->net, hooks, ARRAY_SIZE(hooks));
}
