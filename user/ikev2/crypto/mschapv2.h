/* SPDX-License-Identifier: MIT */
/*
 * The computations of MS-CHAP-V2 (RFC 2759 section 8) and of the keys that follow from it (RFC 3079
 * section 3). They are what they are: nobody should choose them who need not, for a stranger who
 * has seen one exchange in clear can try passwords. Here it is inside of an IKE SA whose responder
 * has proven itself by a signature.
 */
#ifndef ESPLANE_IKE_MSCHAPV2_H
#define ESPLANE_IKE_MSCHAPV2_H

#include "ikev2/crypto/legacy.h"

enum {
	IKE_MSCHAP_CHALLENGE_LEN = 16,
	IKE_MSCHAP_HASH_LEN = IKE_MD4_LEN,
	IKE_MSCHAP_RESPONSE_LEN = 24,
	IKE_MSCHAP_PASSWORD_MAX = 256, /* characters: RFC 2759 section 8.1 */
	IKE_MSCHAP_PROOF_LEN = 42, /* RFC 2759 section 8.7: "S=" and 40 hexadecimal digits */
	IKE_MSCHAP_KEY_LEN = 16,
	IKE_MSCHAP_MSK_LEN = 64,
};

/* What both ends have sent and know. */
struct ike_mschap {
	uint8_t authenticator[IKE_MSCHAP_CHALLENGE_LEN]; /* the server's challenge */
	uint8_t peer[IKE_MSCHAP_CHALLENGE_LEN];		 /* the client's */
	struct ike_bytes user;				 /* without domain */
	uint8_t hash[IKE_MSCHAP_HASH_LEN];		 /* NtPasswordHash */
};

/* @password is UTF-8; it is hashed as UTF-16, little-endian. */
IKE_MUST_CHECK bool ike_mschap_hash(const struct ike_legacy *l, struct ike_bytes password,
				    uint8_t hash[IKE_MSCHAP_HASH_LEN], struct ike_error *err);
/* The client's proof. */
IKE_MUST_CHECK bool ike_mschap_response(const struct ike_legacy *l, const struct ike_mschap *m,
					uint8_t response[IKE_MSCHAP_RESPONSE_LEN],
					struct ike_error *err);
/* The server's, "S=...", not terminated. */
IKE_MUST_CHECK bool ike_mschap_proof(const struct ike_legacy *l, const struct ike_mschap *m,
				     const uint8_t response[IKE_MSCHAP_RESPONSE_LEN],
				     char proof[IKE_MSCHAP_PROOF_LEN], struct ike_error *err);
/*
 * The session keys, named as the server sees them (RFC 3079 section 3.3): MasterReceiveKey, which
 * the client sends with, MasterSendKey, and 32 zeros.
 */
IKE_MUST_CHECK bool ike_mschap_msk(const struct ike_legacy *l, const struct ike_mschap *m,
				   const uint8_t response[IKE_MSCHAP_RESPONSE_LEN],
				   struct ike_key *msk, struct ike_error *err);

#endif
