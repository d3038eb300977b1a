// SPDX-License-Identifier: MIT
/*
 * ECP groups (RFC 5903). Public values are x | y; the secret is x of the product (section 7).
 *
 * EVP has no way to get the public point of a given private value, so generate() multiplies with
 * EC_POINT; derive() is EVP. Private values carry BN_FLG_CONSTTIME.
 */
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/obj_mac.h>
#include <openssl/params.h>

#include "ikev2/crypto/dh_kind.h"

enum {
	POINT_MAX = 1 + IKE_DH_PUBLIC_MAX
};

static EC_GROUP *curve(const struct ike_dh_group *g)
{
	switch (g->id) {
	case IKE_KE_ECP_256:
		return EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
	case IKE_KE_ECP_384:
		return EC_GROUP_new_by_curve_name(NID_secp384r1);
	case IKE_KE_ECP_521:
		return EC_GROUP_new_by_curve_name(NID_secp521r1);
	default:
		return NULL;
	}
}

/* What was drawn becomes d = drawn mod (n - 1) + 1, so 1 <= d < n. */
static BIGNUM *private_value(struct ike_dh_key *k, const EC_GROUP *c, BN_CTX *ctx)
{
	BIGNUM *d = BN_secure_new(), *limit = BN_dup(EC_GROUP_get0_order(c));
	bool ok;

	if (d)
		BN_set_flags(d, BN_FLG_CONSTTIME);
	ok = d && limit && BN_bin2bn(k->priv.bytes, k->priv.len, d) && BN_sub_word(limit, 1) &&
	     BN_mod(d, d, limit, ctx) && BN_add_word(d, 1);
	ike_secret_clear(&k->priv);
	if (ok) {
		k->priv.len = k->group->secret_len;
		ok = BN_bn2binpad(d, k->priv.bytes, k->priv.len) == (int)k->priv.len;
	}
	BN_free(limit);
	if (ok)
		return d;
	BN_clear_free(d);
	return NULL;
}

/* k->pub = d * G, without the leading byte of the uncompressed form. */
static bool public_value(struct ike_dh_key *k, const EC_GROUP *c, const BIGNUM *d, BN_CTX *ctx)
{
	EC_POINT *point = EC_POINT_new(c);
	uint8_t octets[POINT_MAX];
	size_t len = 0;

	if (point && EC_POINT_mul(c, point, d, NULL, NULL, ctx) == 1)
		len = EC_POINT_point2oct(c, point, POINT_CONVERSION_UNCOMPRESSED, octets,
					 sizeof(octets), ctx);
	EC_POINT_free(point);
	if (len != 1 + k->pub_len)
		return false;
	memcpy(k->pub, octets + 1, k->pub_len);
	return true;
}

bool ike_dh_ecp_generate(struct ike_dh_key *k, struct ike_error *err)
{
	EC_GROUP *c = curve(k->group);
	BN_CTX *ctx = BN_CTX_secure_new();
	BIGNUM *d = NULL;
	bool ok;

	ok = c && ctx && (d = private_value(k, c, ctx)) && public_value(k, c, d, ctx);
	BN_clear_free(d);
	BN_CTX_free(ctx);
	EC_GROUP_free(c);
	return ok || ike_dh_openssl_failed(k->group, "make a key", err);
}

/* An EVP key of the public value @xy, with the private one of @k unless @k is NULL. */
static EVP_PKEY *evp_key(const struct ike_dh_group *g, const struct ike_dh_key *k,
			 struct ike_bytes xy)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	uint8_t point[POINT_MAX] = {POINT_CONVERSION_UNCOMPRESSED}, native[IKE_SECRET_MAX];
	EVP_PKEY *pkey = NULL;
	OSSL_PARAM params[4], *p = params;

	memcpy(point + 1, xy.p, xy.len);
	*p++ = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char *)g->name, 0);
	*p++ = OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, 1 + xy.len);
	if (k) {
		/* The parameter wants the machine's byte order; the key is big-endian. */
		for (size_t i = 0; i < k->priv.len; i++)
			native[i] = k->priv.bytes[k->priv.len - 1 - i];
		*p++ = OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_PRIV_KEY, native, k->priv.len);
	}
	*p = OSSL_PARAM_construct_end();
	if (!ctx || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &pkey, k ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY, params) != 1)
		pkey = NULL;
	ike_wipe(native, sizeof(native));
	EVP_PKEY_CTX_free(ctx);
	return pkey;
}

/* RFC 6989 section 2.3: the point must be one of the curve; these curves have cofactor 1. */
static bool public_check(EVP_PKEY *pkey)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
	bool ok = ctx && EVP_PKEY_public_check_quick(ctx) == 1;

	EVP_PKEY_CTX_free(ctx);
	return ok;
}

bool ike_dh_ecp_derive(const struct ike_dh_key *k, struct ike_bytes peer, struct ike_secret *out,
		       struct ike_error *err)
{
	EVP_PKEY *other = evp_key(k->group, NULL, peer);

	if (!other || !public_check(other)) {
		EVP_PKEY_free(other);
		return ike_dh_peer_failed(k->group, "is no point of the curve", err);
	}
	return ike_dh_evp_derive(k->group, evp_key(k->group, k, ike_dh_public(k)), other, NULL, out,
				 err);
}
