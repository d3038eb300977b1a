// SPDX-License-Identifier: MIT
/* The life of an IKE SA. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "ikev2/auth_eap.h"
#include "ikev2/child.h"
#include "ikev2/cp.h"
#include "ikev2/followup.h"
#include "ikev2/goal.h"
#include "ikev2/mobike.h"
#include "ikev2/ppk.h"
#include "ikev2/reauth.h"

enum {
	DEFAULT_KEEPALIVE = 20
}; /* seconds */

/* Nonces */

void ike_nonce_draw(struct ike_sa *sa, struct ike_nonce *n)
{
	n->len = IKE_NONCE_LEN;
	ike_random_fill(&sa->engine->random, n->bytes, n->len);
}

bool ike_nonce_find(const struct ike_payloads *all, struct ike_nonce *n, struct ike_error *err)
{
	const struct ike_payload *p = ike_payloads_find(all, IKE_PAYLOAD_NONCE);
	struct ike_bytes bytes;

	if (!p)
		return ike_fail_notify(err, IKE_NOTIFY_INVALID_SYNTAX, "no nonce");
	if (!ike_nonce_decode(p->body, &bytes, err))
		return false;
	n->len = bytes.len;
	memcpy(n->bytes, bytes.p, bytes.len);
	return true;
}

int ike_nonce_compare(const struct ike_nonce *a, const struct ike_nonce *b)
{
	int order = memcmp(a->bytes, b->bytes, a->len < b->len ? a->len : b->len);

	return order ? order : (a->len > b->len) - (a->len < b->len);
}

const struct ike_nonce *ike_nonce_lower(const struct ike_nonce *a, const struct ike_nonce *b)
{
	return ike_nonce_compare(a, b) < 0 ? a : b;
}

/* Timers */

static void queue_fires(struct ike_timer *t)
{
	ike_sa_work(ike_container(t, struct ike_sa, queue));
}

static void rekey_due(struct ike_sa *sa)
{
	if (!ike_task_find(sa, &ike_task_rekey_ike, 0) && ike_sa_usable(sa)) {
		ike_sa_log(sa, IKE_LOG_INFO, "rekey_time is over: rekeying");
		ike_task_add(sa, &ike_task_rekey_ike);
	}
	ike_sa_work(sa);
}

static void unlink_sa(struct ike_sa *sa)
{
	struct ike_engine *e = sa->engine;

	ike_table_remove(&e->by_spi, &sa->by_spi);
	ike_table_remove(&e->by_peer, &sa->by_peer);
	ike_table_remove(&e->by_id, &sa->by_id);
	ike_table_remove(&e->by_conn, &sa->by_conn);
	ike_table_remove(&e->kin, &sa->kin);
	TAILQ_REMOVE(&e->sas, sa, link);
	TAILQ_INSERT_TAIL(&e->dead, sa, link);
}

static void life_fires(struct ike_timer *t)
{
	struct ike_sa *sa = ike_container(t, struct ike_sa, life);

	switch (sa->state) {
	case IKE_SA_INIT_GOT:
	case IKE_SA_ADDKE_GOT:
	case IKE_SA_EAP_GOT:
	case IKE_SA_EAP_PROVEN:
	case IKE_SA_ROUND_DUE:
		ike_sa_close(sa, IKE_END_FAILED, false, "the peer did not authenticate in time");
		break;
	case IKE_SA_ESTABLISHED:
		rekey_due(sa);
		break;
	case IKE_SA_REKEYED:
		ike_sa_close(sa, IKE_END_REPLACED, false,
			     "the peer did not delete what it had rekeyed");
		break;
	case IKE_SA_CLOSED:
		unlink_sa(sa);
		break;
	default:
		break;
	}
}

