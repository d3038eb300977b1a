// SPDX-License-Identifier: MIT
/* The children of a connection: connections.<conn>.children.<child>. */
#include <stdlib.h>
#include <string.h>

#include "draft.h"
#include "value.h"

#define CHILD(key, setter, member, arg) { key, setter, offsetof(struct child_draft, member), arg }
#define ONLY(key, value) { key, only_value, 0, value }
#define NEVER(key, why) { .name = key, .arg = why }

enum {
	DEFAULT_REKEY_SECONDS = 3600,		/* swanctl.conf(5): 1h */
	/* As the module's own; strongSwan's 32 is less than what many cores may reorder. */
	DEFAULT_REPLAY_WINDOW = 1024,
	MAX_REPLAY_WINDOW = 4096,		/* esplane.yaml: max-replay-window */
};

/* 0 would mean no replay protection at all to strongSwan. */
static void set_replay_window(const struct key_call *call)
{
	uint64_t v;

	if (value_number(call->setting->value, &v) && v && v <= MAX_REPLAY_WINDOW)
		*(uint32_t *)call->field = v;
	else
		key_error(call, "\"%s\" is no number from 1 to %d", call->setting->value,
			  MAX_REPLAY_WINDOW);
}

static const struct key_word actions[] = {
	{ "none", IKE_START_NONE }, { "start", IKE_START_START }, { "trap", IKE_START_TRAP },
	{ "trap|start", IKE_START_START | IKE_START_TRAP },
	{ "start|trap", IKE_START_START | IKE_START_TRAP }, { 0 },
};

static const struct key_word dpd_actions[] = {
	{ "clear", IKE_START_NONE }, { "trap", IKE_START_TRAP }, { "start", IKE_START_START },
	{ "restart", IKE_START_START }, { 0 },
};

static void set_mode(const struct key_call *call)
{
	static const struct key_word modes[] = {
		{ "tunnel", IKE_MODE_TUNNEL }, { "transport", IKE_MODE_TRANSPORT },
		{ "pass", IKE_MODE_PASS }, { "drop", IKE_MODE_DROP }, { 0 },
	};
	static const char *const others[] = {
		"transport_proxy", "beet", "iptfs",
	};
	struct key_call inner = *call;
	size_t i;

	for (i = 0; i < KEY_COUNT(others); i++) {
		if (strcmp(call->setting->value, others[i]))
			continue;
		key_error(call, "%s is not supported by esplane yet; tunnel, transport, "
			  "pass and drop are",
			  others[i]);
		return;
	}
	inner.arg = modes;
	set_word(&inner);
}

static void set_copy_ecn(const struct key_call *call)
{
	struct key_call inner = *call;
	bool copy = true;

	inner.field = &copy;
	set_bool(&inner);
	*(bool *)call->field = !copy;
}

/* From the inner to the outer header. The way back, "in" and "yes", is not for a stranger to say. */
static void set_copy_dscp(const struct key_call *call)
{
	const char *v = call->setting->value;

	if (!strcmp(v, "out") || !strcmp(v, "no"))
		*(bool *)call->field = !strcmp(v, "out");
	else
		key_error(call, "\"%s\" is not supported by esplane; out and no are", v);
}

/* Either way it is what happens. */
static void ignore_bool(const struct key_call *call)
{
	struct key_call inner = *call;
	bool ignored = false;

	inner.field = &ignored;
	set_bool(&inner);
}

