// SPDX-License-Identifier: MIT
/* From a certificate to a trust anchor: OpenSSL's verifier, and what it found wrong, in words. */
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509_vfy.h>

#include "ikev2/crypto/cert.h"
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

static void name_text(X509 *x509, char *buf, size_t cap)
{
	const unsigned char *der;
	struct ike_text t;
	size_t len;

	ike_text_init(&t, buf, cap);
	if (x509 && X509_NAME_get0_der(X509_get_subject_name(x509), &der, &len) == 1 &&
	    len <= IKE_ID_MAX) {
		struct ike_id id = {.type = IKE_ID_DER_ASN1_DN, .len = len};

		memcpy(id.data, der, len);
		ike_id_text(&id, buf, cap);
	}
}

static bool explain(const X509_STORE_CTX *ctx, struct ike_error *err)
{
	int code = X509_STORE_CTX_get_error(ctx), depth = X509_STORE_CTX_get_error_depth(ctx);
	X509 *at = X509_STORE_CTX_get_current_cert(ctx);
	const char *what;
	char name[120];

	switch (code) {
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
		what = "it is not trusted: no trust anchor has issued it";
		break;
	case X509_V_ERR_CERT_HAS_EXPIRED:
		what = "it has expired";
		break;
	default:
		what = X509_verify_cert_error_string(code);
	}
	if (depth == 0)
		return ike_fail(err, "%s", what);
	name_text(at, name, sizeof(name));
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
		name_text(x509, name, sizeof(name));
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

static bool check_rules(X509_STORE_CTX *ctx, const struct ike_chain_rules *rules,
			struct ike_error *err)
{
	STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(ctx);
	int n = sk_X509_num(chain);

	for (int i = 0; i < n; i++)
		if (!strong_enough(sk_X509_value(chain, i), !i, i == n - 1, rules, err))
			return false;
	return true;
}

bool ike_cert_chain(const struct ike_cert *leaf, const struct ike_cert_list *sent,
		    const struct ike_cert_list *known, const struct ike_cert_list *anchors,
		    const struct ike_chain_rules *rules, struct ike_error *err)
{
	STACK_OF(X509) *untrusted = sk_X509_new_null(), *trusted = sk_X509_new_null();
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	bool ok = false;

	if (!untrusted || !trusted || !ctx || !push_all(untrusted, sent) ||
	    !push_all(untrusted, known) || !push_all(trusted, anchors) ||
	    !set_up(ctx, leaf, untrusted, trusted, rules->now))
		ike_fail(err, "out of memory");
	else if (X509_verify_cert(ctx) != 1)
		explain(ctx, err);
	else
		ok = check_rules(ctx, rules, err);
	X509_STORE_CTX_free(ctx);
	sk_X509_pop_free(trusted, X509_free);
	sk_X509_pop_free(untrusted, X509_free);
	ERR_clear_error();
	return ok;
}
