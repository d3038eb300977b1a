// SPDX-License-Identifier: GPL-2.0
/*
 * ESP packets: published ones through the module's own cipher path, malformed ones, and their
 * sizes.
 */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/hex.h>
#include <linux/ip.h>
#include <linux/skbuff.h>
#include <net/ip.h>

#include "../esp.h"
#include "../input.h"
#include "../pmtu.h"
#include "../sa.h"
#include "../train.h"
#include "../transform.h"
#include "esp_vectors.h"
#include "import.h"

enum {
	ENCR_AES_GCM_16 = 20,	/* IANA */
	MAX_PACKET = 256,
	HEADER = 16,		/* ESP header and IV */
	ICV = 16,
	IP_HEADER = 20,
};

static DECLARE_COMPLETION(finished);
static struct esplane_segment outcome;

static void finish(struct esplane_train *train)
{
	outcome = train->segments[0];
	esplane_train_put(train);
	complete(&finished);
}

static unsigned int unhex(struct kunit *test, u8 *to, const char *hex)
{
	unsigned int len = strlen(hex) / 2;

	KUNIT_ASSERT_LE(test, len, (unsigned int)MAX_PACKET);
	KUNIT_ASSERT_EQ(test, hex2bin(to, hex, len), 0);
	return len;
}

static struct esplane_sa *new_sa(struct kunit *test, const struct esp_vector *v)
{
	struct esplane_sa *sa = kunit_kzalloc(test, sizeof(*sa), GFP_KERNEL);
	u8 key[MAX_PACKET];
	unsigned int len = unhex(test, key, v->key);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sa);
	refcount_set(&sa->refs, 1);
	sa->flags = v->seq_high ? ESPLANE_SA_FLAG_ESN : 0;
	KUNIT_ASSERT_EQ(test, esplane_transform_setup(sa, ENCR_AES_GCM_16, key, len, NULL), 0);
	return sa;
}

/* One segment through train.c; returns the cipher's result. */
static int run(struct kunit *test, struct esplane_sa *sa, u64 seq, u8 *wire, u8 *text,
	       unsigned int text_len, bool encrypt)
{
	struct sk_buff *skb = alloc_skb(0, GFP_KERNEL);
	struct esplane_train *train;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, skb);
	reinit_completion(&finished);
	local_bh_disable();
	rcu_read_lock();
	train = esplane_train_get(sa, skb);
	if (train) {
		train->finish = finish;
		train->n = 1;
		train->segments[0] = (struct esplane_segment){
			.seq = seq, .wire = wire, .text = text, .text_len = text_len,
			.verdict = ESPLANE_SEGMENT_GOOD,
		};
		esplane_train_run(train, encrypt);
	}
	rcu_read_unlock();
	local_bh_enable();
	KUNIT_ASSERT_NOT_NULL(test, train);
	KUNIT_ASSERT_NE(test, wait_for_completion_timeout(&finished, HZ * 10), 0UL);
	kfree_skb(skb);
	return outcome.err;
}

static u64 seq_of(struct kunit *test, const struct esp_vector *v)
{
	__be32 high = 0, low;

	if (v->seq_high)
		unhex(test, (u8 *)&high, v->seq_high);
	unhex(test, (u8 *)&low, v->seq);
	return (u64)be32_to_cpu(high) << 32 | be32_to_cpu(low);
}

/* ESP header, IV and @text, as in plain; returns the length of the text. */
static unsigned int build(struct kunit *test, u8 *wire, const struct esp_vector *v,
			  const char *text)
{
	unsigned int len = 0;

	len += unhex(test, wire, v->spi);
	len += unhex(test, wire + len, v->seq);
	len += unhex(test, wire + len, v->iv);
	KUNIT_ASSERT_EQ(test, len, (unsigned int)HEADER);
	return unhex(test, wire + len, text);
}

