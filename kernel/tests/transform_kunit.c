// SPDX-License-Identifier: GPL-2.0
/*
 * ESP transforms: published and independently composed packets through the module's own cipher
 * path, both ways, altered ones, key lengths, IVs, and the sizes that follow from a transform.
 */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/hex.h>
#include <linux/skbuff.h>

#include "../compat.h"
#include "../esp.h"
#include "../pmtu.h"
#include "../sa.h"
#include "../train.h"
#include "../transform.h"
#include "import.h"
#include "transform_vectors.h"

enum {
	MAX_PACKET = 256,
	ESP_HEADER = 8,		/* RFC 4303 section 2 */
	TRAILER = 2,
	GCM_EXAMPLE = 5,	/* in esp_vectors: the shortest with ESN and an IP packet */
};

static DECLARE_COMPLETION(finished);
static struct esplane_segment outcome;

/* A packet on its way: room ahead of it as input.c has, and behind it for the ICV. */
struct packet {
	u8 room[ESPLANE_AAD_ROOM];
	u8 wire[2 * MAX_PACKET];
};

struct work {
	struct packet sent, received;
	u8 expected[MAX_PACKET];
};

static const struct esp_vector *nth_vector(unsigned int i)
{
	if (i < ARRAY_SIZE(esp_vectors))
		return &esp_vectors[i];
	i -= ARRAY_SIZE(esp_vectors);
	return i < ARRAY_SIZE(transform_vectors) ? &transform_vectors[i] : NULL;
}

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

static unsigned int header_len(const struct esp_vector *v)
{
	return ESP_HEADER + strlen(v->iv) / 2;
}

static unsigned int icv_len(const struct esp_vector *v)
{
	return strlen(v->icv) / 2;
}

static struct esplane_sa *new_sa(struct kunit *test, const struct esp_vector *v)
{
	struct esplane_sa *sa = kunit_kzalloc(test, sizeof(*sa), GFP_KERNEL);
	u8 key[MAX_PACKET];
	unsigned int len = unhex(test, key, v->key);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sa);
	refcount_set(&sa->refs, 1);
	sa->flags = v->seq_high ? ESPLANE_SA_FLAG_ESN : 0;
	KUNIT_ASSERT_EQ_MSG(test, esplane_transform_setup(sa, v->encr, v->integ, key, len, NULL), 0,
			    "%s", v->name);
	return sa;
}

static struct work *new_work(struct kunit *test)
{
	struct work *w = kunit_kzalloc(test, sizeof(*w), GFP_KERNEL);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, w);
	return w;
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
	KUNIT_ASSERT_EQ(test, len, header_len(v));
	return unhex(test, wire + len, text);
}

static void vectors_encrypt(struct kunit *test)
{
	const struct esp_vector *v;
	unsigned int i, len;

	for (i = 0; (v = nth_vector(i)); i++) {
		struct esplane_sa *sa = new_sa(test, v);
		struct work *w = new_work(test);
		u8 *wire = w->sent.wire, *text = wire + header_len(v);

		len = build(test, wire, v, v->text);
		unhex(test, w->expected, v->encrypted);
		unhex(test, w->expected + len, v->icv);
		KUNIT_EXPECT_EQ_MSG(test, run(test, sa, seq_of(test, v), wire, text, len, true), 0,
				    "%s", v->name);
		KUNIT_EXPECT_EQ_MSG(test, memcmp(text, w->expected, len + icv_len(v)), 0, "%s",
				    v->name);
		/* The header that the ICV covers is sent as it was. */
		build(test, w->received.wire, v, v->encrypted);
		KUNIT_EXPECT_EQ_MSG(test, memcmp(wire, w->received.wire, header_len(v)), 0, "%s",
				    v->name);
		esplane_transform_teardown(sa);
		kunit_kfree(test, w);
	}
}

/*
 * As input.c does it: from where the packet arrived to other memory, or where that has been copied
 * to first. @flip: 1 for the first bit of the packet; 0 for none.
 */
static int decrypt(struct kunit *test, const struct esp_vector *v, struct esplane_sa *sa,
		   unsigned int flip, struct work *w)
{
	u8 *wire = w->received.wire, *text = w->sent.wire;
	unsigned int header = header_len(v), len = build(test, wire, v, v->encrypted);

	unhex(test, wire + header + len, v->icv);
	if (flip)
		wire[(flip - 1) / 8] ^= 1 << (flip - 1) % 8;
	memset(&w->sent, 0, sizeof(w->sent));
	if (v->integ && v->seq_high) {
		memcpy(text - header, wire, header + len + icv_len(v));
		wire = text - header;
	}
	return run(test, sa, seq_of(test, v), wire, text, len, false);
}

