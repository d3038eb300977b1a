// SPDX-License-Identifier: MIT
/* A connection: connections.<conn>, with its children. */
#include <stdlib.h>
#include <string.h>

#include "draft.h"

#define CONN(key, setter, member, arg) { key, setter, offsetof(struct conn_draft, member), arg }
#define ONLY(key, value) { key, only_value, 0, value }
#define NEVER(key, why) { .name = key, .arg = why }
/* A section that load_conn() reads itself. */
#define SECTION(key) { key, only_value, 0, NULL }

enum { DEFAULT_REKEY_SECONDS = 4 * 3600 };	/* swanctl.conf(5): 4h */

static const struct key_word unique_words[] = {
	{ "no", IKE_UNIQUE_NO }, { "never", IKE_UNIQUE_NEVER }, { "keep", IKE_UNIQUE_KEEP },
	{ "replace", IKE_UNIQUE_REPLACE }, { 0 },
};

/* "force" is yes with IKEv2, as with strongSwan. */
static const struct key_word fragmentation_words[] = {
	{ "yes", IKE_FRAGMENT_YES }, { "force", IKE_FRAGMENT_YES },
	{ "accept", IKE_FRAGMENT_ACCEPT }, { "no", IKE_FRAGMENT_NO }, { 0 },
};

static const struct key_word childless_words[] = {
	{ "allow", IKE_CHILDLESS_ALLOW }, { "prefer", IKE_CHILDLESS_PREFER },
	{ "force", IKE_CHILDLESS_FORCE }, { "never", IKE_CHILDLESS_NEVER }, { 0 },
};

static const struct key_word send_cert_words[] = {
	{ "ifasked", IKE_SEND_CERT_IFASKED }, { "always", IKE_SEND_CERT_ALWAYS },
	{ "never", IKE_SEND_CERT_NEVER }, { 0 },
};

static void set_send_certreq(const struct key_call *call)
{
	struct conn_draft *d = call->object;
	struct key_call inner = *call;
	bool yes = !d->cfg.no_certreq;

	inner.field = &yes;
	set_bool(&inner);
	d->cfg.no_certreq = !yes;
}

static void set_pools(const struct key_call *call)
{
	struct ike_conn_cfg *conn = call->field;
	char *copy = strdup(call->setting->value), *at = copy, *part, **list;

	while (copy && (part = strsep(&at, ", \t\n"))) {
		if (!*part)
			continue;
		list = reallocarray(conn->pools, conn->n_pools + 1, sizeof(*list));
		if (!list)
			break;
		conn->pools = list;
		list[conn->n_pools] = strdup(part);
		if (!list[conn->n_pools])
			break;
		conn->n_pools++;
	}
	call->errors->no_memory |= !copy || at;
	free(copy);
}

static const struct key_def conn_keys[] = {
	{ "version", set_version, 0, NULL },
	CONN("local_addrs", set_addrs, local_addrs, NULL),
	CONN("remote_addrs", set_hosts, remote_addrs, NULL),
	CONN("local_port", set_u16, cfg.local_port, NULL),
	CONN("remote_port", set_u16, cfg.remote_port, NULL),
	CONN("proposals", set_ike_proposals, cfg.proposals, NULL),
	CONN("encap", set_bool, cfg.force_encap, NULL),
	CONN("mobike", set_bool, cfg.mobike, NULL),
	CONN("childless", set_word, cfg.childless, childless_words),
	CONN("dpd_delay", set_seconds, cfg.dpd_delay, NULL),
	CONN("dpd_timeout", set_seconds, cfg.dpd_timeout, NULL),
	CONN("rekey_time", set_seconds, cfg.rekey_time, NULL),
	CONN("reauth_time", set_seconds, cfg.reauth_time, NULL),
	CONN("over_time", set_seconds, cfg.over_time, NULL),
	CONN("rand_time", set_seconds, cfg.rand_time, NULL),
	CONN("keyingtries", set_u64, cfg.keyingtries, NULL),
	CONN("unique", set_word, cfg.unique, unique_words),
	CONN("fragmentation", set_word, cfg.fragmentation, fragmentation_words),
	CONN("ppk_id", set_id, cfg.ppk_id, NULL),
	CONN("ppk_required", set_bool, cfg.ppk_required, NULL),
	CONN("send_cert", set_word, cfg.send_cert, send_cert_words),
	{ "send_certreq", set_send_certreq, 0, NULL },
	CONN("vips", set_addrs, vips, NULL),
	CONN("pools", set_pools, cfg, NULL),
	CONN("if_id_in", set_interface, cfg.if_id_in, NULL),
	CONN("if_id_out", set_interface, cfg.if_id_out, NULL),
	ONLY("aggressive", "no"),
	ONLY("mediation", "no"),
	ONLY("pull", "yes"),
	NEVER("dscp", "IKE packets have none; a rule of nftables for UDP from port 500 and 4500 sets it"),
	ONLY("ocsp", "never"),
	NEVER("mediated_by", "there is no mediation here"),
	NEVER("mediation_peer", "there is no mediation here"),
};

