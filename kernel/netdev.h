/* SPDX-License-Identifier: GPL-2.0 */
/* The esplane interface: route mode, and where plaintext is seen. */
#ifndef _ESPLANE_NETDEV_H
#define _ESPLANE_NETDEV_H

#include <linux/types.h>

struct esplane_net;
struct napi_struct;
struct net_device;
struct sk_buff;

bool esplane_netdev_is_ours(const struct net_device *dev);
u32 esplane_netdev_if_id(const struct net_device *dev);
/* The namespace it was made in, which has its policies. */
struct esplane_net *esplane_netdev_home(const struct net_device *dev);
/* Interface of this ID, or for 0 the default one. NULL if there is none. RCU read side. */
struct net_device *esplane_netdev_find(const struct esplane_net *en, u32 if_id);
/*
 * Delivers a decrypted packet that stands for @packets, by @napi, in whose poll the caller is, or,
 * if that is NULL, by one of the interface's own. Consumes @skb; false if it was dropped, for its
 * queue is full. BHs off, RCU read side.
 */
bool esplane_netdev_receive(struct net_device *dev, struct sk_buff *skb, unsigned int packets,
			    struct napi_struct *napi);

/*
 * Start and end of a namespace. exit removes its interfaces, takes rtnl, and comes before the SAD
 * and @stats go.
 */
int esplane_netdev_init(struct esplane_net *en);
/*
 * Makes sure that policy mode has an interface ("esplane0", up) to deliver on. Takes rtnl: call
 * without esplane_net::lock.
 */
int esplane_netdev_default(struct esplane_net *en);

/*
 * The MTU of an SA's interface may have to follow it, if policies use it. Takes rtnl and
 * esplane_net::lock: call without.
 */
void esplane_netdev_fit_mtu(struct esplane_net *en, u32 sa_id);

int esplane_netdev_register(void);	/* rtnl link kind "esplane" */
void esplane_netdev_unregister(void);
void esplane_netdev_exit(struct esplane_net *en);

#endif
