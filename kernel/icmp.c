// SPDX-License-Identifier: GPL-2.0
/*
 * ICMP errors about our own ESP packets (RFC 4301 section 8.2).
 *
 * "Too big" lowers what the SA takes its path to carry, for some minutes: a message is not
 * authenticated, and the path may widen again. Whoever makes one up must know the SA's SPI,
 * addresses and ports and about where its sequence numbers are, and cannot push the MTU below what
 * any path has to offer. Other errors change nothing here: liveness is the daemon's business.
 *
 * Of an IPv4 packet a router need quote no more than 8 bytes behind the header (RFC 792): of ESP in
 * UDP that lacks the SPI. It then still reaches the daemon's socket and, by way of that, the route.
 *
 * Locking: RCU read side. What is learnt is written without a lock; the last message wins.
 */
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <linux/skbuff.h>
#include <linux/udp.h>
#include <net/ip.h>
#include <net/ipv6.h>

#include "esp.h"
#include "exthdr.h"
#include "icmp.h"
#include "net.h"
#include "pmtu.h"
#include "sa.h"
#include "sad.h"

enum { RECENT = 1 << 16 };	/* packets that may have been sent since the one complained of */

/*
 * What a message tells of the packet that was too big. Zeroed first: addresses are compared whole.
 */
struct complaint {
	struct esplane_addr src, dst;
	unsigned int offset;		/* of what follows the quoted IP header */
	u32 mtu;
	u8 protocol;
	__be16 sport, dport;		/* 0: native ESP */
	__be32 spi;
	u32 seq;
};

static bool read_v4(const struct sk_buff *skb, unsigned int offset, struct complaint *c)
{
	const struct icmphdr *icmp;
	const struct iphdr *iph;
	struct icmphdr icmp_buf;
	struct iphdr buf;

	icmp = skb_header_pointer(skb, offset, sizeof(icmp_buf), &icmp_buf);
	if (!icmp || icmp->type != ICMP_DEST_UNREACH || icmp->code != ICMP_FRAG_NEEDED)
		return false;
	c->mtu = ntohs(icmp->un.frag.mtu);
	offset += sizeof(*icmp);
	iph = skb_header_pointer(skb, offset, sizeof(buf), &buf);
	if (!iph || iph->version != 4 || iph->ihl * 4 < sizeof(*iph) ||
	    iph->frag_off & htons(IP_OFFSET))
		return false;
	c->src.family = AF_INET;
	c->src.ip.ip = iph->saddr;
	c->dst.family = AF_INET;
	c->dst.ip.ip = iph->daddr;
	c->protocol = iph->protocol;
	c->offset = offset + iph->ihl * 4;
	return true;
}

static bool read_v6(const struct sk_buff *skb, unsigned int offset, struct complaint *c)
{
	struct esplane_bytes quoted = { .skb = skb };
	const struct icmp6hdr *icmp;
	const struct ipv6hdr *ip6h;
	struct esplane_exthdrs chain;
	struct icmp6hdr icmp_buf;
	struct ipv6hdr buf;

	icmp = skb_header_pointer(skb, offset, sizeof(icmp_buf), &icmp_buf);
	if (!icmp || icmp->icmp6_type != ICMPV6_PKT_TOOBIG)
		return false;
	c->mtu = ntohl(icmp->icmp6_mtu);
	offset += sizeof(*icmp);
	ip6h = skb_header_pointer(skb, offset, sizeof(buf), &buf);
	if (!ip6h || ip6h->version != 6)
		return false;
	quoted.offset = offset;
	quoted.len = skb->len - offset;
	esplane_exthdr_walk(&quoted, &chain);
	if (!chain.whole || chain.later)
		return false;
	c->src = (struct esplane_addr){ .family = AF_INET6, .ip.in6 = ip6h->saddr };
	c->dst = (struct esplane_addr){ .family = AF_INET6, .ip.in6 = ip6h->daddr };
	c->protocol = chain.protocol;
	c->offset = offset + chain.offset;
	return true;
}

static bool read_esp(const struct sk_buff *skb, struct complaint *c)
{
	const struct esplane_esp_header *header;
	struct esplane_esp_header buf;
	const struct udphdr *uh;
	struct udphdr uh_buf;

	if (c->protocol == IPPROTO_UDP) {
		uh = skb_header_pointer(skb, c->offset, sizeof(uh_buf), &uh_buf);
		if (!uh)
			return false;
		c->sport = uh->source;
		c->dport = uh->dest;
		c->offset += sizeof(*uh);
	} else if (c->protocol != IPPROTO_ESP) {
		return false;
	}
	header = skb_header_pointer(skb, c->offset, sizeof(buf), &buf);
	if (!header)
		return false;
	c->spi = header->spi;
	c->seq = be32_to_cpu(header->seq);
	return true;
}

static bool sum_is_right(struct sk_buff *skb, unsigned int offset, bool v6)
{
	if (v6)
		return !nf_ip6_checksum(skb, NF_INET_LOCAL_IN, offset, IPPROTO_ICMPV6);
	return !nf_ip_checksum(skb, NF_INET_LOCAL_IN, offset, IPPROTO_ICMP);
}

static bool is_about(const struct esplane_outer *outer, const struct complaint *c)
{
	return outer->src.family == c->src.family && outer->sport == c->sport &&
	       outer->dport == c->dport && !memcmp(&outer->src.ip, &c->src.ip, sizeof(c->src.ip));
}

void esplane_icmp_input(struct esplane_net *en, struct sk_buff *skb, unsigned int offset, bool v6)
{
	struct complaint c = {};
	struct esplane_outer *outer;
	struct esplane_sa *sa;

	if (!(v6 ? read_v6(skb, offset, &c) : read_v4(skb, offset, &c)) || !read_esp(skb, &c))
		return;
	sa = esplane_sad_lookup_peer(en, c.spi, &c.dst);
	if (!sa)
		return;
	outer = rcu_dereference(sa->outer);
	if (is_about(outer, &c) && lower_32_bits(atomic64_read(&sa->seq)) - c.seq < RECENT &&
	    sum_is_right(skb, offset, v6))
		esplane_pmtu_learn(outer, c.mtu);
}
