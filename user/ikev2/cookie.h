/* SPDX-License-Identifier: MIT */
/*
 * Stateless cookies (RFC 7296 section 2.6): version of the secret | HMAC-SHA2-256(secret, Ni | IPi
 * | SPIi). The secret changes each IKE_COOKIE_PERIOD; the one before is still accepted.
 */
#ifndef ESPLANE_IKE_COOKIE_H
#define ESPLANE_IKE_COOKIE_H

#include "ikev2/crypto/random.h"
#include "ikev2/ts.h"

enum {
	IKE_COOKIE_SECRET_LEN = 32,
	IKE_COOKIE_HASH_LEN = 32,
	IKE_COOKIE_LEN = 1 + IKE_COOKIE_HASH_LEN,
	IKE_COOKIE_PERIOD = 60 * 1000000, /* microseconds */
};

struct ike_cookie_jar {
	uint8_t secret[2][IKE_COOKIE_SECRET_LEN]; /* by version's lowest bit */
	uint8_t version;
	uint64_t changed; /* when, microseconds */
	bool old;	  /* the other secret is still good */
};

void ike_cookie_init(struct ike_cookie_jar *jar, const struct ike_random *r, uint64_t now);
void ike_cookie_clear(struct ike_cookie_jar *jar);
/* Both change the secret first, when its time has come. @spi_i in host byte order. */
IKE_MUST_CHECK bool ike_cookie_make(struct ike_cookie_jar *jar, const struct ike_random *r,
				    uint64_t now, struct ike_bytes ni, const struct ike_addr *from,
				    uint64_t spi_i, uint8_t cookie[IKE_COOKIE_LEN]);
IKE_MUST_CHECK bool ike_cookie_check(struct ike_cookie_jar *jar, const struct ike_random *r,
				     uint64_t now, struct ike_bytes ni, const struct ike_addr *from,
				     uint64_t spi_i, struct ike_bytes cookie);

#endif
