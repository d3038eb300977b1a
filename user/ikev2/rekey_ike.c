// SPDX-License-Identifier: MIT
/*
 * CREATE_CHILD_SA that replaces the IKE SA itself (RFC 7296 sections 1.3.2, 2.18), both roles, with
 * the collisions of sections 2.8.2 and 2.25.2.
 */
#include <inttypes.h>
#include <string.h>

#include "ikev2/followup.h"
#include "ikev2/negotiate.h"

enum {
	EXPLAIN_MAX = 3000
};

static struct ike_bytes spi_bytes(uint64_t spi, uint8_t buf[IKE_SPI_LEN])
{
	struct ike_writer w;

	ike_writer_init(&w, buf, IKE_SPI_LEN);
	ike_put64(&w, spi);
	return ike_written(&w);
}

static bool take_peer_spi(const struct ike_suite *suite, uint64_t *spi, struct ike_error *err)
{
	struct ike_cursor c = ike_cursor(ike_bytes(suite->spi, suite->spi_len));

	*spi = ike_get64(&c);
	if (suite->spi_len != IKE_SPI_LEN || !*spi)
		return ike_fail_notify(err, IKE_NOTIFY_INVALID_SYNTAX,
				       "SA payload: no SPI for the new IKE SA");
	return true;
}

/* What the new IKE SA is made from. */
struct rekeying {
	bool initiator;
	uint64_t spi_own, spi_peer;
	struct ike_suite suite;
	struct ike_nonce ni, nr;
};

/* @more: of additional key exchanges. */
static struct ike_sa *make(struct ike_sa *old, const struct rekeying *r, struct ike_bytes secret,
			   struct ike_bytes more, struct ike_error *err)
{
	struct ike_key IKE_CLEARED_KEY skeyseed = {0};
	struct ike_bytes ni = ike_nonce_bytes(&r->ni), nr = ike_nonce_bytes(&r->nr);
	struct ike_sa *sa = ike_sa_new_spi(old->engine, old->config, old->conn, r->initiator,
					   r->spi_own, r->spi_peer, &old->local, &old->remote);

	if (!sa) {
		ike_fail(err, "out of memory");
		return NULL;
	}
	sa->suite = r->suite;
	if (!ike_keymat_skeyseed_rekey(old->prf, &old->keys.d, secret, ni, nr,
				       more, &skeyseed, err) ||
	    !ike_sa_set_keys(sa, &skeyseed, ni, nr, err)) {
		ike_sa_close(sa, IKE_END_FAILED, false, err->text);
		return NULL;
	}
	sa->lower_nonce = *ike_nonce_lower(&r->ni, &r->nr);
	sa->first_spi = old->first_spi;
	sa->began = old->began;
	sa->authenticated = old->authenticated;
	sa->auth_lifetime = old->auth_lifetime;
	sa->local_id = old->local_id;
	sa->remote_id = old->remote_id;
	sa->identified = true;
	sa->user = old->user ? strdup(old->user) : NULL;
	sa->nat_aware = old->nat_aware;
	sa->nat_local = old->nat_local;
	sa->nat_remote = old->nat_remote;
	sa->peer_childless = old->peer_childless;
	sa->has_ppk = old->has_ppk;
	sa->fragmentation = old->fragmentation;
	sa->fragment_longest = old->fragment_longest;
	sa->mobike = old->mobike;
	ike_sa_establish(sa);
	return sa;
}

struct ike_sa *ike_rekey_rival(struct ike_sa *sa)
{
	struct ike_sa *other = NULL;

	/* It has the identities of what it was to take over from. */
	while ((other = ike_sa_kin(sa, other)))
		if (other->rival_of == sa->id && other->state == IKE_SA_ESTABLISHED)
			return other;
	return NULL;
}

void ike_rekey_adopt(struct ike_sa *rival)
{
	struct ike_sa *old = ike_sa_by_id(rival->engine, rival->rival_of);

	rival->rival_of = 0;
	if (!old || old->state == IKE_SA_CLOSED || old->state == IKE_SA_REKEYED)
		return;
	if (old->task && old->task->kind == &ike_task_rekey_ike)
		ike_task_abandon(old, true, "");
	ike_sa_inherit(rival, old);
}

