// SPDX-License-Identifier: MIT
/* X25519 and X448 (RFC 7748, RFC 8031): every string of the right length is a key. */
#include <openssl/core_names.h>
#include <openssl/params.h>

#include "ikev2/crypto/dh_kind.h"

static EVP_PKEY *private_key(const struct ike_dh_key *k)
{
	return EVP_PKEY_new_raw_private_key_ex(NULL, k->group->name, NULL, k->priv.bytes,
					       k->priv.len);
}

bool ike_dh_xdh_generate(struct ike_dh_key *k, struct ike_error *err)
{
	EVP_PKEY *own = private_key(k);
	size_t len = sizeof(k->pub);
	bool ok;

	ok = own && EVP_PKEY_get_raw_public_key(own, k->pub, &len) == 1 && len == k->pub_len;
	EVP_PKEY_free(own);
	return ok || ike_dh_openssl_failed(k->group, "make a key", err);
}

/* With its public value, which OpenSSL would else work out again: as costly as the derivation. */
static EVP_PKEY *whole_key(const struct ike_dh_key *k)
{
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PRIV_KEY,
						  (void *)k->priv.bytes, k->priv.len),
		OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, (void *)k->pub,
						  k->pub_len),
		OSSL_PARAM_construct_end(),
	};
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, k->group->name, NULL);
	EVP_PKEY *own = NULL;

	if (!ctx || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &own, EVP_PKEY_KEYPAIR, params) != 1)
		own = NULL;
	EVP_PKEY_CTX_free(ctx);
	return own;
}

bool ike_dh_xdh_derive(const struct ike_dh_key *k, struct ike_bytes peer, struct ike_secret *out,
		       struct ike_error *err)
{
	EVP_PKEY *other;

	other = EVP_PKEY_new_raw_public_key_ex(NULL, k->group->name, NULL, peer.p, peer.len);
	return ike_dh_evp_derive(k->group, whole_key(k), other, NULL, out, err);
}
