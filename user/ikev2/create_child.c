// SPDX-License-Identifier: MIT
/*
 * CREATE_CHILD_SA for a CHILD_SA, new (RFC 7296 section 1.3.1) or in place of another (1.3.3), both
 * roles, with the collisions of section 2.8.1 and 2.25.1. Replacing the IKE SA is in rekey_ike.c.
 */
#include <stdlib.h>
#include <string.h>

#include "ikev2/connect.h"
#include "ikev2/followup.h"
#include "ikev2/negotiate.h"
#include "ikev2/rivals.h"

/* Initiator */

static struct ike_child *old_of(struct ike_sa *sa, const struct ike_task *t)
{
	struct ike_child *c = ike_child_find(sa->engine, t->child_id);

	return c && c->sa == sa ? c : NULL;
}

/* What was to be replaced may have gone, or been replaced by the peer, in the meantime. */
static bool is_moot(struct ike_sa *sa, const struct ike_task *t)
{
	const struct ike_child *old = old_of(sa, t);

	return t->child_id && (!old || !ike_child_is_up(old));
}

static void generated(struct ike_sa *sa, const struct ike_job *job, struct ike_incoming *in)
{
	struct ike_task *t = sa->task;

	if (!job->ok) {
		ike_task_step(sa, ike_task_fail(t, "%s", job->err.text));
		return;
	}
	t->dh = job->key;
	ike_task_step(sa, is_moot(sa, t) ? IKE_STEP_DONE : IKE_STEP_SEND);
}

static enum ike_step generate(struct ike_sa *sa, struct ike_task *t)
{
	if (t->group == IKE_KE_NONE)
		return IKE_STEP_SEND;
	if (!ike_job_generate(sa, IKE_ASKING, t->group, ike_bytes(NULL, 0), generated, NULL))
		return ike_task_fail(t, "key exchange %u cannot be used", t->group);
	return IKE_STEP_WAIT;
}

static enum ike_step begin_exchange(struct ike_sa *sa, struct ike_task *t)
{
	struct ike_engine *e = sa->engine;
	const char *why = "";

	t->spi_at = sa->local.addr;
	if (e->ops->spi_alloc(e->host, &t->spi_at, &t->spi, &why))
		return ike_task_fail(t, "no SPI: %s", why);
	ike_random_fill(&e->random, t->nonce, sizeof(t->nonce));
	return generate(sa, t);
}

static enum ike_step begin_create(struct ike_sa *sa, struct ike_task *t)
{
	ike_part_clear(&t->part);
	switch (ike_coverage_rest(sa, t->cfg, t->single || t->cfg->single_pair, &t->part)) {
	case IKE_REST_NONE:
		return IKE_STEP_DONE;
	case IKE_REST_UNKNOWN:
		return ike_task_fail(t, "out of memory");
	default:
		break;
	}
	if (!t->group)
		t->group = ike_proposal_first_ke(&t->cfg->proposals);
	return begin_exchange(sa, t);
}

/* The group in use, if there is one: the peer has it for certain. */
static enum ike_step begin_rekey(struct ike_sa *sa, struct ike_task *t)
{
	struct ike_child *old = old_of(sa, t);

	if (!old || !ike_child_is_up(old))
		return IKE_STEP_DONE;
	if (!ike_child_is_known(old))
		return IKE_STEP_LATER;
	/* One that came before has gone, or @old would not be up. */
	t->rivalled = false;
	if (!t->config) {
		t->config = ike_config_ref(old->config);
		t->cfg = old->cfg;
	}
	if (!t->group)
		t->group =
			old->suite.ke ? old->suite.ke : ike_proposal_first_ke(&t->cfg->proposals);
	return begin_exchange(sa, t);
}

