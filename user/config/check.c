// SPDX-License-Identifier: MIT
/*
 * What no single key shows: secrets and certificates that are missing, peers that cannot be reached,
 * ports.
 */
#include <string.h>

#include "draft.h"
#include "ikev2/conn.h"
#include "ikev2/crypto/legacy.h"
#include "ikev2/eap/eap.h"
#include "ikev2/own.h"

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

/* Of VICI, which may load secrets after the connections that need them, as charon lets it. */
static bool is_a_clients(const struct section *s)
{
	return !s->where.line;
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
	if (!config->n_secrets && !is_a_clients(s))
		cfg_error(l->errors, &s->where, "connection \"%s\" has auth = psk, but there is no "
			  "secret: add secrets { ike { secret = ... } }", s->name);
	else
		cfg_warning(l->errors, &s->where,
			    "connection \"%s\": no secret is for peer %s", s->name, id);
}

/* Where key @key of section local or remote is, or the section, or the connection. */
static const struct cfg_where *where_of_auth(const struct load *l, const struct section *s,
					     const char *stem, const char *key)
{
	const struct section *auth = auth_section(s, stem, l->round);

	return auth ? where_of(auth, key) : &s->where;
}

/* The peer compares names to the letter: ours is to be as in the certificate, string types too. */
static void check_local_id(struct load *l, const struct section *s, struct ike_conn_cfg *c)
{
	const struct ike_cert *cert = c->local.certs.n ? c->local.certs.list[0] : NULL;
	char id[IKE_ID_TEXT_MAX], names[300];
	struct ike_text t;

	if (!cert || c->local.id.type == IKE_ID_ANY)
		return;
	if (ike_cert_has_id(cert, &c->local.id)) {
		if (c->local.id.type == IKE_ID_DER_ASN1_DN)
			c->local.id = cert->subject;
		return;
	}
	ike_text_init(&t, names, sizeof(names));
	ike_cert_ids_text(&t, cert);
	cfg_warning(l->errors, where_of_auth(l, s, "local*", "id"), "connection \"%s\": local.id %s is "
		    "not in its certificate, which holds %s", s->name,
		    ike_id_text(&c->local.id, id, sizeof(id)), names);
}

static const char *auth_text(const struct ike_auth_cfg *a)
{
	return a->method == IKE_AUTH_CFG_EAP ? "eap-tls" : "pubkey (the default)";
}

static void check_signer(struct load *l, const struct section *s, struct ike_conn_cfg *c)
{
	struct ike_error err;
	struct ike_own own;
	struct ike_id id;

	if (c->local.id.type == IKE_ID_ANY && !c->local.certs.n && !c->local.pubkeys.n) {
		cfg_error(l->errors, where_of_auth(l, s, "local*", "auth"), "connection \"%s\": "
			  "local.auth is %s and needs local.certs, %sor an id that is in a "
			  "certificate of x509", s->name, auth_text(&c->local),
			  c->local.method == IKE_AUTH_CFG_EAP ? "" : "local.pubkeys, ");
		return;
	}
	ike_conn_local_id(c, &(struct ike_addr){ .family = AF_INET }, &id);
	if (!ike_own_find(l->out->ike, &c->local, &id, ike_bytes(NULL, 0), &own, &err))
		cfg_error(l->errors, where_of_auth(l, s, "local*", "auth"), "connection \"%s\": %s",
			  s->name, err.text);
	check_local_id(l, s, c);
}

static void check_verifier(struct load *l, const struct section *s, const struct ike_conn_cfg *c)
{
	const struct ike_auth_cfg *r = &c->remote;

	if (!r->certs.n && !r->cacerts.n && !r->pubkeys.n && !l->out->ike->anchors.n)
		cfg_error(l->errors, where_of_auth(l, s, "remote*", "auth"), "connection \"%s\": "
			  "remote.auth is %s, and there is nothing to verify the "
			  "peer with: no certificate in x509ca, no remote.cacerts, remote.certs or "
			  "remote.pubkeys", s->name, auth_text(r));
}

