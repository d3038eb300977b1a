// SPDX-License-Identifier: MIT
/* The life of a CHILD_SA. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "ikev2/child.h"
#include "ikev2/goal.h"
#include "ikev2/spd.h"
#include "ikev2/ticket.h"

enum {
	DEFAULT_REPLAY_WINDOW = 1024
};

struct ike_child *ike_child_find(struct ike_engine *e, uint64_t id)
{
	struct ike_node *node = id ? ike_table_find(&e->children, id, NULL) : NULL;

	return node ? ike_container(node, struct ike_child, by_id) : NULL;
}

struct ike_child *ike_child_by_spi_in(struct ike_sa *sa, uint32_t spi)
{
	struct ike_child *c;

	TAILQ_FOREACH(c, &sa->children, link)
		if (c->spi_in == spi)
			return c;
	return NULL;
}

struct ike_child *ike_child_by_spi_out(struct ike_sa *sa, uint32_t spi)
{
	struct ike_child *c;

	TAILQ_FOREACH(c, &sa->children, link)
		if (c->spi_out == spi && c->state != IKE_CHILD_LINGERING)
			return c;
	return NULL;
}

/* Data plane */

struct direction {
	bool inbound;
	const struct ike_key *encr, *integ;
};

static int add_sa(struct ike_child *c, const struct direction *d, const struct ike_lifetime *life,
		  uint32_t *sa_id, const char **why)
{
	struct ike_sa *sa = c->sa;
	const struct ike_sa_spec spec = {
		.inbound = d->inbound,
		.spi = d->inbound ? c->spi_in : c->spi_out,
		.src = d->inbound ? sa->remote : sa->local,
		.dst = d->inbound ? sa->local : sa->remote,
		.udp_encap = ike_sa_udp_encap(sa),
		.transport = c->transport,
		.esn = c->suite.esn,
		.encr = c->suite.encr,
		.encr_key = d->encr->bytes,
		.encr_key_len = d->encr->len,
		.integ = c->suite.integ,
		.integ_key = d->integ->bytes,
		.integ_key_len = d->integ->len,
		.replay_window =
			c->cfg->replay_window ? c->cfg->replay_window : DEFAULT_REPLAY_WINDOW,
		.if_id = d->inbound ? ike_if_id_in(sa->conn, c->cfg)
				    : ike_if_id_out(sa->conn, c->cfg),
		.output_mark = d->inbound ? c->cfg->set_mark_in : c->cfg->set_mark_out,
		.copy_dscp = !d->inbound && c->cfg->copy_dscp,
		.no_ecn = c->cfg->no_ecn && !c->transport,
		.cookie = c->id,
		.src_ts = d->inbound ? c->remote_ts : c->local_ts,
		.n_src_ts = d->inbound ? c->n_remote_ts : c->n_local_ts,
		.dst_ts = d->inbound ? c->local_ts : c->remote_ts,
		.n_dst_ts = d->inbound ? c->n_local_ts : c->n_remote_ts,
		.life = *life,
	};

	return sa->engine->ops->sa_add(sa->engine->host, &spec, sa_id, why);
}

static void remove_sa(struct ike_child *c, uint32_t *sa_id)
{
	if (*sa_id)
		c->sa->engine->ops->sa_del(c->sa->engine->host, *sa_id);
	*sa_id = 0;
}

static uint64_t jittered(struct ike_engine *e, uint64_t soft, uint64_t jitter)
{
	uint64_t less = jitter < soft ? ike_random_below(e, jitter + 1) : 0;

	return soft ? soft - less : 0;
}

/*
 * Soft limits are lowered by chance, so that both ends seldom rekey at once, nor all tunnels of a
 * gateway.
 */
static struct ike_lifetime lifetime(struct ike_child *c)
{
	struct ike_engine *e = c->sa->engine;
	struct ike_lifetime l = c->cfg->life;

	l.soft_seconds = jittered(e, l.soft_seconds, l.jitter_seconds);
	l.soft_bytes = jittered(e, l.soft_bytes, l.jitter_bytes);
	l.soft_packets = jittered(e, l.soft_packets, l.jitter_packets);
	c->installed = e->now;
	c->used = e->now;
	c->rekey_at = l.soft_seconds ? e->now + l.soft_seconds * IKE_SECOND : 0;
	c->expire_at = l.hard_seconds ? e->now + l.hard_seconds * IKE_SECOND : 0;
	return l;
}

