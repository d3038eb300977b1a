// SPDX-License-Identifier: MIT
/* What should be up, and trying again. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ikev2/child.h"
#include "ikev2/conn.h"
#include "ikev2/connect.h"
#include "ikev2/goal.h"
#include "ikev2/reload.h"
#include "ikev2/spd.h"

enum {
	FIRST_PAUSE = IKE_SECOND, /* before the second try; doubles with each */
	LONGEST_PAUSE = 300 * IKE_SECOND,
	PAUSE_DOUBLINGS = 9,
	AGAIN_SOON = IKE_SECOND / 5, /* after what was up has gone */
};

static uint64_t name_hash(const char *conn, const char *child)
{
	return ike_hash(ike_hash(IKE_HASH_START, conn, strlen(conn) + 1), child, strlen(child));
}

static struct ike_goal *find(struct ike_engine *e, const char *conn, const char *child)
{
	struct ike_node *node = NULL;
	struct ike_goal *g;

	while ((node = ike_table_find(&e->goals_by_name, name_hash(conn, child), node))) {
		g = ike_container(node, struct ike_goal, by_name);
		if (!strcmp(g->conn, conn) && !strcmp(g->child, child))
			return g;
	}
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
	ike_table_add(&e->goals_by_name, &g->by_name, name_hash(conn, child));
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

/* After that many failures in a row. */
static ike_time pause_before(struct ike_engine *e, unsigned int tries)
{
	unsigned int doublings = tries - 1 < PAUSE_DOUBLINGS ? tries - 1 : PAUSE_DOUBLINGS;
	ike_time pause = (ike_time)FIRST_PAUSE << doublings;

	return ike_jitter(e, pause < LONGEST_PAUSE ? pause : LONGEST_PAUSE);
}

void ike_goal_failed(struct ike_engine *e, const char *conn, const char *child, const char *why)
{
	struct ike_goal *g = find(e, conn, child);
	const struct ike_conn_cfg *cfg = ike_config_conn(e->config, conn);
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
	pause = pause_before(e, g->tries);
	ike_log(e, IKE_LOG_INFO, "child %s of %s: next try in %" PRIu64 " s", child, conn,
		(pause + IKE_SECOND / 2) / IKE_SECOND);
	ike_timer_set(&e->timers, &g->timer, e->now + pause);
}

unsigned int ike_goal_tries(struct ike_engine *e, const char *conn)
{
	const struct ike_goal *g;

	TAILQ_FOREACH(g, &e->goals, link)
		if (!strcmp(g->conn, conn) && g->wanted)
			return g->tries;
	return 0;
}

void ike_goal_unresolved(struct ike_engine *e, const char *conn, const char *child, const char *why)
{
	struct ike_goal *g = find(e, conn, child);

	ike_log(e, g && g->unresolved ? IKE_LOG_DEBUG : IKE_LOG_ERROR, "child %s of %s: %s%s", child,
		conn, why, g && g->wanted ? "; trying again, with pauses of up to 5 min" : "");
	if (!g || e->stopping)
		return;
	g->unresolved = true;
	if (g->wanted)
		ike_timer_set(&e->timers, &g->timer, e->now + pause_before(e, ++g->tries));
}

void ike_goal_resolved(struct ike_engine *e, const char *conn, const char *child)
{
	struct ike_goal *g = find(e, conn, child);

	if (!g || !g->unresolved)
		return;
	g->unresolved = false;
	g->tries = 0;
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
		return ike_refuse(g->engine, "%s", err.text);
	ike_log(g->engine, IKE_LOG_INFO, "child %s of %s: %s", g->child, g->conn,
		trap_text(child));
	return true;
}

static bool has_dynamic(const struct ike_ts *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (list[i].dynamic)
			return true;
	return false;
}

/* A trap does not wait for a peer's name; the configuration has seen to it that it need not. */
static bool find_trap_ends(struct ike_engine *e, const struct ike_conn_cfg *conn,
			   const struct ike_child_cfg *child, struct ike_endpoint *local,
			   struct ike_endpoint *remote)
{
	if (ike_is_shunt(child))
		return true;
	if (!conn->n_remote_names || has_dynamic(child->remote_ts, child->n_remote_ts))
		return ike_find_ends(e, conn, NULL, local, remote);
	local->addr = ike_conn_first_addr(conn->local_addrs, conn->n_local_addrs);
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

	if (!find_trap_ends(e, conn, child, &local, &remote))
		return false;
	ours = resolve(child->local_ts, child->n_local_ts, &local.addr);
	theirs = resolve(child->remote_ts, child->n_remote_ts, &remote.addr);
	ok = ours && theirs ? put_trap(g, conn, child, ours, theirs) :
			      ike_refuse(e, "%s", "out of memory");
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

static void for_children_of(struct ike_engine *e, char *const *names, size_t n,
			    void (*fn)(struct ike_engine *e, const struct ike_conn_cfg *conn,
				       const struct ike_child_cfg *child))
{
	const struct ike_conn_cfg *conn;

	for (size_t i = 0; i < n; i++) {
		conn = ike_config_conn(e->config, names[i]);
		for (size_t k = 0; conn && k < conn->n_children; k++)
			fn(e, conn, &conn->children[k]);
	}
}

void ike_goals_start_conns(struct ike_engine *e, char *const *names, size_t n)
{
	struct ike_goal *g;

	ike_reload_apply(e);
	TAILQ_FOREACH(g, &e->goals, link)
		refresh(g);
	for_children_of(e, names, n, start_child);
	for_children_of(e, names, n, retry_trap);
}

/* By command */

bool ike_goal_install(struct ike_engine *e, const struct ike_conn_cfg *conn,
		      const struct ike_child_cfg *child)
{
	struct ike_goal *g = obtain(e, conn->name, child->name);

	if (!g)
		return ike_refuse(e, "%s", "out of memory");
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
	return found || ike_refuse(e, "neither trap nor shunt of child %s is installed", child);
}

void ike_goals_free(struct ike_engine *e)
{
	struct ike_goal *g;

	while ((g = TAILQ_FIRST(&e->goals))) {
		TAILQ_REMOVE(&e->goals, g, link);
		goal_free(g);
	}
}
