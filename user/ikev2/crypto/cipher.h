/* SPDX-License-Identifier: MIT */
/*
 * Authenticated encryption of one text: AES-GCM with a tag of 16, 12 or 8 bytes (RFC 5282),
 * ChaCha20-Poly1305 (RFC 7634), or AES-CBC, encrypted first, then authenticated with HMAC-SHA2
 * (RFC 7296 section 3.14). crypto/protect.h makes whole messages of it.
 */
#ifndef ESPLANE_IKE_CIPHER_H
#define ESPLANE_IKE_CIPHER_H

#include "ikev2/crypto/secret.h"
#include "ikev2/wire/wire.h"

/* A combination of algorithms and the sizes that follow from it, bytes. */
struct ike_cipher {
	uint16_t encr, integ; /* IANA; integ IKE_INTEG_NONE with an AEAD */
	uint16_t bits;	      /* Key Length attribute, 0 without */
	bool aead;
	uint8_t key_len;       /* without salt */
	uint8_t salt_len;      /* AEAD: the end of SK_e (RFC 5282 section 7.1) */
	uint8_t integ_key_len; /* 0 with an AEAD */
	uint8_t iv_len;	       /* on the wire */
	uint8_t block_len;     /* plaintext incl. padding must be a multiple: 1 with an AEAD */
	uint8_t icv_len;
};

enum {
	IKE_IV_MAX = 16,
	IKE_ICV_MAX = 32,
};

/*
 * Refuses what is not supported: unknown numbers, key sizes, AEAD with integrity, CBC without.
 * @bits: key length; 0 for a cipher that has but one.
 */
IKE_MUST_CHECK bool ike_cipher_init(struct ike_cipher *c, uint16_t encr, uint16_t bits,
				    uint16_t integ, struct ike_error *err);
/* Bytes of SK_e. */
#define ike_cipher_encr_key_len(c) ((size_t)(c)->key_len + (c)->salt_len)

/*
 * @text of @len bytes (a multiple of block_len) becomes ciphertext in place; icv_len bytes are
 * written to @icv.
 * @aad: what comes before the IV, authenticated only. For the CBC suites the ICV covers @aad | @iv
 * | ciphertext.
 * @encr_key: key_len + salt_len bytes; @integ_key: integ_key_len.
 */
IKE_MUST_CHECK bool ike_cipher_encrypt(const struct ike_cipher *c, struct ike_bytes encr_key,
				       struct ike_bytes integ_key, struct ike_bytes aad,
				       const uint8_t *iv, uint8_t *text, size_t len, uint8_t *icv,
				       struct ike_error *err);
/* The reverse. False when the ICV is wrong: @text is then zeroed (AEAD) or as it was (CBC). */
IKE_MUST_CHECK bool ike_cipher_decrypt(const struct ike_cipher *c, struct ike_bytes encr_key,
				       struct ike_bytes integ_key, struct ike_bytes aad,
				       const uint8_t *iv, uint8_t *text, size_t len,
				       const uint8_t *icv, struct ike_error *err);

#endif
