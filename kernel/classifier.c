// SPDX-License-Identifier: GPL-2.0
/*
 * Tuple space search over selectors that are ranges.
 *
 * Of each range of a selector the classifier takes the shortest prefix that encloses it: the bits
 * that first and last have in common. The lengths of a selector's prefixes are its tuple; the bits
 * themselves are its bucket's key. A lookup asks each tuple for one bucket, that of the flow's own
 * bits cut to the tuple's lengths, and compares the selectors there exactly.
 *
 * What it costs: as many hash lookups as there are tuples, which is the variety of prefix lengths
 * in use, not the number of rules; and the selectors of one bucket that come before the one that
 * matches. Of those there are few: where first and last part, first has a 0 and last a 1, so every
 * range of more than one value contains both middle values of its prefix, 01..1 and 10..0.
 * Therefore all selectors of a bucket overlap each other, in every dimension. Selectors that share
 * no flow never meet, and of whole prefixes the first always matches. Only rules that overlap
 * without being prefixes, and whose ranges part at the same bit, are compared one by one.
 *
 * Tuples are in order of the best rank that any of their rules has: the search ends where no better
 * one can come.
 *
 * Locking: writers are serialized by the caller (spd.c: esplane_net::lock). Readers use RCU for
 * memory and the sequence lock for the answer: a search during which a writer linked or unlinked
 * something is done again, so each sees a swap wholly or not at all. Nothing that may fail or take
 * long is done under it: buckets and tuples come before and go after, empty.
 */
#include <kunit/visibility.h>
#include <linux/bitops.h>
#include <linux/jhash.h>
#include <linux/netfilter.h>
#include <linux/rculist.h>
#include <linux/slab.h>
#include <linux/socket.h>
#include <linux/string.h>

#include "classifier.h"
#include "compat.h"
#include "selector.h"

enum {
	ADDR_WORDS = sizeof(union nf_inet_addr) / sizeof(__be32),
	WORD_BITS = 32,
	PORT_BITS = 16,
};

/* What makes a tuple; compared as bytes. Lengths in bits. */
struct shape {
	u32 mark_mask;
	u16 family;
	u8 src, dst;
	u8 sport, dport;
	u8 protocol;		/* 1: of one protocol, 0: of any */
	u8 zero;
};

struct tuple {
	struct list_head list;		/* classifier: by @best, RCU */
	struct shape shape;
	union nf_inet_addr src_mask, dst_mask;
	u16 sport_mask, dport_mask;
	u64 best;			/* lowest rank of a rule here; U64_MAX: none */
	struct rb_root_cached by_rank;	/* places */
	unsigned int users;		/* buckets */
	struct rcu_head rcu;
};

/* Compared as bytes; of IPv4 only those before @src_rest are hashed, the others being zero. */
struct bucket_key {
	const struct tuple *tuple;
	u32 if_id, mark;
	u16 sport, dport;
	u32 protocol;
	__be32 src, dst;
	__be32 src_rest[ADDR_WORDS - 1], dst_rest[ADDR_WORDS - 1];
};

struct esplane_bucket {
	struct rhash_head node;
	struct bucket_key key;
	struct tuple *tuple;
	struct list_head places;	/* by rank, RCU */
	unsigned int users;		/* places, linked or prepared */
	struct rcu_head rcu;
};

static u32 hash_key(const void *data, u32 len, u32 seed)
{
	const struct bucket_key *key = data;

	BUILD_BUG_ON(sizeof(*key) != offsetofend(struct bucket_key, dst_rest));
	if (key->tuple->shape.family == AF_INET)
		len = offsetof(struct bucket_key, src_rest);
	return jhash2(data, len / sizeof(u32), seed);
}

static const struct rhashtable_params params = {
	.key_offset = offsetof(struct esplane_bucket, key),
	.key_len = sizeof(struct bucket_key),
	.hashfn = hash_key,
	.head_offset = offsetof(struct esplane_bucket, node),
	.automatic_shrinking = true,
};