static void over_fires(struct ike_timer *t)
{
	struct ike_sa *sa = ike_container(t, struct ike_sa, over);
	struct ike_task *task;

	if (sa->state != IKE_SA_ESTABLISHED)
		return;
	ike_sa_log(sa, IKE_LOG_ERROR, "over_time is over and no %s has succeeded: deleting",
		   ike_reauth_deadline(sa) <= sa->engine->now ? "re-authentication" : "rekeying");
	task = ike_task_add_first(sa, &ike_task_delete_ike);
	if (!task) {
		ike_sa_close(sa, IKE_END_EXPIRED, false, "its lifetime is over");
		return;
	}
	task->expired = true;
	ike_sa_set_state(sa, IKE_SA_DELETING);
	ike_sa_work(sa);
}

/* When the peer was last heard of, by IKE or by ESP. */
static ike_time last_heard(struct ike_sa *sa)
{
	struct ike_engine *e = sa->engine;
	struct ike_usage usage;
	struct ike_child *c;
	ike_time at;

	TAILQ_FOREACH(c, &sa->children, link) {
		if (!c->sa_in || e->ops->sa_query(e->host, c->sa_in, &usage) || !usage.packets ||
		    usage.idle_seconds > e->now / IKE_SECOND)
			continue;
		at = e->now - usage.idle_seconds * IKE_SECOND;
		if (at > sa->heard)
			sa->heard = at;
	}
	return sa->heard;
}

static void alive_fires(struct ike_timer *t)
{
	struct ike_sa *sa = ike_container(t, struct ike_sa, alive);
	struct ike_engine *e = sa->engine;
	ike_time delay = sa->conn->dpd_delay * IKE_SECOND, due = last_heard(sa) + delay;

	if (sa->state != IKE_SA_ESTABLISHED || !delay)
		return;
	if (due <= e->now) {
		if (!sa->task && !sa->window.request.p)
			ike_task_add(sa, &ike_task_liveness);
		due = e->now + delay;
	}
	ike_timer_set(&e->timers, t, due);
	ike_sa_work(sa);
}

static void keepalive_fires(struct ike_timer *t)
{
	struct ike_sa *sa = ike_container(t, struct ike_sa, keepalive);
	uint64_t seconds = sa->engine->config->settings.keepalive_interval;
	ike_time interval = (seconds ? seconds : DEFAULT_KEEPALIVE) * IKE_SECOND;
	struct ike_engine *e = sa->engine;

	if (sa->state != IKE_SA_ESTABLISHED || !sa->nat_local)
		return;
	if (sa->sent + interval <= e->now) {
		e->ops->keepalive(e->host, &sa->local, &sa->remote);
		sa->sent = e->now;
	}
	ike_timer_set(&e->timers, t, sa->sent + interval);
}

/* Birth */

uint64_t ike_sa_draw_spi(struct ike_engine *e)
{
	uint64_t spi;

	do
		ike_random_fill(&e->random, (uint8_t *)&spi, sizeof(spi));
	while (!spi || ike_sa_find(e, spi));
	return spi;
}

struct ike_sa *ike_sa_find(struct ike_engine *e, uint64_t own_spi)
{
	struct ike_node *node = own_spi ? ike_table_find(&e->by_spi, own_spi, NULL) : NULL;

	return node ? ike_container(node, struct ike_sa, by_spi) : NULL;
}

struct ike_sa *ike_sa_by_id(struct ike_engine *e, uint64_t id)
{
	struct ike_node *node = ike_table_find(&e->by_id, id, NULL);

	return node ? ike_container(node, struct ike_sa, by_id) : NULL;
}

static uint64_t conn_hash(const char *name)
{
	return ike_hash(IKE_HASH_START, name, strlen(name));
}

static uint64_t kin_hash(const struct ike_sa *sa)
{
	return conn_hash(sa->conn->name) ^ ike_id_hash(&sa->remote_id);
}

struct ike_sa *ike_sa_of_conn(const struct ike_engine *e, const char *conn, const struct ike_sa *after)
{
	uint64_t hash = conn_hash(conn);
	const struct ike_node *node = after ? &after->by_conn : NULL;
	struct ike_node *at = ike_table_find(&e->by_conn, hash, node);
	struct ike_sa *sa;

