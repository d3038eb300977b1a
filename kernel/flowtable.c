// SPDX-License-Identifier: GPL-2.0
/*
 * Netfilter's flow tables ("flow add @ft") take an established flow's packets from device to
 * device, past FORWARD and POST_ROUTING, and so past steer.c: what a policy protects would go out
 * in the clear. They know xfrm's routes, but nothing of us.
 *
 *	esplane_flowtable_guard()	FORWARD, ahead of every rule: a flow that a policy decides
 *					on, whichever way, is made one that no table takes
 *	esplane_flowtable_purge()	policies have changed: the tables are emptied, their flows
 *					come by FORWARD again
 *
 * IPS_NAT_CLASH is a mark that nft_flow_offload asks for and that keeps a connection out for good.
 * It does nothing else to one that is in conntrack's table, but that UDP's never becomes ASSURED:
 * when the table is full it may be forgotten early.
 *
 * The guard looks at both directions of a flow with the addresses that steer.c's hooks will see,
 * on the devices that the table would use: where this packet comes from and where it goes.
 *
 * Locking: RCU read side from the hook, together with the rule that adds the flow. Thus after
 * a grace period all flows are in the tables that were let in by policies of before.
 */
#include <linux/module.h>
#include <linux/netdevice.h>
#include <linux/netfilter.h>
#include <linux/rtnetlink.h>
#include <net/netfilter/nf_conntrack.h>
#include <net/netfilter/nf_flow_table.h>

#include "flowtable.h"
#include "net.h"
#include "netdev.h"
#include "policy.h"
#include "selector.h"
#include "spd.h"
#include "steer.h"

/* Flow tables work by ingress hooks of devices: without any there is no flow to keep out. */
static bool tables_possible(void)
{
#ifdef CONFIG_JUMP_LABEL
	return static_key_false(&nf_hooks_needed[NFPROTO_NETDEV][NF_NETDEV_INGRESS]);
#else
	return true;
#endif
}

#if IS_ENABLED(CONFIG_NF_CONNTRACK)

/* Tables refuse all others. */
static bool may_enter_table(const struct nf_conn *ct)
{
	if (!nf_ct_is_confirmed(ct) || test_bit(IPS_NAT_CLASH_BIT, &ct->status))
		return false;
	switch (nf_ct_protonum(ct)) {
	case IPPROTO_TCP:
	case IPPROTO_UDP:
	case IPPROTO_GRE:	/* only without a key: the tuple's ports are 0, as the selector's */
		return true;
	default:
		return false;
	}
}

/*
 * Packets of direction @dir: at FORWARD, where they have been DNATed, and at POST_ROUTING, where
 * they have been SNATed too.
 */
static struct esplane_flow flow_of(const struct nf_conn *ct, unsigned int dir, u8 policies)
{
	const struct nf_conntrack_tuple *from = &ct->tuplehash[dir].tuple;
	const struct nf_conntrack_tuple *back = &ct->tuplehash[!dir].tuple;
	bool out = policies == ESPLANE_DIRECTION_OUT;

	return (struct esplane_flow){
		.family = from->src.l3num,
		.protocol = from->dst.protonum,
		.ports = true,
		.src = out ? back->dst.u3 : from->src.u3,
		.sport = ntohs(out ? back->dst.u.all : from->src.u.all),
		.dst = back->src.u3,
		.dport = ntohs(back->src.u.all),
	};
}

