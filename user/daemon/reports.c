// SPDX-License-Identifier: MIT
/* VICI events: SAs that come, go and are rekeyed, and log lines. */
#include <stdlib.h>
#include <string.h>

#include "control.h"
#include "log.h"
#include "vici/status.h"

static void broadcast(struct control *c, enum vici_event event, struct vici_builder *b)
{
	struct client *client, *next;

	for (client = c->clients; client; client = next) {
		next = client->next;
		vici_session_event(client->session, event, b);
	}
	vici_abandon(b);
}

static bool is_wanted(const struct control *c, enum vici_event event)
{
	const struct client *client;

	for (client = c->clients; client; client = client->next)
		if (vici_session_wants(client->session, event))
			return true;
	return false;
}

/* Names of what is up */

/* @child_id 0: the IKE SA itself. IDs of both count up from 1. */
static uint64_t known_key(uint64_t ike_id, uint64_t child_id)
{
	return child_id ? 2 * child_id + 1 : 2 * ike_id;
}

static struct known *known_find(const struct control *c, uint64_t ike_id, uint64_t child_id)
{
	struct ike_node *node = ike_table_find(&c->known, known_key(ike_id, child_id), NULL);

	return node ? ike_container(node, struct known, node) : NULL;
}

static void known_remove(struct control *c, struct known *k)
{
	if (!k)
		return;
	ike_table_remove(&c->known, &k->node);
	free(k->name);
	free(k);
}

/* Without memory an SA that goes is told of without a name. */
static void known_add(struct control *c, uint64_t ike_id, uint64_t child_id, const char *name)
{
	struct known *k = calloc(1, sizeof(*k));

	known_remove(c, known_find(c, ike_id, child_id));
	if (k)
		k->name = strdup(name);
	if (!k || !k->name) {
		free(k);
		return;
	}
	ike_table_add(&c->known, &k->node, known_key(ike_id, child_id));
}

static const char *known_name(const struct control *c, uint64_t ike_id, uint64_t child_id)
{
	const struct known *k = known_find(c, ike_id, child_id);

	return k ? k->name : NULL;
}

void report_forget(struct control *c)
{
	struct ike_node *node;
	size_t i;

	for (i = 0; i < IKE_TABLE_BUCKETS; i++)
		while ((node = c->known.buckets[i]))
			known_remove(c, ike_container(node, struct known, node));
}

/* One event, with what the engine and the names above know of it. */
struct report {
	struct control *control;
	const struct ike_event *event;
	ike_time now;
	bool wanted; /* by a client; else only names and counters are kept */
	bool found;
};

static void count_rekey(const struct report *r, enum counter which)
{
	const struct control_ops *ops = &r->control->ops;

	ops->host(ops->arg)->counters.counts[which]++;
}

static const struct ike_child_info *find_child(const struct ike_sa_info *sa, uint64_t id)
{
	size_t i;

	for (i = 0; i < sa->n_children; i++)
		if (sa->children[i].id == id)
			return &sa->children[i];
	return NULL;
}

static void put_ike(const struct report *r, const struct ike_sa_info *sa)
{
	const struct ike_event *e = r->event;
	struct ike_sa_info old = { .id = e->old_id, .conn = sa->conn };
	struct vici_builder b;

	if (e->type == IKE_EVENT_IKE_REKEYED) {
		vici_event_begin(&b, VICI_EV_IKE_REKEY);
		vici_put_ike_rekey(&b, &old, sa, r->now);
		broadcast(r->control, VICI_EV_IKE_REKEY, &b);
		return;
	}
	vici_event_begin(&b, VICI_EV_IKE_UPDOWN);
	vici_put_ike_updown(&b, e->type == IKE_EVENT_IKE_UP, sa, r->now);
	broadcast(r->control, VICI_EV_IKE_UPDOWN, &b);
}

static void put_child(const struct report *r, const struct ike_sa_info *sa,
		      const struct ike_child_info *child)
{
	const struct ike_event *e = r->event;
	struct ike_child_info old = { .id = e->old_id, .name = child->name };
	struct vici_builder b;

	if (e->type == IKE_EVENT_CHILD_REKEYED) {
		vici_event_begin(&b, VICI_EV_CHILD_REKEY);
		vici_put_child_rekey(&b, sa, &old, child, r->now);
		broadcast(r->control, VICI_EV_CHILD_REKEY, &b);
		return;
	}
	vici_event_begin(&b, VICI_EV_CHILD_UPDOWN);
	vici_put_child_updown(&b, e->type == IKE_EVENT_CHILD_UP, sa, child, r->now);
	broadcast(r->control, VICI_EV_CHILD_UPDOWN, &b);
}

