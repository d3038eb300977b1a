// SPDX-License-Identifier: GPL-2.0
/* The replay window against RFC 4303 section 3.4.3 and appendix A, and against a naive model. */
#include <kunit/test.h>
#include <linux/prandom.h>

#include "import.h"
#include "replay.h"

enum {
	OK = ESPLANE_REPLAY_OK,
	SEEN = ESPLANE_DROP_REPLAY,
	LEFT = ESPLANE_DROP_REPLAY_WINDOW,
	ROUNDS = 5000,
	MODEL_SPAN = 1 << 16,	/* numbers that the model can tell apart */
};

#define TWO_32 BIT_ULL(32)

static int update(struct esplane_replay *r, u64 seq)
{
	int verdict;

	spin_lock_bh(&r->lock);
	verdict = esplane_replay_update(r, seq);
	spin_unlock_bh(&r->lock);
	return verdict;
}

static int check(struct esplane_replay *r, u64 seq)
{
	int verdict;

	spin_lock_bh(&r->lock);
	verdict = esplane_replay_check(r, seq);
	spin_unlock_bh(&r->lock);
	return verdict;
}

static u64 extend(struct esplane_replay *r, u32 seq)
{
	u64 extended;

	spin_lock_bh(&r->lock);
	extended = esplane_replay_extend(r, seq);
	spin_unlock_bh(&r->lock);
	return extended;
}

/* Of the widest window, so that others can be tried in the same memory. */
#define MAX_WORDS (ESPLANE_MAX_REPLAY_WINDOW / 64 + 1)

static struct esplane_replay *new_replay(struct kunit *test, u32 window, u64 top, bool esn)
{
	struct esplane_replay *r = kunit_kzalloc(test, sizeof(*r), GFP_KERNEL);
	u64 *bits = kunit_kcalloc(test, MAX_WORDS, sizeof(*bits), GFP_KERNEL);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, r);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bits);
	esplane_replay_init(r, bits, window, top, esn, false);
	return r;
}

/* A window of 64: each row is one packet, in order. */
static void rows(struct kunit *test)
{
	const struct {
		u32 seq;
		int expected;
	} packets[] = {
		{ 0, SEEN },		/* the first packet has number 1 (RFC 4303 section 3.3.3) */
		{ 1, OK }, { 1, SEEN },
		{ 3, OK }, { 2, OK }, { 2, SEEN }, { 3, SEEN },
		{ 64, OK }, { 1, SEEN },	/* the window is 1 to 64 */
		{ 65, OK }, { 1, LEFT }, { 2, SEEN }, { 4, OK },
		{ 66, OK }, { 2, LEFT },
		{ 1000, OK }, { 936, LEFT }, { 937, OK }, { 937, SEEN }, { 66, LEFT },
		{ 1064, OK }, { 1000, LEFT }, { 1001, OK },
		{ U32_MAX, OK }, { U32_MAX, SEEN }, { U32_MAX - 63, OK }, { U32_MAX - 64, LEFT },
		{ 5, LEFT },
	};
	struct esplane_replay *r = new_replay(test, 64, 0, false);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(packets); i++)
		KUNIT_EXPECT_EQ_MSG(test, update(r, packets[i].seq), packets[i].expected,
				    "row %u", i);
}

static void check_changes_nothing(struct kunit *test)
{
	struct esplane_replay *r = new_replay(test, 64, 0, false);

	KUNIT_EXPECT_EQ(test, check(r, 100), OK);
	KUNIT_EXPECT_EQ(test, check(r, 100), OK);
	KUNIT_EXPECT_EQ(test, r->top, 0ULL);
	KUNIT_EXPECT_EQ(test, update(r, 100), OK);
	KUNIT_EXPECT_EQ(test, check(r, 100), SEEN);
}

/* For every window size and many positions of the top: both edges of the window. */
static void edges(struct kunit *test)
{
	struct esplane_replay *r = new_replay(test, 64, 0, false);
	u32 window, step;

	for (window = 64; window <= ESPLANE_MAX_REPLAY_WINDOW; window += 64) {
		u64 top = window;

		esplane_replay_init(r, r->bits, window, 0, false, false);
		/*
		 * Even steps: a number below the window's odd length is never one that came as
		 * top.
		 */
		for (step = 2; step < 200; step += 6) {
			top += step;
			KUNIT_ASSERT_EQ(test, update(r, top), OK);
			KUNIT_ASSERT_EQ(test, update(r, top), SEEN);
			KUNIT_ASSERT_EQ(test, check(r, top - window), LEFT);
			KUNIT_ASSERT_EQ(test, update(r, top - window + 1), OK);
			KUNIT_ASSERT_EQ(test, update(r, top - window + 1), SEEN);
		}
	}
}

