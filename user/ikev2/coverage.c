// SPDX-License-Identifier: MIT
/*
 * What of a configured child is there, and what is still to be asked for: pairs of selectors, from
 * which those that CHILD_SAs carry are taken away.
 */
#include <stdlib.h>
#include <string.h>

#include "ikev2/child.h"
#include "ikev2/coverage.h"
#include "ikev2/cp.h"

enum {
	PAIRS_MAX = 2 * IKE_TS_MAX * IKE_TS_MAX, /* a peer may cut what is there into many pieces */
};

/* Parts */

void ike_part_clear(struct ike_part *p)
{
	free(p->local);
	free(p->remote);
	*p = (struct ike_part){0};
}

static struct ike_ts *copy(const struct ike_ts *list, size_t n)
{
	struct ike_ts *to = malloc((n ? n : 1) * sizeof(*to));

	if (to && n)
		memcpy(to, list, n * sizeof(*to));
	return to;
}

bool ike_part_copy(struct ike_part *to, const struct ike_part *from)
{
	struct ike_part p = {
		.local = copy(from->local, from->n_local),
		.remote = copy(from->remote, from->n_remote),
		.n_local = from->n_local,
		.n_remote = from->n_remote,
	};

	if (!p.local || !p.remote) {
		ike_part_clear(&p);
		return false;
	}
	*to = p;
	return true;
}

void ike_refusals_add(struct ike_refusals *r, const char *child, const struct ike_part *part)
{
	struct ike_refusal fresh = {.child = strdup(child)}, *list;

	list = r->n < IKE_PARTS_MAX ? reallocarray(r->list, r->n + 1, sizeof(*list)) : NULL;
	if (list)
		r->list = list;
	if (list && fresh.child && ike_part_copy(&fresh.part, part))
		list[r->n++] = fresh;
	else
		free(fresh.child);
}

void ike_refusals_clear(struct ike_refusals *r)
{
	while (r->n) {
		r->n--;
		free(r->list[r->n].child);
		ike_part_clear(&r->list[r->n].part);
	}
	free(r->list);
	r->list = NULL;
}

/* Pairs */

struct pair {
	struct ike_ts local, remote;
};

struct pairs {
	struct pair *list;
	size_t n;
	bool touched; /* something has been taken away */
	bool failed;  /* without memory */
};

static void add(struct pairs *p, const struct ike_ts *local, const struct ike_ts *remote)
{
	struct pair *list;

	if (p->n == PAIRS_MAX)
		return;
	if (!(p->n & (p->n - 1))) {
		list = reallocarray(p->list, p->n ? 2 * p->n : 1, sizeof(*list));
		if (!list) {
			p->failed = true;
			return;
		}
		p->list = list;
	}
	p->list[p->n++] = (struct pair){*local, *remote};
}

/* The address before or after @a; false: there is none. */
static bool step(struct ike_addr *a, bool up)
{
	uint8_t wraps = up ? 0 : 0xff;

	for (size_t i = ike_addr_len(a); i--;) {
		a->bytes[i] += up ? 1 : -1;
		if (a->bytes[i] != wraps)
			return true;
	}
	return false;
}

enum {
	PIECES_MAX = 4 /* addresses and ports below and above */
};

/*
 * @from without @what, of which it has something: pieces that do not overlap. All protocols but one is
 * nothing that a selector can say: it counts as being taken away whole.
 */
static size_t subtract_ts(const struct ike_ts *from, const struct ike_ts *what,
			  struct ike_ts out[PIECES_MAX])
{
	struct ike_ts middle = *from, piece;
	size_t n = 0;

	piece = *from;
	piece.last = what->first;
	if (ike_addr_compare(&from->first, &what->first) < 0 && step(&piece.last, false)) {
		out[n++] = piece;
		middle.first = what->first;
	}
	piece = *from;
	piece.first = what->last;
	if (ike_addr_compare(&what->last, &from->last) < 0 && step(&piece.first, true)) {
		out[n++] = piece;
		middle.last = what->last;
	}
	if (from->port_first > from->port_last || what->port_first > what->port_last ||
	    from->protocol != what->protocol)
		return n;
	if (from->port_first < what->port_first) {
		piece = middle;
		piece.port_last = what->port_first - 1;
		out[n++] = piece;
	}
	if (what->port_last < from->port_last) {
		piece = middle;
		piece.port_first = what->port_last + 1;
		out[n++] = piece;
	}
	return n;
}

