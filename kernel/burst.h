/* SPDX-License-Identifier: GPL-2.0 */
/* Native ESP packets that come one after the other go on as one train. */
#ifndef _ESPLANE_BURST_H
#define _ESPLANE_BURST_H

#include <linux/types.h>

struct esplane_net;
struct esplane_sa;
struct sk_buff;

/* The inbound SA with this SPI, and a reference to it; or NULL. BHs off, RCU read side. */
struct esplane_sa *esplane_burst_find_sa(struct esplane_net *en, __be32 spi);
/*
 * Puts a packet of @sa aside until the CPU is through with what came together with it, or has a
 * train full. Takes over packet and reference. ESP is from @offset, seen from the IP header that
 * skb->data is at, to its end. BHs off, RCU read side.
 */
void esplane_burst_add(struct esplane_net *en, struct esplane_sa *sa, struct sk_buff *skb,
		       unsigned int offset);

int esplane_burst_init(struct esplane_net *en);
/* Frees what is put aside. Nothing is added any more. May sleep. */
void esplane_burst_exit(struct esplane_net *en);

#endif
