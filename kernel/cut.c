// SPDX-License-Identifier: GPL-2.0
/*
 * Cutting a super-packet.
 *
 * skb_gso_segment() makes an skb for each segment, which then would be copied to where the cipher
 * wants it. Here headers and payload go there at once, and the payload's checksum is computed by
 * the copy. What this file does not know (encapsulated, fragment lists with a meaning, other
 * protocols) it says so, and the caller lets skb_gso_segment() do it, segment by segment.
 *
 * The headers follow what the stack's own segmentation writes (inet_gso_segment, tcp_gso_segment,
 * __udp_gso_segment): the IP ID counts up; CWR stays on the first segment only, FIN and PSH on the
 * last.
 */
#include <kunit/visibility.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/skbuff.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <net/checksum.h>
#include <net/ip.h>

#include "cut.h"

enum {
	GSO_TCP = SKB_GSO_TCPV4 | SKB_GSO_TCPV6,
	GSO_TCP_KNOWN = GSO_TCP | SKB_GSO_DODGY | SKB_GSO_TCP_ECN | SKB_GSO_TCP_FIXEDID,
	GSO_UDP_KNOWN = SKB_GSO_UDP_L4 | SKB_GSO_DODGY,
	MIN_SEGMENT = 8,	/* payload bytes below which cutting is absurd */
	MAX_TCP_HEADER_LEN = 15 * 4,	/* RFC 9293 section 3.1 */
};

static enum esplane_cut_kind kind_of(const struct sk_buff *skb)
{
	unsigned int type = skb_shinfo(skb)->gso_type;

	if (skb->encapsulation || skb->ip_summed != CHECKSUM_PARTIAL)
		return ESPLANE_CUT_WHOLE;
	if (type & GSO_TCP && !(type & ~GSO_TCP_KNOWN))
		return ESPLANE_CUT_TCP;
	if (type & SKB_GSO_UDP_L4 && !(type & ~GSO_UDP_KNOWN))
		return ESPLANE_CUT_UDP;
	return ESPLANE_CUT_WHOLE;
}

static unsigned int l4_header_len(struct esplane_cut *cut)
{
	const struct tcphdr *th = (const struct tcphdr *)(cut->header + cut->l4);

	if (cut->kind == ESPLANE_CUT_UDP)
		return sizeof(struct udphdr);
	return th->doff * 4;
}

/* Bytes of the IP header that cut->header begins with; negative: errno. */
static int ip_header_len(struct esplane_cut *cut)
{
	const struct iphdr *iph = (const struct iphdr *)cut->header;
	const struct ipv6hdr *ip6h = (const struct ipv6hdr *)cut->header;
	u8 protocol = cut->kind == ESPLANE_CUT_TCP ? IPPROTO_TCP : IPPROTO_UDP;

	cut->v6 = iph->version == 6;
	if (!cut->v6)
		return iph->ihl * 4 < sizeof(*iph) ? -EINVAL : iph->ihl * 4;
	/* Extension headers, and the jumbo payloads that hide there, are the stack's business. */
	return ip6h->nexthdr == protocol ? (int)sizeof(*ip6h) : -EOPNOTSUPP;
}

/* Copies the headers that all segments repeat. */
static int read_header(struct esplane_cut *cut, const struct sk_buff *skb)
{
	unsigned int least = cut->kind == ESPLANE_CUT_TCP ? sizeof(struct tcphdr) :
							    sizeof(struct udphdr);
	int l4;

	if (skb_copy_bits(skb, 0, cut->header, sizeof(struct iphdr)))
		return -EINVAL;
	l4 = ip_header_len(cut);
	if (l4 < 0)
		return l4;
	cut->l4 = l4;
	if (skb_copy_bits(skb, 0, cut->header, cut->l4 + least))
		return -EINVAL;
	cut->header_len = cut->l4 + l4_header_len(cut);
	if (cut->header_len < cut->l4 + least || cut->header_len >= skb->len)
		return -EINVAL;
	return skb_copy_bits(skb, 0, cut->header, cut->header_len);
}

static int plan_whole(struct esplane_cut *cut, const struct sk_buff *skb, unsigned int mtu)
{
	cut->n = 1;
	cut->shrunk = false;
	cut->size = skb->len;
	cut->header_len = 0;
	return skb->len <= mtu ? 0 : -EMSGSIZE;
}

