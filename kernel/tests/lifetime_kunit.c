// SPDX-License-Identifier: GPL-2.0
/* The arithmetic of soft and hard limits at its edges. */
#include <kunit/test.h>
#include <linux/prandom.h>

#include "import.h"
#include "lifetime.h"

#define WITHIN	ESPLANE_LIFETIME_WITHIN
#define SOFT	ESPLANE_LIFETIME_SOFT
#define HARD	ESPLANE_LIFETIME_HARD
#define OVER	ESPLANE_LIFETIME_OVER

static void judge_rows(struct kunit *test)
{
	const struct {
		u64 used, added, soft, hard;
		enum esplane_lifetime_state expected;
	} rows[] = {
		/* no limit at all */
		{ 1, 1, 0, 0, WITHIN },
		{ U64_MAX, 1, 0, 0, WITHIN },
		/* the soft limit is reached, not passed */
		{ 9, 1, 10, 0, WITHIN },
		{ 10, 1, 10, 0, SOFT },
		{ 11, 11, 10, 0, SOFT },
		/* so is the hard one; who reaches it passes, who comes later does not */
		{ 19, 1, 10, 20, SOFT },
		{ 20, 1, 10, 20, HARD },
		{ 21, 1, 10, 20, OVER },
		{ 21, 2, 10, 20, HARD },
		{ 1000, 981, 10, 20, HARD },
		{ 1000, 980, 10, 20, OVER },
		/* only a hard limit; a limit of one */
		{ 0, 0, 0, 1, WITHIN },
		{ 1, 1, 0, 1, HARD },
		{ 2, 1, 0, 1, OVER },
		/* soft and hard at the same place */
		{ 20, 1, 20, 20, HARD },
		/* at the end of the number space */
		{ U64_MAX - 1, 1, 0, U64_MAX, WITHIN },
		{ U64_MAX, 1, 0, U64_MAX, HARD },
		{ U64_MAX, 1, U64_MAX, 0, SOFT },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		KUNIT_EXPECT_EQ_MSG(test, esplane_lifetime_judge(rows[i].used, rows[i].added,
								 rows[i].soft, rows[i].hard),
				    rows[i].expected, "row %u", i);
}

/*
 * Trains of random size use up an SA: the soft limit shows from the first train on that reaches it,
 * exactly one train reaches the hard limit, and all after it are refused.
 */
static void judge_runs(struct kunit *test)
{
	enum { RUNS = 1000, LARGEST = 64 };
	struct rnd_state rnd;
	unsigned int run;

	prandom_seed_state(&rnd, 20261124);
	for (run = 0; run < RUNS; run++) {
		u64 soft = 1 + prandom_u32_state(&rnd) % 1000, hard = soft + 1 +
			   prandom_u32_state(&rnd) % 1000, used = 0, before;
		unsigned int ends = 0;

		while (used < hard + 3 * LARGEST) {
			enum esplane_lifetime_state state, expected;
			u64 added = 1 + prandom_u32_state(&rnd) % LARGEST;

			before = used;
			used += added;
			state = esplane_lifetime_judge(used, added, soft, hard);
			expected = before >= hard ? OVER : used >= hard ? HARD :
				   used >= soft ? SOFT : WITHIN;
			KUNIT_ASSERT_EQ_MSG(test, state, expected, "run %u used %llu", run, used);
			ends += state == HARD;
		}
		KUNIT_ASSERT_EQ(test, ends, 1);
	}
}

static void due_rows(struct kunit *test)
{
	const struct {
		u64 age, soft, hard;
		bool soft_done;
		u64 expected;
	} rows[] = {
		{ 0, 0, 0, false, U64_MAX },
		{ 1000 * HZ, 0, 0, false, U64_MAX },
		/* soft, then hard */
		{ 0, 10, 30, false, 10 * HZ },
		{ 9 * HZ, 10, 30, false, HZ },
		{ 10 * HZ, 10, 30, false, 0 },
		{ 10 * HZ, 10, 30, true, 20 * HZ },
		{ 29 * HZ, 10, 30, true, HZ },
		{ 30 * HZ, 10, 30, true, 0 },
		{ 31 * HZ, 10, 30, true, 0 },
		/* Parts of a second count: a late timer must not let the next limit come early. */
		{ 30 * HZ - 1, 10, 30, true, 1 },
		{ 11 * HZ - 1, 10, 30, true, 19 * HZ + 1 },
		{ 30 * HZ - 1, 0, 30, false, 1 },
		/* only one of them */
		{ 5 * HZ, 10, 0, false, 5 * HZ },
		{ 15 * HZ, 10, 0, false, 0 },
		{ 15 * HZ, 10, 0, true, U64_MAX },
		{ 5 * HZ, 0, 30, false, 25 * HZ },
		/* far away: no overflow, not mistaken for never */
		{ HZ, U64_MAX - 1, 0, false, (U64_MAX / HZ - 2) * HZ },
		{ U64_MAX, 10, 30, true, 0 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		KUNIT_EXPECT_EQ_MSG(test, esplane_lifetime_due(rows[i].age, rows[i].soft,
							       rows[i].hard, rows[i].soft_done),
				    rows[i].expected, "row %u", i);
}

/* The latest that the kernel's timer wheel lets a timer fire (levels: kernel/time/timer.c). */
static u64 fires_after(u64 delta)
{
	unsigned int level = 0;

	while (level < 8 && delta >= 63ULL << 3 * level)
		level++;
	return delta + (1ULL << 3 * level);
}

/* Armed step by step a timer is an eighth of a second late at most, and needs few steps. */
static void steps_are_never_late(struct kunit *test)
{
	enum { RUNS = 2000, STEPS = 12 };
	struct rnd_state rnd;
	unsigned int i, n;

	prandom_seed_state(&rnd, 18);
	for (i = 0; i < RUNS; i++) {
		u64 left = HZ + prandom_u32_state(&rnd) % (10U * 24 * 3600 * HZ >> i % 24);

		for (n = 0; left > HZ && n < STEPS; n++) {
			u64 latest = fires_after(esplane_lifetime_step(left));

			KUNIT_EXPECT_LE_MSG(test, latest, left, "run %u", i);
			left -= min(latest, left);
		}
		KUNIT_EXPECT_LE_MSG(test, left, (u64)HZ, "run %u", i);
		if (left)
			KUNIT_EXPECT_LE_MSG(test, fires_after(esplane_lifetime_step(left)),
					    left + HZ / 8 + 1, "run %u", i);
	}
	KUNIT_EXPECT_EQ(test, esplane_lifetime_step(0), 1UL);
	KUNIT_EXPECT_EQ(test, esplane_lifetime_step(1), 1UL);
	KUNIT_EXPECT_LE(test, (u64)esplane_lifetime_step(U64_MAX), (u64)MAX_JIFFY_OFFSET);
}

/* 7/8 of 2^32 and of 2^64; the end is never the number after which the counter is 0 again. */
static void sequence_space(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, esplane_sequence_soft(false), 3758096384ULL);
	KUNIT_EXPECT_EQ(test, esplane_sequence_soft(true), 16140901064495857664ULL);
	KUNIT_EXPECT_EQ(test, esplane_sequence_end(false), 4294967295ULL);
	KUNIT_EXPECT_GT(test, esplane_sequence_end(true), esplane_sequence_soft(true));
	KUNIT_EXPECT_LT(test, esplane_sequence_end(true), U64_MAX - 65536);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(judge_rows),
	KUNIT_CASE(judge_runs),
	KUNIT_CASE(due_rows),
	KUNIT_CASE(steps_are_never_late),
	KUNIT_CASE(sequence_space),
	{}
};

static struct kunit_suite suite = {
	.name = "esplane_lifetime",
	.test_cases = cases,
};

kunit_test_suite(suite);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("KUnit tests of esplane's lifetimes");
