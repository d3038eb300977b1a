// SPDX-License-Identifier: MIT
/*
 * HMAC over several pieces: two hashes of OpenSSL's, as RFC 2104 section 2 writes it down. Its own
 * HMAC takes half as long again for what IKE has, a few hundred bytes under one key each time.
 */
#include "ikev2/crypto/hmac.h"

#include <string.h>

#include "ikev2/crypto/fetched.h"

enum {
	BLOCK_MAX = 128, /* of SHA2-512 */
	IPAD = 0x36,
	OPAD = 0x5c,
};

/* K XOR pad. A key longer than a block is hashed before. */
static bool make_block(uint8_t block[BLOCK_MAX], size_t len, const EVP_MD *md, struct ike_bytes key)
{
	memset(block, 0, len);
	if (key.len > len)
		return EVP_Digest(key.p, key.len, block, NULL, md, NULL) == 1;
	if (key.len)
		memcpy(block, key.p, key.len);
	return true;
}

/* H(@block XOR @pad, @parts) */
static bool padded_hash(EVP_MD_CTX *ctx, const EVP_MD *md, const uint8_t *block, size_t len,
			uint8_t pad, const struct ike_bytes *parts, size_t n, uint8_t *out)
{
	uint8_t padded[BLOCK_MAX];
	bool ok;

	for (size_t i = 0; i < len; i++)
		padded[i] = block[i] ^ pad;
	ok = EVP_DigestInit_ex2(ctx, md, NULL) == 1 && EVP_DigestUpdate(ctx, padded, len) == 1;
	ike_wipe(padded, sizeof(padded));
	for (size_t i = 0; i < n; i++)
		ok = ok && EVP_DigestUpdate(ctx, parts[i].p, parts[i].len) == 1;
	return ok && EVP_DigestFinal_ex(ctx, out, NULL) == 1;
}

bool ike_hmac(const char *digest, struct ike_bytes key, const struct ike_bytes *parts, size_t n,
	      uint8_t *out, struct ike_error *err)
{
	const EVP_MD *md = ike_fetched_md(digest);
	size_t len = md ? EVP_MD_get_block_size(md) : 0;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t block[BLOCK_MAX], inner[IKE_HMAC_MAX];
	struct ike_bytes hashed;
	bool ok;

	ok = ctx && len && len <= sizeof(block) && make_block(block, len, md, key) &&
	     padded_hash(ctx, md, block, len, IPAD, parts, n, inner);
	hashed = ike_bytes(inner, md ? EVP_MD_get_size(md) : 0);
	ok = ok && padded_hash(ctx, md, block, len, OPAD, &hashed, 1, out);
	EVP_MD_CTX_free(ctx);
	ike_wipe(block, sizeof(block));
	ike_wipe(inner, sizeof(inner));
	return ok || ike_fail(err, "HMAC with %s: OpenSSL failed", digest);
}
