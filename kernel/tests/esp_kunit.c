// SPDX-License-Identifier: GPL-2.0
/* ESP packets: malformed ones inside, and their sizes. */
#include <kunit/test.h>
#include <linux/ip.h>
#include <linux/skbuff.h>
#include <net/ip.h>

#include "../compat.h"
#include "../esp.h"
#include "../input.h"
#include "../output.h"
#include "../pmtu.h"
#include "../sa.h"
#include "../train.h"
#include "../transform.h"
#include "import.h"

enum {
	ENCR_AES_GCM_16 = 20,	/* IANA */
	MAX_PACKET = 256,
	HEADER = 16,		/* ESP header and IV */
	ICV = 16,
	IP_HEADER = 20,
};

/* A decrypted text: an IP packet of @ip_len bytes, @pad bytes, trailer. */
struct text {
	u8 bytes[MAX_PACKET];
	struct esplane_segment seg;
};

static void make_text(struct text *t, unsigned int ip_len, u8 pad_len, unsigned int pad,
		      u8 next_header)
{
	struct iphdr *iph = (struct iphdr *)t->bytes;
	unsigned int end = ip_len + pad;

	memset(t, 0, sizeof(*t));
	iph->version = 4;
	iph->ihl = 5;
	iph->ttl = 64;
	iph->protocol = IPPROTO_UDP;
	iph->tot_len = htons(ip_len);
	ip_send_check(iph);
	t->bytes[end] = pad_len;
	t->bytes[end + 1] = next_header;
	t->seg.text = t->bytes;
	t->seg.text_len = end + 2;
	t->seg.verdict = ESPLANE_SEGMENT_GOOD;
}

static void trailers(struct kunit *test)
{
	const struct {
		unsigned int ip_len, pad_len, pad;
		u8 next_header;
		int expected;
	} rows[] = {
		{ 20, 2, 2, IPPROTO_IPIP, ESPLANE_SEGMENT_GOOD },
		{ 40, 0, 0, IPPROTO_IPIP, ESPLANE_SEGMENT_GOOD },
		/* RFC 4303 section 2.7: bytes behind the packet that the padding does not count */
		{ 40, 0, 30, IPPROTO_IPIP, ESPLANE_SEGMENT_GOOD },
		{ 40, 3, 30, IPPROTO_IPIP, ESPLANE_SEGMENT_GOOD },
		/* padding longer than the text, and as long as all of it */
		{ 40, 41, 0, IPPROTO_IPIP, ESPLANE_DROP_PADDING },
		{ 40, 255, 0, IPPROTO_IPIP, ESPLANE_DROP_PADDING },
		{ 40, 40, 0, IPPROTO_IPIP, ESPLANE_DROP_INNER_HEADER },
		/* padding that reaches into the packet */
		{ 40, 1, 0, IPPROTO_IPIP, ESPLANE_DROP_INNER_HEADER },
		{ 20, 2, 2, 59, ESPLANE_DROP_DUMMY },
		{ 20, 2, 2, IPPROTO_UDP, ESPLANE_DROP_NEXT_HEADER },
		/* IPv6 is announced, but it is IPv4 */
		{ 40, 2, 2, 41, ESPLANE_DROP_INNER_HEADER },
	};
	struct text *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	struct esplane_sa *sa = kunit_kzalloc(test, sizeof(*sa), GFP_KERNEL);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		make_text(t, rows[i].ip_len, rows[i].pad_len, rows[i].pad, rows[i].next_header);
		KUNIT_EXPECT_EQ_MSG(test, esplane_input_open(sa, &t->seg, 0, NULL),
				    rows[i].expected, "row %u", i);
		if (rows[i].expected == ESPLANE_SEGMENT_GOOD)
			KUNIT_EXPECT_EQ_MSG(test, t->seg.inner_len, rows[i].ip_len, "row %u", i);
	}
}

