/* SPDX-License-Identifier: GPL-2.0 */
/* Traffic selectors (RFC 4301 section 4.4.1.1, RFC 7296 section 3.13): flows and ranges. */
#ifndef _ESPLANE_SELECTOR_H
#define _ESPLANE_SELECTOR_H

#include <linux/netfilter.h>
#include <linux/types.h>

struct esplane_bytes;
struct sk_buff;

/**
 * struct esplane_addr - an IPv4 or IPv6 address
 * @family: AF_INET or AF_INET6
 * @ip: network byte order; bytes beyond the family's length are zero
 */
struct esplane_addr {
	u16 family;
	union nf_inet_addr ip;
};

/**
 * struct esplane_flow - what a selector looks at in one packet
 * @family: AF_INET or AF_INET6
 * @protocol: upper-layer protocol
 * @ports: false if the ports cannot be known (non-first fragment, truncated):
 *         then only selectors that allow every port match
 * @sport: host byte order; type of ICMP or of a mobility header
 * @dport: host byte order; ICMP code
 */
struct esplane_flow {
	u16 family;
	u8 protocol;
	bool ports;
	u16 sport, dport;
	union nf_inet_addr src, dst;
};

/**
 * struct esplane_selector - one pair of traffic selectors, inclusive ranges
 * @family: AF_INET or AF_INET6
 * @protocol: 0 for any
 */
struct esplane_selector {
	u16 family;
	u8 protocol;
	u16 sport_first, sport_last;
	u16 dport_first, dport_last;
	union nf_inet_addr src_first, src_last;
	union nf_inet_addr dst_first, dst_last;
};

/* Reads the headers at skb_network_offset(). Returns false for what is not IP. */
bool esplane_flow_from_skb(const struct sk_buff *skb, struct esplane_flow *flow);
/* The same for a packet that lies anywhere, whole or not: a quoted one. */
bool esplane_flow_from(const struct esplane_bytes *bytes, struct esplane_flow *flow);
/* The same for @len contiguous bytes that begin with the IP header: input.c has no skb yet. */
bool esplane_flow_from_bytes(const void *ip, unsigned int len, struct esplane_flow *flow);

bool esplane_selector_match(const struct esplane_selector *sel, const struct esplane_flow *flow);

/* True if any of @n matches, or if @n is 0. */
bool esplane_selectors_match(const struct esplane_selector *sel, unsigned int n,
			     const struct esplane_flow *flow);

/* Writes the traffic covered by both to @out. Returns false, @out untouched, if there is none. */
bool esplane_selector_intersect(const struct esplane_selector *a, const struct esplane_selector *b,
				struct esplane_selector *out);

/* Returns NULL if @sel is well formed, else the reason why not, for extack. */
const char *esplane_selector_flaw(const struct esplane_selector *sel);

#endif
