// SPDX-License-Identifier: MIT
/* Proving an identity by a signature, and verifying such a proof. */
#include <stdlib.h>
#include <string.h>

#include "ikev2/proof.h"

struct ike_proof *ike_proof_new(struct ike_config *config, const struct ike_auth_cfg *cfg,
				const struct ike_id *id, const struct ike_bytes *parts, size_t n)
{
	struct ike_proof *p = calloc(1, sizeof(*p));
	struct ike_writer w;
	size_t len = 0;

	for (size_t i = 0; i < n; i++)
		len += parts[i].len;
	if (p)
		p->octets = malloc(len ? len : 1);
	if (!p || !p->octets) {
		free(p);
		return NULL;
	}
	ike_writer_init(&w, p->octets, len);
	for (size_t i = 0; i < n; i++)
		ike_put(&w, parts[i]);
	p->octets_len = w.len;
	p->config = ike_config_ref(config);
	p->cfg = cfg;
	p->id = *id;
	return p;
}

void ike_proof_free(struct ike_proof *p)
{
	if (!p)
		return;
	ike_revocation_clear(&p->revocation);
	ike_chain_free(p->chain);
	ike_chain_free(p->known_chain);
	ike_cert_unref(p->known);
	ike_cert_unref(p->leaf);
	ike_config_unref(p->config);
	free(p->octets);
	free(p->certs);
	free(p);
}

bool ike_proof_add_cert(struct ike_proof *p, struct ike_bytes der, struct ike_error *err)
{
	uint8_t *certs;

	if (!der.len)
		return ike_fail_notify(err, IKE_NOTIFY_AUTHENTICATION_FAILED,
				       "the peer sends an empty certificate");
	if (p->n_certs == IKE_CERTS_MAX || p->certs_len + der.len > IKE_CERTS_BYTES_MAX)
		return ike_fail_notify(err, IKE_NOTIFY_AUTHENTICATION_FAILED,
				       "the peer sends more than %d certificates or %d bytes of them",
				       IKE_CERTS_MAX, IKE_CERTS_BYTES_MAX);
	certs = realloc(p->certs, p->certs_len + der.len);
	if (!certs)
		return ike_fail(err, "out of memory");
	memcpy(certs + p->certs_len, der.p, der.len);
	p->certs = certs;
	p->certs_len += der.len;
	p->cert_len[p->n_certs++] = der.len;
	return true;
}

static struct ike_bytes octets(const struct ike_proof *p)
{
	return ike_bytes(p->octets, p->octets_len);
}

/* Puts whose proof it is in front of what is wrong with it. */
static bool refuse(const struct ike_proof *p, struct ike_error *err)
{
	char text[IKE_ID_TEXT_MAX];

	ike_fail_at(err, "peer %.80s", ike_id_text(&p->id, text, sizeof(text)));
	err->notify = IKE_NOTIFY_AUTHENTICATION_FAILED;
	return false;
}

static bool signed_by(struct ike_proof *p, const struct ike_pkey *key, struct ike_error *err)
{
	ike_scheme_set allowed = p->cfg->schemes ? p->cfg->schemes : IKE_SCHEMES_ALL;

	return ike_signature_verify(key, p->signature.method,
				    ike_bytes(p->signature.data, p->signature.len), octets(p),
				    allowed, &p->scheme, err);
}

/* Raw public keys: the configuration says whose they are. */
static bool verify_raw(struct ike_proof *p, struct ike_error *err)
{
	const struct ike_pkey_list *keys = &p->cfg->pubkeys;
	char text[IKE_PKEY_TEXT_MAX];
	struct ike_text by;

	for (size_t i = 0; i < keys->n; i++) {
		if (!signed_by(p, keys->list[i], err))
			continue;
		ike_text_init(&by, p->by, sizeof(p->by));
		ike_text_add(&by, "%s, raw public key %s", ike_scheme_name(p->scheme),
			     ike_pkey_text(keys->list[i], text));
		return true;
	}
	return refuse(p, err);
}

static bool pinned(const struct ike_proof *p, const struct ike_cert *leaf, struct ike_error *err)
{
	for (size_t i = 0; i < p->cfg->certs.n; i++)
		if (ike_cert_equal(p->cfg->certs.list[i], leaf))
			return ike_cert_in_time(leaf, p->now, err);
	return ike_fail(err, "it is none of remote.certs");
}

/* *@chain stays NULL for a certificate that needs no authority. */
static bool trusted(const struct ike_proof *p, const struct ike_cert *leaf,
		    const struct ike_cert_list *sent, struct stack_st_X509 **chain,
		    struct ike_error *err)
{
	const struct ike_cert_list *anchors =
		p->cfg->cacerts.n ? &p->cfg->cacerts : &p->config->anchors;
	struct ike_chain_rules rules = {
		.now = p->now,
		.hashes = p->cfg->chain_hashes,
		.policies = p->cfg->policies,
		.n_policies = p->cfg->n_policies,
		.ca = &p->cfg->ca_id,
	};

	if (p->cfg->certs.n)
		return pinned(p, leaf, err);
	if (leaf == p->known) {
		*chain = ike_chain_ref(p->known_chain);
		return *chain || ike_fail(err, "out of memory");
	}
	if (!anchors->n)
		return ike_fail(err, "there is no trust anchor here (x509ca)");
	for (unsigned int i = 0; i < IKE_PKEY_KINDS; i++)
		rules.min_bits[i] = p->cfg->min_bits[i];
	return ike_cert_chain(leaf, sent, &p->config->certs, anchors, &rules, chain, err);
}