static void build(struct ike_sa *sa, struct ike_task *t, struct ike_writer *w)
{
	struct ike_child *old = t->child_id ? old_of(sa, t) : NULL;

	if (old)
		ike_put_notify_spi32(w, IKE_NOTIFY_REKEY_SA, IKE_PROTO_ESP, old->spi_in);
	ike_put_child_mode(w, sa, t, old);
	ike_put_child_sa(w, t->cfg, t->spi, false);
	ike_put_nonce(w, ike_bytes(t->nonce, sizeof(t->nonce)));
	if (t->group)
		ike_put_ke(w, t->group, ike_dh_public(&t->dh));
	ike_put_child_ts(w, sa, t, old);
}

/* The peer has a CHILD_SA that we cannot use. */
static void delete_unusable(struct ike_sa *sa, uint32_t spi)
{
	struct ike_task *t = ike_task_add(sa, &ike_task_delete_child);

	ike_sa_log(sa, IKE_LOG_ERROR, "the CHILD_SA with our SPI %08x is of no use: deleting it",
		   spi);
	if (t)
		t->doomed_spi = spi;
}

/* By the answer to CREATE_CHILD_SA, unless additional key exchanges have to come first. */
static enum ike_step complete(struct ike_sa *sa, struct ike_task *t, struct ike_incoming *in,
			      const struct ike_secret *secret)
{
	struct ike_child *old = t->child_id ? old_of(sa, t) : NULL, *rival, *c;
	struct ike_nonce ni = {.len = sizeof(t->nonce)}, nr;
	struct ike_choice choice;
	struct ike_making m = {
		.choice = &choice,
		.initiator = true,
		.spi = &t->spi,
		.ni = &ni,
		.nr = &nr,
		.secret = ike_secret_bytes(secret),
		.more = ike_followup_more(t->followup),
		.rekey = t->child_id,
		.old = old,
	};
	struct ike_error err = {0};
	uint32_t spi = t->spi;

	memcpy(ni.bytes, t->nonce, sizeof(t->nonce));
	if (!ike_child_check(sa, &in->all, t, old, false, &choice, &err) ||
	    !ike_nonce_find(&in->all, &nr, &err))
		goto unusable;
	if (choice.suite.ke != (secret->len ? t->group : IKE_KE_NONE)) {
		ike_fail(&err, "the peer chose key exchange %u, but sent another", choice.suite.ke);
		goto unusable;
	}
	if (!t->followup && ike_suite_addke(&choice.suite, 0) < IKE_ADDKE_MAX)
		return ike_followup_begin(sa, t, in, &choice.suite, secret);
	rival = old ? ike_child_find(sa->engine, old->successor) : NULL;
	c = ike_child_make(sa, &m, &err);
	if (!c)
		goto unusable;
	ike_rivals_settle(sa, t, c, old, rival);
	return t->child_id ? IKE_STEP_DONE : ike_create_goes_on(sa, t);
unusable:
	ike_sa_log(sa, IKE_LOG_ERROR, "child %s: %s", t->cfg->name, err.text);
	delete_unusable(sa, spi);
	return ike_task_fail(t, "%s", err.text);
}

static void derived(struct ike_sa *sa, const struct ike_job *job, struct ike_incoming *in)
{
	struct ike_task *t = sa->task;

	if (job->ok)
		ike_task_step(sa, complete(sa, t, in, &job->secret));
	else
		ike_task_step(sa, ike_task_fail(t, "%s", job->err.text));
}

static enum ike_step completed(struct ike_sa *sa, struct ike_task *t)
{
	return complete(sa, t, t->followup->first, &t->followup->secret);
}

/* The same again with another group (section 1.3): a new exchange. */
static enum ike_step take_group(struct ike_sa *sa, struct ike_task *t,
				const struct ike_wire_notify *n)
{
	uint16_t group = ike_ke_retry(n, &t->cfg->proposals, t->group);

	if (is_moot(sa, t))
		return IKE_STEP_DONE;
	if (!group || t->restarts++)
		return ike_task_fail(t, "the peer wants a key exchange that is not configured");
	ike_sa_log(sa, IKE_LOG_INFO, "the peer wants key exchange %s",
		   ike_transform_id_name(IKE_TRANSFORM_KE, group));
	t->group = group;
	ike_dh_clear(&t->dh);
	return generate(sa, t);
}