static void subtract_pair(struct pairs *rest, const struct pair *from, const struct ike_ts *local,
			  const struct ike_ts *remote)
{
	struct ike_ts both_local, both_remote, pieces[PIECES_MAX];
	size_t n;

	if (!ike_ts_intersect(&from->local, local, &both_local) ||
	    !ike_ts_intersect(&from->remote, remote, &both_remote)) {
		add(rest, &from->local, &from->remote);
		return;
	}
	rest->touched = true;
	n = subtract_ts(&from->local, &both_local, pieces);
	for (size_t i = 0; i < n; i++)
		add(rest, &pieces[i], &from->remote);
	n = subtract_ts(&from->remote, &both_remote, pieces);
	for (size_t i = 0; i < n; i++)
		add(rest, &both_local, &pieces[i]);
}

static void subtract(struct pairs *p, const struct ike_ts *local, const struct ike_ts *remote)
{
	struct pairs rest = {.touched = p->touched, .failed = p->failed};

	for (size_t i = 0; i < p->n; i++)
		subtract_pair(&rest, &p->list[i], local, remote);
	free(p->list);
	*p = rest;
}

static void subtract_part(struct pairs *p, const struct ike_part *part)
{
	for (size_t i = 0; i < part->n_local; i++)
		for (size_t k = 0; k < part->n_remote; k++)
			subtract(p, &part->local[i], &part->remote[k]);
}

/* Children */

static bool same_list(const struct ike_ts *a, size_t n_a, const struct ike_ts *b, size_t n_b)
{
	for (size_t i = 0; n_a == n_b && i < n_a; i++)
		if (a[i].dynamic != b[i].dynamic || !ike_ts_equal(&a[i], &b[i]))
			return false;
	return n_a == n_b;
}

/* Has it been made for the same selectors? The configuration may have changed meanwhile. */
static bool is_for(const struct ike_child_cfg *a, const struct ike_child_cfg *b)
{
	return a == b || (same_list(a->local_ts, a->n_local_ts, b->local_ts, b->n_local_ts) &&
			  same_list(a->remote_ts, a->n_remote_ts, b->remote_ts, b->n_remote_ts));
}

/* In a state that lasts. */
static bool counts(const struct ike_child *c, const struct ike_child_cfg *cfg)
{
	return !c->outdated && !strcmp(c->cfg->name, cfg->name) &&
	       (c->state == IKE_CHILD_INSTALLED || c->state == IKE_CHILD_REKEYED);
}

/* True: one CHILD_SA carries it all. */
static bool subtract_children(struct pairs *p, const struct ike_sa *sa,
			      const struct ike_child_cfg *cfg)
{
	const struct ike_part *claim;
	const struct ike_child *c;

	TAILQ_FOREACH(c, &sa->children, link) {
		struct ike_part agreed = {c->local_ts, c->remote_ts, c->n_local_ts, c->n_remote_ts};

		if (!counts(c, cfg))
			continue;
		if (c->whole && is_for(c->cfg, cfg))
			return true;
		claim = c->claim.n_local ? &c->claim : &agreed;
		subtract_part(p, claim);
	}
	return false;
}

/* True as above. */
static bool subtract_all(struct pairs *p, const struct ike_sa *sa, const struct ike_child_cfg *cfg)
{
	const struct ike_sa *other = NULL;

	/* Who is to take another's place needs all of its own. */
	while ((other = ike_sa_of_conn(sa->engine, sa->conn->name, other)))
		if ((!sa->reauth_of || other == sa) &&
		    other->state == IKE_SA_ESTABLISHED && subtract_children(p, other, cfg))
			return true;
	for (size_t i = 0; i < sa->refusals.n; i++)
		if (!strcmp(sa->refusals.list[i].child, cfg->name))
			subtract_part(p, &sa->refusals.list[i].part);
	return false;
}

