// SPDX-License-Identifier: MIT
/* Zeroing secrets, and comparing them without telling where they differ. */
#include "ikev2/crypto/secret.h"

#include <openssl/crypto.h>

void ike_wipe(void *p, size_t len)
{
	if (len)
		OPENSSL_cleanse(p, len);
}

void ike_key_clear(struct ike_key *k)
{
	ike_wipe(k, sizeof(*k));
}

void ike_secret_clear(struct ike_secret *s)
{
	ike_wipe(s, sizeof(*s));
}

bool ike_secret_equal(struct ike_bytes a, struct ike_bytes b)
{
	return a.len == b.len && (a.len == 0 || CRYPTO_memcmp(a.p, b.p, a.len) == 0);
}
