// SPDX-License-Identifier: GPL-2.0
/*
 * Joining TCP segments.
 *
 * What one end sent as a super-packet mostly arrives as one train; its segments need not go through
 * GRO one by one to become a super-packet again. The rule is GRO's, and stricter: segmenting the
 * result (if it is forwarded) must give back exactly the packets that came. What does not fit is
 * left to GRO.
 */
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/skbuff.h>
#include <linux/tcp.h>
#include <net/checksum.h>
#include <net/ip.h>
#include <net/ip6_checksum.h>
#include <net/tcp.h>

#include "join.h"
#include "train.h"

enum {
	JOIN_HEADROOM = 128,		/* for whatever device the packet is forwarded to */
	/* Packets with IP options or extension headers are not joined. */
	IP_LEN = sizeof(struct iphdr),
	IP6_LEN = sizeof(struct ipv6hdr),
};

/* Flags that a segment in the middle must not have; FIN and PSH may end a run. */
#define FLAGS_BREAK (TCP_FLAG_CWR | TCP_FLAG_URG | TCP_FLAG_RST | TCP_FLAG_SYN)
#define FLAGS_LAST (TCP_FLAG_FIN | TCP_FLAG_PSH)

static const struct iphdr *ip_of(const struct esplane_segment *seg)
{
	return (const struct iphdr *)seg->text;
}

static const struct ipv6hdr *ip6_of(const struct esplane_segment *seg)
{
	return (const struct ipv6hdr *)seg->text;
}

static bool is_v6(const struct esplane_segment *seg)
{
	return ip_of(seg)->version == 6;
}

static const struct tcphdr *tcp_of(const struct esplane_segment *seg)
{
	return (const struct tcphdr *)(seg->text + seg->ip_len);
}

static unsigned int header_len(const struct esplane_segment *seg)
{
	return seg->ip_len + tcp_of(seg)->doff * 4;
}

static unsigned int payload_len(const struct esplane_segment *seg)
{
	return seg->inner_len - header_len(seg);
}

/* Straight from IP to TCP. */
static bool ip_is_plain(const struct esplane_segment *seg)
{
	const struct iphdr *iph = ip_of(seg);

	if (is_v6(seg))
		return ip6_of(seg)->nexthdr == IPPROTO_TCP;
	return seg->ip_len == IP_LEN && iph->protocol == IPPROTO_TCP &&
	       !(iph->frag_off & ~htons(IP_DF));
}

/* A TCP segment with payload that could begin or go on with a run. */
static bool is_candidate(const struct esplane_segment *seg)
{
	if (!ip_is_plain(seg) || seg->inner_len < seg->ip_len + sizeof(struct tcphdr))
		return false;
	return tcp_of(seg)->doff * 4 >= sizeof(struct tcphdr) &&
	       header_len(seg) < seg->inner_len &&
	       !(tcp_flag_word(tcp_of(seg)) & FLAGS_BREAK);
}

static bool ip6_follows(const struct ipv6hdr *prev, const struct ipv6hdr *next)
{
	/* The first word holds version, traffic class and flow label. */
	return !memcmp(prev, next, sizeof(__be32)) && prev->nexthdr == next->nexthdr &&
	       prev->hop_limit == next->hop_limit &&
	       !memcmp(&prev->saddr, &next->saddr, sizeof(prev->saddr) + sizeof(prev->daddr));
}

static bool ip4_follows(const struct iphdr *prev, const struct iphdr *next)
{
	/* The first two bytes hold version, header length and type of service. */
	return !memcmp(prev, next, sizeof(__be16)) &&
	       ntohs(next->id) == (u16)(ntohs(prev->id) + 1) &&
	       prev->frag_off == next->frag_off && prev->ttl == next->ttl &&
	       prev->protocol == next->protocol && prev->saddr == next->saddr &&
	       prev->daddr == next->daddr;
}

/* A call of memcmp() takes longer than the few words that there are. */
static bool same_options(const struct tcphdr *a, const struct tcphdr *b)
{
	const __be32 *x = (const __be32 *)(a + 1), *y = (const __be32 *)(b + 1);
	const __be32 *end = (const __be32 *)a + a->doff;

	while (x < end)
		if (*x++ != *y++)
			return false;
	return true;
}

static bool same_tcp(const struct tcphdr *a, const struct tcphdr *b)
{
	__be32 flags = (tcp_flag_word(a) ^ tcp_flag_word(b)) & ~FLAGS_LAST;

	/* The word of the flags holds header length and window too. */
	return a->source == b->source && a->dest == b->dest && a->ack_seq == b->ack_seq && !flags &&
	       same_options(a, b);
}

/*
 * @prev, which has headers of @headers bytes, goes on with @next: a candidate then too, as all that
 * made @prev one is the same in both.
 */
