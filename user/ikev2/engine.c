// SPDX-License-Identifier: MIT
/* The engine's outer side: its life, time, datagrams and the data plane's events. */
#include <stdlib.h>

#include "ikev2/child.h"
#include "ikev2/connect.h"
#include "ikev2/dispatch.h"
#include "ikev2/goal.h"
#include "ikev2/mobike.h"
#include "ikev2/spd.h"
#include "ikev2/ticket.h"

enum {
	TICK_MOST = 100000, /* timers in one tick: no fault of ours may stop the host */
	JITTER_PART = 10,
	LEAVING_MOST = 256,
	LEAVING_TIME = IKE_SECOND / 10,
};

uint64_t ike_random_below(struct ike_engine *e, uint64_t n)
{
	uint64_t v;

	if (!n)
		return 0;
	ike_random_fill(&e->random, (uint8_t *)&v, sizeof(v));
	return v % n;
}

ike_time ike_jitter(struct ike_engine *e, ike_time span)
{
	ike_time part = span / JITTER_PART;

	return span - part + ike_random_below(e, 2 * part + 1);
}

static void next_round(struct ike_timer *t);

struct ike_engine *ike_engine_new(const struct ike_host *ops, void *host, struct ike_config *config,
				  ike_time now)
{
	struct ike_engine *e = calloc(1, sizeof(*e));

	if (!e || !ike_timers_reserve(&e->timers, 1)) {
		free(e);
		return NULL;
	}
	e->leave.fire = next_round;
	e->ops = ops;
	e->host = host;
	e->random = (struct ike_random){ops->random, host};
	e->config = ike_config_ref(config);
	e->now = now;
	TAILQ_INIT(&e->sas);
	TAILQ_INIT(&e->dead);
	TAILQ_INIT(&e->dead_children);
	TAILQ_INIT(&e->goals);
	TAILQ_INIT(&e->lookups);
	TAILQ_INIT(&e->policies);
	TAILQ_INIT(&e->tickets);
	ike_leases_init(&e->leases);
	ike_inquiries_init(&e->inquiries);
	ike_cookie_init(&e->jar, &e->random, now);
	return e;
}

void ike_engine_free(struct ike_engine *e)
{
	struct ike_sa *sa;

	if (!e)
		return;
	while ((sa = TAILQ_FIRST(&e->sas))) {
		TAILQ_REMOVE(&e->sas, sa, link);
		ike_sa_free(sa);
	}
	ike_spd_free(e);
	ike_lookups_free(e);
	ike_goals_free(e);
	ike_tickets_free(e);
	ike_timers_free(&e->timers);
	ike_leases_free(&e->leases);
	ike_inquiries_free(e);
	ike_trust_forget(e);
	ike_cookie_clear(&e->jar);
	ike_config_unref(e->config);
	free(e);
}

static void enter(struct ike_engine *e, ike_time now)
{
	if (now > e->now)
		e->now = now;
}

/* The end */

static void shut_down(struct ike_sa *sa)
{
	switch (sa->state) {
	case IKE_SA_INIT_SENT:
	case IKE_SA_INIT_GOT:
	case IKE_SA_AUTH_SENT:
	case IKE_SA_EAP_SENT:
	case IKE_SA_EAP_PROVING:
	case IKE_SA_EAP_GOT:
	case IKE_SA_EAP_PROVEN:
	case IKE_SA_ROUND_SENT:
	case IKE_SA_ROUND_DUE:
		ike_sa_close(sa, IKE_END_COMMAND, false, "shutting down");
		return;
	case IKE_SA_ESTABLISHED:
	case IKE_SA_REKEYED:
		if (!ike_task_add_first(sa, &ike_task_delete_ike)) {
			ike_sa_close(sa, IKE_END_COMMAND, false, "shutting down");
			return;
		}
		ike_sa_set_state(sa, IKE_SA_DELETING);
		/* What waits for a key exchange has not been sent yet. */
		if (!sa->window.request.p)
			ike_task_abandon(sa, false, "shutting down");
		ike_sa_work(sa);
		return;
	default:
		return;
	}
}

/*
 * Thousands of DELETEs at once would be lost where buffers end, ours for the answers among them: there are only so
 * many that wait for one. Who does not answer is waited for no longer than a round takes.
 */
static void shut_down_more(struct ike_engine *e)
{
	struct ike_sa *sa;

	while (e->n_leaving < LEAVING_MOST && (sa = TAILQ_FIRST(&e->sas)) && !sa->leaves) {
		TAILQ_REMOVE(&e->sas, sa, link);
		TAILQ_INSERT_TAIL(&e->sas, sa, link);
		sa->leaves = e->leave_round;
		e->n_leaving++;
		shut_down(sa);
	}
}

static void next_round(struct ike_timer *t)
{
	struct ike_engine *e = ike_container(t, struct ike_engine, leave);
	const struct ike_sa *first;

	e->leave_round++;
	e->n_leaving = 0;
	shut_down_more(e);
	first = TAILQ_FIRST(&e->sas);
	if (first && !first->leaves)
		ike_timer_set(&e->timers, t, e->now + LEAVING_TIME);
}

static void leave(struct ike_engine *e)
{
	if (e->stopping)
		shut_down_more(e);
	ike_engine_bury(e);
}

void ike_engine_configure(struct ike_engine *e, struct ike_config *config, ike_time now)
{
	struct ike_config *old = e->config;

	enter(e, now);
	e->config = ike_config_ref(config);
	ike_trust_forget(e);
	ike_config_unref(old);
	ike_inquiries_forget(e);
}

void ike_engine_flush(struct ike_engine *e)
{
	ike_trust_forget(e);
	ike_inquiries_forget(e);
}

