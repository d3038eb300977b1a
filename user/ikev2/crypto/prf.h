/* SPDX-License-Identifier: MIT */
/* Pseudo-random functions (RFC 7296 section 2.13): HMAC with SHA2-256, -384, -512 (RFC 4868). */
#ifndef ESPLANE_IKE_PRF_H
#define ESPLANE_IKE_PRF_H

#include "ikev2/crypto/secret.h"
#include "ikev2/wire/wire.h"

enum {
	IKE_PRF_LEN_MAX = 64,
	IKE_PRF_PLUS_ROUNDS = 255, /* RFC 7296 section 2.13: the counter is one byte */
};

struct ike_prf;

/* By IANA number; NULL if it is not supported. */
const struct ike_prf *ike_prf_find(uint16_t id);
/* Length of output and preferred key, bytes. */
size_t ike_prf_len(const struct ike_prf *prf);

/* prf(@key, parts[0] | parts[1] | ...) into @out, which is set to the function's length. */
IKE_MUST_CHECK bool ike_prf(const struct ike_prf *prf, struct ike_bytes key,
			    const struct ike_bytes *parts, size_t n, struct ike_key *out,
			    struct ike_error *err);
/*
 * prf+(@key, parts...): @len bytes, at most 255 times the function's length. Wipes @out when it
 * fails.
 */
IKE_MUST_CHECK bool ike_prf_plus(const struct ike_prf *prf, struct ike_bytes key,
				 const struct ike_bytes *parts, size_t n, uint8_t *out, size_t len,
				 struct ike_error *err);

#endif