static unsigned int common_addr_bits(u16 family, const union nf_inet_addr *a,
				     const union nf_inet_addr *b)
{
	unsigned int words = family == AF_INET ? 1 : ADDR_WORDS, i;
	u32 differ;

	for (i = 0; i < words; i++) {
		differ = ntohl(a->ip6[i] ^ b->ip6[i]);
		if (differ)
			return i * WORD_BITS + WORD_BITS - fls(differ);
	}
	return words * WORD_BITS;
}

static unsigned int common_port_bits(u16 a, u16 b)
{
	return PORT_BITS - fls(a ^ b);
}

static void set_shape(struct shape *shape, const struct esplane_rule *rule,
		      const struct esplane_selector *sel)
{
	BUILD_BUG_ON(sizeof(*shape) != offsetofend(struct shape, zero));
	*shape = (struct shape){
		.mark_mask = rule->mark_mask,
		.family = sel->family,
		.src = common_addr_bits(sel->family, &sel->src_first, &sel->src_last),
		.dst = common_addr_bits(sel->family, &sel->dst_first, &sel->dst_last),
		.sport = common_port_bits(sel->sport_first, sel->sport_last),
		.dport = common_port_bits(sel->dport_first, sel->dport_last),
		.protocol = !!sel->protocol,
	};
}

static void set_addr_mask(union nf_inet_addr *mask, unsigned int bits)
{
	unsigned int i, n;

	for (i = 0; i < ADDR_WORDS; i++, bits -= n) {
		n = min_t(unsigned int, bits, WORD_BITS);
		mask->ip6[i] = htonl(n ? GENMASK(WORD_BITS - 1, WORD_BITS - n) : 0);
	}
}

static u16 port_mask(unsigned int bits)
{
	return U16_MAX << (PORT_BITS - bits);
}

static void mask_addr(__be32 *first, __be32 rest[ADDR_WORDS - 1], const union nf_inet_addr *addr,
		      const union nf_inet_addr *mask)
{
	unsigned int i;

	*first = addr->ip6[0] & mask->ip6[0];
	for (i = 1; i < ADDR_WORDS; i++)
		rest[i - 1] = addr->ip6[i] & mask->ip6[i];
}

static void set_key(struct bucket_key *key, const struct tuple *t, const struct esplane_flow *flow,
		    u32 if_id, u32 mark)
{
	key->tuple = t;
	mask_addr(&key->src, key->src_rest, &flow->src, &t->src_mask);
	mask_addr(&key->dst, key->dst_rest, &flow->dst, &t->dst_mask);
	key->if_id = if_id;
	key->mark = mark & t->shape.mark_mask;
	key->sport = flow->sport & t->sport_mask;
	key->dport = flow->dport & t->dport_mask;
	key->protocol = t->shape.protocol ? flow->protocol : 0;
}

/* Selectors that ask for ports match no flow that has none: no use to go there. */
static bool tuple_suits(const struct tuple *t, const struct esplane_flow *flow)
{
	return t->shape.family == flow->family &&
	       (flow->ports || !(t->shape.sport | t->shape.dport));
}

static struct esplane_rule *ask_bucket(const struct esplane_bucket *bucket,
				       const struct esplane_flow *flow,
				       struct esplane_classifier_work *work)
{
	const struct esplane_place *place;

	list_for_each_entry_rcu(place, &bucket->places, list) {
		if (work)
			work->places++;
		if (esplane_selector_match(place->selector, flow))
			return place->rule;
	}
	return NULL;
}

static __always_inline struct esplane_rule *search(const struct esplane_classifier *c,
						   const struct esplane_flow *flow, u32 if_id,
						   u32 mark, struct esplane_classifier_work *work)
{
	struct esplane_rule *best = NULL, *rule;
	const struct esplane_bucket *bucket;
	const struct tuple *t;
	struct bucket_key key;

	list_for_each_entry_rcu(t, &c->tuples, list) {
		if (best && best->rank <= READ_ONCE(t->best))
			break;
		if (!tuple_suits(t, flow))
			continue;
		if (work)
			work->tuples++;
		set_key(&key, t, flow, if_id, mark);
		bucket = rhashtable_lookup((struct rhashtable *)&c->buckets, &key, params);
		rule = bucket ? ask_bucket(bucket, flow, work) : NULL;
		if (rule && (!best || rule->rank < best->rank))
			best = rule;
	}
	return best;
}

