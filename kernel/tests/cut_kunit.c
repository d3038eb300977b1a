// SPDX-License-Identifier: GPL-2.0
/*
 * Cutting super-packets against the stack's own segmentation: both must make the same packets, byte
 * for byte, of TCP and UDP over IPv4 and IPv6.
 */
#include <kunit/test.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/skbuff.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <net/ip.h>
#include <net/ip6_checksum.h>
#include <net/tcp.h>

#include "compat.h"
#include "cut.h"
#include "import.h"

enum {
	PAYLOAD = 5000,
	MSS = 1200,
	ROOM = 256,		/* for headers that nobody cuts off */
	TCP_OPTIONS = 12,	/* a timestamp, as it nearly always has (RFC 7323) */
	ID = 0xfffe,		/* counts beyond 16 bits */
	SEQ = 0xfffff000,	/* and beyond 32 */
};

struct super {
	const char *name;
	bool v6, tcp;
	unsigned int gso_type;
};

static const struct super supers[] = {
	{ "TCP over IPv4", false, true, SKB_GSO_TCPV4 },
	{ "TCP over IPv4, fixed ID", false, true, SKB_GSO_TCPV4 | SKB_GSO_TCP_FIXEDID },
	{ "TCP over IPv4 with CWR", false, true, SKB_GSO_TCPV4 | SKB_GSO_TCP_ECN },
	{ "TCP over IPv6", true, true, SKB_GSO_TCPV6 },
	{ "TCP over IPv6 with CWR", true, true, SKB_GSO_TCPV6 | SKB_GSO_TCP_ECN },
	{ "UDP over IPv4", false, false, SKB_GSO_UDP_L4 },
	{ "UDP over IPv6", true, false, SKB_GSO_UDP_L4 },
};

static void put_payload(struct sk_buff *skb)
{
	unsigned int i;

	for (i = 0; i < PAYLOAD; i++)
		skb_put_u8(skb, i * 7);
}

static void push_tcp(struct sk_buff *skb, const struct super *s)
{
	struct tcphdr *th;

	memset(skb_push(skb, TCP_OPTIONS), TCPOPT_NOP, TCP_OPTIONS);
	th = memset(skb_push(skb, sizeof(*th)), 0, sizeof(*th));
	th->source = htons(1000);
	th->dest = htons(2000);
	th->seq = htonl(SEQ);
	th->ack_seq = htonl(77);
	th->doff = (sizeof(*th) + TCP_OPTIONS) / 4;
	th->ack = 1;
	th->psh = 1;
	th->fin = 1;
	th->cwr = !!(s->gso_type & SKB_GSO_TCP_ECN);
	th->window = htons(501);
	skb->csum_offset = offsetof(struct tcphdr, check);
}

static void push_udp(struct sk_buff *skb)
{
	struct udphdr *uh = memset(skb_push(skb, sizeof(*uh)), 0, sizeof(*uh));

	uh->source = htons(1000);
	uh->dest = htons(2000);
	uh->len = htons(skb->len);
	skb->csum_offset = offsetof(struct udphdr, check);
}

static __sum16 push_ip(struct sk_buff *skb, u8 protocol)
{
	unsigned int len = skb->len;
	struct iphdr *iph = memset(skb_push(skb, sizeof(*iph)), 0, sizeof(*iph));

	skb_reset_network_header(skb);
	iph->version = 4;
	iph->ihl = 5;
	iph->tos = 0x2e;
	iph->id = htons(ID);
	iph->frag_off = htons(IP_DF);
	iph->ttl = 61;
	iph->protocol = protocol;
	iph->saddr = htonl(0x0a010001);
	iph->daddr = htonl(0x0a020001);
	iph->tot_len = htons(skb->len);
	ip_send_check(iph);
	skb->protocol = htons(ETH_P_IP);
	return ~csum_tcpudp_magic(iph->saddr, iph->daddr, len, protocol, 0);
}

