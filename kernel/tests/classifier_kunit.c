// SPDX-License-Identifier: GPL-2.0
/*
 * The classifier against a model that compares every rule, and how much it looks at.
 *
 * Randomly: a million pairs of policy set and packet. Each set is the one before with one rule
 * added, removed or replaced: 3,600 small sets (up to 8 rules) with 250 packets each, 1,000 large
 * ones (up to 24) with 100. The universe is small, so that rules overlap; its addresses and ports
 * lie across the middle of their prefixes, where ranges are no prefixes. The model has its own form
 * of a rule, positions in the universe.
 */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/in.h>
#include <linux/kthread.h>
#include <linux/prandom.h>
#include <linux/slab.h>
#include <linux/socket.h>

#include "classifier.h"
#include "import.h"
#include "selector.h"

enum {
	SEED = 20261125,
	UNIVERSE = 8,		/* addresses of a family, and ports */
	MAX_RULES = 24,
	MAX_PAIRS = 3,
	FIRST_PORT = 0x7ffc,	/* 0x8000 is the middle of all ports */
};

/* What the rules ask of a mark, the most demanding last. */
static const struct {
	u32 mark, mask;
} marks[] = { { 0, 0 }, { 0, 0 }, { 0x10, 0xf0 }, { 0x11, 0xff } };

static const u8 protocols[] = { 0, IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP };

/* A rule as the model sees it: everything is a position in the universe. */
struct pair {
	u8 v6, protocol;
	u8 src[2], dst[2], sport[2], dport[2];
	bool any_ports;
};

struct rule {
	struct esplane_rule rule;
	struct esplane_selector selectors[MAX_PAIRS];
	struct esplane_place places[MAX_PAIRS];
	struct pair pairs[MAX_PAIRS];
	u8 marks;
};

/* A policy set, and memory for one rule more. */
struct set {
	struct esplane_classifier c;
	struct rnd_state rnd;
	struct rule *rules[MAX_RULES];
	struct rule *spare;
	unsigned int max_rules, max_pairs;
	u32 last_id;
};

struct packet {
	u8 v6, protocol, src, dst, sport, dport;
	bool ports;
	u32 if_id, mark;
};

static union nf_inet_addr addrs[2][UNIVERSE];

/* 127.255.255.252 on, and 2001:db8::7fff:ffff:ffff:fffc on, which crosses two words' ends. */
static void init_addrs(void)
{
	unsigned int i;
	u64 low;

	memset(addrs, 0, sizeof(addrs));
	for (i = 0; i < UNIVERSE; i++) {
		addrs[0][i].ip = htonl(0x7ffffffc + i);
		low = 0x7ffffffffffffffcULL + i;
		addrs[1][i].ip6[0] = htonl(0x20010db8);
		addrs[1][i].ip6[2] = htonl(upper_32_bits(low));
		addrs[1][i].ip6[3] = htonl(lower_32_bits(low));
	}
}

static void random_range(struct rnd_state *rnd, u8 range[2])
{
	u32 bits = prandom_u32_state(rnd);
	u8 a = bits % UNIVERSE, b = bits / UNIVERSE % UNIVERSE;

	range[0] = min(a, b);
	range[1] = bits >> 30 ? max(a, b) : range[0];
}

static struct pair random_pair(struct rnd_state *rnd)
{
	struct pair p = {};

	p.v6 = prandom_u32_state(rnd) % 4 == 0;
	p.protocol = protocols[prandom_u32_state(rnd) % ARRAY_SIZE(protocols)];
	random_range(rnd, p.src);
	random_range(rnd, p.dst);
	random_range(rnd, p.sport);
	random_range(rnd, p.dport);
	p.any_ports = prandom_u32_state(rnd) % 2;
	return p;
}

static void to_selector(const struct pair *p, struct esplane_selector *s)
{
	*s = (struct esplane_selector){
		.family = p->v6 ? AF_INET6 : AF_INET,
		.protocol = p->protocol,
		.src_first = addrs[p->v6][p->src[0]],
		.src_last = addrs[p->v6][p->src[1]],
		.dst_first = addrs[p->v6][p->dst[0]],
		.dst_last = addrs[p->v6][p->dst[1]],
		.sport_first = p->any_ports ? 0 : FIRST_PORT + p->sport[0],
		.sport_last = p->any_ports ? U16_MAX : FIRST_PORT + p->sport[1],
		.dport_first = p->any_ports ? 0 : FIRST_PORT + p->dport[0],
		.dport_last = p->any_ports ? U16_MAX : FIRST_PORT + p->dport[1],
	};
}

