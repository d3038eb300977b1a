/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Every difference between kernel versions, here and nowhere else. ESPLANE_HAVE_* come from compile
 * tests at build time (Kbuild), never from version numbers: stable and vendor kernels move
 * features.
 */
#ifndef _ESPLANE_COMPAT_H
#define _ESPLANE_COMPAT_H

#include <linux/crypto.h>
#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <linux/slab.h>
#include <linux/timer.h>
#include <linux/workqueue.h>
#include <net/netlink.h>

#ifdef ESPLANE_HAVE_NET_GSO_H		/* 6.5; before in netdevice.h */
#include <net/gso.h>
#endif

#ifdef ESPLANE_HAVE_IPV6_STUBS		/* until 7.1: ip6_fragment() is reached by a table */
#include <net/ipv6_stubs.h>
#else
#include <net/ip6_route.h>
#endif

#ifdef ESPLANE_HAVE_LINUX_UNALIGNED_H	/* 6.12 */
#include <linux/unaligned.h>
#else
#include <asm/unaligned.h>
#endif

/* 6.3: a crypto completion gets its data, not the request. Defines @name to call @fn(data, err). */
#ifdef ESPLANE_HAVE_CRYPTO_COMPLETION_DATA
#define ESPLANE_CRYPTO_COMPLETION(name, fn)					\
	static void name(void *data, int err)					\
	{									\
		fn(data, err);							\
	}
#else
#define ESPLANE_CRYPTO_COMPLETION(name, fn)					\
	static void name(struct crypto_async_request *base, int err)		\
	{									\
		fn(base->data, err);						\
	}
#endif

/* A device without transmit lock (6.12: no feature bit any more) ... */
static inline void esplane_compat_netdev_lockless(struct net_device *dev)
{
#ifdef ESPLANE_HAVE_NETDEV_LLTX
	dev->lltx = true;
#else
	dev->features |= NETIF_F_LLTX;
#endif
}

/*
 * ... and one that stays in its namespace (a feature bit, since 6.13 netns_local, since 6.15
 * netns_immutable).
 */
static inline void esplane_compat_netdev_stays(struct net_device *dev)
{
#if defined(ESPLANE_HAVE_NETDEV_NETNS_IMMUTABLE)
	dev->netns_immutable = true;
#elif defined(ESPLANE_HAVE_NETDEV_NETNS_LOCAL)
	dev->netns_local = true;
#else
	dev->features |= NETIF_F_NETNS_LOCAL;
#endif
}

/*
 * 6.15: newlink gets its arguments in a struct. Defines @name to call @fn(net, dev, data,
 * extack); @net is the namespace of who asks, or the one that he names as the link's.
 */
#ifdef ESPLANE_HAVE_RTNL_NEWLINK_PARAMS
#define ESPLANE_COMPAT_NEWLINK(name, fn)					\
	static int name(struct net_device *dev, struct rtnl_newlink_params *params, \
			struct netlink_ext_ack *extack)				\
	{									\
		return fn(rtnl_newlink_link_net(params), dev, params->data, extack); \
	}
#else
#define ESPLANE_COMPAT_NEWLINK(name, fn)					\
	static int name(struct net *net, struct net_device *dev, struct nlattr *tb[], \
			struct nlattr *data[], struct netlink_ext_ack *extack)	\
	{									\
		return fn(net, dev, data, extack);				\
	}
#endif

/* Consumes @skb; fragments go to @output. */
static inline int esplane_compat_ip6_fragment(struct net *net, struct sock *sk,
					      struct sk_buff *skb,
					      int (*output)(struct net *net, struct sock *sk,
							    struct sk_buff *skb))
{
#if defined(ESPLANE_HAVE_IPV6_STUBS)
	return ipv6_stub->ipv6_fragment(net, sk, skb, output);
#elif IS_ENABLED(CONFIG_IPV6)
	return ip6_fragment(net, sk, skb, output);
#else
	kfree_skb(skb);
	return -EAFNOSUPPORT;
#endif
}

/* 6.16: from_timer() by another name. */
#ifdef ESPLANE_HAVE_TIMER_CONTAINER_OF
#define esplane_timer_container_of timer_container_of
#else
#define esplane_timer_container_of from_timer
#endif

/* 6.2: a timer that can be armed no more. Before, its owner must not arm it again. */
static inline void esplane_timer_shutdown_sync(struct timer_list *timer)
{
#ifdef ESPLANE_HAVE_TIMER_SHUTDOWN_SYNC
	timer_shutdown_sync(timer);
#else
	del_timer_sync(timer);
#endif
}

/* A network device that is nothing but an owner of NAPIs (6.10: made by the core). */
static inline struct net_device *esplane_compat_dummy_alloc(void)
{
#ifdef ESPLANE_HAVE_ALLOC_NETDEV_DUMMY
	return alloc_netdev_dummy(0);
#else
	struct net_device *dev = kzalloc(sizeof(*dev), GFP_KERNEL);

	if (dev)
		init_dummy_netdev(dev);
	return dev;
#endif
}

static inline void esplane_compat_dummy_free(struct net_device *dev)
{
#ifdef ESPLANE_HAVE_ALLOC_NETDEV_DUMMY
	free_netdev(dev);
#else
	kfree(dev);
#endif
}

/* 6.18: a workqueue bound to CPUs is asked for by name; before, all were that are not unbound. */
#ifdef ESPLANE_HAVE_WQ_PERCPU
#define ESPLANE_WQ_PERCPU WQ_PERCPU
#else
#define ESPLANE_WQ_PERCPU 0
#endif

/* 6.13. */
#ifndef NLA_POLICY_MAX_LEN
#define NLA_POLICY_MAX_LEN(len) NLA_POLICY_MAX(NLA_BINARY, len)
#endif

/* Who may listen to events: CAP_NET_ADMIN. Kernels that cannot say so let everybody. */
#ifdef ESPLANE_HAVE_GENL_MULTICAST_CAP
#define ESPLANE_MCGRP_FLAGS .flags = GENL_MCAST_CAP_NET_ADMIN,
#else
#define ESPLANE_MCGRP_FLAGS
#endif

#endif
