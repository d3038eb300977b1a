// SPDX-License-Identifier: MIT
/* Pseudo-random functions and prf+ (RFC 7296 section 2.13). */
#include "ikev2/crypto/prf.h"

#include <string.h>

#include "ikev2/crypto/hmac.h"

struct ike_prf {
	uint16_t id;
	uint8_t len;
	const char *digest;
};

enum {
	PARTS_MAX = 8
}; /* more than any derivation of RFC 7296 has */

const struct ike_prf *ike_prf_find(uint16_t id)
{
	static const struct ike_prf prfs[] = {
		{IKE_PRF_HMAC_SHA2_256, 32, "SHA2-256"},
		{IKE_PRF_HMAC_SHA2_384, 48, "SHA2-384"},
		{IKE_PRF_HMAC_SHA2_512, 64, "SHA2-512"},
	};

	for (size_t i = 0; i < sizeof(prfs) / sizeof(prfs[0]); i++)
		if (prfs[i].id == id)
			return &prfs[i];
	return NULL;
}

size_t ike_prf_len(const struct ike_prf *prf)
{
	return prf->len;
}

bool ike_prf(const struct ike_prf *prf, struct ike_bytes key, const struct ike_bytes *parts,
	     size_t n, struct ike_key *out, struct ike_error *err)
{
	out->len = prf->len;
	return ike_hmac(prf->digest, key, parts, n, out->bytes, err);
}

/* T1 = prf(K, S | 1), Tn = prf(K, T(n-1) | S | n), one after the other. */
static bool rounds(const struct ike_prf *prf, struct ike_hmac *h, struct ike_bytes key,
		   const struct ike_bytes *seed, size_t n, uint8_t *out, size_t len,
		   struct ike_error *err)
{
	struct ike_key t IKE_CLEARED_KEY = {0};
	struct ike_bytes parts[PARTS_MAX + 2];
	uint8_t counter = 0;

	memcpy(parts + 1, seed, n * sizeof(*seed));
	parts[n + 1] = ike_bytes(&counter, sizeof(counter));
	for (size_t done = 0, take; done < len; done += take) {
		counter++;
		parts[0] = ike_key_bytes(&t);
		if (!ike_hmac_run(h, key, parts, n + 2, t.bytes, err))
			return false;
		t.len = prf->len;
		take = len - done < t.len ? len - done : t.len;
		memcpy(out + done, t.bytes, take);
	}
	return true;
}

bool ike_prf_plus(const struct ike_prf *prf, struct ike_bytes key, const struct ike_bytes *parts,
		  size_t n, uint8_t *out, size_t len, struct ike_error *err)
{
	struct ike_hmac h;
	bool ok;

	if (n > PARTS_MAX || len > (size_t)IKE_PRF_PLUS_ROUNDS * prf->len) {
		ike_wipe(out, len);
		return ike_fail(err, "prf+: %zu bytes where %d are the most", len,
				IKE_PRF_PLUS_ROUNDS * prf->len);
	}
	ok = ike_hmac_begin(&h, prf->digest, err) && rounds(prf, &h, key, parts, n, out, len, err);
	ike_hmac_end(&h);
	if (!ok)
		ike_wipe(out, len);
	return ok;
}