static struct rule *new_rule(struct kunit *test)
{
	struct rule *r = kzalloc(sizeof(*r), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, r);
	return r;
}

static void randomize_rule(struct rnd_state *rnd, struct rule *r, unsigned int pairs, u32 id)
{
	unsigned int i;

	memset(r, 0, sizeof(*r));
	r->marks = prandom_u32_state(rnd) % ARRAY_SIZE(marks);
	/* Few priorities: the ID decides often. */
	r->rule = (struct esplane_rule){
		.rank = (u64)(prandom_u32_state(rnd) % 4) << 32 | id,
		.if_id = prandom_u32_state(rnd) % 8 ? 0 : 7,
		.mark = marks[r->marks].mark,
		.mark_mask = marks[r->marks].mask,
		.n = 1 + prandom_u32_state(rnd) % pairs,
		.selectors = r->selectors,
		.places = r->places,
	};
	for (i = 0; i < r->rule.n; i++) {
		r->pairs[i] = random_pair(rnd);
		to_selector(&r->pairs[i], &r->selectors[i]);
	}
}

static bool within(u8 value, const u8 range[2])
{
	return value >= range[0] && value <= range[1];
}

static bool model_pair(const struct pair *p, const struct packet *k)
{
	return p->v6 == k->v6 && within(k->src, p->src) && within(k->dst, p->dst) &&
	       (p->protocol == 0 || p->protocol == k->protocol) &&
	       (p->any_ports ||
		(k->ports && within(k->sport, p->sport) && within(k->dport, p->dport)));
}

static bool model_rule(const struct rule *r, const struct packet *k)
{
	unsigned int i;

	if (r->rule.if_id != k->if_id)
		return false;
	if ((k->mark & marks[r->marks].mask) != marks[r->marks].mark)
		return false;
	for (i = 0; i < r->rule.n; i++)
		if (model_pair(&r->pairs[i], k))
			return true;
	return false;
}

/* Linear, in no order. */
static const struct rule *model(const struct set *set, const struct packet *k)
{
	const struct rule *best = NULL;
	unsigned int i;

	for (i = 0; i < set->max_rules; i++) {
		const struct rule *r = set->rules[i];

		if (r && (!best || r->rule.rank < best->rule.rank) && model_rule(r, k))
			best = r;
	}
	return best;
}

static struct packet random_packet(struct rnd_state *rnd)
{
	u32 bits = prandom_u32_state(rnd);

	return (struct packet){
		.v6 = (bits & 3) == 0,
		.protocol = protocols[1 + (bits >> 2) % (ARRAY_SIZE(protocols) - 1)],
		.src = (bits >> 10) % UNIVERSE,
		.dst = (bits >> 13) % UNIVERSE,
		.sport = (bits >> 16) % UNIVERSE,
		.dport = (bits >> 19) % UNIVERSE,
		.ports = (bits >> 22) % 8,
		.if_id = (bits >> 25) % 8 ? 0 : 7,
		.mark = (bits >> 28) & 1 ? 0x10 + ((bits >> 29) & 1) : 0,
	};
}

static struct esplane_flow to_flow(const struct packet *k)
{
	return (struct esplane_flow){
		.family = k->v6 ? AF_INET6 : AF_INET,
		.protocol = k->protocol,
		.ports = k->ports,
		.sport = k->ports ? FIRST_PORT + k->sport : 0,
		.dport = k->ports ? FIRST_PORT + k->dport : 0,
		.src = addrs[k->v6][k->src],
		.dst = addrs[k->v6][k->dst],
	};
}

static void expect_empty(struct kunit *test, const struct esplane_classifier *c)
{
	KUNIT_EXPECT_TRUE(test, list_empty(&c->tuples));
	KUNIT_EXPECT_EQ(test, atomic_read(&c->buckets.nelems), 0);
}

/*
 * One rule goes, comes or is replaced, as by policy-del and policy-set. The memory of one that went
 * serves again at once: there are no other readers.
 */
