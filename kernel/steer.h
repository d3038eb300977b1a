/* SPDX-License-Identifier: GPL-2.0 */
/* Policy mode (RFC 4301 section 5): netfilter hooks that ask the SPD about every packet. */
#ifndef _ESPLANE_STEER_H
#define _ESPLANE_STEER_H

struct esplane_net;
struct net_device;
struct nf_hook_state;
struct sk_buff;

/*
 * Where a packet at LOCAL_IN or FORWARD, or forwarded at POST_ROUTING, has come in. A VRF has put
 * itself in the place of its member by then. NULL if that device has gone. RCU read side.
 */
const struct net_device *esplane_steer_in(const struct sk_buff *skb,
					  const struct nf_hook_state *state);

/*
 * Registers and removes the hooks of a namespace. May sleep. After exit no packet is inside any
 * more.
 */
int esplane_steer_init(struct esplane_net *en);
void esplane_steer_exit(struct esplane_net *en);

#endif