/* Of two ends at most one is authenticated by EAP, and the other by a signature before. */
static void check_eap_side(struct load *l, const struct section *s, const char *side,
			   const struct ike_auth_cfg *eap, const struct ike_auth_cfg *other)
{
	if (eap->method == IKE_AUTH_CFG_EAP && other->method != IKE_AUTH_CFG_PUBKEY)
		cfg_error(l->errors, where_of_auth(l, s, side, "auth"), "connection \"%s\": %.*s.auth is "
			  "eap, and the other end does not prove itself by a signature "
			  "(auth = pubkey), which RFC 7296 section 2.16 wants", s->name,
			  (int)strcspn(side, "*"), side);
}

/* Any method of EAP is one that there are credentials for. */
static bool uses_passwords(const struct load *l, const struct ike_auth_cfg *a)
{
	return a->method == IKE_AUTH_CFG_EAP && !a->eap_radius &&
	       (a->eap_type ? a->eap_type == IKE_EAP_MSCHAPV2 : l->out->ike->n_eap_secrets > 0);
}

static bool uses_certificates(const struct load *l, const struct ike_auth_cfg *a)
{
	return a->method == IKE_AUTH_CFG_PUBKEY ||
	       (a->method == IKE_AUTH_CFG_EAP && !a->eap_radius && !uses_passwords(l, a));
}

static void check_radius(struct load *l, const struct section *s, const struct ike_conn_cfg *c)
{
	if (c->local.eap_radius)
		cfg_error(l->errors, where_of_auth(l, s, "local*", "auth"), "connection \"%s\": "
			  "local.auth is eap-radius, which is for who is asked: RADIUS knows the "
			  "peer, not us", s->name);
	if (c->remote.eap_radius && !l->out->ike->radius.n_servers)
		cfg_error(l->errors, where_of_auth(l, s, "remote*", "auth"), "connection \"%s\": "
			  "remote.auth is eap-radius, and there is no server to ask: add radius { "
			  "servers { NAME { address = ... secret = ... } } }", s->name);
}

/* Both ends have one in TLS. */
static void check_tls_server(struct load *l, const struct section *s, const struct ike_conn_cfg *c)
{
	if (c->remote.eap_type == IKE_EAP_TLS && c->local.pubkeys.n)
		cfg_error(l->errors, where_of_auth(l, s, "local*", "pubkeys"), "connection \"%s\": "
			  "remote.auth is eap-tls, which wants a certificate here "
			  "(local.certs)", s->name);
}

/* Who we are, for the password; empty if only the address of a connection will tell. */
static const char *own_name(const struct ike_auth_cfg *local, char text[IKE_ID_TEXT_MAX])
{
	if (local->eap_id)
		return local->eap_id;
	return local->id.type == IKE_ID_ANY ? "" : ike_id_text(&local->id, text, IKE_ID_TEXT_MAX);
}

static void check_passwords(struct load *l, const struct section *s, const struct ike_conn_cfg *c)
{
	const char *side = uses_passwords(l, &c->local) ? "local*" : "remote*", *name;
	struct ike_config *config = l->out->ike;
	char text[IKE_ID_TEXT_MAX];
	struct ike_error err;

	if (!uses_passwords(l, &c->local) && !uses_passwords(l, &c->remote))
		return;
	name = uses_passwords(l, &c->local) ? own_name(&c->local, text) : "";
	if (!config->n_eap_secrets || (*name && !ike_eap_secret_find(config, name)))
		cfg_error(l->errors, where_of_auth(l, s, side, "auth"), "connection \"%s\": %.*s.auth is "
			  "eap, and there is no password%s%s: add secrets { eap { id = ... "
			  "secret = ... } }", s->name, (int)strcspn(side, "*"), side,
			  *name ? " of " : "", name);
	if (!config->legacy)
		config->legacy = ike_legacy_new(&err);
	if (!config->legacy)
		cfg_error(l->errors, where_of_auth(l, s, side, "auth"), "connection \"%s\": %s",
			  s->name, err.text);
}