static void change(struct kunit *test, struct set *set)
{
	struct rule **slot = &set->rules[prandom_u32_state(&set->rnd) % set->max_rules];
	struct rule *old = *slot, *new = set->spare;
	u32 kind = prandom_u32_state(&set->rnd) % 8;

	if (old && kind < 2) {
		esplane_classifier_swap(&set->c, NULL, &old->rule);
		kfree(old);
		*slot = NULL;
		return;
	}
	randomize_rule(&set->rnd, new, set->max_pairs,
		       old ? (u32)old->rule.rank : ++set->last_id);
	KUNIT_ASSERT_EQ(test, esplane_classifier_prepare(&set->c, &new->rule), 0);
	if (kind == 7) {
		esplane_classifier_abandon(&set->c, &new->rule);
		return;
	}
	esplane_classifier_swap(&set->c, &new->rule, old ? &old->rule : NULL);
	*slot = new;
	set->spare = old ?: new_rule(test);
}

static bool agree(const struct set *set, const struct packet *k, bool *match)
{
	struct esplane_flow flow = to_flow(k);
	const struct esplane_rule *got;
	const struct rule *expected;

	got = esplane_classifier_lookup(&set->c, &flow, k->if_id, k->mark);
	expected = model(set, k);
	*match = expected;
	return got == (expected ? &expected->rule : NULL);
}

/* Returns how many packets matched. */
static unsigned int compare(struct kunit *test, struct set *set, unsigned int packets)
{
	unsigned int i, wrong = 0, matches = 0;
	struct packet k;
	bool match;

	rcu_read_lock();
	for (i = 0; i < packets; i++) {
		k = random_packet(&set->rnd);
		wrong += !agree(set, &k, &match);
		matches += match;
	}
	rcu_read_unlock();
	KUNIT_ASSERT_EQ_MSG(test, wrong, 0, "after rule %u", set->last_id);
	return matches;
}

static struct set *new_set(struct kunit *test, unsigned int max_rules, unsigned int max_pairs)
{
	struct set *set = kunit_kzalloc(test, sizeof(*set), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, set);
	init_addrs();
	prandom_seed_state(&set->rnd, SEED + max_rules);
	set->max_rules = max_rules;
	set->max_pairs = max_pairs;
	set->spare = new_rule(test);
	KUNIT_ASSERT_EQ(test, esplane_classifier_init(&set->c), 0);
	return set;
}

static void free_set(struct kunit *test, struct set *set)
{
	unsigned int i;

	for (i = 0; i < set->max_rules; i++) {
		if (set->rules[i])
			esplane_classifier_swap(&set->c, NULL, &set->rules[i]->rule);
		kfree(set->rules[i]);
	}
	kfree(set->spare);
	expect_empty(test, &set->c);
	esplane_classifier_exit(&set->c);
}

static void random_sets(struct kunit *test, struct set *set, unsigned int sets,
			unsigned int packets)
{
	unsigned int i, matches = 0, all = sets * packets;

	for (i = 0; i < sets; i++) {
		change(test, set);
		matches += compare(test, set, packets);
		cond_resched();
	}
	free_set(test, set);
	/* Neither outcome is so rare that the pairs say nothing about it. */
	KUNIT_EXPECT_GT(test, matches, all / 20);
	KUNIT_EXPECT_LT(test, matches, all - all / 20);
}

static void small_sets(struct kunit *test)
{
	random_sets(test, new_set(test, 8, 1), 3600, 250);
}

static void large_sets(struct kunit *test)
{
	random_sets(test, new_set(test, MAX_RULES, MAX_PAIRS), 1000, 100);
}

/* Many policies of the kinds that gateways have */

enum {
	MANY = 10000,
	KINDS = 6,
	SAMPLES = 300,
	/*
	 * What a search may look at, for a packet of one kind when there are all kinds: each kind's
	 * own tuples, and in each one selector, for they do not overlap. See add_many().
	 */
	MAX_TUPLES = 1 + 1 + 1 + 16 + 32,	/* none of IPv6: the family is asked first */
};

struct many {
	struct esplane_rule rule;
	struct esplane_selector selector;
	struct esplane_place place;
};

struct crowd {
	struct esplane_classifier c;
	struct many *rules;
	unsigned int n;
};

static void whole_selector(struct esplane_selector *s)
{
	*s = (struct esplane_selector){
		.family = AF_INET,
		.src_first.ip = htonl(0x0a000000), .src_last.ip = htonl(0x0affffff),
		.sport_last = U16_MAX,
		.dport_last = U16_MAX,
	};
}

