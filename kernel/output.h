/* SPDX-License-Identifier: GPL-2.0 */
/* Cleartext to ESP. */
#ifndef _ESPLANE_OUTPUT_H
#define _ESPLANE_OUTPUT_H

#include <linux/types.h>
#include <net/inet_ecn.h>
#include <uapi/linux/esplane.h>

struct esplane_net;
struct esplane_policy;
struct esplane_sa;
struct sk_buff;

/**
 * esplane_output - protect a packet or super-packet and send it
 * @en: namespace that @sa belongs to; @skb comes from another if its interface was moved
 * @sa: outbound SA; RCU read side is enough
 * @skb: skb->data at the inner IP header, with its dst if it has one; consumed
 *
 * BHs off, RCU read side. Drops are counted and traced here.
 */
void esplane_output(struct esplane_net *en, struct esplane_sa *sa, struct sk_buff *skb);

/*
 * Sends what bundle.c has kept back: @n packets, at most ESPLANE_TRAIN_MAX, linked by next, that
 * want the same outer header; no ESP packet but the last is shorter than the first, and none
 * longer. Consumed. BHs off, RCU read side.
 */
void esplane_output_bundle(struct esplane_sa *sa, struct sk_buff *packets, unsigned int n);

/*
 * Longest inner packet that fits one outer packet on the route to the peer as it is now; 0 if there
 * is no route, or it leads into the tunnel itself. Any context but hard interrupts.
 */
unsigned int esplane_output_mtu(struct esplane_sa *sa);

/* RFC 6040 section 4.1, normal or compatibility mode; RFC 4301 section 5.1.2.1. */
static inline u8 esplane_outer_tos(u32 sa_flags, u8 inner)
{
	u8 tos = 0;

	if (sa_flags & ESPLANE_SA_FLAG_COPY_DSCP)
		tos |= inner & ~INET_ECN_MASK;
	if (!(sa_flags & ESPLANE_SA_FLAG_NO_ECN))
		tos |= inner & INET_ECN_MASK;
	return tos;
}

#endif
