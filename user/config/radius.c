// SPDX-License-Identifier: MIT
/* Whom to ask about users: radius, radius.servers.<name>. No message holds a secret. */
#include <stdlib.h>
#include <string.h>

#include "draft.h"
#include "ikev2/eap/radius.h"
#include "value.h"

#define RADIUS(key, setter, member) { key, setter, offsetof(struct ike_radius_cfg, member), NULL }
#define SERVER(key, setter, member) { key, setter, offsetof(struct server_draft, member), NULL }
#define LATER(key) { .name = key }

enum { TRIES_MAX = 10 };

struct server_draft {
	struct ike_radius_server_cfg cfg;
	struct addr_list addr;
};

static void set_tries(const struct key_call *call)
{
	uint32_t *tries = call->field;

	*tries = 1;
	set_u32(call);
	if (!*tries || *tries > TRIES_MAX)
		key_error(call, "must be from 1 to %d", TRIES_MAX);
}

static void set_timeout(const struct key_call *call)
{
	uint64_t *timeout = call->field;

	*timeout = 1;
	set_milliseconds(call);
	if (!*timeout)
		key_error(call, "must be more than 0");
}

static void set_nas_identifier(const struct key_call *call)
{
	if (strlen(call->setting->value) > IKE_RADIUS_VALUE_MAX)
		key_error(call, "an attribute of RADIUS has at most %d bytes",
			  IKE_RADIUS_VALUE_MAX);
	else
		set_string(call);
}

/* As in strongswan.conf(5), charon.plugins.eap-radius. */
static const struct key_def radius_keys[] = {
	RADIUS("nas_identifier", set_nas_identifier, nas_identifier),
	RADIUS("retransmit_timeout", set_timeout, timeout_ms),
	RADIUS("retransmit_tries", set_tries, tries),
	LATER("retransmit_base"),
	LATER("accounting"),
	LATER("accounting_interval"),
	{ "class_group", only_value, 0, "yes" },
	LATER("close_all_on_timeout"),
	LATER("dae"),
	LATER("eap_start"),
	LATER("filter_id"),
	LATER("forward"),
	LATER("id_prefix"),
	LATER("secret"),
	LATER("server"),
	LATER("sockets"),
	LATER("station_id_with_port"),
};

/* That load_radius() reads itself. */
static const struct key_def radius_sections[] = {
	{ "servers", only_value, 0, NULL },
};

const struct key_table radius_table = {
	"radius", radius_keys, KEY_COUNT(radius_keys), radius_sections, KEY_COUNT(radius_sections),
};

static void set_server_secret(const struct key_call *call)
{
	struct server_draft *d = call->object;
	const char *why;

	if (!value_secret(call->setting->value, &d->cfg.secret, &d->cfg.secret_len, &why))
		key_error(call, "%s", why);
}

static const struct key_def server_keys[] = {
	SERVER("address", set_addrs, addr),
	SERVER("secret", set_server_secret, cfg.secret),
	SERVER("port", set_u16, cfg.port),
	SERVER("auth_port", set_u16, cfg.port),
	LATER("acct_port"),
	LATER("nas_identifier"),
	LATER("preference"),
	LATER("source"),
	LATER("sockets"),
	LATER("retransmit_base"),
	LATER("retransmit_timeout"),
	LATER("retransmit_tries"),
};

const struct key_table radius_server_table = {
	"radius.servers.<name>", server_keys, KEY_COUNT(server_keys), NULL, 0,
};

static void check_server(struct load *l, const struct section *s, const struct server_draft *d)
{
	if (d->addr.n != 1 || !ike_addr_equal(&d->addr.list[0].first, &d->addr.list[0].last))
		cfg_error(l->errors, where_of(s, "address"), "RADIUS server \"%s\": address is to be "
			  "one address", s->name);
	if (!d->cfg.secret)
		cfg_error(l->errors, &s->where, "RADIUS server \"%s\" has no secret", s->name);
}

static void load_server(struct load *l, const struct section *s)
{
	struct server_draft d = { .cfg = { .port = IKE_RADIUS_PORT } };
	struct ike_radius_cfg *radius = &l->out->ike->radius;
	struct ike_radius_server_cfg *list, *server;

	if (radius->n_servers == IKE_RADIUS_SERVERS_MAX) {
		cfg_error(l->errors, &s->where, "RADIUS server \"%s\": there may be %d of them",
			  s->name, IKE_RADIUS_SERVERS_MAX);
		return;
	}
	list = list_grow(l, radius->servers, radius->n_servers, sizeof(*list));
	if (!list)
		return;
	radius->servers = list;
	keys_apply(&radius_server_table, s, &d, l->errors);
	check_server(l, s, &d);
	if (d.addr.n)
		d.cfg.addr = d.addr.list[0].first;
	free(d.addr.list);
	server = &list[radius->n_servers++];
	*server = d.cfg;
	server->name = strdup(s->name);
	l->errors->no_memory |= !server->name;
}

void load_radius(struct load *l, const struct section *s)
{
	const struct section *servers = section_child(s, "servers");
	size_t i;

	if (!s)
		return;
	keys_apply(&radius_table, s, &l->out->ike->radius, l->errors);
	for (i = 0; servers && i < servers->n_values; i++)
		cfg_error(l->errors, &servers->values[i].where,
			  "key \"%s\" has no meaning here; it belongs in %s",
			  servers->values[i].key, radius_server_table.place);
	for (i = 0; servers && i < servers->n_sections; i++)
		load_server(l, servers->sections[i]);
}
