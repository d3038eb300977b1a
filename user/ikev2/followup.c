// SPDX-License-Identifier: MIT
/* IKE_FOLLOWUP_KE, both roles. */
#include <stdlib.h>
#include <string.h>

#include "ikev2/followup.h"
#include "ikev2/negotiate.h"

static struct ike_followup *followup_new(struct ike_sa *sa, struct ike_incoming *first,
					 const struct ike_suite *suite,
					 const struct ike_secret *secret)
{
	struct ike_followup *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->sa = sa;
	f->first = ike_incoming_ref(first);
	f->suite = *suite;
	f->at = ike_suite_addke(suite, 0);
	f->secret = *secret;
	return f;
}

void ike_followup_free(struct ike_followup *f)
{
	struct ike_engine *e;

	if (!f)
		return;
	e = f->sa->engine;
	if (f->answering) {
		ike_timer_stop(&e->timers, &f->lapse);
		ike_timers_release(&e->timers, 1);
	}
	if (f->spi)
		e->ops->spi_free(e->host, &f->spi_at, f->spi);
	ike_incoming_unref(f->first);
	free(f->choice);
	ike_wipe(f, sizeof(*f));
	free(f);
}

/* True if that was the last one. */
static bool add_secret(struct ike_followup *f, const struct ike_secret *secret)
{
	memcpy(f->more + f->more_len, secret->bytes, secret->len);
	f->more_len += secret->len;
	f->at = ike_suite_addke(&f->suite, f->at + 1);
	return f->at == IKE_ADDKE_MAX;
}

static bool take_ke(const struct ike_followup *f, const struct ike_incoming *in,
		    struct ike_bytes *peer, struct ike_error *err)
{
	uint8_t unused[2];

	if (ike_ke_check(&in->all, f->suite.addke[f->at], peer, unused, err))
		return true;
	/* Both ends have agreed on the method: another one is no offer, but a fault. */
	err->notify = IKE_NOTIFY_INVALID_SYNTAX;
	return false;
}

/* Initiator */

static bool take_link(struct ike_followup *f, const struct ike_incoming *in, struct ike_error *err)
{
	struct ike_wire_notify n;

	if (!ike_find_notify(&in->all, IKE_NOTIFY_ADDITIONAL_KEY_EXCHANGE, &n))
		return ike_fail(err, "additional key exchanges are agreed on, but the peer does "
				"not say how to go on (ADDITIONAL_KEY_EXCHANGE)");
	if (n.data.len > sizeof(f->link))
		return ike_fail(err, "ADDITIONAL_KEY_EXCHANGE of %zu bytes, %d are the most",
				n.data.len, IKE_LINK_MAX);
	memcpy(f->link, n.data.p, n.data.len);
	f->link_len = n.data.len;
	return true;
}

static void generated(struct ike_sa *sa, const struct ike_job *job, struct ike_incoming *in)
{
	if (!job->ok) {
		ike_task_step(sa, ike_task_fail(sa->task, "%s", job->err.text));
		return;
	}
	sa->task->dh = job->key;
	ike_task_step(sa, IKE_STEP_SEND);
}

static enum ike_step generate(struct ike_sa *sa, struct ike_task *t)
{
	uint16_t group = t->followup->suite.addke[t->followup->at];

	if (!ike_job_generate(sa, IKE_ASKING, group, ike_bytes(NULL, 0), generated, NULL))
		return ike_task_fail(t, "key exchange %u cannot be used", group);
	return IKE_STEP_WAIT;
}

enum ike_step ike_followup_begin(struct ike_sa *sa, struct ike_task *t, struct ike_incoming *first,
				 const struct ike_suite *suite, const struct ike_secret *secret)
{
	struct ike_error err = {0};

	t->followup = followup_new(sa, first, suite, secret);
	if (!t->followup)
		return ike_task_fail(t, "out of memory");
	if (!take_link(t->followup, first, &err))
		return ike_task_fail(t, "%s", err.text);
	return generate(sa, t);
}

void ike_followup_build(struct ike_task *t, struct ike_writer *w)
{
	ike_put_ke(w, ike_dh_id(t->dh.group), ike_dh_public(&t->dh));
	ike_followup_put_link(w, t->followup);
}

static void derived(struct ike_sa *sa, const struct ike_job *job, struct ike_incoming *in)
{
	struct ike_task *t = sa->task;
	struct ike_error err = job->err;

	if (!job->ok)
		ike_task_step(sa, ike_task_fail(t, "%s", err.text));
	else if (add_secret(t->followup, &job->secret))
		ike_task_step(sa, t->kind->completed(sa, t));
	else if (take_link(t->followup, in, &err))
		ike_task_step(sa, generate(sa, t));
	else
		ike_task_step(sa, ike_task_fail(t, "%s", err.text));
}

enum ike_step ike_followup_answered(struct ike_sa *sa, struct ike_task *t, struct ike_incoming *in)
{
	struct ike_error err = {0};
	struct ike_bytes peer;

