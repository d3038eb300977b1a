/* SPDX-License-Identifier: MIT */
/*
 * Key exchange: X25519, X448 (RFC 8031), ECP-256/384/521 (RFC 5903), MODP-2048/3072/4096 (RFC
 * 3526), and where the library has it ML-KEM-512/768/1024 (FIPS 203,
 * draft-ietf-ipsecme-ikev2-mlkem).
 *
 * Who begins generates, and derives with the answer; who answers does both in one, since a KEM's
 * answer is made from the question.
 *
 * Randomness is taken first, in ike_dh_draw(); ike_dh_generate() and ike_dh_derive() are the costly
 * ones, pure functions of their arguments that any thread may run.
 */
#ifndef ESPLANE_IKE_DH_H
#define ESPLANE_IKE_DH_H

#include "ikev2/crypto/random.h"
#include "ikev2/crypto/secret.h"
#include "ikev2/wire/wire.h"

enum {
	IKE_DH_PUBLIC_MAX = 1568
}; /* ML-KEM-1024 */

struct ike_dh_group;

/* By IANA number; NULL if it is not supported, by us or by the library. */
const struct ike_dh_group *ike_dh_find(uint16_t id);
/* One of ML-KEM, supported or not. */
bool ike_dh_is_kem(uint16_t id);
/* The library and its version, for people. */
const char *ike_dh_library(void);
uint16_t ike_dh_id(const struct ike_dh_group *g);
/* Bytes in the KE payload of who begins, and of who answers. */
size_t ike_dh_public_len(const struct ike_dh_group *g);
size_t ike_dh_answer_len(const struct ike_dh_group *g);
/* Bytes of the shared secret: fixed, leading zeros kept (RFC 7296 section 2.14). */
size_t ike_dh_secret_len(const struct ike_dh_group *g);

/* One side's half. */
struct ike_dh_key {
	const struct ike_dh_group *group;
	struct ike_secret priv;
	uint8_t pub[IKE_DH_PUBLIC_MAX];
	size_t pub_len; /* 0 until generated */
};

/* Sets @k up for @g with random bytes from @r; cheap. */
void ike_dh_draw(struct ike_dh_key *k, const struct ike_dh_group *g, const struct ike_random *r);
/* Makes the private value of what was drawn, and the public one. */
IKE_MUST_CHECK bool ike_dh_generate(struct ike_dh_key *k, struct ike_error *err);
/*
 * Checks @peer, the answer, as RFC 6989 and RFC 7748 ask (length; 1 < y < p-1; point on the curve;
 * result not zero) and derives the secret. err->notify is INVALID_SYNTAX when the peer's value is at
 * fault.
 */
IKE_MUST_CHECK bool ike_dh_derive(const struct ike_dh_key *k, struct ike_bytes peer,
				  struct ike_secret *out, struct ike_error *err);
/*
 * Answers @peer, the public value of who began, with what was drawn in @k: both the above, or a
 * KEM's encapsulation, whose ciphertext is then the public value of @k.
 */
IKE_MUST_CHECK bool ike_dh_respond(struct ike_dh_key *k, struct ike_bytes peer,
				   struct ike_secret *out, struct ike_error *err);
void ike_dh_clear(struct ike_dh_key *k);

static inline struct ike_bytes ike_dh_public(const struct ike_dh_key *k)
{
	return ike_bytes(k->pub, k->pub_len);
}

#endif