/* The @i-th rule. No two of a kind share a flow, so that it is known which one matches. */
static void many_selector(struct esplane_selector *s, u32 i)
{
	u32 k = i / KINDS;

	whole_selector(s);
	s->dst_first.ip = htonl(0xc0000201);
	s->dst_last = s->dst_first;
	switch (i % KINDS) {
	case 0:		/* a remote host: one tuple */
		s->dst_first.ip = htonl(0x64000000 + k);
		s->dst_last = s->dst_first;
		break;
	case 1:		/* a remote network: one tuple */
		s->dst_first.ip = htonl(0x20000000 + (k << 8));
		s->dst_last.ip = htonl(0x20000000 + (k << 8) + 0xff);
		break;
	case 2:		/* a port of one host: one tuple */
		s->protocol = IPPROTO_TCP;
		s->dport_first = k;
		s->dport_last = k;
		break;
	case 3:		/* seven ports of one host: by the first bit that parts them, 16 tuples */
		s->protocol = IPPROTO_UDP;
		s->dport_first = 7 * k;
		s->dport_last = 7 * k + 6;
		break;
	case 4:		/* a remote network of IPv6: one tuple */
		s->family = AF_INET6;
		s->src_first.ip6[0] = htonl(0x20010db8);
		s->src_last = s->src_first;
		s->dst_first.ip6[0] = htonl(0xfd000000 + k);
		s->dst_last = s->dst_first;
		s->dst_last.ip6[3] = htonl(0xffffffff);
		break;
	default:	/* a hundred and one addresses, likewise 32 tuples */
		s->dst_first.ip = htonl(0x7f000000 + 101 * k);
		s->dst_last.ip = htonl(0x7f000000 + 101 * k + 100);
		break;
	}
}

/* A flow of the @i-th rule: the last that it covers. */
static void many_flow(struct esplane_flow *f, const struct esplane_selector *s)
{
	*f = (struct esplane_flow){
		.family = s->family,
		.protocol = s->protocol ?: IPPROTO_SCTP,
		.ports = true,
		.sport = 5,
		.dport = s->dport_last,
		.src = s->src_last,
		.dst = s->dst_last,
	};
}

static void add_many(struct kunit *test, struct crowd *crowd, unsigned int n)
{
	for (; crowd->n < n; crowd->n++) {
		struct many *m = &crowd->rules[crowd->n];

		many_selector(&m->selector, crowd->n);
		m->rule = (struct esplane_rule){
			.rank = crowd->n,
			.n = 1,
			.selectors = &m->selector,
			.places = &m->place,
		};
		KUNIT_ASSERT_EQ(test, esplane_classifier_prepare(&crowd->c, &m->rule), 0);
		esplane_classifier_swap(&crowd->c, &m->rule, NULL);
		cond_resched();
	}
}

/* Samples some rules' flows: each finds its rule. Returns the most that one looked at. */
static struct esplane_classifier_work most_work(struct kunit *test, struct crowd *crowd)
{
	unsigned int step = max(crowd->n / SAMPLES, 1U) | 1, i;
	struct esplane_classifier_work most = {};

	for (i = 0; i < crowd->n; i += step) {
		struct esplane_classifier_work work = {};
		struct many *m = &crowd->rules[i];
		struct esplane_rule *got;
		struct esplane_flow flow;

		many_flow(&flow, &m->selector);
		rcu_read_lock();
		got = esplane_classifier_measure(&crowd->c, &flow, 0, 0, &work);
		rcu_read_unlock();
		KUNIT_ASSERT_PTR_EQ(test, got, &m->rule);
		most.tuples = max(most.tuples, work.tuples);
		most.places = max(most.places, work.places);
	}
	return most;
}