static void inner_headers(struct kunit *test)
{
	struct text *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	struct esplane_sa *sa = kunit_kzalloc(test, sizeof(*sa), GFP_KERNEL);
	struct iphdr *iph = (struct iphdr *)t->bytes;

	make_text(t, 40, 0, 0, IPPROTO_IPIP);
	iph->version = 6;
	ip_send_check(iph);
	KUNIT_EXPECT_EQ(test, esplane_input_open(sa, &t->seg, 0, NULL), ESPLANE_DROP_INNER_HEADER);
	make_text(t, 40, 0, 0, IPPROTO_IPIP);
	iph->ihl = 4;
	KUNIT_EXPECT_EQ(test, esplane_input_open(sa, &t->seg, 0, NULL), ESPLANE_DROP_INNER_HEADER);
	make_text(t, 40, 0, 0, IPPROTO_IPIP);
	iph->ihl = 15;		/* 60 bytes of header in 40 */
	KUNIT_EXPECT_EQ(test, esplane_input_open(sa, &t->seg, 0, NULL), ESPLANE_DROP_INNER_HEADER);
	make_text(t, 40, 0, 0, IPPROTO_IPIP);
	iph->tot_len = htons(41);
	ip_send_check(iph);
	KUNIT_EXPECT_EQ(test, esplane_input_open(sa, &t->seg, 0, NULL), ESPLANE_DROP_INNER_HEADER);
	make_text(t, 40, 0, 0, IPPROTO_IPIP);
	iph->tot_len = htons(IP_HEADER - 1);
	ip_send_check(iph);
	KUNIT_EXPECT_EQ(test, esplane_input_open(sa, &t->seg, 0, NULL), ESPLANE_DROP_INNER_HEADER);
	make_text(t, 40, 0, 0, IPPROTO_IPIP);
	iph->check ^= htons(1);
	KUNIT_EXPECT_EQ(test, esplane_input_open(sa, &t->seg, 0, NULL), ESPLANE_DROP_INNER_HEADER);
}

/* An IPv6 packet of 40 bytes and @payload, as its header says; then @pad bytes and the trailer. */
static void make_text_v6(struct text *t, unsigned int payload, u8 pad_len, unsigned int pad)
{
	unsigned int end = 40 + payload + pad;

	memset(t, 0, sizeof(*t));
	t->bytes[0] = 0x60;
	t->bytes[4] = payload >> 8;
	t->bytes[5] = payload;
	t->bytes[6] = IPPROTO_UDP;
	t->bytes[end] = pad_len;
	t->bytes[end + 1] = IPPROTO_IPV6;
	t->seg.text = t->bytes;
	t->seg.text_len = end + 2;
	t->seg.verdict = ESPLANE_SEGMENT_GOOD;
}

static void inner_headers_v6(struct kunit *test)
{
	struct text *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	struct esplane_sa *sa = kunit_kzalloc(test, sizeof(*sa), GFP_KERNEL);

	make_text_v6(t, 20, 2, 2);
	KUNIT_EXPECT_EQ(test, esplane_input_open(sa, &t->seg, 0, NULL), ESPLANE_SEGMENT_GOOD);
	KUNIT_EXPECT_EQ(test, t->seg.inner_len, 60U);
	KUNIT_EXPECT_EQ(test, t->seg.ip_len, 40U);
	/* RFC 4303 section 2.7 */
	make_text_v6(t, 0, 0, 30);
	KUNIT_EXPECT_EQ(test, esplane_input_open(sa, &t->seg, 0, NULL), ESPLANE_SEGMENT_GOOD);
	KUNIT_EXPECT_EQ(test, t->seg.inner_len, 40U);
	/* padding that reaches into the packet, and into the header */
	make_text_v6(t, 20, 1, 0);
	KUNIT_EXPECT_EQ(test, esplane_input_open(sa, &t->seg, 0, NULL), ESPLANE_DROP_INNER_HEADER);
	make_text_v6(t, 0, 1, 0);
	KUNIT_EXPECT_EQ(test, esplane_input_open(sa, &t->seg, 0, NULL), ESPLANE_DROP_INNER_HEADER);
	make_text_v6(t, 20, 0, 0);
	t->bytes[5]++;
	KUNIT_EXPECT_EQ(test, esplane_input_open(sa, &t->seg, 0, NULL), ESPLANE_DROP_INNER_HEADER);
	make_text_v6(t, 20, 0, 0);
	t->bytes[0] = 0x45;
	KUNIT_EXPECT_EQ(test, esplane_input_open(sa, &t->seg, 0, NULL), ESPLANE_DROP_INNER_HEADER);
}

