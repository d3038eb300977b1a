// SPDX-License-Identifier: MIT
/* What there is, for people and programs. */
#include <stdlib.h>

#include "ikev2/child.h"
#include "ikev2/goal.h"

static const char *child_state(const struct ike_child *c)
{
	switch (c->state) {
	case IKE_CHILD_INSTALLED:
		return ike_task_find(c->sa, &ike_task_rekey_child, c->id) ? "REKEYING"
									  : "INSTALLED";
	case IKE_CHILD_REKEYED:
		return "REKEYED";
	default:
		return "DELETING";
	}
}

static const char *sa_state(const struct ike_sa *sa)
{
	switch (sa->state) {
	case IKE_SA_ESTABLISHED:
		return ike_task_find(sa, &ike_task_rekey_ike, 0) ? "REKEYING" : "ESTABLISHED";
	case IKE_SA_REKEYED:
		return "REKEYED";
	case IKE_SA_DELETING:
		return "DELETING";
	default:
		return "CONNECTING";
	}
}

static void query(const struct ike_child *c, bool asks, uint32_t sa_id, struct ike_usage *usage)
{
	struct ike_engine *e = c->sa->engine;

	if (!asks || !sa_id || e->ops->sa_query(e->host, sa_id, usage))
		*usage = (struct ike_usage){.idle_seconds = UINT64_MAX};
}

static void describe_child(const struct ike_child *c, bool usage, struct ike_child_info *info)
{
	*info = (struct ike_child_info){
		.id = c->id,
		.name = c->cfg->name,
		.state = child_state(c),
		.spi_in = c->spi_in,
		.spi_out = c->spi_out,
		.udp_encap = ike_sa_udp_encap(c->sa),
		.transport = c->transport,
		.esn = c->suite.esn,
		.encr = c->suite.encr,
		.encr_bits = c->suite.encr_bits,
		.integ = c->suite.integ,
		.ke = c->suite.ke,
		.addke = c->suite.addke,
		.local_ts = c->local_ts,
		.n_local_ts = c->n_local_ts,
		.remote_ts = c->remote_ts,
		.n_remote_ts = c->n_remote_ts,
		.installed = c->installed,
		.rekey_at = c->rekey_at,
		.expire_at = c->expire_at,
		.if_id_in = c->cfg->if_id_in ? c->cfg->if_id_in : c->sa->conn->if_id_in,
		.if_id_out = c->cfg->if_id_out ? c->cfg->if_id_out : c->sa->conn->if_id_out,
	};
	query(c, usage, c->sa_in, &info->in);
	query(c, usage, c->sa_out, &info->out);
}

static void describe_sa(const struct ike_sa *sa, struct ike_sa_info *info)
{
	*info = (struct ike_sa_info){
		.id = sa->id,
		.conn = sa->conn->name,
		.state = sa_state(sa),
		.local = sa->local,
		.remote = sa->remote,
		.local_id = sa->identified ? &sa->local_id : NULL,
		.remote_id = sa->identified ? &sa->remote_id : NULL,
		.remote_user = sa->user,
		.spi_i = sa->spi_i,
		.spi_r = sa->spi_r,
		.initiator = sa->initiator,
		.ppk = sa->has_ppk,
		.nat_local = sa->nat_local,
		.nat_remote = sa->nat_remote,
		.nat_any = ike_sa_udp_encap(sa),
		.encr = sa->suite.encr,
		.encr_bits = sa->suite.encr_bits,
		.integ = sa->suite.integ,
		.prf = sa->suite.prf,
		.ke = sa->suite.ke,
		.addke = sa->suite.addke,
		.established = sa->established,
		.rekey_at = sa->rekey_at,
		.reauth_at = sa->reauth_at,
		.queued = sa->n_tasks,
	};
}

/* @usage: with what the data plane counts, which costs a question an SA. */
static void tell(const struct ike_sa *sa, bool usage,
		 void (*fn)(void *arg, const struct ike_sa_info *info), void *arg)
{
	struct ike_child_info *children;
	struct ike_sa_info info;
	struct ike_child *c;

	/* What is over and only repeats its last word is nobody's business. */
	if (sa->state == IKE_SA_CLOSED)
		return;
	children = calloc(sa->n_children + 1, sizeof(*children));
	describe_sa(sa, &info);
	TAILQ_FOREACH(c, &sa->children, link)
		if (children && c->state != IKE_CHILD_LINGERING)
			describe_child(c, usage, &children[info.n_children++]);
	info.children = children;
	fn(arg, &info);
	free(children);
}

void ike_engine_foreach_sa(struct ike_engine *e, ike_time now,
			   void (*fn)(void *arg, const struct ike_sa_info *info), void *arg)
{
	struct ike_sa *sa;

	TAILQ_FOREACH(sa, &e->sas, link)
		tell(sa, true, fn, arg);
}

void ike_engine_look_at_sa(struct ike_engine *e, uint64_t id, bool usage,
			   void (*fn)(void *arg, const struct ike_sa_info *info), void *arg)
{
	const struct ike_sa *sa = ike_sa_by_id(e, id);

	if (sa)
		tell(sa, usage, fn, arg);
}

void ike_engine_foreach_trap(struct ike_engine *e,
			     void (*fn)(void *arg, const char *conn,
					const struct ike_child_cfg *child),
			     void *arg)
{
	const struct ike_conn_cfg *conn;
	const struct ike_child_cfg *child;
	const struct ike_goal *g;

	TAILQ_FOREACH(g, &e->goals, link) {
		conn = g->trap ? ike_config_conn(e->config, g->conn) : NULL;
		child = conn ? ike_conn_child(conn, g->child) : NULL;
		if (child)
			fn(arg, g->conn, child);
	}
}

static void tell_leases(const struct ike_lease_list *list, bool online,
			void (*fn)(void *arg, const struct ike_lease_info *lease), void *arg)
{
	const struct ike_lease *l;

	TAILQ_FOREACH(l, list, link)
		fn(arg, &(struct ike_lease_info){l->pool, l->identity, &l->addr, online});
}

void ike_engine_foreach_lease(const struct ike_engine *e,
			      void (*fn)(void *arg, const struct ike_lease_info *lease), void *arg)
{
	tell_leases(&e->leases.held, true, fn, arg);
	tell_leases(&e->leases.idle, false, fn, arg);
}