/* RFC 9293 section 3.1, RFC 8200 section 8.1. */
static __wsum pseudo_sum(const struct esplane_cut *cut)
{
	const struct iphdr *iph = (const struct iphdr *)cut->header;
	const struct ipv6hdr *ip6h = (const struct ipv6hdr *)cut->header;

	if (!cut->v6)
		return csum_tcpudp_nofold(iph->saddr, iph->daddr, 0, iph->protocol, 0);
	return csum_partial(&ip6h->saddr, sizeof(ip6h->saddr) + sizeof(ip6h->daddr),
			    (__force __wsum)htonl(ip6h->nexthdr));
}

/* Of pseudo header and transport header, without what write_tcp() and write_udp() add. */
static __wsum header_sum(const struct esplane_cut *cut)
{
	union {
		struct tcphdr tcp;
		struct udphdr udp;
		u8 bytes[MAX_TCP_HEADER_LEN];
	} l4;

	memcpy(l4.bytes, cut->header + cut->l4, cut->header_len - cut->l4);
	if (cut->kind == ESPLANE_CUT_TCP) {
		l4.tcp.seq = 0;
		tcp_flag_word(&l4.tcp) = 0;
		l4.tcp.check = 0;
	} else {
		l4.udp.len = 0;
		l4.udp.check = 0;
	}
	return csum_partial(l4.bytes, cut->header_len - cut->l4, pseudo_sum(cut));
}

static int plan_segments(struct esplane_cut *cut, const struct sk_buff *skb, unsigned int mtu)
{
	int err = read_header(cut, skb);

	if (err)
		return err;
	cut->size = skb_shinfo(skb)->gso_size;
	cut->shrunk = cut->header_len + cut->size > mtu;
	if (cut->shrunk) {
		/* A datagram's borders mean something, those of a TCP segment do not. */
		if (cut->kind != ESPLANE_CUT_TCP || cut->header_len + MIN_SEGMENT > mtu)
			return -EMSGSIZE;
		cut->size = mtu - cut->header_len;
	}
	cut->n = DIV_ROUND_UP(skb->len - cut->header_len, cut->size);
	cut->fixed_id = skb_shinfo(skb)->gso_type & SKB_GSO_TCP_FIXEDID;
	cut->fixed = header_sum(cut);
	return 0;
}

int esplane_cut_init(struct esplane_cut *cut, const struct sk_buff *skb, unsigned int mtu)
{
	cut->skb = skb;
	cut->skip = 0;
	cut->kind = skb_is_gso(skb) ? kind_of(skb) : ESPLANE_CUT_WHOLE;
	if (cut->kind != ESPLANE_CUT_WHOLE)
		return plan_segments(cut, skb, mtu);
	return skb_is_gso(skb) ? -EOPNOTSUPP : plan_whole(cut, skb, mtu);
}
EXPORT_SYMBOL_IF_KUNIT(esplane_cut_init);

void esplane_cut_init_list(struct esplane_cut *cut, struct sk_buff *const *list, unsigned int n)
{
	plan_whole(cut, list[0], list[0]->len);
	cut->skb = list[0];
	cut->list = list;
	cut->skip = 0;
	cut->kind = ESPLANE_CUT_LIST;
	cut->n = n;
}
EXPORT_SYMBOL_IF_KUNIT(esplane_cut_init_list);

static unsigned int payload_len(const struct esplane_cut *cut, unsigned int i)
{
	unsigned int payload = cut->skb->len - cut->header_len;

	return min(cut->size, payload - i * cut->size);
}

unsigned int esplane_cut_len(const struct esplane_cut *cut, unsigned int i)
{
	if (unlikely(cut->kind == ESPLANE_CUT_LIST))
		return cut->list[i]->len;
	return cut->header_len + payload_len(cut, i) - cut->skip;
}
EXPORT_SYMBOL_IF_KUNIT(esplane_cut_len);

static void write_ip(const struct esplane_cut *cut, unsigned int i, unsigned int len, u8 *to)
{
	struct iphdr *iph = (struct iphdr *)to;

	if (cut->v6) {
		((struct ipv6hdr *)to)->payload_len = htons(len - sizeof(struct ipv6hdr));
		return;
	}
	iph->tot_len = htons(len);
	if (!cut->fixed_id)
		iph->id = htons(ntohs(iph->id) + i);
	iph->check = 0;
	iph->check = ip_fast_csum(iph, iph->ihl);
}