static bool is_asked_for_eap(const struct ike_conn_cfg *c)
{
	const struct ike_auth_cfg *peer;
	size_t i;

	for (i = 0; (peer = ike_conn_round(&c->remote, &c->remote_more, i)); i++)
		if (peer->method == IKE_AUTH_CFG_EAP)
			return true;
	return false;
}

static bool has_single_address(const struct ike_conn_cfg *c)
{
	size_t i;

	for (i = 0; i < c->n_remote_addrs; i++)
		if (ike_addr_equal(&c->remote_addrs[i].first, &c->remote_addrs[i].last))
			return true;
	return false;
}

static bool has_dynamic(const struct ike_ts *list, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (list[i].dynamic)
			return true;
	return false;
}

/* A trap is there before the name is looked up. */
static void check_named_trap(struct load *l, const struct section *s, const struct ike_conn_cfg *c,
			     const struct ike_child_cfg *child)
{
	bool remote = has_dynamic(child->remote_ts, child->n_remote_ts);
	bool local = !c->n_local_addrs && has_dynamic(child->local_ts, child->n_local_ts);

	if (!c->n_remote_names || has_single_address(c) || (!remote && !local) ||
	    !((child->start_action | child->close_action | child->dpd_action) & IKE_START_TRAP))
		return;
	cfg_error(l->errors, where_of(s, "start_action"),
		  "child \"%s\": a trap for a peer that remote_addrs knows by name needs addresses "
		  "in %s", s->name, remote ? "remote_ts" : "local_ts");
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
		if (ike_is_shunt(&c->children[i]))
			continue;
		if (c->children[i].start_action != IKE_START_NONE && !has_single_address(c) &&
		    !c->n_remote_names)
			cfg_error(l->errors, where_of(child, "start_action"),
				  "child \"%s\" is to be initiated, but remote_addrs of connection "
				  "\"%s\" holds no single address to reach", child->name, s->name);
		check_named_trap(l, child, c, &c->children[i]);
		if (c->children[i].start_action != IKE_START_NONE && is_asked_for_eap(c))
			cfg_error(l->errors, where_of(child, "start_action"),
				  "child \"%s\" is to be initiated, but remote.auth of connection "
				  "\"%s\" is eap: only the peer can begin", child->name, s->name);
	}
}

static void check_pools(struct load *l, const struct section *s, const struct ike_conn_cfg *c)
{
	size_t i, k;

	for (i = 0; i < c->n_pools; i++) {
		for (k = 0; k < l->out->ike->n_pools; k++)
			if (!strcmp(l->out->ike->pools[k].name, c->pools[i]))
				break;
		if (k == l->out->ike->n_pools)
			cfg_error(l->errors, where_of(s, "pools"), "connection \"%s\": there is no "
				  "pool \"%s\"", s->name, c->pools[i]);
	}
}

static bool has_ppk(const struct ike_config *config, const struct ike_id *name)
{
	size_t i, k;

	for (i = 0; i < config->n_ppks; i++)
		for (k = 0; k < config->ppks[i].n_ids; k++)
			if (config->ppks[i].ids[k].len == name->len &&
			    !memcmp(config->ppks[i].ids[k].data, name->data, name->len))
				return true;
	return false;
}

/* RFC 8784. */
static void check_ppk(struct load *l, const struct section *s, const struct ike_conn_cfg *c)
{
	const struct ike_config *config = l->out->ike;

	if (c->ppk_id.type != IKE_ID_ANY && !has_ppk(config, &c->ppk_id))
		cfg_error(l->errors, where_of(s, "ppk_id"),
			  "connection \"%s\": there is no such PPK: "
			  "add secrets { ppk { id = ... secret = ... } }", s->name);
	else if (c->ppk_required && !config->n_ppks)
		cfg_error(l->errors, where_of(s, "ppk_required"),
			  "connection \"%s\": there is no PPK: "
			  "add secrets { ppk { id = ... secret = ... } }", s->name);
}

/*
 * Where a peer has port 4500 it takes a message without the non-ESP marker for ESP, and the marker goes
 * from our own such port only.
 */