/* Initiator */

static void generated(struct ike_sa *sa, const struct ike_job *job, struct ike_incoming *in)
{
	struct ike_task *t = sa->task;

	if (!job->ok) {
		ike_task_step(sa, ike_task_fail(t, "%s", job->err.text));
		return;
	}
	t->dh = job->key;
	ike_task_step(sa, IKE_STEP_SEND);
}

static enum ike_step generate(struct ike_sa *sa, struct ike_task *t)
{
	if (!ike_job_generate(sa, IKE_ASKING, t->group, ike_bytes(NULL, 0), generated, NULL))
		return ike_task_fail(t, "key exchange %u cannot be used", t->group);
	return IKE_STEP_WAIT;
}

static enum ike_step begin(struct ike_sa *sa, struct ike_task *t)
{
	if (!t->group)
		t->group = sa->suite.ke;
	t->ike_spi = ike_sa_draw_spi(sa->engine);
	ike_random_fill(&sa->engine->random, t->nonce, sizeof(t->nonce));
	return generate(sa, t);
}

static void build(struct ike_sa *sa, struct ike_task *t, struct ike_writer *w)
{
	uint8_t spi[IKE_SPI_LEN];

	ike_put_proposals(w, &sa->conn->proposals, spi_bytes(t->ike_spi, spi), false);
	ike_put_nonce(w, ike_bytes(t->nonce, sizeof(t->nonce)));
	ike_put_ke(w, t->group, ike_dh_public(&t->dh));
}

static bool read_answer(struct ike_sa *sa, struct ike_task *t, const struct ike_incoming *in,
			struct rekeying *r, struct ike_error *err)
{
	const struct ike_payload *p = ike_payloads_find(&in->all, IKE_PAYLOAD_SA);
	struct ike_proposal_list answer = {0};
	bool ok;

	r->initiator = true;
	r->spi_own = t->ike_spi;
	r->ni.len = sizeof(t->nonce);
	memcpy(r->ni.bytes, t->nonce, sizeof(t->nonce));
	ok = ike_proposal_list_decode(&answer, p->body, err) &&
	     ike_proposal_verify(&sa->conn->proposals, false, &answer, &r->suite, err) &&
	     take_peer_spi(&r->suite, &r->spi_peer, err) && ike_nonce_find(&in->all, &r->nr, err);
	ike_proposal_list_clear(&answer);
	if (ok && r->suite.ke != t->group)
		return ike_fail(err, "the peer chose key exchange %u, but %u was sent", r->suite.ke,
				t->group);
	return ok;
}

static void queue_delete(struct ike_sa *sa)
{
	struct ike_task *t = ike_task_add_first(sa, &ike_task_delete_ike);

	if (t)
		t->replaced = true;
}

/* Section 2.8.2: of two new IKE SAs that with the lowest nonce goes, deleted by who made it. */
static void settle(struct ike_sa *old, struct ike_sa *made)
{
	struct ike_sa *rival = ike_rekey_rival(old);

	if (rival && ike_nonce_compare(&made->lower_nonce, &rival->lower_nonce) < 0) {
		ike_sa_log(made, IKE_LOG_INFO,
			   "one too many, both ends rekeyed at once: %s[%" PRIu64 "] stays",
			   rival->conn->name, rival->id);
		rival->rival_of = 0;
		ike_sa_inherit(rival, old);
		ike_sa_work(rival);
		/* Never used. */
		queue_delete(made);
		ike_sa_set_state(made, IKE_SA_REKEYED);
		ike_sa_work(made);
		return;
	}
	if (rival) {
		/*
		 * The peer deletes it; unless our DELETE of the old one reached it before our
		 * answer, when it has forgotten about its own rekeying.
		 */
		rival->rival_of = 0;
		ike_sa_set_state(rival, IKE_SA_REKEYED);
		ike_timer_set(&rival->engine->timers, &rival->life,
			      rival->engine->now + IKE_LINGER_TIME);
	}
	ike_sa_inherit(made, old);
	queue_delete(old);
	ike_sa_work(made);
}

