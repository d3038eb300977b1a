// SPDX-License-Identifier: MIT
/* The VICI commands: what strongSwan's clients ask, and esplane-stats of our own. */
#define LOG_SUBSYSTEM LOG_VICI

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "kernel.h"
#include "log.h"
#include "vici/status.h"

/* README "Client-initiated commands": the default of loglevel. */
enum { DEFAULT_LOGLEVEL = 1 };

struct listing {
	struct client *client;
	const struct vici_node *args;
	ike_time now;
};

static bool id_matches(const struct vici_node *args, const char *key, uint64_t id)
{
	const char *wanted = vici_get(args, key);

	return !wanted || strtoull(wanted, NULL, 10) == id;
}

static bool child_matches(const struct vici_node *args, const struct ike_sa_info *sa)
{
	size_t i;

	if (!vici_get(args, "child") && !vici_get(args, "child-id"))
		return true;
	for (i = 0; i < sa->n_children; i++)
		if (name_matches(args, "child", sa->children[i].name) &&
		    id_matches(args, "child-id", sa->children[i].id))
			return true;
	return false;
}

static void list_sa(void *arg, const struct ike_sa_info *sa)
{
	struct listing *l = arg;
	struct vici_builder b;

	if (!name_matches(l->args, "ike", sa->conn) || !id_matches(l->args, "ike-id", sa->id) ||
	    !child_matches(l->args, sa))
		return;
	vici_event_begin(&b, VICI_EV_LIST_SA);
	vici_put_sa(&b, sa, l->now);
	vici_session_event(l->client->session, VICI_EV_LIST_SA, &b);
	vici_abandon(&b);
}

static void cmd_list_sas(struct client *client, const struct vici_node *args)
{
	struct listing l = { client, args, host_now() };

	ike_engine_foreach_sa(host_of(client)->engine, l.now, list_sa, &l);
	reply_empty(client);
}

static void cmd_list_conns(struct client *client, const struct vici_node *args)
{
	const struct ike_config *config = config_of(client);
	struct vici_builder b;
	size_t i;

	for (i = 0; i < config->n_conns; i++) {
		if (!name_matches(args, "ike", config->conns[i].name))
			continue;
		vici_event_begin(&b, VICI_EV_LIST_CONN);
		vici_put_conn(&b, &config->conns[i]);
		vici_session_event(client->session, VICI_EV_LIST_CONN, &b);
		vici_abandon(&b);
	}
	reply_empty(client);
}

static void cmd_version(struct client *client, const struct vici_node *args)
{
	struct vici_builder b;

	vici_reply_begin(&b);
	vici_put_version(&b);
	vici_session_reply(client->session, &b);
}

static void count_sa(void *arg, const struct ike_sa_info *sa)
{
	((struct vici_daemon_stats *)arg)->ikesas_total++;
}

static void cmd_stats(struct client *client, const struct vici_node *args)
{
	struct vici_daemon_stats stats = {
		.uptime_seconds = (host_now() - client->control->started) / IKE_SECOND,
		.since = client->control->since,
	};
	struct ike_counters counters = { 0 };
	struct vici_builder b;

	ike_engine_foreach_sa(host_of(client)->engine, host_now(), count_sa, &stats);
	ike_engine_counters(host_of(client)->engine, &counters);
	stats.ikesas_half_open = counters.half_open;
	vici_reply_begin(&b);
	vici_put_stats(&b, &stats);
	vici_session_reply(client->session, &b);
}

static void put_drops(void *arg, const struct dp_stats *stats)
{
	struct client *client = arg;
	struct vici_drop drops[DP_MAX_DROPS];
	struct ike_counters counters = { 0 };
	struct vici_builder b;
	size_t i;

	for (i = 0; i < stats->n_drops; i++)
		drops[i] = (struct vici_drop){ stats->drops[i].reason, stats->drops[i].meaning,
					       stats->drops[i].count };
	ike_engine_counters(host_of(client)->engine, &counters);
	vici_reply_begin(&b);
	vici_put_esplane_stats(&b, &counters, drops, stats->n_drops);
	vici_session_reply(client->session, &b);
}

static void cmd_esplane_stats(struct client *client, const struct vici_node *args)
{
	const char *why;

	if (kernel_stats(host_of(client)->kernel, put_drops, client, &why))
		vici_session_reply_error(client->session, "%s", why);
}

/*
 * Commands that take time: they are answered when the engine says so, or when their timeout is
 * over.
 */

static void on_timeout(uv_timer_t *timer)
{
	struct client *client = timer->data;

	client->ticket = 0;
	vici_session_reply_error(client->session, "not done in time; it goes on");
	host_settle(host_of(client));
}