static __sum16 push_ip6(struct sk_buff *skb, u8 protocol)
{
	unsigned int len = skb->len;
	struct ipv6hdr *ip6h = memset(skb_push(skb, sizeof(*ip6h)), 0, sizeof(*ip6h));

	skb_reset_network_header(skb);
	ip6_flow_hdr(ip6h, 0x2e, htonl(0x12345));
	ip6h->payload_len = htons(len);
	ip6h->nexthdr = protocol;
	ip6h->hop_limit = 61;
	ip6h->saddr.s6_addr[0] = 0x20;
	ip6h->saddr.s6_addr[15] = 1;
	ip6h->daddr.s6_addr[0] = 0x20;
	ip6h->daddr.s6_addr[15] = 2;
	skb->protocol = htons(ETH_P_IPV6);
	return ~csum_ipv6_magic(&ip6h->saddr, &ip6h->daddr, len, protocol, 0);
}

/* As the transport hands it down. */
static struct sk_buff *make(struct kunit *test, const struct super *s)
{
	struct sk_buff *skb = alloc_skb(ROOM + PAYLOAD, GFP_KERNEL);
	u8 protocol = s->tcp ? IPPROTO_TCP : IPPROTO_UDP;
	__sum16 check;

	KUNIT_ASSERT_NOT_NULL(test, skb);
	skb_reserve(skb, ROOM);
	put_payload(skb);
	if (s->tcp)
		push_tcp(skb, s);
	else
		push_udp(skb);
	skb_reset_transport_header(skb);
	check = s->v6 ? push_ip6(skb, protocol) : push_ip(skb, protocol);
	memcpy(skb_transport_header(skb) + skb->csum_offset, &check, sizeof(check));
	skb->csum_start = skb_transport_header(skb) - skb->head;
	skb->ip_summed = CHECKSUM_PARTIAL;
	/* Segmentation goes by the link layer's header, if there is none by where it would be. */
	skb_reset_mac_header(skb);
	skb_reset_mac_len(skb);
	skb_shinfo(skb)->gso_type = s->gso_type;
	skb_shinfo(skb)->gso_size = MSS;
	skb_shinfo(skb)->gso_segs = DIV_ROUND_UP(PAYLOAD, MSS);
	return skb;
}

/* In transport mode the IP header is somebody else's to write. */
static void without_ip(struct kunit *test, struct esplane_cut *cut, unsigned int n,
		       const struct sk_buff *seg, u8 *bytes)
{
	unsigned int len = seg->len - cut->l4;

	cut->skip = cut->l4;
	memset(bytes, 0x5a, ROOM + MSS);
	KUNIT_EXPECT_EQ(test, esplane_cut_len(cut, n), len);
	KUNIT_EXPECT_EQ(test, esplane_cut_write(cut, n, bytes), 0);
	KUNIT_EXPECT_MEMEQ(test, bytes, seg->data + cut->l4, len);
	KUNIT_EXPECT_EQ(test, bytes[len], 0x5a);
	cut->skip = 0;
}

static void as_the_stack_does(struct kunit *test)
{
	unsigned int i, n;
	u8 *bytes = kunit_kzalloc(test, ROOM + MSS, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, bytes);
	for (i = 0; i < ARRAY_SIZE(supers); i++) {
		struct sk_buff *skb = make(test, &supers[i]), *segs, *seg;
		struct esplane_cut cut;

		KUNIT_ASSERT_EQ_MSG(test, esplane_cut_init(&cut, skb, 1500), 0, "%s",
				    supers[i].name);
		segs = skb_gso_segment(skb, 0);
		KUNIT_ASSERT_FALSE_MSG(test, IS_ERR_OR_NULL(segs), "%s", supers[i].name);
		for (seg = segs, n = 0; seg; seg = seg->next, n++) {
			KUNIT_ASSERT_LT_MSG(test, n, cut.n, "%s", supers[i].name);
			KUNIT_ASSERT_EQ_MSG(test, esplane_cut_len(&cut, n), seg->len, "%s, %u",
					    supers[i].name, n);
			KUNIT_ASSERT_EQ(test, skb_linearize(seg), 0);
			KUNIT_ASSERT_EQ(test, esplane_cut_write(&cut, n, bytes), 0);
			KUNIT_EXPECT_MEMEQ_MSG(test, bytes, seg->data, seg->len, "%s, %u",
					       supers[i].name, n);
			without_ip(test, &cut, n, seg, bytes);
		}
		KUNIT_EXPECT_EQ_MSG(test, n, cut.n, "%s", supers[i].name);
		KUNIT_EXPECT_FALSE(test, cut.shrunk);
		kfree_skb_list(segs);
		kfree_skb(skb);
	}
}