enum {
	SPORT_AT = IP_HEADER,
	DPORT_AT = IP_HEADER + 2,
	PROTOCOL_AT = offsetof(struct iphdr, protocol),
	FRAGMENT_AT = offsetof(struct iphdr, frag_off),
	SOURCE_AT = offsetof(struct iphdr, saddr),
	TARGET_AT = offsetof(struct iphdr, daddr),
};

static void make_flow(struct text *t, unsigned int offset, u8 flip)
{
	make_text(t, 40, 0, 0, IPPROTO_IPIP);
	put_unaligned_be32(0x0a010001, t->bytes + SOURCE_AT);
	put_unaligned_be32(0x0a020001, t->bytes + TARGET_AT);
	put_unaligned_be16(1000, t->bytes + SPORT_AT);
	put_unaligned_be16(2000, t->bytes + DPORT_AT);
	t->bytes[offset] ^= flip;
	ip_send_check((struct iphdr *)t->bytes);
}

/* A segment that was found good vouches for its own flow, and for no other. */
static void selectors_of_like(struct kunit *test)
{
	const struct {
		unsigned int offset;
		u8 flip;
		int expected;
	} rows[] = {
		{ 0, 0, ESPLANE_SEGMENT_GOOD },
		{ SOURCE_AT + 3, 1, ESPLANE_DROP_SELECTOR },
		{ TARGET_AT, 1, ESPLANE_DROP_SELECTOR },
		{ SPORT_AT + 1, 1, ESPLANE_DROP_SELECTOR },
		{ DPORT_AT + 1, 1, ESPLANE_DROP_SELECTOR },
		{ PROTOCOL_AT, IPPROTO_UDP ^ IPPROTO_TCP, ESPLANE_DROP_SELECTOR },
		{ PROTOCOL_AT, IPPROTO_UDP ^ IPPROTO_ICMP, ESPLANE_DROP_SELECTOR },
		/* a later fragment, whose first bytes look like the ports */
		{ FRAGMENT_AT + 1, 1, ESPLANE_DROP_SELECTOR },
	};
	struct text *first = kunit_kzalloc(test, sizeof(*first), GFP_KERNEL);
	struct text *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	struct esplane_selector *sel = kunit_kzalloc(test, sizeof(*sel), GFP_KERNEL);
	struct esplane_sa *sa = kunit_kzalloc(test, sizeof(*sa), GFP_KERNEL);
	unsigned int i;

	sa->selectors = sel;
	sa->n_selectors = 1;
	*sel = (struct esplane_selector){ .family = AF_INET, .protocol = IPPROTO_UDP,
					  .sport_first = 1000, .sport_last = 1000,
					  .dport_first = 2000, .dport_last = 2000 };
	sel->src_first.ip = htonl(0x0a010001);
	sel->src_last = sel->src_first;
	sel->dst_first.ip = htonl(0x0a020001);
	sel->dst_last = sel->dst_first;
	make_flow(first, 0, 0);
	KUNIT_EXPECT_EQ(test, esplane_input_open(sa, &first->seg, 0, NULL), ESPLANE_SEGMENT_GOOD);
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		make_flow(t, rows[i].offset, rows[i].flip);
		KUNIT_EXPECT_EQ_MSG(test, esplane_input_open(sa, &t->seg, 0, NULL),
				    rows[i].expected, "row %u alone", i);
		make_flow(t, rows[i].offset, rows[i].flip);
		KUNIT_EXPECT_EQ_MSG(test, esplane_input_open(sa, &t->seg, 0, &first->seg),
				    rows[i].expected, "row %u behind another", i);
	}
}