/* Sizes in between are rounded up, those beyond the bounds are bounded. */
static void sizes(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, new_replay(test, 1, 0, false)->window, 64U);
	KUNIT_EXPECT_EQ(test, new_replay(test, 65, 0, false)->window, 128U);
	KUNIT_EXPECT_EQ(test, new_replay(test, 4096, 0, false)->window, 4096U);
	KUNIT_EXPECT_EQ(test, new_replay(test, 5000, 0, false)->window, 4096U);
}

/* An SA that goes on at a number accepts none up to it. */
static void continued(struct kunit *test)
{
	struct esplane_replay *r = new_replay(test, 128, 1000, false);
	u32 seq;

	for (seq = 1; seq <= 1000; seq++)
		KUNIT_ASSERT_NE(test, check(r, seq), OK);
	KUNIT_EXPECT_EQ(test, update(r, 1001), OK);
	KUNIT_EXPECT_EQ(test, update(r, 1003), OK);
	KUNIT_EXPECT_EQ(test, update(r, 1002), OK);
}

static void unchecked(struct kunit *test)
{
	struct esplane_replay *r = new_replay(test, 64, 0, false);

	esplane_replay_init(r, r->bits, 64, 0, false, true);
	KUNIT_EXPECT_EQ(test, update(r, 1000), OK);
	KUNIT_EXPECT_EQ(test, update(r, 1000), OK);
	KUNIT_EXPECT_EQ(test, update(r, 1), OK);
	KUNIT_EXPECT_EQ(test, r->top, 1000ULL);
}

/*
 * The model: everything ever seen, one flag a number. The window is the last @window numbers up to
 * the highest seen.
 */
struct model {
	u64 base, top;
	u64 late;
	u32 window, deepest;
	bool seen[MODEL_SPAN];
};

static int model_update(struct model *m, u64 seq)
{
	if (seq + m->window <= m->top)
		return LEFT;
	if (m->seen[seq - m->base])
		return SEEN;
	m->seen[seq - m->base] = true;
	if (seq < m->top) {
		m->late++;
		m->deepest = max_t(u64, m->deepest, m->top - seq);
	}
	m->top = max(m->top, seq);
	return OK;
}

/* Of the numbers from 0, or as many as the window has, up to the top. */
static u32 model_missing(const struct model *m)
{
	u64 first = m->top < m->window ? 0 : m->top - m->window + 1, seq;
	u32 missing = 0;

	for (seq = first; seq <= m->top; seq++)
		missing += !m->seen[seq - m->base];
	return missing;
}

static u32 missing(struct esplane_replay *r)
{
	u32 n;

	spin_lock_bh(&r->lock);
	n = esplane_replay_missing(r);
	spin_unlock_bh(&r->lock);
	return n;
}

static void expect_statistics(struct kunit *test, struct esplane_replay *r, const struct model *m)
{
	KUNIT_EXPECT_EQ(test, missing(r), model_missing(m));
	KUNIT_EXPECT_EQ(test, r->late, m->late);
	KUNIT_EXPECT_EQ(test, r->deepest, m->deepest);
}

/* Mostly near the top, sometimes far ahead, sometimes far behind. */
static u64 random_seq(struct rnd_state *rnd, const struct model *m)
{
	u32 kind = prandom_u32_state(rnd) % 100, offset = prandom_u32_state(rnd);
	u64 lowest = m->base + 1;

	if (kind < 60)
		return m->top + 1 + offset % 3;
	if (kind < 65)
		return m->top + offset % (2 * m->window);
	offset %= kind < 95 ? m->window + 2 : 3 * m->window;
	return m->top >= lowest + offset ? m->top - offset : lowest;
}

