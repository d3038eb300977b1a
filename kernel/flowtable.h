/* SPDX-License-Identifier: GPL-2.0 */
/* Netfilter's flow tables, which carry packets past policy mode's hooks. */
#ifndef _ESPLANE_FLOWTABLE_H
#define _ESPLANE_FLOWTABLE_H

struct esplane_net;
struct nf_hook_state;
struct sk_buff;

/* A hook for FORWARD, ahead of any rule that puts flows into a flow table. */
unsigned int esplane_flowtable_guard(void *priv, struct sk_buff *skb,
				     const struct nf_hook_state *state);

/*
 * After a change of policies: what flow tables hold has to pass the guard again. When this returns
 * no packet goes by the old policies any more. May sleep; takes rtnl.
 */
void esplane_flowtable_purge(struct esplane_net *en);

#endif
