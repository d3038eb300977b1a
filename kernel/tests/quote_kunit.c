// SPDX-License-Identifier: GPL-2.0
/*
 * ICMP errors that quote a packet, written by hand from RFC 792, RFC 791, RFC 4443 and RFC 8200:
 * which flow answers the quoted packet, and what the selectors of an SA let in for it.
 *
 *	10.1.0.2, 2001:db8:a::2		sent the quoted packet; the error goes to it
 *	10.2.0.1, 2001:db8:b::1		it was for this one, beyond the tunnel
 *	10.3.0.9, 2001:db8:c::9		a router on its way, outside the selectors
 */
#include <kunit/test.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/skbuff.h>
#include <net/ip.h>

#include "../esp.h"
#include "../exthdr.h"
#include "../input.h"
#include "../quote.h"
#include "../sa.h"
#include "../selector.h"
#include "../train.h"
#include "import.h"

enum {
	SENDER = 0x0a010002,
	TARGET = 0x0a020001,
	ROUTER = 0x0a030009,
	V4_HEADER = 20,
	V6_HEADER = 40,
	ICMP_HEADER = 8,	/* RFC 792, RFC 4443 section 3 */
	ROOM = 256,
	MF = 0x2000,		/* RFC 791 section 3.1, in the field of the fragment offset */
};

/* First bytes of UDP from port 0x1234 to 0x5678; as ICMP, type 0x12, code 0x34. */
#define UPPER 0x12, 0x34, 0x56, 0x78, 0, 8, 0, 0
#define BYTES(...) { __VA_ARGS__ }, sizeof((u8[]){ __VA_ARGS__ })

static void put_v4(u8 *to, u32 src, u32 dst, u8 protocol, u16 len, u16 frag, u8 words)
{
	struct iphdr *iph = (struct iphdr *)to;

	memset(to, 0, words * 4);
	iph->version = 4;
	iph->ihl = words;
	iph->ttl = 64;
	iph->protocol = protocol;
	iph->tot_len = htons(len);
	iph->frag_off = htons(frag);
	iph->saddr = htonl(src);
	iph->daddr = htonl(dst);
	ip_send_check(iph);
}

static void put_v6(u8 *to, u8 src, u8 dst, u8 next, u16 payload)
{
	static const u8 prefix[] = { 0x20, 0x01, 0x0d, 0xb8, 0 };
	struct ipv6hdr *ip6h = (struct ipv6hdr *)to;

	memset(ip6h, 0, sizeof(*ip6h));
	ip6h->version = 6;
	ip6h->hop_limit = 64;
	ip6h->nexthdr = next;
	ip6h->payload_len = htons(payload);
	memcpy(&ip6h->saddr, prefix, sizeof(prefix));
	memcpy(&ip6h->daddr, prefix, sizeof(prefix));
	ip6h->saddr.s6_addr[5] = src >> 4;
	ip6h->saddr.s6_addr[15] = src & 0xf;
	ip6h->daddr.s6_addr[5] = dst >> 4;
	ip6h->daddr.s6_addr[15] = dst & 0xf;
}

/* Nibbles of put_v6(): the network, the host. */
enum { SENDER_V6 = 0xa2, TARGET_V6 = 0xb1, ROUTER_V6 = 0xc9 };

/* The packet in an skb whose first @linear bytes are linear, the others in a page. */
static struct sk_buff *skb_of(struct kunit *test, const u8 *bytes, unsigned int len,
			      unsigned int linear)
{
	struct sk_buff *skb = alloc_skb(ROOM, GFP_KERNEL);
	struct page *page = alloc_page(GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, skb);
	KUNIT_ASSERT_NOT_NULL(test, page);
	skb_reset_network_header(skb);
	skb_put_data(skb, bytes, linear);
	memcpy(page_address(page), bytes + linear, len - linear);
	skb_add_rx_frag(skb, 0, page, 0, len - linear, PAGE_SIZE);
	return skb;
}

/* As bytes, and as an skb that is cut at each place: the same answer. */
static bool reverse(struct kunit *test, const u8 *bytes, unsigned int len,
		    struct esplane_flow *found)
{
	struct esplane_bytes packet = { .data = bytes, .len = len };
	struct esplane_flow flow, other;
	unsigned int linear;
	bool result;