/* Inbound before outbound: we can receive before anybody can be answered. */
static bool install(struct ike_child *c, const struct ike_child_keys *k, uint32_t *spi,
		    struct ike_error *err)
{
	struct direction in = {true, c->initiator ? &k->encr_r : &k->encr_i,
			       c->initiator ? &k->integ_r : &k->integ_i};
	struct direction out = {false, c->initiator ? &k->encr_i : &k->encr_r,
				c->initiator ? &k->integ_i : &k->integ_r};
	struct ike_lifetime life = lifetime(c);
	const char *why = "";

	if (add_sa(c, &in, &life, &c->sa_in, &why))
		return ike_fail_notify(err, IKE_NOTIFY_NO_ADDITIONAL_SAS, "inbound SA: %s", why);
	*spi = 0;
	if (add_sa(c, &out, &life, &c->sa_out, &why))
		return ike_fail_notify(err, IKE_NOTIFY_NO_ADDITIONAL_SAS, "outbound SA: %s", why);
	return true;
}

/* Birth */

static void poll_fires(struct ike_timer *t);
static void unused_fires(struct ike_timer *t);

static struct ike_ts *copy_ts(const struct ike_ts *list, size_t n)
{
	struct ike_ts *to = malloc((n ? n : 1) * sizeof(*to));

	if (to)
		memcpy(to, list, n * sizeof(*to));
	return to;
}

static struct ike_child *child_new(struct ike_sa *sa, const struct ike_making *m)
{
	const struct ike_choice *choice = m->choice;
	struct ike_child *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->local_ts = copy_ts(choice->local, choice->n_local);
	c->remote_ts = copy_ts(choice->remote, choice->n_remote);
	if (!c->local_ts || !c->remote_ts || !ike_coverage_claim(c, choice, m->old) ||
	    !ike_timers_reserve(&sa->engine->timers, IKE_CHILD_TIMERS)) {
		free(c->local_ts);
		free(c->remote_ts);
		ike_part_clear(&c->claim);
		free(c);
		return NULL;
	}
	c->n_local_ts = choice->n_local;
	c->n_remote_ts = choice->n_remote;
	c->sa = sa;
	c->config = ike_config_ref(choice->config);
	c->cfg = choice->cfg;
	c->id = ++sa->engine->last_child_id;
	c->initiator = m->initiator;
	c->fresh = !m->rekey;
	c->lower_nonce = *ike_nonce_lower(m->ni, m->nr);
	c->first_nonce = c->lower_nonce;
	c->first_ours = m->initiator;
	c->transport = choice->transport;
	c->suite = choice->suite;
	c->spi_in = *m->spi;
	c->spi_out = choice->spi;
	c->timer.fire = poll_fires;
	c->unused.fire = unused_fires;
	ike_table_add(&sa->engine->children, &c->by_id, c->id);
	TAILQ_INSERT_TAIL(&sa->children, c, link);
	sa->n_children++;
	return c;
}

static void log_up(const struct ike_child *c)
{
	char local[3 * IKE_TS_TEXT_MAX], remote[3 * IKE_TS_TEXT_MAX], suite[IKE_PROPOSAL_TEXT_MAX];

	ike_child_log(c, IKE_LOG_INFO, "CHILD_SA %s: SPIs %08x in, %08x out, %s%s%s, %s === %s",
		      c->predecessor ? "rekeyed" : "is up", c->spi_in, c->spi_out,
		      ike_suite_text(&c->suite, suite, sizeof(suite)),
		      ike_sa_udp_encap(c->sa) ? " in UDP" : "",
		      c->transport ? ", transport mode" : "",
		      ike_ts_list_text(c->local_ts, c->n_local_ts, local, sizeof(local)),
		      ike_ts_list_text(c->remote_ts, c->n_remote_ts, remote, sizeof(remote)));
}

static void set_waits(struct ike_child *c, bool waits)
{
	c->sa->engine->n_waiting += (size_t)waits - (size_t)c->waits;
	c->waits = waits;
}

static void unlink_child(struct ike_child *c)
{
	struct ike_engine *e = c->sa->engine;

	set_waits(c, false);
	ike_timer_stop(&e->timers, &c->timer);
	ike_timer_stop(&e->timers, &c->unused);
	ike_table_remove(&e->children, &c->by_id);
	TAILQ_REMOVE(&c->sa->children, c, link);
	c->sa->n_children--;
	TAILQ_INSERT_TAIL(&e->dead_children, c, link);
}

static void unmake(struct ike_child *c)
{
	ike_spd_detach(c);
	remove_sa(c, &c->sa_out);
	remove_sa(c, &c->sa_in);
	unlink_child(c);
}