static void against_model(struct kunit *test, u32 window, u64 base, bool esn, u64 seed)
{
	struct esplane_replay *r = new_replay(test, window, base, esn);
	struct model *m = kvzalloc(sizeof(*m), GFP_KERNEL);
	struct rnd_state rnd;
	unsigned int i;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, m);
	prandom_seed_state(&rnd, seed);
	m->base = base > 4 * window ? base - 4 * window : 0;
	m->window = window;
	m->top = base;
	memset(m->seen, 1, base - m->base + 1);
	for (i = 0; i < ROUNDS; i++) {
		u64 seq = random_seq(&rnd, m), extended;
		int expected;

		if (seq - m->base >= MODEL_SPAN)
			break;
		/* What is left of the window may stand for a number ahead of it: no matter here. */
		extended = extend(r, lower_32_bits(seq));
		if (seq + window > m->top && extended != seq)
			KUNIT_FAIL(test, "round %u: %llu taken for %llu", i, seq, extended);
		expected = model_update(m, seq);
		if (update(r, seq) != expected) {
			KUNIT_FAIL(test, "round %u, top %llu, number %llu: not %d", i, m->top, seq,
				   expected);
			break;
		}
		if (i % 64 == 0)
			expect_statistics(test, r, m);
	}
	expect_statistics(test, r, m);
	kvfree(m);
}

static void random_numbers(struct kunit *test)
{
	u32 window;

	for (window = 64; window <= 4096; window *= 2)
		against_model(test, window, 0, false, 4303 + window);
}

static void random_numbers_across_2_32(struct kunit *test)
{
	u32 window;

	for (window = 64; window <= 4096; window *= 2) {
		against_model(test, window, TWO_32 - 3000, true, 1 + window);
		against_model(test, window, 7 * TWO_32 - 3000, true, 2 + window);
	}
}

/* RFC 4303 appendix A2.2, figure by figure: the high half for a received low half. */
static u32 appendix_a2(u64 top, u32 window, u32 seq_low)
{
	u32 tl = lower_32_bits(top), th = upper_32_bits(top);
	u32 bl = tl - window + 1;	/* modulo 2^32 */

	if (tl >= window - 1)		/* case A: the window within one subspace */
		return seq_low >= bl ? th : th + 1;
	return seq_low >= bl ? th - 1 : th;	/* case B: it spans two */
}

static void extension_across_2_32(struct kunit *test)
{
	static const s64 tops[] = { -5000, -4096, -65, -64, -63, -1, 0,
				    1, 62, 63, 64, 65, 4095, 5000 };
	static const u32 lows[] = { 0, 1, 62, 63, 64, 4095, 4096, 0x7fffffff, 0x80000000,
				    0xfffff000, 0xffffffbf, 0xffffffc0, 0xffffffc1, 0xffffffff };
	static const u32 windows[] = { 64, 128, 1024, 4096 };
	struct esplane_replay *r = new_replay(test, 64, 0, true);
	unsigned int t, l, w;

	for (w = 0; w < ARRAY_SIZE(windows); w++)
		for (t = 0; t < ARRAY_SIZE(tops); t++)
			for (l = 0; l < ARRAY_SIZE(lows); l++) {
				u64 top = 3 * TWO_32 + tops[t];
				u32 high = appendix_a2(top, windows[w], lows[l]);

				esplane_replay_init(r, r->bits, windows[w], top, true, false);
				KUNIT_EXPECT_EQ(test, extend(r, lows[l]),
						((u64)high << 32) | lows[l]);
			}
}

/* In the first subspace there is none below (case B has no Th - 1), at the end none above. */
static void extension_at_the_ends(struct kunit *test)
{
	struct esplane_replay *r = new_replay(test, 64, 10, true);

	KUNIT_EXPECT_EQ(test, extend(r, 5), 5ULL);
	KUNIT_EXPECT_EQ(test, extend(r, U32_MAX), (u64)U32_MAX);
	r = new_replay(test, 64, U64_MAX - 10, true);
	KUNIT_EXPECT_EQ(test, extend(r, U32_MAX), U64_MAX);
	KUNIT_EXPECT_EQ(test, update(r, extend(r, 5)), LEFT);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(rows),
	KUNIT_CASE(check_changes_nothing),
	KUNIT_CASE(edges),
	KUNIT_CASE(sizes),
	KUNIT_CASE(continued),
	KUNIT_CASE(unchecked),
	KUNIT_CASE(random_numbers),
	KUNIT_CASE(random_numbers_across_2_32),
	KUNIT_CASE(extension_across_2_32),
	KUNIT_CASE(extension_at_the_ends),
	{}
};

static struct kunit_suite suite = {
	.name = "esplane_replay",
	.test_cases = cases,
};

kunit_test_suite(suite);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("KUnit tests of esplane's replay window");
