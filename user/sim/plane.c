// SPDX-License-Identifier: MIT
/* The pretended data plane: remembers SAs and policies, carries packets of user data. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sim/sim.h"

struct data {
	struct ike_addr to;
	uint32_t spi;
	size_t key_len;
	uint8_t key[SIM_KEY_MAX];
};

struct sim_sa *sim_plane_by_spi(struct sim_node *n, uint32_t spi)
{
	for (size_t i = 0; i < SIM_SAS; i++)
		if (n->sas[i].id && n->sas[i].inbound && n->sas[i].spi == spi)
			return &n->sas[i];
	return NULL;
}

struct sim_sa *sim_plane_by_id(struct sim_node *n, uint32_t id)
{
	for (size_t i = 0; id && i < SIM_SAS; i++)
		if (n->sas[i].id == id)
			return &n->sas[i];
	return NULL;
}

static uint32_t *reserved(struct sim_node *n, uint32_t spi)
{
	for (size_t i = 0; i < SIM_SAS; i++)
		if (n->spis[i] == spi)
			return &n->spis[i];
	return NULL;
}

static int spi_alloc(void *host, const struct ike_addr *local, uint32_t *spi, const char **why)
{
	struct sim_node *n = host;
	uint32_t *slot = reserved(n, 0);

	if (!slot) {
		sim_fail(n->sim, "node %u: SPI reservations leak", n->index);
		*why = "no SPI left";
		return -ENOSPC;
	}
	do
		*spi = sim_rng_next(&n->rng) | 0x1000;
	while (reserved(n, *spi) || sim_plane_by_spi(n, *spi));
	*slot = *spi;
	return 0;
}

static void spi_free(void *host, const struct ike_addr *local, uint32_t spi)
{
	uint32_t *slot = reserved(host, spi);

	if (slot)
		*slot = 0;
	else
		sim_fail(((struct sim_node *)host)->sim,
			 "SPI %08x given back, but was not reserved", spi);
}

static struct sim_sa *free_sa(struct sim_node *n)
{
	for (size_t i = 0; i < SIM_SAS; i++)
		if (!n->sas[i].id)
			return &n->sas[i];
	return NULL;
}

static int sa_add(void *host, const struct ike_sa_spec *spec, uint32_t *sa_id, const char **why)
{
	struct sim_node *n = host;
	struct sim_sa *sa = free_sa(n);
	uint32_t *slot = spec->inbound ? reserved(n, spec->spi) : NULL;

	if (!sa || spec->encr_key_len + spec->integ_key_len > SIM_KEY_MAX) {
		sim_fail(n->sim, "node %u: SAs leak, %d of them", n->index, SIM_SAS);
		*why = "no room";
		return -ENOSPC;
	}
	if (spec->inbound && !slot)
		sim_fail(n->sim, "node %u: inbound SA with an SPI that was not reserved", n->index);
	if (slot)
		*slot = 0;
	*sa = (struct sim_sa){.id = ++n->next_id,
			      .spi = spec->spi,
			      .inbound = spec->inbound,
			      .transport = spec->transport,
			      .src = spec->src,
			      .dst = spec->dst,
			      .cookie = spec->cookie};
	memcpy(sa->key, spec->encr_key, spec->encr_key_len);
	if (spec->integ_key_len)
		memcpy(sa->key + spec->encr_key_len, spec->integ_key, spec->integ_key_len);
	sa->key_len = spec->encr_key_len + spec->integ_key_len;
	if (sa->inbound)
		sim_check_new_key(n, sa);
	*sa_id = sa->id;
	return 0;
}

static int sa_update(void *host, uint32_t sa_id, const struct ike_endpoint *src,
		     const struct ike_endpoint *dst, bool udp_encap, const char **why)
{
	struct sim_sa *sa = sim_plane_by_id(host, sa_id);

	if (sa) {
		sa->src = *src;
		sa->dst = *dst;
		return 0;
	}
	*why = "no such SA";
	return -ENOENT;
}

static int sa_query(void *host, uint32_t sa_id, struct ike_usage *usage)
{
	*usage = (struct ike_usage){.idle_seconds = UINT64_MAX};
	return sim_plane_by_id(host, sa_id) ? 0 : -ENOENT;
}

static void sa_del(void *host, uint32_t sa_id)
{
	struct sim_node *n = host;
	struct sim_sa *sa = sim_plane_by_id(n, sa_id);

	if (!sa) {
		sim_fail(n->sim, "node %u: SA %u removed twice", n->index, sa_id);
		return;
	}
	for (size_t i = 0; i < SIM_POLICIES; i++)
		if (n->policies[i].sa_id == sa_id)
			n->policies[i].sa_id = 0;
	sa->id = 0;
}

static struct sim_policy *policy_by_id(struct sim_node *n, uint32_t id)
{
	for (size_t i = 0; i < SIM_POLICIES; i++)
		if (n->policies[i].id == id)
			return &n->policies[i];
	return NULL;
}

static int policy_set(void *host, const struct ike_policy_spec *spec, uint32_t *policy_id,
		      const char **why)
{
	struct sim_node *n = host;
	struct sim_policy *p = policy_by_id(n, spec->id);
	struct sim_sa *sa = sim_plane_by_id(n, spec->sa_id);

	if (!p) {
		sim_fail(n->sim,
			 spec->id ? "node %u: policy %u replaced, but is not there"
				  : "node %u: policies leak (%u)",
			 n->index, spec->id);
		*why = "no such policy";
		return -ENOENT;
	}
	if (spec->sa_id && (!sa || sa->inbound))
		sim_fail(n->sim, "node %u: policy with SA %u, which is not an outbound one",
			 n->index, spec->sa_id);
	if (sa && p->id && p->sa_id != spec->sa_id)
		sim_check_swap(n, sim_plane_by_id(n, p->sa_id), sa);
	*policy_id = spec->id ? spec->id : ++n->next_id;
	*p = (struct sim_policy){*policy_id, spec->inbound, spec->sa_id, spec->cookie};
	return 0;
}

static void policy_del(void *host, uint32_t policy_id)
{
	struct sim_node *n = host;
	struct sim_policy *p = policy_id ? policy_by_id(n, policy_id) : NULL;

	if (p)
		p->id = 0;
	else
		sim_fail(n->sim, "node %u: policy %u removed twice", n->index, policy_id);
}

void sim_plane_host(struct ike_host *host)
{
	host->spi_alloc = spi_alloc;
	host->spi_free = spi_free;
	host->sa_add = sa_add;
	host->sa_update = sa_update;
	host->sa_query = sa_query;
	host->sa_del = sa_del;
	host->policy_set = policy_set;
	host->policy_del = policy_del;
}

void sim_plane_sweep(struct sim_node *n)
{
	memset(n->sas, 0, sizeof(n->sas));
	memset(n->policies, 0, sizeof(n->policies));
	memset(n->spis, 0, sizeof(n->spis));
}

static void data_arrives(void *arg, void *data)
{
	struct sim_node *to = arg;
	const struct data *d = data;
	const struct sim_sa *sa = sim_plane_by_spi(to, d->spi);
	struct ike_addr here = sim_address(to);

	if (!ike_addr_equal(&d->to, &here))
		return;
	if (sa && sa->key_len == d->key_len && !memcmp(sa->key, d->key, d->key_len))
		to->data_got++;
	else if (sa)
		sim_fail(to->sim, "the keys of SPI %08x differ at both ends", d->spi);
	else if (!to->sim->disturbed)
		sim_fail(to->sim, "node %u: data for SPI %08x, which it cannot receive on",
			 to->index, d->spi);
}

/*
 * Data is lost here only when its receiver has moved; else it is late at most: what arrives and
 * finds no SA is the engine's doing.
 */
