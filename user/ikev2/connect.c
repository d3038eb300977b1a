// SPDX-License-Identifier: MIT
/* Bringing up a connection or a child of it. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ikev2/child.h"
#include "ikev2/conn.h"
#include "ikev2/connect.h"
#include "ikev2/goal.h"
#include "ikev2/ticket.h"

static struct ike_sa *find_usable(struct ike_engine *e, const struct ike_conn_cfg *conn)
{
	struct ike_sa *sa = NULL, *oldest = NULL;

	while ((sa = ike_sa_of_conn(e, conn->name, sa)))
		if ((ike_sa_usable(sa) || (sa->initiator && sa->state < IKE_SA_ESTABLISHED)) &&
		    (!oldest || sa->id < oldest->id))
			oldest = sa;
	return oldest;
}

bool ike_find_ends(struct ike_engine *e, const struct ike_conn_cfg *conn, const struct ike_addr *at,
		   struct ike_endpoint *local, struct ike_endpoint *remote)
{
	const char *why = "";

	*remote = (struct ike_endpoint){
		at ? *at : ike_conn_first_addr(conn->remote_addrs, conn->n_remote_addrs),
		conn->remote_port ? conn->remote_port : IKE_PORT,
	};
	*local = (struct ike_endpoint){
		ike_conn_first_addr(conn->local_addrs, conn->n_local_addrs),
		conn->local_port ? conn->local_port : IKE_PORT,
	};
	if (!remote->addr.family)
		return ike_refuse(e, "connection %s: remote_addrs names no single address", conn->name);
	if (local->addr.family && local->addr.family != remote->addr.family)
		return ike_refuse(e, "connection %s: local_addrs is of another family than the peer",
			      conn->name);
	if (!local->addr.family && e->ops->source &&
	    e->ops->source(e->host, &remote->addr, &local->addr, &why))
		return ike_refuse(e, "no way to the peer: %s", why);
	return true;
}

static struct ike_sa *begin_sa(struct ike_engine *e, struct ike_config *config,
			       const struct ike_conn_cfg *conn, const struct ike_addr *at)
{
	struct ike_endpoint local, remote;
	char addr[IKE_ADDR_TEXT_MAX];
	struct ike_sa *sa;

	if (!ike_find_ends(e, conn, at, &local, &remote))
		return NULL;
	sa = ike_sa_new(e, config, conn, true, 0, &local, &remote);
	if (!sa || !ike_task_add(sa, &ike_task_init)) {
		ike_refuse(e, "%s: out of memory", conn->name);
		if (sa)
			ike_sa_close(sa, IKE_END_FAILED, false, "out of memory");
		return NULL;
	}
	ike_sa_log(sa, IKE_LOG_INFO, "initiating to %s",
		   ike_addr_text(&remote.addr, addr, sizeof(addr)));
	return sa;
}

/* On @sa, which may be new. */
static bool ask(struct ike_engine *e, struct ike_sa *sa, struct ike_config *config,
		const struct ike_child_cfg *child, uint64_t ticket)
{
	struct ike_task *t = child ? ike_task_add(sa, &ike_task_create) : TAILQ_FIRST(&sa->tasks);

	if (!t)
		return ike_refuse(e, "connection %s has too much to do", sa->conn->name);
	if (child) {
		t->config = ike_config_ref(config);
		t->cfg = child;
	}
	t->ticket = ticket;
	ike_sa_work(sa);
	return true;
}

/* Names */

/* Who waits for a connection whose peer is being looked up. */
struct waiter {
	TAILQ_ENTRY(waiter) link;
	char *child; /* NULL: the IKE SA alone */
	uint64_t ticket;
};
TAILQ_HEAD(waiter_list, waiter);

struct ike_lookup {
	TAILQ_ENTRY(ike_lookup) link;
	uint64_t id;
	char *conn, *name;
	size_t index; /* of the name among the connection's */
	struct waiter_list waiters;
};

static void lookup_free(struct ike_engine *e, struct ike_lookup *l)
{
	struct waiter *w;

	TAILQ_REMOVE(&e->lookups, l, link);
	while ((w = TAILQ_FIRST(&l->waiters))) {
		TAILQ_REMOVE(&l->waiters, w, link);
		free(w->child);
		free(w);
	}
	free(l->conn);
	free(l->name);
	free(l);
}

void ike_lookups_free(struct ike_engine *e)
{
	struct ike_lookup *l;

	while ((l = TAILQ_FIRST(&e->lookups)))
		lookup_free(e, l);
}