	/* Of exactly its length, so that KASAN sees who reads on. */
	packet.data = kunit_kmalloc(test, len, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, packet.data);
	memcpy((u8 *)packet.data, bytes, len);
	if (!esplane_flow_from_bytes(packet.data, len, &flow))
		return false;
	result = esplane_quote_reverse(&packet, &flow, found);
	for (linear = 0; linear < len; linear++) {
		struct sk_buff *skb = skb_of(test, bytes, len, linear);

		packet = (struct esplane_bytes){ .skb = skb, .len = len };
		KUNIT_EXPECT_EQ(test, esplane_quote_reverse(&packet, &flow, &other), result);
		if (result)
			KUNIT_EXPECT_EQ(test, memcmp(found, &other, sizeof(other)), 0);
		kfree_skb(skb);
	}
	return result;
}

struct quote {
	const char *name;
	u8 type;		/* of the error */
	u8 protocol;		/* quoted */
	u8 words;		/* IPv4: of the quoted header */
	u16 frag;		/* IPv4: quoted */
	u8 bytes[64];		/* that follow the quoted header */
	unsigned int len;
	bool result;
	u8 found;		/* protocol of the answer */
	bool ports;
	u16 sport, dport;
};

static void expect(struct kunit *test, const struct quote *q, const u8 *packet, unsigned int len)
{
	struct esplane_flow found;
	bool result = reverse(test, packet, len, &found);

	KUNIT_EXPECT_EQ_MSG(test, result, q->result, "%s", q->name);
	if (!result || !q->result)
		return;
	KUNIT_EXPECT_EQ_MSG(test, found.protocol, q->found, "%s", q->name);
	KUNIT_EXPECT_EQ_MSG(test, found.ports, q->ports, "%s", q->name);
	KUNIT_EXPECT_EQ_MSG(test, found.sport, q->sport, "%s", q->name);
	KUNIT_EXPECT_EQ_MSG(test, found.dport, q->dport, "%s", q->name);
}

/* An error of @q->type from the router about a packet from the sender. */
static unsigned int error_v4(u8 *to, const struct quote *q)
{
	unsigned int len = V4_HEADER + ICMP_HEADER + q->words * 4 + q->len;

	memset(to, 0, ROOM);
	put_v4(to, ROUTER, SENDER, IPPROTO_ICMP, len, 0, 5);
	to[V4_HEADER] = q->type;
	put_v4(to + V4_HEADER + ICMP_HEADER, SENDER, TARGET, q->protocol, 1500, q->frag, q->words);
	memcpy(to + V4_HEADER + ICMP_HEADER + q->words * 4, q->bytes, q->len);
	return len;
}

static const struct quote udp_v4 = {
	"UDP", 3, 17, 5, 0, BYTES(UPPER), true, 17, true, 0x5678, 0x1234
};

static void quotes_v4(struct kunit *test)
{
	static const struct quote rows[] = {
		{ "TCP, time exceeded", 11, 6, 5, 0, BYTES(UPPER), true, 6, true, 0x5678, 0x1234 },
		{ "parameter problem", 12, 17, 5, 0, BYTES(UPPER), true, 17, true, 0x5678, 0x1234 },
		{ "40 bytes of options", 3, 17, 15, 0, BYTES(UPPER), true, 17, true, 0x5678,
		  0x1234 },
		/* what has no other end is not turned around */
		{ "an ICMP message", 3, 1, 5, 0, BYTES(UPPER), true, 1, true, 0x12, 0x34 },
		{ "ESP", 3, 50, 5, 0, BYTES(UPPER), true, 50, true, 0, 0 },
		{ "first fragment", 3, 17, 5, MF, BYTES(UPPER), true, 17, true, 0x5678, 0x1234 },
		{ "later fragment", 3, 17, 5, 185, BYTES(UPPER), true, 17, false, 0, 0 },
		{ "ports cut short", 3, 17, 5, 0, BYTES(0x12, 0x34, 0x56), true, 17, false, 0, 0 },
		{ "nothing behind the header", 3, 17, 5, 0, {}, 0, true, 17, false, 0, 0 },
		{ "source quench", 4, 17, 5, 0, BYTES(UPPER), false },
		{ "redirect", 5, 17, 5, 0, BYTES(UPPER), false },
		{ "echo reply", 0, 17, 5, 0, BYTES(UPPER), false },
		{ "echo request", 8, 17, 5, 0, BYTES(UPPER), false },
		{ "a header of 16 bytes", 3, 17, 4, 0, BYTES(UPPER), false },
	};
	u8 packet[ROOM];
	unsigned int i;

	expect(test, &udp_v4, packet, error_v4(packet, &udp_v4));
	for (i = 0; i < ARRAY_SIZE(rows); i++)
		expect(test, &rows[i], packet, error_v4(packet, &rows[i]));
}