/* Each stays whole and gets its checksum, as the stack would compute it. */
static void packets_of_a_list(struct kunit *test)
{
	u8 *bytes = kunit_kzalloc(test, ROOM + PAYLOAD, GFP_KERNEL);
	struct sk_buff *list[ARRAY_SIZE(supers)];
	struct esplane_cut cut;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, bytes);
	for (i = 0; i < ARRAY_SIZE(supers); i++) {
		list[i] = make(test, &supers[i]);
		skb_shinfo(list[i])->gso_size = 0;
	}
	esplane_cut_init_list(&cut, list, ARRAY_SIZE(list));
	KUNIT_EXPECT_EQ(test, cut.n, ARRAY_SIZE(list));
	for (i = 0; i < ARRAY_SIZE(supers); i++) {
		memset(bytes, 0x5a, ROOM + PAYLOAD);
		KUNIT_EXPECT_EQ(test, esplane_cut_len(&cut, i), list[i]->len);
		KUNIT_EXPECT_EQ(test, esplane_cut_write(&cut, i, bytes), 0);
		KUNIT_ASSERT_EQ(test, skb_checksum_help(list[i]), 0);
		KUNIT_EXPECT_MEMEQ_MSG(test, bytes, list[i]->data, list[i]->len, "%s",
				       supers[i].name);
		KUNIT_EXPECT_EQ(test, bytes[list[i]->len], 0x5a);
		kfree_skb(list[i]);
	}
}

/* A TCP segment is made to fit, a datagram cannot be: 40 or 20 bytes of IP, 32 of TCP, 8 of UDP. */
static void what_does_not_fit(struct kunit *test)
{
	unsigned int i, headers;

	for (i = 0; i < ARRAY_SIZE(supers); i++) {
		struct sk_buff *skb = make(test, &supers[i]);
		struct esplane_cut cut;

		headers = (supers[i].v6 ? 40 : 20) + (supers[i].tcp ? 32 : 8);
		KUNIT_EXPECT_EQ(test, esplane_cut_init(&cut, skb, headers + MSS), 0);
		KUNIT_EXPECT_EQ(test, esplane_cut_init(&cut, skb, headers + MSS - 1),
				supers[i].tcp ? 0 : -EMSGSIZE);
		if (supers[i].tcp) {
			KUNIT_EXPECT_TRUE(test, cut.shrunk);
			KUNIT_EXPECT_EQ(test, esplane_cut_len(&cut, 0), headers + MSS - 1);
		}
		kfree_skb(skb);
	}
}

/* Behind IPv6 extension headers the stack must find the way. */
static void extension_headers(struct kunit *test)
{
	struct sk_buff *skb = make(test, &supers[3]);
	struct esplane_cut cut;

	ipv6_hdr(skb)->nexthdr = NEXTHDR_DEST;
	KUNIT_EXPECT_EQ(test, esplane_cut_init(&cut, skb, 1500), -EOPNOTSUPP);
	kfree_skb(skb);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(as_the_stack_does),
	KUNIT_CASE(packets_of_a_list),
	KUNIT_CASE(what_does_not_fit),
	KUNIT_CASE(extension_headers),
	{}
};

static struct kunit_suite suite = {
	.name = "esplane_cut",
	.test_cases = cases,
};

kunit_test_suite(suite);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("KUnit tests of esplane's cutting of super-packets");