/* @len: as in the pseudo header. */
static __wsum common_sum(const struct esplane_cut *cut, unsigned int len, __wsum payload)
{
	return csum_add(csum_add(payload, cut->fixed), (__force __wsum)htonl(len));
}

static void write_tcp(const struct esplane_cut *cut, unsigned int i, unsigned int len, u8 *to,
		      __wsum payload)
{
	__wsum sum = common_sum(cut, len, payload);
	struct tcphdr *th = (struct tcphdr *)to;

	th->seq = htonl(ntohl(th->seq) + i * cut->size);
	if (i)
		th->cwr = 0;
	if (i + 1 < cut->n) {
		th->fin = 0;
		th->psh = 0;
	}
	sum = csum_add(sum, (__force __wsum)th->seq);
	th->check = csum_fold(csum_add(sum, (__force __wsum)tcp_flag_word(th)));
}

static void write_udp(const struct esplane_cut *cut, unsigned int len, u8 *to, __wsum payload)
{
	__wsum sum = common_sum(cut, len, payload);
	struct udphdr *uh = (struct udphdr *)to;

	uh->len = htons(len);
	uh->check = csum_fold(csum_add(sum, (__force __wsum)uh->len)) ?: CSUM_MANGLED_0;
}

/* The bytes, if they are contiguous in memory, else NULL. */
static const u8 *contiguous(const struct sk_buff *skb, unsigned int offset, unsigned int len)
{
	const skb_frag_t *frag = skb_shinfo(skb)->frags;
	unsigned int headlen = skb_headlen(skb), i;
	const u8 *base;

	if (offset < headlen)
		return offset + len <= headlen ? skb->data + offset : NULL;
	offset -= headlen;
	for (i = 0; i < skb_shinfo(skb)->nr_frags; i++, frag++) {
		if (offset < skb_frag_size(frag)) {
			base = skb_frag_address_safe(frag);
			return base && offset + len <= skb_frag_size(frag) ? base + offset : NULL;
		}
		offset -= skb_frag_size(frag);
	}
	return NULL;
}

static __wsum copy_payload(const struct esplane_cut *cut, unsigned int offset, unsigned int len,
			   u8 *to)
{
	const u8 *from = contiguous(cut->skb, offset, len);

	if (likely(from))
		return csum_partial_copy_nocheck(from, to, len);
	return skb_copy_and_csum_bits(cut->skb, offset, to, len);
}

static void write_segment(const struct esplane_cut *cut, unsigned int i, u8 *to)
{
	unsigned int payload = payload_len(cut, i), header_len = cut->header_len - cut->skip;
	unsigned int l4_len = cut->header_len - cut->l4 + payload;
	u8 *l4 = to + (cut->l4 - cut->skip);
	__wsum sum;

	memcpy(to, cut->header + cut->skip, header_len);
	sum = copy_payload(cut, cut->header_len + i * cut->size, payload, to + header_len);
	if (!cut->skip)
		write_ip(cut, i, cut->l4 + l4_len, to);
	if (cut->kind == ESPLANE_CUT_TCP)
		write_tcp(cut, i, l4_len, l4, sum);
	else
		write_udp(cut, l4_len, l4, sum);
}

/* As skb_checksum_help() would leave the packet, but in the copy. */
static int write_whole(const struct sk_buff *skb, unsigned int skip, u8 *to)
{
	unsigned int start, field;
	__sum16 check;

	if (skb->ip_summed != CHECKSUM_PARTIAL)
		return skb_copy_bits(skb, skip, to, skb->len - skip);
	start = skb_checksum_start_offset(skb);
	field = start + skb->csum_offset;
	if (start < skip || start >= skb->len || field + sizeof(check) > skb->len)
		return -EINVAL;
	if (skb_copy_bits(skb, skip, to, start - skip))
		return -EFAULT;
	to -= skip;
	check = csum_fold(skb_copy_and_csum_bits(skb, start, to + start, skb->len - start));
	check = check ?: CSUM_MANGLED_0;
	memcpy(to + field, &check, sizeof(check));
	return 0;
}

int esplane_cut_write(const struct esplane_cut *cut, unsigned int i, u8 *to)
{
	if (cut->kind == ESPLANE_CUT_WHOLE)
		return write_whole(cut->skb, cut->skip, to);
	if (cut->kind == ESPLANE_CUT_LIST)
		return write_whole(cut->list[i], 0, to);
	write_segment(cut, i, to);
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(esplane_cut_write);
