// SPDX-License-Identifier: MIT
/* What of a new configuration concerns SAs that are there already. */
#include <string.h>

#include "ikev2/child.h"
#include "ikev2/reload.h"

enum {
	PROPOSALS_TEXT_MAX = 4096
};

static bool same_ts(const struct ike_ts *a, size_t n_a, const struct ike_ts *b, size_t n_b)
{
	for (size_t i = 0; n_a == n_b && i < n_a; i++)
		if (a[i].dynamic != b[i].dynamic || !ike_ts_equal(&a[i], &b[i]))
			return false;
	return n_a == n_b;
}

static bool same_proposals(const struct ike_proposal_list *a, const struct ike_proposal_list *b)
{
	char x[PROPOSALS_TEXT_MAX], y[PROPOSALS_TEXT_MAX];

	return a->n == b->n && !strcmp(ike_proposal_list_text(a, x, sizeof(x)),
				       ike_proposal_list_text(b, y, sizeof(y)));
}

static bool same_mark(const struct ike_mark *a, const struct ike_mark *b)
{
	return a->value == b->value && a->mask == b->mask;
}

/*
 * In all that both ends, or the data plane, were told of it. Lifetimes and actions count from the
 * next.
 */
static bool same_child(const struct ike_child_cfg *a, const struct ike_child_cfg *b)
{
	return a->mode == b->mode && a->if_id_in == b->if_id_in && a->if_id_out == b->if_id_out &&
	       a->priority == b->priority && a->replay_window == b->replay_window &&
	       a->single_pair == b->single_pair && a->set_mark_out == b->set_mark_out &&
	       a->set_mark_in == b->set_mark_in &&
	       a->copy_dscp == b->copy_dscp && a->no_ecn == b->no_ecn &&
	       same_mark(&a->mark_in, &b->mark_in) && same_mark(&a->mark_out, &b->mark_out) &&
	       same_ts(a->local_ts, a->n_local_ts, b->local_ts, b->n_local_ts) &&
	       same_ts(a->remote_ts, a->n_remote_ts, b->remote_ts, b->n_remote_ts) &&
	       same_proposals(&a->proposals, &b->proposals);
}

static bool same_auth(const struct ike_auth_cfg *a, const struct ike_auth_cfg *b)
{
	return a->method == b->method && ike_id_equal(&a->id, &b->id);
}

static bool same_vips(const struct ike_conn_cfg *a, const struct ike_conn_cfg *b)
{
	for (size_t i = 0; a->n_vips == b->n_vips && i < a->n_vips; i++)
		if (!ike_addr_equal(&a->vips[i], &b->vips[i]))
			return false;
	return a->n_vips == b->n_vips;
}

static bool same_names(const struct ike_conn_cfg *a, const struct ike_conn_cfg *b)
{
	for (size_t i = 0; a->n_remote_names == b->n_remote_names && i < a->n_remote_names; i++)
		if (strcmp(a->remote_names[i], b->remote_names[i]))
			return false;
	return a->n_remote_names == b->n_remote_names;
}

/*
 * In who the ends are, where, and how they speak. Certificates and keys are looked at when they are
 * used.
 */
static bool same_conn(const struct ike_conn_cfg *a, const struct ike_conn_cfg *b)
{
	return a->local_port == b->local_port && a->remote_port == b->remote_port &&
	       a->force_encap == b->force_encap && a->if_id_in == b->if_id_in &&
	       a->if_id_out == b->if_id_out && same_auth(&a->local, &b->local) &&
	       same_auth(&a->remote, &b->remote) && same_vips(a, b) &&
	       same_names(a, b) &&
	       same_ts(a->local_addrs, a->n_local_addrs, b->local_addrs, b->n_local_addrs) &&
	       same_ts(a->remote_addrs, a->n_remote_addrs, b->remote_addrs, b->n_remote_addrs) &&
	       same_proposals(&a->proposals, &b->proposals);
}

static bool is_started(const struct ike_child_cfg *c)
{
	return c->start_action & IKE_START_START;
}

static bool starts_any(const struct ike_conn_cfg *conn)
{
	for (size_t i = 0; i < conn->n_children; i++)
		if (is_started(&conn->children[i]))
			return true;
	return false;
}

static void apply_to_child(struct ike_child *c, const struct ike_conn_cfg *fresh)
{
	const struct ike_child_cfg *now = ike_conn_child(fresh, c->cfg->name);

	if (!is_started(c->cfg) || c->outdated || !ike_child_is_up(c) ||
	    (now && same_child(c->cfg, now)))
		return;
	c->outdated = true;
	ike_child_log(c, IKE_LOG_INFO, "configured %s now: deleting it",
		      now ? "otherwise" : "no more");
	ike_child_delete(c, 0, false);
}

static void give_up(struct ike_sa *sa, const char *why)
{
	ike_sa_log(sa, IKE_LOG_INFO, "configured %s now: deleting it", why);
	if (sa->state < IKE_SA_ESTABLISHED || !ike_task_add_first(sa, &ike_task_delete_ike)) {
		ike_sa_close(sa, IKE_END_COMMAND, false, "the configuration has changed");
		return;
	}
	ike_sa_set_state(sa, IKE_SA_DELETING);
}

static void apply_to_sa(struct ike_sa *sa)
{
	const struct ike_conn_cfg *now = ike_config_conn(sa->engine->config, sa->conn->name);
	struct ike_child *c, *next;

	if (starts_any(sa->conn) && (!now || !same_conn(sa->conn, now))) {
		give_up(sa, now ? "otherwise" : "no more");
	} else if (now) {
		for (c = TAILQ_FIRST(&sa->children); c; c = next) {
			next = TAILQ_NEXT(c, link);
			apply_to_child(c, now);
		}
	}
	ike_sa_work(sa);
}

/* One that is being replaced has handed over what it had; others are at their end already. */
static bool is_concerned(const struct ike_sa *sa)
{
	return sa->config != sa->engine->config && !sa->rival_of &&
	       (sa->state == IKE_SA_ESTABLISHED ||
		(sa->initiator && sa->state < IKE_SA_ESTABLISHED));
}

void ike_reload_apply(struct ike_engine *e)
{
	struct ike_sa *sa, *next;

	for (sa = TAILQ_FIRST(&e->sas); sa; sa = next) {
		next = TAILQ_NEXT(sa, link);
		if (is_concerned(sa))
			apply_to_sa(sa);
	}
}
