// SPDX-License-Identifier: MIT
/* IKE_AUTH with EAP, both roles: rounds, and the proofs by the key that they end with. */
#include <stdlib.h>
#include <string.h>

#include "ikev2/auth_eap.h"
#include "ikev2/ppk.h"
#include "ikev2/prove.h"
#include "ikev2/rounds.h"

static const char failed_tag[] = "AUTHENTICATION_FAILED";

enum {
	WHO_MAX = IKE_EAP_NAME_MAX + 32
};

void ike_auth_eap_free(struct ike_auth_eap *a)
{
	if (!a)
		return;
	ike_eap_unref(a->eap);
	free(a);
}

static bool begin(struct ike_sa *sa, const struct ike_id *peer, struct ike_bytes peer_body,
		  struct ike_error *err)
{
	struct ike_engine *e = sa->engine;
	const struct ike_eap_setup setup = {
		.server = !sa->initiator,
		.config = sa->config,
		.conn = sa->conn,
		.cfg = sa->initiator ? ike_own_auth(sa) : ike_peer_auth(sa),
		.client = sa->initiator ? &sa->local_id : peer,
		.responder = sa->initiator ? peer : &sa->local_id,
		.now = e->ops->utc ? e->ops->utc(e->host) : 0,
	};
	struct ike_auth_eap *a = calloc(1, sizeof(*a));

	if (a)
		a->eap = ike_eap_new(&setup, &e->random);
	if (!a || !a->eap || peer_body.len > sizeof(a->peer_body)) {
		ike_auth_eap_free(a);
		return ike_fail(err, "out of memory");
	}
	a->peer = *peer;
	memcpy(a->peer_body, peer_body.p, peer_body.len);
	a->peer_body_len = peer_body.len;
	ike_auth_eap_free(sa->eap);
	sa->eap = a;
	return true;
}

/* The EAP payload's body is one EAP packet (section 3.16). */
static bool run(struct ike_sa *sa, enum ike_side side, struct ike_incoming *in, ike_job_then then,
		struct ike_error *err)
{
	const struct ike_payload *p = ike_payloads_find(&in->all, IKE_PAYLOAD_EAP);

	return ike_eap_give(sa->eap->eap, p ? p->body : ike_bytes(NULL, 0), err) &&
	       (ike_job_eap(sa, side, sa->eap->eap, then, in) || ike_fail(err, "out of memory"));
}

static void put_eap(const struct ike_sa *sa, struct ike_writer *w)
{
	ike_put_payload(w, IKE_PAYLOAD_EAP, ike_eap_packet(sa->eap->eap));
}

void ike_eap_put_auth(const struct ike_sa *sa, struct ike_writer *w)
{
	uint8_t buf[IKE_ID_MAX + IKE_GENERIC_LEN];
	struct ike_key IKE_CLEARED_KEY value = {0};

	if (ike_auth_value(sa, sa->initiator, ike_key_bytes(ike_eap_msk(sa->eap->eap)),
			   ike_own_id_body(sa, buf, sizeof(buf)), &value, NULL))
		ike_put_auth(w, IKE_AUTH_METHOD_PSK, ike_key_bytes(&value));
	else
		w->overflow = true;
}

/* Has the peer the key that EAP has made? */
static bool verify(const struct ike_sa *sa, const struct ike_incoming *in, struct ike_error *err)
{
	const struct ike_payload *p = ike_payloads_find(&in->all, IKE_PAYLOAD_AUTH);
	const struct ike_auth_eap *a = sa->eap;
	struct ike_key IKE_CLEARED_KEY value = {0};
	char text[IKE_ID_TEXT_MAX];
	struct ike_wire_auth auth;

	if (!ike_auth_decode(p->body, &auth, err) ||
	    !ike_auth_value(sa, !sa->initiator, ike_key_bytes(ike_eap_msk(a->eap)),
			    ike_bytes(a->peer_body, a->peer_body_len), &value, err))
		return false;
	if (auth.method == IKE_AUTH_METHOD_PSK &&
	    ike_secret_equal(ike_ppk_proof(sa, &in->all, auth.data), ike_key_bytes(&value)))
		return true;
	return ike_fail_notify(err, IKE_NOTIFY_AUTHENTICATION_FAILED,
			       "the proof of peer %.100s after EAP (%s) is not by the key that EAP "
			       "has made%s", ike_id_text(&a->peer, text, sizeof(text)),
			       ike_auth_method_name(auth.method),
			       sa->ppk && sa->ppk->mixed ? " and our PPK" : "");
}