struct esplane_rule *esplane_classifier_lookup(const struct esplane_classifier *c,
					       const struct esplane_flow *flow, u32 if_id,
					       u32 mark)
{
	struct esplane_rule *rule;
	unsigned int seq;

	do {
		seq = read_seqbegin(&c->lock);
		rule = search(c, flow, if_id, mark, NULL);
	} while (read_seqretry(&c->lock, seq));
	return rule;
}
EXPORT_SYMBOL_IF_KUNIT(esplane_classifier_lookup);

struct esplane_rule *esplane_classifier_measure(const struct esplane_classifier *c,
						const struct esplane_flow *flow, u32 if_id,
						u32 mark, struct esplane_classifier_work *work)
{
	struct esplane_rule *rule;
	unsigned int seq;

	do {
		seq = read_seqbegin(&c->lock);
		rule = search(c, flow, if_id, mark, work);
	} while (read_seqretry(&c->lock, seq));
	return rule;
}
EXPORT_SYMBOL_IF_KUNIT(esplane_classifier_measure);

/* Tuples */

static struct tuple *find_tuple(struct esplane_classifier *c, const struct shape *shape)
{
	struct tuple *t;

	list_for_each_entry(t, &c->tuples, list)
		if (!memcmp(&t->shape, shape, sizeof(*shape)))
			return t;
	return NULL;
}

static struct tuple *new_tuple(struct esplane_classifier *c, const struct shape *shape)
{
	struct tuple *t = kzalloc(sizeof(*t), GFP_KERNEL_ACCOUNT);

	if (!t)
		return NULL;
	t->shape = *shape;
	set_addr_mask(&t->src_mask, shape->src);
	set_addr_mask(&t->dst_mask, shape->dst);
	t->sport_mask = port_mask(shape->sport);
	t->dport_mask = port_mask(shape->dport);
	t->best = U64_MAX;
	t->by_rank = RB_ROOT_CACHED;
	list_add_tail_rcu(&t->list, &c->tuples);
	return t;
}

static void put_tuple(struct tuple *t)
{
	if (t->users)
		return;
	list_del_rcu(&t->list);
	kfree_rcu(t, rcu);
}

static struct esplane_place *place_of(const struct rb_node *node)
{
	return rb_entry(node, struct esplane_place, by_rank);
}

static bool rank_less(struct rb_node *a, const struct rb_node *b)
{
	return place_of(a)->rule->rank < place_of(b)->rule->rank;
}

/*
 * A reader at the tuple goes on from where it moves to; it asks some tuples twice, or not, and then
 * begins anew.
 */
static void move_tuple(struct esplane_classifier *c, struct tuple *t)
{
	const struct rb_node *first = rb_first_cached(&t->by_rank);
	u64 best = first ? place_of(first)->rule->rank : U64_MAX;
	struct list_head *before = &c->tuples;
	struct tuple *other;

	if (t->best == best)
		return;
	WRITE_ONCE(t->best, best);
	list_del_rcu(&t->list);
	list_for_each_entry(other, &c->tuples, list) {
		if (other->best > best) {
			before = &other->list;
			break;
		}
	}
	list_add_tail_rcu(&t->list, before);
}

/* Buckets */

static struct esplane_bucket *new_bucket(struct esplane_classifier *c, struct tuple *t,
					 const struct bucket_key *key)
{
	struct esplane_bucket *bucket = kzalloc(sizeof(*bucket), GFP_KERNEL_ACCOUNT);

	if (!bucket)
		return NULL;
	bucket->key = *key;
	bucket->tuple = t;
	INIT_LIST_HEAD(&bucket->places);
	if (rhashtable_insert_fast(&c->buckets, &bucket->node, params)) {
		kfree(bucket);
		return NULL;
	}
	t->users++;
	return bucket;
}

static void put_bucket(struct esplane_classifier *c, struct esplane_bucket *bucket)
{
	struct tuple *t = bucket->tuple;

	if (--bucket->users)
		return;
	rhashtable_remove_fast(&c->buckets, &bucket->node, params);
	kfree_rcu(bucket, rcu);
	t->users--;
	put_tuple(t);
}

