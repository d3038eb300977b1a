// SPDX-License-Identifier: MIT
/* HMAC over several pieces, by OpenSSL's EVP_MAC. */
#include "ikev2/crypto/hmac.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "ikev2/crypto/fetched.h"

static bool update(EVP_MAC_CTX *ctx, const struct ike_bytes *parts, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (parts[i].len && EVP_MAC_update(ctx, parts[i].p, parts[i].len) != 1)
			return false;
	return true;
}

bool ike_hmac(const char *digest, struct ike_bytes key, const struct ike_bytes *parts, size_t n,
	      uint8_t *out, struct ike_error *err)
{
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)digest, 0),
		OSSL_PARAM_construct_end(),
	};
	EVP_MAC *mac = ike_fetched_hmac();
	EVP_MAC_CTX *ctx = mac ? EVP_MAC_CTX_new(mac) : NULL;
	size_t len;
	bool ok;

	/* A key of length 0 is a key: NULL would mean "the one before". */
	ok = ctx && EVP_MAC_init(ctx, key.len ? key.p : (const uint8_t *)"", key.len, params) &&
	     update(ctx, parts, n) && EVP_MAC_final(ctx, out, &len, IKE_HMAC_MAX);
	EVP_MAC_CTX_free(ctx);
	return ok || ike_fail(err, "HMAC with %s: OpenSSL failed", digest);
}
