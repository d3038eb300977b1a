// SPDX-License-Identifier: GPL-2.0
/*
 * The esplane interface.
 *
 * Route mode: what is routed into an interface is protected by the outbound policies of its ID, or
 * refused. In both modes decrypted packets come in on an interface, so that cleartext can be seen
 * and filtered; policy mode uses the default one, made when it is first needed.
 *
 * An interface may be moved to another namespace. SAs, policies, counters and outer packets stay
 * in the one it was made in (link->en); only cleartext is where the interface is. So a container
 * can have a tunnel as its only way out, and neither the keys nor a way around. It ends with
 * either namespace. The default interface is not to be moved: policy mode's plaintext belongs
 * here.
 *
 * The MTU follows the outbound SAs until somebody sets another: the least that any of them leaves
 * of its route's MTU, looked at when a policy gets an SA, or an SA other addresses. A path that
 * turns out to be narrower does not change it; pmtu.c tells senders.
 *
 * Locking: en->interfaces is an RCU list, changed under rtnl; en->default_dev likewise. An
 * interface leaves both in ndo_uninit; the core waits for readers before it frees the device.
 */
#include <linux/etherdevice.h>
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/if_arp.h>
#include <linux/inetdevice.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/netdevice.h>
#include <linux/rculist.h>
#include <linux/rtnetlink.h>
#include <net/addrconf.h>
#include <net/gro_cells.h>
#include <net/icmp.h>
#include <net/ip.h>
#include <net/ip_tunnels.h>
#include <net/rtnetlink.h>
#include <net/sch_generic.h>
#include <net/xfrm.h>
#include <uapi/linux/esplane_link.h>

#include "compat.h"
#include "hold.h"
#include "net.h"
#include "netdev.h"
#include "output.h"
#include "policy.h"
#include "quote.h"
#include "sa.h"
#include "sad.h"
#include "selector.h"
#include "spd.h"

#define LINK_KIND "esplane"
#define DEFAULT_NAME "esplane0"

enum {
	DEFAULT_MTU = 1400,
	MIN_MTU = 576,			/* RFC 791: what every host takes */
	MAX_MTU = 65535 - 100,		/* one IPv4 packet with all that ESP adds */
};

struct esplane_link {
	struct net_device *dev;
	struct list_head list;
	struct esplane_net *en;
	struct gro_cells cells;
	u32 if_id;
	u32 default_action;		/* enum esplane_link_action */
	bool mtu_fixed;			/* by who administers; under rtnl */
	bool mtu_ours;			/* the change under way is ours; under rtnl */
};

static const struct net_device_ops link_ops;
static struct rtnl_link_ops rtnl_ops;

bool esplane_netdev_is_ours(const struct net_device *dev)
{
	return dev->netdev_ops == &link_ops;
}

struct esplane_net *esplane_netdev_home(const struct net_device *dev)
{
	const struct esplane_link *link = netdev_priv(dev);

	return link->en;
}

u32 esplane_netdev_if_id(const struct net_device *dev)
{
	const struct esplane_link *link = netdev_priv(dev);

	return link->if_id;
}

struct net_device *esplane_netdev_find(const struct esplane_net *en, u32 if_id)
{
	const struct esplane_link *link;

	if (!if_id)
		return rcu_dereference(en->default_dev);
	list_for_each_entry_rcu(link, &en->interfaces, list)
		if (link->if_id == if_id)
			return link->dev;
	return NULL;
}

static void discard(struct esplane_net *en, struct sk_buff *skb, enum esplane_drop_reason reason)
{
	DEV_STATS_INC(skb->dev, tx_errors);
	esplane_drop(en, NULL, skb, reason, 0, 0);
}

static void refuse(struct esplane_net *en, struct sk_buff *skb, enum esplane_drop_reason reason)
{
	if (skb->protocol == htons(ETH_P_IP))
		icmp_ndo_send(skb, ICMP_DEST_UNREACH, ICMP_HOST_UNREACH, 0);
	else if (skb->protocol == htons(ETH_P_IPV6))
		icmpv6_ndo_send(skb, ICMPV6_DEST_UNREACH, ICMPV6_ADDR_UNREACH, 0);
	discard(en, skb, reason);
}

static void count_sent(struct net_device *dev, const struct sk_buff *skb)
{
	struct pcpu_sw_netstats *stats = this_cpu_ptr(dev->tstats);

	u64_stats_update_begin(&stats->syncp);
	u64_stats_add(&stats->tx_packets, skb_shinfo(skb)->gso_segs ?: 1);
	u64_stats_add(&stats->tx_bytes, skb->len);
	u64_stats_update_end(&stats->syncp);
}

