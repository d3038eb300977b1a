// SPDX-License-Identifier: MIT
/* One run: conditions and a script from the seed, then calm, then the look at what is left. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/sim.h"

enum {
	SCRIPT_BEGINS = 5, /* seconds */
	SCRIPT_ENDS = 65,
	REST = 400, /* later: every retransmission has been answered or given up, and every overlap
		       is over */
	RESUME = 150, /* likewise: by then every command has been carried out */
	ACTIONS_MAX = 12,
	TOGETHER_US = 40000, /* two ends do the same within this time, to collide */
	TRAFFIC_US = 250000,
	TWO = 2,
};

static void plan_step(struct sim *s, struct sim_node *n, unsigned int peer, ike_time at,
		      enum sim_action action)
{
	sim_clock_plan(&s->clock, at, sim_act, n, sim_step_new(action, peer));
}

static enum sim_action choose(struct sim *s)
{
	unsigned int dice = sim_rng_below(&s->rng, 100);

	if (s->conditions.mobike && sim_rng_percent(&s->rng, 30))
		return SIM_MOVE;
	if (dice < 45)
		return SIM_REKEY_CHILD;
	if (dice < 65)
		return SIM_EXPIRE;
	if (dice < 88)
		return SIM_REKEY_IKE;
	if (s->conditions.crash)
		return dice < 92 ? SIM_DELETE_CHILD : dice < 96 ? SIM_DELETE_IKE : SIM_CRASH;
	return SIM_REKEY_CHILD;
}

/* Anybody that @index has a tunnel with. */
static unsigned int choose_peer(struct sim *s, unsigned int index)
{
	unsigned int peer;

	do
		peer = sim_rng_below(&s->rng, s->n_nodes);
	while (!sim_linked(s, index, peer));
	return peer;
}

/* Half of the actions happen at both ends nearly at once: those are the collisions. */
static void plan_script(struct sim *s)
{
	for (unsigned int i = 0; i < s->conditions.actions; i++) {
		ike_time at = SCRIPT_BEGINS * IKE_SECOND +
			      sim_rng_below(&s->rng,
					    (SCRIPT_ENDS - SCRIPT_BEGINS) * (uint64_t)IKE_SECOND);
		unsigned int index = sim_rng_below(&s->rng, s->n_nodes);
		unsigned int peer = choose_peer(s, index);

		plan_step(s, &s->nodes[index], peer, at, choose(s));
		if (sim_rng_percent(&s->rng, 50))
			plan_step(s, &s->nodes[peer], index,
				  at + sim_rng_below(&s->rng, TOGETHER_US), choose(s));
	}
}

static void traffic(void *arg, void *data)
{
	struct sim *s = arg;

	for (unsigned int i = 0; i < s->n_nodes; i++)
		sim_plane_traffic(&s->nodes[i]);
	if (s->clock.now < (SCRIPT_ENDS + SCRIPT_BEGINS) * (uint64_t)IKE_SECOND)
		sim_clock_plan(&s->clock, s->clock.now + TRAFFIC_US, traffic, s, NULL);
}

static void calm(void *arg, void *data)
{
	struct sim *s = arg;

	s->calm = true;
	/* Who may have to be brought up anew is looked for at home. */
	for (unsigned int i = 1; i < s->n_nodes; i++)
		sim_node_move(&s->nodes[i], 0);
	if (s->conditions.both)
		sim_node_move(&s->nodes[0], 0);
}

/* What a command took down stays down, until the configuration is started again. */
static void resume(void *arg, void *data)
{
	struct sim *s = arg;

	for (unsigned int i = 0; i < s->n_nodes; i++) {
		ike_engine_start(s->nodes[i].engine, s->clock.now);
		sim_node_settle(&s->nodes[i]);
	}
}

/* Most runs are of two: many of them tell more than few of many. */
static void set_topology(struct sim *s)
{
	s->n_nodes = TWO;
	if (!sim_rng_percent(&s->rng, 12))
		return;
	s->n_nodes += 1 + sim_rng_below(&s->rng, SIM_NODES - TWO);
	s->conditions.mesh = sim_rng_percent(&s->rng, 40);
}

static void set_conditions(struct sim *s)
{
	struct sim_conditions *c = &s->conditions;

	/* One run in four on a perfect network: nothing there excuses a lost packet. */
	if (sim_rng_percent(&s->rng, 75)) {
		c->loss = sim_rng_below(&s->rng, 41);
		c->twice = sim_rng_below(&s->rng, 21);
		c->reorder = sim_rng_below(&s->rng, 31);
	}
	c->delay_min = 1000 + sim_rng_below(&s->rng, 30000);
	c->delay_max = c->delay_min + sim_rng_below(&s->rng, 100000);
	c->crash = sim_rng_percent(&s->rng, 40);
	c->toy = sim_rng_percent(&s->rng, 85);
	c->both = sim_rng_percent(&s->rng, 30);
	c->pfs = sim_rng_percent(&s->rng, 75);
	c->guess = sim_rng_percent(&s->rng, 10);
	/* So small that all but the shortest messages are cut. */
	c->fragment_size = sim_rng_percent(&s->rng, 40) ? 130 + sim_rng_below(&s->rng, 200) : 0;
	c->pubkey = sim_rng_percent(&s->rng, 20);
	/* Only who asks knows that it is to have one: the other end cannot begin. */
	c->vips = !c->both && s->n_nodes == TWO && sim_rng_percent(&s->rng, 30);
	c->mobike = sim_rng_percent(&s->rng, 30);
	/* Likewise: EAP is for who begins. */
	c->eap = c->pubkey && !c->both && sim_rng_percent(&s->rng, 50);
	c->actions = (s->n_nodes - 1) * (1 + sim_rng_below(&s->rng, ACTIONS_MAX));
	c->transport = !c->vips && sim_rng_percent(&s->rng, 20);
	c->childless = sim_rng_percent(&s->rng, 20);
	c->addke = sim_rng_percent(&s->rng, 30) ? 1 + sim_rng_below(&s->rng, 2) : 0;
}

bool sim_run(struct sim *s, uint64_t seed, bool verbose)
{
	memset(s, 0, offsetof(struct sim, nodes));
	s->seed = seed;
	s->verbose = verbose;
	s->clock.now = IKE_SECOND;
	s->children_least = s->children_most = 1;
	/* Seeds of neighbouring runs must not give neighbouring streams. */
	s->rng.state = sim_hash(&seed, sizeof(seed));
	set_topology(s);
	set_conditions(s);
	for (unsigned int i = 0; i < s->n_nodes; i++)
		sim_node_begin(&s->nodes[i], s, i);
	plan_script(s);
	sim_clock_plan(&s->clock, SCRIPT_BEGINS * IKE_SECOND, traffic, s, NULL);
	sim_clock_plan(&s->clock, SCRIPT_ENDS * (ike_time)IKE_SECOND, calm, s, NULL);
	sim_clock_plan(&s->clock, (SCRIPT_ENDS + RESUME) * (ike_time)IKE_SECOND, resume, s, NULL);
	while (!s->failure[0] &&
	       sim_clock_next(&s->clock) < (SCRIPT_ENDS + REST) * (ike_time)IKE_SECOND)
		sim_clock_step(&s->clock);
	if (!s->failure[0])
		sim_check_rest(s);
	for (unsigned int i = 0; i < s->n_nodes; i++)
		sim_node_end(&s->nodes[i]);
	sim_clock_clear(&s->clock);
	return !s->failure[0];
}