/* README "initiate()": milliseconds; -1: do not wait; 0 or absent: wait as long as it takes. */
static void await(struct client *client, const struct vici_node *args, uint64_t ticket,
		  const char *why)
{
	const char *timeout = vici_get(args, "timeout");
	long ms = timeout ? strtol(timeout, NULL, 10) : 0;

	if (!ticket) {
		vici_session_reply_error(client->session, "%s", why);
		return;
	}
	if (ms < 0) {
		vici_session_reply_ok(client->session);
		return;
	}
	client->ticket = ticket;
	if (ms)
		uv_timer_start(&client->timeout, on_timeout, ms, 0);
}

static void take_loglevel(struct client *client, const struct vici_node *args)
{
	const char *level = vici_get(args, "loglevel");

	client->loglevel = level ? strtol(level, NULL, 10) : DEFAULT_LOGLEVEL;
}

static const struct ike_conn_cfg *conn_of_child(const struct ike_config *config, const char *child)
{
	size_t i;

	for (i = 0; i < config->n_conns; i++)
		if (ike_conn_child(&config->conns[i], child))
			return &config->conns[i];
	return NULL;
}

static void cmd_initiate(struct client *client, const struct vici_node *args)
{
	const char *child = vici_get(args, "child"), *ike = vici_get(args, "ike"), *why = NULL;
	const struct ike_config *config = config_of(client);
	const struct ike_conn_cfg *conn;
	uint64_t ticket = 0;

	client->matches = 0;
	take_loglevel(client, args);
	if (!child && !ike) {
		vici_session_reply_error(client->session,
					 "initiate needs a connection (ike) or a child");
		return;
	}
	conn = ike ? ike_config_conn(config, ike) : conn_of_child(config, child);
	if (!conn && ike)
		vici_session_reply_error(client->session, "there is no connection '%s'", ike);
	else if (!conn)
		vici_session_reply_error(client->session, "no connection has a child '%s'", child);
	else
		ticket = ike_engine_initiate(host_of(client)->engine, host_now(), conn->name, child,
					     &why);
	if (conn)
		await(client, args, ticket, why);
}

struct counting {
	const struct ike_match *match;
	size_t n;
};

static bool child_is_meant(const struct ike_match *m, const struct ike_child_info *child)
{
	return (!m->child || !strcmp(m->child, child->name)) &&
	       (!m->child_id || m->child_id == child->id);
}

static void count_match(void *arg, const struct ike_sa_info *sa)
{
	struct counting *c = arg;
	const struct ike_match *m = c->match;
	size_t i;

	if ((m->conn && strcmp(m->conn, sa->conn)) || (m->ike_id && m->ike_id != sa->id))
		return;
	if (!m->child && !m->child_id && !m->children) {
		c->n++;
		return;
	}
	for (i = 0; i < sa->n_children; i++)
		c->n += child_is_meant(m, &sa->children[i]);
}

static bool get_match(struct client *client, const struct vici_node *args, struct ike_match *match)
{
	struct counting counting = { match, 0 };
	const char *why;

	take_loglevel(client, args);
	if (vici_get_match(args, match, &why)) {
		vici_session_reply_error(client->session, "%s", why);
		return false;
	}
	ike_engine_foreach_sa(host_of(client)->engine, host_now(), count_match, &counting);
	client->matches = counting.n;
	return true;
}

static void cmd_terminate(struct client *client, const struct vici_node *args)
{
	struct ike_match match;
	const char *why = NULL;
	uint64_t ticket;

	if (!get_match(client, args, &match))
		return;
	ticket = ike_engine_terminate(host_of(client)->engine, host_now(), &match, &why);
	await(client, args, ticket, why);
}

static void cmd_rekey(struct client *client, const struct vici_node *args)
{
	struct ike_match match;
	const char *why = NULL, *reauth = vici_get(args, "reauth");
	bool again = reauth && !strcmp(reauth, "yes");
	uint64_t ticket;

	if (!get_match(client, args, &match))
		return;
	ticket = (again ? ike_engine_reauth : ike_engine_rekey)(host_of(client)->engine,
								host_now(), &match, &why);
	await(client, args, ticket, why);
}

static void cmd_reload(struct client *client, const struct vici_node *args)
{
	char *errors = client->control->ops.reload(client->control->ops.arg);

	if (errors)
		vici_session_reply_error(client->session, "%s", errors);
	else
		vici_session_reply_ok(client->session);
	free(errors);
}

static void cmd_install(struct client *client, const struct vici_node *args)
{
	const char *child = vici_get(args, "child"), *ike = vici_get(args, "ike"), *why = NULL;
	const struct ike_config *config = config_of(client);
	const struct ike_conn_cfg *conn;

	conn = ike ? ike_config_conn(config, ike) : child ? conn_of_child(config, child) : NULL;
	if (!child)
		vici_session_reply_error(client->session, "install needs a child");
	else if (!conn)
		vici_session_reply_error(client->session, "there is no child '%s'%s%s", child,
					 ike ? " of connection " : "", ike ? ike : "");
	else if (!ike_engine_install(host_of(client)->engine, host_now(), conn->name, child, &why))
		vici_session_reply_error(client->session, "%s", why);
	else
		vici_session_reply_ok(client->session);
}