/* The answer's addresses are the quoted ones, exchanged; the error's source is not among them. */
static void addresses(struct kunit *test)
{
	struct esplane_flow found;
	u8 packet[ROOM];

	KUNIT_ASSERT_TRUE(test, reverse(test, packet, error_v4(packet, &udp_v4), &found));
	KUNIT_EXPECT_EQ(test, found.family, AF_INET);
	KUNIT_EXPECT_EQ(test, ntohl(found.src.ip), TARGET);
	KUNIT_EXPECT_EQ(test, ntohl(found.dst.ip), SENDER);
}

static void broken_v4(struct kunit *test)
{
	struct iphdr *quoted, *outer;
	struct esplane_flow found;
	unsigned int len, whole;
	u8 packet[ROOM];

	outer = (struct iphdr *)packet;
	quoted = (struct iphdr *)(packet + V4_HEADER + ICMP_HEADER);
	whole = error_v4(packet, &udp_v4);
	for (len = V4_HEADER; len < whole; len++)	/* 20 of header at least, or no result */
		KUNIT_EXPECT_EQ_MSG(test, reverse(test, packet, len, &found),
				    len >= V4_HEADER + ICMP_HEADER + V4_HEADER, "%u bytes", len);
	quoted->version = 6;
	KUNIT_EXPECT_FALSE(test, reverse(test, packet, whole, &found));
	quoted->version = 5;
	KUNIT_EXPECT_FALSE(test, reverse(test, packet, whole, &found));
	error_v4(packet, &udp_v4);
	quoted->ihl = 15;		/* options that are not there */
	KUNIT_EXPECT_FALSE(test, reverse(test, packet, whole, &found));
	error_v4(packet, &udp_v4);
	quoted->saddr = htonl(SENDER + 1);	/* it goes to another than who sent the packet */
	KUNIT_EXPECT_FALSE(test, reverse(test, packet, whole, &found));
	error_v4(packet, &udp_v4);
	outer->frag_off = htons(MF);	/* its other fragments would tell nothing */
	KUNIT_EXPECT_FALSE(test, reverse(test, packet, whole, &found));
	error_v4(packet, &udp_v4);
	outer->protocol = 58;		/* ICMPv6 is of IPv6 */
	packet[V4_HEADER] = 1;
	KUNIT_EXPECT_FALSE(test, reverse(test, packet, whole, &found));
}

enum { FH = 44, DO = 60, ICMPV6 = 58 };

static unsigned int error_v6(u8 *to, const struct quote *q)
{
	unsigned int len = ICMP_HEADER + V6_HEADER + q->len;

	memset(to, 0, ROOM);
	put_v6(to, ROUTER_V6, SENDER_V6, ICMPV6, len);
	to[V6_HEADER] = q->type;
	put_v6(to + V6_HEADER + ICMP_HEADER, SENDER_V6, TARGET_V6, q->protocol, 1460);
	memcpy(to + V6_HEADER + ICMP_HEADER + V6_HEADER, q->bytes, q->len);
	return V6_HEADER + len;
}