static void protect(struct esplane_link *link, struct esplane_policy *policy, struct sk_buff *skb)
{
	struct esplane_sa *sa = rcu_dereference(policy->sa);

	count_sent(link->dev, skb);
	if (sa && !esplane_sa_is_dead(sa))
		esplane_output(link->en, sa, skb);
	else
		esplane_hold_packet(link->en, skb, link->if_id);
}

/* RFC 4301 section 6.2; no SA is made for an error, so it cannot wait for one. */
static bool protect_error(struct esplane_link *link, const struct esplane_flow *flow,
			  struct sk_buff *skb)
{
	struct esplane_policy *policy = esplane_quote_policy(link->en, skb, flow, link->if_id);
	struct esplane_sa *sa;

	if (!policy)
		return false;
	sa = rcu_dereference(policy->sa);
	if (!sa || esplane_sa_is_dead(sa)) {
		discard(link->en, skb, ESPLANE_DROP_NO_OUT_SA);
		return true;
	}
	esplane_counter_add(&policy->packets, 1);
	protect(link, policy, skb);
	return true;
}

static void decide(struct esplane_link *link, struct sk_buff *skb)
{
	struct esplane_policy *policy;
	struct esplane_flow flow;

	if (!esplane_flow_from_skb(skb, &flow)) {
		refuse(link->en, skb, ESPLANE_DROP_FAMILY);
		return;
	}
	policy = esplane_spd_lookup(link->en, ESPLANE_DIRECTION_OUT, &flow, link->if_id,
				    skb->mark);
	if (!policy) {
		if (protect_error(link, &flow, skb))
			return;
		if (READ_ONCE(link->default_action) == ESPLANE_LINK_DISCARD)
			discard(link->en, skb, ESPLANE_DROP_NO_POLICY);
		else
			refuse(link->en, skb, ESPLANE_DROP_NO_POLICY);
		return;
	}
	esplane_counter_add(&policy->packets, skb_shinfo(skb)->gso_segs ?: 1);
	if (policy->action == ESPLANE_ACTION_PROTECT)
		protect(link, policy, skb);
	else	/* an interface that only protects has no way to let a packet go by */
		refuse(link->en, skb, ESPLANE_DROP_DISCARD);
}

/* Has somebody put a queue in front? There is none by default. */
static bool queues(struct net_device *dev)
{
	return unlikely(rcu_dereference_bh(netdev_get_tx_queue(dev, 0)->qdisc)->enqueue);
}

static netdev_tx_t link_xmit(struct sk_buff *skb, struct net_device *dev)
{
	struct esplane_link *link = netdev_priv(dev);

	if (queues(dev))	/* and a queue writes over what IP left in it */
		memset(skb->cb, 0, sizeof(skb->cb));
	rcu_read_lock();
	if ((skb->protocol == htons(ETH_P_IP) || skb->protocol == htons(ETH_P_IPV6)) &&
	    pskb_inet_may_pull(skb))
		decide(link, skb);
	else
		esplane_drop(link->en, NULL, skb, ESPLANE_DROP_FAMILY, 0, 0);
	rcu_read_unlock();
	return NETDEV_TX_OK;
}

/*
 * Strict rp_filter asks whether the route back leads to where a packet came from. A policy's
 * packets go back by another interface, so they carry a security path: the mark by which IPsec
 * traffic passes that check. An empty one will not do, xfrm looks at the last state of any; so
 * there stands one that says nothing but "transport mode", of which xfrm's policies demand nothing.
 */
static void mark_as_secure(struct net_device *dev, struct sk_buff *skb)
{
#ifdef CONFIG_XFRM
	struct in_device *in_dev = __in_dev_get_rcu(dev);
	struct esplane_link *link = netdev_priv(dev);
	struct sec_path *path;

	if (!in_dev || !IN_DEV_RPFILTER(in_dev))
		return;
	path = secpath_set(skb);
	if (!path)	/* no memory: rp_filter may drop it */
		return;
	xfrm_state_hold(link->en->secure);
	path->xvec[path->len++] = link->en->secure;
#endif
}

static int secure_init(struct esplane_net *en)
{
#ifdef CONFIG_XFRM
	en->secure = xfrm_state_alloc(en->net);
	if (!en->secure)
		return -ENOMEM;
	en->secure->props.mode = XFRM_MODE_TRANSPORT;
#endif
	return 0;
}