static const struct key_def child_keys[] = {
	CHILD("mode", set_mode, cfg.mode, NULL),
	CHILD("local_ts", set_ts, local_ts, NULL),
	CHILD("remote_ts", set_ts, remote_ts, NULL),
	CHILD("esp_proposals", set_esp_proposals, cfg.proposals, NULL),
	CHILD("rekey_time", set_seconds, cfg.life.soft_seconds, NULL),
	CHILD("life_time", set_seconds, cfg.life.hard_seconds, NULL),
	CHILD("rand_time", set_seconds, cfg.life.jitter_seconds, NULL),
	CHILD("rekey_bytes", set_bytes, cfg.life.soft_bytes, NULL),
	CHILD("life_bytes", set_bytes, cfg.life.hard_bytes, NULL),
	CHILD("rand_bytes", set_bytes, cfg.life.jitter_bytes, NULL),
	CHILD("rekey_packets", set_u64, cfg.life.soft_packets, NULL),
	CHILD("life_packets", set_u64, cfg.life.hard_packets, NULL),
	CHILD("rand_packets", set_u64, cfg.life.jitter_packets, NULL),
	CHILD("start_action", set_word, cfg.start_action, actions),
	CHILD("close_action", set_word, cfg.close_action, actions),
	CHILD("dpd_action", set_word, cfg.dpd_action, dpd_actions),
	CHILD("inactivity", set_seconds, cfg.inactivity, NULL),
	CHILD("if_id_in", set_interface, cfg.if_id_in, NULL),
	CHILD("if_id_out", set_interface, cfg.if_id_out, NULL),
	CHILD("replay_window", set_replay_window, cfg.replay_window, NULL),
	CHILD("updown", set_string, cfg.updown, NULL),
	CHILD("hostaccess", set_bool, cfg.hostaccess, NULL),
	CHILD("mark_in", set_mark, cfg.mark_in, NULL),
	CHILD("mark_out", set_mark, cfg.mark_out, NULL),
	CHILD("set_mark_out", set_output_mark, cfg.set_mark_out, NULL),
	CHILD("copy_ecn", set_copy_ecn, cfg.no_ecn, NULL),
	CHILD("copy_dscp", set_copy_dscp, cfg.copy_dscp, NULL),
	CHILD("single_pair", set_bool, cfg.single_pair, NULL),
	CHILD("priority", set_u32, cfg.priority, NULL),
	ONLY("sha256_96", "no"),
	ONLY("policies", "yes"),
	/* Outbound policies are for what is forwarded, too. */
	{ "policies_fwd_out", ignore_bool, 0, NULL },
	ONLY("ipcomp", "no"),
	ONLY("reqid", "0"),
	ONLY("mark_in_sa", "no"),
	ONLY("tfc_padding", "0"),
	ONLY("hw_offload", "no"),
	ONLY("per_cpu_sas", "no"),
	ONLY("copy_df", "yes"),
	/* RFC 4301 section 6: the module lets ICMP errors by the tunnel anyway. */
	ONLY("icmp", "yes"),
	NEVER("ah_proposals", "there is no AH (RFC 4302) here; esp_proposals has null-sha256 and "
	      "aes128gmac, which protect and do not encrypt"),
	NEVER("interface", "if_id_in and if_id_out, or mark_out, choose what a child is for"),
	CHILD("set_mark_in", set_output_mark, cfg.set_mark_in, NULL),
	NEVER("label", "there are no labels of SELinux (RFC 9478) here"),
	NEVER("label_mode", "there are no labels of SELinux (RFC 9478) here"),
};

const struct key_table child_table = {
	"connections.<conn>.children.<child>", child_keys, KEY_COUNT(child_keys), NULL, 0,
};

/* One of time, bytes and packets of struct ike_lifetime, with the names of its keys. */
struct limit {
	const char *rekey, *life, *rand;
	uint64_t *soft, *hard, *jitter;
	uint64_t default_soft;
};

/* @v and a tenth of it, without overflow. */
static uint64_t plus_tenth(uint64_t v)
{
	return v + v / 10;
}

/*
 * swanctl.conf(5): life is rekey and 10 %, rekey (if only life is set) life less 10 %, rand what
 * lies between.
 */
static void fill_in(struct limit *m)
{
	if (*m->soft == KEY_OPEN && *m->hard != KEY_OPEN)
		*m->soft = *m->hard - *m->hard / 11;
	else if (*m->soft == KEY_OPEN)
		*m->soft = m->default_soft;
	if (*m->hard == KEY_OPEN)
		*m->hard = plus_tenth(*m->soft);
	if (*m->jitter == KEY_OPEN)
		*m->jitter = *m->hard > *m->soft && *m->soft ? *m->hard - *m->soft : 0;
}

static void check_limit(struct load *l, const struct section *s, const struct limit *m)
{
	if (*m->soft && *m->hard && *m->hard <= *m->soft)
		cfg_error(l->errors, where_of(s, m->life),
			  "child \"%s\": %s (%llu) must be more than %s (%llu)", s->name, m->life,
			  (unsigned long long)*m->hard, m->rekey, (unsigned long long)*m->soft);
	if (*m->soft && *m->jitter >= *m->soft)
		cfg_error(l->errors, where_of(s, m->rand),
			  "child \"%s\": %s (%llu) must be less than %s (%llu)", s->name, m->rand,
			  (unsigned long long)*m->jitter, m->rekey, (unsigned long long)*m->soft);
}