static void work_is_bounded(struct kunit *test)
{
	static const unsigned int sizes[] = { 1, 1000, MANY };
	struct crowd *crowd = kunit_kzalloc(test, sizeof(*crowd), GFP_KERNEL);
	struct esplane_classifier_work work[ARRAY_SIZE(sizes)];
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, crowd);
	crowd->rules = kvcalloc(MANY, sizeof(*crowd->rules), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, crowd->rules);
	KUNIT_ASSERT_EQ(test, esplane_classifier_init(&crowd->c), 0);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		add_many(test, crowd, sizes[i]);
		work[i] = most_work(test, crowd);
		kunit_info(test, "%u rules: at most %u tuples, %u selectors", sizes[i],
			   work[i].tuples, work[i].places);
		KUNIT_EXPECT_LE(test, work[i].tuples, MAX_TUPLES);
		KUNIT_EXPECT_LE(test, work[i].places, work[i].tuples);
	}
	KUNIT_EXPECT_EQ(test, work[0].tuples, 1);
	KUNIT_EXPECT_EQ(test, work[0].places, 1);
	while (crowd->n--) {
		esplane_classifier_swap(&crowd->c, NULL, &crowd->rules[crowd->n].rule);
		cond_resched();
	}
	expect_empty(test, &crowd->c);
	esplane_classifier_exit(&crowd->c);
	kvfree(crowd->rules);
}

/* A writer beside */

enum {
	SWAPS = 1000,
	REST = 25,	/* swaps; odd */
};

struct beside {
	struct esplane_classifier c;
	struct many rules[2];
	struct completion done;
	bool stop;
};

/* Any flow, by one tuple or by another, in turns ahead of the other rule and behind it. */
static void beside_rule(struct many *m, unsigned int i)
{
	whole_selector(&m->selector);
	m->selector.dst_last.ip = i ? htonl(0xffffffff) : htonl(0x7fffffff);
	m->rule = (struct esplane_rule){
		.rank = i,
		.n = 1,
		.selectors = &m->selector,
		.places = &m->place,
	};
}

static int swap_many_times(void *arg)
{
	struct beside *b = arg;
	unsigned int i;

	for (i = 0; i < SWAPS; i++) {
		struct esplane_rule *rule = &b->rules[(i + 1) % 2].rule;

		if (esplane_classifier_prepare(&b->c, rule))
			break;
		esplane_classifier_swap(&b->c, rule, &b->rules[i % 2].rule);
		/* Its memory is used again. */
		synchronize_rcu_expedited();
		/* The reader may have no CPU but this one; it must come to see either rule. */
		if (i % REST == 0)
			schedule_timeout_uninterruptible(1);
	}
	WRITE_ONCE(b->stop, true);
	complete(&b->done);
	return i != SWAPS;
}

/* Whoever looks while one rule takes another's place finds one of them. */
static void swap_is_one_step(struct kunit *test)
{
	struct beside *b = kunit_kzalloc(test, sizeof(*b), GFP_KERNEL);
	struct task_struct *writer;
	unsigned long found[3] = {};
	struct esplane_flow flow;

	KUNIT_ASSERT_NOT_NULL(test, b);
	init_completion(&b->done);
	KUNIT_ASSERT_EQ(test, esplane_classifier_init(&b->c), 0);
	beside_rule(&b->rules[0], 0);
	beside_rule(&b->rules[1], 1);
	KUNIT_ASSERT_EQ(test, esplane_classifier_prepare(&b->c, &b->rules[0].rule), 0);
	esplane_classifier_swap(&b->c, &b->rules[0].rule, NULL);
	many_flow(&flow, &b->rules[0].selector);
	writer = kthread_run(swap_many_times, b, "classifier_kunit");
	KUNIT_ASSERT_FALSE(test, IS_ERR(writer));
	while (!READ_ONCE(b->stop)) {
		const struct esplane_rule *got;

		rcu_read_lock();
		got = esplane_classifier_lookup(&b->c, &flow, 0, 0);
		found[!got ? 2 : got == &b->rules[1].rule]++;
		rcu_read_unlock();
		cond_resched();
	}
	wait_for_completion(&b->done);
	kunit_info(test, "found %lu of one, %lu of the other", found[0], found[1]);
	KUNIT_EXPECT_GT(test, found[0], 0);
	KUNIT_EXPECT_GT(test, found[1], 0);
	KUNIT_EXPECT_EQ(test, found[2], 0);
	/* An even number of swaps: the first is in place again. */
	esplane_classifier_swap(&b->c, NULL, &b->rules[0].rule);
	expect_empty(test, &b->c);
	esplane_classifier_exit(&b->c);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(small_sets),
	KUNIT_CASE(large_sets),
	KUNIT_CASE(work_is_bounded),
	KUNIT_CASE(swap_is_one_step),
	{}
};

static struct kunit_suite suite = {
	.name = "esplane_classifier",
	.test_cases = cases,
};

kunit_test_suite(suite);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("KUnit tests of esplane's classifier");
