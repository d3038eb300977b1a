// SPDX-License-Identifier: MIT
/*
 * MODP groups (RFC 3526): safe primes, generator 2.
 *
 * EVP has no way to get the public value of a given private one, so generate() raises with BN;
 * derive() is EVP. Private values carry BN_FLG_CONSTTIME.
 */
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/params.h>

#include "ikev2/crypto/dh_kind.h"

enum {
	GENERATOR = 2, /* RFC 3526 sections 3 to 5 */
	TOP_BIT = 0x80,
};

static BIGNUM *prime(const struct ike_dh_group *g)
{
	switch (g->id) {
	case IKE_KE_MODP_2048:
		return BN_get_rfc3526_prime_2048(NULL);
	case IKE_KE_MODP_3072:
		return BN_get_rfc3526_prime_3072(NULL);
	case IKE_KE_MODP_4096:
		return BN_get_rfc3526_prime_4096(NULL);
	default:
		return NULL;
	}
}

bool ike_dh_modp_generate(struct ike_dh_key *k, struct ike_error *err)
{
	BIGNUM *p = prime(k->group), *x = BN_secure_new(), *g = BN_new(), *y = BN_new();
	BN_CTX *ctx = BN_CTX_secure_new();
	bool ok = p && x && g && y && ctx && BN_set_word(g, GENERATOR);

	/* Whatever was drawn, the exponent is long. */
	k->priv.bytes[0] |= TOP_BIT;
	if (ok) {
		BN_set_flags(x, BN_FLG_CONSTTIME);
		ok = BN_bin2bn(k->priv.bytes, k->priv.len, x) &&
		     BN_mod_exp_mont_consttime(y, g, x, p, ctx, NULL) &&
		     BN_bn2binpad(y, k->pub, k->pub_len) == (int)k->pub_len;
	}
	BN_free(y);
	BN_free(g);
	BN_clear_free(x);
	BN_free(p);
	BN_CTX_free(ctx);
	return ok || ike_dh_openssl_failed(k->group, "make a key", err);
}

/* RFC 6989 section 2.1: with a safe prime, 1 < y < p - 1 is all there is to check. */
static bool in_range(const struct ike_dh_group *g, struct ike_bytes peer)
{
	BIGNUM *p = prime(g), *y = BN_bin2bn(peer.p, peer.len, NULL);
	bool ok;

	ok = p && y && BN_sub_word(p, 1) && BN_cmp(y, BN_value_one()) > 0 && BN_cmp(y, p) < 0;
	BN_free(y);
	BN_free(p);
	return ok;
}

/* @to gets the bytes of @from in the machine's order, as BN parameters want them. */
static uint8_t *native(uint8_t *to, const uint8_t *from, size_t len)
{
	for (size_t i = 0; i < len; i++)
		to[i] = from[len - 1 - i];
	return to;
}

/* An EVP key of the public value @y, with the private one of @k unless @k is NULL. */
static EVP_PKEY *evp_key(const struct ike_dh_group *g, const struct ike_dh_key *k,
			 struct ike_bytes y)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "DH", NULL);
	uint8_t pub[IKE_DH_PUBLIC_MAX], priv[IKE_SECRET_MAX];
	EVP_PKEY *pkey = NULL;
	OSSL_PARAM params[4], *p = params;

	*p++ = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char *)g->name, 0);
	*p++ = OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_PUB_KEY, native(pub, y.p, y.len), y.len);
	if (k)
		*p++ = OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_PRIV_KEY,
					       native(priv, k->priv.bytes, k->priv.len),
					       k->priv.len);
	*p = OSSL_PARAM_construct_end();
	if (!ctx || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &pkey, k ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY, params) != 1)
		pkey = NULL;
	ike_wipe(priv, sizeof(priv));
	EVP_PKEY_CTX_free(ctx);
	return pkey;
}

bool ike_dh_modp_derive(const struct ike_dh_key *k, struct ike_bytes peer, struct ike_secret *out,
			struct ike_error *err)
{
	unsigned int keep_zeros = 1; /* RFC 7296 section 2.14: g^ir has the length of the prime */
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_uint(OSSL_EXCHANGE_PARAM_PAD, &keep_zeros),
		OSSL_PARAM_construct_end(),
	};

	if (!in_range(k->group, peer))
		return ike_dh_peer_failed(k->group, "is not between 1 and p-1", err);
	return ike_dh_evp_derive(k->group, evp_key(k->group, k, ike_dh_public(k)),
				 evp_key(k->group, NULL, peer), params, out, err);
}