static struct ike_lookup *find_lookup(const struct ike_engine *e, const char *conn)
{
	struct ike_lookup *l;

	TAILQ_FOREACH(l, &e->lookups, link)
		if (!strcmp(l->conn, conn))
			return l;
	return NULL;
}

static bool is_waited_for(const struct ike_engine *e, const char *conn, const char *child)
{
	const struct ike_lookup *l = find_lookup(e, conn);
	const struct waiter *w;

	if (!l || !child)
		return l;
	TAILQ_FOREACH(w, &l->waiters, link)
		if (w->child && !strcmp(w->child, child))
			return true;
	return false;
}

static bool add_waiter(struct ike_lookup *l, const char *child, uint64_t ticket)
{
	struct waiter *w = calloc(1, sizeof(*w));

	if (w && child)
		w->child = strdup(child);
	if (!w || (child && !w->child)) {
		free(w);
		return false;
	}
	w->ticket = ticket;
	TAILQ_INSERT_TAIL(&l->waiters, w, link);
	return true;
}

static bool set_name(struct ike_lookup *l, const struct ike_conn_cfg *conn)
{
	free(l->name);
	l->name = strdup(conn->remote_names[l->index]);
	return l->name;
}

static struct ike_lookup *lookup_new(struct ike_engine *e, const struct ike_conn_cfg *conn)
{
	struct ike_lookup *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	TAILQ_INIT(&l->waiters);
	TAILQ_INSERT_TAIL(&e->lookups, l, link);
	l->conn = strdup(conn->name);
	if (!l->conn || !set_name(l, conn)) {
		lookup_free(e, l);
		return NULL;
	}
	return l;
}

static void look_up(struct ike_engine *e, struct ike_lookup *l)
{
	l->id = ++e->last_lookup;
	e->ops->resolve(e->host, l->id, l->name);
}

/* Each time anew: where the peer was the last time says nothing. */
static bool connect_by_name(struct ike_engine *e, const struct ike_conn_cfg *conn,
			    const struct ike_child_cfg *child, uint64_t ticket)
{
	struct ike_lookup *l = find_lookup(e, conn->name), *fresh = NULL;

	if (!e->ops->resolve)
		return ike_refuse(e, "connection %s: names cannot be looked up here", conn->name);
	if (!l)
		l = fresh = lookup_new(e, conn);
	if (!l || !add_waiter(l, child ? child->name : NULL, ticket)) {
		if (fresh)
			lookup_free(e, fresh);
		return ike_refuse(e, "%s: out of memory", conn->name);
	}
	if (fresh)
		look_up(e, fresh);
	return true;
}

static bool is_by_name(const struct ike_conn_cfg *conn)
{
	return conn->n_remote_names &&
	       !ike_conn_first_addr(conn->remote_addrs, conn->n_remote_addrs).family;
}

/* The first address, from that of @from on, to which there is a way; false with e->why. */
static bool choose_addr(struct ike_engine *e, const struct ike_conn_cfg *conn,
			const struct ike_addr *addrs, size_t n, size_t from, struct ike_addr *addr)
{
	struct ike_endpoint local, remote;

	for (size_t i = 0; i < n; i++) {
		*addr = addrs[(from + i) % n];
		if (ike_find_ends(e, conn, addr, &local, &remote))
			return true;
	}
	return false;
}

static void waiter_fails(struct ike_engine *e, const struct ike_lookup *l, const struct waiter *w)
{
	char why[sizeof(e->why)];

	memcpy(why, e->why, sizeof(why));
	if (w->child)
		ike_goal_unresolved(e, l->conn, w->child, why);
	else
		ike_log(e, IKE_LOG_ERROR, "connection %s: %s", l->conn, why);
	ike_ticket_done(e, w->ticket, false, why);
}

static void waiter_goes_on(struct ike_engine *e, const struct ike_lookup *l, const struct waiter *w,
			   const struct ike_conn_cfg *conn, const struct ike_addr *addr)
{
	const struct ike_child_cfg *child = w->child ? ike_conn_child(conn, w->child) : NULL;
	struct ike_sa *sa = find_usable(e, conn);

	if (w->child && !child) {
		ike_ticket_done(e, w->ticket, false, "the child is configured no more");
		return;
	}
	if (child)
		ike_goal_resolved(e, l->conn, w->child);
	if (!child && sa) {
		ike_ticket_done(e, w->ticket, true, "");
		return;
	}
	if (!sa)
		sa = begin_sa(e, e->config, conn, addr);
	if (!sa || !ask(e, sa, e->config, child, w->ticket))
		waiter_fails(e, l, w);
}