void sim_plane_traffic(struct sim_node *n)
{
	const struct sim_conditions *c = &n->sim->conditions;

	for (size_t i = 0; i < SIM_POLICIES; i++) {
		const struct sim_policy *p = &n->policies[i];
		struct sim_sa *sa = p->id && !p->inbound ? sim_plane_by_id(n, p->sa_id) : NULL;
		struct sim_node *peer;
		struct data *d;

		if (!sa)
			continue;
		/*
		 * A responder's first CHILD_SA comes before the initiator has heard of it, and
		 * there is none before it to use instead. sim_check_swap() sees to it that a
		 * rekeyed one is not used so early.
		 */
		peer = sim_node_at(n->sim, &sa->dst.addr);
		sa->met = sa->met || sim_plane_by_spi(peer, sa->spi);
		if (!sa->met)
			continue;
		d = malloc(sizeof(*d));
		if (!d)
			abort();
		*d = (struct data){.to = sa->dst.addr, .spi = sa->spi, .key_len = sa->key_len};
		memcpy(d->key, sa->key, sa->key_len);
		n->data_sent++;
		if (n->sim->crossing) {
			data_arrives(peer, d);
			free(d);
			continue;
		}
		sim_clock_plan(&n->sim->clock, n->sim->clock.now + c->delay_min, data_arrives,
			       peer, d);
	}
}
