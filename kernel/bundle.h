/* SPDX-License-Identifier: GPL-2.0 */
/* Forwarded packets that come one after the other leave as one train. */
#ifndef _ESPLANE_BUNDLE_H
#define _ESPLANE_BUNDLE_H

#include <linux/types.h>

struct esplane_net;
struct esplane_sa;
struct sk_buff;

/*
 * Puts a packet that fits @sa's tunnel, whose MTU is @mtu, aside until the CPU is through with what
 * came together with it, or has enough of them; then esplane_output_bundle(). False: it cannot
 * wait, and stays the caller's. BHs off, RCU read side.
 */
bool esplane_bundle_add(struct esplane_net *en, struct esplane_sa *sa, struct sk_buff *skb,
			unsigned int mtu);
/* The same if the last that was put aside shows that it fits; else false. */
bool esplane_bundle_join(struct esplane_net *en, struct esplane_sa *sa, struct sk_buff *skb);
/* Sends what is aside: before any packet that goes by. BHs off, RCU read side. */
void esplane_bundle_flush(struct esplane_net *en);

int esplane_bundle_init(struct esplane_net *en);
/* Frees what is put aside. Nothing is added any more. May sleep. */
void esplane_bundle_exit(struct esplane_net *en);

#endif
