/* SPDX-License-Identifier: GPL-2.0 */
/* State of one network namespace. */
#ifndef _ESPLANE_NET_H
#define _ESPLANE_NET_H

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/rhashtable.h>
#include <linux/xarray.h>
#include <net/net_namespace.h>

#include <uapi/linux/esplane.h>

#include "classifier.h"
#include "drop.h"
#include "hold.h"

struct net_device;
struct sock;
struct xfrm_state;

/* Per-CPU counters of a namespace; only ever incremented, by their own CPU with BHs off. */
struct esplane_stats {
	u64 in_packets, in_bytes, in_trains;
	u64 out_packets, out_bytes, out_trains;
	u64 drops[ESPLANE_DROP_COUNT];
};

struct esplane_sad {
	struct rhashtable by_spi;	/* inbound */
	struct rhltable by_peer;	/* outbound, by the peer's SPI; peers may choose alike */
	struct xarray by_id;		/* both directions; ID 0 is not used */
	struct xarray reserved;		/* SPI (host order) -> deadline: value entries in seconds */
	time64_t next_sweep;		/* when lapsed reservations are looked for */
	u32 last_id;
	u32 count;
	u32 generation;			/* for consistent dumps */
	atomic_t alive;			/* SAs not yet freed, whether published or not (sa.c) */
};

struct esplane_spd {
	struct esplane_classifier policies[ESPLANE_DIRECTION_MAX + 1];
	u32 n_global[ESPLANE_DIRECTION_MAX + 1];	/* policies with if_id 0 */
	u32 n_discard_in;				/* inbound DISCARD policies */
	u32 n_marked;					/* policies that ask for a mark */
	bool flows_stale;				/* see esplane_spd_changed_for_flows() */
	u8 default_action[ESPLANE_DIRECTION_MAX + 1];	/* enum esplane_action */
	struct xarray by_id;
	struct delayed_work expiry;	/* expiry.c */
	u64 first_end;			/* jiffies for which @expiry waits, or U64_MAX */
	u32 last_id;
	u32 count;
	u32 generation;
};

/**
 * struct esplane_net - found by esplane_net(net)
 * @lock: held by whoever changes @sad, @spd, @ports or an SA's outer addresses.
 *        May be taken under rtnl, which is never taken under it.
 */
struct esplane_net {
	struct net *net;
	struct mutex lock;		/* see above */
	struct esplane_sad sad;
	struct esplane_spd spd;
	struct esplane_hold hold;
	struct esplane_stats __percpu *stats;
	struct esplane_batch __percpu *burst;	/* native ESP on its way in (burst.c) */
	struct esplane_batch __percpu *bundle;	/* forwarded packets on their way out (bundle.c) */
	struct list_head ports;		/* struct esplane_port, RCU (encap.c) */
	struct sock *path_sockets[2];	/* IPv4, IPv6 (transport.c) */
	bool reassembles;		/* outer IPv6, under @lock (encap.c) */
	struct list_head interfaces;	/* esplane net devices, RCU, under rtnl (netdev.c) */
	struct xfrm_state *secure;	/* stands in security paths (netdev.c) */
	struct net_device __rcu *default_dev; /* where policy mode delivers plaintext (netdev.c) */
	atomic_t dying;			/* no new SA or policy */
};

struct esplane_net *esplane_net(const struct net *net);

/* Namespaces, present and to come, get their state; exit waits until the last of it is gone. */
int esplane_net_register(void);
void esplane_net_unregister(void);

#endif
