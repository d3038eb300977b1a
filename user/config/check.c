// SPDX-License-Identifier: MIT
/* What no single key shows: secrets that are missing, peers that cannot be reached, ports. */
#include <string.h>

#include "draft.h"

/* May @secret be the one between these two? Its IDs name one of them at least, or it has none. */
static bool may_fit(const struct ike_secret_cfg *secret, const struct ike_conn_cfg *c)
{
	size_t i;

	if (!secret->n_ids)
		return true;
	for (i = 0; i < secret->n_ids; i++)
		if (ike_id_match(&secret->ids[i], &c->remote.id) ||
		    ike_id_match(&c->remote.id, &secret->ids[i]) ||
		    ike_id_match(&secret->ids[i], &c->local.id))
			return true;
	return false;
}

static void check_secret(struct load *l, const struct section *s, const struct ike_conn_cfg *c)
{
	const struct ike_config *config = l->out->ike;
	char id[IKE_ID_TEXT_MAX];
	size_t i;

	for (i = 0; i < config->n_secrets; i++)
		if (may_fit(&config->secrets[i], c))
			return;
	ike_id_text(&c->remote.id, id, sizeof(id));
	if (!config->n_secrets)
		cfg_error(l->errors, &s->where, "connection \"%s\" has auth = psk, but there is no "
			  "secret: add secrets { ike { secret = ... } }", s->name);
	else
		cfg_warning(l->errors, &s->where,
			    "connection \"%s\": no secret is for peer %s", s->name, id);
}

static bool has_single_address(const struct ike_conn_cfg *c)
{
	size_t i;

	for (i = 0; i < c->n_remote_addrs; i++)
		if (ike_addr_equal(&c->remote_addrs[i].first, &c->remote_addrs[i].last))
			return true;
	return false;
}

static void check_children(struct load *l, const struct section *s, const struct ike_conn_cfg *c)
{
	const struct section *children = section_child(s, "children"), *child;
	size_t i;

	if (!c->n_children)
		cfg_warning(l->errors, &s->where, "connection \"%s\" has no children: it will "
			    "carry no traffic", s->name);
	for (i = 0; i < c->n_children; i++) {
		child = section_child(children, c->children[i].name);
		if (c->children[i].start_action != IKE_START_NONE && !has_single_address(c))
			cfg_error(l->errors, where_of(child, "start_action"),
				  "child \"%s\" is to be initiated, but remote_addrs of connection "
				  "\"%s\" holds no single address to reach", child->name, s->name);
	}
}

static void check_port(struct load *l, const struct section *s, const struct ike_conn_cfg *c)
{
	if (c->local_port != l->out->port && c->local_port != l->out->port_nat_t)
		cfg_error(l->errors, where_of(s, "local_port"), "connection \"%s\": local_port is "
			  "%u, but esplaned listens on %u and %u (esplaned.port, "
			  "esplaned.port_nat_t)", s->name, c->local_port, l->out->port,
			  l->out->port_nat_t);
}

void check_config(struct load *l, const struct section *root)
{
	const struct section *conns = section_child(root, "connections"), *s;
	const struct ike_conn_cfg *c;
	size_t i;

	for (i = 0; i < l->out->ike->n_conns; i++) {
		c = &l->out->ike->conns[i];
		s = section_child(conns, c->name);
		check_secret(l, s, c);
		check_children(l, s, c);
		check_port(l, s, c);
	}
}
