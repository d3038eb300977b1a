// SPDX-License-Identifier: MIT
/*
 * An index of a configuration's connections: by name, by the peer's identity, and those that differ before the peer
 * has said who it is. Thousands of connections of a hub differ in names, identities and selectors alone.
 */
#include <stdlib.h>
#include <string.h>

#include "ikev2/conn_index.h"
#include "ikev2/table.h"

/* Numbers of connections, counted from 1; 0 is the end of a chain. */
struct chains {
	uint32_t *heads, *next;
};

struct ike_conn_index {
	size_t n_buckets;
	struct chains by_name, by_peer;
	uint32_t *loose; /* a peer's identity that several may fit */
	size_t n_loose;
	uint32_t *distinct;
	size_t n_distinct;
};

static bool same_addrs(const struct ike_ts *a, size_t n_a, const struct ike_ts *b, size_t n_b)
{
	for (size_t i = 0; n_a == n_b && i < n_a; i++)
		if (!ike_addr_equal(&a[i].first, &b[i].first) ||
		    !ike_addr_equal(&a[i].last, &b[i].last) ||
		    a[i].first.scope != b[i].first.scope)
			return false;
	return n_a == n_b;
}

/* The lists own references: the same certificate is the same object. */
static bool same_certs(const struct ike_cert_list *a, const struct ike_cert_list *b)
{
	return a->n == b->n && (!a->n || !memcmp(a->list, b->list, a->n * sizeof(*a->list)));
}

static bool same_proposals(const struct ike_proposal_list *a, const struct ike_proposal_list *b)
{
	return a->n == b->n && (!a->n || !memcmp(a->items, b->items, a->n * sizeof(*a->items)));
}

/* Who authenticates in several rounds is like nobody else. */
static bool is_plain(const struct ike_conn_cfg *c)
{
	return !c->local_more.n && !c->remote_more.n;
}

static bool same_peer_auth(const struct ike_auth_cfg *a, const struct ike_auth_cfg *b)
{
	return a->method == b->method && a->schemes == b->schemes &&
	       !a->pubkeys.n == !b->pubkeys.n && same_certs(&a->cacerts, &b->cacerts);
}

static bool same_kind(const struct ike_conn_cfg *a, const struct ike_conn_cfg *b)
{
	return is_plain(a) && is_plain(b) && ike_conn_is_shunts(a) == ike_conn_is_shunts(b) &&
	       a->no_certreq == b->no_certreq && !a->n_remote_names == !b->n_remote_names &&
	       same_addrs(a->local_addrs, a->n_local_addrs, b->local_addrs, b->n_local_addrs) &&
	       same_addrs(a->remote_addrs, a->n_remote_addrs, b->remote_addrs, b->n_remote_addrs) &&
	       same_peer_auth(&a->remote, &b->remote) &&
	       same_proposals(&a->proposals, &b->proposals);
}

/* The same for connections of the same kind. */
static uint64_t kind_hash(const struct ike_conn_cfg *c)
{
	uint64_t h = IKE_HASH_START;

	if (c->n_local_addrs)
		h = ike_hash(h, c->local_addrs[0].first.bytes, sizeof(c->local_addrs[0].first.bytes));
	if (c->n_remote_addrs)
		h = ike_hash(h, c->remote_addrs[0].first.bytes,
			     sizeof(c->remote_addrs[0].first.bytes));
	return h;
}

static uint64_t name_hash(const char *name)
{
	return ike_hash(IKE_HASH_START, name, strlen(name));
}

/* May an identity that is not equal to this one fit it? */
static bool is_loose(const struct ike_id *id)
{
	return id->type == IKE_ID_ANY || id->type == IKE_ID_DER_ASN1_DN || ike_id_has_wildcard(id);
}

static bool chains_init(struct chains *c, size_t n_buckets, size_t n)
{
	c->heads = calloc(n_buckets, sizeof(*c->heads));
	c->next = calloc(n + 1, sizeof(*c->next));
	return c->heads && c->next;
}