	if (!take_ke(t->followup, in, &peer, &err))
		return ike_task_fail(t, "IKE_FOLLOWUP_KE: %s", err.text);
	if (!ike_job_derive(sa, IKE_ASKING, &t->dh, peer, derived, in))
		return ike_task_fail(t, "out of memory");
	return IKE_STEP_WAIT;
}

/* Responder */

static void lapse(struct ike_timer *t)
{
	struct ike_followup *f = ike_container(t, struct ike_followup, lapse);

	ike_sa_log(f->sa, IKE_LOG_INFO,
		   "the peer does not go on with its additional key exchanges");
	ike_followup_drop(f->sa);
}

void ike_followup_drop(struct ike_sa *sa)
{
	ike_followup_free(sa->followup);
	sa->followup = NULL;
}

/* Each link is good for one request. */
static void draw_link(struct ike_followup *f)
{
	struct ike_engine *e = f->sa->engine;

	f->link_len = IKE_LINK_LEN;
	ike_random_fill(&e->random, f->link, f->link_len);
	ike_timer_set(&e->timers, &f->lapse, e->now + IKE_FOLLOWUP_TIME);
}

struct ike_followup *ike_followup_await(struct ike_sa *sa, struct ike_incoming *first,
					const struct ike_suite *suite,
					const struct ike_secret *secret)
{
	struct ike_followup *f;

	if (!ike_timers_reserve(&sa->engine->timers, 1))
		return NULL;
	f = followup_new(sa, first, suite, secret);
	if (!f) {
		ike_timers_release(&sa->engine->timers, 1);
		return NULL;
	}
	f->answering = true;
	f->lapse.fire = lapse;
	draw_link(f);
	ike_followup_drop(sa);
	sa->followup = f;
	return f;
}

void ike_followup_put_link(struct ike_writer *w, const struct ike_followup *f)
{
	ike_put_notify(w, IKE_NOTIFY_ADDITIONAL_KEY_EXCHANGE, ike_bytes(f->link, f->link_len));
}

static void refuse(struct ike_sa *sa, const struct ike_incoming *in, const struct ike_error *err)
{
	sa->engine->counters.refused++;
	ike_sa_log(sa, IKE_LOG_ERROR, "IKE_FOLLOWUP_KE refused: %s", err->text);
	ike_followup_drop(sa);
	ike_sa_answer_error(sa, in, err);
	ike_sa_work(sa);
}

static void not_found(struct ike_sa *sa, const struct ike_incoming *in)
{
	sa->engine->counters.refused++;
	ike_sa_log(sa, IKE_LOG_ERROR, "IKE_FOLLOWUP_KE refused: nothing waits for it");
	ike_sa_answer_notify(sa, in, IKE_NOTIFY_STATE_NOT_FOUND, ike_bytes(NULL, 0));
	ike_sa_work(sa);
}

static void go_on(struct ike_sa *sa, const struct ike_incoming *in, const struct ike_job *job)
{
	struct ike_outgoing o;

	draw_link(sa->followup);
	ike_outgoing_begin(&o, sa, in->header.exchange, in->header.message_id, true);
	ike_put_ke(&o.w, ike_dh_id(job->key.group), ike_dh_public(&job->key));
	ike_followup_put_link(&o.w, sa->followup);
	ike_sa_answer(sa, in, &o);
}

static void computed(struct ike_sa *sa, const struct ike_job *job, struct ike_incoming *in)
{
	struct ike_followup *f = sa->followup;

	/* What it was for may have gone meanwhile. */
	if (!f) {
		not_found(sa, in);
		return;
	}
	if (!job->ok) {
		refuse(sa, in, &job->err);
		return;
	}
	if (!add_secret(f, &job->secret)) {
		go_on(sa, in, job);
		return;
	}
	sa->followup = NULL;
	if (f->choice)
		ike_child_followed(sa, in, job, f);
	else
		ike_rekey_followed(sa, in, job, f);
}

static bool is_linked(const struct ike_followup *f, const struct ike_incoming *in)
{
	struct ike_wire_notify n;

	return f && ike_find_notify(&in->all, IKE_NOTIFY_ADDITIONAL_KEY_EXCHANGE, &n) &&
	       ike_secret_equal(n.data, ike_bytes(f->link, f->link_len));
}

void ike_followup_request(struct ike_sa *sa, struct ike_incoming *in)
{
	struct ike_followup *f = sa->followup;
	struct ike_error err = {0};
	struct ike_bytes peer;

	if (!is_linked(f, in)) {
		not_found(sa, in);
		return;
	}
	if (!take_ke(f, in, &peer, &err)) {
		refuse(sa, in, &err);
		return;
	}
	ike_timer_stop(&sa->engine->timers, &f->lapse);
	if (!ike_job_generate(sa, IKE_ANSWERING, f->suite.addke[f->at], peer, computed, in)) {
		ike_fail(&err, "out of memory");
		refuse(sa, in, &err);
	}
}