	for (; at; at = ike_table_find(&e->by_conn, hash, at)) {
		sa = ike_container(at, struct ike_sa, by_conn);
		if (!strcmp(sa->conn->name, conn))
			return sa;
	}
	return NULL;
}

struct ike_sa *ike_sa_kin(const struct ike_sa *sa, const struct ike_sa *after)
{
	const struct ike_table *t = &sa->engine->kin;
	uint64_t hash = kin_hash(sa);
	struct ike_node *at = ike_table_find(t, hash, after ? &after->kin : NULL);
	struct ike_sa *other;

	for (; at; at = ike_table_find(t, hash, at)) {
		other = ike_container(at, struct ike_sa, kin);
		if (!strcmp(other->conn->name, sa->conn->name) &&
		    ike_id_equal(&other->remote_id, &sa->remote_id))
			return other;
	}
	return NULL;
}

void ike_sa_set_conn(struct ike_sa *sa, const struct ike_conn_cfg *conn)
{
	ike_table_remove(&sa->engine->by_conn, &sa->by_conn);
	sa->conn = conn;
	ike_table_add(&sa->engine->by_conn, &sa->by_conn, conn_hash(conn->name));
}

void ike_sa_set_peer_spi(struct ike_sa *sa, uint64_t spi)
{
	if (sa->initiator)
		sa->spi_r = spi;
	else
		sa->spi_i = spi;
}

/* Whoever has one address of IPv6 has a network of them. */
static uint64_t source_of(const struct ike_addr *addr)
{
	size_t len = addr->family == AF_INET6 ? sizeof(uint64_t) : sizeof(uint32_t);
	uint64_t key = 0;

	for (size_t i = 0; i < len; i++)
		key = key << 8 | addr->bytes[i];
	return key;
}

unsigned int ike_sa_half_open_of(const struct ike_engine *e, const struct ike_addr *addr)
{
	const struct ike_node *node = NULL;
	unsigned int n = 0;

	while ((node = ike_table_find(&e->by_source, source_of(addr), node)))
		n++;
	return n;
}

/* A responder's, whose peer has not authenticated itself. */
static bool is_half_open(enum ike_sa_state state)
{
	return state == IKE_SA_INIT_GOT || state == IKE_SA_ADDKE_GOT || state == IKE_SA_EAP_GOT ||
	       state == IKE_SA_EAP_PROVEN || state == IKE_SA_ROUND_DUE;
}

void ike_sa_set_state(struct ike_sa *sa, enum ike_sa_state state)
{
	struct ike_engine *e = sa->engine;

	if (is_half_open(sa->state)) {
		e->counters.half_open--;
		ike_table_remove(&e->by_source, &sa->by_source);
	}
	sa->state = state;
	if (is_half_open(state)) {
		e->counters.half_open++;
		ike_table_add(&e->by_source, &sa->by_source, source_of(&sa->remote.addr));
	}
}

static void set_up(struct ike_sa *sa)
{
	sa->retransmit.fire = ike_sa_asked_in_vain;
	sa->queue.fire = queue_fires;
	sa->life.fire = life_fires;
	sa->over.fire = over_fires;
	sa->alive.fire = alive_fires;
	sa->reauth.fire = ike_reauth_due;
	sa->keepalive.fire = keepalive_fires;
	TAILQ_INIT(&sa->tasks);
	TAILQ_INIT(&sa->children);
}

