// SPDX-License-Identifier: MIT
/* Post-quantum pre-shared keys (RFC 8784), both roles. */
#include <stdlib.h>
#include <string.h>

#include "ikev2/ppk.h"

/* Section 5.1. */
enum {
	PPK_ID_OPAQUE = 1,
	PPK_ID_FIXED = 2
};

void ike_ppk_free(struct ike_ppk *ppk)
{
	if (!ppk)
		return;
	ike_wipe(ppk, sizeof(*ppk));
	free(ppk);
}

bool ike_ppk_agreed(const struct ike_sa *sa, const struct ike_payloads *init)
{
	bool ours = sa->initiator ? sa->conn->ppk_id.type != IKE_ID_ANY : sa->config->n_ppks;

	return ours && ike_find_notify(init, IKE_NOTIFY_USE_PPK, NULL);
}

/* Names are octets to this protocol, whatever kind of identity they are written as. */
static const struct ike_secret_cfg *find(const struct ike_config *config, struct ike_bytes name)
{
	for (size_t i = 0; i < config->n_ppks; i++) {
		const struct ike_secret_cfg *s = &config->ppks[i];

		for (size_t k = 0; k < s->n_ids; k++)
			if (s->ids[k].len == name.len && !memcmp(s->ids[k].data, name.p, name.len))
				return s;
	}
	return NULL;
}

static struct ike_bytes own_name(const struct ike_sa *sa)
{
	return ike_bytes(sa->conn->ppk_id.data, sa->conn->ppk_id.len);
}

/* Section 3: SK_x = prf+(PPK, SK_x'). */
static bool mix_key(const struct ike_sa *sa, const struct ike_secret_cfg *secret,
		    struct ike_key *key, struct ike_key *before, struct ike_error *err)
{
	struct ike_bytes old;

	*before = *key;
	old = ike_key_bytes(before);
	return ike_prf_plus(sa->prf, ike_bytes(secret->key, secret->key_len), &old, 1, key->bytes,
			    key->len, err);
}

static bool mix(struct ike_sa *sa, const struct ike_secret_cfg *secret, struct ike_error *err)
{
	struct ike_ppk *ppk = sa->ppk;

	ppk->mixed = mix_key(sa, secret, &sa->keys.d, &ppk->d, err) &&
		     mix_key(sa, secret, &sa->keys.pi, &ppk->pi, err) &&
		     mix_key(sa, secret, &sa->keys.pr, &ppk->pr, err);
	sa->has_ppk = ppk->mixed;
	return ppk->mixed;
}

static void unmix(struct ike_sa *sa)
{
	sa->keys.d = sa->ppk->d;
	sa->keys.pi = sa->ppk->pi;
	sa->keys.pr = sa->ppk->pr;
	sa->ppk->mixed = false;
	sa->has_ppk = false;
}

static bool make(struct ike_sa *sa, struct ike_error *err)
{
	sa->ppk = calloc(1, sizeof(*sa->ppk));
	return sa->ppk || ike_fail(err, "out of memory");
}

/* Initiator */

bool ike_ppk_begin(struct ike_sa *sa, struct ike_error *err)
{
	char name[IKE_ID_TEXT_MAX];

	if (!sa->use_ppk)
		return true;
	if (find(sa->config, own_name(sa)))
		return make(sa, err);
	ike_id_text(&sa->conn->ppk_id, name, sizeof(name));
	if (sa->conn->ppk_required)
		return ike_fail(err, "there is no PPK %.100s (ppk_id)", name);
	ike_sa_log(sa, IKE_LOG_ERROR, "there is no PPK %.100s (ppk_id): going on without", name);
	return true;
}

bool ike_ppk_mix(struct ike_sa *sa, struct ike_error *err)
{
	return !sa->ppk || mix(sa, find(sa->config, own_name(sa)), err);
}