/* By the answer to CREATE_CHILD_SA, unless additional key exchanges have to come first. */
static enum ike_step complete(struct ike_sa *sa, struct ike_task *t, struct ike_incoming *in,
			      const struct ike_secret *secret)
{
	struct ike_error err = {0};
	struct ike_sa *made = NULL;
	struct rekeying r;

	if (read_answer(sa, t, in, &r, &err)) {
		if (!t->followup && ike_suite_addke(&r.suite, 0) < IKE_ADDKE_MAX)
			return ike_followup_begin(sa, t, in, &r.suite, secret);
		made = make(sa, &r, ike_secret_bytes(secret), ike_followup_more(t->followup), &err);
	}
	if (!made) {
		ike_sa_log(sa, IKE_LOG_ERROR, "rekeying the IKE SA: %s", err.text);
		return ike_task_fail(t, "%s", err.text);
	}
	ike_task_end(sa, t, true, "");
	settle(sa, made);
	return IKE_STEP_GONE;
}

static enum ike_step completed(struct ike_sa *sa, struct ike_task *t)
{
	return complete(sa, t, t->followup->first, &t->followup->secret);
}

static void derived(struct ike_sa *sa, const struct ike_job *job, struct ike_incoming *in)
{
	struct ike_task *t = sa->task;

	if (job->ok) {
		ike_task_step(sa, complete(sa, t, in, &job->secret));
		return;
	}
	ike_sa_log(sa, IKE_LOG_ERROR, "rekeying the IKE SA: %s", job->err.text);
	ike_task_step(sa, ike_task_fail(t, "%s", job->err.text));
}

/* Our own rekeying came to nothing, but the peer's did not. */
static enum ike_step give_way(struct ike_sa *sa)
{
	struct ike_sa *rival = ike_rekey_rival(sa);

	ike_rekey_adopt(rival);
	ike_sa_work(rival);
	return IKE_STEP_GONE;
}

static enum ike_step refused(struct ike_sa *sa, struct ike_task *t, const struct ike_incoming *in)
{
	struct ike_wire_notify n;
	uint16_t group;
	char buf[32];

	if (ike_rekey_rival(sa))
		return give_way(sa);
	if (!ike_find_error(&in->all, &n))
		return ike_task_fail(t, "the peer's answer to CREATE_CHILD_SA holds nothing");
	/* RFC 9370 section 2.2.4: it has forgotten what we were about. */
	if (n.type == IKE_NOTIFY_TEMPORARY_FAILURE || n.type == IKE_NOTIFY_STATE_NOT_FOUND)
		return IKE_STEP_LATER;
	group = n.type == IKE_NOTIFY_INVALID_KE_PAYLOAD && !t->followup
			? ike_ke_retry(&n, &sa->conn->proposals, t->group)
			: 0;
	if (group && !t->restarts++) {
		t->group = group;
		ike_dh_clear(&t->dh);
		return generate(sa, t);
	}
	ike_sa_log(sa, IKE_LOG_ERROR, "the peer refuses to rekey the IKE SA: %s",
		   ike_notify_text(n.type, buf));
	return ike_task_fail(t, "the peer refuses to rekey the IKE SA: %s",
			     ike_notify_text(n.type, buf));
}

static enum ike_step answered(struct ike_sa *sa, struct ike_task *t, struct ike_incoming *in)
{
	struct ike_error err = {0};
	struct ike_bytes peer;
	uint8_t wanted[2];

	if (in->form == IKE_FORM_NOTIFY)
		return refused(sa, t, in);
	if (t->followup)
		return ike_followup_answered(sa, t, in);
	if (in->form != IKE_FORM_REKEY_ANSWER)
		return ike_task_fail(t, "the peer's answer is about something else");
	if (!ike_ke_check(&in->all, t->group, &peer, wanted, &err))
		return ike_task_fail(t, "%s", err.text);
	if (!ike_job_derive(sa, IKE_ASKING, &t->dh, peer, derived, in))
		return ike_task_fail(t, "out of memory");
	return IKE_STEP_WAIT;
}

const struct ike_task_kind ike_task_rekey_ike = {
	.name = "rekeying of the IKE SA",
	.exchange = IKE_EXCHANGE_CREATE_CHILD_SA,
	.begin = begin,
	.build = build,
	.answered = answered,
	.completed = completed,
};