/* RFC 6040 section 4.2, figure 4: what arrives inwards, by inner and outer field; -1: dropped. */
enum { NOT_ECT, ECT_1, ECT_0, CE, DROP = -1 };

static const int arriving[4][4] = {
	/* outer:      not-ECT   ECT(1)   ECT(0)   CE */
	[NOT_ECT] = { NOT_ECT, NOT_ECT, NOT_ECT, DROP },
	[ECT_1] = { ECT_1, ECT_1, ECT_1, CE },
	[ECT_0] = { ECT_0, ECT_1, ECT_0, CE },
	[CE] = { CE, CE, CE, CE },
};

/* The traffic class stands between version and flow label (RFC 8200 section 3). */
static void ecn_v6(struct kunit *test)
{
	struct text *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	struct esplane_sa *sa = kunit_kzalloc(test, sizeof(*sa), GFP_KERNEL);
	int inner, outer;

	for (inner = 0; inner < 4; inner++)
		for (outer = 0; outer < 4; outer++) {
			int expected = arriving[inner][outer];

			make_text_v6(t, 20, 0, 0);
			t->bytes[0] = 0x6b;			/* DSCP 0xb8 >> 2 ... */
			t->bytes[1] = 0x8f | inner << 4;	/* ... and flow label 0xfabcd */
			t->bytes[2] = 0xab;
			t->bytes[3] = 0xcd;
			KUNIT_EXPECT_EQ_MSG(test, esplane_input_open(sa, &t->seg, outer, NULL),
					    expected == DROP ? ESPLANE_DROP_ECN :
							       ESPLANE_SEGMENT_GOOD,
					    "inner %d outer %d", inner, outer);
			if (expected == DROP)
				continue;
			KUNIT_EXPECT_EQ(test, (int)t->bytes[0], 0x6b);
			KUNIT_EXPECT_EQ_MSG(test, (int)t->bytes[1], 0x8f | expected << 4,
					    "inner %d outer %d", inner, outer);
			KUNIT_EXPECT_EQ(test, (int)t->bytes[2], 0xab);
			KUNIT_EXPECT_EQ(test, (int)t->bytes[3], 0xcd);
		}
}

static void ecn(struct kunit *test)
{
	struct text *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	struct esplane_sa *sa = kunit_kzalloc(test, sizeof(*sa), GFP_KERNEL);
	struct iphdr *iph = (struct iphdr *)t->bytes;
	int inner, outer;

	for (inner = 0; inner < 4; inner++)
		for (outer = 0; outer < 4; outer++) {
			int expected = arriving[inner][outer];

			make_text(t, 40, 0, 0, IPPROTO_IPIP);
			iph->tos = 0xb8 | inner;	/* the DSCP stays */
			ip_send_check(iph);
			KUNIT_EXPECT_EQ_MSG(test, esplane_input_open(sa, &t->seg, outer, NULL),
					    expected == DROP ? ESPLANE_DROP_ECN :
							       ESPLANE_SEGMENT_GOOD,
					    "inner %d outer %d", inner, outer);
			if (expected == DROP)
				continue;
			KUNIT_EXPECT_EQ_MSG(test, (int)iph->tos, 0xb8 | expected,
					    "inner %d outer %d", inner, outer);
			KUNIT_EXPECT_EQ(test, (int)ip_fast_csum(iph, iph->ihl), 0);
		}
}

