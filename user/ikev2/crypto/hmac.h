/* SPDX-License-Identifier: MIT */
/* HMAC (RFC 2104) over several pieces: what both PRFs and integrity algorithms are made of. */
#ifndef ESPLANE_IKE_HMAC_H
#define ESPLANE_IKE_HMAC_H

#include "ikev2/crypto/secret.h"

enum {
	IKE_HMAC_MAX = 64
}; /* the output of SHA2-512 */

/*
 * @digest as OpenSSL calls it. @out has room for IKE_HMAC_MAX bytes; the whole output is written.
 */
IKE_MUST_CHECK bool ike_hmac(const char *digest, struct ike_bytes key,
			     const struct ike_bytes *parts, size_t n, uint8_t *out,
			     struct ike_error *err);

#endif