static void vectors_decrypt(struct kunit *test)
{
	const struct esp_vector *v;
	unsigned int i, len;

	for (i = 0; (v = nth_vector(i)); i++) {
		struct esplane_sa *sa = new_sa(test, v);
		struct work *w = new_work(test);

		len = unhex(test, w->expected, v->text);
		KUNIT_EXPECT_EQ_MSG(test, decrypt(test, v, sa, 0, w), 0, "%s", v->name);
		KUNIT_EXPECT_EQ_MSG(test, memcmp(w->sent.wire, w->expected, len), 0, "%s", v->name);
		esplane_transform_teardown(sa);
		kunit_kfree(test, w);
	}
}

static unsigned int bits_of(const struct esp_vector *v)
{
	return (header_len(v) + strlen(v->encrypted) / 2 + icv_len(v)) * 8;
}

/* One bit wrong anywhere in SPI, number, IV, text or ICV: not authentic. */
static void altered(struct kunit *test)
{
	const struct esp_vector *v = &esp_vectors[GCM_EXAMPLE];
	struct esplane_sa *sa = new_sa(test, v);
	struct work *w = new_work(test);
	unsigned int bit;

	for (bit = 1; bit <= bits_of(v); bit++) {
		/* The low half of the number is covered as it stands on the wire. */
		KUNIT_ASSERT_EQ_MSG(test, decrypt(test, v, sa, bit, w), -EBADMSG, "bit %u",
				    bit - 1);
	}
	esplane_transform_teardown(sa);
}

/* The same for every transform, one bit in each 32 and the very last. */
static void altered_others(struct kunit *test)
{
	const struct esp_vector *v;
	unsigned int i, bit;

	for (i = 0; (v = nth_vector(i)); i++) {
		struct esplane_sa *sa = new_sa(test, v);
		struct work *w = new_work(test);

		for (bit = 1 + i % 32; bit < bits_of(v); bit += 32)
			KUNIT_EXPECT_EQ_MSG(test, decrypt(test, v, sa, bit, w), -EBADMSG,
					    "%s bit %u", v->name, bit - 1);
		KUNIT_EXPECT_EQ_MSG(test, decrypt(test, v, sa, bits_of(v), w), -EBADMSG, "%s",
				    v->name);
		esplane_transform_teardown(sa);
		kunit_kfree(test, w);
	}
}

/* The half of the number that is not on the wire is authenticated by every transform. */
static void altered_high_half(struct kunit *test)
{
	const struct esp_vector *from;
	unsigned int i, tried = 0;

	for (i = 0; (from = nth_vector(i)); i++) {
		struct esp_vector v = *from;
		struct esplane_sa *sa;
		struct work *w;

		if (!v.seq_high)
			continue;
		sa = new_sa(test, &v);
		w = new_work(test);
		v.seq_high = "10101011";
		KUNIT_EXPECT_EQ_MSG(test, decrypt(test, &v, sa, 0, w), -EBADMSG, "%s", v.name);
		esplane_transform_teardown(sa);
		tried++;
	}
	KUNIT_EXPECT_GE(test, tried, 22U);
}

/* From the RFCs that transform.c names: bytes of salt, IV, ICV, integrity key, padding unit. */
struct facts {
	unsigned int encr, integ, salt, iv, icv, integ_key, unit;
	unsigned int key_bits[3];
};

#define AES { 128, 192, 256 }
static const struct facts facts[] = {
	{ 20, 0, 4, 8, 16, 0, 4, AES },	/* AES-GCM-16, RFC 4106 */
	{ 19, 0, 4, 8, 12, 0, 4, AES },
	{ 18, 0, 4, 8, 8, 0, 4, AES },
	{ 28, 0, 4, 8, 16, 0, 4, { 256 } },	/* ChaCha20-Poly1305, RFC 7634 */
	{ 16, 0, 3, 8, 16, 0, 4, AES },	/* AES-CCM-16, RFC 4309 */
	{ 15, 0, 3, 8, 12, 0, 4, AES },
	{ 14, 0, 3, 8, 8, 0, 4, AES },
	{ 21, 0, 4, 8, 16, 0, 4, AES },	/* AES-GMAC, RFC 4543 */
	{ 30, 0, 4, 0, 16, 0, 4, AES },	/* AES-GCM-16 without IV, RFC 8750 */
	{ 31, 0, 4, 0, 16, 0, 4, { 256 } },	/* ChaCha20-Poly1305 without IV */
	{ 12, 12, 0, 16, 16, 32, 16, AES },	/* AES-CBC, RFC 3602; HMACs, RFC 4868 */
	{ 12, 13, 0, 16, 24, 48, 16, AES },
	{ 12, 14, 0, 16, 32, 64, 16, AES },
	{ 13, 12, 4, 8, 16, 32, 4, AES },	/* AES-CTR, RFC 3686 */
	{ 13, 13, 4, 8, 24, 48, 4, AES },
	{ 13, 14, 4, 8, 32, 64, 4, AES },
	{ 11, 12, 0, 0, 16, 32, 4, { 0 } },	/* NULL, RFC 2410 */
	{ 11, 13, 0, 0, 24, 48, 4, { 0 } },
	{ 11, 14, 0, 0, 32, 64, 4, { 0 } },
};

