// SPDX-License-Identifier: MIT
/* What should be up, and trying again. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ikev2/child.h"
#include "ikev2/conn.h"
#include "ikev2/goal.h"
#include "ikev2/reload.h"
#include "ikev2/spd.h"

enum {
	FIRST_PAUSE = IKE_SECOND, /* before the second try; doubles with each */
	LONGEST_PAUSE = 300 * IKE_SECOND,
	PAUSE_DOUBLINGS = 9,
	AGAIN_SOON = IKE_SECOND / 5, /* after what was up has gone */
};

static struct ike_goal *find(struct ike_engine *e, const char *conn, const char *child)
{
	struct ike_goal *g;

	TAILQ_FOREACH(g, &e->goals, link)
		if (!strcmp(g->conn, conn) && !strcmp(g->child, child))
			return g;
	return NULL;
}

static void goal_free(struct ike_goal *g)
{
	ike_timer_stop(&g->engine->timers, &g->timer);
	ike_timers_release(&g->engine->timers, 1);
	free(g->conn);
	free(g->child);
	free(g);
}

bool ike_is_up(struct ike_engine *e, const char *conn, const struct ike_child_cfg *child)
{
	struct ike_sa *sa;

	TAILQ_FOREACH(sa, &e->sas, link) {
		if (strcmp(sa->conn->name, conn) || sa->state != IKE_SA_ESTABLISHED)
			continue;
		if (!child || ike_coverage_full(sa, child))
			return true;
	}
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
	struct ike_task *t;
	struct ike_sa *sa;

	TAILQ_FOREACH(sa, &e->sas, link) {
		if (strcmp(sa->conn->name, conn) || sa->state > IKE_SA_ESTABLISHED)
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

/* Bringing up */

static bool refuse(struct ike_engine *e, const char *fmt, ...) IKE_PRINTF(2, 3);
static bool refuse(struct ike_engine *e, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(e->why, sizeof(e->why), fmt, args);
	va_end(args);
	return false;
}

static struct ike_sa *find_usable(struct ike_engine *e, const struct ike_conn_cfg *conn)
{
	struct ike_sa *sa;

	TAILQ_FOREACH(sa, &e->sas, link)
		if (!strcmp(sa->conn->name, conn->name) &&
		    (ike_sa_usable(sa) || (sa->initiator && sa->state < IKE_SA_ESTABLISHED)))
			return sa;
	return NULL;
}

static bool find_ends(struct ike_engine *e, const struct ike_conn_cfg *conn,
		      struct ike_endpoint *local, struct ike_endpoint *remote)
{
	const char *why = "";

	*remote = (struct ike_endpoint){
		ike_conn_first_addr(conn->remote_addrs, conn->n_remote_addrs),
		conn->remote_port ? conn->remote_port : IKE_PORT,
	};
	*local = (struct ike_endpoint){
		ike_conn_first_addr(conn->local_addrs, conn->n_local_addrs),
		conn->local_port ? conn->local_port : IKE_PORT,
	};
	if (!remote->addr.family)
		return refuse(e, "connection %s: remote_addrs names no single address", conn->name);
	if (!local->addr.family && e->ops->source &&
	    e->ops->source(e->host, &remote->addr, &local->addr, &why))
		return refuse(e, "no way to the peer: %s", why);
	return true;
}

static struct ike_sa *begin_sa(struct ike_engine *e, struct ike_config *config,
			       const struct ike_conn_cfg *conn)
{
	struct ike_endpoint local, remote;
	char addr[IKE_ADDR_TEXT_MAX];
	struct ike_sa *sa;

	if (!find_ends(e, conn, &local, &remote))
		return NULL;
	sa = ike_sa_new(e, config, conn, true, 0, &local, &remote);
	if (!sa || !ike_task_add(sa, &ike_task_init)) {
		refuse(e, "%s: out of memory", conn->name);
		if (sa)
			ike_sa_close(sa, IKE_END_FAILED, false, "out of memory");
		return NULL;
	}
	ike_sa_log(sa, IKE_LOG_INFO, "initiating to %s",
		   ike_addr_text(&remote.addr, addr, sizeof(addr)));
	return sa;
}

bool ike_connect(struct ike_engine *e, struct ike_config *config, const struct ike_conn_cfg *conn,
		 const struct ike_child_cfg *child, uint64_t ticket)
{
	struct ike_sa *sa = e->stopping ? NULL : find_usable(e, conn);
	struct ike_task *t;

	if (e->stopping)
		return refuse(e, "%s: shutting down", conn->name);
	if (child ? ike_is_shunt(child) : ike_conn_is_shunts(conn))
		return refuse(e, "%s: a shunt (mode = pass or drop) has no peer",
			      child ? child->name : conn->name);
	if (!child && sa)
		return refuse(e, "connection %s is being brought up already", conn->name);
	if (!sa)
		sa = begin_sa(e, config, conn);
	if (!sa)
		return false;
	t = child ? ike_task_add(sa, &ike_task_create) : TAILQ_FIRST(&sa->tasks);
	if (!t)
		return refuse(e, "connection %s has too much to do", conn->name);
	if (child) {
		t->config = ike_config_ref(config);
		t->cfg = child;
	}
	t->ticket = ticket;
	ike_sa_work(sa);
	return true;
}

/* Goals */

static bool look_up(struct ike_goal *g, const struct ike_conn_cfg **conn,
		    const struct ike_child_cfg **child)
{
	*conn = ike_config_conn(g->engine->config, g->conn);
	*child = *conn ? ike_conn_child(*conn, g->child) : NULL;
	return *child;
}

static void pursue(struct ike_goal *g)
{
	const struct ike_conn_cfg *conn;
	const struct ike_child_cfg *child;
	struct ike_engine *e = g->engine;

	if (!g->wanted || e->stopping || !look_up(g, &conn, &child))
		return;
	if (ike_is_up(e, g->conn, child) || ike_is_coming(e, g->conn, g->child))
		return;
	if (!ike_connect(e, e->config, conn, child, 0))
		ike_goal_failed(e, g->conn, g->child, e->why);
}

static void fires(struct ike_timer *t)
{
	pursue(ike_container(t, struct ike_goal, timer));
}

static struct ike_goal *obtain(struct ike_engine *e, const char *conn, const char *child)
{
	struct ike_goal *g = find(e, conn, child);

	if (g)
		return g;
	g = calloc(1, sizeof(*g));
	if (!g || !ike_timers_reserve(&e->timers, 1)) {
		free(g);
		return NULL;
	}
	g->engine = e;
	g->timer.fire = fires;
	g->conn = strdup(conn);
	g->child = strdup(child);
	if (!g->conn || !g->child) {
		goal_free(g);
		return NULL;
	}
	TAILQ_INSERT_TAIL(&e->goals, g, link);
	return g;
}

static void want(struct ike_goal *g, ike_time delay)
{
	g->wanted = true;
	ike_timer_set(&g->engine->timers, &g->timer, g->engine->now + delay);
}

void ike_goal_met(struct ike_engine *e, const char *conn, const char *child)
{
	struct ike_goal *g = find(e, conn, child);
	const struct ike_conn_cfg *conn_cfg;
	const struct ike_child_cfg *cfg;

	if (!g || (look_up(g, &conn_cfg, &cfg) && !ike_is_up(e, conn, cfg)))
		return;
	g->tries = 0;
	ike_timer_stop(&e->timers, &g->timer);
}

void ike_goal_failed(struct ike_engine *e, const char *conn, const char *child, const char *why)
{
	struct ike_goal *g = find(e, conn, child);
	const struct ike_conn_cfg *cfg = ike_config_conn(e->config, conn);
	unsigned int doublings;
	ike_time pause;

	if (!g || !g->wanted || !cfg || e->stopping)
		return;
	g->tries++;
	if (cfg->keyingtries && g->tries >= cfg->keyingtries) {
		g->wanted = false;
		ike_log(e, IKE_LOG_ERROR,
			"child %s of %s: given up after %u tries (keyingtries): %s", child, conn,
			g->tries, why);
		return;
	}
	doublings = g->tries - 1 < PAUSE_DOUBLINGS ? g->tries - 1 : PAUSE_DOUBLINGS;
	pause = (ike_time)FIRST_PAUSE << doublings;
	if (pause > LONGEST_PAUSE)
		pause = LONGEST_PAUSE;
	pause = ike_jitter(e, pause);
	ike_log(e, IKE_LOG_INFO, "child %s of %s: next try in %" PRIu64 " s", child, conn,
		(pause + IKE_SECOND / 2) / IKE_SECOND);
	ike_timer_set(&e->timers, &g->timer, e->now + pause);
}

void ike_goal_drop(struct ike_engine *e, const char *conn, const char *child)
{
	struct ike_goal *g;

	TAILQ_FOREACH(g, &e->goals, link) {
		if (strcmp(g->conn, conn) || (child && strcmp(g->child, child)))
			continue;
		g->wanted = false;
		ike_timer_stop(&e->timers, &g->timer);
	}
}

/* Traps */

static struct ike_ts *resolve(const struct ike_ts *list, size_t n, const struct ike_addr *a)
{
	struct ike_ts *copy = malloc((n ? n : 1) * sizeof(*copy));

	if (!copy)
		return NULL;
	memcpy(copy, list, n * sizeof(*copy));
	ike_ts_resolve(copy, n, a);
	return copy;
}

static const char *trap_text(const struct ike_child_cfg *child)
{
	switch (child->mode) {
	case IKE_MODE_PASS:
		return "packets pass in the clear";
	case IKE_MODE_DROP:
		return "packets are dropped";
	default:
		return "waits for traffic";
	}
}

static void drop_trap(struct ike_goal *g)
{
	struct ike_policy *trap = g->trap;

	g->trap = NULL;
	if (trap)
		ike_spd_untrap(g->engine, trap);
}

/*
 * What is there and is the same stays; else the new one is there before the old one goes. False with
 * a text in e->why.
 */
static bool put_trap(struct ike_goal *g, const struct ike_conn_cfg *conn,
		     const struct ike_child_cfg *child, const struct ike_ts *ours,
		     const struct ike_ts *theirs)
{
	struct ike_policy *old = g->trap;
	struct ike_error err = {0};

	if (old && ike_spd_is_trap(old, conn, child, ours, theirs))
		return true;
	if (!g->cookie)
		g->cookie = ++g->engine->last_child_id;
	g->trap = ike_spd_trap(g->engine, conn, child, ours, theirs, g->cookie, &err);
	if (old)
		ike_spd_untrap(g->engine, old);
	if (!g->trap)
		return refuse(g->engine, "%s", err.text);
	ike_log(g->engine, IKE_LOG_INFO, "child %s of %s: %s", g->child, g->conn,
		trap_text(child));
	return true;
}

/* False with a text in e->why. */
static bool lay_trap(struct ike_goal *g, const struct ike_conn_cfg *conn,
		     const struct ike_child_cfg *child)
{
	struct ike_endpoint local = {0}, remote = {0};
	struct ike_engine *e = g->engine;
	struct ike_ts *ours, *theirs;
	bool ok;

	if (!ike_is_shunt(child) && !find_ends(e, conn, &local, &remote))
		return false;
	ours = resolve(child->local_ts, child->n_local_ts, &local.addr);
	theirs = resolve(child->remote_ts, child->n_remote_ts, &remote.addr);
	ok = ours && theirs ? put_trap(g, conn, child, ours, theirs) :
			      refuse(e, "%s", "out of memory");
	free(ours);
	free(theirs);
	return ok;
}

/* @last: else there will be another attempt, which tells what stands in the way. */
static void set_trap(struct ike_goal *g, bool last)
{
	const struct ike_conn_cfg *conn;
	const struct ike_child_cfg *child;
	struct ike_engine *e = g->engine;

	if (!look_up(g, &conn, &child) || lay_trap(g, conn, child) || !last)
		return;
	ike_log(e, IKE_LOG_ERROR, "child %s of %s: no %s: %s", g->child, g->conn,
		ike_is_shunt(child) ? "shunt" : "trap", e->why);
}

bool ike_goal_trapped(struct ike_engine *e, uint64_t cookie)
{
	const struct ike_conn_cfg *conn;
	const struct ike_child_cfg *child;
	struct ike_goal *g;

	TAILQ_FOREACH(g, &e->goals, link) {
		if (!g->trap || g->cookie != cookie)
			continue;
		if (!look_up(g, &conn, &child) || ike_is_up(e, g->conn, child) ||
		    ike_is_coming(e, g->conn, g->child))
			return true;
		ike_log(e, IKE_LOG_INFO, "child %s of %s: traffic asks for it", g->child, g->conn);
		if (!ike_connect(e, e->config, conn, child, 0))
			ike_log(e, IKE_LOG_ERROR, "child %s of %s: %s", g->child, g->conn, e->why);
		return true;
	}
	return false;
}

static enum ike_start_action action_after(const struct ike_child_cfg *cfg, enum ike_end how)
{
	switch (how) {
	case IKE_END_PEER:
	case IKE_END_EXPIRED:
		return cfg->close_action;
	case IKE_END_DEAD:
		return cfg->dpd_action;
	default:
		return IKE_START_NONE;
	}
}

void ike_goal_lost(struct ike_child *c, enum ike_end how)
{
	enum ike_start_action action = action_after(c->cfg, how);
	struct ike_engine *e = c->sa->engine;
	struct ike_goal *g;

	if (e->stopping || action == IKE_START_NONE)
		return;
	g = obtain(e, c->sa->conn->name, c->cfg->name);
	if (!g)
		return;
	if (action & IKE_START_TRAP)
		set_trap(g, true);
	if (action & IKE_START_START)
		want(g, ike_jitter(e, AGAIN_SOON));
}

/* All */

/* Is @action what is to be done with it now, or may have become so? */
static bool may_want(const struct ike_child_cfg *child, enum ike_start_action action)
{
	return (child->start_action | child->close_action | child->dpd_action) & action;
}

/* Traps and goals that the configuration does not have any more. */
static void refresh(struct ike_goal *g)
{
	const struct ike_conn_cfg *conn;
	const struct ike_child_cfg *child;

	look_up(g, &conn, &child);
	if (!child || (!g->by_command && !may_want(child, IKE_START_TRAP)))
		drop_trap(g);
	if (child && may_want(child, IKE_START_START))
		return;
	g->wanted = false;
	ike_timer_stop(&g->engine->timers, &g->timer);
}

static void start_child(struct ike_engine *e, const struct ike_conn_cfg *conn,
			const struct ike_child_cfg *child)
{
	struct ike_goal *g = find(e, conn->name, child->name);

	if (!g && child->start_action == IKE_START_NONE)
		return;
	g = obtain(e, conn->name, child->name);
	if (!g)
		return;
	if (g->trap || (child->start_action & IKE_START_TRAP))
		set_trap(g, false);
	if (child->start_action & IKE_START_START) {
		g->wanted = true;
		g->tries = 0;
		pursue(g);
	}
}

/* Those that have changed places stand in each other's way until one of them has gone. */
static void retry_trap(struct ike_engine *e, const struct ike_conn_cfg *conn,
		       const struct ike_child_cfg *child)
{
	struct ike_goal *g = find(e, conn->name, child->name);

	if (g && !g->trap && (child->start_action & IKE_START_TRAP))
		set_trap(g, true);
}

static void for_children(struct ike_engine *e,
			 void (*fn)(struct ike_engine *e, const struct ike_conn_cfg *conn,
				    const struct ike_child_cfg *child))
{
	for (size_t i = 0; i < e->config->n_conns; i++)
		for (size_t k = 0; k < e->config->conns[i].n_children; k++)
			fn(e, &e->config->conns[i], &e->config->conns[i].children[k]);
}

void ike_goals_start(struct ike_engine *e)
{
	struct ike_goal *g;

	ike_reload_apply(e);
	TAILQ_FOREACH(g, &e->goals, link)
		refresh(g);
	for_children(e, start_child);
	for_children(e, retry_trap);
}

void ike_goals_start_conn(struct ike_engine *e, const char *name)
{
	const struct ike_conn_cfg *conn = name ? ike_config_conn(e->config, name) : NULL;
	struct ike_goal *g;

	ike_reload_apply(e);
	TAILQ_FOREACH(g, &e->goals, link)
		refresh(g);
	for (size_t k = 0; conn && k < conn->n_children; k++)
		start_child(e, conn, &conn->children[k]);
	for (size_t k = 0; conn && k < conn->n_children; k++)
		retry_trap(e, conn, &conn->children[k]);
}

/* By command */

bool ike_goal_install(struct ike_engine *e, const struct ike_conn_cfg *conn,
		      const struct ike_child_cfg *child)
{
	struct ike_goal *g = obtain(e, conn->name, child->name);

	if (!g)
		return refuse(e, "%s", "out of memory");
	if (!g->trap && !lay_trap(g, conn, child))
		return false;
	g->by_command = true;
	return true;
}

bool ike_goal_uninstall(struct ike_engine *e, const char *conn, const char *child)
{
	bool found = false;
	struct ike_goal *g;

	TAILQ_FOREACH(g, &e->goals, link) {
		if (!g->trap || (conn && strcmp(g->conn, conn)) || strcmp(g->child, child))
			continue;
		drop_trap(g);
		g->by_command = false;
		ike_log(e, IKE_LOG_INFO, "child %s of %s: uninstalled by command", g->child,
			g->conn);
		found = true;
	}
	return found || refuse(e, "neither trap nor shunt of child %s is installed", child);
}

void ike_goals_free(struct ike_engine *e)
{
	struct ike_goal *g;

	while ((g = TAILQ_FIRST(&e->goals))) {
		TAILQ_REMOVE(&e->goals, g, link);
		goal_free(g);
	}
}