struct ike_sa *ike_sa_new_spi(struct ike_engine *e, struct ike_config *config,
			      const struct ike_conn_cfg *conn, bool initiator, uint64_t spi_own,
			      uint64_t spi_peer, const struct ike_endpoint *local,
			      const struct ike_endpoint *remote)
{
	struct ike_sa *sa = calloc(1, sizeof(*sa));

	if (!sa || !ike_timers_reserve(&e->timers, IKE_SA_TIMERS)) {
		free(sa);
		return NULL;
	}
	set_up(sa);
	sa->engine = e;
	sa->config = ike_config_ref(config);
	sa->id = ++e->last_ike_id;
	sa->initiator = initiator;
	sa->spi_i = initiator ? spi_own : spi_peer;
	sa->spi_r = initiator ? spi_peer : spi_own;
	sa->first_spi = sa->spi_i;
	sa->began = initiator;
	sa->local = *local;
	sa->remote = *remote;
	sa->created = sa->heard = e->now;
	ike_sa_set_conn(sa, conn);
	ike_table_add(&e->by_id, &sa->by_id, sa->id);
	ike_table_add(&e->by_spi, &sa->by_spi, spi_own);
	if (!initiator)
		ike_table_add(&e->by_peer, &sa->by_peer, spi_peer);
	/* What has been shut down is at the end. */
	if (e->stopping)
		TAILQ_INSERT_HEAD(&e->sas, sa, link);
	else
		TAILQ_INSERT_TAIL(&e->sas, sa, link);
	ike_sa_set_state(sa, initiator ? IKE_SA_INIT_SENT : IKE_SA_INIT_GOT);
	return sa;
}

struct ike_sa *ike_sa_new(struct ike_engine *e, struct ike_config *config,
			  const struct ike_conn_cfg *conn, bool initiator, uint64_t spi_peer,
			  const struct ike_endpoint *local, const struct ike_endpoint *remote)
{
	return ike_sa_new_spi(e, config, conn, initiator, ike_sa_draw_spi(e), spi_peer, local,
			      remote);
}

bool ike_sa_set_keys(struct ike_sa *sa, const struct ike_key *skeyseed, struct ike_bytes ni,
		     struct ike_bytes nr, struct ike_error *err)
{
	struct ike_keys *k = &sa->keys;
	struct ike_cipher cipher;

	sa->prf = ike_prf_find(sa->suite.prf);
	if (!ike_keymat_ike(&sa->suite, skeyseed, ni, nr, sa->spi_i, sa->spi_r, k, err) ||
	    !ike_cipher_init(&cipher, sa->suite.encr, sa->suite.encr_bits, sa->suite.integ, err))
		return false;
	sa->keyed =
		ike_protect_init(sa->initiator ? &sa->out : &sa->in, &cipher, &k->ei, &k->ai,
				 err) &&
		ike_protect_init(sa->initiator ? &sa->in : &sa->out, &cipher, &k->er, &k->ar, err);
	return sa->keyed;
}

static void forget_init(struct ike_sa *sa)
{
	ike_packet_clear(&sa->init_sent);
	ike_packet_clear(&sa->init_got);
	ike_wipe(&sa->int_auth, sizeof(sa->int_auth));
	ike_ppk_free(sa->ppk);
	sa->ppk = NULL;
	free(sa->proven);
	sa->proven = NULL;
	ike_auth_eap_free(sa->eap);
	sa->eap = NULL;
	ike_packet_clear(&sa->peer_body);
	ike_incoming_unref(sa->first);
	sa->first = NULL;
}

static void start_timers(struct ike_sa *sa)
{
	const struct ike_conn_cfg *conn = sa->conn;
	struct ike_engine *e = sa->engine;
	uint64_t early = ike_random_below(e, conn->rand_time * IKE_SECOND + 1);
	ike_time over = IKE_NEVER;

	sa->rekey_at = 0;
	ike_timer_stop(&e->timers, &sa->life);
	if (conn->rekey_time) {
		sa->rekey_at = e->now + conn->rekey_time * IKE_SECOND - early;
		ike_timer_set(&e->timers, &sa->life, sa->rekey_at);
		over = e->now + (conn->rekey_time + conn->over_time) * IKE_SECOND;
	}
	if (ike_reauth_deadline(sa) < over)
		over = ike_reauth_deadline(sa);
	if (over != IKE_NEVER)
		ike_timer_set(&e->timers, &sa->over, over);
	ike_reauth_schedule(sa);
	if (conn->dpd_delay)
		ike_timer_set(&e->timers, &sa->alive, e->now + conn->dpd_delay * IKE_SECOND);
	if (sa->nat_local)
		ike_timer_set(&e->timers, &sa->keepalive, e->now);
}