static void quotes_v6(struct kunit *test)
{
	static const struct quote rows[] = {
		{ "unreachable", 1, 17, 0, 0, BYTES(UPPER), true, 17, true, 0x5678, 0x1234 },
		{ "too big", 2, 6, 0, 0, BYTES(UPPER), true, 6, true, 0x5678, 0x1234 },
		{ "time exceeded", 3, 6, 0, 0, BYTES(UPPER), true, 6, true, 0x5678, 0x1234 },
		{ "parameter problem", 4, 6, 0, 0, BYTES(UPPER), true, 6, true, 0x5678, 0x1234 },
		{ "reserved type", 0, 17, 0, 0, BYTES(UPPER), false },
		{ "unassigned error", 5, 17, 0, 0, BYTES(UPPER), false },
		{ "echo request", 128, 17, 0, 0, BYTES(UPPER), false },
		{ "redirect", 137, 17, 0, 0, BYTES(UPPER), false },
		{ "an ICMPv6 message", 1, ICMPV6, 0, 0, BYTES(UPPER), true, ICMPV6, true, 0x12,
		  0x34 },
		{ "destination options", 1, DO, 0, 0, BYTES(17, 0, 1, 4, 0, 0, 0, 0, UPPER), true,
		  17, true, 0x5678, 0x1234 },
		{ "hop-by-hop options and a first fragment", 2, 0, 0, 0,
		  BYTES(FH, 0, 1, 4, 0, 0, 0, 0, 17, 0, 0, 1, 0, 0, 0, 1, UPPER), true, 17, true,
		  0x5678, 0x1234 },
		{ "later fragment", 2, FH, 0, 0, BYTES(17, 0, 5, 0xa8, 0, 0, 0, 1, UPPER), true,
		  17, false, 0, 0 },
		{ "options cut short", 1, DO, 0, 0, BYTES(17, 9, 1, 4, 0, 0, 0, 0), true, DO,
		  false, 0, 0 },
		{ "ports cut short", 1, 17, 0, 0, BYTES(0x12, 0x34, 0x56), true, 17, false, 0, 0 },
	};
	struct esplane_flow found;
	u8 packet[ROOM];
	unsigned int i, len;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		expect(test, &rows[i], packet, error_v6(packet, &rows[i]));
	len = error_v6(packet, &rows[0]);
	KUNIT_ASSERT_TRUE(test, reverse(test, packet, len, &found));
	KUNIT_EXPECT_EQ(test, found.family, AF_INET6);
	KUNIT_EXPECT_EQ(test, memcmp(&found.src, packet + 72, 16), 0);	/* 40 + 8 + 24 */
	KUNIT_EXPECT_EQ(test, memcmp(&found.dst, packet + 56, 16), 0);	/* 40 + 8 + 8 */
	for (i = V6_HEADER; i < len; i++)
		KUNIT_EXPECT_EQ_MSG(test, reverse(test, packet, i, &found),
				    i >= V6_HEADER + ICMP_HEADER + V6_HEADER, "%u bytes", i);
	packet[56 + 15]++;	/* quoted source: not where the error goes */
	KUNIT_EXPECT_FALSE(test, reverse(test, packet, len, &found));
	packet[56 + 15]--;
	packet[48] = 0x45;
	KUNIT_EXPECT_FALSE(test, reverse(test, packet, len, &found));
}

/* The error itself may have extension headers; a fragment of one is not read. */
static void headers_of_the_error(struct kunit *test)
{
	static const u8 options[] = { ICMPV6, 0, 1, 4, 0, 0, 0, 0 };
	static const u8 fragment[] = { ICMPV6, 0, 0, 1, 0, 0, 0, 1 };
	static const struct quote q = { "", 2, 17, 0, 0, BYTES(UPPER) };
	struct esplane_flow found;
	u8 packet[ROOM];
	unsigned int len;

	len = error_v6(packet, &q);
	memmove(packet + V6_HEADER + 8, packet + V6_HEADER, len - V6_HEADER);
	memcpy(packet + V6_HEADER, options, sizeof(options));
	packet[6] = DO;
	KUNIT_EXPECT_TRUE(test, reverse(test, packet, len + 8, &found));
	KUNIT_EXPECT_EQ(test, found.sport, 0x5678);
	memcpy(packet + V6_HEADER, fragment, sizeof(fragment));
	packet[6] = FH;
	KUNIT_EXPECT_FALSE(test, reverse(test, packet, len + 8, &found));
}

