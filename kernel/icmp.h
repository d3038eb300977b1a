/* SPDX-License-Identifier: GPL-2.0 */
/* ICMP errors about our own ESP packets (RFC 4301 section 8.2). */
#ifndef _ESPLANE_ICMP_H
#define _ESPLANE_ICMP_H

#include <linux/types.h>

struct esplane_net;
struct sk_buff;

/*
 * Learns what an ICMP, or if @v6 an ICMPv6, message at @offset says of the path to a peer. The
 * packet stays the caller's and goes on. RCU read side.
 */
void esplane_icmp_input(struct esplane_net *en, struct sk_buff *skb, unsigned int offset, bool v6);

#endif