void ike_sa_establish(struct ike_sa *sa)
{
	ike_sa_set_state(sa, IKE_SA_ESTABLISHED);
	sa->established = sa->engine->now;
	ike_table_remove(&sa->engine->kin, &sa->kin);
	ike_table_add(&sa->engine->kin, &sa->kin, kin_hash(sa));
	if (!sa->authenticated)
		sa->authenticated = sa->established;
	forget_init(sa);
	start_timers(sa);
}

void ike_sa_inherit(struct ike_sa *sa, struct ike_sa *old)
{
	struct ike_child *c, *next_child;
	struct ike_task *t, *next;

	for (c = TAILQ_FIRST(&old->children); c; c = next_child) {
		next_child = TAILQ_NEXT(c, link);
		ike_child_move(c, sa);
	}
	for (t = TAILQ_FIRST(&old->tasks); t; t = next) {
		next = TAILQ_NEXT(t, link);
		if (t->kind == &ike_task_rekey_ike)
			continue;
		TAILQ_REMOVE(&old->tasks, t, link);
		old->n_tasks--;
		TAILQ_INSERT_TAIL(&sa->tasks, t, link);
		sa->n_tasks++;
	}
	ike_followup_drop(old);
	sa->rival_of = 0;
	sa->announced = old->announced;
	ike_cp_move(old, sa);
	ike_refusals_clear(&sa->refusals);
	sa->refusals = old->refusals;
	old->refusals = (struct ike_refusals){0};
	ike_mobike_inherit(sa, old);
	ike_reauth_inherit(sa, old);
	ike_sa_set_state(old, IKE_SA_REKEYED);
	ike_timer_set(&old->engine->timers, &old->life, old->engine->now + IKE_REKEYED_TIME);
	ike_sa_log(sa, IKE_LOG_INFO, "takes over from %s[%" PRIu64 "]", old->conn->name, old->id);
	ike_emit(sa->engine, IKE_EVENT_IKE_REKEYED, sa->id, 0, old->id);
	/*
	 * What is queued may be of no use any more; those that rekeyed the IKE SA have got what
	 * they wanted.
	 */
	while ((t = ike_task_find(old, &ike_task_rekey_ike, 0)) && t != old->task) {
		TAILQ_REMOVE(&old->tasks, t, link);
		old->n_tasks--;
		ike_task_end(old, t, true, "");
	}
}

/* The end */

static void stop_timers(struct ike_sa *sa)
{
	struct ike_timer *all[] = {&sa->retransmit, &sa->queue, &sa->life,
				   &sa->over,	    &sa->alive, &sa->keepalive, &sa->reauth};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		ike_timer_stop(&sa->engine->timers, all[i]);
}

void ike_sa_close(struct ike_sa *sa, enum ike_end how, bool linger, const char *why)
{
	bool rekeyed = sa->state == IKE_SA_REKEYED;
	struct ike_engine *e = sa->engine;
	struct ike_child *c;
	struct ike_sa *rival;

	if (sa->state == IKE_SA_CLOSED)
		return;
	ike_sa_log(sa, how == IKE_END_FAILED || how == IKE_END_DEAD ? IKE_LOG_ERROR : IKE_LOG_INFO,
		   "%s: %s", sa->established ? "IKE SA is down" : "no IKE SA", why);
	if (sa->leaves && sa->leaves == e->leave_round)
		e->n_leaving--;
	/* From here on nothing finds it usable: what the children's ends start goes elsewhere. */
	ike_sa_set_state(sa, IKE_SA_CLOSED);
	stop_timers(sa);
	ike_sa_settle(sa);
	ike_job_forget(sa, IKE_ANSWERING);
	ike_followup_drop(sa);
	ike_aaa_forget(sa);
	ike_tasks_end(sa, why);
	ike_reauth_failed(sa, why);
	while ((c = TAILQ_FIRST(&sa->children)))
		ike_child_end(c, how, why);
	ike_cp_end(sa);
	if (sa->announced && !rekeyed)
		ike_emit(e, IKE_EVENT_IKE_DOWN, sa->id, 0, 0);
	/*
	 * What the peer's rekeying made of it was to take its place and has not. It stays in the
	 * list for a while, so that who walks that may close what it meets.
	 */
	rival = ike_rekey_rival(sa);
	if (rival)
		ike_sa_close(rival, how, true, why);
	if (linger)
		ike_timer_set(&e->timers, &sa->life, e->now + IKE_LINGER_TIME);
	else
		unlink_sa(sa);
}

