// SPDX-License-Identifier: MIT
/*
 * The network between the nodes: loses, doubles, delays and reorders, as the conditions and the
 * seed say. What goes to where a node is not, or comes from there, is lost.
 */
#include <stdlib.h>
#include <string.h>

#include "sim/sim.h"

struct datagram {
	struct ike_endpoint from, to;
	size_t len;
	uint8_t bytes[];
};

static void arrives(void *arg, void *data)
{
	struct sim_node *to = arg;
	const struct datagram *d = data;
	struct ike_addr here = sim_address(to);

	if (!ike_addr_equal(&d->to.addr, &here))
		return;
	to->sim->datagrams++;
	sim_check_received(to, d->bytes, d->len);
	ike_engine_receive(to->engine, to->sim->clock.now, &d->to, &d->from, d->bytes, d->len);
	sim_node_settle(to);
}

static ike_time delay(struct sim *s)
{
	const struct sim_conditions *c = &s->conditions;
	ike_time spread = c->delay_max - c->delay_min;

	if (!s->calm && sim_rng_percent(&s->rng, c->reorder))
		return c->delay_min + sim_rng_below(&s->rng, 4 * spread + 1);
	return c->delay_min + sim_rng_below(&s->rng, spread + 1) / 8;
}

static void deliver(struct sim_node *from, const struct datagram *d)
{
	struct datagram *copy = malloc(sizeof(*d) + d->len);

	if (!copy)
		abort();
	memcpy(copy, d, sizeof(*d) + d->len);
	if (from->sim->crossing) {
		sim_crossing_hold(from->sim, SIM_HELD_MESSAGE, sim_node_at(from->sim, &d->to.addr),
				  sim_hash(d->bytes, d->len), arrives, free, copy);
		return;
	}
	sim_clock_plan(&from->sim->clock, from->sim->clock.now + delay(from->sim), arrives,
		       sim_node_at(from->sim, &d->to.addr), copy);
}

void sim_network_send(struct sim_node *from, const struct ike_endpoint *local,
		      const struct ike_endpoint *remote, const uint8_t *message, size_t len)
{
	const struct sim_conditions *c = &from->sim->conditions;
	struct sim *s = from->sim;
	struct ike_addr here = sim_address(from);
	struct datagram *d = malloc(sizeof(*d) + len);

	if (!d)
		abort();
	d->from = *local;
	d->to = *remote;
	d->len = len;
	memcpy(d->bytes, message, len);
	sim_check_sent(from, message, len);
	/* Nothing leaves from an address that is not there. */
	if (!ike_addr_equal(&local->addr, &here)) {
		free(d);
		return;
	}
	if (s->calm || !sim_rng_percent(&s->rng, c->loss))
		deliver(from, d);
	if (!s->calm && sim_rng_percent(&s->rng, c->twice))
		deliver(from, d);
	free(d);
}