static bool follows(const struct esplane_segment *prev, const struct esplane_segment *next,
		    unsigned int headers, unsigned int mss)
{
	const struct tcphdr *a = tcp_of(prev), *b = tcp_of(next);

	if (prev->inner_len != headers + mss || tcp_flag_word(a) & FLAGS_LAST ||
	    next->inner_len <= headers || next->inner_len > headers + mss)
		return false;
	if (is_v6(prev) ? !ip6_follows(ip6_of(prev), ip6_of(next)) :
			  !ip4_follows(ip_of(prev), ip_of(next)))
		return false;
	return ntohl(b->seq) == ntohl(a->seq) + mss && same_tcp(a, b);
}

unsigned int esplane_join_count(const struct esplane_segment *first, unsigned int n)
{
	unsigned int most = min_t(unsigned int, n, MAX_SKB_FRAGS), headers, mss, len, i;

	if (!is_candidate(first))
		return 1;
	headers = header_len(first);
	mss = payload_len(first);
	len = first->inner_len;
	for (i = 1; i < most && follows(&first[i - 1], &first[i], headers, mss); i++) {
		len += first[i].inner_len - headers;
		if (len > IP_MAX_MTU)
			break;
	}
	return i;
}

static void release(struct esplane_segment *seg, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		put_page(virt_to_head_page(seg[i].memory));
}

static struct sk_buff *build_single(struct esplane_segment *seg)
{
	struct sk_buff *skb = napi_build_skb(seg->memory, seg->memory_len);

	if (!skb) {
		release(seg, 1);
		return NULL;
	}
	skb_reserve(skb, seg->text - seg->memory);
	skb_put(skb, seg->inner_len);
	skb_reset_network_header(skb);
	/* Authenticated: nothing but the sender touched it, and the sender vouches. All levels. */
	skb->ip_summed = CHECKSUM_UNNECESSARY;
	skb->csum_level = SKB_MAX_CSUM_LEVEL;
	if (unlikely(seg->sum_start)) {
		skb->ip_summed = CHECKSUM_PARTIAL;
		skb->csum_start = skb_headroom(skb) + seg->sum_start;
		skb->csum_offset = seg->sum_field;
	}
	return skb;
}

/* Headers of the whole, checksums as GRO leaves them. */
static void write_headers(struct sk_buff *skb, const struct esplane_segment *first, unsigned int n)
{
	u8 *header = skb_put_data(skb, first->text, header_len(first));
	struct tcphdr *th = (struct tcphdr *)(header + first->ip_len);

	skb_reset_network_header(skb);
	skb_set_transport_header(skb, first->ip_len);
	tcp_flag_word(th) |= tcp_flag_word(tcp_of(&first[n - 1])) & FLAGS_LAST;
	skb->csum_start = skb_transport_header(skb) - skb->head;
	skb->csum_offset = offsetof(struct tcphdr, check);
	skb->ip_summed = CHECKSUM_PARTIAL;
	skb_shinfo(skb)->gso_type = is_v6(first) ? SKB_GSO_TCPV6 : SKB_GSO_TCPV4;
	skb_shinfo(skb)->gso_size = payload_len(first);
	skb_shinfo(skb)->gso_segs = n;
}

static void finish_lengths_v6(struct sk_buff *skb)
{
	struct ipv6hdr *ip6h = ipv6_hdr(skb);

	ip6h->payload_len = htons(skb->len - IP6_LEN);
	tcp_hdr(skb)->check = ~csum_ipv6_magic(&ip6h->saddr, &ip6h->daddr, skb->len - IP6_LEN,
					       IPPROTO_TCP, 0);
}

static void finish_lengths(struct sk_buff *skb)
{
	struct iphdr *iph = ip_hdr(skb);

	iph->tot_len = htons(skb->len);
	ip_send_check(iph);
	tcp_hdr(skb)->check = ~csum_tcpudp_magic(iph->saddr, iph->daddr, skb->len - IP_LEN,
						 IPPROTO_TCP, 0);
}

static void add_payload(struct sk_buff *skb, const struct esplane_segment *seg)
{
	struct page *page = virt_to_head_page(seg->memory);
	u8 *payload = seg->text + header_len(seg);

	skb_add_rx_frag(skb, skb_shinfo(skb)->nr_frags, page, payload - (u8 *)page_address(page),
			payload_len(seg), seg->memory_len);
}

struct sk_buff *esplane_join_build(struct esplane_segment *first, unsigned int n)
{
	struct sk_buff *skb;
	unsigned int i;

	if (n == 1)
		return build_single(first);
	skb = alloc_skb(JOIN_HEADROOM + header_len(first), GFP_ATOMIC);
	if (!skb) {
		release(first, n);
		return NULL;
	}
	skb_reserve(skb, JOIN_HEADROOM);
	write_headers(skb, first, n);
	for (i = 0; i < n; i++)
		add_payload(skb, &first[i]);
	if (is_v6(first))
		finish_lengths_v6(skb);
	else
		finish_lengths(skb);
	return skb;
}
