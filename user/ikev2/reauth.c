// SPDX-License-Identifier: MIT
/* Re-authentication: a new IKE SA before the old one goes. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ikev2/child.h"
#include "ikev2/cp.h"
#include "ikev2/message.h"
#include "ikev2/reauth.h"
#include "ikev2/ticket.h"

enum {
	AGAIN_AFTER = 30 * IKE_SECOND, /* what came to nothing */
	/* Of the peer's AUTH_LIFETIME: so much before it is over, and as much again by chance. */
	LIFETIME_PARTS = 10,
};

struct ike_sa *ike_reauth_old(const struct ike_sa *sa)
{
	struct ike_sa *old = sa->reauth_of ? ike_sa_by_id(sa->engine, sa->reauth_of) : NULL;

	return old && old->state == IKE_SA_ESTABLISHED ? old : NULL;
}

static struct ike_sa *heir_of(const struct ike_sa *old)
{
	struct ike_sa *sa;

	TAILQ_FOREACH(sa, &old->engine->sas, link)
		if (sa->reauth_of == old->id && sa->state != IKE_SA_CLOSED)
			return sa;
	return NULL;
}

/* Time */

/* A server of EAP or of addresses cannot: only the client asks for these. */
static bool may_begin(const struct ike_sa *sa)
{
	const struct ike_conn_cfg *conn = sa->conn;
	const struct ike_auth_cfg *round;

	if (sa->began)
		return true;
	for (size_t i = 0; (round = ike_conn_round(&conn->remote, &conn->remote_more, i)); i++)
		if (round->method == IKE_AUTH_CFG_EAP)
			return false;
	return !sa->n_vips || sa->vips_ours;
}

ike_time ike_reauth_deadline(const struct ike_sa *sa)
{
	const struct ike_conn_cfg *conn = sa->conn;

	if (!conn->reauth_time)
		return IKE_NEVER;
	return sa->authenticated + (conn->reauth_time + conn->over_time) * IKE_SECOND;
}

static ike_time own_time(const struct ike_sa *sa)
{
	const struct ike_conn_cfg *conn = sa->conn;
	ike_time span = conn->reauth_time * IKE_SECOND;

	if (!span)
		return IKE_NEVER;
	if (!sa->began)
		return sa->authenticated + span + conn->over_time * IKE_SECOND / 2;
	return sa->authenticated + span -
	       ike_random_below(sa->engine, conn->rand_time * IKE_SECOND + 1);
}

static ike_time peers_time(const struct ike_sa *sa)
{
	ike_time span = (ike_time)sa->auth_lifetime * IKE_SECOND, part = span / LIFETIME_PARTS;

	if (!span || !sa->began)
		return IKE_NEVER;
	return sa->authenticated + span - part - ike_random_below(sa->engine, part + 1);
}

void ike_reauth_schedule(struct ike_sa *sa)
{
	ike_time own = own_time(sa), theirs = peers_time(sa);

	sa->reauth_at = own < theirs ? own : theirs;
	if (sa->reauth_at == IKE_NEVER) {
		sa->reauth_at = 0;
		return;
	}
	if (sa->reauth_at < sa->engine->now)
		sa->reauth_at = sa->engine->now;
	ike_timer_set(&sa->engine->timers, &sa->reauth, sa->reauth_at);
}

void ike_reauth_due(struct ike_timer *t)
{
	struct ike_sa *sa = ike_container(t, struct ike_sa, reauth);

	if (!ike_sa_usable(sa))
		return;
	if (!may_begin(sa)) {
		ike_sa_log(sa, IKE_LOG_ERROR,
			   "reauth_time is over: the peer has to re-authenticate, and has not");
		return;
	}
	ike_sa_log(sa, IKE_LOG_INFO, "%s is over: re-authenticating",
		   sa->conn->reauth_time ? "reauth_time" : "the peer's AUTH_LIFETIME");
	if (!ike_reauth(sa, 0))
		ike_sa_log(sa, IKE_LOG_ERROR, "no re-authentication: %s", sa->engine->why);
}

/* Notify data: seconds (RFC 4478 section 3) */

void ike_reauth_put(struct ike_writer *w, const struct ike_sa *sa)
{
	uint64_t seconds = sa->conn->reauth_time;
	uint8_t data[4];
	struct ike_writer d;

	if (!seconds)
		return;
	ike_writer_init(&d, data, sizeof(data));
	ike_put32(&d, seconds < UINT32_MAX ? seconds : UINT32_MAX);
	ike_put_notify(w, IKE_NOTIFY_AUTH_LIFETIME, ike_written(&d));
}

void ike_reauth_take(struct ike_sa *sa, const struct ike_payloads *all)
{
	struct ike_wire_notify n;
	struct ike_cursor c;

	if (!ike_find_notify(all, IKE_NOTIFY_AUTH_LIFETIME, &n))
		return;
	c = ike_cursor(n.data);
	sa->auth_lifetime = ike_get32(&c);
	if (n.data.len != 4)
		sa->auth_lifetime = 0;
	if (!sa->auth_lifetime)
		return;
	ike_sa_log(sa, IKE_LOG_INFO, "the peer wants us to re-authenticate within %" PRIu32 " s",
		   sa->auth_lifetime);
	ike_reauth_schedule(sa);
}

