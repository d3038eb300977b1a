/* SPDX-License-Identifier: GPL-2.0 */
/* One security association: its fields, life and death. */
#ifndef _ESPLANE_SA_H
#define _ESPLANE_SA_H

#include <linux/atomic.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/rhashtable.h>
#include <linux/timer.h>
#include <linux/workqueue.h>
#include <net/dst_cache.h>
#include <uapi/linux/esplane.h>

#include "drop.h"
#include "lifetime.h"
#include "parallel.h"
#include "replay.h"
#include "selector.h"

struct crypto_aead;
struct esplane_keymat;
struct esplane_net;
struct esplane_transform;

extern struct workqueue_struct *esplane_wq;	/* main.c: removal and freeing of SAs */

/**
 * struct esplane_outer - outer addresses and ports; sa-update replaces it as one by RCU
 * @dst_cache: outbound, the route to @dst. It lives here and not in the SA, so that a reader of the
 *	old addresses cannot leave their route behind for the new ones. It has no memory until the
 *	first packet (output.c); the RCU callback calls dst_cache_destroy() (safe there) before
 *	kfree().
 * @ifindex: of the interface by which outer packets leave, 0: the routing table's choice
 * @mark: outbound, of outer packets and for their route; inbound, of decrypted ones; 0: none
 * @flow_label: IPv6, the same for all packets of the SA (RFC 6437 section 3: the outer flow); tells
 *	nothing of the inner ones
 * @path_mtu: of the path to @dst, as ICMP errors have told (icmp.c); 0: nothing. Written by who
 *	reads an error, without a lock
 * @path_until: jiffies; then @path_mtu is forgotten
 * @sport: source port, network byte order; 0 with @dport means native ESP
 */
struct esplane_outer {
	struct rcu_head rcu;
	struct dst_cache dst_cache;
	struct esplane_addr src, dst;
	u32 ifindex;
	u32 mark;
	__be32 flow_label;
	u32 path_mtu;
	unsigned long path_until;
	__be16 sport, dport;
};

static inline bool esplane_outer_is_udp(const struct esplane_outer *outer)
{
	return outer->dport;
}

#define ESPLANE_MAX_SALT_LEN 4 /* RFC 4106 section 4 */

/**
 * struct esplane_sa - one direction of a CHILD_SA
 *
 * Immutable once published, except: @seq (atomic), @replay (its own lock), @lane, @lane_wanted and
 * @pace (parallel.c), @outer (RCU, written under esplane_net::lock), @usage and @drops
 * (counters), @expired and @dead (bits). Reached by RCU (esplane_sad_*) or a reference.
 * Life and death are told in sa.c.
 *
 * Cache lines of 64 bytes that members begin in, on 64-bit machines without lock debugging; make
 * lint asks pahole. A train reads lines 0 and 1, inbound line 5 too, and writes lines 2
 * and 3; the rest is cold.
 *	line 0	en aead transform outer spi id if_id flags direction mode n_selectors salt limits
 *	line 1	selectors
 *	line 2	seq replay lane
 *	line 3	usage expired dead last_used first_used born cookie
 *	line 4	timer reaper
 *	line 5	by_spi by_peer policies death refs lane_wanted key_bits pace
 *	line 6	mapping_next unlinked
 *	line 7	free_work drops keymat
 *
 * These are the 512 bytes of one slab object. What varies in length has its own: behind them the
 * selectors and the window of an inbound SA would take it to the next size, 1,024.
 */
struct esplane_sa {
	/* what both directions read for each train */
	struct esplane_net *en;		/* the namespace outlives its SAs */
	struct crypto_aead *aead;
	const struct esplane_transform *transform;
	struct esplane_outer __rcu *outer;
	__be32 spi;
	u32 id;
	u32 if_id;
	u32 flags;			/* enum esplane_sa_flag, as bits ESPLANE_SA_FLAG_* */
	u8 direction;			/* enum esplane_direction */
	u8 mode;			/* enum esplane_mode */
	u16 n_selectors;
	u8 salt[ESPLANE_MAX_SALT_LEN];
	struct esplane_limits limits;
	struct esplane_selector *selectors;	/* @n_selectors; behind, @replay's bits */

	/* outbound, written for each train */
	atomic64_t seq ____cacheline_aligned_in_smp;	/* last number taken */

	/* inbound, written for each train */
	struct esplane_replay replay;
	struct esplane_lane __rcu *lane;	/* parallel.c; NULL: none so far */

	/* both directions, written for each train */
	struct esplane_usage usage ____cacheline_aligned_in_smp;
	unsigned long expired;		/* bits: ESPLANE_EXPIRE_CAUSE_* reported softly */
	unsigned long dead;		/* bit 0: no packet may use it any more */
	time64_t last_used;		/* ktime_get_seconds(), racy on purpose */
	u64 first_used;			/* get_jiffies_64(); 0: never */

	/* cold */
	u64 born;			/* get_jiffies_64() */
	u64 cookie;
	struct timer_list timer;	/* seconds limits */
	struct work_struct reaper;	/* removal asked for by the packet path or the timer */
	union {				/* in esplane_sad */
		struct rhash_head by_spi;	/* inbound */
		struct rhlist_head by_peer;	/* outbound */
	};
	struct list_head policies;	/* that point here; under esplane_net::lock */
	u32 death;			/* ESPLANE_EXPIRE_CAUSE_*; written by who sets @dead */
	refcount_t refs;
	u32 lane_wanted;		/* 1: a lane is being made, or there */
	u16 key_bits;
	struct esplane_pace pace;	/* racy on purpose, see parallel.c */
	unsigned long mapping_next;	/* jiffies: no sa-mapping event before */
	struct rcu_work unlinked;	/* after a grace period: the database's reference */
	struct work_struct free_work;
	atomic64_t *drops;		/* ESPLANE_DROP_COUNT; NULL: none so far (stats.c) */
	struct esplane_keymat *keymat;	/* key_export.c; NULL in a module without it */
};

/*
 * An SA of @en with one reference, unpublished; the caller sets the rest. @window: packets; has the
 * memory for that, nothing else of @replay.
 */
struct esplane_sa *esplane_sa_alloc(struct esplane_net *en, unsigned int n_selectors, u32 window);

/* The last reference frees, later and in process context. Any context. */
void esplane_sa_put(struct esplane_sa *sa);
/* False if the SA is already on its way out. RCU read side. */
bool esplane_sa_get(struct esplane_sa *sa);

/* Gives the database's reference to the unlinked @sa back, once no reader can have found it. */
void esplane_sa_put_unlinked(struct esplane_sa *sa);

/*
 * Asks for removal from any context: no packet uses it any more, a worker unlinks it and sends
 * sa-expire hard.
 */
void esplane_sa_kill(struct esplane_sa *sa, u32 cause);

/* Addresses and ports as in @from. Unpublished, or NULL. */
struct esplane_outer *esplane_outer_alloc(const struct esplane_outer *from);
/* Frees what no reader can see. */
void esplane_outer_free(struct esplane_outer *outer);
/* Takes @outer over, frees the old one after a grace period. Caller holds esplane_net::lock. */
void esplane_sa_set_outer(struct esplane_sa *sa, struct esplane_outer *outer);

/* Outbound: number of the last packet sent. */
u64 esplane_sa_sequence(const struct esplane_sa *sa);

static inline bool esplane_sa_is_dead(const struct esplane_sa *sa)
{
	return READ_ONCE(sa->dead);
}

#endif
