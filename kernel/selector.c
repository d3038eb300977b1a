// SPDX-License-Identifier: GPL-2.0
/* Traffic selectors (RFC 4301 section 4.4.1.1): what flows they match, what two of them share. */
#include <kunit/visibility.h>
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/sctp.h>
#include <linux/skbuff.h>
#include <linux/socket.h>
#include <linux/string.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <net/ip.h>
#include <net/ipv6.h>

#include "compat.h"
#include "exthdr.h"
#include "selector.h"

enum { ANY_PORT_LAST = 65535 };

static int addr_compare(u16 family, const union nf_inet_addr *a, const union nf_inet_addr *b)
{
	if (family == AF_INET)
		return memcmp(&a->ip, &b->ip, sizeof(a->ip));
	return memcmp(&a->in6, &b->in6, sizeof(a->in6));
}

static bool addr_within(u16 family, const union nf_inet_addr *addr,
			const union nf_inet_addr *first, const union nf_inet_addr *last)
{
	if (family == AF_INET)
		return ntohl(addr->ip) >= ntohl(first->ip) && ntohl(addr->ip) <= ntohl(last->ip);
	return addr_compare(family, first, addr) <= 0 && addr_compare(family, addr, last) <= 0;
}

/* Enough of any transport header to know the ports. */
union upper {
	__be16 ports[2];
	struct icmphdr icmp;
	struct {
		u8 next, len, type;
	} mobility;		/* RFC 6275 section 6.1.1 */
};

static void set_ports(struct esplane_flow *flow, const union upper *upper)
{
	flow->ports = true;
	if (flow->protocol == IPPROTO_ICMP || flow->protocol == IPPROTO_ICMPV6) {
		flow->sport = upper->icmp.type;
		flow->dport = upper->icmp.code;
	} else if (flow->protocol == IPPROTO_MH) {
		flow->sport = upper->mobility.type;
	} else {
		flow->sport = ntohs(upper->ports[0]);
		flow->dport = ntohs(upper->ports[1]);
	}
}

/* Bytes of the transport header that set_ports() reads; 0: the protocol has no ports. */
static unsigned int upper_len(u8 protocol)
{
	switch (protocol) {
	case IPPROTO_TCP:
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
	case IPPROTO_SCTP:
	case IPPROTO_DCCP:
		return sizeof_field(union upper, ports);
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return offsetofend(struct icmphdr, code);
	case IPPROTO_MH:	/* RFC 4301 section 4.4.1.1 */
		return sizeof_field(union upper, mobility);
	default:
		return 0;
	}
}

static void set_v4(struct esplane_flow *flow, const struct iphdr *iph)
{
	memset(flow, 0, sizeof(*flow));
	flow->family = AF_INET;
	flow->protocol = iph->protocol;
	flow->src.ip = iph->saddr;
	flow->dst.ip = iph->daddr;
}

/*
 * An IPv6 packet. Its chain of headers may be broken: then it still is a flow between two
 * addresses, of whatever protocol the last header names, and no selector of ports matches it.
 */
static bool flow_v6(const struct esplane_bytes *bytes, struct esplane_flow *flow)
{
	const struct ipv6hdr *header;
	struct esplane_exthdrs chain;
	struct ipv6hdr header_buf;
	const void *upper;
	union upper buf = {};
	unsigned int need;

	header = esplane_bytes_at(bytes, 0, sizeof(header_buf), &header_buf);
	if (!header || header->version != 6)
		return false;
	memset(flow, 0, sizeof(*flow));
	flow->family = AF_INET6;
	flow->src.in6 = header->saddr;
	flow->dst.in6 = header->daddr;
	esplane_exthdr_walk(bytes, &chain);
	flow->protocol = chain.protocol;
	need = upper_len(flow->protocol);
	if (!need) {
		flow->ports = chain.whole && !chain.fragment;
		return true;
	}
	if (!chain.whole || chain.later)
		return true;
	upper = esplane_bytes_at(bytes, chain.offset, need, &buf);
	if (upper) {
		memmove(&buf, upper, need);
		set_ports(flow, &buf);
	}
	return true;
}

bool esplane_flow_from_bytes(const void *ip, unsigned int len, struct esplane_flow *flow)
{
	const struct iphdr *iph = ip;
	unsigned int offset, need;
	union upper upper = {};

	if (len < sizeof(*iph))
		return false;
	if (iph->version != 4)
		return flow_v6(&(struct esplane_bytes){ .data = ip, .len = len }, flow);
	offset = iph->ihl * 4;
	if (offset < sizeof(*iph) || offset > len)
		return false;
	set_v4(flow, iph);
	need = upper_len(flow->protocol);
	if (!need) {
		flow->ports = !ip_is_fragment(iph);
	} else if (!(iph->frag_off & htons(IP_OFFSET)) && len - offset >= need) {
		memcpy(&upper, ip + offset, need);
		set_ports(flow, &upper);
	}
	return true;
}
EXPORT_SYMBOL_IF_KUNIT(esplane_flow_from_bytes);