static struct ike_lookup *find_lookup_by_id(struct ike_engine *e, uint64_t id)
{
	struct ike_lookup *l;

	TAILQ_FOREACH(l, &e->lookups, link)
		if (l->id == id)
			return l;
	return NULL;
}

static bool take_addrs(struct ike_engine *e, const struct ike_lookup *l,
		       const struct ike_conn_cfg *conn, const struct ike_addr *addrs, size_t n,
		       const char *why, struct ike_addr *addr)
{
	if (e->stopping)
		return ike_refuse(e, "%s: shutting down", l->conn);
	if (!conn)
		return ike_refuse(e, "%s: configured no more", l->conn);
	if (!n)
		return ike_refuse(e, "%s cannot be resolved: %s", l->name, why);
	return choose_addr(e, conn, addrs, n, ike_goal_tries(e, l->conn), addr);
}

void ike_lookup_answered(struct ike_engine *e, uint64_t id, const struct ike_addr *addrs, size_t n,
			 const char *why)
{
	struct ike_lookup *l = find_lookup_by_id(e, id);
	const struct ike_conn_cfg *conn = l ? ike_config_conn(e->config, l->conn) : NULL;
	struct waiter_list waiters;
	struct ike_addr addr;
	struct waiter *w;
	bool ok;

	if (!l)
		return;
	ok = take_addrs(e, l, conn, addrs, n, why, &addr);
	if (!ok && conn && !e->stopping && ++l->index < conn->n_remote_names && set_name(l, conn)) {
		look_up(e, l);
		return;
	}
	/* What fails now may ask again, later. */
	TAILQ_INIT(&waiters);
	TAILQ_CONCAT(&waiters, &l->waiters, link);
	l->id = 0;
	while ((w = TAILQ_FIRST(&waiters))) {
		TAILQ_REMOVE(&waiters, w, link);
		if (ok)
			waiter_goes_on(e, l, w, conn, &addr);
		else
			waiter_fails(e, l, w);
		free(w->child);
		free(w);
	}
	lookup_free(e, l);
}

/* What there is */

bool ike_is_up(struct ike_engine *e, const char *conn, const struct ike_child_cfg *child)
{
	struct ike_sa *sa = NULL;

	while ((sa = ike_sa_of_conn(e, conn, sa)))
		if (sa->state == IKE_SA_ESTABLISHED && (!child || ike_coverage_full(sa, child)))
			return true;
	return false;
}

static bool creates(const struct ike_task *t, const char *child)
{
	if (t->create)
		t = t->create;
	return t->kind == &ike_task_create && !strcmp(t->cfg->name, child);
}

bool ike_is_coming(struct ike_engine *e, const char *conn, const char *child)
{
	struct ike_sa *sa = NULL;
	struct ike_task *t;

	if (is_waited_for(e, conn, child))
		return true;
	while ((sa = ike_sa_of_conn(e, conn, sa))) {
		if (sa->state > IKE_SA_ESTABLISHED)
			continue;
		if (!child && sa->initiator && sa->state < IKE_SA_ESTABLISHED)
			return true;
		if (!child)
			continue;
		if (sa->task && creates(sa->task, child))
			return true;
		TAILQ_FOREACH(t, &sa->tasks, link)
			if (creates(t, child))
				return true;
	}
	return false;
}

/* All */

bool ike_connect(struct ike_engine *e, struct ike_config *config, const struct ike_conn_cfg *conn,
		 const struct ike_child_cfg *child, uint64_t ticket)
{
	struct ike_sa *sa = e->stopping ? NULL : find_usable(e, conn);

	if (e->stopping)
		return ike_refuse(e, "%s: shutting down", conn->name);
	if (child ? ike_is_shunt(child) : ike_conn_is_shunts(conn))
		return ike_refuse(e, "%s: a shunt (mode = pass or drop) has no peer",
			      child ? child->name : conn->name);
	if (!child && (sa || is_waited_for(e, conn->name, NULL)))
		return ike_refuse(e, "connection %s is being brought up already", conn->name);
	if (!sa && is_by_name(conn))
		return connect_by_name(e, conn, child, ticket);
	if (!sa)
		sa = begin_sa(e, config, conn, NULL);
	return sa && ask(e, sa, config, child, ticket);
}
