/* SPDX-License-Identifier: MIT */
/*
 * MD4 and DES, which MS-CHAP-V2 is made of. OpenSSL 3 keeps both out of the way, in its provider
 * "legacy", a module of its own that a system may lack. It is loaded into a library context of its
 * own: nothing else in the process sees these algorithms.
 *
 * Immutable. Any thread may use it; references are taken and given back in one.
 */
#ifndef ESPLANE_IKE_LEGACY_H
#define ESPLANE_IKE_LEGACY_H

#include "ikev2/crypto/secret.h"

enum {
	IKE_MD4_LEN = 16,
	IKE_DES_KEY_LEN = 7, /* without parity */
	IKE_DES_BLOCK = 8,
};

struct ike_legacy;

/* NULL: @err says why there is none. */
struct ike_legacy *ike_legacy_new(struct ike_error *err);
void ike_legacy_free(struct ike_legacy *l); /* NULL is nothing */

IKE_MUST_CHECK bool ike_md4(const struct ike_legacy *l, struct ike_bytes data,
			    uint8_t digest[IKE_MD4_LEN], struct ike_error *err);
IKE_MUST_CHECK bool ike_des(const struct ike_legacy *l, const uint8_t key[IKE_DES_KEY_LEN],
			    const uint8_t in[IKE_DES_BLOCK], uint8_t out[IKE_DES_BLOCK],
			    struct ike_error *err);

#endif