/* As inbound() of steer.c, without effect. @in: where packets of @dir come from, or NULL. */
static bool passes_in(const struct esplane_net *en, const struct nf_conn *ct, unsigned int dir,
		      const struct net_device *in, u32 mark)
{
	struct esplane_flow flow = flow_of(ct, dir, ESPLANE_DIRECTION_IN);
	const struct esplane_policy *policy;

	if (in && esplane_netdev_is_ours(in)) {
		en = esplane_netdev_home(in);
		if (!esplane_spd_discards(en))
			return true;
		policy = esplane_spd_lookup(en, ESPLANE_DIRECTION_IN, &flow,
					    esplane_netdev_if_id(in), mark);
		return !policy || policy->action != ESPLANE_ACTION_DISCARD;
	}
	if (!esplane_spd_active(en, ESPLANE_DIRECTION_IN))
		return true;
	policy = esplane_spd_lookup(en, ESPLANE_DIRECTION_IN, &flow, 0, mark);
	return (policy ? policy->action : esplane_spd_default(en, ESPLANE_DIRECTION_IN)) ==
	       ESPLANE_ACTION_BYPASS;
}

/*
 * The same of outbound(). What leaves by an interface of route mode meets its policies there. The
 * default one is where policy mode's packets come from, not where their answers go.
 */
static bool passes_out(const struct esplane_net *en, const struct nf_conn *ct, unsigned int dir,
		       const struct net_device *out, u32 mark)
{
	struct esplane_flow flow = flow_of(ct, dir, ESPLANE_DIRECTION_OUT);
	const struct esplane_policy *policy;

	if (!esplane_spd_active(en, ESPLANE_DIRECTION_OUT) ||
	    (esplane_netdev_is_ours(out) && esplane_netdev_if_id(out)))
		return true;
	policy = esplane_spd_lookup(en, ESPLANE_DIRECTION_OUT, &flow, 0, mark);
	return (policy ? policy->action : esplane_spd_default(en, ESPLANE_DIRECTION_OUT)) ==
	       ESPLANE_ACTION_BYPASS;
}

/* A mark is a packet's, not a flow's: policies that ask for it have to see every packet. */
static bool passes(const struct esplane_net *en, const struct nf_conn *ct, unsigned int dir,
		   const struct nf_hook_state *state, const struct sk_buff *skb)
{
	u32 mark = skb->mark;

	return !esplane_spd_asks_for_mark(en) &&
	       passes_out(en, ct, dir, state->out, mark) &&
	       passes_out(en, ct, !dir, state->in, mark) &&
	       passes_in(en, ct, dir, esplane_steer_in(skb, state), mark) &&
	       passes_in(en, ct, !dir, state->out, mark);
}

unsigned int esplane_flowtable_guard(void *priv, struct sk_buff *skb,
				     const struct nf_hook_state *state)
{
	enum ip_conntrack_info info;
	struct nf_conn *ct;

	if (!tables_possible())
		return NF_ACCEPT;
	ct = nf_ct_get(skb, &info);
	if (ct && may_enter_table(ct) &&
	    !passes(esplane_net(state->net), ct, CTINFO2DIR(info), state, skb))
		set_bit(IPS_NAT_CLASH_BIT, &ct->status);
	return NF_ACCEPT;
}

#else

unsigned int esplane_flowtable_guard(void *priv, struct sk_buff *skb,
				     const struct nf_hook_state *state)
{
	return NF_ACCEPT;
}

#endif

#if IS_ENABLED(CONFIG_NF_FLOW_TABLE)

/* To need the module would be to load it everywhere: without it there are no tables. */
static void empty_tables(struct net *net)
{
	void (*cleanup)(struct net_device *dev) = symbol_get(nf_flow_table_cleanup);
	struct net_device *dev;

	ASSERT_RTNL();
	if (!cleanup)
		return;
	synchronize_net();	/* flows let in by the old policies are in the tables */
	for_each_netdev(net, dev)
		cleanup(dev);
	symbol_put(nf_flow_table_cleanup);
}

#else

static void empty_tables(struct net *net)
{
}

#endif

void esplane_flowtable_purge(struct esplane_net *en)
{
	if (!tables_possible())
		return;
	rtnl_lock();	/* who finds nothing to do has waited for who does it */
	if (esplane_spd_changed_for_flows(en))
		empty_tables(en->net);
	rtnl_unlock();
}