/* Initiator */

static enum ike_step fail(struct ike_task *t, const struct ike_error *err)
{
	return ike_task_fail(t, "%s: %s", failed_tag, err->text);
}

/* Our proof is due, and the first one has our PPK. */
static void prove(struct ike_sa *sa)
{
	struct ike_bytes msk = ike_key_bytes(ike_eap_msk(sa->eap->eap));
	struct ike_error err = {0};

	if (!sa->own_round && !ike_auth_mix_ppk(sa, msk, &err)) {
		ike_task_step(sa, ike_task_fail(sa->task, "%s", err.text));
		return;
	}
	ike_sa_set_state(sa, IKE_SA_EAP_PROVING);
	ike_task_step(sa, IKE_STEP_SEND);
}

static void server_is_unrevoked(struct ike_sa *sa, const struct ike_job *job,
				struct ike_incoming *in)
{
	if (!job->ok) {
		ike_task_step(sa, fail(sa->task, &job->err));
		return;
	}
	ike_prove_note(sa, job);
	prove(sa);
}

static void client_succeeded(struct ike_sa *sa, struct ike_incoming *in)
{
	struct stack_st_X509 *chain = ike_eap_take_chain(sa->eap->eap);
	struct ike_error err = {0};

	if (!chain)
		prove(sa);
	else if (!ike_prove_unrevoked(sa, IKE_ASKING, &sa->eap->peer, chain, server_is_unrevoked, in,
				      &err))
		ike_task_step(sa, fail(sa->task, &err));
}

static void client_stepped(struct ike_sa *sa, const struct ike_job *job, struct ike_incoming *in)
{
	switch (job->outcome) {
	case IKE_EAP_GOES_ON:
		ike_task_step(sa, IKE_STEP_SEND);
		break;
	case IKE_EAP_SUCCEEDED:
		client_succeeded(sa, in);
		break;
	default:
		/* Nobody is told: the responder has no IKE SA with us yet. */
		ike_task_step(sa, fail(sa->task, &job->err));
	}
}

static enum ike_step client_step(struct ike_sa *sa, struct ike_task *t, struct ike_incoming *in)
{
	struct ike_error err = {0};

	return run(sa, IKE_ASKING, in, client_stepped, &err) ? IKE_STEP_WAIT : fail(t, &err);
}

enum ike_step ike_eap_first_answer(struct ike_sa *sa, struct ike_task *t, struct ike_incoming *in)
{
	struct ike_error err = {0};

	if (!begin(sa, &sa->remote_id, ike_packet_bytes(&sa->peer_body), &err))
		return fail(t, &err);
	ike_sa_set_state(sa, IKE_SA_EAP_SENT);
	return client_step(sa, t, in);
}

void ike_eap_build(struct ike_sa *sa, struct ike_writer *w)
{
	if (sa->state == IKE_SA_EAP_PROVING) {
		ike_eap_put_auth(sa, w);
		if (!sa->own_round)
			ike_ppk_put(w, sa);
		ike_put_another(w, sa, 1);
	} else {
		put_eap(sa, w);
	}
}

enum ike_step ike_eap_answered(struct ike_sa *sa, struct ike_task *t, struct ike_incoming *in)
{
	struct ike_error err = {0};

	if (sa->state == IKE_SA_EAP_SENT)
		return client_step(sa, t, in);
	if ((!sa->own_round && !ike_ppk_answered(sa, &in->all, &err)) || !verify(sa, in, &err))
		return fail(t, &err);
	ike_auth_eap_free(sa->eap);
	sa->eap = NULL;
	return ike_auth_round_taken(sa, t, in);
}

