/* SPDX-License-Identifier: MIT */
/* HMAC (RFC 2104) over several pieces: what both PRFs and integrity algorithms are made of. */
#ifndef ESPLANE_IKE_HMAC_H
#define ESPLANE_IKE_HMAC_H

#include "ikev2/crypto/secret.h"

struct evp_mac_ctx_st;

enum {
	IKE_HMAC_MAX = 64
}; /* the output of SHA2-512 */

/*
 * @digest as OpenSSL calls it. @out has room for IKE_HMAC_MAX bytes; the whole output is written.
 */
IKE_MUST_CHECK bool ike_hmac(const char *digest, struct ike_bytes key,
			     const struct ike_bytes *parts, size_t n, uint8_t *out,
			     struct ike_error *err);

/*
 * The same several times with one digest: setting it up takes as long as hashing what IKE hashes.
 * ike_hmac_end() also after a failure; it leaves no key behind.
 */
struct ike_hmac {
	struct evp_mac_ctx_st *ctx;
};

IKE_MUST_CHECK bool ike_hmac_begin(struct ike_hmac *h, const char *digest, struct ike_error *err);
IKE_MUST_CHECK bool ike_hmac_run(struct ike_hmac *h, struct ike_bytes key,
				 const struct ike_bytes *parts, size_t n, uint8_t *out,
				 struct ike_error *err);
void ike_hmac_end(struct ike_hmac *h);

#endif