/* In transport mode the packets have the ends' own addresses, and these SAs are for the old ones. */
static bool is_left_behind(const struct ike_child *c)
{
	return c->transport && (!ike_ts_holds_addr(&c->local_ts[0], &c->sa->local.addr) ||
				!ike_ts_holds_addr(&c->remote_ts[0], &c->sa->remote.addr));
}

static void wait_for_proof(struct ike_child *c)
{
	set_waits(c, true);
	ike_timer_set(&c->sa->engine->timers, &c->timer, c->sa->engine->now + IKE_PROOF_POLL);
}

/* Inactivity */

static ike_time use_of(const struct ike_child *c, uint32_t sa_id)
{
	struct ike_engine *e = c->sa->engine;
	struct ike_usage usage;

	if (!sa_id || e->ops->sa_query(e->host, sa_id, &usage) ||
	    usage.idle_seconds > e->now / IKE_SECOND)
		return 0;
	return e->now - usage.idle_seconds * IKE_SECOND;
}

static ike_time last_use(const struct ike_child *c)
{
	ike_time in = use_of(c, c->sa_in), out = use_of(c, c->sa_out);
	ike_time latest = in > out ? in : out;

	return latest > c->used ? latest : c->used;
}

/* Packets tell nobody that they have passed: looks when it would be time if none had. */
static void await_disuse(struct ike_child *c)
{
	if (c->cfg->inactivity)
		ike_timer_set(&c->sa->engine->timers, &c->unused,
			      c->used + c->cfg->inactivity * IKE_SECOND);
}

static void unused_fires(struct ike_timer *t)
{
	struct ike_child *c = ike_container(t, struct ike_child, unused);
	uint64_t limit = c->cfg->inactivity;

	if (!ike_child_is_up(c))
		return;
	c->used = last_use(c);
	if (c->sa->engine->now < c->used + limit * IKE_SECOND) {
		await_disuse(c);
		return;
	}
	ike_child_log(c, IKE_LOG_INFO, "no packet for %" PRIu64 " s (inactivity): deleting it", limit);
	if (ike_child_delete(c, 0, false))
		ike_sa_work(c->sa);
}

static void succeed(struct ike_child *c, struct ike_child *old)
{
	c->predecessor = old->id;
	c->used = last_use(old);
	c->first_nonce = old->first_nonce;
	c->first_ours = old->first_ours;
	c->outdated = old->outdated;
	old->successor = c->id;
	if (old->state == IKE_CHILD_INSTALLED)
		old->state = IKE_CHILD_REKEYED;
	if (!c->initiator)
		wait_for_proof(c);
}

struct ike_child *ike_child_make(struct ike_sa *sa, const struct ike_making *m,
				 struct ike_error *err)
{
	struct ike_child_keys keys = {0};
	struct ike_child *c;
	bool ok;

	if (sa->n_children >= IKE_CHILDREN_MAX) {
		ike_fail_notify(err, IKE_NOTIFY_NO_ADDITIONAL_SAS, "%u CHILD_SAs are enough",
				sa->n_children);
		return NULL;
	}
	if (!ike_keymat_child(sa->prf, &sa->keys.d, m->secret, ike_nonce_bytes(m->ni),
			      ike_nonce_bytes(m->nr), m->more, &m->choice->suite, &keys, err))
		return NULL;
	c = child_new(sa, m);
	ok = c ? install(c, &keys, m->spi, err) : ike_fail(err, "out of memory");
	ike_child_keys_clear(&keys);
	if (ok && m->old)
		succeed(c, m->old);
	else if (ok && !c->initiator && ike_spd_in_use(c))
		wait_for_proof(c);
	else if (ok && !m->rekey)
		ok = ike_spd_attach(c, err);
	if (!ok) {
		if (c)
			unmake(c);
		return NULL;
	}
	await_disuse(c);
	log_up(c);
	c->announced = true;
	ike_emit(sa->engine, m->old ? IKE_EVENT_CHILD_REKEYED : IKE_EVENT_CHILD_UP, sa->id, c->id,
		 m->old ? m->old->id : 0);
	if (!m->old)
		ike_child_updown(c, true);
	ike_goal_met(sa->engine, sa->conn->name, c->cfg->name);
	/* An end has moved while it was agreed on, or the configuration changed. */
	if (c->outdated)
		ike_child_delete(c, 0, false);
	else if (is_left_behind(c))
		ike_child_rekey(c, 0);
	return c;
}

/* Who is used */