/* Responder */

/* Section 2.25.2: not while we make, rekey or delete something in it, unless that is the same. */
static bool is_busy(const struct ike_sa *sa)
{
	const struct ike_task_kind *kind = sa->task ? sa->task->kind : NULL;

	return !ike_sa_usable(sa) || kind == &ike_task_create || kind == &ike_task_rekey_child ||
	       kind == &ike_task_delete_child || kind == &ike_task_delete_ike;
}

static bool choose(struct ike_sa *sa, const struct ike_incoming *in, struct rekeying *r,
		   struct ike_error *err)
{
	const struct ike_payload *p = ike_payloads_find(&in->all, IKE_PAYLOAD_SA);
	const struct ike_payload *ke = ike_payloads_find(&in->all, IKE_PAYLOAD_KE);
	struct ike_proposal_list theirs = {0};
	struct ike_select how = {0};
	char why[EXPLAIN_MAX];
	struct ike_wire_ke wire;
	bool ok;

	if (ike_ke_decode(ke->body, &wire, NULL))
		how.ke = wire.group;
	ok = ike_proposal_list_decode(&theirs, p->body, err);
	if (ok && !ike_proposal_select(&sa->conn->proposals, &theirs, &how, &r->suite)) {
		ike_sa_log(sa, IKE_LOG_ERROR, "NO_PROPOSAL_CHOSEN: %s",
			   ike_proposal_explain(&sa->conn->proposals, &theirs, &how, why,
						sizeof(why)));
		ok = ike_fail_notify(err, IKE_NOTIFY_NO_PROPOSAL_CHOSEN, "no proposal in common");
	}
	ike_proposal_list_clear(&theirs);
	return ok && take_peer_spi(&r->suite, &r->spi_peer, err) &&
	       ike_nonce_find(&in->all, &r->ni, err);
}

static void refuse(struct ike_sa *sa, const struct ike_incoming *in, struct ike_bytes data,
		   const struct ike_error *err)
{
	ike_sa_log(sa, err->notify == IKE_NOTIFY_TEMPORARY_FAILURE ? IKE_LOG_DEBUG : IKE_LOG_ERROR,
		   "rekeying of the IKE SA refused: %s", err->text);
	ike_sa_answer_notify(sa, in, err->notify ? err->notify : IKE_NOTIFY_TEMPORARY_FAILURE,
			     data);
	ike_sa_work(sa);
}

/* @f: what comes next, or NULL. */
static void answer(struct ike_sa *sa, const struct ike_incoming *in, const struct rekeying *r,
		   const struct ike_job *job, const struct ike_followup *f)
{
	uint8_t spi[IKE_SPI_LEN];
	struct ike_outgoing o;

	ike_outgoing_begin(&o, sa, in->header.exchange, in->header.message_id, true);
	ike_put_suite(&o.w, &r->suite, spi_bytes(r->spi_own, spi));
	ike_put_nonce(&o.w, ike_nonce_bytes(&r->nr));
	ike_put_ke(&o.w, r->suite.ke, ike_dh_public(&job->key));
	if (f)
		ike_followup_put_link(&o.w, f);
	ike_sa_answer(sa, in, &o);
}

static void respond(struct ike_sa *sa, struct ike_incoming *in, const struct ike_job *job);

static void computed(struct ike_sa *sa, const struct ike_job *job, struct ike_incoming *in)
{
	respond(sa, in, job);
}

/* @made has been answered for. */
static void take_over(struct ike_sa *sa, struct ike_sa *made)
{
	/* Ours is under way as well: which of the two stays is known when its answer has come. */
	if (sa->task && sa->task->kind == &ike_task_rekey_ike && sa->task->sent) {
		made->rival_of = sa->id;
		return;
	}
	if (sa->task && sa->task->kind == &ike_task_rekey_ike)
		ike_task_abandon(sa, true, "");
	ike_sa_inherit(made, sa);
	ike_sa_work(made);
}