enum ike_step ike_create_goes_on(struct ike_sa *sa, struct ike_task *t)
{
	if (ike_coverage_full(sa, t->cfg))
		return IKE_STEP_DONE;
	if (++t->rounds < IKE_PARTS_MAX)
		return IKE_STEP_AGAIN;
	ike_sa_log(sa, IKE_LOG_ERROR,
		   "child %s: %u CHILD_SAs, and the peer wants more of them: given up",
		   t->cfg->name, t->rounds);
	return ike_task_fail(t, "too many CHILD_SAs for child %s", t->cfg->name);
}

/* Other parts may still be had, unless this was all. */
static bool is_of_part(const struct ike_task *t, uint16_t notify)
{
	return notify == IKE_NOTIFY_TS_UNACCEPTABLE && t->part.n_local;
}

static enum ike_step part_refused(struct ike_sa *sa, struct ike_task *t)
{
	char local[2 * IKE_TS_TEXT_MAX], remote[2 * IKE_TS_TEXT_MAX];

	ike_sa_log(sa, IKE_LOG_INFO, "child %s: the peer does not take %s === %s", t->cfg->name,
		   ike_ts_list_text(t->part.local, t->part.n_local, local, sizeof(local)),
		   ike_ts_list_text(t->part.remote, t->part.n_remote, remote, sizeof(remote)));
	ike_refusals_add(&sa->refusals, t->cfg->name, &t->part);
	return ike_create_goes_on(sa, t);
}

enum ike_step ike_create_refused(struct ike_sa *sa, struct ike_task *t,
				 const struct ike_payloads *all)
{
	char why[IKE_TASK_WHY_MAX];
	struct ike_wire_notify n = {0};

	ike_find_error(all, &n);
	if (n.type == IKE_NOTIFY_SINGLE_PAIR_REQUIRED && !ike_part_is_pair(&t->part) && !t->single) {
		ike_sa_log(sa, IKE_LOG_INFO, "child %s: the peer takes single pairs of selectors: "
			   "one CHILD_SA for each", t->cfg->name);
		t->single = true;
		return ike_create_goes_on(sa, t);
	}
	if (is_of_part(t, n.type))
		return part_refused(sa, t);
	return ike_task_fail(t, "%s", ike_child_refused(sa, t->cfg, all, why, sizeof(why)));
}

static enum ike_step refused(struct ike_sa *sa, struct ike_task *t, const struct ike_incoming *in)
{
	struct ike_child *old = t->child_id ? old_of(sa, t) : NULL;
	char why[IKE_TASK_WHY_MAX];
	struct ike_wire_notify n;

	if (!ike_find_error(&in->all, &n))
		return ike_task_fail(t, "the peer's answer to CREATE_CHILD_SA holds nothing");
	switch (n.type) {
	case IKE_NOTIFY_INVALID_KE_PAYLOAD:
		if (t->followup)
			break;
		return take_group(sa, t, &n);
	/* RFC 9370 section 2.2.4: it has forgotten what we were about. */
	case IKE_NOTIFY_STATE_NOT_FOUND:
	case IKE_NOTIFY_TEMPORARY_FAILURE:
		return IKE_STEP_LATER;
	case IKE_NOTIFY_CHILD_SA_NOT_FOUND:
		/*
		 * Section 2.25.1: what the peer does not have we do not have either. Another may
		 * have replaced it.
		 */
		if (old && ike_child_is_up(old))
			ike_child_end(old, IKE_END_PEER,
				      "the peer does not have it (CHILD_SA_NOT_FOUND)");
		return IKE_STEP_DONE;
	default:
		break;
	}
	if (!t->child_id)
		return ike_create_refused(sa, t, &in->all);
	return ike_task_fail(t, "%s",
			     ike_child_refused(sa, t->cfg, &in->all, why, sizeof(why)));
}

static enum ike_step answered(struct ike_sa *sa, struct ike_task *t, struct ike_incoming *in)
{
	const struct ike_payload *ke = ike_payloads_find(&in->all, IKE_PAYLOAD_KE);
	struct ike_error err = {0};
	struct ike_bytes peer;
	uint8_t wanted[2];

