// SPDX-License-Identifier: MIT
/* From a certificate to a trust anchor: OpenSSL's verifier, and what it found wrong, in words. */
#include <stdio.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509_vfy.h>

#include "ikev2/crypto/cert.h"
#include "ikev2/crypto/crl.h"
#include "ikev2/crypto/signature.h"

enum {
	DEPTH_MAX = 8,	/* intermediates */
	AUTH_LEVEL = 2, /* SSL_CTX_set_security_level(3): 112 bits, RSA-2048, no SHA-1 */
};

static bool push_all(STACK_OF(X509) *stack, const struct ike_cert_list *certs)
{
	for (size_t i = 0; i < certs->n; i++)
		if (!X509_add_cert(stack, certs->list[i]->x509, X509_ADD_FLAG_UP_REF))
			return false;
	return true;
}

/*
 * An anchor is what the configuration says is one, self-signed or not: PARTIAL_CHAIN. A list of
 * anchors of our own instead of a store: nothing to be shared or locked.
 */
static bool set_up(X509_STORE_CTX *ctx, const struct ike_cert *leaf, STACK_OF(X509) *untrusted,
		   STACK_OF(X509) *trusted, int64_t now)
{
	X509_VERIFY_PARAM *param;

	if (X509_STORE_CTX_init(ctx, NULL, leaf->x509, untrusted) != 1)
		return false;
	X509_STORE_CTX_set0_trusted_stack(ctx, trusted);
	param = X509_STORE_CTX_get0_param(ctx);
	X509_VERIFY_PARAM_set_time(param, now);
	X509_VERIFY_PARAM_set_depth(param, DEPTH_MAX);
	X509_VERIFY_PARAM_set_auth_level(param, AUTH_LEVEL);
	return X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN) == 1;
}

/* When it ends or begins, for what is out of time. */
static bool explain_time(X509 *at, int code, char *what, size_t cap)
{
	bool over = code == X509_V_ERR_CERT_HAS_EXPIRED;
	char when[32];

	if (!at || (!over && code != X509_V_ERR_CERT_NOT_YET_VALID))
		return false;
	ike_asn1_time_text(over ? X509_get0_notAfter(at) : X509_get0_notBefore(at), when);
	snprintf(what, cap, over ? "it has expired, at %s" : "it is not valid before %s", when);
	return true;
}

static const char *reason(int code)
{
	switch (code) {
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
		return "it is not trusted: no trust anchor has issued it";
	case X509_V_ERR_CERT_SIGNATURE_FAILURE:
		return "it is not trusted: its issuer's key has not signed it (certificate "
		       "signature failure)";
	case X509_V_ERR_INVALID_CA:
	case X509_V_ERR_KEYUSAGE_NO_CERTSIGN:
		return "it may not issue certificates (basicConstraints, key usage)";
	case X509_V_ERR_PATH_LENGTH_EXCEEDED:
		return "more authorities are below it than its path length allows";
	case X509_V_ERR_PERMITTED_VIOLATION:
		return "a name in it is outside of its issuer's name constraints (permitted subtree "
		       "violation)";
	case X509_V_ERR_EXCLUDED_VIOLATION:
		return "a name in it is excluded by its issuer's name constraints (excluded subtree "
		       "violation)";
	case X509_V_ERR_CERT_CHAIN_TOO_LONG:
		return "its chain is too long";
	default:
		return X509_verify_cert_error_string(code);
	}
}

static bool explain(const X509_STORE_CTX *ctx, struct ike_error *err)
{
	int code = X509_STORE_CTX_get_error(ctx), depth = X509_STORE_CTX_get_error_depth(ctx);
	X509 *at = X509_STORE_CTX_get_current_cert(ctx);
	char name[120], what[120];

	if (!explain_time(at, code, what, sizeof(what)))
		snprintf(what, sizeof(what), "%s", reason(code));
	if (depth == 0)
		return ike_fail(err, "%s", what);
	ike_x509_subject_text(at, name, sizeof(name));
	return ike_fail(err, "its issuer %s: %s", name, what);
}

static bool strong_enough(X509 *x509, bool leaf, bool anchor, const struct ike_chain_rules *rules,
			  struct ike_error *err)
{
	static const int nids[] = {NID_undef,  NID_sha1,   NID_sha256,
				   NID_sha384, NID_sha512, NID_undef};
	EVP_PKEY *key = X509_get0_pubkey(x509);
	int bits = key ? EVP_PKEY_get_bits(key) : 0, md = NID_undef;
	enum ike_pkey_kind kind;
	char name[120] = "it";

	if (!leaf)
		ike_x509_subject_text(x509, name, sizeof(name));
	kind = key && EVP_PKEY_is_a(key, "EC") ? IKE_PKEY_ECDSA : IKE_PKEY_RSA;
	if (key && (EVP_PKEY_is_a(key, "EC") || EVP_PKEY_is_a(key, "RSA")) &&
	    bits < (int)rules->min_bits[kind])
		return ike_fail(err, "%s has a key of %d bits, and remote.auth wants %u", name,
				bits, rules->min_bits[kind]);
	if (anchor || !rules->hashes)
		return true;
	/* EdDSA has no hash of its own: NID_undef, which is IDENTITY. */
	X509_get_signature_info(x509, &md, NULL, NULL, NULL);
	for (unsigned int i = IKE_HASH_SHA1; i <= IKE_HASH_IDENTITY; i++)
		if (nids[i] == md && (rules->hashes & 1u << i || i == IKE_HASH_IDENTITY))
			return true;
	return ike_fail(err, "%s is signed with %s, which remote.auth does not allow", name,
			OBJ_nid2sn(md));
}

