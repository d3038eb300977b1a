// SPDX-License-Identifier: MIT
/* X25519 and X448 (RFC 7748, RFC 8031): every string of the right length is a key. */
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/params.h>

#include "ikev2/crypto/dh_kind.h"

/* u-coordinates (RFC 7748 sections 4.1, 4.2), in the first byte. */
enum {
	BASE_X25519 = 9,
	BASE_X448 = 5,
};

/*
 * With the public value that is in @k, whichever that is: nothing here needs it, but OpenSSL would
 * work it out if it were not given, which takes as long as the derivation.
 */
static EVP_PKEY *own_key(const struct ike_dh_key *k)
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
	return ike_dh_evp_derive(k->group, own_key(k), other, NULL, out, err);
}

/*
 * RFC 7748 sections 6.1 and 6.2: the public value is what the private one makes of the base point. By
 * the ladder, as a secret is made: OpenSSL's own way for keys, by tables of the Edwards curve, takes
 * a fifth longer for X448 and no less for X25519.
 */
bool ike_dh_xdh_generate(struct ike_dh_key *k, struct ike_error *err)
{
	struct ike_secret value;
	bool ok;

	memset(k->pub, 0, k->pub_len);
	k->pub[0] = k->group->id == IKE_KE_CURVE448 ? BASE_X448 : BASE_X25519;
	ok = ike_dh_xdh_derive(k, ike_bytes(k->pub, k->pub_len), &value, err);
	if (ok)
		memcpy(k->pub, value.bytes, k->pub_len);
	return ok;
}