/* Responder */

/* With EAP-Failure inside, and not with a notify: that is what section 2.16 has. */
static void refuse_eap(struct ike_sa *sa, struct ike_incoming *in, const struct ike_error *err)
{
	struct ike_outgoing o;

	if (!ike_eap_packet(sa->eap->eap).len) {
		ike_auth_refuse_request(sa, in, err);
		return;
	}
	if (!sa->eap->told)
		ike_auth_log_refusal(sa, err);
	ike_outgoing_begin(&o, sa, IKE_EXCHANGE_AUTH, in->header.message_id, true);
	put_eap(sa, &o.w);
	ike_sa_answer(sa, in, &o);
	ike_sa_close(sa, IKE_END_FAILED, true, "the peer is not authenticated");
}

static void admit(struct ike_sa *sa)
{
	char peer[IKE_ID_TEXT_MAX], who[WHO_MAX];

	ike_sa_log(sa, IKE_LOG_INFO, "peer %s has proven its identity by %s",
		   ike_id_text(&sa->remote_id, peer, sizeof(peer)),
		   ike_eap_text(sa->eap->eap, who, sizeof(who)));
	free(sa->user);
	sa->user = strdup(ike_eap_user(sa->eap->eap, who, sizeof(who)));
	ike_sa_set_state(sa, IKE_SA_EAP_PROVEN);
}

static void answer(struct ike_sa *sa, struct ike_incoming *in, bool first)
{
	struct ike_outgoing o;

	ike_outgoing_begin(&o, sa, IKE_EXCHANGE_AUTH, in->header.message_id, true);
	if (first && ike_own_auth(sa)) {
		ike_put_id_and_auth(sa, &o.w, NULL);
		sa->own_round++;
	}
	ike_put_another(&o.w, sa, 0);
	put_eap(sa, &o.w);
	ike_sa_answer(sa, in, &o);
}

static void client_is_unrevoked(struct ike_sa *sa, const struct ike_job *job,
				struct ike_incoming *in)
{
	/* Not with EAP-Failure: the packet that is there says success. */
	if (!job->ok) {
		ike_auth_refuse_request(sa, in, &job->err);
		return;
	}
	ike_prove_note(sa, job);
	admit(sa);
	answer(sa, in, false);
}

static void server_succeeded(struct ike_sa *sa, struct ike_incoming *in)
{
	struct stack_st_X509 *chain = ike_eap_take_chain(sa->eap->eap);
	struct ike_error err = {0};

	if (!chain) {
		admit(sa);
		answer(sa, in, false);
	} else if (!ike_prove_unrevoked(sa, IKE_ANSWERING, &sa->remote_id, chain,
					client_is_unrevoked, in, &err)) {
		ike_auth_refuse_request(sa, in, &err);
	}
}

static void begun(struct ike_sa *sa, struct ike_incoming *in, enum ike_eap_outcome outcome,
		  const struct ike_error *err)
{
	if (outcome != IKE_EAP_GOES_ON) {
		ike_auth_refuse_request(sa, in, err);
		return;
	}
	ike_sa_set_state(sa, IKE_SA_EAP_GOT);
	answer(sa, in, true);
	/* What it asks for is given when it has proven who it is. */
	ike_auth_keep_first(sa, in);
}

static void gone_on(struct ike_sa *sa, struct ike_incoming *in, enum ike_eap_outcome outcome,
		    const struct ike_error *err)
{
	if (outcome == IKE_EAP_FAILED) {
		refuse_eap(sa, in, err);
		return;
	}
	if (outcome == IKE_EAP_SUCCEEDED) {
		server_succeeded(sa, in);
		return;
	}
	/* The peer is being told, and may not come back to hear that it is over. */
	if (outcome == IKE_EAP_GOES_ON && err->text[0] && !sa->eap->told) {
		ike_auth_log_refusal(sa, err);
		sa->eap->told = true;
	}
	answer(sa, in, false);
}

