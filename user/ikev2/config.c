// SPDX-License-Identifier: MIT
/* The typed configuration's life, and finding things in it. */
#include <stdlib.h>
#include <string.h>

#include "ikev2/config.h"
#include "ikev2/conn_index.h"
#include "ikev2/crypto/legacy.h"
#include "ikev2/crypto/secret.h"

static void child_clear(struct ike_child_cfg *c)
{
	free(c->name);
	free(c->local_ts);
	free(c->remote_ts);
	free(c->updown);
	ike_proposal_list_clear(&c->proposals);
}

static void certs_clear(struct ike_cert_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		ike_cert_unref(l->list[i]);
	free(l->list);
}

static void keys_clear(struct ike_pkey_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		ike_pkey_unref(l->list[i]);
	free(l->list);
}

static void words_clear(char **words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(words[i]);
	free(words);
}

static void auth_clear(struct ike_auth_cfg *a)
{
	words_clear(a->policies, a->n_policies);
	words_clear(a->groups, a->n_groups);
	certs_clear(&a->certs);
	certs_clear(&a->cacerts);
	keys_clear(&a->pubkeys);
	free(a->eap_id);
}

static void more_clear(struct ike_auth_more *m)
{
	for (size_t i = 0; i < m->n; i++)
		auth_clear(&m->list[i]);
	free(m->list);
}

static void conn_clear(struct ike_conn_cfg *c)
{
	for (size_t i = 0; i < c->n_children; i++)
		child_clear(&c->children[i]);
	free(c->children);
	free(c->name);
	free(c->local_addrs);
	free(c->remote_addrs);
	for (size_t i = 0; i < c->n_remote_names; i++)
		free(c->remote_names[i]);
	free(c->remote_names);
	free(c->vips);
	words_clear(c->pools, c->n_pools);
	ike_proposal_list_clear(&c->proposals);
	auth_clear(&c->local);
	auth_clear(&c->remote);
	more_clear(&c->local_more);
	more_clear(&c->remote_more);
}

static void pool_clear(struct ike_pool_cfg *p)
{
	free(p->name);
	free(p->dns);
	free(p->split);
}

static void secret_clear(struct ike_secret_cfg *s)
{
	if (s->key)
		ike_wipe(s->key, s->key_len);
	free(s->key);
	free(s->ids);
}

static void eap_secret_clear(struct ike_eap_secret_cfg *s)
{
	if (s->key)
		ike_wipe(s->key, s->key_len);
	free(s->key);
	words_clear(s->ids, s->n_ids);
}

static void authority_clear(struct ike_authority_cfg *a)
{
	free(a->name);
	ike_cert_unref(a->cert);
	words_clear(a->crl_uris, a->n_crl_uris);
	words_clear(a->ocsp_uris, a->n_ocsp_uris);
}

static void radius_clear(struct ike_radius_cfg *r)
{
	for (size_t i = 0; i < r->n_servers; i++) {
		if (r->servers[i].secret)
			ike_wipe(r->servers[i].secret, r->servers[i].secret_len);
		free(r->servers[i].secret);
		free(r->servers[i].name);
	}
	free(r->servers);
	free(r->nas_identifier);
}

struct ike_config *ike_config_ref(struct ike_config *c)
{
	c->refs++;
	return c;
}

void ike_config_unref(struct ike_config *c)
{
	if (!c || --c->refs)
		return;
	for (size_t i = 0; i < c->n_conns; i++)
		conn_clear(&c->conns[i]);
	free(c->conns);
	ike_conn_index_free(c->index);
	for (size_t i = 0; i < c->n_secrets; i++)
		secret_clear(&c->secrets[i]);
	free(c->secrets);
	for (size_t i = 0; i < c->n_ppks; i++)
		secret_clear(&c->ppks[i]);
	free(c->ppks);
	for (size_t i = 0; i < c->n_eap_secrets; i++)
		eap_secret_clear(&c->eap_secrets[i]);
	free(c->eap_secrets);
	ike_legacy_free(c->legacy);
	certs_clear(&c->anchors);
	certs_clear(&c->certs);
	keys_clear(&c->keys);
	ike_crl_list_clear(&c->crls);
	for (size_t i = 0; i < c->n_authorities; i++)
		authority_clear(&c->authorities[i]);
	free(c->authorities);
	for (size_t i = 0; i < c->n_pools; i++)
		pool_clear(&c->pools[i]);
	free(c->pools);
	radius_clear(&c->radius);
	free(c);
}

bool ike_conn_is_shunts(const struct ike_conn_cfg *c)
{
	for (size_t i = 0; i < c->n_children; i++)
		if (!ike_is_shunt(&c->children[i]))
			return false;
	return c->n_children;
}

const struct ike_child_cfg *ike_conn_child(const struct ike_conn_cfg *c, const char *name)
{
	for (size_t i = 0; i < c->n_children; i++)
		if (!strcmp(c->children[i].name, name))
			return &c->children[i];
	return NULL;
}