/* The new IKE SA */

static bool is_asked_for(const struct ike_sa *sa, const char *child)
{
	struct ike_task *t;

	TAILQ_FOREACH(t, &sa->tasks, link)
		if (t->kind == &ike_task_create && !strcmp(t->cfg->name, child))
			return true;
	return false;
}

/* As it is configured now, unless it is not any more. */
static bool ask_for(struct ike_sa *sa, const struct ike_child *c)
{
	const struct ike_child_cfg *cfg = ike_conn_child(sa->conn, c->cfg->name);
	struct ike_task *t;

	if (!ike_child_is_up(c) || is_asked_for(sa, c->cfg->name))
		return true;
	t = ike_task_add(sa, &ike_task_create);
	if (!t)
		return false;
	t->config = ike_config_ref(cfg ? sa->config : c->config);
	t->cfg = cfg ? cfg : c->cfg;
	return true;
}

static bool ask(struct ike_sa *sa, const struct ike_sa *old, uint64_t ticket)
{
	struct ike_task *t = ike_task_add(sa, &ike_task_init), *first;
	struct ike_child *c;

	if (!t)
		return false;
	TAILQ_FOREACH(c, &old->children, link)
		if (!ask_for(sa, c))
			return false;
	first = ike_task_find(sa, &ike_task_create, 0);
	(first ? first : t)->ticket = ticket;
	ike_ticket_hold(sa->engine, ticket);
	return true;
}

/* Begun anew, so at the port of the beginning; but a peer that began may be behind a NAT. */
static struct ike_endpoint begin_at(const struct ike_sa *old, const struct ike_endpoint *now,
				    uint16_t port)
{
	if (!port)
		port = IKE_PORT;
	return (struct ike_endpoint){now->addr, old->began ? port : now->port};
}

bool ike_reauth(struct ike_sa *old, uint64_t ticket)
{
	struct ike_engine *e = old->engine;
	const struct ike_conn_cfg *now = ike_config_conn(e->config, old->conn->name),
				  *conn = now ? now : old->conn;
	struct ike_endpoint local = begin_at(old, &old->local, conn->local_port),
			    remote = begin_at(old, &old->remote, conn->remote_port);
	struct ike_sa *sa;

	if (!may_begin(old)) {
		snprintf(e->why, sizeof(e->why), "%s: only the peer can re-authenticate", conn->name);
		return false;
	}
	if (heir_of(old)) {
		snprintf(e->why, sizeof(e->why), "%s: it is under way already", conn->name);
		return false;
	}
	sa = ike_sa_new(e, now ? e->config : old->config, conn, true, 0, &local, &remote);
	if (sa)
		sa->reauth_of = old->id;
	if (!sa || !ask(sa, old, ticket)) {
		snprintf(e->why, sizeof(e->why), "%s: out of memory", conn->name);
		if (sa)
			ike_sa_close(sa, IKE_END_FAILED, false, "out of memory");
		return false;
	}
	ike_sa_log(sa, IKE_LOG_INFO, "to take the place of %s[%" PRIu64 "]", old->conn->name,
		   old->id);
	ike_sa_work(sa);
	return true;
}

/* What was asked of the old one meanwhile. */
static void take_creates(struct ike_sa *sa, struct ike_sa *old)
{
	struct ike_task *t;

	while ((t = ike_task_take_create(old, NULL))) {
		TAILQ_INSERT_TAIL(&sa->tasks, t, link);
		sa->n_tasks++;
	}
}

void ike_reauth_settle(struct ike_sa *sa)
{
	struct ike_sa *old = ike_reauth_old(sa);

	if (!sa->reauth_of || !ike_sa_usable(sa) || ike_task_find(sa, &ike_task_create, 0))
		return;
	/* Better the old one than none. */
	if (old && !TAILQ_EMPTY(&old->children) && TAILQ_EMPTY(&sa->children)) {
		ike_reauth_failed(sa, "the peer refuses its CHILD_SAs");
		ike_sa_delete_replaced(sa);
		return;
	}
	sa->reauth_of = 0;
	if (!old)
		return;
	ike_sa_log(old, IKE_LOG_INFO, "re-authenticated: %s[%" PRIu64 "] takes its place",
		   sa->conn->name, sa->id);
	take_creates(sa, old);
	ike_sa_delete_replaced(old);
	ike_sa_work(sa);
}

void ike_reauth_failed(struct ike_sa *sa, const char *why)
{
	struct ike_sa *old = ike_reauth_old(sa);

	sa->reauth_of = 0;
	if (!old)
		return;
	ike_cp_give_back(sa, old);
	ike_sa_log(old, IKE_LOG_ERROR, "re-authentication has failed, trying again in %u s: %s",
		   (unsigned int)(AGAIN_AFTER / IKE_SECOND), why);
	old->reauth_at = old->engine->now + AGAIN_AFTER;
	ike_timer_set(&old->engine->timers, &old->reauth, old->reauth_at);
}

void ike_reauth_inherit(struct ike_sa *sa, const struct ike_sa *old)
{
	struct ike_sa *heir = heir_of(old);

	if (heir)
		heir->reauth_of = sa->id;
	sa->reauth_of = old->reauth_of;
}
