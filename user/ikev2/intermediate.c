// SPDX-License-Identifier: MIT
/* IKE_INTERMEDIATE, both roles. */
#include <string.h>

#include "ikev2/intermediate.h"
#include "ikev2/negotiate.h"

/* RFC 7296 sections 3.1 and 3.2. */
enum {
	NEXT_AT = 16,
	VERSION_AT = 17,
	LENGTH_AT = 24,
	RESERVED_AT = IKE_HEADER_LEN + 1,
	CHUNK_LEN = IKE_HEADER_LEN + IKE_GENERIC_LEN,
};

/* IntAuth (RFC 9242 section 3.3.2) */

/*
 * The A chunk: the headers of the message and of SK, with the lengths that they would have if what
 * is inside was not encrypted, and as if it had not been cut.
 */
static struct ike_bytes headers(const uint8_t *message, uint8_t first, size_t plain_len,
				uint8_t buf[CHUNK_LEN])
{
	struct ike_writer w;

	ike_writer_init(&w, buf, CHUNK_LEN);
	ike_put(&w, ike_bytes(message, NEXT_AT));
	ike_put8(&w, IKE_PAYLOAD_SK);
	ike_put(&w, ike_bytes(message + VERSION_AT, LENGTH_AT - VERSION_AT));
	ike_put32(&w, CHUNK_LEN + plain_len);
	ike_put8(&w, first);
	ike_put8(&w, message[RESERVED_AT]);
	ike_put16(&w, IKE_GENERIC_LEN + plain_len);
	return ike_written(&w);
}

bool ike_intermediate_note(struct ike_sa *sa, bool of_initiator, const uint8_t *message,
			   uint8_t first, struct ike_bytes plain, struct ike_error *err)
{
	const struct ike_key *sk_p = of_initiator ? &sa->keys.pi : &sa->keys.pr;
	struct ike_key *so_far = of_initiator ? &sa->int_auth.i : &sa->int_auth.r;
	struct ike_key IKE_CLEARED_KEY now = {0};
	uint8_t buf[CHUNK_LEN];

	if (!ike_prf(sa->prf, ike_key_bytes(sk_p),
		     (struct ike_bytes[]){ike_key_bytes(so_far),
					  headers(message, first, plain.len, buf), plain}, 3,
		     &now, err))
		return false;
	*so_far = now;
	return true;
}

struct ike_bytes ike_intermediate_proof(const struct ike_sa *sa, uint8_t buf[IKE_INT_AUTH_MAX])
{
	const struct ike_int_auth *a = &sa->int_auth;
	struct ike_writer w;

	if (!a->n)
		return ike_bytes(NULL, 0);
	ike_writer_init(&w, buf, IKE_INT_AUTH_MAX);
	ike_put(&w, ike_key_bytes(&a->i));
	ike_put(&w, ike_key_bytes(&a->r));
	/* Of the first IKE_AUTH request: IKE_SA_INIT had 0. */
	ike_put32(&w, a->n + 1);
	return ike_written(&w);
}

/* The keys from here on (RFC 9370 section 2.2.2). */
static bool take_secret(struct ike_sa *sa, const struct ike_job *job, struct ike_error *err)
{
	struct ike_bytes ni = ike_nonce_bytes(&sa->ni), nr = ike_nonce_bytes(&sa->nr);
	struct ike_key IKE_CLEARED_KEY skeyseed = {0};

	if (!ike_keymat_skeyseed_rekey(sa->prf, &sa->keys.d, ike_secret_bytes(&job->secret), ni,
				       nr, ike_bytes(NULL, 0), &skeyseed, err) ||
	    !ike_sa_set_keys(sa, &skeyseed, ni, nr, err))
		return false;
	sa->int_auth.n++;
	sa->addke = ike_suite_addke(&sa->suite, sa->addke + 1);
	return true;
}

/* Both ends have agreed on the method: another one is no offer, but a fault. */
static bool take_ke(const struct ike_sa *sa, const struct ike_incoming *in, struct ike_bytes *peer,
		    struct ike_error *err)
{
	uint8_t unused[2];

	if (ike_ke_check(&in->all, sa->suite.addke[sa->addke], peer, unused, err))
		return true;
	err->notify = IKE_NOTIFY_INVALID_SYNTAX;
	return false;
}

/* Initiator */

enum ike_step ike_intermediate_go_on(struct ike_sa *sa)
{
	bool more = sa->addke < IKE_ADDKE_MAX;
	struct ike_task *t;