/* Packets that sit in sockets' queues may have references still. */
static void secure_exit(struct esplane_net *en)
{
#ifdef CONFIG_XFRM
	en->secure->km.state = XFRM_STATE_DEAD;
	xfrm_state_put(en->secure);
#endif
}

static void count_received(struct net_device *dev, unsigned int packets, unsigned int bytes)
{
	struct pcpu_sw_netstats *stats = this_cpu_ptr(dev->tstats);

	u64_stats_update_begin(&stats->syncp);
	u64_stats_add(&stats->rx_packets, packets);
	u64_stats_add(&stats->rx_bytes, bytes);
	u64_stats_update_end(&stats->syncp);
}

static bool to_stack(struct esplane_link *link, struct sk_buff *skb, struct napi_struct *napi)
{
	if (!napi)
		return gro_cells_receive(&link->cells, skb) != NET_RX_DROP;
	if (netif_elide_gro(link->dev))
		netif_receive_skb(skb);
	else
		napi_gro_receive(napi, skb);
	return true;
}

bool esplane_netdev_receive(struct net_device *dev, struct sk_buff *skb, unsigned int packets,
			    struct napi_struct *napi)
{
	struct esplane_link *link = netdev_priv(dev);
	unsigned int bytes = skb->len;

	skb->dev = dev;
	skb_reset_mac_header(skb);
	if (ip_hdr(skb)->version == 6) {
		skb->protocol = htons(ETH_P_IPV6);
	} else {
		skb->protocol = htons(ETH_P_IP);
		mark_as_secure(dev, skb);	/* IPv6 has no such check */
	}
	if (!to_stack(link, skb, napi))
		return false;
	count_received(dev, packets, bytes);
	return true;
}

static int link_init(struct net_device *dev)
{
	struct esplane_link *link = netdev_priv(dev);
	int err;

	dev->tstats = netdev_alloc_pcpu_stats(struct pcpu_sw_netstats);
	if (!dev->tstats)
		return -ENOMEM;
	err = gro_cells_init(&link->cells, dev);
	if (err) {
		free_percpu(dev->tstats);
		return err;
	}
	list_add_tail_rcu(&link->list, &link->en->interfaces);
	return 0;
}

/* There is no link, so no use for a link-local address and for what the stack would send by it. */
static int link_open(struct net_device *dev)
{
	struct inet6_dev *in6_dev = IS_ENABLED(CONFIG_IPV6) ? __in6_dev_get(dev) : NULL;

	if (in6_dev)
		in6_dev->cnf.addr_gen_mode = IN6_ADDR_GEN_MODE_NONE;
	return 0;
}

/* The core has waited for readers of the device's state, but not of the lists. */
static void link_uninit(struct net_device *dev)
{
	struct esplane_link *link = netdev_priv(dev);

	list_del_rcu(&link->list);
	if (rcu_access_pointer(link->en->default_dev) == dev)
		RCU_INIT_POINTER(link->en->default_dev, NULL);
	synchronize_net();
	gro_cells_destroy(&link->cells);
	free_percpu(dev->tstats);
}

static int link_change_mtu(struct net_device *dev, int mtu)
{
	struct esplane_link *link = netdev_priv(dev);

	link->mtu_fixed = !link->mtu_ours;
	WRITE_ONCE(dev->mtu, mtu);
	return 0;
}

static const struct net_device_ops link_ops = {
	.ndo_init = link_init,
	.ndo_uninit = link_uninit,
	.ndo_open = link_open,
	.ndo_start_xmit = link_xmit,
	.ndo_change_mtu = link_change_mtu,
	.ndo_get_stats64 = dev_get_tstats64,
};

static const struct device_type link_type = { .name = LINK_KIND };

static void link_setup(struct net_device *dev)
{
	const netdev_features_t features = NETIF_F_SG | NETIF_F_FRAGLIST | NETIF_F_HW_CSUM |
					   NETIF_F_GSO_SOFTWARE | NETIF_F_HIGHDMA | NETIF_F_RXCSUM;

	dev->netdev_ops = &link_ops;
	dev->rtnl_link_ops = &rtnl_ops;
	dev->needs_free_netdev = true;
	dev->type = ARPHRD_NONE;
	dev->flags = IFF_POINTOPOINT | IFF_NOARP;
	dev->priv_flags |= IFF_NO_QUEUE;
	dev->mtu = DEFAULT_MTU;
	dev->min_mtu = MIN_MTU;
	dev->max_mtu = MAX_MTU;
	dev->features |= features;
	dev->hw_features |= features;
	dev->hw_enc_features |= features;
	esplane_compat_netdev_lockless(dev);
	netif_keep_dst(dev);		/* pmtu.c tells its route */
	SET_NETDEV_DEVTYPE(dev, &link_type);
}