void ike_eap_server_goes_on(struct ike_sa *sa, struct ike_incoming *in,
			    enum ike_eap_outcome outcome, const struct ike_error *err)
{
	struct ike_error why = *err;

	if (outcome == IKE_EAP_RELAYS) {
		if (ike_aaa_ask(sa, in, &why))
			return;
		why.notify = IKE_NOTIFY_AUTHENTICATION_FAILED;
		ike_eap_relay_failed(sa->eap->eap);
		outcome = IKE_EAP_FAILED;
	}
	if (sa->state == IKE_SA_EAP_GOT)
		gone_on(sa, in, outcome, &why);
	else
		begun(sa, in, outcome, &why);
}

static void server_stepped(struct ike_sa *sa, const struct ike_job *job, struct ike_incoming *in)
{
	ike_eap_server_goes_on(sa, in, job->outcome, &job->err);
}

static void signed_first(struct ike_sa *sa, const struct ike_job *job, struct ike_incoming *in)
{
	struct ike_error err = job->err;

	ike_prove_done(sa, job);
	if (!job->ok || !run(sa, IKE_ANSWERING, in, server_stepped, &err))
		ike_auth_refuse_request(sa, in, &err);
}

static bool wants_eap(const struct ike_sa *sa, const struct ike_incoming *in, struct ike_error *err)
{
	const struct ike_payload *p = ike_payloads_find(&in->all, IKE_PAYLOAD_AUTH);
	char text[IKE_ID_TEXT_MAX];
	struct ike_wire_auth auth;

	ike_id_text(&sa->remote_id, text, sizeof(text));
	if (p && ike_auth_decode(p->body, &auth, err))
		return ike_fail_notify(err, IKE_NOTIFY_AUTHENTICATION_FAILED,
				       "peer %.100s authenticates by %s, EAP is needed "
				       "(remote.auth)", text, ike_auth_method_name(auth.method));
	if (sa->conn->local.method != IKE_AUTH_CFG_PUBKEY)
		return ike_fail_notify(err, IKE_NOTIFY_AUTHENTICATION_FAILED,
				       "peer %.100s: EAP needs a signature of ours first "
				       "(local.auth)", text);
	return !p;
}

/* Our own proof goes along, if one is due: the first does, which is a signature. */
static bool begin_round(struct ike_sa *sa, struct ike_incoming *in, struct ike_bytes id_body,
			struct ike_error *err)
{
	const struct ike_auth_cfg *own = ike_own_auth(sa);

	if (!wants_eap(sa, in, err) || !begin(sa, &sa->remote_id, id_body, err))
		return false;
	if (own)
		ike_round_local_id(own, &sa->local.addr, &sa->local_id);
	if (own && own->method == IKE_AUTH_CFG_PUBKEY)
		return ike_prove(sa, IKE_ANSWERING, &in->all, signed_first, in, err);
	return run(sa, IKE_ANSWERING, in, server_stepped, err);
}

void ike_eap_first_request(struct ike_sa *sa, struct ike_incoming *in, struct ike_bytes id_body)
{
	struct ike_error err = {0};

	if (begin_round(sa, in, id_body, &err))
		return;
	if (!err.notify)
		err.notify = IKE_NOTIFY_AUTHENTICATION_FAILED;
	ike_auth_refuse_request(sa, in, &err);
}

void ike_eap_request(struct ike_sa *sa, struct ike_incoming *in)
{
	struct ike_error err = {0};

	if (sa->state != IKE_SA_EAP_PROVEN) {
		if (!run(sa, IKE_ANSWERING, in, server_stepped, &err))
			ike_auth_refuse_request(sa, in, &err);
	} else if ((sa->peer_round || ike_ppk_requested(sa, &in->all, &err)) && verify(sa, in, &err)) {
		ike_auth_peer_proven(sa, in);
	} else {
		ike_auth_refuse_request(sa, in, &err);
	}
}