static const struct key_def conn_sections[] = {
	SECTION("local*"),
	SECTION("remote*"),
	SECTION("children"),
};

const struct key_table conn_table = {
	"connections.<conn>", conn_keys, KEY_COUNT(conn_keys),
	conn_sections, KEY_COUNT(conn_sections),
};

static void load_children(struct load *l, const struct section *s, struct ike_conn_cfg *conn)
{
	const struct section *children = section_child(s, "children");
	size_t i;

	if (!children)
		return;
	for (i = 0; i < children->n_values; i++)
		cfg_error(l->errors, &children->values[i].where,
			  "key \"%s\" has no meaning here; it belongs in %s",
			  children->values[i].key, child_table.place);
	for (i = 0; i < children->n_sections; i++)
		load_child(l, children->sections[i], conn);
}

static void set_vips(struct load *l, const struct section *s, const struct addr_list *from,
		     struct ike_conn_cfg *conn)
{
	size_t i;

	if (!from->n)
		return;
	conn->vips = calloc(from->n, sizeof(*conn->vips));
	if (!conn->vips) {
		l->errors->no_memory = true;
		return;
	}
	for (i = 0; i < from->n; i++) {
		if (!ike_addr_equal(&from->list[i].first, &from->list[i].last))
			cfg_error(l->errors, where_of(s, "vips"), "connection \"%s\": vips takes "
				  "single addresses; 0.0.0.0 or :: for any", s->name);
		conn->vips[conn->n_vips++] = from->list[i].first;
	}
}

static void check_rand_time(struct load *l, const struct section *s, const struct ike_conn_cfg *c,
			    const char *key, uint64_t time)
{
	if (time && c->rand_time >= time)
		cfg_error(l->errors, where_of(s, "rand_time"),
			  "connection \"%s\": rand_time (%llu) must be less than %s (%llu)",
			  s->name, (unsigned long long)c->rand_time, key,
			  (unsigned long long)time);
}

/*
 * swanctl.conf(5): rekey_time is 4h, or 0 beside reauth_time; over_time is 10 % of the longer of the two,
 * rand_time is over_time.
 */
static void finish_times(struct load *l, const struct section *s, struct ike_conn_cfg *c)
{
	uint64_t longer;

	if (c->rekey_time == KEY_OPEN)
		c->rekey_time = c->reauth_time ? 0 : DEFAULT_REKEY_SECONDS;
	longer = c->rekey_time > c->reauth_time ? c->rekey_time : c->reauth_time;
	if (c->over_time == KEY_OPEN)
		c->over_time = longer / 10;
	if (c->rand_time == KEY_OPEN)
		c->rand_time = longer ? c->over_time : 0;
	check_rand_time(l, s, c, "rekey_time", c->rekey_time);
	check_rand_time(l, s, c, "reauth_time", c->reauth_time);
}

void load_conn(struct load *l, const struct section *s)
{
	struct ike_config *config = l->out->ike;
	struct conn_draft d = {
		.cfg = {
			.remote_port = IKE_PORT,
			.rekey_time = KEY_OPEN,
			.over_time = KEY_OPEN, .rand_time = KEY_OPEN,
			.keyingtries = 1,
		},
	};
	struct ike_conn_cfg *list = list_grow_long(l, config->conns, config->n_conns, sizeof(*list));

	if (!list)
		return;
	config->conns = list;
	d.cfg.name = strdup(s->name);
	if (!d.cfg.name) {
		l->errors->no_memory = true;
		return;
	}
	keys_apply(&conn_table, s, &d, l->errors);
	d.cfg.local_addrs = d.local_addrs.list;
	d.cfg.n_local_addrs = d.local_addrs.n;
	d.cfg.remote_addrs = d.remote_addrs.list;
	d.cfg.n_remote_addrs = d.remote_addrs.n;
	d.cfg.remote_names = d.remote_addrs.names;
	d.cfg.n_remote_names = d.remote_addrs.n_names;
	set_vips(l, s, &d.vips, &d.cfg);
	free(d.vips.list);
	load_auth(l, s, "local*", &d.cfg.local, &d.cfg.local_more);
	load_auth(l, s, "remote*", &d.cfg.remote, &d.cfg.remote_more);
	finish_times(l, s, &d.cfg);
	if (!d.cfg.proposals.n &&
	    !ike_proposal_list_parse(&d.cfg.proposals, IKE_PROTO_IKE, "default", NULL))
		l->errors->no_memory = true;
	load_children(l, s, &d.cfg);
	list[config->n_conns++] = d.cfg;
}
