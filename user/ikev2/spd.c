// SPDX-License-Identifier: MIT
/* What CHILD_SAs and traps want of the data plane's policies. */
#include <stdlib.h>
#include <string.h>

#include "ikev2/child.h"
#include "ikev2/spd.h"

enum {
	PRIORITY_BASE = 100000, /* the lowest number wins: narrower selectors have lower ones */
	PRIORITY_SHUNTS = 50000, /* likewise, and any shunt before any tunnel */
	PRIORITY_PER_BIT = 16,
	PRIORITY_PROTOCOL = 8,
	PRIORITY_PORTS = 4,
	PRIORITY_PART = 1, /* of a child, before its trap */
	BITS = 128,
};

uint32_t ike_if_id_in(const struct ike_conn_cfg *conn, const struct ike_child_cfg *cfg)
{
	return cfg->if_id_in ? cfg->if_id_in : conn->if_id_in;
}

uint32_t ike_if_id_out(const struct ike_conn_cfg *conn, const struct ike_child_cfg *cfg)
{
	return cfg->if_id_out ? cfg->if_id_out : conn->if_id_out;
}

/* Leading bits that the first and the last address share, of 128 for both families. */
static unsigned int common_bits(const struct ike_ts *ts)
{
	size_t len = ike_addr_len(&ts->first);
	unsigned int bits = 0;

	for (size_t i = 0; i < len; i++) {
		uint8_t differ = ts->first.bytes[i] ^ ts->last.bytes[i];

		while (bits < 8 * (i + 1) && !(differ & 0x80)) {
			differ <<= 1;
			bits++;
		}
		if (bits < 8 * (i + 1))
			break;
	}
	return len == 4 ? bits * (BITS / 32) : bits;
}

/* Of the widest selector of the list. */
static unsigned int narrowness(const struct ike_ts *list, size_t n)
{
	unsigned int least = BITS * PRIORITY_PER_BIT + PRIORITY_PROTOCOL + PRIORITY_PORTS;

	for (size_t i = 0; i < n; i++) {
		unsigned int it =
			common_bits(&list[i]) * PRIORITY_PER_BIT +
			(list[i].protocol ? PRIORITY_PROTOCOL : 0) +
			(list[i].port_first || list[i].port_last != IKE_TS_PORT_MAX ? PRIORITY_PORTS
										    : 0);

		if (it < least)
			least = it;
	}
	return least;
}

static bool same_list(const struct ike_ts *a, size_t n_a, const struct ike_ts *b, size_t n_b)
{
	if (n_a != n_b)
		return false;
	for (size_t i = 0; i < n_a; i++)
		if (!ike_ts_equal(&a[i], &b[i]))
			return false;
	return true;
}

static bool same_mark(const struct ike_mark *a, const struct ike_mark *b)
{
	return a->value == b->value && a->mask == b->mask;
}

static bool same_policy(const struct ike_policy *a, const struct ike_policy *b)
{
	return a->action == b->action && a->if_id_in == b->if_id_in && a->if_id_out == b->if_id_out &&
	       a->priority == b->priority && same_mark(&a->mark_in, &b->mark_in) &&
	       same_mark(&a->mark_out, &b->mark_out) &&
	       same_list(a->local_ts, a->n_local_ts, b->local_ts, b->n_local_ts) &&
	       same_list(a->remote_ts, a->n_remote_ts, b->remote_ts, b->n_remote_ts);
}

/* FNV-1a, 64 bits. Who made policies meet in one bucket would need a CHILD_SA for each. */
#define HASH_START 0xcbf29ce484222325
#define HASH_PRIME 0x100000001b3

static uint64_t hash_bytes(uint64_t hash, struct ike_bytes bytes)
{
	for (size_t i = 0; i < bytes.len; i++)
		hash = (hash ^ bytes.p[i]) * HASH_PRIME;
	return hash;
}

static uint64_t hash_list(uint64_t hash, const struct ike_ts *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		hash = hash_bytes(hash, ike_addr_bytes(&list[i].first));
		hash = hash_bytes(hash, ike_addr_bytes(&list[i].last));
	}
	return hash;
}

/* The same for all that same_policy() takes for the same. */
static uint64_t hash_of(const struct ike_policy *p)
{
	return hash_list(hash_list(HASH_START, p->local_ts, p->n_local_ts), p->remote_ts,
			 p->n_remote_ts);
}