static void chains_free(struct chains *c)
{
	free(c->heads);
	free(c->next);
}

static void chains_add(struct chains *c, size_t bucket, size_t number)
{
	c->next[number] = c->heads[bucket];
	c->heads[bucket] = number;
}

static void index_conn(struct ike_conn_index *x, const struct ike_config *c, size_t i)
{
	const struct ike_conn_cfg *conn = &c->conns[i];

	chains_add(&x->by_name, name_hash(conn->name) % x->n_buckets, i + 1);
	if (is_loose(&conn->remote.id))
		x->loose[x->n_loose++] = i;
	else
		chains_add(&x->by_peer, ike_id_hash(&conn->remote.id) % x->n_buckets, i + 1);
}

/* @kinds: of those that are distinct. */
static void index_kind(struct ike_conn_index *x, const struct ike_config *c, struct chains *kinds,
		       size_t i)
{
	size_t bucket = kind_hash(&c->conns[i]) % x->n_buckets;
	uint32_t at = kinds->heads[bucket];

	while (at && !same_kind(&c->conns[at - 1], &c->conns[i]))
		at = kinds->next[at];
	if (at)
		return;
	chains_add(kinds, bucket, i + 1);
	x->distinct[x->n_distinct++] = i;
}

void ike_conn_index_free(struct ike_conn_index *x)
{
	if (!x)
		return;
	chains_free(&x->by_name);
	chains_free(&x->by_peer);
	free(x->loose);
	free(x->distinct);
	free(x);
}

bool ike_config_index(struct ike_config *c)
{
	struct ike_conn_index *x = calloc(1, sizeof(*x));
	struct chains kinds = {0};
	size_t n = c->n_conns;
	bool ok;

	if (!x)
		return false;
	x->n_buckets = n + 1;
	x->loose = calloc(n + 1, sizeof(*x->loose));
	x->distinct = calloc(n + 1, sizeof(*x->distinct));
	ok = chains_init(&x->by_name, x->n_buckets, n) &&
	     chains_init(&x->by_peer, x->n_buckets, n) && chains_init(&kinds, x->n_buckets, n) &&
	     x->loose && x->distinct;
	for (size_t i = 0; ok && i < n; i++) {
		index_conn(x, c, i);
		index_kind(x, c, &kinds, i);
	}
	chains_free(&kinds);
	if (!ok) {
		ike_conn_index_free(x);
		return false;
	}
	ike_conn_index_free(c->index);
	c->index = x;
	return true;
}

const struct ike_conn_cfg *ike_conn_distinct(const struct ike_config *c, size_t i)
{
	if (!c->index)
		return i < c->n_conns ? &c->conns[i] : NULL;
	return i < c->index->n_distinct ? &c->conns[c->index->distinct[i]] : NULL;
}

const struct ike_conn_cfg *ike_conn_of_peer(const struct ike_config *c, const struct ike_id *id,
					    struct ike_conn_iter *iter)
{
	const struct ike_conn_index *x = c->index;
	size_t number;

	if (!x)
		return iter->seen < c->n_conns ? &c->conns[iter->seen++] : NULL;
	if (iter->seen < x->n_loose)
		return &c->conns[x->loose[iter->seen++]];
	if (iter->seen++ == x->n_loose)
		iter->next = x->by_peer.heads[ike_id_hash(id) % x->n_buckets];
	number = iter->next;
	iter->next = x->by_peer.next[number];
	return number ? &c->conns[number - 1] : NULL;
}

const struct ike_conn_cfg *ike_config_conn(const struct ike_config *c, const char *name)
{
	const struct ike_conn_index *x = c->index;
	size_t at;

	if (!x) {
		for (size_t i = 0; i < c->n_conns; i++)
			if (!strcmp(c->conns[i].name, name))
				return &c->conns[i];
		return NULL;
	}
	for (at = x->by_name.heads[name_hash(name) % x->n_buckets]; at; at = x->by_name.next[at])
		if (!strcmp(c->conns[at - 1].name, name))
			return &c->conns[at - 1];
	return NULL;
}
