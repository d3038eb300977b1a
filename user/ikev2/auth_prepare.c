// SPDX-License-Identifier: MIT
/*
 * What an initiator has to prove in IKE_AUTH, made before its request is built: by pre-shared key at
 * once, by signature as a job; twice if the responder may not have our PPK (RFC 8784), also after EAP.
 */
#include <string.h>

#include "ikev2/auth_eap.h"
#include "ikev2/conn.h"
#include "ikev2/ppk.h"
#include "ikev2/prove.h"
#include "ikev2/rounds.h"

static void signed_request(struct ike_sa *sa, const struct ike_job *job, struct ike_incoming *in)
{
	ike_prove_done(sa, job);
	ike_task_step(sa, job->ok ? IKE_STEP_SEND : ike_task_fail(sa->task, "%s", job->err.text));
}

static enum ike_step sign(struct ike_sa *sa, struct ike_task *t)
{
	struct ike_error err = {0};

	if (!ike_ppk_mix(sa, &err) ||
	    !ike_prove(sa, IKE_ASKING, NULL, signed_request, NULL, &err))
		return ike_task_fail(t, "%s", err.text);
	return IKE_STEP_WAIT;
}

/* What a responder without our PPK will take is ready: now the proof with it. */
static void signed_without(struct ike_sa *sa, const struct ike_job *job, struct ike_incoming *in)
{
	if (!job->ok) {
		ike_task_step(sa, ike_task_fail(sa->task, "%s", job->err.text));
		return;
	}
	sa->ppk->without = job->proof->signature;
	ike_task_step(sa, sign(sa, sa->task));
}

static bool prove_without_ppk(struct ike_sa *sa, struct ike_bytes secret, struct ike_error *err)
{
	uint8_t buf[IKE_ID_MAX + IKE_GENERIC_LEN];
	struct ike_key IKE_CLEARED_KEY value = {0};

	if (!ike_auth_value(sa, true, secret, ike_own_id_body(sa, buf, sizeof(buf)), &value, err))
		return false;
	memcpy(sa->ppk->without.data, value.bytes, value.len);
	sa->ppk->without.len = value.len;
	return true;
}

bool ike_auth_mix_ppk(struct ike_sa *sa, struct ike_bytes secret, struct ike_error *err)
{
	return (!ike_ppk_wants_other(sa) || prove_without_ppk(sa, secret, err)) &&
	       ike_ppk_mix(sa, err);
}

static enum ike_step prepare_first(struct ike_sa *sa, struct ike_task *t)
{
	enum ike_auth_method method = ike_own_auth(sa)->method;
	const struct ike_secret_cfg *secret;
	struct ike_error err = {0};

	if (method == IKE_AUTH_CFG_PUBKEY && ike_ppk_wants_other(sa))
		return ike_prove(sa, IKE_ASKING, NULL, signed_without, NULL, &err) ?
		       IKE_STEP_WAIT : ike_task_fail(t, "%s", err.text);
	if (method == IKE_AUTH_CFG_PUBKEY)
		return sign(sa, t);
	secret = ike_psk_find(sa->config, &sa->local_id, &sa->remote_id);
	if (!ike_auth_methods_take_psk(&sa->peer_takes, &err) ||
	    !ike_auth_mix_ppk(sa, ike_bytes(secret->key, secret->key_len), &err))
		return ike_task_fail(t, "%s", err.text);
	return IKE_STEP_SEND;
}

enum ike_step ike_auth_prepare(struct ike_sa *sa, struct ike_task *t)
{
	struct ike_error err = {0};

	/* The PPK goes into the keys once. */
	if (!sa->own_round)
		return prepare_first(sa, t);
	if (ike_own_auth(sa)->method != IKE_AUTH_CFG_PUBKEY)
		return ike_auth_methods_take_psk(&sa->peer_takes, &err) ?
		       IKE_STEP_SEND : ike_task_fail(t, "%s", err.text);
	return ike_prove(sa, IKE_ASKING, NULL, signed_request, NULL, &err) ?
	       IKE_STEP_WAIT : ike_task_fail(t, "%s", err.text);
}