bool ike_child_use(struct ike_child *c)
{
	struct ike_error err;

	if (!c->policy && !c->redundant && !ike_spd_attach(c, &err)) {
		c->due = true;
		ike_child_log(c, IKE_LOG_ERROR, "%s", err.text);
		return false;
	}
	set_waits(c, false);
	if (c->state != IKE_CHILD_LINGERING)
		ike_timer_stop(&c->sa->engine->timers, &c->timer);
	return true;
}

void ike_children_proven(struct ike_sa *sa)
{
	struct ike_child *c;

	TAILQ_FOREACH(c, &sa->children, link) {
		c->proven = true;
		if (c->waits)
			ike_child_use(c);
	}
}

static bool has_received(const struct ike_child *c)
{
	struct ike_engine *e = c->sa->engine;
	struct ike_usage usage;

	return c->sa_in && !e->ops->sa_query(e->host, c->sa_in, &usage) && usage.packets;
}

bool ike_child_is_known(const struct ike_child *c)
{
	return c->initiator || c->proven || has_received(c) ||
	       c->sa->engine->now >= c->installed + IKE_PROOF_TIME;
}

static void poll_fires(struct ike_timer *t)
{
	struct ike_child *c = ike_container(t, struct ike_child, timer);
	struct ike_engine *e = c->sa->engine;

	if (c->state == IKE_CHILD_LINGERING) {
		ike_child_end(c, IKE_END_REPLACED, "");
		return;
	}
	if (!c->waits)
		return;
	if ((!c->due && !has_received(c)) || !ike_child_use(c))
		ike_timer_set(&e->timers, t, e->now + IKE_PROOF_POLL);
}

static bool holds_all(const struct ike_ts *a, size_t n_a, const struct ike_ts *b, size_t n_b)
{
	for (size_t i = 0; i < n_b; i++) {
		size_t k = 0;

		while (k < n_a && !ike_ts_equal(&a[k], &b[i]))
			k++;
		if (k == n_a)
			return false;
	}
	return n_a == n_b;
}

static bool carries_same(const struct ike_child *a, const struct ike_child *b)
{
	return a != b && !strcmp(a->sa->conn->name, b->sa->conn->name) &&
	       !strcmp(a->cfg->name, b->cfg->name) &&
	       holds_all(a->local_ts, a->n_local_ts, b->local_ts, b->n_local_ts) &&
	       holds_all(a->remote_ts, a->n_remote_ts, b->remote_ts, b->n_remote_ts);
}

struct ike_child *ike_child_twin(const struct ike_child *c)
{
	struct ike_child *other;

	TAILQ_FOREACH(other, &c->sa->children, link)
		if (c->fresh && ike_child_is_up(other) && other->first_ours != c->initiator &&
		    carries_same(c, other))
			return other;
	return NULL;
}

struct ike_child *ike_child_heir(const struct ike_child *c)
{
	struct ike_engine *e = c->sa->engine;
	struct ike_child *other;
	struct ike_sa *sa = NULL;

	while (e->n_waiting && (sa = ike_sa_of_conn(e, c->sa->conn->name, sa)))
		TAILQ_FOREACH(other, &sa->children, link)
			if (other->waits && carries_same(c, other))
				return other;
	return NULL;
}

void ike_child_is_redundant(struct ike_child *c)
{
	c->redundant = true;
	set_waits(c, false);
	ike_child_log(c, IKE_LOG_INFO, "one too many, made by both ends at once: %s deletes it",
		      c->first_ours ? "this end" : "the peer");
}

struct ike_child *ike_child_survivor(struct ike_child *c, struct ike_child *twin)
{
	bool lost = ike_nonce_compare(&c->first_nonce, &twin->first_nonce) < 0;

	ike_child_is_redundant(lost ? c : twin);
	return lost ? twin : c;
}

bool ike_child_delete(struct ike_child *c, uint64_t ticket, bool expired)
{
	struct ike_task *t;

	if (c->state == IKE_CHILD_LINGERING || c->state == IKE_CHILD_DELETING ||
	    ike_task_find(c->sa, &ike_task_delete_child, c->id))
		return false;
	t = ike_task_add(c->sa, &ike_task_delete_child);
	if (!t)
		return false;
	t->child_id = c->id;
	t->expired = expired;
	t->ticket = ticket;
	ike_ticket_hold(c->sa->engine, ticket);
	return true;
}

void ike_child_rekey(struct ike_child *c, uint64_t ticket)
{
	struct ike_task *t;

	if (!ike_child_is_up(c) || ike_task_find(c->sa, &ike_task_rekey_child, c->id) ||
	    ike_task_find(c->sa, &ike_task_delete_child, c->id))
		return;
	t = ike_task_add(c->sa, &ike_task_rekey_child);
	if (!t)
		return;
	t->child_id = c->id;
	t->ticket = ticket;
	ike_ticket_hold(c->sa->engine, ticket);
}