/* The table holds these and no others, and an SA of each is as long on the wire as it must be. */
static void sizes(struct kunit *test)
{
	unsigned int i, inner;

	for (i = 0; i < ARRAY_SIZE(facts); i++) {
		const struct facts *f = &facts[i];
		const struct esplane_transform *t = esplane_transform_find(f->encr, f->integ);

		KUNIT_ASSERT_NOT_NULL_MSG(test, t, "encr %u integ %u", f->encr, f->integ);
		for (inner = 20; inner < 100; inner++) {
			unsigned int text = inner + TRAILER;

			while (text % f->unit)
				text++;
			KUNIT_EXPECT_EQ_MSG(test, esplane_pmtu_esp_len(t, inner),
					    ESP_HEADER + f->iv + text + f->icv, "%s", t->name);
		}
		inner = esplane_pmtu_inner(t, 1500, 28);
		KUNIT_EXPECT_LE_MSG(test, 28 + esplane_pmtu_esp_len(t, inner), 1500U, "%s",
				    t->name);
		KUNIT_EXPECT_GT_MSG(test, 28 + esplane_pmtu_esp_len(t, inner + 1), 1500U, "%s",
				    t->name);
	}
	KUNIT_EXPECT_NOT_NULL(test, esplane_transform_nth(i - 1));
	KUNIT_EXPECT_NULL(test, esplane_transform_nth(i));
	KUNIT_EXPECT_NULL(test, esplane_transform_find(12, 0));
	KUNIT_EXPECT_NULL(test, esplane_transform_find(20, 12));
	KUNIT_EXPECT_NULL(test, esplane_transform_find(0, 0));
}

static bool listed(const struct facts *f, unsigned int bits)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(f->key_bits); i++)
		if (f->key_bits[i] == bits && (bits || !i))
			return true;
	return false;
}

/* Every length from none to too long: taken if and only if a key of the transform has it. */
static void key_lengths(struct kunit *test)
{
	struct esplane_sa *sa = kunit_kzalloc(test, sizeof(*sa), GFP_KERNEL);
	u8 key[ESPLANE_MAX_KEYMAT_LEN] = { 1, 2, 3 };
	unsigned int i, len;

	KUNIT_ASSERT_NOT_NULL(test, sa);
	for (i = 0; i < ARRAY_SIZE(facts); i++) {
		const struct facts *f = &facts[i];
		unsigned int rest = f->salt + f->integ_key;

		for (len = 0; len <= sizeof(key); len++) {
			bool good = len >= rest && listed(f, (len - rest) * 8);
			int err = esplane_transform_setup(sa, f->encr, f->integ, key, len, NULL);

			KUNIT_EXPECT_EQ_MSG(test, err, good ? 0 : -EINVAL,
					    "encr %u integ %u, %u bytes", f->encr, f->integ, len);
			if (err)
				continue;
			KUNIT_EXPECT_EQ(test, (unsigned int)sa->key_bits, (len - rest) * 8);
			esplane_transform_teardown(sa);
		}
	}
}

/* RFC 3602 section 3 against RFC 4106 section 3.1 and its like. */
static void ivs(struct kunit *test)
{
	const struct esplane_transform *cbc = esplane_transform_find(12, 12);
	const struct esplane_transform *gcm = esplane_transform_find(20, 0);
	const struct esplane_transform *implicit = esplane_transform_find(30, 0);
	static const u8 counter[] = { 1, 2, 3, 4, 5, 6, 7, 8 }, none[16];
	u8 a[16] = {}, b[16] = {};

	esplane_transform_write_iv(gcm, 0x0102030405060708, a);
	KUNIT_EXPECT_EQ(test, memcmp(a, counter, sizeof(counter)), 0);
	KUNIT_EXPECT_EQ(test, memcmp(a + sizeof(counter), none, sizeof(a) - sizeof(counter)), 0);
	memset(a, 0, sizeof(a));
	esplane_transform_write_iv(implicit, 0x0102030405060708, a);
	KUNIT_EXPECT_EQ(test, memcmp(a, none, sizeof(a)), 0);
	/* The same number, and a different IV in both halves. */
	esplane_transform_write_iv(cbc, 1, a);
	esplane_transform_write_iv(cbc, 1, b);
	KUNIT_EXPECT_NE(test, memcmp(a, b, 8), 0);
	KUNIT_EXPECT_NE(test, memcmp(a + 8, b + 8, 8), 0);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(vectors_encrypt),
	KUNIT_CASE(vectors_decrypt),
	KUNIT_CASE(altered),
	KUNIT_CASE(altered_others),
	KUNIT_CASE(altered_high_half),
	KUNIT_CASE(sizes),
	KUNIT_CASE(key_lengths),
	KUNIT_CASE(ivs),
	{}
};

static struct kunit_suite suite = {
	.name = "esplane_transform",
	.test_cases = cases,
};

kunit_test_suite(suite);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("KUnit tests of esplane's ESP transforms");