static bool is_about_child(const struct ike_event *e)
{
	return e->type == IKE_EVENT_CHILD_UP || e->type == IKE_EVENT_CHILD_DOWN ||
	       e->type == IKE_EVENT_CHILD_REKEYED;
}

static bool is_end(const struct ike_event *e)
{
	return e->type == IKE_EVENT_IKE_DOWN || e->type == IKE_EVENT_CHILD_DOWN;
}

static void report_ike(const struct report *r, const struct ike_sa_info *sa)
{
	if (r->event->type == IKE_EVENT_IKE_REKEYED)
		count_rekey(r, sa->initiator ? COUNTER_IKE_REKEY_INIT : COUNTER_IKE_REKEY_RESP);
	if (r->wanted)
		put_ike(r, sa);
}

static void report_child(const struct report *r, const struct ike_sa_info *sa,
			 const struct ike_child_info *child)
{
	if (r->event->type == IKE_EVENT_CHILD_REKEYED)
		count_rekey(r, COUNTER_CHILD_REKEY);
	if (r->wanted)
		put_child(r, sa, child);
}

static enum vici_event event_of(const struct ike_event *e)
{
	switch (e->type) {
	case IKE_EVENT_IKE_REKEYED:
		return VICI_EV_IKE_REKEY;
	case IKE_EVENT_CHILD_REKEYED:
		return VICI_EV_CHILD_REKEY;
	default:
		return is_about_child(e) ? VICI_EV_CHILD_UPDOWN : VICI_EV_IKE_UPDOWN;
	}
}

static void look_at(void *arg, const struct ike_sa_info *sa)
{
	struct report *r = arg;
	const struct ike_event *e = r->event;
	const struct ike_child_info *child;

	if (!is_about_child(e)) {
		r->found = true;
		known_add(r->control, sa->id, 0, sa->conn);
		report_ike(r, sa);
		return;
	}
	child = find_child(sa, e->child_id);
	if (!child)
		return;
	r->found = true;
	known_add(r->control, sa->id, child->id, child->name);
	report_child(r, sa, child);
}

/* What is told of an SA that the engine has forgotten. */
static void report_gone(struct report *r)
{
	const struct ike_event *e = r->event;
	struct ike_sa_info sa = { .id = e->ike_id, .conn = known_name(r->control, e->ike_id, 0) };
	struct ike_child_info child = { .id = e->child_id,
					.name = known_name(r->control, e->ike_id, e->child_id) };

	if (!is_about_child(e) && sa.conn)
		report_ike(r, &sa);
	else if (is_about_child(e) && child.name && sa.conn)
		report_child(r, &sa, &child);
}

void report_event(struct control *c, const struct ike_event *event)
{
	struct report r = { .control = c, .event = event, .now = host_now() };

	if (event->type == IKE_EVENT_COMMAND_DONE) {
		command_done(c, event);
		return;
	}
	r.wanted = is_wanted(c, event_of(event));
	ike_engine_look_at_sa(c->ops.host(c->ops.arg)->engine, event->ike_id, r.wanted, look_at, &r);
	if (!r.found)
		report_gone(&r);
	if (is_end(event))
		known_remove(c, known_find(c, event->ike_id,
					   is_about_child(event) ? event->child_id : 0));
	if (event->old_id)
		known_remove(
			c, known_find(c, event->old_id, is_about_child(event) ? event->old_id : 0));
}

/* README "log": groups are strongSwan's. */
static void put_line(struct vici_builder *b, const struct log_line *line)
{
	static const char *const groups[] = {
		[LOG_DAEMON] = "DMN", [LOG_CONFIG] = "CFG", [LOG_KERNEL] = "KNL", [LOG_NET] = "NET",
		[LOG_VICI] = "DMN", [LOG_IKE] = "IKE", [LOG_CHILD] = "CHD",
	};

	vici_put_log(b, groups[line->subsystem], line->level, line->names ? line->names->name : "",
		     line->text);
}

static void report_control_log(struct control *c, const struct log_line *line)
{
	struct client *client, *next;
	struct vici_builder b;

	vici_event_begin(&b, VICI_EV_CONTROL_LOG);
	put_line(&b, line);
	for (client = c->clients; client; client = next) {
		next = client->next;
		if (vici_session_busy(client->session) &&
		    vici_log_wanted(line->level, client->loglevel))
			vici_session_event(client->session, VICI_EV_CONTROL_LOG, &b);
	}
	vici_abandon(&b);
}

void report_log(struct control *c, const struct log_line *line)
{
	struct vici_builder b;

	if (is_wanted(c, VICI_EV_CONTROL_LOG))
		report_control_log(c, line);
	if (!is_wanted(c, VICI_EV_LOG))
		return;
	vici_event_begin(&b, VICI_EV_LOG);
	put_line(&b, line);
	broadcast(c, VICI_EV_LOG, &b);
}