	static const struct ike_secret none;

	if (in->form == IKE_FORM_NOTIFY)
		return refused(sa, t, in);
	if (t->followup)
		return ike_followup_answered(sa, t, in);
	if (in->form != IKE_FORM_CHILD_ANSWER)
		return ike_task_fail(t, "the peer's answer is about something else");
	if (!ke || !t->group)
		return complete(sa, t, in, &none);
	if (!ike_ke_check(&in->all, t->group, &peer, wanted, &err))
		return ike_task_fail(t, "%s", err.text);
	if (!ike_job_derive(sa, IKE_ASKING, &t->dh, peer, derived, in))
		return ike_task_fail(t, "out of memory");
	return IKE_STEP_WAIT;
}

const struct ike_task_kind ike_task_create = {
	.name = "CREATE_CHILD_SA",
	.exchange = IKE_EXCHANGE_CREATE_CHILD_SA,
	.begin = begin_create,
	.build = build,
	.answered = answered,
	.completed = completed,
};

const struct ike_task_kind ike_task_rekey_child = {
	.name = "CREATE_CHILD_SA (rekeying)",
	.exchange = IKE_EXCHANGE_CREATE_CHILD_SA,
	.begin = begin_rekey,
	.build = build,
	.answered = answered,
	.completed = completed,
};

/* Responder */

static bool find_old(struct ike_sa *sa, const struct ike_incoming *in, struct ike_child **old,
		     struct ike_error *err)
{
	struct ike_wire_notify n;
	struct ike_child *c;
	uint32_t spi;

	*old = NULL;
	if (!ike_find_notify(&in->all, IKE_NOTIFY_REKEY_SA, &n))
		return true;
	spi = ike_notify_spi32(&n);
	c = spi && n.protocol == IKE_PROTO_ESP ? ike_child_by_spi_out(sa, spi) : NULL;
	if (!c)
		return ike_fail_notify(err, IKE_NOTIFY_CHILD_SA_NOT_FOUND,
				       "there is no CHILD_SA with SPI %08x", spi);
	/*
	 * It has been replaced already, or is about to go: a second replacement would be one too
	 * many.
	 */
	if (c->state != IKE_CHILD_INSTALLED || c->redundant ||
	    ike_task_find(sa, &ike_task_delete_child, c->id))
		return ike_fail_notify(err, IKE_NOTIFY_TEMPORARY_FAILURE,
				       "the CHILD_SA with SPI %08x is being deleted or replaced",
				       spi);
	*old = c;
	return true;
}

/* Section 2.25.2. */
static bool is_busy(const struct ike_sa *sa)
{
	return sa->state != IKE_SA_ESTABLISHED ||
	       (sa->task && sa->task->kind == &ike_task_rekey_ike);
}

/* @first: what was asked for, by @in or before it. */
static void answer_refusal(struct ike_sa *sa, const struct ike_incoming *in,
			   const struct ike_incoming *first, struct ike_bytes data,
			   const struct ike_error *err)
{
	struct ike_outgoing o;
	struct ike_wire_notify n;

	ike_sa_log(sa, err->notify == IKE_NOTIFY_TEMPORARY_FAILURE ? IKE_LOG_DEBUG : IKE_LOG_ERROR,
		   "CREATE_CHILD_SA refused: %s", err->text);
	if (err->notify != IKE_NOTIFY_CHILD_SA_NOT_FOUND) {
		ike_sa_answer_notify(
			sa, in, err->notify ? err->notify : IKE_NOTIFY_NO_ADDITIONAL_SAS, data);
		return;
	}
	/* Section 2.25: says of which one it speaks. */
	ike_outgoing_begin(&o, sa, in->header.exchange, in->header.message_id, true);
	if (ike_find_notify(&first->all, IKE_NOTIFY_REKEY_SA, &n) && ike_notify_spi32(&n))
		ike_put_notify_spi32(&o.w, err->notify, n.protocol, ike_notify_spi32(&n));
	else
		ike_put_notify(&o.w, err->notify, ike_bytes(NULL, 0));
	ike_sa_answer(sa, in, &o);
}