static void finish_lifetime(struct load *l, const struct section *s, struct ike_lifetime *t)
{
	struct limit limits[] = {
		{ "rekey_time", "life_time", "rand_time", &t->soft_seconds, &t->hard_seconds,
		  &t->jitter_seconds, DEFAULT_REKEY_SECONDS },
		{ "rekey_bytes", "life_bytes", "rand_bytes", &t->soft_bytes, &t->hard_bytes,
		  &t->jitter_bytes, 0 },
		{ "rekey_packets", "life_packets", "rand_packets", &t->soft_packets,
		  &t->hard_packets, &t->jitter_packets, 0 },
	};
	size_t i;

	for (i = 0; i < KEY_COUNT(limits); i++) {
		fill_in(&limits[i]);
		check_limit(l, s, &limits[i]);
	}
}

/* An end without selectors is the end itself: "dynamic". */
static void finish_ts(struct load *l, struct addr_list *from, struct ike_ts **list, size_t *n)
{
	struct ike_error err;

	if (!from->n && !ike_ts_list_parse("dynamic", &from->list, &from->n, &err))
		l->errors->no_memory = true;
	*list = from->list;
	*n = from->n;
}

/* Between two hosts and by policy: there is no packet inside that another could have sent. */
static void check_transport(struct load *l, const struct section *s, const char *key,
			    const struct ike_ts *list, size_t n)
{
	char text[IKE_TS_TEXT_MAX];
	size_t i;

	for (i = 0; i < n; i++)
		if (!list[i].dynamic && !ike_addr_equal(&list[i].first, &list[i].last))
			cfg_error(l->errors, where_of(s, key), "child \"%s\": mode = transport is "
				  "between two hosts, but %s holds %s", s->name, key,
				  ike_ts_text(&list[i], text, sizeof(text)));
}

/* There are no ends that a dynamic selector could stand for, and nobody to begin with. */
static void check_shunt(struct load *l, const struct section *s, const struct ike_child_cfg *c)
{
	size_t i;

	for (i = 0; i < c->n_local_ts + c->n_remote_ts; i++) {
		bool local = i < c->n_local_ts;

		if (!(local ? c->local_ts[i] : c->remote_ts[i - c->n_local_ts]).dynamic)
			continue;
		cfg_error(l->errors, where_of(s, local ? "local_ts" : "remote_ts"),
			  "child \"%s\": mode = pass and mode = drop need addresses in %s", s->name,
			  local ? "local_ts" : "remote_ts");
	}
	if (c->start_action & IKE_START_START)
		cfg_error(l->errors, where_of(s, "start_action"), "child \"%s\": mode = pass and "
			  "mode = drop are installed by start_action = trap", s->name);
}

static void check_mode(struct load *l, const struct section *s, const struct ike_child_cfg *c)
{
	if (ike_is_shunt(c))
		check_shunt(l, s, c);
	if (c->mode != IKE_MODE_TRANSPORT)
		return;
	check_transport(l, s, "local_ts", c->local_ts, c->n_local_ts);
	check_transport(l, s, "remote_ts", c->remote_ts, c->n_remote_ts);
	if (c->if_id_in || c->if_id_out)
		cfg_error(l->errors, where_of(s, "if_id_in"), "child \"%s\": mode = transport works "
			  "by policy, without an interface (if_id_in, if_id_out)", s->name);
}

void load_child(struct load *l, const struct section *s, struct ike_conn_cfg *conn)
{
	struct child_draft d = {
		.cfg = {
			.life = { KEY_OPEN, KEY_OPEN, KEY_OPEN, KEY_OPEN, KEY_OPEN, KEY_OPEN,
				  KEY_OPEN, KEY_OPEN, KEY_OPEN },
			.if_id_in = conn->if_id_in,
			.if_id_out = conn->if_id_out,
			.replay_window = DEFAULT_REPLAY_WINDOW,
			.copy_dscp = true,
		},
	};
	struct ike_child_cfg *list = list_grow(l, conn->children, conn->n_children, sizeof(*list));

	if (!list)
		return;
	conn->children = list;
	d.cfg.name = strdup(s->name);
	if (!d.cfg.name) {
		l->errors->no_memory = true;
		return;
	}
	keys_apply(&child_table, s, &d, l->errors);
	finish_ts(l, &d.local_ts, &d.cfg.local_ts, &d.cfg.n_local_ts);
	finish_ts(l, &d.remote_ts, &d.cfg.remote_ts, &d.cfg.n_remote_ts);
	finish_lifetime(l, s, &d.cfg.life);
	check_mode(l, s, &d.cfg);
	if (!d.cfg.proposals.n &&
	    !ike_proposal_list_parse(&d.cfg.proposals, IKE_PROTO_ESP, "default", NULL))
		l->errors->no_memory = true;
	list[conn->n_children++] = d.cfg;
}
