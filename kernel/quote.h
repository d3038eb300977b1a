/* SPDX-License-Identifier: GPL-2.0 */
/* ICMP errors in the tunnel, and the packets that they quote (RFC 4301 section 6.2). */
#ifndef _ESPLANE_QUOTE_H
#define _ESPLANE_QUOTE_H

#include <linux/types.h>

struct esplane_bytes;
struct esplane_flow;
struct esplane_net;
struct esplane_policy;
struct esplane_selector;
struct sk_buff;

/**
 * esplane_quote_reverse - the flow of the packets that answer the quoted one
 * @packet: whole
 * @flow: @packet's own
 * @reversed: written only if the result is true
 *
 * Return: false if @packet is no ICMP error, its quote cannot be read, or it does not go to where
 * the quoted packet came from.
 */
bool esplane_quote_reverse(const struct esplane_bytes *packet, const struct esplane_flow *flow,
			   struct esplane_flow *reversed);

/*
 * Inbound, for a decrypted packet of @len contiguous bytes whose own @flow matches none of the SA's
 * selectors: does what it quotes? (@n is not 0.)
 */
bool esplane_quote_match(const struct esplane_selector *sel, unsigned int n, const void *ip,
			 unsigned int len, const struct esplane_flow *flow);

/*
 * Outbound, for a packet whose own @flow no policy covers: the PROTECT policy that covers what
 * answers the packet it quotes, or NULL. RCU read side.
 */
struct esplane_policy *esplane_quote_policy(const struct esplane_net *en, const struct sk_buff *skb,
					    const struct esplane_flow *flow, u32 if_id);

#endif
