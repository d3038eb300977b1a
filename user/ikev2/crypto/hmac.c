// SPDX-License-Identifier: MIT
/* HMAC over several pieces, by OpenSSL's EVP_MAC. */
#include "ikev2/crypto/hmac.h"

#include "ikev2/crypto/fetched.h"

bool ike_hmac_begin(struct ike_hmac *h, const char *digest, struct ike_error *err)
{
	const EVP_MAC_CTX *like = ike_fetched_hmac(digest);

	h->ctx = like ? EVP_MAC_CTX_dup(like) : NULL;
	return h->ctx || ike_fail(err, "HMAC with %s: OpenSSL does not have it", digest);
}

static bool update(EVP_MAC_CTX *ctx, const struct ike_bytes *parts, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (parts[i].len && EVP_MAC_update(ctx, parts[i].p, parts[i].len) != 1)
			return false;
	return true;
}

bool ike_hmac_run(struct ike_hmac *h, struct ike_bytes key, const struct ike_bytes *parts, size_t n,
		  uint8_t *out, struct ike_error *err)
{
	size_t len;

	/* A key of length 0 is a key: NULL would mean "the one before". */
	return (EVP_MAC_init(h->ctx, key.len ? key.p : (const uint8_t *)"", key.len, NULL) == 1 &&
		update(h->ctx, parts, n) &&
		EVP_MAC_final(h->ctx, out, &len, IKE_HMAC_MAX) == 1) ||
	       ike_fail(err, "HMAC: OpenSSL failed");
}

void ike_hmac_end(struct ike_hmac *h)
{
	EVP_MAC_CTX_free(h->ctx);
	h->ctx = NULL;
}

bool ike_hmac(const char *digest, struct ike_bytes key, const struct ike_bytes *parts, size_t n,
	      uint8_t *out, struct ike_error *err)
{
	struct ike_hmac h;
	bool ok = ike_hmac_begin(&h, digest, err) && ike_hmac_run(&h, key, parts, n, out, err);

	ike_hmac_end(&h);
	return ok;
}