void ike_engine_restore_lease(struct ike_engine *e, const char *pool, const char *identity,
			      const struct ike_addr *addr)
{
	ike_lease_restore(&e->leases, pool, identity, addr);
}

void ike_engine_start(struct ike_engine *e, ike_time now)
{
	enter(e, now);
	ike_goals_start(e);
	leave(e);
}

void ike_engine_start_conns(struct ike_engine *e, ike_time now, char *const *conns, size_t n)
{
	enter(e, now);
	ike_goals_start_conns(e, conns, n);
	leave(e);
}

void ike_engine_shutdown(struct ike_engine *e, ike_time now)
{
	enter(e, now);
	e->stopping = true;
	next_round(&e->leave);
	leave(e);
}

size_t ike_engine_remaining(const struct ike_engine *e)
{
	const struct ike_sa *sa;
	size_t n = 0;

	TAILQ_FOREACH(sa, &e->sas, link)
		n += sa->state != IKE_SA_CLOSED;
	return n;
}

bool ike_engine_idle(const struct ike_engine *e)
{
	const struct ike_sa *sa;

	TAILQ_FOREACH(sa, &e->sas, link)
		if (sa->state != IKE_SA_CLOSED)
			return false;
	return true;
}

void ike_engine_receive(struct ike_engine *e, ike_time now, const struct ike_endpoint *local,
			const struct ike_endpoint *remote, const uint8_t *message, size_t len)
{
	enter(e, now);
	e->counters.received++;
	ike_dispatch(e, local, remote, ike_bytes(message, len));
	leave(e);
}

void ike_engine_radius(struct ike_engine *e, ike_time now, const struct ike_endpoint *server,
		       const uint8_t *packet, size_t len)
{
	enter(e, now);
	ike_aaa_answer(e, server, ike_bytes(packet, len));
	leave(e);
}

void ike_engine_tick(struct ike_engine *e, ike_time now)
{
	struct ike_timer *t;

	enter(e, now);
	for (unsigned int i = 0; i < TICK_MOST && (t = ike_timers_take(&e->timers, e->now)); i++)
		t->fire(t);
	leave(e);
}

ike_time ike_engine_next(const struct ike_engine *e)
{
	return ike_timers_next(&e->timers);
}

void ike_engine_job_done(struct ike_engine *e, ike_time now, struct ike_job *job)
{
	enter(e, now);
	if (job->proof && job->ok)
		ike_trust_learn(e, job->proof);
	if (!ike_inquire(e, job)) {
		ike_job_resume(e, job);
		ike_job_free(job);
	}
	leave(e);
}

void ike_engine_fetch_done(struct ike_engine *e, ike_time now, struct ike_fetch *fetch,
			   const uint8_t *body, size_t len, const char *why)
{
	enter(e, now);
	ike_inquiry_answered(e, fetch, body, len, why);
	ike_fetch_free(fetch);
	leave(e);
}

/* The data plane has removed that SA. */
static void hard_expired(struct ike_child *c, bool inbound)
{
	ike_child_log(c, IKE_LOG_INFO, "hard limit reached %s", inbound ? "inbound" : "outbound");
	if (inbound)
		c->sa_in = 0;
	else
		c->sa_out = 0;
	ike_child_delete(c, 0, true);
	ike_sa_work(c->sa);
}

void ike_engine_sa_expire(struct ike_engine *e, ike_time now, uint64_t cookie, bool inbound,
			  uint32_t spi, bool hard, const char *limit)
{
	struct ike_child *c;

	enter(e, now);
	c = ike_child_find(e, cookie);
	if (c && (inbound ? c->spi_in : c->spi_out) == spi) {
		if (hard) {
			hard_expired(c, inbound);
		} else if (ike_child_is_up(c)) {
			ike_child_log(c, IKE_LOG_INFO, "soft limit%s%s reached %s: rekeying",
				      limit ? " of " : "", limit ? limit : "",
				      inbound ? "inbound" : "outbound");
			ike_child_rekey(c, 0);
			ike_sa_work(c->sa);
		}
	}
	leave(e);
}

void ike_engine_acquire(struct ike_engine *e, ike_time now, uint64_t cookie)
{
	enter(e, now);
	ike_goal_trapped(e, cookie);
	leave(e);
}

void ike_engine_resolved(struct ike_engine *e, ike_time now, uint64_t id,
			 const struct ike_addr *addrs, size_t n, const char *why)
{
	enter(e, now);
	ike_lookup_answered(e, id, addrs, n, why);
	leave(e);
}

void ike_engine_sa_mapping(struct ike_engine *e, ike_time now, uint64_t cookie, uint32_t spi,
			   const struct ike_endpoint *remote)
{
	struct ike_endpoint at = *remote;
	struct ike_child *c;

	enter(e, now);
	c = ike_child_find(e, cookie);
	if (c && c->spi_in == spi) {
		/* The data plane does not tell the link, on which the SA stays. */
		if (ike_addr_link_local(&at.addr))
			at.addr.scope = c->sa->local.addr.scope;
		ike_sa_follow(c->sa, &c->sa->local, &at);
	}
	leave(e);
}

void ike_engine_roam(struct ike_engine *e, ike_time now)
{
	struct ike_sa *sa, *next;

	enter(e, now);
	for (sa = TAILQ_FIRST(&e->sas); sa; sa = next) {
		next = TAILQ_NEXT(sa, link);
		ike_mobike_roam(sa);
	}
	leave(e);
}

void ike_engine_counters(const struct ike_engine *e, struct ike_counters *out)
{
	*out = e->counters;
}