bool ike_ppk_answered(struct ike_sa *sa, const struct ike_payloads *all, struct ike_error *err)
{
	/* Before EAP has come to its end the peer has not been told of any. */
	if (!sa->ppk || !sa->ppk->mixed || ike_find_notify(all, IKE_NOTIFY_PPK_IDENTITY, NULL))
		return true;
	if (sa->conn->ppk_required)
		return ike_fail_notify(err, IKE_NOTIFY_AUTHENTICATION_FAILED,
				       "the peer does not use the PPK, and ppk_required = yes");
	ike_sa_log(sa, IKE_LOG_INFO, "the peer does not have the PPK: going on without");
	unmix(sa);
	return true;
}

void ike_ppk_put(struct ike_writer *w, const struct ike_sa *sa)
{
	const struct ike_ppk *ppk = sa->ppk;
	uint8_t buf[1 + IKE_ID_MAX];
	struct ike_writer name;

	if (!ppk || !ppk->mixed)
		return;
	ike_writer_init(&name, buf, sizeof(buf));
	if (sa->initiator) {
		ike_put8(&name, PPK_ID_FIXED);
		ike_put(&name, own_name(sa));
	}
	ike_put_notify(w, IKE_NOTIFY_PPK_IDENTITY, ike_written(&name));
	if (ppk->without.len)
		ike_put_notify(w, IKE_NOTIFY_NO_PPK_AUTH,
			       ike_bytes(ppk->without.data, ppk->without.len));
}

/* Responder */

static bool refuse(struct ike_error *err, const char *why)
{
	return ike_fail_notify(err, IKE_NOTIFY_AUTHENTICATION_FAILED, "%s", why);
}

/* The PPK that the peer names, if it is known here and right for the connection. */
static const struct ike_secret_cfg *named(const struct ike_sa *sa, struct ike_bytes identity)
{
	struct ike_cursor c = ike_cursor(identity);
	uint8_t type = ike_get8(&c);
	struct ike_bytes name = ike_get(&c, identity.len ? identity.len - 1 : 0);
	const struct ike_id *want = &sa->conn->ppk_id;

	if (type != PPK_ID_FIXED || !name.len ||
	    (want->type != IKE_ID_ANY &&
	     (want->len != name.len || memcmp(want->data, name.p, name.len))))
		return NULL;
	return find(sa->config, name);
}

bool ike_ppk_requested(struct ike_sa *sa, const struct ike_payloads *all, struct ike_error *err)
{
	bool required = sa->conn->ppk_required;
	const struct ike_secret_cfg *secret;
	struct ike_wire_notify n;

	/* It is named beside the first AUTH, which EAP has at its end. */
	if (sa->use_ppk && !ike_payloads_find(all, IKE_PAYLOAD_AUTH))
		return true;
	if (!sa->use_ppk || !ike_find_notify(all, IKE_NOTIFY_PPK_IDENTITY, &n))
		return !required || refuse(err, "the peer uses no PPK, and ppk_required = yes");
	secret = named(sa, n.data);
	if (!make(sa, err))
		return false;
	if (secret)
		return mix(sa, secret, err);
	if (required || !ike_find_notify(all, IKE_NOTIFY_NO_PPK_AUTH, NULL))
		return refuse(err, "the PPK that the peer names is not known here (secrets.ppk, "
			      "ppk_id)");
	ike_sa_log(sa, IKE_LOG_INFO,
		   "the PPK that the peer names is not known here: going on without");
	sa->ppk->declined = true;
	return true;
}

struct ike_bytes ike_ppk_proof(const struct ike_sa *sa, const struct ike_payloads *all,
			       struct ike_bytes auth)
{
	struct ike_wire_notify n;

	/* Section 3: by the method of AUTH. */
	if (sa->ppk && sa->ppk->declined && ike_find_notify(all, IKE_NOTIFY_NO_PPK_AUTH, &n))
		return n.data;
	return auth;
}