static struct ike_policy *find(const struct ike_engine *e, const struct ike_policy *like)
{
	uint64_t hash = hash_of(like);
	struct ike_node *node = NULL;

	while ((node = ike_table_find(&e->by_selectors, hash, node))) {
		struct ike_policy *p = ike_container(node, struct ike_policy, by_selectors);

		if (same_policy(p, like))
			return p;
	}
	return NULL;
}

static struct ike_ts *copy(const struct ike_ts *list, size_t n)
{
	struct ike_ts *to = malloc((n ? n : 1) * sizeof(*to));

	if (to)
		memcpy(to, list, n * sizeof(*to));
	return to;
}

static void policy_free(struct ike_policy *p)
{
	free(p->local_ts);
	free(p->remote_ts);
	free(p);
}

/* The one like @like, or a new one; NULL without memory. */
static struct ike_policy *obtain(struct ike_engine *e, const struct ike_policy *like)
{
	struct ike_policy *p = find(e, like);

	if (p)
		return p;
	p = calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	*p = *like;
	p->local_ts = copy(like->local_ts, like->n_local_ts);
	p->remote_ts = copy(like->remote_ts, like->n_remote_ts);
	TAILQ_INIT(&p->users);
	if (!p->local_ts || !p->remote_ts) {
		policy_free(p);
		return NULL;
	}
	TAILQ_INSERT_TAIL(&e->policies, p, link);
	ike_table_add(&e->by_selectors, &p->by_selectors, hash_of(p));
	return p;
}

static enum ike_policy_action action_of(const struct ike_child_cfg *cfg)
{
	switch (cfg->mode) {
	case IKE_MODE_PASS:
		return IKE_POLICY_BYPASS;
	case IKE_MODE_DROP:
		return IKE_POLICY_DISCARD;
	default:
		return IKE_POLICY_PROTECT;
	}
}

static struct ike_policy wanted(const struct ike_conn_cfg *conn, const struct ike_child_cfg *cfg,
				const struct ike_ts *local, size_t n_local,
				const struct ike_ts *remote, size_t n_remote)
{
	uint32_t base = ike_is_shunt(cfg) ? PRIORITY_SHUNTS : PRIORITY_BASE;

	return (struct ike_policy){
		.action = action_of(cfg),
		.local_ts = (struct ike_ts *)local,
		.n_local_ts = n_local,
		.remote_ts = (struct ike_ts *)remote,
		.n_remote_ts = n_remote,
		.if_id_in = ike_if_id_in(conn, cfg),
		.if_id_out = ike_if_id_out(conn, cfg),
		.mark_in = cfg->mark_in,
		.mark_out = cfg->mark_out,
		.priority = cfg->priority ? cfg->priority
					  : base - narrowness(local, n_local) -
						    narrowness(remote, n_remote),
	};
}

/* The trap for all of a child may have the same priority as a part of it. */
static struct ike_policy wanted_by(const struct ike_child *c)
{
	struct ike_policy p = wanted(c->sa->conn, c->cfg, c->local_ts, c->n_local_ts, c->remote_ts,
				     c->n_remote_ts);

	if (!c->whole && p.priority > PRIORITY_PART)
		p.priority -= PRIORITY_PART;
	return p;
}

/* Inbound first: what may go out may then be answered. */
static bool set_both(struct ike_engine *e, struct ike_policy *p, uint64_t cookie, uint32_t sa_id,
		     struct ike_error *err)
{
	struct ike_policy_spec spec = {
		.inbound = true,
		.action = p->action,
		.id = p->in,
		.priority = p->priority,
		.if_id = p->if_id_in,
		.mark = p->mark_in,
		.cookie = cookie,
		.src_ts = p->remote_ts,
		.n_src_ts = p->n_remote_ts,
		.dst_ts = p->local_ts,
		.n_dst_ts = p->n_local_ts,
	};
	const char *why = "";

	if (e->ops->policy_set(e->host, &spec, &p->in, &why))
		return ike_fail(err, "inbound policy: %s", why);
	spec = (struct ike_policy_spec){
		.action = p->action,
		.id = p->out,
		.priority = p->priority,
		.if_id = p->if_id_out,
		.mark = p->mark_out,
		.cookie = cookie,
		.sa_id = sa_id,
		.src_ts = p->local_ts,
		.n_src_ts = p->n_local_ts,
		.dst_ts = p->remote_ts,
		.n_dst_ts = p->n_remote_ts,
	};
	if (e->ops->policy_set(e->host, &spec, &p->out, &why))
		return ike_fail(err, "outbound policy: %s", why);
	return true;
}