static bool check_ca(STACK_OF(X509) *chain, const struct ike_id *ca, struct ike_error *err)
{
	char text[IKE_ID_TEXT_MAX];

	if (!ca || ca->type == IKE_ID_ANY)
		return true;
	for (int i = 1; i < sk_X509_num(chain); i++)
		if (ike_x509_has_id(sk_X509_value(chain, i), ca))
			return true;
	return ike_fail(err, "none of its issuers is %.100s (remote.ca_id)",
			ike_id_text(ca, text, sizeof(text)));
}

static bool check_rules(X509_STORE_CTX *ctx, const struct ike_chain_rules *rules,
			struct ike_error *err)
{
	STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(ctx);
	int n = sk_X509_num(chain);

	for (int i = 0; i < n; i++)
		if (!strong_enough(sk_X509_value(chain, i), !i, i == n - 1, rules, err))
			return false;
	return check_ca(chain, rules->ca, err);
}

/* The policy that the chain must hold (RFC 5280 section 6.1.1, user-initial-policy-set). */
static bool set_policy(X509_STORE_CTX *ctx, const char *oid)
{
	X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(ctx);
	ASN1_OBJECT *policy = OBJ_txt2obj(oid, 1);

	if (policy && X509_VERIFY_PARAM_add0_policy(param, policy) == 1)
		return X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_POLICY_CHECK |
						   X509_V_FLAG_EXPLICIT_POLICY) == 1;
	ASN1_OBJECT_free(policy);
	return false;
}

struct candidates {
	STACK_OF(X509) *untrusted, *trusted;
};

/* @policy: NULL, or one that it must hold. The chain it found is in @ctx. */
static bool verify(X509_STORE_CTX *ctx, const struct ike_cert *leaf, const struct candidates *c,
		   int64_t now, const char *policy, struct ike_error *err)
{
	int code;

	if (!set_up(ctx, leaf, c->untrusted, c->trusted, now) || (policy && !set_policy(ctx, policy)))
		return ike_fail(err, "out of memory");
	if (X509_verify_cert(ctx) == 1)
		return true;
	code = X509_STORE_CTX_get_error(ctx);
	if (policy && (code == X509_V_ERR_NO_EXPLICIT_POLICY ||
		       code == X509_V_ERR_INVALID_POLICY_EXTENSION))
		return ike_fail(err, "it is not issued under policy %.80s (remote.cert_policy)",
				policy);
	return explain(ctx, err);
}

/* Each policy alone: OpenSSL is content with one of several. */
static bool verify_policies(X509_STORE_CTX *ctx, const struct ike_cert *leaf,
			    const struct candidates *c, const struct ike_chain_rules *rules,
			    struct ike_error *err)
{
	for (size_t i = 0; i < rules->n_policies; i++) {
		X509_STORE_CTX_cleanup(ctx);
		if (!verify(ctx, leaf, c, rules->now, rules->policies[i], err))
			return false;
	}
	return true;
}

void ike_chain_free(STACK_OF(X509) *chain)
{
	sk_X509_pop_free(chain, X509_free);
}

STACK_OF(X509) *ike_chain_ref(STACK_OF(X509) *chain)
{
	return X509_chain_up_ref(chain);
}

bool ike_chain_in_time(const STACK_OF(X509) *chain, int64_t now)
{
	time_t t = now;

	for (int i = 0; i < sk_X509_num(chain); i++) {
		const X509 *x509 = sk_X509_value(chain, i);

		/* X509_cmp_time() says 0 of what it cannot read. */
		if (X509_cmp_time(X509_get0_notBefore(x509), &t) >= 0 ||
		    X509_cmp_time(X509_get0_notAfter(x509), &t) <= 0)
			return false;
	}
	return true;
}

void ike_chain_leaf_text(STACK_OF(X509) *chain, char *buf, size_t cap)
{
	ike_x509_subject_text(sk_X509_value(chain, 0), buf, cap);
}

bool ike_cert_chain(const struct ike_cert *leaf, const struct ike_cert_list *sent,
		    const struct ike_cert_list *known, const struct ike_cert_list *anchors,
		    const struct ike_chain_rules *rules, STACK_OF(X509) **chain,
		    struct ike_error *err)
{
	struct candidates c = {sk_X509_new_null(), sk_X509_new_null()};
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	bool ok = false;

	if (!c.untrusted || !c.trusted || !ctx || !push_all(c.untrusted, sent) ||
	    !push_all(c.untrusted, known) || !push_all(c.trusted, anchors))
		ike_fail(err, "out of memory");
	else
		ok = verify(ctx, leaf, &c, rules->now, NULL, err) && check_rules(ctx, rules, err) &&
		     verify_policies(ctx, leaf, &c, rules, err);
	if (ok && chain) {
		*chain = X509_STORE_CTX_get1_chain(ctx);
		ok = *chain || ike_fail(err, "out of memory");
	}
	X509_STORE_CTX_free(ctx);
	ike_chain_free(c.trusted);
	ike_chain_free(c.untrusted);
	ERR_clear_error();
	return ok;
}