static void put_answer(const struct ike_choice *choice, uint32_t spi,
		       const struct ike_nonce *nr, const struct ike_job *job, struct ike_writer *w)
{
	ike_put_choice_mode(w, choice);
	ike_put_choice_sa(w, choice, spi);
	ike_put_nonce(w, ike_nonce_bytes(nr));
	if (job)
		ike_put_ke(w, ike_dh_id(job->key.group), ike_dh_public(&job->key));
	ike_put_choice_ts(w, choice);
}

static struct ike_child *make(struct ike_sa *sa, const struct ike_incoming *in,
			      const struct ike_choice *choice, struct ike_child *old,
			      const struct ike_job *job, struct ike_nonce *nr,
			      struct ike_error *err)
{
	struct ike_engine *e = sa->engine;
	struct ike_nonce ni;
	uint32_t spi = 0;
	struct ike_making m = {
		.choice = choice,
		.spi = &spi,
		.ni = &ni,
		.nr = nr,
		.rekey = old,
		.old = old,
		.secret = job ? ike_secret_bytes(&job->secret) : ike_bytes(NULL, 0),
	};
	const char *why = "";
	struct ike_child *c;

	if (!ike_nonce_find(&in->all, &ni, err))
		return NULL;
	if (e->ops->spi_alloc(e->host, &sa->local.addr, &spi, &why)) {
		ike_fail(err, "no SPI: %s", why);
		return NULL;
	}
	ike_nonce_draw(sa, nr);
	c = ike_child_make(sa, &m, err);
	if (spi)
		e->ops->spi_free(e->host, &sa->local.addr, spi);
	return c;
}

/*
 * The task that would make what the peer has just made is not needed any more, unless it has been
 * sent.
 */
static void drop_queued_create(struct ike_sa *sa, const struct ike_child *c)
{
	struct ike_task *t;

	if (!ike_coverage_full(sa, c->cfg))
		return;
	while ((t = ike_task_take_create(sa, c->cfg->name)))
		ike_task_end(sa, t, true, "");
}

static void announce(struct ike_sa *sa, struct ike_child *c, struct ike_child *old)
{
	if (old)
		ike_rivals_note(sa, c, old);
	else
		drop_queued_create(sa, c);
	ike_rivals_cross(c);
	ike_sa_work(sa);
}

/*
 * RFC 9370 section 2.2.4: what is asked for is promised, and made when the additional key exchanges
 * are done.
 */
static bool put_off(struct ike_sa *sa, struct ike_incoming *in, const struct ike_choice *choice,
		    const struct ike_job *job, struct ike_error *err)
{
	struct ike_engine *e = sa->engine;
	struct ike_choice *copy = malloc(sizeof(*copy));
	struct ike_followup *f =
		copy ? ike_followup_await(sa, in, &choice->suite, &job->secret) : NULL;
	struct ike_outgoing o;
	const char *why = "";

	if (!f) {
		free(copy);
		return ike_fail(err, "out of memory");
	}
	*copy = *choice;
	f->choice = copy;
	f->spi_at = sa->local.addr;
	if (e->ops->spi_alloc(e->host, &f->spi_at, &f->spi, &why)) {
		f->spi = 0;
		ike_followup_drop(sa);
		return ike_fail(err, "no SPI: %s", why);
	}
	ike_nonce_draw(sa, &f->nr);
	ike_outgoing_begin(&o, sa, in->header.exchange, in->header.message_id, true);
	put_answer(choice, f->spi, &f->nr, job, &o.w);
	ike_followup_put_link(&o.w, f);
	ike_sa_answer(sa, in, &o);
	return true;
}

/* What was put off. What it replaces may have gone since, or been replaced. */
static struct ike_child *make_at_last(struct ike_sa *sa, struct ike_followup *f,
				      struct ike_child **old, struct ike_error *err)
{
	struct ike_nonce ni;
	struct ike_making m = {
		.choice = f->choice,
		.spi = &f->spi,
		.ni = &ni,
		.nr = &f->nr,
		.secret = ike_secret_bytes(&f->secret),
		.more = ike_followup_more(f),
	};