static void remove_policy(struct ike_engine *e, struct ike_policy *p)
{
	if (p->out)
		e->ops->policy_del(e->host, p->out);
	if (p->in)
		e->ops->policy_del(e->host, p->in);
	TAILQ_REMOVE(&e->policies, p, link);
	ike_table_remove(&e->by_selectors, &p->by_selectors);
	policy_free(p);
}

/* Brings the data plane to what the newest user or the trap wants. */
static bool refresh(struct ike_engine *e, struct ike_policy *p, struct ike_error *err)
{
	struct ike_child *c = TAILQ_LAST(&p->users, ike_child_list);

	if (c)
		return set_both(e, p, c->id, c->sa_out, err);
	if (p->trap)
		return set_both(e, p, p->trap, 0, err);
	remove_policy(e, p);
	return true;
}

static void refresh_or_log(struct ike_engine *e, struct ike_policy *p)
{
	struct ike_error err;

	if (!refresh(e, p, &err))
		ike_log(e, IKE_LOG_ERROR, "%s", err.text);
}

bool ike_spd_in_use(const struct ike_child *c)
{
	struct ike_policy like = wanted_by(c);
	const struct ike_policy *p = find(c->sa->engine, &like);

	return p && !TAILQ_EMPTY(&p->users);
}

bool ike_spd_depends_on(const struct ike_child *c)
{
	return c->policy && TAILQ_FIRST(&c->policy->users) == c && !TAILQ_NEXT(c, user);
}

struct ike_child *ike_spd_beside(const struct ike_child *c)
{
	struct ike_child *other;

	if (c->policy)
		TAILQ_FOREACH_REVERSE(other, &c->policy->users, ike_child_list, user)
			if (other != c)
				return other;
	return NULL;
}

bool ike_spd_attach(struct ike_child *c, struct ike_error *err)
{
	struct ike_policy like = wanted_by(c);
	struct ike_engine *e = c->sa->engine;
	struct ike_policy *p = obtain(e, &like);

	if (!p)
		return ike_fail(err, "out of memory");
	TAILQ_INSERT_TAIL(&p->users, c, user);
	c->policy = p;
	if (refresh(e, p, err))
		return true;
	ike_spd_detach(c);
	return false;
}

void ike_spd_detach(struct ike_child *c)
{
	struct ike_policy *p = c->policy;
	bool in_force;

	if (!p)
		return;
	in_force = c == TAILQ_LAST(&p->users, ike_child_list);
	TAILQ_REMOVE(&p->users, c, user);
	c->policy = NULL;
	if (in_force)
		refresh_or_log(c->sa->engine, p);
}

struct ike_policy *ike_spd_trap(struct ike_engine *e, const struct ike_conn_cfg *conn,
				const struct ike_child_cfg *cfg, const struct ike_ts *local,
				const struct ike_ts *remote, uint64_t cookie, struct ike_error *err)
{
	struct ike_policy like =
		wanted(conn, cfg, local, cfg->n_local_ts, remote, cfg->n_remote_ts);
	struct ike_policy *p = obtain(e, &like);

	if (!p) {
		ike_fail(err, "out of memory");
		return NULL;
	}
	if (p->trap) {
		ike_fail(err, "another trap has the same selectors");
		return NULL;
	}
	p->trap = cookie;
	if (!TAILQ_EMPTY(&p->users) || refresh(e, p, err))
		return p;
	ike_spd_untrap(e, p);
	return NULL;
}

bool ike_spd_is_trap(const struct ike_policy *p, const struct ike_conn_cfg *conn,
		     const struct ike_child_cfg *cfg, const struct ike_ts *local,
		     const struct ike_ts *remote)
{
	struct ike_policy like =
		wanted(conn, cfg, local, cfg->n_local_ts, remote, cfg->n_remote_ts);

	return same_policy(p, &like);
}

void ike_spd_untrap(struct ike_engine *e, struct ike_policy *p)
{
	p->trap = 0;
	if (TAILQ_EMPTY(&p->users))
		refresh_or_log(e, p);
}

void ike_spd_free(struct ike_engine *e)
{
	struct ike_policy *p;

	while ((p = TAILQ_FIRST(&e->policies))) {
		TAILQ_REMOVE(&e->policies, p, link);
		policy_free(p);
	}
}