static void add_wanted(struct pairs *p, const struct ike_sa *sa, const struct ike_child_cfg *cfg)
{
	struct ike_ts local[IKE_TS_MAX], remote[IKE_TS_MAX];
	size_t n_local = ike_cp_resolve(sa, true, &sa->local.addr, cfg->local_ts,
					cfg->n_local_ts, local);
	size_t n_remote = ike_cp_resolve(sa, false, &sa->remote.addr, cfg->remote_ts,
					 cfg->n_remote_ts, remote);

	/* Both of one family, or no packet has both. */
	for (size_t i = 0; i < n_local; i++)
		for (size_t k = 0; k < n_remote; k++)
			if (local[i].first.family == remote[k].first.family)
				add(p, &local[i], &remote[k]);
}

/* The rest, by pairs; IKE_REST_PART if it is one. */
static enum ike_rest find_rest(struct pairs *p, const struct ike_sa *sa,
			       const struct ike_child_cfg *cfg)
{
	add_wanted(p, sa, cfg);
	if (!p->n)
		p->touched = false; /* as configured: the peer may see it another way */
	else if (subtract_all(p, sa, cfg))
		return IKE_REST_NONE;
	if (p->failed)
		return IKE_REST_UNKNOWN;
	if (!p->touched)
		return IKE_REST_WHOLE;
	return p->n ? IKE_REST_PART : IKE_REST_NONE;
}

/* What to ask for at once */

static bool has_pair(const struct pairs *p, const struct ike_ts *local, const struct ike_ts *remote)
{
	for (size_t i = 0; i < p->n; i++)
		if (ike_ts_equal(&p->list[i].local, local) &&
		    ike_ts_equal(&p->list[i].remote, remote))
			return true;
	return false;
}

static bool in_list(const struct ike_ts *list, size_t n, const struct ike_ts *ts)
{
	for (size_t i = 0; i < n; i++)
		if (ike_ts_equal(&list[i], ts))
			return true;
	return false;
}

static bool has_all(const struct pairs *p, const struct ike_ts *local, const struct ike_part *part)
{
	for (size_t i = 0; i < part->n_remote; i++)
		if (!has_pair(p, local, &part->remote[i]))
			return false;
	return true;
}

/* All that go with the first local selector, and other local ones that go with all of these. */
static void gather(const struct pairs *p, bool single, struct ike_part *part)
{
	part->local[part->n_local++] = p->list[0].local;
	part->remote[part->n_remote++] = p->list[0].remote;
	for (size_t i = 1; !single && i < p->n && part->n_remote < IKE_TS_MAX; i++)
		if (ike_ts_equal(&p->list[i].local, &part->local[0]))
			part->remote[part->n_remote++] = p->list[i].remote;
	for (size_t i = 1; !single && i < p->n && part->n_local < IKE_TS_MAX; i++)
		if (!in_list(part->local, part->n_local, &p->list[i].local) &&
		    has_all(p, &p->list[i].local, part))
			part->local[part->n_local++] = p->list[i].local;
}

enum ike_rest ike_coverage_rest(const struct ike_sa *sa, const struct ike_child_cfg *cfg, bool single,
				struct ike_part *part)
{
	struct pairs p = {0};
	enum ike_rest rest = find_rest(&p, sa, cfg);

	if (rest == IKE_REST_WHOLE && single && p.n > 1)
		rest = IKE_REST_PART;
	if (rest == IKE_REST_PART) {
		part->local = calloc(IKE_TS_MAX, sizeof(*part->local));
		part->remote = calloc(IKE_TS_MAX, sizeof(*part->remote));
		if (part->local && part->remote) {
			gather(&p, single, part);
		} else {
			ike_part_clear(part);
			rest = IKE_REST_UNKNOWN;
		}
	}
	free(p.list);
	return rest;
}

bool ike_coverage_full(const struct ike_sa *sa, const struct ike_child_cfg *cfg)
{
	struct pairs p = {0};
	enum ike_rest rest = find_rest(&p, sa, cfg);

	free(p.list);
	return rest == IKE_REST_NONE;
}

bool ike_coverage_claim(struct ike_child *c, const struct ike_choice *choice,
			const struct ike_child *old)
{
	const struct ike_part *claim = old ? &old->claim : choice->claim;

	c->whole = old ? old->whole : choice->whole;
	return !claim || !claim->n_local || ike_part_copy(&c->claim, claim);
}
