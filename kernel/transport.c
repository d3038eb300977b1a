// SPDX-License-Identifier: GPL-2.0
/*
 * Transport mode (RFC 4303 section 3.1.1).
 *
 * The packet keeps its IP header and its route; what follows the header is protected, and the field
 * that named it says ESP, or UDP. It is applied to whole packets, never to fragments; the protected
 * packet may be cut to pieces on its way, and is put together before it is opened.
 *
 * Its path's MTU. A local sender is taught how much fits by way of its route, which here is the
 * route that the protected packet takes as well: it must not be bound by that. So it is sent for a
 * socket that asks for the interface's MTU (IP_PMTUDISC_PROBE): IPv4 asks the one that sends, IPv6
 * the one that owns the packet.
 *
 * Checksums behind a NAT (RFC 3948 section 3.1.2). TCP and UDP sums cover addresses that it has
 * changed. The peer's own are not known here for certain, and a sum made from scratch would cost a
 * pass over the data. So the packet is marked as one whose sum has yet to be computed: the stack
 * takes it as it is, for ESP has vouched for every byte, and should it be forwarded the right sum
 * is made on its way out. A UDP packet without a sum stays without.
 *
 * Locking: en->path_sockets are set once under en->lock, before the first SA that needs them is
 * published, and go when no SA is left.
 */
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/netlink.h>
#include <linux/skbuff.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <net/inet_common.h>
#include <net/ip.h>
#include <net/ip6_checksum.h>
#include <net/ipv6.h>
#include <net/sock.h>

#include "compat.h"
#include "esp.h"
#include "exthdr.h"
#include "net.h"
#include "quote.h"
#include "sa.h"
#include "train.h"
#include "transport.h"

enum { NO_NEXT_HEADER = 59 };	/* RFC 4303 section 2.6: a dummy packet */

static bool is_v6(const struct sk_buff *skb)
{
	return IS_ENABLED(CONFIG_IPV6) && ip_hdr(skb)->version == 6;
}

static bool same_v6(const struct esplane_addr *a, const struct in6_addr *b)
{
	return a->family == AF_INET6 && ipv6_addr_equal(&a->ip.in6, b);
}

static bool same_v4(const struct esplane_addr *a, __be32 b)
{
	return a->family == AF_INET && a->ip.ip == b;
}

static int find_v6(const struct esplane_outer *outer, const struct sk_buff *skb,
		   struct esplane_insertion *at)
{
	struct esplane_bytes bytes = { .skb = skb, .len = skb->len };
	const struct ipv6hdr *ip6h = ipv6_hdr(skb);
	struct esplane_exthdrs chain;

	esplane_exthdr_walk_unprotected(&bytes, &chain);
	if (chain.fragment)
		return ESPLANE_DROP_TRANSPORT_FRAGMENT;
	if (!chain.whole)
		return ESPLANE_DROP_SEGMENT;
	/* With a routing header the packet has not its last destination's address yet. */
	if (chain.routing || !same_v6(&outer->src, &ip6h->saddr) ||
	    !same_v6(&outer->dst, &ip6h->daddr))
		return ESPLANE_DROP_TRANSPORT_ADDRESS;
	at->offset = chain.offset;
	at->field = chain.field;
	at->protocol = chain.protocol;
	return ESPLANE_SEGMENT_GOOD;
}

int esplane_transport_find(const struct esplane_outer *outer, const struct sk_buff *skb,
			   struct esplane_insertion *at)
{
	const struct iphdr *iph = ip_hdr(skb);

	if (is_v6(skb))
		return find_v6(outer, skb, at);
	if (ip_is_fragment(iph))
		return ESPLANE_DROP_TRANSPORT_FRAGMENT;
	if (!same_v4(&outer->src, iph->saddr) || !same_v4(&outer->dst, iph->daddr))
		return ESPLANE_DROP_TRANSPORT_ADDRESS;
	at->offset = iph->ihl * 4;
	at->field = offsetof(struct iphdr, protocol);
	at->protocol = iph->protocol;
	return ESPLANE_SEGMENT_GOOD;
}

