// SPDX-License-Identifier: MIT
/* Commands: initiate, terminate, rekey, install, uninstall. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "ikev2/child.h"
#include "ikev2/connect.h"
#include "ikev2/goal.h"
#include "ikev2/reauth.h"
#include "ikev2/ticket.h"

static uint64_t refuse(struct ike_engine *e, const char **why, const char *fmt, ...)
	IKE_PRINTF(3, 4);
static uint64_t refuse(struct ike_engine *e, const char **why, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(e->why, sizeof(e->why), fmt, args);
	va_end(args);
	*why = e->why;
	return 0;
}

static uint64_t initiate(struct ike_engine *e, const char *conn, const char *child,
			 const char **why)
{
	const struct ike_conn_cfg *cfg = ike_config_conn(e->config, conn);
	const struct ike_child_cfg *child_cfg = cfg && child ? ike_conn_child(cfg, child) : NULL;
	uint64_t ticket;

	if (!cfg)
		return refuse(e, why, "there is no connection %s", conn);
	if (child && !child_cfg)
		return refuse(e, why, "the connection has no child %s", child);
	ticket = ike_ticket_new(e);
	if (!ticket)
		return refuse(e, why, "%s: out of memory", conn);
	if (ike_is_up(e, conn, child_cfg)) {
		ike_ticket_done(e, ticket, true, "");
		return ticket;
	}
	if (ike_connect(e, e->config, cfg, child_cfg, ticket))
		return ticket;
	/* e->why is told twice: as the reason here, and by the event that nobody waits for. */
	ike_ticket_done(e, ticket, false, e->why);
	*why = e->why;
	return 0;
}

uint64_t ike_engine_initiate(struct ike_engine *e, ike_time now, const char *conn,
			     const char *child, const char **why)
{
	uint64_t ticket;

	if (now > e->now)
		e->now = now;
	ticket = initiate(e, conn, child, why);
	ike_engine_bury(e);
	return ticket;
}

static bool sa_matches(const struct ike_match *m, const struct ike_sa *sa)
{
	return sa->state != IKE_SA_CLOSED && (!m->conn || !strcmp(m->conn, sa->conn->name)) &&
	       (!m->ike_id || m->ike_id == sa->id);
}

static bool child_matches(const struct ike_match *m, const struct ike_child *c)
{
	return (!m->child || !strcmp(m->child, c->cfg->name)) &&
	       (!m->child_id || m->child_id == c->id);
}

static bool means_children(const struct ike_match *m)
{
	return m->child || m->child_id || m->children;
}

struct action {
	bool (*on_sa)(struct ike_sa *sa, uint64_t ticket);
	bool (*on_child)(struct ike_child *c, uint64_t ticket);
};

static unsigned int act_on_children(struct ike_sa *sa, const struct ike_match *m,
				    const struct action *a, uint64_t ticket)
{
	struct ike_child *c, *next;
	unsigned int n = 0;

	for (c = TAILQ_FIRST(&sa->children); c; c = next) {
		next = TAILQ_NEXT(c, link);
		if (child_matches(m, c))
			n += a->on_child(c, ticket);
	}
	return n;
}

static uint64_t act(struct ike_engine *e, ike_time now, const struct ike_match *m,
		    const struct action *a, const char **why)
{
	struct ike_sa *sa, *next;
	unsigned int n = 0;
	uint64_t ticket;

	if (now > e->now)
		e->now = now;
	ticket = ike_ticket_new(e);
	if (!ticket)
		return refuse(e, why, "%s", "out of memory");
	for (sa = TAILQ_FIRST(&e->sas); sa; sa = next) {
		next = TAILQ_NEXT(sa, link);
		if (!sa_matches(m, sa))
			continue;
		n += means_children(m) ? act_on_children(sa, m, a, ticket) : a->on_sa(sa, ticket);
		ike_sa_work(sa);
	}
	ike_ticket_done(e, ticket, n, "nothing matches");
	ike_engine_bury(e);
	return n ? ticket : refuse(e, why, "%s", "nothing matches");
}

static bool terminate_sa(struct ike_sa *sa, uint64_t ticket)
{
	struct ike_task *t;

	ike_goal_drop(sa->engine, sa->conn->name, NULL);
	if (sa->state < IKE_SA_ESTABLISHED) {
		ike_sa_close(sa, IKE_END_COMMAND, false, "by command");
		return true;
	}
	if (sa->state == IKE_SA_DELETING)
		return true;
	if (sa->state != IKE_SA_ESTABLISHED || sa->rival_of)
		return false;
	t = ike_task_add_first(sa, &ike_task_delete_ike);
	if (!t)
		return false;
	t->ticket = ticket;
	ike_ticket_hold(sa->engine, ticket);
	ike_sa_set_state(sa, IKE_SA_DELETING);
	return true;
}

static bool terminate_child(struct ike_child *c, uint64_t ticket)
{
	ike_goal_drop(c->sa->engine, c->sa->conn->name, c->cfg->name);
	return c->state == IKE_CHILD_DELETING || ike_child_delete(c, ticket, false);
}

uint64_t ike_engine_terminate(struct ike_engine *e, ike_time now, const struct ike_match *match,
			      const char **why)
{
	static const struct action terminate = {terminate_sa, terminate_child};

	return act(e, now, match, &terminate, why);
}

static bool rekey_sa(struct ike_sa *sa, uint64_t ticket)
{
	struct ike_task *t;

	if (!ike_sa_usable(sa))
		return false;
	if (ike_task_find(sa, &ike_task_rekey_ike, 0))
		return true;
	t = ike_task_add(sa, &ike_task_rekey_ike);
	if (!t)
		return false;
	t->ticket = ticket;
	ike_ticket_hold(sa->engine, ticket);
	return true;
}

static bool rekey_child(struct ike_child *c, uint64_t ticket)
{
	if (!ike_child_is_up(c))
		return false;
	ike_child_rekey(c, ticket);
	return true;
}

uint64_t ike_engine_rekey(struct ike_engine *e, ike_time now, const struct ike_match *match,
			  const char **why)
{
	static const struct action rekey = {rekey_sa, rekey_child};

	return act(e, now, match, &rekey, why);
}

bool ike_engine_install(struct ike_engine *e, ike_time now, const char *conn, const char *child,
			const char **why)
{
	const struct ike_conn_cfg *cfg = ike_config_conn(e->config, conn);
	const struct ike_child_cfg *child_cfg = cfg ? ike_conn_child(cfg, child) : NULL;

	if (now > e->now)
		e->now = now;
	*why = e->why;
	if (!child_cfg)
		return refuse(e, why, "connection %s has no child %s", conn, child);
	return ike_goal_install(e, cfg, child_cfg);
}

bool ike_engine_uninstall(struct ike_engine *e, ike_time now, const char *conn, const char *child,
			  const char **why)
{
	if (now > e->now)
		e->now = now;
	*why = e->why;
	return ike_goal_uninstall(e, conn, child);
}

static bool reauth_sa(struct ike_sa *sa, uint64_t ticket)
{
	if (!ike_sa_usable(sa))
		return false;
	if (ike_reauth(sa, ticket))
		return true;
	ike_sa_log(sa, IKE_LOG_ERROR, "no re-authentication: %s", sa->engine->why);
	return false;
}

static bool reauth_above(struct ike_child *c, uint64_t ticket)
{
	return reauth_sa(c->sa, ticket);
}

uint64_t ike_engine_reauth(struct ike_engine *e, ike_time now, const struct ike_match *match,
			   const char **why)
{
	static const struct action reauth = {reauth_sa, reauth_above};

	return act(e, now, match, &reauth, why);
}
