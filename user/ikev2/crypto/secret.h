/* SPDX-License-Identifier: MIT */
/*
 * Buffers for secrets. They hold their bytes themselves: nothing is left behind on a heap, and
 * clearing one clears all there is. Whoever declares one clears it: IKE_CLEARED does so when the
 * variable goes out of scope.
 */
#ifndef ESPLANE_IKE_SECRET_H
#define ESPLANE_IKE_SECRET_H

#include "ikev2/text.h"
#include "ikev2/wire/bytes.h"

enum {
	IKE_KEY_MAX = 64,     /* the longest derived key: that of HMAC-SHA2-512 */
	IKE_SECRET_MAX = 512, /* the longest key exchange secret: that of MODP-4096 */
};

/* A derived key. */
struct ike_key {
	size_t len;
	uint8_t bytes[IKE_KEY_MAX];
};

/* The outcome of a key exchange, or its private half. */
struct ike_secret {
	size_t len;
	uint8_t bytes[IKE_SECRET_MAX];
};

/* Zeroes @p so that no compiler leaves it out. */
void ike_wipe(void *p, size_t len);
void ike_key_clear(struct ike_key *k);
void ike_secret_clear(struct ike_secret *s);
#define IKE_CLEARED_KEY	   __attribute__((cleanup(ike_key_clear)))
#define IKE_CLEARED_SECRET __attribute__((cleanup(ike_secret_clear)))

static inline struct ike_bytes ike_key_bytes(const struct ike_key *k)
{
	return ike_bytes(k->bytes, k->len);
}

static inline struct ike_bytes ike_secret_bytes(const struct ike_secret *s)
{
	return ike_bytes(s->bytes, s->len);
}

/* In constant time for equal lengths; lengths are no secret. */
IKE_MUST_CHECK bool ike_secret_equal(struct ike_bytes a, struct ike_bytes b);

#endif
