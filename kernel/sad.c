// SPDX-License-Identifier: GPL-2.0
/*
 * The SAD (RFC 4301 section 4.4.2): SAs by SPI and by ID, and SPIs reserved for negotiations.
 *
 * Locking: all changes under esplane_net::lock; lookups by RCU. What an SA's unlinking waits for is
 * told in sa.c.
 */
#include <linux/ktime.h>
#include <linux/netlink.h>
#include <linux/random.h>
#include <linux/sched.h>
#include <linux/wait_bit.h>

#include "esp.h"
#include "net.h"
#include "sa.h"
#include "sad.h"
#include "spd.h"

enum {
	MAX_SPI_TRIES = 65536,	/* in a range that is nearly full */
	SWEEP_SECONDS = 60,	/* how often lapsed reservations are looked for */
};

static const struct rhashtable_params spi_params = {
	.key_offset = offsetof(struct esplane_sa, spi),
	.key_len = sizeof_field(struct esplane_sa, spi),
	.head_offset = offsetof(struct esplane_sa, by_spi),
	.automatic_shrinking = true,
};

static const struct rhashtable_params peer_params = {
	.key_offset = offsetof(struct esplane_sa, spi),
	.key_len = sizeof_field(struct esplane_sa, spi),
	.head_offset = offsetof(struct esplane_sa, by_peer),
	.automatic_shrinking = true,
};

struct esplane_sa *esplane_sad_lookup_spi(const struct esplane_net *en, __be32 spi)
{
	return rhashtable_lookup((struct rhashtable *)&en->sad.by_spi, &spi, spi_params);
}

struct esplane_sa *esplane_sad_lookup_id(const struct esplane_net *en, u32 id)
{
	return xa_load((struct xarray *)&en->sad.by_id, id);
}

struct esplane_sa *esplane_sad_lookup_peer(const struct esplane_net *en, __be32 spi,
					   const struct esplane_addr *dst)
{
	const struct esplane_outer *outer;
	struct rhlist_head *list, *pos;
	struct esplane_sa *sa;

	list = rhltable_lookup((struct rhltable *)&en->sad.by_peer, &spi, peer_params);
	rhl_for_each_entry_rcu(sa, pos, list, by_peer) {
		outer = rcu_dereference(sa->outer);
		if (outer->dst.family == dst->family &&
		    !memcmp(&outer->dst.ip, &dst->ip, sizeof(dst->ip)))
			return sa;
	}
	return NULL;
}

/*
 * A second outbound SA of one SPI and peer would be the first one's keys once more, and with them
 * its IVs.
 */
static bool peer_has(struct esplane_net *en, const struct esplane_sa *except, __be32 spi,
		     const struct esplane_addr *dst)
{
	const struct esplane_outer *outer;
	struct rhlist_head *list, *pos;
	struct esplane_sa *sa;
	bool found = false;

	rcu_read_lock();
	list = rhltable_lookup(&en->sad.by_peer, &spi, peer_params);
	rhl_for_each_entry_rcu(sa, pos, list, by_peer) {
		outer = rcu_dereference(sa->outer);
		if (sa != except && outer->dst.family == dst->family &&
		    !memcmp(&outer->dst.ip, &dst->ip, sizeof(dst->ip)))
			found = true;
	}
	rcu_read_unlock();
	return found;
}

static int insert_inbound(struct esplane_net *en, struct esplane_sa *sa,
			  struct netlink_ext_ack *extack)
{
	int err = rhashtable_lookup_insert_fast(&en->sad.by_spi, &sa->by_spi, spi_params);

	switch (err) {
	case 0:
		xa_erase(&en->sad.reserved, be32_to_cpu(sa->spi));
		return 0;
	case -EEXIST:
		NL_SET_ERR_MSG(extack, "spi: an inbound SA with this SPI exists");
		return err;
	default:
		NL_SET_ERR_MSG(extack, "no memory for the table of SPIs");
		return err;
	}
}

static int insert_outbound(struct esplane_net *en, struct esplane_sa *sa,
			   struct netlink_ext_ack *extack)
{
	const struct esplane_outer *outer;
	int err;

	outer = rcu_dereference_protected(sa->outer, lockdep_is_held(&en->lock));
	if (peer_has(en, sa, sa->spi, &outer->dst)) {
		NL_SET_ERR_MSG(extack, "spi: an outbound SA with this SPI and destination exists");
		return -EEXIST;
	}
	err = rhltable_insert(&en->sad.by_peer, &sa->by_peer, peer_params);
	if (err)
		NL_SET_ERR_MSG(extack, "no memory for the table of SPIs");
	return err;
}

/* Numbers are not used again, so that an old one cannot name a new SA. */
static int take_id(struct esplane_net *en, struct esplane_sa *sa, struct netlink_ext_ack *extack)
{
	int err;

	if (en->sad.last_id == U32_MAX) {
		NL_SET_ERR_MSG(extack, "all SA IDs of this network namespace are used up");
		return -ENOSPC;
	}
	sa->id = en->sad.last_id + 1;
	err = xa_insert(&en->sad.by_id, sa->id, sa, GFP_KERNEL);
	if (err) {
		NL_SET_ERR_MSG(extack, "no memory for the table of SA IDs");
		return err;
	}
	en->sad.last_id = sa->id;
	return 0;
}

