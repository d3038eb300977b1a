// SPDX-License-Identifier: MIT
/* Addresses that have been given to peers out of pools. */
#include <stdlib.h>
#include <string.h>

#include "ikev2/lease.h"
#include "ikev2/timer.h"

void ike_leases_init(struct ike_leases *l)
{
	TAILQ_INIT(&l->idle);
	TAILQ_INIT(&l->held);
}

static void lease_free(struct ike_lease *lease)
{
	free(lease->pool);
	free(lease->identity);
	free(lease);
}

static void forget(struct ike_leases *l, struct ike_lease_list *list, struct ike_lease *lease)
{
	TAILQ_REMOVE(list, lease, link);
	ike_table_remove(&l->by_addr, &lease->by_addr);
	lease_free(lease);
}

void ike_leases_free(struct ike_leases *l)
{
	struct ike_lease *lease;

	while ((lease = TAILQ_FIRST(&l->idle)))
		forget(l, &l->idle, lease);
	while ((lease = TAILQ_FIRST(&l->held)))
		forget(l, &l->held, lease);
}

static uint64_t key_of(const struct ike_addr *addr)
{
	uint64_t key = 0;

	/* The last bytes are those in which the addresses of a pool differ. */
	for (size_t i = 0; i < ike_addr_len(addr); i++)
		key = key << 8 ^ key >> 56 ^ addr->bytes[i];
	return key;
}

static struct ike_lease *by_addr(const struct ike_leases *l, const struct ike_addr *addr)
{
	struct ike_node *node = NULL;

	while ((node = ike_table_find(&l->by_addr, key_of(addr), node))) {
		struct ike_lease *lease = ike_container(node, struct ike_lease, by_addr);

		if (ike_addr_equal(&lease->addr, addr))
			return lease;
	}
	return NULL;
}

static bool is_in(const struct ike_pool_cfg *pool, const struct ike_addr *addr)
{
	return pool->first.family == addr->family && ike_addr_compare(&pool->first, addr) <= 0 &&
	       ike_addr_compare(addr, &pool->last) <= 0;
}

/* The configuration may have changed: an address that is no longer of the pool is not its. */
static struct ike_lease *by_identity(struct ike_lease_list *list, const struct ike_pool_cfg *pool,
				     const char *identity)
{
	struct ike_lease *lease;

	TAILQ_FOREACH(lease, list, link)
		if (!strcmp(lease->pool, pool->name) && !strcmp(lease->identity, identity) &&
		    is_in(pool, &lease->addr))
			return lease;
	return NULL;
}

static struct ike_lease *lease_new(struct ike_leases *l, const char *pool, const char *identity,
				   const struct ike_addr *addr)
{
	struct ike_lease *lease = calloc(1, sizeof(*lease));

	if (!lease)
		return NULL;
	lease->pool = strdup(pool);
	lease->identity = strdup(identity);
	if (!lease->pool || !lease->identity) {
		lease_free(lease);
		return NULL;
	}
	lease->addr = *addr;
	ike_table_add(&l->by_addr, &lease->by_addr, key_of(addr));
	TAILQ_INSERT_TAIL(&l->idle, lease, link);
	return lease;
}

static void step(struct ike_addr *addr)
{
	for (size_t i = ike_addr_len(addr); i-- && !++addr->bytes[i];)
		;
}

/* One that nobody has ever had, or else the one that has been idle the longest. */
static bool find_free(struct ike_leases *l, const struct ike_pool_cfg *pool, struct ike_addr *addr)
{
	struct ike_lease *lease;

	for (*addr = pool->first; is_in(pool, addr); step(addr)) {
		if (!by_addr(l, addr))
			return true;
		if (ike_addr_equal(addr, &pool->last))
			break;
	}
	TAILQ_FOREACH(lease, &l->idle, link) {
		if (!is_in(pool, &lease->addr))
			continue;
		*addr = lease->addr;
		forget(l, &l->idle, lease);
		return true;
	}
	return false;
}

struct ike_lease *ike_lease_take(struct ike_leases *l, const struct ike_pool_cfg *pool,
				 const char *identity, bool share, bool *fresh)
{
	struct ike_lease *lease = share ? by_identity(&l->held, pool, identity) : NULL;
	struct ike_addr addr;

	*fresh = false;
	if (lease) {
		lease->users++;
		return lease;
	}
	lease = by_identity(&l->idle, pool, identity);
	if (!lease) {
		*fresh = true;
		lease = find_free(l, pool, &addr) ? lease_new(l, pool->name, identity, &addr)
						  : NULL;
	}
	if (!lease)
		return NULL;
	lease->users = 1;
	TAILQ_REMOVE(&l->idle, lease, link);
	TAILQ_INSERT_TAIL(&l->held, lease, link);
	return lease;
}

struct ike_lease *ike_lease_share(struct ike_leases *l, const struct ike_pool_cfg *pool,
				  const char *identity, const struct ike_addr *addr)
{
	struct ike_lease *lease = is_in(pool, addr) ? by_addr(l, addr) : NULL;

	if (!lease || !lease->users || strcmp(lease->pool, pool->name) ||
	    strcmp(lease->identity, identity))
		return NULL;
	lease->users++;
	return lease;
}

void ike_lease_give(struct ike_leases *l, struct ike_lease *lease)
{
	if (--lease->users)
		return;
	TAILQ_REMOVE(&l->held, lease, link);
	TAILQ_INSERT_TAIL(&l->idle, lease, link);
}

void ike_lease_restore(struct ike_leases *l, const char *pool, const char *identity,
		       const struct ike_addr *addr)
{
	struct ike_lease *lease = by_addr(l, addr);

	if (lease && lease->users)
		return;
	if (lease)
		forget(l, &l->idle, lease);
	lease_new(l, pool, identity, addr);
}
