// SPDX-License-Identifier: MIT
/* X25519 and X448 (RFC 7748, RFC 8031): every string of the right length is a key. */
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

bool ike_dh_xdh_derive(const struct ike_dh_key *k, struct ike_bytes peer, struct ike_secret *out,
		       struct ike_error *err)
{
	EVP_PKEY *other;

	other = EVP_PKEY_new_raw_public_key_ex(NULL, k->group->name, NULL, peer.p, peer.len);
	return ike_dh_evp_derive(k->group, private_key(k), other, NULL, out, err);
}