	ike_sa_set_state(sa, more ? IKE_SA_ADDKE_SENT : IKE_SA_AUTH_SENT);
	t = ike_task_add_first(sa, more ? &ike_task_intermediate : &ike_task_auth);
	if (!t)
		return ike_task_fail(sa->task, "out of memory");
	/* Who waits for the first exchange waits for the others. */
	t->ticket = sa->task->ticket;
	sa->task->ticket = 0;
	return IKE_STEP_DONE;
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

static enum ike_step begin(struct ike_sa *sa, struct ike_task *t)
{
	t->group = sa->suite.addke[sa->addke];
	if (!ike_job_generate(sa, IKE_ASKING, t->group, ike_bytes(NULL, 0), generated, NULL))
		return ike_task_fail(t, "key exchange %u cannot be used", t->group);
	return IKE_STEP_WAIT;
}

static void build(struct ike_sa *sa, struct ike_task *t, struct ike_writer *w)
{
	ike_put_ke(w, t->group, ike_dh_public(&t->dh));
}

static void derived(struct ike_sa *sa, const struct ike_job *job, struct ike_incoming *in)
{
	struct ike_error err = job->err;

	if (job->ok && take_secret(sa, job, &err))
		ike_task_step(sa, ike_intermediate_go_on(sa));
	else
		ike_task_step(sa, ike_task_fail(sa->task, "IKE_INTERMEDIATE: %s", err.text));
}

static enum ike_step answered(struct ike_sa *sa, struct ike_task *t, struct ike_incoming *in)
{
	struct ike_error err = {0};
	struct ike_wire_notify n;
	struct ike_bytes peer;
	char buf[32];

	if (in->form == IKE_FORM_NOTIFY)
		return ike_task_fail(t, "the peer refuses IKE_INTERMEDIATE: %s",
				     ike_find_error(&in->all, &n) ? ike_notify_text(n.type, buf) :
								    "no reason given");
	if (!ike_intermediate_note(sa, false, in->bytes, in->first, in->plain, &err) ||
	    !take_ke(sa, in, &peer, &err))
		return ike_task_fail(t, "IKE_INTERMEDIATE: %s", err.text);
	if (!ike_job_derive(sa, IKE_ASKING, &t->dh, peer, derived, NULL))
		return ike_task_fail(t, "out of memory");
	return IKE_STEP_WAIT;
}

const struct ike_task_kind ike_task_intermediate = {
	.name = "IKE_INTERMEDIATE",
	.exchange = IKE_EXCHANGE_INTERMEDIATE,
	.begin = begin,
	.build = build,
	.answered = answered,
};

/* Responder */

static void refuse(struct ike_sa *sa, const struct ike_incoming *in, const struct ike_error *err)
{
	sa->engine->counters.refused++;
	ike_sa_log(sa, IKE_LOG_ERROR, "IKE_INTERMEDIATE refused: %s", err->text);
	ike_sa_answer_error(sa, in, err);
	ike_sa_close(sa, IKE_END_FAILED, true, "an additional key exchange has failed");
}

static void answer(struct ike_sa *sa, const struct ike_job *job, struct ike_incoming *in)
{
	struct ike_error err = job->err;
	struct ike_outgoing o;

	if (!job->ok) {
		refuse(sa, in, &err);
		return;
	}
	/* Still by the keys that the request came under. */
	ike_outgoing_begin(&o, sa, IKE_EXCHANGE_INTERMEDIATE, in->header.message_id, true);
	ike_put_ke(&o.w, ike_dh_id(job->key.group), ike_dh_public(&job->key));
	ike_sa_answer(sa, in, &o);
	if (!take_secret(sa, job, &err)) {
		ike_sa_close(sa, IKE_END_FAILED, false, err.text);
		return;
	}
	if (sa->addke == IKE_ADDKE_MAX)
		ike_sa_set_state(sa, IKE_SA_INIT_GOT);
}

void ike_intermediate_request(struct ike_sa *sa, struct ike_incoming *in)
{
	struct ike_error err = {0};
	struct ike_bytes peer;

	if (!ike_intermediate_note(sa, true, in->bytes, in->first, in->plain, &err) ||
	    !take_ke(sa, in, &peer, &err)) {
		refuse(sa, in, &err);
		return;
	}
	if (!ike_job_generate(sa, IKE_ANSWERING, sa->suite.addke[sa->addke], peer, answer, in)) {
		ike_fail(&err, "out of memory");
		refuse(sa, in, &err);
	}
}
