/* SPDX-License-Identifier: GPL-2.0 */
/* Packets that wait for the SA that they have asked for. */
#ifndef _ESPLANE_HOLD_H
#define _ESPLANE_HOLD_H

#include <linux/skbuff.h>
#include <linux/spinlock.h>
#include <linux/timer.h>
#include <linux/types.h>

struct esplane_net;

enum {
	ESPLANE_HOLD_PER_POLICY = 16,	/* packets; a super-packet is one */
	ESPLANE_HOLD_MAX = 256,		/* in a network namespace */
	ESPLANE_HOLD_SECONDS = 10,	/* longer than a lost request of IKE and its repetition */
};

struct esplane_hold {
	spinlock_t lock;		/* of @packets, and of who writes @generation */
	struct sk_buff_head packets;
	u32 generation;			/* of what decides on packets: policies and their SAs */
	struct timer_list timer;
};

/**
 * esplane_hold_packet - decide on a packet whose policy had no SA a moment ago
 * @skb: outbound, behind routing and conntrack; consumed
 * @if_id: of the esplane interface that the packet uses; 0 in policy mode
 *
 * Sends it if there is an SA by now, or asks for one (acquire) and keeps the packet until
 * esplane_hold_retry() finds one, or drops it. RCU read side.
 */
void esplane_hold_packet(struct esplane_net *en, struct sk_buff *skb, u32 if_id);

/* Policies or their SAs have changed: decides anew. Process context, esplane_net::lock. */
void esplane_hold_retry(struct esplane_net *en);

void esplane_hold_init(struct esplane_net *en);
/* Nobody holds packets any more. */
void esplane_hold_exit(struct esplane_net *en);

#endif