/* A selector's first values as a flow: they have the bits of its key. */
static void set_selector_key(struct bucket_key *key, const struct tuple *t,
			     const struct esplane_rule *rule, const struct esplane_selector *sel)
{
	const struct esplane_flow flow = {
		.family = sel->family,
		.protocol = sel->protocol,
		.sport = sel->sport_first,
		.dport = sel->dport_first,
		.src = sel->src_first,
		.dst = sel->dst_first,
	};

	set_key(key, t, &flow, rule->if_id, rule->mark);
}

static struct esplane_bucket *get_bucket(struct esplane_classifier *c,
					 const struct esplane_rule *rule,
					 const struct esplane_selector *sel)
{
	struct esplane_bucket *bucket;
	struct shape shape;
	struct tuple *t;
	struct bucket_key key;

	set_shape(&shape, rule, sel);
	t = find_tuple(c, &shape) ?: new_tuple(c, &shape);
	if (!t)
		return NULL;
	set_selector_key(&key, t, rule, sel);
	bucket = rhashtable_lookup_fast(&c->buckets, &key, params) ?: new_bucket(c, t, &key);
	if (bucket)
		bucket->users++;
	else
		put_tuple(t);
	return bucket;
}

/* Rules */

int esplane_classifier_prepare(struct esplane_classifier *c, struct esplane_rule *rule)
{
	unsigned int i;

	for (i = 0; i < rule->n; i++) {
		struct esplane_place *place = &rule->places[i];

		place->rule = rule;
		place->selector = &rule->selectors[i];
		place->bucket = get_bucket(c, rule, place->selector);
		if (!place->bucket)
			goto err_bucket;
	}
	return 0;

err_bucket:
	while (i--)
		put_bucket(c, rule->places[i].bucket);
	return -ENOMEM;
}
EXPORT_SYMBOL_IF_KUNIT(esplane_classifier_prepare);

void esplane_classifier_abandon(struct esplane_classifier *c, struct esplane_rule *rule)
{
	unsigned int i;

	for (i = 0; i < rule->n; i++)
		put_bucket(c, rule->places[i].bucket);
}
EXPORT_SYMBOL_IF_KUNIT(esplane_classifier_abandon);

/* From the end: most often the newest rule is the last of its equals. */
static void link_place(struct esplane_classifier *c, struct esplane_place *place)
{
	struct esplane_bucket *bucket = place->bucket;
	struct list_head *behind = &bucket->places;
	struct esplane_place *other;

	list_for_each_entry_reverse(other, &bucket->places, list) {
		if (other->rule->rank <= place->rule->rank) {
			behind = &other->list;
			break;
		}
	}
	list_add_rcu(&place->list, behind);
	rb_add_cached(&place->by_rank, &bucket->tuple->by_rank, rank_less);
	move_tuple(c, bucket->tuple);
}

static void unlink_place(struct esplane_classifier *c, struct esplane_place *place)
{
	struct tuple *t = place->bucket->tuple;

	list_del_rcu(&place->list);
	rb_erase_cached(&place->by_rank, &t->by_rank);
	move_tuple(c, t);
}

void esplane_classifier_swap(struct esplane_classifier *c, struct esplane_rule *rule,
			     struct esplane_rule *old)
{
	unsigned int i;

	write_seqlock_bh(&c->lock);
	for (i = 0; rule && i < rule->n; i++)
		link_place(c, &rule->places[i]);
	for (i = 0; old && i < old->n; i++)
		unlink_place(c, &old->places[i]);
	write_sequnlock_bh(&c->lock);
	if (old)
		esplane_classifier_abandon(c, old);
}
EXPORT_SYMBOL_IF_KUNIT(esplane_classifier_swap);

int esplane_classifier_init(struct esplane_classifier *c)
{
	seqlock_init(&c->lock);
	INIT_LIST_HEAD(&c->tuples);
	return rhashtable_init(&c->buckets, &params);
}
EXPORT_SYMBOL_IF_KUNIT(esplane_classifier_init);

void esplane_classifier_exit(struct esplane_classifier *c)
{
	WARN_ON(!list_empty(&c->tuples));
	rhashtable_destroy(&c->buckets);
}
EXPORT_SYMBOL_IF_KUNIT(esplane_classifier_exit);
