// SPDX-License-Identifier: MIT
/* What VICI lists beside SAs and connections: credentials, pools, policies, algorithms, counters. */
#include <inttypes.h>
#include <stdio.h>
#include <strings.h>

#include "commands.h"
#include "vici/status.h"

/* Certificates */

static void list_cert(struct client *client, const struct ike_cert *cert, const char *flag,
		      bool has_key)
{
	struct vici_builder b;

	vici_event_begin(&b, VICI_EV_LIST_CERT);
	vici_str(&b, "type", "X509");
	vici_str(&b, "flag", flag);
	if (has_key)
		vici_str(&b, "has_privkey", "yes");
	vici_value(&b, "data", cert->der, cert->der_len);
	vici_session_event(client->session, VICI_EV_LIST_CERT, &b);
	vici_abandon(&b);
}

static bool has_private_key(const struct ike_config *config, const struct ike_cert *cert)
{
	size_t i;

	for (i = 0; i < config->keys.n; i++)
		if (ike_pkey_equal(config->keys.list[i], cert->key))
			return true;
	return false;
}

static bool wanted(const struct vici_node *args, const char *key, const char *value)
{
	const char *asked = vici_get(args, key);

	return !asked || !strcasecmp(asked, "ANY") || !strcasecmp(asked, value);
}

static bool is_subject(const struct vici_node *args, const struct ike_cert *cert)
{
	const char *subject = vici_get(args, "subject");
	struct ike_id id = { 0 };

	return !subject || (ike_id_parse(subject, &id, NULL) && ike_cert_has_id(cert, &id));
}

static bool holds(const struct ike_cert_list *list, const struct ike_cert *cert)
{
	size_t i;

	for (i = 0; i < list->n; i++)
		if (ike_cert_equal(list->list[i], cert))
			return true;
	return false;
}

/* @told: what has been listed before; NULL: nothing. */
static void list_certs(struct client *client, const struct vici_node *args, const char *flag,
		       const struct ike_cert_list *list, const struct ike_cert_list *told)
{
	const struct ike_config *config = config_of(client);
	size_t i;

	for (i = 0; i < list->n; i++)
		if (!(told && holds(told, list->list[i])) && wanted(args, "type", "X509") &&
		    wanted(args, "flag", flag) && is_subject(args, list->list[i]))
			list_cert(client, list->list[i], flag,
				  has_private_key(config, list->list[i]));
}

/* Of the connections' own, those that no list has. */
static void list_named_certs(struct client *client, const struct vici_node *args)
{
	const struct ike_config *config = config_of(client);
	const struct ike_conn_cfg *c;
	size_t i;

	for (i = 0; i < config->n_conns; i++) {
		c = &config->conns[i];
		list_certs(client, args, "NONE", &c->local.certs, &config->certs);
		list_certs(client, args, "NONE", &c->remote.certs, &config->certs);
		list_certs(client, args, "CA", &c->remote.cacerts, &config->anchors);
	}
}

void cmd_list_certs(struct client *client, const struct vici_node *args)
{
	const struct ike_config *config = config_of(client);

	list_certs(client, args, "CA", &config->anchors, NULL);
	list_certs(client, args, "NONE", &config->certs, NULL);
	list_named_certs(client, args);
	reply_empty(client);
}

/* Authorities */

static void put_uris(struct vici_builder *b, const char *key, char **uris, size_t n)
{
	size_t i;

	vici_list(b, key);
	for (i = 0; i < n; i++)
		vici_item(b, uris[i]);
	vici_list_end(b);
}

static void list_authority(struct client *client, const struct ike_authority_cfg *a)
{
	char subject[IKE_ID_TEXT_MAX];
	struct vici_builder b;

	vici_event_begin(&b, VICI_EV_LIST_AUTHORITY);
	vici_section(&b, a->name);
	vici_str(&b, "cacert", ike_id_text(&a->cert->subject, subject, sizeof(subject)));
	put_uris(&b, "crl_uris", a->crl_uris, a->n_crl_uris);
	put_uris(&b, "ocsp_uris", a->ocsp_uris, a->n_ocsp_uris);
	vici_section_end(&b);
	vici_session_event(client->session, VICI_EV_LIST_AUTHORITY, &b);
	vici_abandon(&b);
}

void cmd_list_authorities(struct client *client, const struct vici_node *args)
{
	const struct ike_config *config = config_of(client);
	size_t i;

	for (i = 0; i < config->n_authorities; i++)
		if (name_matches(args, "name", config->authorities[i].name))
			list_authority(client, &config->authorities[i]);
	reply_empty(client);
}

/* Traps and shunts */

struct policies {
	struct client *client;
	const struct vici_node *args;
};