static bool holds_id(const struct ike_proof *p, const struct ike_cert *leaf, struct ike_error *err)
{
	char names[150];
	struct ike_text t;

	if (ike_cert_has_id(leaf, &p->id))
		return true;
	ike_text_init(&t, names, sizeof(names));
	ike_cert_ids_text(&t, leaf);
	return ike_fail(err, "its identity is not in it, only %s", names);
}

bool ike_proof_accepts(const struct ike_proof *p, const struct ike_cert *leaf,
		       const struct ike_cert_list *sent, struct stack_st_X509 **chain,
		       struct ike_error *err)
{
	char subject[IKE_ID_TEXT_MAX];

	if (trusted(p, leaf, sent, chain, err) && ike_cert_may_authenticate(leaf, err) &&
	    holds_id(p, leaf, err))
		return true;
	return ike_fail_at(err, "certificate %.60s",
			   ike_id_text(&leaf->subject, subject, sizeof(subject)));
}

static bool not_revoked(struct ike_proof *p, struct ike_error *err)
{
	struct ike_revocation *r = &p->revocation;
	char subject[120];

	r->policy = p->cfg->revocation;
	r->authorities = p->config->authorities;
	r->n_authorities = p->config->n_authorities;
	r->crls = &p->config->crls;
	r->now = p->now;
	if (!p->chain || ike_revocation_check(r, p->chain, err) != IKE_REVOCATION_REFUSES)
		return true;
	ike_chain_leaf_text(p->chain, subject, sizeof(subject));
	return ike_fail_at(err, "certificate %.60s", subject);
}

/* A certificate that is good for nothing proves nothing, whoever has signed with its key. */
static bool verify_with(struct ike_proof *p, const struct ike_cert *leaf,
			const struct ike_cert_list *sent, struct ike_error *err)
{
	char subject[IKE_ID_TEXT_MAX];
	struct ike_text by;

	if (!ike_proof_accepts(p, leaf, sent, &p->chain, err) || !signed_by(p, leaf->key, err)) {
		ike_chain_free(p->chain);
		p->chain = NULL;
		return refuse(p, err);
	}
	ike_text_init(&by, p->by, sizeof(p->by));
	ike_text_add(&by, "%s, certificate %s", ike_scheme_name(p->scheme),
		     ike_id_text(&leaf->subject, subject, sizeof(subject)));
	return true;
}

/* The peer sent none: one of those that we know is its own. */
static bool verify_known(struct ike_proof *p, struct ike_error *err)
{
	const struct ike_cert_list *known = p->cfg->certs.n ? &p->cfg->certs : &p->config->certs;
	struct ike_cert_list none = {0};
	bool any = false;

	for (size_t i = 0; i < known->n; i++) {
		if (!ike_cert_has_id(known->list[i], &p->id))
			continue;
		any = true;
		if (verify_with(p, known->list[i], &none, err))
			return true;
	}
	if (any)
		return false;
	ike_fail(err, "no certificate: it sends none, and none of that identity is known here");
	return refuse(p, err);
}

static bool verify_parsed(struct ike_proof *p, struct ike_error *err)
{
	struct ike_cert *certs[IKE_CERTS_MAX] = {0};
	struct ike_cert_list rest = {.list = certs + 1};
	struct ike_error unused;
	size_t at = p->cert_len[0];
	bool ok;

	certs[0] = ike_cert_from_der(ike_bytes(p->certs, p->cert_len[0]), err);
	/* What is wrong with the others shows when the chain lacks them. */
	for (unsigned int i = 1; i < p->n_certs; at += p->cert_len[i++]) {
		certs[1 + rest.n] =
			ike_cert_from_der(ike_bytes(p->certs + at, p->cert_len[i]), &unused);
		rest.n += certs[1 + rest.n] != NULL;
	}
	if (certs[0]) {
		ok = verify_with(p, certs[0], &rest, err);
		p->leaf = ok ? ike_cert_ref(certs[0]) : NULL;
	} else {
		ike_fail_at(err, "certificate");
		ok = refuse(p, err);
	}
	for (unsigned int i = 0; i < 1 + rest.n; i++)
		ike_cert_unref(certs[i]);
	return ok;
}

static bool verify_sent(struct ike_proof *p, struct ike_error *err)
{
	struct ike_cert_list none = {0};

	/* Another chain may be in time where the one that was found then is not. */
	if (p->known && ike_chain_in_time(p->known_chain, p->now))
		return verify_with(p, p->known, &none, err);
	return verify_parsed(p, err);
}

bool ike_proof_run(struct ike_proof *p, struct ike_error *err)
{
	if (p->key)
		return ike_signature_make(p->key, p->signature.method, p->scheme, octets(p),
					  &p->signature, err);
	if (p->cfg->pubkeys.n)
		return verify_raw(p, err);
	/* Only now: what a certificate says of places to ask counts from here on. */
	if (!p->chain && !(p->n_certs ? verify_sent(p, err) : verify_known(p, err)))
		return false;
	return not_revoked(p, err) || refuse(p, err);
}