/* RFC 9370 section 2.2.4: it is promised, and made when the additional key exchanges are done. */
static bool put_off(struct ike_sa *sa, struct ike_incoming *in, const struct rekeying *r,
		    const struct ike_job *job)
{
	struct ike_followup *f = ike_followup_await(sa, in, &r->suite, &job->secret);

	if (!f)
		return false;
	f->nr = r->nr;
	f->ike_spi = r->spi_own;
	answer(sa, in, r, job, f);
	return true;
}

static void finish(struct ike_sa *sa, struct ike_incoming *in, struct rekeying *r,
		   const struct ike_job *job)
{
	struct ike_error err = {0};
	struct ike_sa *made = NULL;

	r->spi_own = ike_sa_draw_spi(sa->engine);
	ike_nonce_draw(sa, &r->nr);
	if (ike_suite_addke(&r->suite, 0) < IKE_ADDKE_MAX) {
		if (put_off(sa, in, r, job))
			return;
		ike_fail(&err, "out of memory");
	} else {
		made = make(sa, r, ike_secret_bytes(&job->secret), ike_bytes(NULL, 0), &err);
	}
	if (!made) {
		refuse(sa, in, ike_bytes(NULL, 0), &err);
		return;
	}
	answer(sa, in, r, job, NULL);
	take_over(sa, made);
}

/* What was put off. */
static struct ike_sa *make_at_last(struct ike_sa *sa, const struct ike_followup *f,
				   struct ike_error *err)
{
	struct rekeying r = {0};

	if (is_busy(sa) || ike_rekey_rival(sa)) {
		ike_fail_notify(err, IKE_NOTIFY_TEMPORARY_FAILURE, "it is busy");
		return NULL;
	}
	if (!choose(sa, f->first, &r, err))
		return NULL;
	r.suite = f->suite;
	r.spi_own = f->ike_spi;
	r.nr = f->nr;
	return make(sa, &r, ike_secret_bytes(&f->secret), ike_followup_more(f), err);
}

void ike_rekey_followed(struct ike_sa *sa, struct ike_incoming *in, const struct ike_job *job,
			struct ike_followup *f)
{
	struct ike_error err = {0};
	struct ike_sa *made = make_at_last(sa, f, &err);
	struct ike_outgoing o;

	ike_followup_free(f);
	if (!made) {
		refuse(sa, in, ike_bytes(NULL, 0), &err);
		return;
	}
	ike_outgoing_begin(&o, sa, in->header.exchange, in->header.message_id, true);
	ike_put_ke(&o.w, ike_dh_id(job->key.group), ike_dh_public(&job->key));
	ike_sa_answer(sa, in, &o);
	take_over(sa, made);
}

/* Twice, as in create_child.c: to choose, and with the outcome of the key exchange. */
static void respond(struct ike_sa *sa, struct ike_incoming *in, const struct ike_job *job)
{
	struct ike_error err = {0};
	struct rekeying r = {0};
	struct ike_bytes peer;
	uint8_t group[2];
	bool wrong_group;

	if (is_busy(sa) || ike_rekey_rival(sa)) {
		ike_fail_notify(&err, IKE_NOTIFY_TEMPORARY_FAILURE, "it is busy");
		refuse(sa, in, ike_bytes(NULL, 0), &err);
		return;
	}
	if (job && !job->ok) {
		refuse(sa, in, ike_bytes(NULL, 0), &job->err);
		return;
	}
	if (!choose(sa, in, &r, &err) || !ike_ke_check(&in->all, r.suite.ke, &peer, group, &err)) {
		wrong_group = err.notify == IKE_NOTIFY_INVALID_KE_PAYLOAD;
		refuse(sa, in, ike_bytes(group, wrong_group ? 2 : 0), &err);
		return;
	}
	if (job) {
		finish(sa, in, &r, job);
		return;
	}
	if (!ike_job_generate(sa, IKE_ANSWERING, r.suite.ke, peer, computed, in)) {
		ike_fail(&err, "out of memory");
		refuse(sa, in, ike_bytes(NULL, 0), &err);
	}
}

void ike_rekey_request(struct ike_sa *sa, struct ike_incoming *in)
{
	if (sa->rival_of)
		ike_rekey_adopt(sa);
	respond(sa, in, NULL);
}