/* README "list-policies()": those asked for by kind. */
static void list_policy(void *arg, const char *conn, const struct ike_child_cfg *child)
{
	static const char *const kinds[] = {
		[IKE_MODE_TUNNEL] = "trap", [IKE_MODE_TRANSPORT] = "trap",
		[IKE_MODE_PASS] = "pass", [IKE_MODE_DROP] = "drop",
	};
	struct policies *p = arg;
	struct vici_builder b;
	char name[VICI_NAME_MAX + 1];

	if (!says_yes(p->args, kinds[child->mode]) || !name_matches(p->args, "ike", conn) ||
	    !name_matches(p->args, "child", child->name))
		return;
	snprintf(name, sizeof(name), "%.120s/%.120s", conn, child->name);
	vici_event_begin(&b, VICI_EV_LIST_POLICY);
	vici_put_policy(&b, name, conn, child);
	vici_session_event(p->client->session, VICI_EV_LIST_POLICY, &b);
	vici_abandon(&b);
}

void cmd_list_policies(struct client *client, const struct vici_node *args)
{
	struct policies p = { client, args };

	ike_engine_foreach_trap(host_of(client)->engine, list_policy, &p);
	reply_empty(client);
}

/* Pools */

struct lease_walk {
	struct vici_builder *b;
	const struct ike_pool_cfg *pool;
	unsigned int online, offline, told;
	bool tell;
};

static void walk_lease(void *arg, const struct ike_lease_info *lease)
{
	struct lease_walk *w = arg;
	char text[IKE_ADDR_TEXT_MAX];

	if (strcmp(lease->pool, w->pool->name))
		return;
	if (!w->tell) {
		w->online += lease->online;
		w->offline += !lease->online;
		return;
	}
	snprintf(text, sizeof(text), "%u", w->told++);
	vici_section(w->b, text);
	vici_str(w->b, "address", ike_addr_text(lease->addr, text, sizeof(text)));
	vici_str(w->b, "identity", lease->identity);
	vici_str(w->b, "status", lease->online ? "online" : "offline");
	vici_section_end(w->b);
}

/* set_range() of the configuration lets no more than 2^16 be. */
static uint64_t pool_size(const struct ike_pool_cfg *pool)
{
	uint64_t n = 0;
	size_t i;

	for (i = 0; i < ike_addr_len(&pool->first); i++)
		n = n * 256 + pool->last.bytes[i] - pool->first.bytes[i];
	return n + 1;
}

static void put_pool(struct client *client, struct vici_builder *b, const struct ike_pool_cfg *pool,
		     bool leases)
{
	struct lease_walk w = { .b = b, .pool = pool };
	char text[IKE_ADDR_TEXT_MAX];

	ike_engine_foreach_lease(host_of(client)->engine, walk_lease, &w);
	vici_section(b, pool->name);
	vici_str(b, "base", ike_addr_text(&pool->first, text, sizeof(text)));
	vici_fmt(b, "size", "%" PRIu64, pool_size(pool));
	vici_fmt(b, "online", "%u", w.online);
	vici_fmt(b, "offline", "%u", w.offline);
	if (leases) {
		w.tell = true;
		vici_section(b, "leases");
		ike_engine_foreach_lease(host_of(client)->engine, walk_lease, &w);
		vici_section_end(b);
	}
	vici_section_end(b);
}

void cmd_get_pools(struct client *client, const struct vici_node *args)
{
	const struct ike_config *config = config_of(client);
	struct vici_builder b;
	size_t i;

	vici_reply_begin(&b);
	for (i = 0; i < config->n_pools; i++)
		if (name_matches(args, "name", config->pools[i].name))
			put_pool(client, &b, &config->pools[i], says_yes(args, "leases"));
	vici_session_reply(client->session, &b);
}

/* Algorithms */

void cmd_get_algorithms(struct client *client, const struct vici_node *args)
{
	struct vici_builder b;

	vici_reply_begin(&b);
	vici_put_algorithms(&b);
	vici_session_reply(client->session, &b);
}

/* Counters */

static uint64_t refused_of(const struct client *client)
{
	struct ike_counters counters = { 0 };

	ike_engine_counters(host_of(client)->engine, &counters);
	return counters.refused;
}

/* Returns false after an error reply. */
static bool means_all(struct client *client, const struct vici_node *args)
{
	if (!vici_get(args, "name"))
		return true;
	vici_session_reply_error(client->session, "counters are kept of the daemon as a whole, not "
						  "by connection");
	return false;
}

void cmd_get_counters(struct client *client, const struct vici_node *args)
{
	struct vici_builder b;

	if (!means_all(client, args))
		return;
	vici_reply_begin(&b);
	vici_section(&b, "counters");
	vici_section(&b, "");
	counters_put(&host_of(client)->counters, refused_of(client), &b);
	vici_section_end(&b);
	vici_section_end(&b);
	vici_str(&b, "success", "yes");
	vici_session_reply(client->session, &b);
}

void cmd_reset_counters(struct client *client, const struct vici_node *args)
{
	if (!means_all(client, args))
		return;
	counters_reset(&host_of(client)->counters, refused_of(client));
	vici_session_reply_ok(client->session);
}