/* The end */

/* Who waited to take over from @c does so now: there is nothing to wait for any more. */
static void hand_on(struct ike_child *c)
{
	struct ike_child *next = ike_child_find(c->sa->engine, c->successor);
	struct ike_child *before = ike_child_find(c->sa->engine, c->predecessor);
	struct ike_child *heir = next;

	if ((!heir || !heir->waits) && ike_spd_depends_on(c))
		heir = ike_child_heir(c);
	if (heir && heir->waits)
		ike_child_use(heir);
	if (next)
		next->predecessor = c->predecessor;
	if (!before || before->successor != c->id)
		return;
	before->successor = c->successor;
	/* The peer gave the rekeying up: what was to be replaced lives on. */
	if (!before->successor && before->state == IKE_CHILD_REKEYED)
		before->state = IKE_CHILD_INSTALLED;
}

/*
 * What @c was to replace, and is still there: an end has given the rekeying up, or both ends rekey
 * the same and it is the peer's that goes, before the answer to ours is here.
 */
static struct ike_child *stand_in(const struct ike_child *c)
{
	struct ike_child *before = ike_child_find(c->sa->engine, c->predecessor);

	return before && before->successor == c->id && before->sa_out &&
			       before->state == IKE_CHILD_REKEYED ?
		       before :
		       NULL;
}

static bool is_replaced(const struct ike_child *c)
{
	return c->successor || c->redundant || c->state == IKE_CHILD_LINGERING;
}

void ike_child_end(struct ike_child *c, enum ike_end how, const char *why)
{
	bool replaced = is_replaced(c) || how == IKE_END_REPLACED;
	struct ike_child *before = replaced ? NULL : stand_in(c);
	struct ike_engine *e = c->sa->engine;
	uint64_t ike_id = c->sa->id, id = c->id;
	bool announced = c->announced;

	if (before) {
		ike_child_log(c, IKE_LOG_INFO, "%s: CHILD_SA {%" PRIu64 "} stays", why, before->id);
	} else if (!replaced) {
		ike_child_log(c, IKE_LOG_INFO, "CHILD_SA is down: %s", why);
		ike_goal_lost(c, how);
	}
	if (announced && !replaced && !before)
		ike_child_updown(c, false);
	hand_on(c);
	unmake(c);
	if (announced && before)
		ike_emit(e, IKE_EVENT_CHILD_REKEYED, ike_id, before->id, id);
	else if (announced && !replaced)
		ike_emit(e, IKE_EVENT_CHILD_DOWN, ike_id, id, 0);
}

void ike_child_deleted(struct ike_child *c, enum ike_end how, const char *why)
{
	struct ike_engine *e = c->sa->engine;

	if ((!c->successor && !c->redundant) || !c->sa_in) {
		ike_child_end(c, how, why);
		return;
	}
	hand_on(c);
	ike_spd_detach(c);
	remove_sa(c, &c->sa_out);
	c->state = IKE_CHILD_LINGERING;
	ike_timer_set(&e->timers, &c->timer, e->now + IKE_OVERLAP);
}

void ike_child_free(struct ike_child *c)
{
	ike_timer_stop(&c->sa->engine->timers, &c->timer);
	ike_timer_stop(&c->sa->engine->timers, &c->unused);
	ike_timers_release(&c->sa->engine->timers, IKE_CHILD_TIMERS);
	ike_config_unref(c->config);
	free(c->local_ts);
	free(c->remote_ts);
	ike_part_clear(&c->claim);
	free(c);
}

void ike_child_move(struct ike_child *c, struct ike_sa *to)
{
	TAILQ_REMOVE(&c->sa->children, c, link);
	c->sa->n_children--;
	c->sa = to;
	TAILQ_INSERT_TAIL(&to->children, c, link);
	to->n_children++;
}

void ike_child_readdress(struct ike_child *c)
{
	bool encap = ike_sa_udp_encap(c->sa);
	struct ike_engine *e = c->sa->engine;
	struct ike_sa *sa = c->sa;
	const char *why = "";

	if (is_left_behind(c)) {
		ike_child_rekey(c, 0);
		return;
	}
	if ((c->sa_in &&
	     e->ops->sa_update(e->host, c->sa_in, &sa->remote, &sa->local, encap, &why)) ||
	    (c->sa_out &&
	     e->ops->sa_update(e->host, c->sa_out, &sa->local, &sa->remote, encap, &why)))
		ike_child_log(c, IKE_LOG_ERROR, "new addresses: %s", why);
}
