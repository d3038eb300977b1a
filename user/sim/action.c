// SPDX-License-Identifier: MIT
/* What may be done to a node, about one of its tunnels. */
#include <stdio.h>
#include <stdlib.h>

#include "sim/sim.h"

static const char *const names[SIM_ACTIONS] = {
	[SIM_CREATE_CHILD] = "makes a second CHILD_SA",
	[SIM_REKEY_CHILD] = "rekeys the CHILD_SA", [SIM_REKEY_IKE] = "rekeys the IKE SA",
	[SIM_EXPIRE] = "uses up the CHILD_SA",	   [SIM_DELETE_CHILD] = "deletes the CHILD_SA",
	[SIM_DELETE_IKE] = "deletes the IKE SA",   [SIM_CRASH] = "crashes",
	[SIM_MOVE] = "moves",
};

struct sim_step {
	enum sim_action action;
	unsigned int peer; /* about the tunnel with whom */
};

const char *sim_action_name(enum sim_action action)
{
	return names[action];
}

struct sim_step *sim_step_new(enum sim_action action, unsigned int peer)
{
	struct sim_step *step = malloc(sizeof(*step));

	if (!step)
		abort();
	*step = (struct sim_step){action, peer};
	return step;
}

static void expire(struct sim_node *n, unsigned int peer)
{
	for (size_t i = 0; i < SIM_SAS; i++) {
		const struct sim_sa *sa = &n->sas[i];

		if (sa->id && !sa->inbound &&
		    sim_node_at(n->sim, &sa->dst.addr)->index == peer) {
			ike_engine_sa_expire(n->engine, n->sim->clock.now, sa->cookie, sa->inbound,
					     sa->spi, false, "bytes");
			return;
		}
	}
}

void sim_act(void *arg, void *data)
{
	struct sim_node *n = arg;
	const struct sim_step *step = data;
	ike_time now = n->sim->clock.now;
	struct ike_match all_ike = {.conn = sim_conn_name(step->peer)};
	struct ike_match all_children = {
		.conn = all_ike.conn, .child = "net", .children = true};
	const char *why;

	if (n->sim->verbose) {
		sim_show(n->sim);
		printf("# %10.6f %c %s %s\n", now / 1e6, 'a' + n->index, names[step->action],
		       all_ike.conn);
	}
	switch (step->action) {
	case SIM_CREATE_CHILD:
		ike_engine_initiate(n->engine, now, all_ike.conn, "extra", &why);
		break;
	case SIM_REKEY_CHILD:
		ike_engine_rekey(n->engine, now, &all_children, &why);
		break;
	case SIM_REKEY_IKE:
		ike_engine_rekey(n->engine, now, &all_ike, &why);
		break;
	case SIM_EXPIRE:
		expire(n, step->peer);
		break;
	case SIM_DELETE_CHILD:
		n->sim->disturbed = true;
		ike_engine_terminate(n->engine, now, &all_children, &why);
		break;
	case SIM_DELETE_IKE:
		n->sim->disturbed = true;
		ike_engine_terminate(n->engine, now, &all_ike, &why);
		break;
	case SIM_CRASH:
		sim_node_restart(n);
		return;
	case SIM_MOVE:
		/* Packets on their way are lost, and IKE SAs whose ends lose each other. */
		n->sim->disturbed = true;
		if (!n->sim->calm)
			sim_node_move(n, sim_rng_below(&n->sim->rng, SIM_PLACES + 1));
		return;
	case SIM_ACTIONS:
		break;
	}
	sim_node_settle(n);
}