static struct esplane_link *find_link(const struct esplane_net *en, u32 if_id)
{
	struct esplane_link *link;

	ASSERT_RTNL();
	list_for_each_entry(link, &en->interfaces, list)
		if (link->if_id == if_id)
			return link;
	return NULL;
}

/* The least that an SA in use by the policies of @if_id leaves; U32_MAX if there is none. */
static u32 least_mtu(struct esplane_net *en, u32 if_id)
{
	struct esplane_policy *policy;
	struct esplane_sa *sa;
	u32 least = U32_MAX;
	unsigned long id;

	lockdep_assert_held(&en->lock);
	xa_for_each(&en->spd.by_id, id, policy) {
		sa = rcu_dereference_protected(policy->sa, lockdep_is_held(&en->lock));
		if (sa && policy->if_id == if_id)
			least = min(least, esplane_output_mtu(sa) ?: U32_MAX);
	}
	return least;
}

static void fit_mtu(struct esplane_link *link)
{
	u32 mtu;

	ASSERT_RTNL();
	mutex_lock(&link->en->lock);
	mtu = least_mtu(link->en, link->if_id);
	mutex_unlock(&link->en->lock);
	if (mtu == U32_MAX || link->mtu_fixed)
		return;
	mtu = clamp_t(u32, mtu, MIN_MTU, MAX_MTU);
	link->mtu_ours = true;
	if (mtu != link->dev->mtu)
		dev_set_mtu(link->dev, mtu);
	link->mtu_ours = false;
}

/* Most SAs change nothing: rtnl and a look at all of them are for the others. */
static bool changes_mtu(struct esplane_net *en, u32 sa_id, u32 *if_id)
{
	struct net_device *dev = NULL;
	struct esplane_sa *sa;
	bool changes;

	mutex_lock(&en->lock);
	sa = esplane_sad_lookup_id(en, sa_id);
	rcu_read_lock();
	if (sa && sa->if_id && sa->direction == ESPLANE_DIRECTION_OUT)
		dev = esplane_netdev_find(en, sa->if_id);
	changes = dev && READ_ONCE(dev->mtu) != esplane_output_mtu(sa);
	rcu_read_unlock();
	if (changes)
		*if_id = sa->if_id;
	mutex_unlock(&en->lock);
	return changes;
}

void esplane_netdev_fit_mtu(struct esplane_net *en, u32 sa_id)
{
	struct esplane_link *link;
	u32 if_id;

	if (!changes_mtu(en, sa_id, &if_id))
		return;
	rtnl_lock();
	link = find_link(en, if_id);
	if (link)
		fit_mtu(link);
	rtnl_unlock();
}

/*
 * @if_id is 0 for the interface index, or if that is taken, the next ID that is not. An index
 * exists only after registration, and until then the device is down and carries nothing.
 */
static int register_link(struct net_device *dev, struct esplane_net *en, u32 if_id,
			 bool is_default)
{
	struct esplane_link *link = netdev_priv(dev);
	int err;

	link->dev = dev;
	link->en = en;
	link->if_id = if_id;
	err = register_netdevice(dev);
	if (err || if_id || is_default)
		return err;
	for (if_id = dev->ifindex; find_link(en, if_id); if_id++)
		;
	WRITE_ONCE(link->if_id, if_id);
	return 0;
}

static u32 default_action(struct nlattr *data[], u32 otherwise)
{
	if (!data || !data[IFLA_ESPLANE_DEFAULT_ACTION])
		return otherwise;
	return nla_get_u32(data[IFLA_ESPLANE_DEFAULT_ACTION]);
}

static int new_link(struct net *net, struct net_device *dev, struct nlattr *data[],
		    struct netlink_ext_ack *extack)
{
	struct esplane_link *link = netdev_priv(dev);
	struct esplane_net *en = esplane_net(net);
	u32 if_id = 0;
	int err;

	if (data && data[IFLA_ESPLANE_IF_ID])
		if_id = nla_get_u32(data[IFLA_ESPLANE_IF_ID]);
	if (if_id && find_link(en, if_id)) {
		NL_SET_ERR_MSG(extack, "an esplane interface with this if_id exists");
		return -EEXIST;
	}
	link->default_action = default_action(data, ESPLANE_LINK_REJECT);
	link->mtu_fixed = dev->mtu != DEFAULT_MTU;
	err = register_link(dev, en, if_id, false);
	if (!err)
		fit_mtu(link);
	return err;
}

