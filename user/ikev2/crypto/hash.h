/* SPDX-License-Identifier: MIT */
/* A hash of several parts, where a protocol wants it bare: EAP-MSCHAPv2 and RADIUS. */
#ifndef ESPLANE_IKE_CRYPTO_HASH_H
#define ESPLANE_IKE_CRYPTO_HASH_H

#include <stdint.h>

#include "ikev2/text.h"
#include "ikev2/wire/bytes.h"

/* @name as OpenSSL knows it ("MD5", "SHA1"); @digest has room for it. */
IKE_MUST_CHECK bool ike_hash_parts(const char *name, const struct ike_bytes *parts, size_t n,
				   uint8_t *digest, struct ike_error *err);

#endif
