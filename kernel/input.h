/* SPDX-License-Identifier: GPL-2.0 */
/* ESP to cleartext. */
#ifndef _ESPLANE_INPUT_H
#define _ESPLANE_INPUT_H

#include <linux/types.h>

struct esplane_net;
struct esplane_sa;
struct sk_buff;

/**
 * esplane_input - authenticate, decrypt and deliver a packet or a train of one SPI
 * @sa: inbound SA; RCU read side is enough
 * @skb: skb_network_offset() at the outer IP header; consumed
 * @offset: of the first segment's ESP header from skb->data
 * @end: where the last segment ends
 * @size: of each segment but the last
 * @sport: outer UDP source port, 0 for native ESP
 *
 * BHs off, RCU read side. Drops are counted and traced here.
 */
void esplane_input(struct esplane_sa *sa, struct sk_buff *skb, unsigned int offset,
		   unsigned int end, unsigned int size, __be16 sport);

#endif