bool esplane_transport_may_fragment(const struct sk_buff *skb)
{
	if (skb_is_gso(skb))
		return false;	/* what would fit then need not be cut to pieces */
	return skb->ignore_df || (!is_v6(skb) && !(ip_hdr(skb)->frag_off & htons(IP_DF)));
}

void esplane_transport_push(struct sk_buff *skb, const struct sk_buff *from,
			    const struct esplane_insertion *at, unsigned int index, bool udp)
{
	u8 *header = skb_push(skb, at->offset);
	struct iphdr *iph = (struct iphdr *)header;

	skb_copy_bits(from, 0, header, at->offset);
	skb_reset_network_header(skb);
	header[at->field] = udp ? IPPROTO_UDP : IPPROTO_ESP;
	memcpy(skb->cb, from->cb, sizeof(skb->cb));	/* where its options are */
	skb->protocol = from->protocol;
	if (is_v6(skb)) {
		IP6CB(skb)->flags |= IP6SKB_XFRM_TRANSFORMED;	/* steer.c lets it pass */
		return;
	}
	iph->id = htons(ntohs(iph->id) + index);
	IPCB(skb)->flags |= IPSKB_XFRM_TRANSFORMED;
}

void esplane_transport_emit(struct esplane_net *en, struct sk_buff *skb)
{
#if IS_ENABLED(CONFIG_IPV6)
	if (is_v6(skb)) {
		skb_set_owner_w(skb, en->path_sockets[1]);
		ip6_local_out(en->net, skb->sk, skb);
		return;
	}
#endif
	ip_local_out(en->net, en->path_sockets[0], skb);
}

void esplane_transport_locate(const struct sk_buff *skb, struct esplane_insertion *at)
{
	struct esplane_bytes bytes = { .skb = skb, .len = skb->len };
	struct esplane_exthdrs chain;

	if (is_v6(skb)) {
		esplane_exthdr_walk(&bytes, &chain);
		at->offset = chain.offset;
		at->field = chain.field;
	} else {
		at->offset = ip_hdr(skb)->ihl * 4;
		at->field = offsetof(struct iphdr, protocol);
	}
}

static bool set_length(struct esplane_segment *seg, unsigned int index)
{
	struct iphdr *iph = (struct iphdr *)seg->text;
	struct ipv6hdr *ip6h = (struct ipv6hdr *)seg->text;

	if (iph->version == 6) {
		seg->ip_len = sizeof(*ip6h);
		if (seg->inner_len - sizeof(*ip6h) > IPV6_MAXPLEN)
			return false;
		ip6h->payload_len = htons(seg->inner_len - sizeof(*ip6h));
		return true;
	}
	seg->ip_len = iph->ihl * 4;
	if (seg->inner_len > IP_MAX_MTU)
		return false;
	iph->tot_len = htons(seg->inner_len);
	iph->frag_off &= htons(IP_DF);
	iph->id = htons(ntohs(iph->id) + index);
	ip_send_check(iph);
	return true;
}

/* Of the pseudo header alone, as for a packet whose sum is yet to be computed. */
static __sum16 pseudo_sum(const u8 *ip, unsigned int len, u8 protocol)
{
	const struct iphdr *iph = (const struct iphdr *)ip;
	const struct ipv6hdr *ip6h = (const struct ipv6hdr *)ip;

	if (iph->version == 6)
		return ~csum_ipv6_magic(&ip6h->saddr, &ip6h->daddr, len, protocol, 0);
	return ~csum_tcpudp_magic(iph->saddr, iph->daddr, len, protocol, 0);
}