/* An inbound SA for UDP from 10.2.0.0/24, port 0x5678 alone, to 10.1.0.0/24. */
static struct esplane_sa *make_sa(struct kunit *test)
{
	struct esplane_sa *sa = kunit_kzalloc(test, sizeof(*sa), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, sa);
	sa->selectors = kunit_kzalloc(test, sizeof(*sa->selectors), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, sa->selectors);
	sa->n_selectors = 1;
	sa->selectors[0] = (struct esplane_selector){
		.family = AF_INET, .protocol = 17,
		.sport_first = 0x5678, .sport_last = 0x5678, .dport_last = 65535,
	};
	sa->selectors[0].src_first.ip = htonl(0x0a020000);
	sa->selectors[0].src_last.ip = htonl(0x0a0200ff);
	sa->selectors[0].dst_first.ip = htonl(0x0a010000);
	sa->selectors[0].dst_last.ip = htonl(0x0a0100ff);
	return sa;
}

/* RFC 4301 section 6.2, inbound: what input.c says of the decrypted packet. */
static void let_in(struct kunit *test)
{
	const struct {
		const char *name;
		struct quote q;
		u32 src, dst;		/* quoted */
		int expected;
	} rows[] = {
		{ "about what the SA answers", { "", 3, 17, 5, 0, BYTES(UPPER) }, SENDER, TARGET,
		  ESPLANE_SEGMENT_GOOD },
		{ "about another port", { "", 3, 17, 5, 0, BYTES(0x12, 0x34, 0, 1) }, SENDER,
		  TARGET, ESPLANE_DROP_SELECTOR },
		{ "about another protocol", { "", 3, 6, 5, 0, BYTES(UPPER) }, SENDER, TARGET,
		  ESPLANE_DROP_SELECTOR },
		{ "about a fragment, whose ports nobody knows", { "", 3, 17, 5, 9, BYTES(UPPER) },
		  SENDER, TARGET, ESPLANE_DROP_SELECTOR },
		{ "about a packet to elsewhere", { "", 3, 17, 5, 0, BYTES(UPPER) }, SENDER, ROUTER,
		  ESPLANE_DROP_SELECTOR },
		{ "about a packet the wrong way", { "", 3, 17, 5, 0, BYTES(UPPER) }, TARGET,
		  SENDER, ESPLANE_DROP_SELECTOR },
		{ "about another host's packet", { "", 3, 17, 5, 0, BYTES(UPPER) }, SENDER + 1,
		  TARGET, ESPLANE_DROP_SELECTOR },
		{ "no error", { "", 8, 17, 5, 0, BYTES(UPPER) }, SENDER, TARGET,
		  ESPLANE_DROP_SELECTOR },
	};
	struct esplane_sa *sa = make_sa(test);
	struct iphdr *quoted;
	u8 packet[ROOM];
	unsigned int i, len;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct esplane_segment seg = { .text = packet };

		len = error_v4(packet, &rows[i].q);
		quoted = (struct iphdr *)(packet + V4_HEADER + ICMP_HEADER);
		quoted->saddr = htonl(rows[i].src);
		quoted->daddr = htonl(rows[i].dst);
		packet[len + 1] = IPPROTO_IPIP;		/* the ESP trailer: no padding */
		seg.text_len = len + sizeof(struct esplane_esp_trailer);
		KUNIT_EXPECT_EQ_MSG(test, esplane_input_open(sa, &seg, 0, NULL),
				    rows[i].expected, "%s",
				    rows[i].name);
	}
}

static struct kunit_case cases[] = {
	KUNIT_CASE(quotes_v4),
	KUNIT_CASE(addresses),
	KUNIT_CASE(broken_v4),
	KUNIT_CASE(quotes_v6),
	KUNIT_CASE(headers_of_the_error),
	KUNIT_CASE(let_in),
	{}
};

static struct kunit_suite suite = {
	.name = "esplane_quote",
	.test_cases = cases,
};

kunit_test_suite(suite);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("KUnit tests of ICMP errors in esplane's tunnels");
