/* SPDX-License-Identifier: MIT */
/*
 * Addresses that have been given to peers out of pools. Who comes again under the same identity
 * gets the same one, as long as no other has needed it: what is given back is kept, oldest first.
 * No address is held twice, even if pools overlap, except by two IKE SAs of one peer of which one
 * replaces the other.
 */
#ifndef ESPLANE_IKE_LEASE_H
#define ESPLANE_IKE_LEASE_H

#include <sys/queue.h>

#include "ikev2/config.h"
#include "ikev2/table.h"

struct ike_lease {
	TAILQ_ENTRY(ike_lease) link; /* of the idle ones, or of the held */
	struct ike_node by_addr;
	struct ike_addr addr;
	char *pool, *identity;
	unsigned int users;
};

TAILQ_HEAD(ike_lease_list, ike_lease);

struct ike_leases {
	struct ike_lease_list idle, held;
	struct ike_table by_addr;
};

void ike_leases_init(struct ike_leases *l);
void ike_leases_free(struct ike_leases *l);
/*
 * An address out of @pool for @identity; NULL: none is left, or no memory. @share: even one that it
 * holds already. *@fresh: it did not have it before.
 */
struct ike_lease *ike_lease_take(struct ike_leases *l, const struct ike_pool_cfg *pool,
				 const char *identity, bool share, bool *fresh);
/* The one of @addr, if @identity holds it already, or NULL. */
struct ike_lease *ike_lease_share(struct ike_leases *l, const struct ike_pool_cfg *pool,
				  const char *identity, const struct ike_addr *addr);
void ike_lease_give(struct ike_leases *l, struct ike_lease *lease);
/* What an earlier life gave: idle. Of two about one address the later one counts. */
void ike_lease_restore(struct ike_leases *l, const char *pool, const char *identity,
		       const struct ike_addr *addr);

#endif