static void vectors_encrypt(struct kunit *test)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(esp_vectors); i++) {
		const struct esp_vector *v = &esp_vectors[i];
		u8 *wire = kunit_kzalloc(test, 2 * MAX_PACKET, GFP_KERNEL);
		struct esplane_sa *sa = new_sa(test, v);
		unsigned int len = build(test, wire, v, v->text);
		u8 expected[MAX_PACKET];

		KUNIT_EXPECT_EQ_MSG(test, run(test, sa, seq_of(test, v), wire, wire + HEADER, len,
					      true), 0, "case %u", i + 1);
		unhex(test, expected, v->encrypted);
		unhex(test, expected + len, v->icv);
		KUNIT_EXPECT_EQ_MSG(test, memcmp(wire + HEADER, expected, len + ICV), 0, "case %u",
				    i + 1);
		esplane_transform_teardown(sa);
	}
}

/* As input.c does it: from where the packet arrived to other memory. */
static int decrypt(struct kunit *test, const struct esp_vector *v, struct esplane_sa *sa,
		   unsigned int flip, u8 *text)
{
	u8 *wire = kunit_kzalloc(test, 2 * MAX_PACKET, GFP_KERNEL);
	unsigned int len = build(test, wire, v, v->encrypted);

	unhex(test, wire + HEADER + len, v->icv);
	if (flip)
		wire[(flip - 1) / 8] ^= 1 << (flip - 1) % 8;
	return run(test, sa, seq_of(test, v), wire, text, len, false);
}

static void vectors_decrypt(struct kunit *test)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(esp_vectors); i++) {
		const struct esp_vector *v = &esp_vectors[i];
		u8 *memory = kunit_kzalloc(test, ESPLANE_AAD_ROOM + MAX_PACKET, GFP_KERNEL);
		struct esplane_sa *sa = new_sa(test, v);
		u8 expected[MAX_PACKET];
		unsigned int len = unhex(test, expected, v->text);

		KUNIT_EXPECT_EQ_MSG(test, decrypt(test, v, sa, 0, memory + ESPLANE_AAD_ROOM), 0,
				    "case %u", i + 1);
		KUNIT_EXPECT_EQ_MSG(test, memcmp(memory + ESPLANE_AAD_ROOM, expected, len), 0,
				    "case %u", i + 1);
		esplane_transform_teardown(sa);
	}
}

/* One bit wrong anywhere in SPI, number, IV, text or ICV: not authentic. */
static void altered(struct kunit *test)
{
	const struct esp_vector *v = &esp_vectors[5];	/* the shortest with ESN and an IP packet */
	unsigned int bits = (HEADER + strlen(v->encrypted) / 2 + ICV) * 8, bit;
	u8 *memory = kunit_kzalloc(test, ESPLANE_AAD_ROOM + MAX_PACKET, GFP_KERNEL);
	struct esplane_sa *sa = new_sa(test, v);

	for (bit = 1; bit <= bits; bit++) {
		/* The low half of the number is covered as it stands on the wire. */
		KUNIT_ASSERT_EQ_MSG(test, decrypt(test, v, sa, bit, memory + ESPLANE_AAD_ROOM),
				    -EBADMSG, "bit %u", bit - 1);
	}
	esplane_transform_teardown(sa);
}

