// SPDX-License-Identifier: MIT
/* Choosing our own key and certificate. */
#include <string.h>

#include "ikev2/own.h"

enum {
	CHAIN_MAX = 8
};

static const struct ike_pkey *private_of(const struct ike_config *config,
					 const struct ike_pkey *key)
{
	for (size_t i = 0; i < config->keys.n; i++)
		if (ike_pkey_equal(config->keys.list[i], key))
			return config->keys.list[i];
	return NULL;
}

static bool kind_allowed(const struct ike_auth_cfg *auth, enum ike_pkey_kind kind)
{
	for (enum ike_scheme s = 0; auth->schemes && s < IKE_SCHEMES; s++)
		if (auth->schemes & 1u << s && ike_scheme_kind(s) == kind)
			return true;
	return !auth->schemes;
}

static const struct ike_cert *issuer_in(const struct ike_cert_list *l, const struct ike_cert *cert)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->list[i] != cert && l->list[i]->ca && ike_cert_issued(l->list[i], cert))
			return l->list[i];
	return NULL;
}

static const struct ike_cert *issuer_of(const struct ike_config *config,
					const struct ike_cert *cert)
{
	const struct ike_cert *issuer = issuer_in(&config->anchors, cert);

	return issuer ? issuer : issuer_in(&config->certs, cert);
}

const struct ike_cert *ike_own_issuer(const struct ike_config *config, const struct ike_cert *cert)
{
	const struct ike_cert *issuer = cert->self_signed ? NULL : issuer_of(config, cert);

	return issuer && !issuer->self_signed ? issuer : NULL;
}

static bool leads_to(const struct ike_config *config, const struct ike_cert *cert,
		     struct ike_bytes wanted)
{
	for (unsigned int depth = 0; cert && depth < CHAIN_MAX; depth++) {
		for (size_t at = 0; at + IKE_PKEY_ID_LEN <= wanted.len; at += IKE_PKEY_ID_LEN)
			if (!memcmp(wanted.p + at, cert->key->id, IKE_PKEY_ID_LEN))
				return true;
		cert = cert->self_signed ? NULL : issuer_of(config, cert);
	}
	return false;
}

static bool find_raw(const struct ike_config *config, const struct ike_auth_cfg *auth,
		     struct ike_own *own, struct ike_error *err)
{
	for (size_t i = 0; i < auth->pubkeys.n; i++) {
		own->key = private_of(config, auth->pubkeys.list[i]);
		own->cert = NULL;
		if (own->key && kind_allowed(auth, own->key->kind))
			return true;
	}
	return ike_fail(err, "there is no private key for local.pubkeys");
}

/* Why there is none. */
static bool explain(const struct ike_auth_cfg *auth, const struct ike_id *id,
		    const struct ike_cert *keyless, const struct ike_cert *barred,
		    struct ike_error *err)
{
	char text[IKE_ID_TEXT_MAX], key[IKE_PKEY_TEXT_MAX];

	if (keyless)
		return ike_fail(err, "there is no private key for our certificate %.120s",
				ike_id_text(&keyless->subject, text, sizeof(text)));
	if (barred)
		return ike_fail(err, "local.auth does not allow the %s key of our certificate %.100s",
				ike_pkey_text(barred->key, key),
				ike_id_text(&barred->subject, text, sizeof(text)));
	return ike_fail(err, "we have no certificate for %.120s (local.certs)",
			ike_id_text(id, text, sizeof(text)));
}

bool ike_own_find(const struct ike_config *config, const struct ike_auth_cfg *auth,
		  const struct ike_id *id, struct ike_bytes wanted, struct ike_own *own,
		  struct ike_error *err)
{
	const struct ike_cert_list *certs = auth->certs.n ? &auth->certs : &config->certs;
	const struct ike_cert *keyless = NULL, *barred = NULL;

	if (auth->pubkeys.n)
		return find_raw(config, auth, own, err);
	*own = (struct ike_own){0};
	for (size_t i = 0; i < certs->n; i++) {
		const struct ike_cert *c = certs->list[i];
		const struct ike_pkey *key = private_of(config, c->key);

		if (!auth->certs.n && !ike_cert_has_id(c, id))
			continue;
		if (!key)
			keyless = c;
		else if (!kind_allowed(auth, key->kind))
			barred = c;
		else if (!own->key || leads_to(config, c, wanted))
			*own = (struct ike_own){key, c};
		if (own->cert == c && leads_to(config, c, wanted))
			break;
	}
	return own->key || explain(auth, id, keyless, barred, err);
}
