// SPDX-License-Identifier: MIT
/*
 * ML-KEM (FIPS 203) as a key exchange (draft-ietf-ipsecme-ikev2-mlkem): who begins sends an
 * encapsulation key, who answers a ciphertext.
 *
 * OpenSSL has it from 3.5 on. Algorithm and parameters are asked for by name, so that what is built
 * with an older one uses it where it is, and says where it is not.
 */
#include <openssl/core_names.h>
#include <openssl/params.h>

#include "ikev2/crypto/dh_kind.h"

/* Names that the headers of OpenSSL 3.0 do not have. */
static const char seed_param[] = "seed"; /* d | z of FIPS 203 section 7.1 */
static const char entropy_param[] = "ikme"; /* m of section 7.2 */

bool ike_dh_mlkem_there(const struct ike_dh_group *g)
{
	EVP_KEM *kem = EVP_KEM_fetch(NULL, g->name, NULL);
	bool there = kem;

	EVP_KEM_free(kem);
	return there;
}

/* The pair that follows from what was drawn. */
static EVP_PKEY *private_key(const struct ike_dh_key *k)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, k->group->name, NULL);
	const OSSL_PARAM params[] = {
		OSSL_PARAM_construct_octet_string(seed_param, (void *)k->priv.bytes, k->priv.len),
		OSSL_PARAM_construct_end(),
	};
	EVP_PKEY *key = NULL;

	if (!ctx || EVP_PKEY_keygen_init(ctx) != 1 || EVP_PKEY_CTX_set_params(ctx, params) != 1 ||
	    EVP_PKEY_generate(ctx, &key) != 1)
		key = NULL;
	EVP_PKEY_CTX_free(ctx);
	return key;
}

bool ike_dh_mlkem_generate(struct ike_dh_key *k, struct ike_error *err)
{
	EVP_PKEY *own = private_key(k);
	size_t len = sizeof(k->pub);
	bool ok;

	ok = own && EVP_PKEY_get_raw_public_key(own, k->pub, &len) == 1 && len == k->pub_len;
	EVP_PKEY_free(own);
	return ok || ike_dh_openssl_failed(k->group, "make a key", err);
}

/* A ciphertext that was not made for our key gives a secret that nobody has, and no error. */
bool ike_dh_mlkem_derive(const struct ike_dh_key *k, struct ike_bytes peer, struct ike_secret *out,
			 struct ike_error *err)
{
	EVP_PKEY *own = private_key(k);
	EVP_PKEY_CTX *ctx = own ? EVP_PKEY_CTX_new_from_pkey(NULL, own, NULL) : NULL;
	size_t len = sizeof(out->bytes);
	bool ok;

	ok = ctx && EVP_PKEY_decapsulate_init(ctx, NULL) == 1 &&
	     EVP_PKEY_decapsulate(ctx, out->bytes, &len, peer.p, peer.len) == 1 &&
	     len == k->group->secret_len;
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(own);
	if (ok) {
		out->len = len;
		return true;
	}
	ike_secret_clear(out);
	return ike_dh_openssl_failed(k->group, "decapsulate", err);
}

static bool encapsulate(struct ike_dh_key *k, EVP_PKEY *peer, struct ike_secret *out)
{
	const OSSL_PARAM params[] = {
		OSSL_PARAM_construct_octet_string(entropy_param, k->priv.bytes,
						  IKE_ML_KEM_ENTROPY_LEN),
		OSSL_PARAM_construct_end(),
	};
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, peer, NULL);
	size_t ciphertext_len = sizeof(k->pub);
	bool ok;

	out->len = sizeof(out->bytes);
	ok = ctx && EVP_PKEY_encapsulate_init(ctx, params) == 1 &&
	     EVP_PKEY_encapsulate(ctx, k->pub, &ciphertext_len, out->bytes, &out->len) == 1 &&
	     ciphertext_len == k->pub_len && out->len == k->group->secret_len;
	EVP_PKEY_CTX_free(ctx);
	return ok;
}

bool ike_dh_mlkem_encapsulate(struct ike_dh_key *k, struct ike_bytes peer, struct ike_secret *out,
			      struct ike_error *err)
{
	EVP_PKEY *other =
		EVP_PKEY_new_raw_public_key_ex(NULL, k->group->name, NULL, peer.p, peer.len);
	bool ok;

	/* Section 7.2: the modulus check, which is done by taking it in. */
	if (!other)
		return ike_dh_peer_failed(k->group, "is no encapsulation key", err);
	ok = encapsulate(k, other, out);
	EVP_PKEY_free(other);
	if (ok)
		return true;
	ike_secret_clear(out);
	return ike_dh_openssl_failed(k->group, "encapsulate", err);
}