void ike_sa_delete_replaced(struct ike_sa *sa)
{
	struct ike_task *t = ike_task_add_first(sa, &ike_task_delete_ike);

	if (!t) {
		ike_sa_close(sa, IKE_END_REPLACED, false, "another IKE SA has taken its place");
		return;
	}
	t->replaced = true;
	ike_sa_set_state(sa, IKE_SA_DELETING);
	ike_sa_work(sa);
}

static void wipe(struct ike_sa *sa)
{
	ike_keys_clear(&sa->keys);
	ike_protect_clear(&sa->in);
	ike_protect_clear(&sa->out);
	ike_window_clear(&sa->window);
	for (size_t i = 0; i < IKE_SIDES; i++)
		ike_fragments_clear(&sa->fragments[i]);
	ike_aaa_forget(sa);
	forget_init(sa);
	ike_followup_drop(sa);
	ike_job_forget(sa, IKE_ASKING);
	ike_job_forget(sa, IKE_ANSWERING);
	ike_tasks_free(sa);
	free(sa->user);
}

void ike_sa_free(struct ike_sa *sa)
{
	struct ike_engine *e = sa->engine;
	struct ike_child *c;

	stop_timers(sa);
	ike_timers_release(&e->timers, IKE_SA_TIMERS);
	while ((c = TAILQ_FIRST(&sa->children))) {
		TAILQ_REMOVE(&sa->children, c, link);
		ike_child_free(c);
	}
	ike_refusals_clear(&sa->refusals);
	free(sa->nets);
	wipe(sa);
	ike_config_unref(sa->config);
	free(sa);
}

void ike_engine_bury(struct ike_engine *e)
{
	struct ike_child *c;
	struct ike_sa *sa;

	while ((c = TAILQ_FIRST(&e->dead_children))) {
		TAILQ_REMOVE(&e->dead_children, c, link);
		ike_child_free(c);
	}
	while ((sa = TAILQ_FIRST(&e->dead))) {
		TAILQ_REMOVE(&e->dead, sa, link);
		ike_sa_free(sa);
	}
}

/* The peer */

void ike_sa_heard(struct ike_sa *sa)
{
	sa->heard = sa->engine->now;
}

static bool same_endpoint(const struct ike_endpoint *a, const struct ike_endpoint *b)
{
	return a->port == b->port && ike_addr_equal(&a->addr, &b->addr);
}

void ike_sa_follow(struct ike_sa *sa, const struct ike_endpoint *local,
		   const struct ike_endpoint *remote)
{
	char was[IKE_ADDR_TEXT_MAX], is[IKE_ADDR_TEXT_MAX];
	bool early = sa->state < IKE_SA_ESTABLISHED;
	struct ike_child *c;

	if (same_endpoint(local, &sa->local) && same_endpoint(remote, &sa->remote))
		return;
	/*
	 * In IKE_AUTH an initiator goes over to port 4500. Later only a NAT can have moved the
	 * peer, and only an end that is not behind one itself follows: else whoever repeats a
	 * message from elsewhere could lead it there.
	 */
	if (!early && (!sa->nat_remote || sa->nat_local))
		return;
	ike_sa_log(sa, early ? IKE_LOG_DEBUG : IKE_LOG_INFO,
		   "the peer has moved from %s port %u to %s port %u",
		   ike_addr_text(&sa->remote.addr, was, sizeof(was)), sa->remote.port,
		   ike_addr_text(&remote->addr, is, sizeof(is)), remote->port);
	sa->local = *local;
	sa->remote = *remote;
	TAILQ_FOREACH(c, &sa->children, link)
		ike_child_readdress(c);
}