static void altered_high_half(struct kunit *test)
{
	struct esp_vector v = esp_vectors[5];
	u8 *memory = kunit_kzalloc(test, ESPLANE_AAD_ROOM + MAX_PACKET, GFP_KERNEL);
	struct esplane_sa *sa = new_sa(test, &v);

	v.seq_high = "10101011";
	KUNIT_EXPECT_EQ(test, decrypt(test, &v, sa, 0, memory + ESPLANE_AAD_ROOM), -EBADMSG);
	esplane_transform_teardown(sa);
}

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
		KUNIT_EXPECT_EQ_MSG(test, esplane_input_open(sa, &t->seg, 0), rows[i].expected,
				    "row %u", i);
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
	KUNIT_EXPECT_EQ(test, esplane_input_open(sa, &t->seg, 0), ESPLANE_DROP_INNER_HEADER);
	make_text(t, 40, 0, 0, IPPROTO_IPIP);
	iph->ihl = 4;
	KUNIT_EXPECT_EQ(test, esplane_input_open(sa, &t->seg, 0), ESPLANE_DROP_INNER_HEADER);
	make_text(t, 40, 0, 0, IPPROTO_IPIP);
	iph->ihl = 15;		/* 60 bytes of header in 40 */
	KUNIT_EXPECT_EQ(test, esplane_input_open(sa, &t->seg, 0), ESPLANE_DROP_INNER_HEADER);
	make_text(t, 40, 0, 0, IPPROTO_IPIP);
	iph->tot_len = htons(41);
	ip_send_check(iph);
	KUNIT_EXPECT_EQ(test, esplane_input_open(sa, &t->seg, 0), ESPLANE_DROP_INNER_HEADER);
	make_text(t, 40, 0, 0, IPPROTO_IPIP);
	iph->tot_len = htons(IP_HEADER - 1);
	ip_send_check(iph);
	KUNIT_EXPECT_EQ(test, esplane_input_open(sa, &t->seg, 0), ESPLANE_DROP_INNER_HEADER);
	make_text(t, 40, 0, 0, IPPROTO_IPIP);
	iph->check ^= htons(1);
	KUNIT_EXPECT_EQ(test, esplane_input_open(sa, &t->seg, 0), ESPLANE_DROP_INNER_HEADER);
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
	KUNIT_EXPECT_EQ(test, esplane_input_open(sa, &t->seg, 0), ESPLANE_SEGMENT_GOOD);
	KUNIT_EXPECT_EQ(test, t->seg.inner_len, 60U);
	KUNIT_EXPECT_EQ(test, t->seg.ip_len, 40U);
	/* RFC 4303 section 2.7 */
	make_text_v6(t, 0, 0, 30);
	KUNIT_EXPECT_EQ(test, esplane_input_open(sa, &t->seg, 0), ESPLANE_SEGMENT_GOOD);
	KUNIT_EXPECT_EQ(test, t->seg.inner_len, 40U);
	/* padding that reaches into the packet, and into the header */
	make_text_v6(t, 20, 1, 0);
	KUNIT_EXPECT_EQ(test, esplane_input_open(sa, &t->seg, 0), ESPLANE_DROP_INNER_HEADER);
	make_text_v6(t, 0, 1, 0);
	KUNIT_EXPECT_EQ(test, esplane_input_open(sa, &t->seg, 0), ESPLANE_DROP_INNER_HEADER);
	make_text_v6(t, 20, 0, 0);
	t->bytes[5]++;
	KUNIT_EXPECT_EQ(test, esplane_input_open(sa, &t->seg, 0), ESPLANE_DROP_INNER_HEADER);
	make_text_v6(t, 20, 0, 0);
	t->bytes[0] = 0x45;
	KUNIT_EXPECT_EQ(test, esplane_input_open(sa, &t->seg, 0), ESPLANE_DROP_INNER_HEADER);
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
			KUNIT_EXPECT_EQ_MSG(test, esplane_input_open(sa, &t->seg, outer),
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
			KUNIT_EXPECT_EQ_MSG(test, esplane_input_open(sa, &t->seg, outer),
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
	const struct esplane_transform *t;
	struct esplane_sa *sa = new_sa(test, &esp_vectors[0]);
	unsigned int inner, mtu;

	t = sa->transform;
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
	esplane_transform_teardown(sa);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(vectors_encrypt),
	KUNIT_CASE(vectors_decrypt),
	KUNIT_CASE(altered),
	KUNIT_CASE(altered_high_half),
	KUNIT_CASE(trailers),
	KUNIT_CASE(inner_headers),
	KUNIT_CASE(inner_headers_v6),
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
