// SPDX-License-Identifier: MIT
/* A CHILD_SA's coming and going, for a command of the user's. */
#include "ikev2/child.h"

void ike_child_updown(struct ike_child *c, bool up)
{
	const struct ike_sa *sa = c->sa;
	struct ike_engine *e = sa->engine;
	struct ike_addr vips[IKE_VIPS_MAX];
	struct ike_updown_spec spec = {
		.up = up,
		.cfg = c->cfg,
		.conn = sa->conn->name,
		.ike_id = sa->id,
		.child_id = c->id,
		.local = sa->local,
		.remote = sa->remote,
		.local_id = &sa->local_id,
		.remote_id = &sa->remote_id,
		.local_ts = c->local_ts,
		.n_local_ts = c->n_local_ts,
		.remote_ts = c->remote_ts,
		.n_remote_ts = c->n_remote_ts,
		.udp_encap = ike_sa_udp_encap(sa),
		.transport = c->transport,
		.local_vips = vips,
		.remote_vips = vips,
	};

	if (!c->cfg->updown || !e->ops->updown)
		return;
	for (size_t i = 0; i < sa->n_vips; i++)
		vips[i] = sa->vips[i].addr;
	*(sa->vips_ours ? &spec.n_local_vips : &spec.n_remote_vips) = sa->n_vips;
	e->ops->updown(e->host, &spec);
}
