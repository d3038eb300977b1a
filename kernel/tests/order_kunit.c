// SPDX-License-Identifier: GPL-2.0
/* The order of trains against a naive model: they leave in the order they came, and none early. */
#include <kunit/test.h>
#include <linux/prandom.h>

#include "import.h"
#include "order.h"
#include "train.h"

enum {
	TRAINS = ESPLANE_ORDER_MAX,
	ROUNDS = 20000,
};

enum state { OUTSIDE, WAITING, UNDER_WAY, THROUGH };

/* The trains inside are a ring: @n of them from @first on. One more than fits finds no room. */
struct model {
	struct esplane_order order;
	struct esplane_train *trains[TRAINS + 1];
	enum state state[TRAINS];
	unsigned int first, n;
	struct rnd_state random;
};

static struct model *new_model(struct kunit *test)
{
	struct model *m = kunit_kzalloc(test, sizeof(*m), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, m);
	for (i = 0; i < ARRAY_SIZE(m->trains); i++) {
		m->trains[i] = kunit_kzalloc(test, sizeof(*m->trains[i]), GFP_KERNEL);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, m->trains[i]);
	}
	esplane_order_init(&m->order);
	prandom_seed_state(&m->random, 1);
	return m;
}

static bool locked_add(struct model *m, struct esplane_train *train, bool wait)
{
	bool room;

	spin_lock_bh(&m->order.lock);
	room = esplane_order_add(&m->order, train, wait);
	spin_unlock_bh(&m->order.lock);
	return room;
}

static struct esplane_train *locked_take_waiting(struct model *m)
{
	struct esplane_train *train;

	spin_lock_bh(&m->order.lock);
	train = esplane_order_take_waiting(&m->order);
	spin_unlock_bh(&m->order.lock);
	return train;
}

static struct esplane_train *locked_take(struct model *m, bool *ready)
{
	struct esplane_train *train;

	spin_lock_bh(&m->order.lock);
	*ready = esplane_order_is_ready(&m->order);
	train = esplane_order_take(&m->order);
	spin_unlock_bh(&m->order.lock);
	return train;
}

static void add(struct kunit *test, struct model *m, bool wait)
{
	unsigned int next = (m->first + m->n) % TRAINS;

	if (m->n == TRAINS) {
		KUNIT_EXPECT_FALSE(test, locked_add(m, m->trains[TRAINS], wait));
		return;
	}
	KUNIT_ASSERT_TRUE(test, locked_add(m, m->trains[next], wait));
	m->state[next] = wait ? WAITING : UNDER_WAY;
	m->n++;
}

/* Whoever takes one gets the oldest of those that wait. */
static void work(struct kunit *test, struct model *m)
{
	struct esplane_train *train = locked_take_waiting(m);
	unsigned int i, expected;

	for (i = 0; i < m->n; i++) {
		expected = (m->first + i) % TRAINS;
		if (m->state[expected] != WAITING)
			continue;
		KUNIT_ASSERT_PTR_EQ(test, train, m->trains[expected]);
		m->state[expected] = UNDER_WAY;
		return;
	}
	KUNIT_EXPECT_PTR_EQ(test, train, (struct esplane_train *)NULL);
}

static void end(struct model *m, unsigned int train)
{
	m->trains[train]->through = true;
	m->state[train] = THROUGH;
}

/* Any of those under way may be through before the others. */
static void end_any(struct model *m)
{
	unsigned int from = prandom_u32_state(&m->random) % TRAINS, i;

	for (i = 0; i < TRAINS; i++)
		if (m->state[(from + i) % TRAINS] == UNDER_WAY) {
			end(m, (from + i) % TRAINS);
			return;
		}
}

static void leave(struct kunit *test, struct model *m)
{
	bool expected = m->n && m->state[m->first] == THROUGH, ready;
	struct esplane_train *train = locked_take(m, &ready);

	KUNIT_EXPECT_EQ(test, ready, expected);
	if (!expected) {
		KUNIT_EXPECT_PTR_EQ(test, train, (struct esplane_train *)NULL);
		return;
	}
	KUNIT_ASSERT_PTR_EQ(test, train, m->trains[m->first]);
	m->state[m->first] = OUTSIDE;
	m->first = (m->first + 1) % TRAINS;
	m->n--;
}

static void step(struct kunit *test, struct model *m)
{
	u32 random = prandom_u32_state(&m->random);

	switch (random % 4) {
	case 0:
		add(test, m, random & 4);
		break;
	case 1:
		work(test, m);
		break;
	case 2:
		end_any(m);
		break;
	default:
		leave(test, m);
	}
}

static void random_steps(struct kunit *test)
{
	struct model *m = new_model(test);
	unsigned int i, most = 0;

	for (i = 0; i < ROUNDS; i++) {
		step(test, m);
		most = max(most, m->n);
	}
	KUNIT_EXPECT_GT(test, most, 2);	/* there was something to be put in order */
}

/* The first is the last to be through: none leaves before, none gets in, and then all leave. */
static void held_up(struct kunit *test)
{
	struct model *m = new_model(test);
	unsigned int i;

	for (i = 0; i <= TRAINS; i++)
		add(test, m, false);
	for (i = TRAINS; i-- > 0;) {
		leave(test, m);
		KUNIT_EXPECT_EQ(test, m->n, TRAINS);
		end(m, i);
	}
	for (i = 0; i <= TRAINS; i++)
		leave(test, m);
	KUNIT_EXPECT_EQ(test, m->n, 0);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(random_steps),
	KUNIT_CASE(held_up),
	{}
};

static struct kunit_suite suite = {
	.name = "esplane_order",
	.test_cases = cases,
};

kunit_test_suite(suite);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("KUnit tests of the order of esplane's trains");