static void check_port(struct load *l, const struct section *s, struct ike_conn_cfg *c)
{
	if (!c->local_port)
		c->local_port = c->remote_port == IKE_PORT_NATT ? l->out->port_nat_t : l->out->port;
	else if (c->remote_port == IKE_PORT_NATT && c->local_port == l->out->port)
		cfg_error(l->errors, where_of(s, "local_port"), "connection \"%s\": from local_port "
			  "%u nothing goes to remote_port %u, where peers want the non-ESP marker: "
			  "leave it out, or local_port = %u", s->name, c->local_port,
			  c->remote_port, l->out->port_nat_t);
	if (c->local_port != l->out->port && c->local_port != l->out->port_nat_t)
		cfg_error(l->errors, where_of(s, "local_port"), "connection \"%s\": local_port is "
			  "%u, but esplaned listens on %u and %u (esplaned.port, "
			  "esplaned.port_nat_t)", s->name, c->local_port, l->out->port,
			  l->out->port_nat_t);
}

/* @c has one round of each end; an end that has no more seems to have a key. */
static void check_round(struct load *l, const struct section *s, struct ike_conn_cfg *c, bool own,
			bool peer)
{
	if ((own && c->local.method == IKE_AUTH_CFG_PSK) ||
	    (peer && c->remote.method == IKE_AUTH_CFG_PSK))
		check_secret(l, s, c);
	if (uses_certificates(l, &c->local) && !l->doubtful)
		check_signer(l, s, c);
	if (uses_certificates(l, &c->remote) && !l->doubtful)
		check_verifier(l, s, c);
	check_passwords(l, s, c);
	check_radius(l, s, c);
}

/* What they check they also complete: they are run even if nobody wants to hear of it. */
static void check_credentials(struct load *l, const struct section *s, struct ike_conn_cfg *c)
{
	const struct ike_auth_cfg none = { .method = IKE_AUTH_CFG_PSK }, *own, *peer;
	struct ike_conn_cfg view = *c;

	for (l->round = 0; l->round < IKE_ROUNDS_MAX; l->round++) {
		own = ike_conn_round(&c->local, &c->local_more, l->round);
		peer = ike_conn_round(&c->remote, &c->remote_more, l->round);
		view.local = own ? *own : none;
		view.remote = peer ? *peer : none;
		check_round(l, s, &view, own, peer);
		/* As it is in the certificate. */
		if (own)
			((struct ike_auth_cfg *)own)->id = view.local.id;
	}
	l->round = 0;
	check_ppk(l, s, c);
}

static bool credentials_count(const struct load *l, const struct ike_conn_cfg *c)
{
	if (l->alone)
		return !strcmp(l->alone, c->name);
	return !extra_find(l->extra, "connections", c->name);
}

static void check_eap(struct load *l, const struct section *s, struct ike_conn_cfg *c)
{
	const struct ike_auth_cfg *own, *peer;

	for (l->round = 0; l->round < IKE_ROUNDS_MAX; l->round++) {
		own = ike_conn_round(&c->local, &c->local_more, l->round);
		peer = ike_conn_round(&c->remote, &c->remote_more, l->round);
		if (own)
			check_eap_side(l, s, "local*", own, &c->remote);
		if (peer)
			check_eap_side(l, s, "remote*", peer, &c->local);
	}
	l->round = 0;
	check_tls_server(l, s, c);
}

static void check_conn(struct load *l, const struct section *s, struct ike_conn_cfg *c)
{
	struct cfg_errors *errors = l->errors, unheard = { 0 };

	if (!credentials_count(l, c))
		l->errors = &unheard;
	check_credentials(l, s, c);
	l->errors = errors;
	errors->no_memory |= unheard.no_memory;
	cfg_errors_free(&unheard);
	check_eap(l, s, c);
	check_children(l, s, c);
	check_port(l, s, c);
	check_pools(l, s, c);
}

void check_config(struct load *l, const struct section *root)
{
	const struct section *conns = section_child(root, "connections");
	struct ike_conn_cfg *c;
	size_t i;

	for (i = 0; i < l->out->ike->n_conns; i++) {
		c = &l->out->ike->conns[i];
		if (!ike_conn_is_shunts(c))
			check_conn(l, section_child(conns, c->name), c);
	}
}