static bool flow_v4(const struct esplane_bytes *bytes, struct esplane_flow *flow)
{
	const struct iphdr *iph;
	struct iphdr iph_buf;
	const void *upper;
	union upper buf = {};
	unsigned int need;

	iph = esplane_bytes_at(bytes, 0, sizeof(iph_buf), &iph_buf);
	if (!iph || iph->ihl * 4 < sizeof(*iph) || iph->ihl * 4 > bytes->len)
		return false;
	set_v4(flow, iph);
	need = upper_len(flow->protocol);
	if (!need) {
		flow->ports = !ip_is_fragment(iph);
		return true;
	}
	if (iph->frag_off & htons(IP_OFFSET))
		return true;
	upper = esplane_bytes_at(bytes, iph->ihl * 4, need, &buf);
	if (upper) {
		memmove(&buf, upper, need);
		set_ports(flow, &buf);
	}
	return true;
}

bool esplane_flow_from(const struct esplane_bytes *bytes, struct esplane_flow *flow)
{
	const struct iphdr *iph;
	struct iphdr buf;

	iph = esplane_bytes_at(bytes, 0, sizeof(buf), &buf);
	if (!iph)
		return false;
	return iph->version == 4 ? flow_v4(bytes, flow) : flow_v6(bytes, flow);
}

bool esplane_flow_from_skb(const struct sk_buff *skb, struct esplane_flow *flow)
{
	int offset = skb_network_offset(skb);

	return esplane_flow_from(&(struct esplane_bytes){ .skb = skb, .offset = offset,
							  .len = skb->len - offset }, flow);
}
EXPORT_SYMBOL_IF_KUNIT(esplane_flow_from_skb);

static bool any_ports(const struct esplane_selector *sel)
{
	return !sel->sport_first && sel->sport_last == ANY_PORT_LAST &&
	       !sel->dport_first && sel->dport_last == ANY_PORT_LAST;
}

static bool ports_match(const struct esplane_selector *sel, const struct esplane_flow *flow)
{
	if (any_ports(sel))
		return true;
	return flow->ports &&
	       flow->sport >= sel->sport_first && flow->sport <= sel->sport_last &&
	       flow->dport >= sel->dport_first && flow->dport <= sel->dport_last;
}

bool esplane_selector_match(const struct esplane_selector *sel, const struct esplane_flow *flow)
{
	return sel->family == flow->family &&
	       (!sel->protocol || sel->protocol == flow->protocol) &&
	       addr_within(sel->family, &flow->src, &sel->src_first, &sel->src_last) &&
	       addr_within(sel->family, &flow->dst, &sel->dst_first, &sel->dst_last) &&
	       ports_match(sel, flow);
}
EXPORT_SYMBOL_IF_KUNIT(esplane_selector_match);

bool esplane_selectors_match(const struct esplane_selector *sel, unsigned int n,
			     const struct esplane_flow *flow)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		if (esplane_selector_match(&sel[i], flow))
			return true;
	return !n;
}
EXPORT_SYMBOL_IF_KUNIT(esplane_selectors_match);

static bool addr_intersect(u16 family, const union nf_inet_addr *first_a,
			   const union nf_inet_addr *last_a, const union nf_inet_addr *first_b,
			   const union nf_inet_addr *last_b, union nf_inet_addr *first,
			   union nf_inet_addr *last)
{
	*first = addr_compare(family, first_a, first_b) > 0 ? *first_a : *first_b;
	*last = addr_compare(family, last_a, last_b) < 0 ? *last_a : *last_b;
	return addr_compare(family, first, last) <= 0;
}

static bool port_intersect(u16 first_a, u16 last_a, u16 first_b, u16 last_b, u16 *first, u16 *last)
{
	*first = max(first_a, first_b);
	*last = min(last_a, last_b);
	return *first <= *last;
}

bool esplane_selector_intersect(const struct esplane_selector *a, const struct esplane_selector *b,
				struct esplane_selector *out)
{
	struct esplane_selector both = { .family = a->family };

	if (a->family != b->family || (a->protocol && b->protocol && a->protocol != b->protocol))
		return false;
	both.protocol = a->protocol ?: b->protocol;
	if (!addr_intersect(a->family, &a->src_first, &a->src_last, &b->src_first, &b->src_last,
			    &both.src_first, &both.src_last) ||
	    !addr_intersect(a->family, &a->dst_first, &a->dst_last, &b->dst_first, &b->dst_last,
			    &both.dst_first, &both.dst_last) ||
	    !port_intersect(a->sport_first, a->sport_last, b->sport_first, b->sport_last,
			    &both.sport_first, &both.sport_last) ||
	    !port_intersect(a->dport_first, a->dport_last, b->dport_first, b->dport_last,
			    &both.dport_first, &both.dport_last))
		return false;
	*out = both;
	return true;
}
EXPORT_SYMBOL_IF_KUNIT(esplane_selector_intersect);

const char *esplane_selector_flaw(const struct esplane_selector *sel)
{
	if (addr_compare(sel->family, &sel->src_first, &sel->src_last) > 0)
		return "selector: source range ends before it begins";
	if (addr_compare(sel->family, &sel->dst_first, &sel->dst_last) > 0)
		return "selector: destination range ends before it begins";
	if (sel->sport_first > sel->sport_last)
		return "selector: source port range ends before it begins";
	if (sel->dport_first > sel->dport_last)
		return "selector: destination port range ends before it begins";
	return NULL;
}
EXPORT_SYMBOL_IF_KUNIT(esplane_selector_flaw);
