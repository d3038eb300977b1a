// SPDX-License-Identifier: MIT
/* Hashes, bare. */
#include "ikev2/crypto/hash.h"

#include "ikev2/crypto/fetched.h"

bool ike_hash_parts(const char *name, const struct ike_bytes *parts, size_t n, uint8_t *digest,
		    struct ike_error *err)
{
	const EVP_MD *md = ike_fetched_md(name);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok = md && ctx && EVP_DigestInit_ex2(ctx, md, NULL) == 1;

	for (size_t i = 0; i < n; i++)
		ok = ok && EVP_DigestUpdate(ctx, parts[i].p, parts[i].len) == 1;
	ok = ok && EVP_DigestFinal_ex(ctx, digest, NULL) == 1;
	EVP_MD_CTX_free(ctx);
	return ok || ike_fail(err, "%s has failed", name);
}
