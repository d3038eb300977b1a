// SPDX-License-Identifier: GPL-2.0
/*
 * One security association's life.
 *
 * References: the database (sad.c) holds one, each train under way one, a pending reaper one.
 * Policies hold none: they point to SAs of the database only and let go before an SA leaves it.
 *
 * An SA ends in this order:
 *  1. It is unlinked from policies and database, under esplane_net::lock. No new reader finds it.
 *  2. After a grace period the database's reference goes (put_unlinked()). A reader that found the
 *     SA before is through by then, or took a reference of its own: esplane_sa_get() cannot fail
 *     for who found it in a policy or the database. So a packet that read a policy just before its
 *     SA was swapped and deleted still is sent.
 *  3. The timer was stopped for good before that reference went, so it cannot fire any more.
 *  4. The last reference, perhaps of a train that an asynchronous cipher has, queues the freeing;
 *     the database's own goes where freeing may sleep. Nobody else can reach the memory: readers by
 *     2, the timer by 3, the reaper had a reference.
 *
 * Killing (a hard limit) only sets @dead and queues the reaper, which does 1 if nobody has yet, and
 * reports it. Whoever sets @dead queues it, so there is one reaper and one hard sa-expire.
 *
 * Locking: @outer is written under esplane_net::lock and read by RCU.
 */
#include <linux/jiffies.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <net/ipv6.h>

#include "events.h"
#include "key_export.h"
#include "net.h"
#include "parallel.h"
#include "sa.h"
#include "sad.h"
#include "transform.h"

/* Nobody else has it. May sleep. */
static void sa_free(struct esplane_sa *sa)
{
	struct esplane_sad *sad = &sa->en->sad;

	esplane_key_export_forget(sa);
	esplane_parallel_forget(sa);
	if (sa->aead)
		esplane_transform_teardown(sa);
	esplane_outer_free(rcu_dereference_protected(sa->outer, true));
	kfree(sa->drops);
	kfree(sa->selectors);
	kfree(sa);
	/* From here on the namespace may go: only the address is used. */
	if (atomic_dec_and_test(&sad->alive))
		wake_up_var(&sad->alive);
}

static void free_work(struct work_struct *work)
{
	sa_free(container_of(work, struct esplane_sa, free_work));
}

void esplane_sa_put(struct esplane_sa *sa)
{
	if (refcount_dec_and_test(&sa->refs))
		queue_work(esplane_wq, &sa->free_work);
}

bool esplane_sa_get(struct esplane_sa *sa)
{
	return refcount_inc_not_zero(&sa->refs);
}

static void unlinked_work(struct work_struct *work)
{
	struct esplane_sa *sa = container_of(to_rcu_work(work), struct esplane_sa, unlinked);

	esplane_lifetime_stop(sa);
	if (refcount_dec_and_test(&sa->refs))
		sa_free(sa);
}

void esplane_sa_put_unlinked(struct esplane_sa *sa)
{
	queue_rcu_work(esplane_wq, &sa->unlinked);
}

static void reaper_work(struct work_struct *work)
{
	struct esplane_sa *sa = container_of(work, struct esplane_sa, reaper);
	struct esplane_net *en = sa->en;

	mutex_lock(&en->lock);
	/* Someone may have deleted it meanwhile, who then needs not be told. */
	if (esplane_sad_lookup_id(en, sa->id) == sa) {
		esplane_sad_remove(en, sa);
		esplane_event_expire(sa, sa->death, true);
	}
	mutex_unlock(&en->lock);
	esplane_sa_put(sa);
}

void esplane_sa_kill(struct esplane_sa *sa, u32 cause)
{
	if (esplane_sa_is_dead(sa) || test_and_set_bit(0, &sa->dead))
		return;
	sa->death = cause;
	if (esplane_sa_get(sa))
		queue_work(esplane_wq, &sa->reaper);
}

/* The window's bits lie behind the selectors. */
struct esplane_sa *esplane_sa_alloc(struct esplane_net *en, unsigned int n_selectors, u32 window)
{
	struct esplane_sa *sa = kzalloc(sizeof(*sa), GFP_KERNEL_ACCOUNT);
	size_t size = ALIGN(n_selectors * sizeof(*sa->selectors), sizeof(u64));

	if (!sa)
		return NULL;
	sa->selectors = kzalloc(size + esplane_replay_words(window) * sizeof(u64),
				GFP_KERNEL_ACCOUNT);
	if (!sa->selectors) {
		kfree(sa);
		return NULL;
	}
	sa->replay.bits = (void *)sa->selectors + size;
	sa->en = en;
	sa->n_selectors = n_selectors;
	sa->born = get_jiffies_64();
	sa->mapping_next = jiffies;
	INIT_LIST_HEAD(&sa->policies);
	refcount_set(&sa->refs, 1);
	INIT_WORK(&sa->reaper, reaper_work);
	INIT_WORK(&sa->free_work, free_work);
	INIT_RCU_WORK(&sa->unlinked, unlinked_work);
	atomic_inc(&en->sad.alive);
	return sa;
}

struct esplane_outer *esplane_outer_alloc(const struct esplane_outer *from)
{
	struct esplane_outer *outer = kzalloc(sizeof(*outer), GFP_KERNEL_ACCOUNT);

	if (!outer)
		return NULL;
	outer->src = from->src;
	outer->dst = from->dst;
	outer->ifindex = from->ifindex;
	outer->mark = from->mark;
	outer->flow_label = htonl(get_random_u32()) & IPV6_FLOWLABEL_MASK;
	outer->sport = from->sport;
	outer->dport = from->dport;
	dst_cache_reset(&outer->dst_cache);
	return outer;
}

void esplane_outer_free(struct esplane_outer *outer)
{
	if (!outer)
		return;
	dst_cache_destroy(&outer->dst_cache);
	kfree(outer);
}

static void outer_free_rcu(struct rcu_head *rcu)
{
	esplane_outer_free(container_of(rcu, struct esplane_outer, rcu));
}

void esplane_sa_set_outer(struct esplane_sa *sa, struct esplane_outer *outer)
{
	struct esplane_outer *old;

	old = rcu_replace_pointer(sa->outer, outer, lockdep_is_held(&sa->en->lock));
	if (old)
		call_rcu(&old->rcu, outer_free_rcu);
}

u64 esplane_sa_sequence(const struct esplane_sa *sa)
{
	u64 seq = atomic64_read(&sa->seq);

	/* Takers past the end are refused; they count nevertheless. */
	return min_t(u64, seq, esplane_sequence_end(sa->flags & ESPLANE_SA_FLAG_ESN));
}