	if (is_busy(sa)) {
		ike_fail_notify(err, IKE_NOTIFY_TEMPORARY_FAILURE,
				"the IKE SA is being replaced or deleted");
		return NULL;
	}
	if (!find_old(sa, f->first, old, err) || !ike_nonce_find(&f->first->all, &ni, err))
		return NULL;
	m.old = *old;
	m.rekey = m.old;
	return ike_child_make(sa, &m, err);
}

void ike_child_followed(struct ike_sa *sa, struct ike_incoming *in, const struct ike_job *job,
			struct ike_followup *f)
{
	struct ike_child *old = NULL, *c;
	struct ike_error err = {0};
	struct ike_outgoing o;

	c = make_at_last(sa, f, &old, &err);
	if (c) {
		ike_outgoing_begin(&o, sa, in->header.exchange, in->header.message_id, true);
		ike_put_ke(&o.w, ike_dh_id(job->key.group), ike_dh_public(&job->key));
		ike_sa_answer(sa, in, &o);
		announce(sa, c, old);
	} else {
		answer_refusal(sa, in, f->first, ike_bytes(NULL, 0), &err);
		ike_sa_work(sa);
	}
	ike_followup_free(f);
}

static void respond(struct ike_sa *sa, struct ike_incoming *in, const struct ike_job *job);

static void computed(struct ike_sa *sa, const struct ike_job *job, struct ike_incoming *in)
{
	respond(sa, in, job);
}

/*
 * Twice if there is a key exchange: once to choose, and again, from the beginning, with its
 * outcome. What has changed while it was computed is then seen.
 */
static void respond(struct ike_sa *sa, struct ike_incoming *in, const struct ike_job *job)
{
	struct ike_child *old = NULL, *c;
	struct ike_error err = {0};
	struct ike_choice choice;
	struct ike_outgoing o;
	struct ike_bytes peer = {0};
	struct ike_nonce nr;
	uint8_t group[2] = {0};

	if (is_busy(sa)) {
		ike_fail_notify(&err, IKE_NOTIFY_TEMPORARY_FAILURE,
				"the IKE SA is being replaced or deleted");
		goto refuse;
	}
	if ((job && !job->ok) || !find_old(sa, in, &old, &err) ||
	    !ike_child_choose(sa, &in->all, old, false, &choice, &err) ||
	    !ike_ke_check(&in->all, choice.suite.ke, &peer, group, &err)) {
		if (job && !job->ok)
			err = job->err;
		goto refuse;
	}
	if (peer.len && !job) {
		if (ike_job_generate(sa, IKE_ANSWERING, choice.suite.ke, peer, computed, in))
			return;
		ike_fail(&err, "out of memory");
		goto refuse;
	}
	if (job && ike_suite_addke(&choice.suite, 0) < IKE_ADDKE_MAX) {
		if (put_off(sa, in, &choice, job, &err))
			return;
		goto refuse;
	}
	c = make(sa, in, &choice, old, job, &nr, &err);
	if (!c)
		goto refuse;
	ike_outgoing_begin(&o, sa, in->header.exchange, in->header.message_id, true);
	put_answer(&choice, c->spi_in, &nr, job, &o.w);
	ike_sa_answer(sa, in, &o);
	announce(sa, c, old);
	return;
refuse:
	answer_refusal(sa, in, in,
		       ike_bytes(group, err.notify == IKE_NOTIFY_INVALID_KE_PAYLOAD ? 2 : 0), &err);
	ike_sa_work(sa);
}

void ike_create_child_request(struct ike_sa *sa, struct ike_incoming *in)
{
	if (in->form == IKE_FORM_REKEY_REQUEST) {
		ike_rekey_request(sa, in);
		return;
	}
	/* Who uses an IKE SA means it: the peer has gone on with what its rekey made. */
	if (sa->rival_of)
		ike_rekey_adopt(sa);
	respond(sa, in, NULL);
}