static void mend_checksum(struct esplane_segment *seg, unsigned int offset, u8 protocol)
{
	unsigned int len = seg->inner_len - offset, field;
	__sum16 check;

	if (protocol == IPPROTO_TCP && len >= sizeof(struct tcphdr))
		field = offsetof(struct tcphdr, check);
	else if (protocol == IPPROTO_UDP && len >= sizeof(struct udphdr))
		field = offsetof(struct udphdr, check);
	else
		return;
	memcpy(&check, seg->text + offset + field, sizeof(check));
	if (protocol == IPPROTO_UDP && !check)
		return;
	check = pseudo_sum(seg->text, len, protocol);
	memcpy(seg->text + offset + field, &check, sizeof(check));
	seg->sum_start = offset;
	seg->sum_field = field;
}

/* Without selectors the SA is for its own addresses: nothing authenticates those outside. */
static bool flow_allowed(const struct esplane_sa *sa, const struct esplane_segment *seg)
{
	const struct esplane_outer *outer = rcu_dereference(sa->outer);
	struct esplane_flow flow;

	if (!esplane_flow_from_bytes(seg->text, seg->inner_len, &flow))
		return false;
	if (sa->n_selectors)
		return esplane_selectors_match(sa->selectors, sa->n_selectors, &flow) ||
		       esplane_quote_match(sa->selectors, sa->n_selectors, seg->text,
					   seg->inner_len, &flow);
	return flow.family == outer->src.family &&
	       !memcmp(&flow.src, &outer->src.ip, sizeof(flow.src)) &&
	       !memcmp(&flow.dst, &outer->dst.ip, sizeof(flow.dst));
}

int esplane_transport_open(const struct esplane_sa *sa, struct esplane_segment *seg,
			   const struct sk_buff *from, const struct esplane_insertion *at,
			   unsigned int room, unsigned int index)
{
	const struct esplane_esp_trailer *trailer;
	unsigned int len = seg->text_len - sizeof(*trailer);
	u8 protocol;

	trailer = (const struct esplane_esp_trailer *)(seg->text + len);
	protocol = trailer->next_header;
	if (trailer->pad_len > len)
		return ESPLANE_DROP_PADDING;
	if (protocol == NO_NEXT_HEADER)
		return ESPLANE_DROP_DUMMY;
	if (at->offset > room || skb_copy_bits(from, 0, seg->text - at->offset, at->offset))
		return ESPLANE_DROP_INNER_HEADER;
	seg->text -= at->offset;
	seg->inner_len = at->offset + len - trailer->pad_len;
	seg->text[at->field] = protocol;
	if (!set_length(seg, index))
		return ESPLANE_DROP_INNER_HEADER;
	if (esplane_outer_is_udp(rcu_dereference(sa->outer)))
		mend_checksum(seg, at->offset, protocol);
	return flow_allowed(sa, seg) ? ESPLANE_SEGMENT_GOOD : ESPLANE_DROP_SELECTOR;
}

static int path_socket(struct esplane_net *en, unsigned int i, int family,
		       struct netlink_ext_ack *extack)
{
	struct sock *sk;
	int err;

	if (en->path_sockets[i])
		return 0;
	err = inet_ctl_sock_create(&sk, family, SOCK_RAW, IPPROTO_ESP, en->net);
	if (err) {
		NL_SET_ERR_MSG(extack, "cannot make the socket that transport mode sends by");
		return err;
	}
	inet_sk(sk)->pmtudisc = IP_PMTUDISC_PROBE;
#if IS_ENABLED(CONFIG_IPV6)
	if (family == AF_INET6)
		inet6_sk(sk)->pmtudisc = IPV6_PMTUDISC_PROBE;
#endif
	/* Queues along the way bound it, not its send buffer. */
	sk->sk_sndbuf = INT_MAX;
	en->path_sockets[i] = sk;
	return 0;
}

int esplane_transport_prepare(struct esplane_net *en, u16 family, struct netlink_ext_ack *extack)
{
	lockdep_assert_held(&en->lock);
	return path_socket(en, family == AF_INET6, family, extack);
}

void esplane_transport_exit(struct esplane_net *en)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(en->path_sockets); i++) {
		inet_ctl_sock_destroy(en->path_sockets[i]);
		en->path_sockets[i] = NULL;
	}
}