ESPLANE_COMPAT_NEWLINK(link_newlink, new_link)

static int link_changelink(struct net_device *dev, struct nlattr *tb[], struct nlattr *data[],
			   struct netlink_ext_ack *extack)
{
	struct esplane_link *link = netdev_priv(dev);

	if (data && data[IFLA_ESPLANE_IF_ID] &&
	    nla_get_u32(data[IFLA_ESPLANE_IF_ID]) != link->if_id) {
		NL_SET_ERR_MSG(extack, "the if_id of an esplane interface cannot be changed");
		return -EINVAL;
	}
	WRITE_ONCE(link->default_action, default_action(data, link->default_action));
	return 0;
}

static size_t link_size(const struct net_device *dev)
{
	return 2 * nla_total_size(sizeof(u32));
}

static int link_fill(struct sk_buff *skb, const struct net_device *dev)
{
	const struct esplane_link *link = netdev_priv(dev);

	return nla_put_u32(skb, IFLA_ESPLANE_IF_ID, link->if_id) ?:
	       nla_put_u32(skb, IFLA_ESPLANE_DEFAULT_ACTION, READ_ONCE(link->default_action));
}

static struct net *link_net(const struct net_device *dev)
{
	const struct esplane_link *link = netdev_priv(dev);

	return link->en->net;
}

static const struct nla_policy link_policy[IFLA_ESPLANE_MAX + 1] = {
	[IFLA_ESPLANE_IF_ID] = NLA_POLICY_MIN(NLA_U32, 1),
	[IFLA_ESPLANE_DEFAULT_ACTION] =
		NLA_POLICY_RANGE(NLA_U32, ESPLANE_LINK_REJECT, ESPLANE_LINK_ACTION_MAX),
};

static struct rtnl_link_ops rtnl_ops __read_mostly = {
	.kind = LINK_KIND,
	.priv_size = sizeof(struct esplane_link),
	.setup = link_setup,
	.newlink = link_newlink,
	.changelink = link_changelink,
	.policy = link_policy,
	.maxtype = IFLA_ESPLANE_MAX,
	.get_size = link_size,
	.fill_info = link_fill,
	.get_link_net = link_net,
};

static const char *default_name(struct net *net)
{
	return __dev_get_by_name(net, DEFAULT_NAME) ? "esplane%d" : DEFAULT_NAME;
}

static int make_default(struct esplane_net *en)
{
	struct net_device *dev;
	int err;

	if (atomic_read(&en->dying))
		return -ENODEV;
	dev = alloc_netdev(sizeof(struct esplane_link), default_name(en->net), NET_NAME_ENUM,
			   link_setup);
	if (!dev)
		return -ENOMEM;
	dev_net_set(dev, en->net);
	esplane_compat_netdev_stays(dev);
	((struct esplane_link *)netdev_priv(dev))->default_action = ESPLANE_LINK_REJECT;
	err = register_link(dev, en, 0, true);
	if (err) {
		free_netdev(dev);
		return err;
	}
	rcu_assign_pointer(en->default_dev, dev);
	return 0;
}

int esplane_netdev_default(struct esplane_net *en)
{
	struct net_device *dev;
	int err = 0;

	rtnl_lock();
	if (!rtnl_dereference(en->default_dev))
		err = make_default(en);
	dev = rtnl_dereference(en->default_dev);
	if (!err)
		err = dev_open(dev, NULL);
	rtnl_unlock();
	return err;
}

int esplane_netdev_init(struct esplane_net *en)
{
	INIT_LIST_HEAD(&en->interfaces);
	RCU_INIT_POINTER(en->default_dev, NULL);
	return secure_init(en);
}

void esplane_netdev_exit(struct esplane_net *en)
{
	struct esplane_link *link;
	LIST_HEAD(victims);

	rtnl_lock();
	list_for_each_entry(link, &en->interfaces, list)
		unregister_netdevice_queue(link->dev, &victims);
	unregister_netdevice_many(&victims);
	rtnl_unlock();
	secure_exit(en);
}

int esplane_netdev_register(void)
{
	return rtnl_link_register(&rtnl_ops);
}

void esplane_netdev_unregister(void)
{
	rtnl_link_unregister(&rtnl_ops);
}