static void cmd_uninstall(struct client *client, const struct vici_node *args)
{
	const char *child = vici_get(args, "child"), *why = NULL;

	if (!child)
		vici_session_reply_error(client->session, "uninstall needs a child");
	else if (!ike_engine_uninstall(host_of(client)->engine, host_now(), vici_get(args, "ike"),
				       child, &why))
		vici_session_reply_error(client->session, "%s", why);
	else
		vici_session_reply_ok(client->session);
}

static void cmd_redirect(struct client *client, const struct vici_node *args)
{
	vici_session_reply_error(client->session, "redirecting peers to another gateway (RFC 5685) "
						  "is not supported by esplaned");
}

static void cmd_load_token(struct client *client, const struct vici_node *args)
{
	vici_session_reply_error(client->session, "keys on tokens (PKCS#11) are not supported by "
						  "esplaned");
}

/*
 * CRLs and OCSP answers, which are all that is kept: certificates that peers have sent are not,
 * beyond their IKE_AUTH.
 */
static void cmd_flush_certs(struct client *client, const struct vici_node *args)
{
	ike_engine_flush(host_of(client)->engine);
	vici_session_reply_ok(client->session);
}

static const struct {
	const char *name;
	vici_command *run;
} commands[] = {
	{ "version", cmd_version },
	{ "stats", cmd_stats },
	{ "esplane-stats", cmd_esplane_stats },
	{ "esplane-trace", cmd_esplane_trace },
	{ "list-sas", cmd_list_sas },
	{ "list-conns", cmd_list_conns },
	{ "list-policies", cmd_list_policies },
	{ "list-certs", cmd_list_certs },
	{ "list-authorities", cmd_list_authorities },
	{ "get-algorithms", cmd_get_algorithms },
	{ "get-counters", cmd_get_counters },
	{ "reset-counters", cmd_reset_counters },
	{ "initiate", cmd_initiate },
	{ "terminate", cmd_terminate },
	{ "rekey", cmd_rekey },
	{ "redirect", cmd_redirect },
	{ "install", cmd_install },
	{ "uninstall", cmd_uninstall },
	{ "reload-settings", cmd_reload },
	{ "load-conn", cmd_load_conn },
	{ "unload-conn", cmd_unload_conn },
	{ "get-conns", cmd_get_conns },
	{ "load-pool", cmd_load_pool },
	{ "unload-pool", cmd_unload_pool },
	{ "get-pools", cmd_get_pools },
	{ "load-authority", cmd_load_authority },
	{ "unload-authority", cmd_unload_authority },
	{ "get-authorities", cmd_get_authorities },
	{ "load-shared", cmd_load_shared },
	{ "unload-shared", cmd_unload_shared },
	{ "get-shared", cmd_get_shared },
	{ "load-cert", cmd_load_cert },
	{ "load-key", cmd_load_key },
	{ "unload-key", cmd_unload_key },
	{ "get-keys", cmd_get_keys },
	{ "load-token", cmd_load_token },
	{ "clear-creds", cmd_clear_creds },
	{ "flush-certs", cmd_flush_certs },
};

bool command_run(struct client *client, const char *name, const struct vici_node *args)
{
	size_t i;

	for (i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
		if (strcmp(commands[i].name, name))
			continue;
		/* Many are loaded one by one; all else finds in force what was loaded. */
		if (strncmp(name, "load-", 5))
			client->control->ops.settle(client->control->ops.arg);
		commands[i].run(client, args);
		return true;
	}
	return false;
}

static void reply_done(struct client *client, const struct ike_event *event)
{
	struct vici_builder b;

	vici_reply_begin(&b);
	vici_str(&b, "success", event->ok ? "yes" : "no");
	if (!event->ok)
		vici_str(&b, "errmsg", event->text ? event->text : "failed");
	if (client->matches)
		vici_fmt(&b, "matches", "%zu", client->matches);
	if (client->matches && event->ok)
		vici_fmt(&b, "terminated", "%zu", client->matches);
	vici_session_reply(client->session, &b);
}

void command_done(struct control *c, const struct ike_event *event)
{
	struct client *client, *next;

	for (client = c->clients; client; client = next) {
		next = client->next;
		if (!client->ticket || client->ticket != event->ticket)
			continue;
		client->ticket = 0;
		uv_timer_stop(&client->timeout);
		reply_done(client, event);
		return;
	}
}
