/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which of many rules, each a list of traffic selectors, is the first to match a flow: the search
 * behind the SPD.
 */
#ifndef _ESPLANE_CLASSIFIER_H
#define _ESPLANE_CLASSIFIER_H

#include <linux/list.h>
#include <linux/rbtree.h>
#include <linux/rhashtable.h>
#include <linux/seqlock.h>
#include <linux/types.h>

struct esplane_bucket;
struct esplane_flow;
struct esplane_rule;
struct esplane_selector;

/* Where the classifier keeps one selector of a rule; only classifier.c looks inside. */
struct esplane_place {
	struct list_head list;		/* bucket: by rank, RCU */
	struct rb_node by_rank;		/* tuple */
	struct esplane_bucket *bucket;
	const struct esplane_selector *selector;
	struct esplane_rule *rule;
};

/**
 * struct esplane_rule - owned by the caller, who embeds it
 * @rank: the lowest that matches wins; no two rules of one classifier have the same
 * @if_id: matches only flows of this interface ID, 0 too
 * @mark: matches only marks that have this value in the bits of @mark_mask
 * @n: of @selectors, of which one has to match; and of @places, memory for the classifier
 *
 * From esplane_classifier_prepare() on nothing of it changes. Once it is swapped out or abandoned
 * it is freed after a grace period.
 */
struct esplane_rule {
	u64 rank;
	u32 if_id;
	u32 mark, mark_mask;
	unsigned int n;
	const struct esplane_selector *selectors;
	struct esplane_place *places;
};

struct esplane_classifier {
	seqlock_t lock;
	struct rhashtable buckets;
	struct list_head tuples;	/* by the best rank in each, RCU */
};

/* What one search looked at. */
struct esplane_classifier_work {
	unsigned int tuples;	/* hash tables' worth of buckets asked */
	unsigned int places;	/* selectors compared */
};

/* The rule of lowest rank that matches, or NULL. RCU read side. */
struct esplane_rule *esplane_classifier_lookup(const struct esplane_classifier *c,
					       const struct esplane_flow *flow, u32 if_id,
					       u32 mark);
/* The same, adding to @work. */
struct esplane_rule *esplane_classifier_measure(const struct esplane_classifier *c,
						const struct esplane_flow *flow, u32 if_id,
						u32 mark, struct esplane_classifier_work *work);

/*
 * All that can fail of adding @rule; no lookup finds it yet. May sleep. Callers serialize this and
 * all below. Returns 0 or -ENOMEM.
 */
int esplane_classifier_prepare(struct esplane_classifier *c, struct esplane_rule *rule);
/* Gives back what esplane_classifier_prepare() took, instead of swapping @rule in. */
void esplane_classifier_abandon(struct esplane_classifier *c, struct esplane_rule *rule);
/*
 * Puts @rule, prepared, in the place of @old; either may be NULL. To every lookup it happens at
 * once.
 */
void esplane_classifier_swap(struct esplane_classifier *c, struct esplane_rule *rule,
			     struct esplane_rule *old);

int esplane_classifier_init(struct esplane_classifier *c);
/* It holds no rule any more. */
void esplane_classifier_exit(struct esplane_classifier *c);

#endif