/* RFC 4303 section 2.4: text and trailer to the next multiple of 4, no more. */
static void lengths(struct kunit *test)
{
	const struct esplane_transform *t = esplane_transform_find(ENCR_AES_GCM_16, 0);
	unsigned int inner, mtu;

	KUNIT_ASSERT_NOT_NULL(test, t);
	for (inner = 1; inner < 3000; inner++) {
		unsigned int text = inner + 2;

		while (text % 4)
			text++;
		KUNIT_ASSERT_EQ(test, esplane_pmtu_esp_len(t, inner), HEADER + text + ICV);
	}
	/* The largest packet that fits: it does, and one byte more does not. 28: IPv4 and UDP. */
	for (mtu = 576; mtu < 1600; mtu++) {
		inner = esplane_pmtu_inner(t, mtu, 28);
		KUNIT_ASSERT_LE(test, 28 + esplane_pmtu_esp_len(t, inner), mtu);
		KUNIT_ASSERT_GT(test, 28 + esplane_pmtu_esp_len(t, inner + 1), mtu);
	}
	/* 1500 - 28 - 16 - 16 - 2, and 8 more without UDP */
	KUNIT_EXPECT_EQ(test, esplane_pmtu_inner(t, 1500, 28), 1438U);
	KUNIT_EXPECT_EQ(test, esplane_pmtu_inner(t, 1500, 20), 1446U);
	KUNIT_EXPECT_EQ(test, esplane_pmtu_inner(t, 60, 28), 0U);
}

/*
 * RFC 6040 section 4.1, figure 3: in normal mode the outer field is the inner one, in compatibility
 * mode not-ECT; the DSCP (the other six bits) is the SA's own business.
 */
static void outer_tos(struct kunit *test)
{
	unsigned int inner;

	for (inner = 0; inner < 256; inner++) {
		KUNIT_EXPECT_EQ(test, esplane_outer_tos(0, inner), inner % 4);
		KUNIT_EXPECT_EQ(test, esplane_outer_tos(ESPLANE_SA_FLAG_NO_ECN, inner), 0);
		KUNIT_EXPECT_EQ(test, esplane_outer_tos(ESPLANE_SA_FLAG_COPY_DSCP, inner), inner);
		KUNIT_EXPECT_EQ(test, esplane_outer_tos(ESPLANE_SA_FLAG_COPY_DSCP |
							ESPLANE_SA_FLAG_NO_ECN, inner),
				inner / 4 * 4);
	}
}

/* With ECN off nothing outside changes anything inside. */
static void ecn_off(struct kunit *test)
{
	struct text *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	struct esplane_sa *sa = kunit_kzalloc(test, sizeof(*sa), GFP_KERNEL);
	int inner, outer;

	sa->flags = ESPLANE_SA_FLAG_NO_ECN;
	for (inner = 0; inner < 4; inner++)
		for (outer = 0; outer < 4; outer++) {
			make_text_v6(t, 20, 0, 0);
			t->bytes[1] = inner << 4;
			KUNIT_EXPECT_EQ(test, esplane_input_open(sa, &t->seg, outer, NULL),
					ESPLANE_SEGMENT_GOOD);
			KUNIT_EXPECT_EQ(test, (int)t->bytes[1], inner << 4);
		}
}

static struct kunit_case cases[] = {
	KUNIT_CASE(outer_tos),
	KUNIT_CASE(ecn_off),
	KUNIT_CASE(trailers),
	KUNIT_CASE(inner_headers),
	KUNIT_CASE(inner_headers_v6),
	KUNIT_CASE(selectors_of_like),
	KUNIT_CASE(ecn),
	KUNIT_CASE(ecn_v6),
	KUNIT_CASE(lengths),
	{}
};

static struct kunit_suite suite = {
	.name = "esplane_esp",
	.test_cases = cases,
};

kunit_test_suite(suite);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("KUnit tests of esplane's ESP packets");