int esplane_sad_add(struct esplane_net *en, struct esplane_sa *sa, struct netlink_ext_ack *extack)
{
	int err;

	lockdep_assert_held(&en->lock);
	err = take_id(en, sa, extack);
	if (err)
		return err;
	if (sa->direction == ESPLANE_DIRECTION_IN)
		err = insert_inbound(en, sa, extack);
	else
		err = insert_outbound(en, sa, extack);
	if (err) {
		xa_erase(&en->sad.by_id, sa->id);
		return err;
	}
	en->sad.count++;
	en->sad.generation++;
	esplane_lifetime_start(sa);
	return 0;
}

void esplane_sad_remove(struct esplane_net *en, struct esplane_sa *sa)
{
	lockdep_assert_held(&en->lock);
	esplane_spd_forget_sa(en, sa);
	xa_erase(&en->sad.by_id, sa->id);
	if (sa->direction == ESPLANE_DIRECTION_IN)
		rhashtable_remove_fast(&en->sad.by_spi, &sa->by_spi, spi_params);
	else
		rhltable_remove(&en->sad.by_peer, &sa->by_peer, peer_params);
	en->sad.count--;
	en->sad.generation++;
	esplane_sa_put_unlinked(sa);
}

void esplane_sad_flush(struct esplane_net *en)
{
	struct esplane_sa *sa;
	unsigned long id;

	lockdep_assert_held(&en->lock);
	xa_for_each(&en->sad.by_id, id, sa) {
		esplane_sad_remove(en, sa);
		cond_resched();
	}
	xa_destroy(&en->sad.reserved);
}

int esplane_sad_move(struct esplane_net *en, struct esplane_sa *sa, struct esplane_outer *outer,
		     struct netlink_ext_ack *extack)
{
	lockdep_assert_held(&en->lock);
	if (sa->direction == ESPLANE_DIRECTION_OUT && peer_has(en, sa, sa->spi, &outer->dst)) {
		NL_SET_ERR_MSG(extack, "dst: an outbound SA with this SPI and destination exists");
		return -EEXIST;
	}
	esplane_sa_set_outer(sa, outer);
	en->sad.generation++;
	return 0;
}

static bool lapsed(const void *deadline, time64_t now)
{
	return xa_to_value(deadline) <= now;
}

/* Reservations that nobody redeemed must not pile up. */
static void sweep(struct esplane_sad *sad, time64_t now)
{
	unsigned long spi;
	void *deadline;

	if (now < sad->next_sweep)
		return;
	sad->next_sweep = now + SWEEP_SECONDS;
	xa_for_each(&sad->reserved, spi, deadline)
		if (lapsed(deadline, now))
			xa_erase(&sad->reserved, spi);
}

static bool spi_is_free(struct esplane_net *en, u32 spi, time64_t now)
{
	const void *deadline = xa_load(&en->sad.reserved, spi);
	bool used;

	rcu_read_lock();
	used = esplane_sad_lookup_spi(en, cpu_to_be32(spi));
	rcu_read_unlock();
	return !used && (!deadline || lapsed(deadline, now));
}

static int reserve(struct esplane_net *en, u32 spi, time64_t deadline,
		   struct netlink_ext_ack *extack)
{
	int err = xa_err(xa_store(&en->sad.reserved, spi, xa_mk_value(deadline), GFP_KERNEL));

	if (err)
		NL_SET_ERR_MSG(extack, "no memory for the reservation");
	return err;
}

int esplane_sad_spi_alloc(struct esplane_net *en, u32 min, u32 max, u32 timeout, __be32 *spi,
			  struct netlink_ext_ack *extack)
{
	u32 candidate = get_random_u32_inclusive(min, max);
	u32 tries = min_t(u32, max - min, MAX_SPI_TRIES);
	time64_t now = ktime_get_seconds();

	lockdep_assert_held(&en->lock);
	sweep(&en->sad, now);
	do {
		if (spi_is_free(en, candidate, now)) {
			*spi = cpu_to_be32(candidate);
			return reserve(en, candidate, now + timeout, extack);
		}
		candidate = candidate == max ? min : candidate + 1;
	} while (tries--);
	NL_SET_ERR_MSG(extack, "no free SPI found in the range");
	return -ENOSPC;
}

int esplane_sad_spi_free(struct esplane_net *en, __be32 spi)
{
	lockdep_assert_held(&en->lock);
	return xa_erase(&en->sad.reserved, be32_to_cpu(spi)) ? 0 : -ENOENT;
}

int esplane_sad_init(struct esplane_net *en)
{
	struct esplane_sad *sad = &en->sad;
	int err;

	atomic_set(&sad->alive, 0);
	xa_init_flags(&sad->by_id, XA_FLAGS_ACCOUNT);
	xa_init_flags(&sad->reserved, XA_FLAGS_ACCOUNT);
	err = rhashtable_init(&sad->by_spi, &spi_params);
	if (err)
		return err;
	err = rhltable_init(&sad->by_peer, &peer_params);
	if (err)
		rhashtable_destroy(&sad->by_spi);
	return err;
}

void esplane_sad_exit(struct esplane_net *en)
{
	struct esplane_sad *sad = &en->sad;

	wait_var_event(&sad->alive, !atomic_read(&sad->alive));
	rhltable_destroy(&sad->by_peer);
	rhashtable_destroy(&sad->by_spi);
	xa_destroy(&sad->by_id);
	xa_destroy(&sad->reserved);
}
