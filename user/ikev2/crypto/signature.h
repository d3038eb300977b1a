/* SPDX-License-Identifier: MIT */
/*
 * Signatures that authenticate an end (RFC 7296 section 2.15): what methods 1 (RFC 7296), 9 to 11
 * (RFC 4754) and 14 (RFC 7427, RFC 8420) of an AUTH payload hold.
 *
 * Signing and verifying are costly, and pure functions of their arguments: any thread may run them.
 */
#ifndef ESPLANE_IKE_SIGNATURE_H
#define ESPLANE_IKE_SIGNATURE_H

#include "ikev2/crypto/pkey.h"

/* RFC 7427 section 7, "IKEv2 Hash Algorithms". */
enum ike_hash {
	IKE_HASH_NONE = 0,
	IKE_HASH_SHA1 = 1,
	IKE_HASH_SHA2_256 = 2,
	IKE_HASH_SHA2_384 = 3,
	IKE_HASH_SHA2_512 = 4,
	IKE_HASH_IDENTITY = 5, /* RFC 8420 section 2 */
};

/* A set of the above: bit 1 << number. Numbers that are not above are left out. */
typedef uint16_t ike_hash_set;
#define IKE_HASHES_ALL                                                                            \
	((ike_hash_set)(1 << IKE_HASH_SHA2_256 | 1 << IKE_HASH_SHA2_384 | 1 << IKE_HASH_SHA2_512 | \
			1 << IKE_HASH_IDENTITY))

/* How a signature is made. The order is that of preference among those that a key can make. */
enum ike_scheme {
	IKE_SCHEME_RSA_SHA2_256,
	IKE_SCHEME_RSA_SHA2_384,
	IKE_SCHEME_RSA_SHA2_512,
	IKE_SCHEME_PSS_SHA2_256,
	IKE_SCHEME_PSS_SHA2_384,
	IKE_SCHEME_PSS_SHA2_512,
	IKE_SCHEME_ECDSA_SHA2_256,
	IKE_SCHEME_ECDSA_SHA2_384,
	IKE_SCHEME_ECDSA_SHA2_512,
	IKE_SCHEME_ED25519,
	IKE_SCHEME_ED448,
	IKE_SCHEME_RSA_SHA1, /* method 1 only: RFC 7296 section 3.8 */
	IKE_SCHEMES
};

/* A set of schemes: bit 1 << scheme. */
typedef uint32_t ike_scheme_set;
#define IKE_SCHEMES_ALL ((ike_scheme_set)((1u << IKE_SCHEMES) - 1))

const char *ike_scheme_name(enum ike_scheme s); /* "rsa-sha256", "rsa/pss-sha384", "ed25519" */
enum ike_pkey_kind ike_scheme_kind(enum ike_scheme s);
enum ike_hash ike_scheme_hash(enum ike_scheme s);
bool ike_scheme_is_pss(enum ike_scheme s);
/* Writes the names of @set, with blanks between. */
void ike_scheme_set_text(struct ike_text *t, ike_scheme_set set);

/* Data of a SIGNATURE_HASH_ALGORITHMS notify (RFC 7427 section 4). */
void ike_hashes_put(struct ike_writer *w, ike_hash_set set);
/* Odd lengths are an error. */
IKE_MUST_CHECK bool ike_hashes_get(struct ike_bytes data, ike_hash_set *set, struct ike_error *err);

/* What an AUTH payload holds. */
enum {
	IKE_SIGNATURE_MAX = 2 * 1024 + 128, /* RSA of 16384 bits, and its AlgorithmIdentifier */
};
struct ike_signature {
	uint8_t method; /* IKE_AUTH_METHOD_* */
	uint8_t data[IKE_SIGNATURE_MAX];
	size_t len;
};

/*
 * The method and scheme with which @key signs for a peer that has told of @hashes (none: it knows
 * nothing of RFC 7427), of those in @allowed. False: @err says what is missing.
 */
IKE_MUST_CHECK bool ike_signature_choose(const struct ike_pkey *key, ike_hash_set hashes,
					 ike_scheme_set allowed, uint8_t *method,
					 enum ike_scheme *scheme, struct ike_error *err);
IKE_MUST_CHECK bool ike_signature_make(const struct ike_pkey *key, uint8_t method,
				       enum ike_scheme scheme, struct ike_bytes octets,
				       struct ike_signature *out, struct ike_error *err);

/*
 * Which scheme is in the data of an AUTH payload, and its bare signature. Refuses everything that
 * is not to the letter, and hashes we did not tell of.
 */
IKE_MUST_CHECK bool ike_signature_open(uint8_t method, struct ike_bytes data,
				       enum ike_scheme *scheme, struct ike_bytes *bare,
				       struct ike_error *err);
/* Is @data @key's signature of @octets, by one of the schemes in @allowed? */
IKE_MUST_CHECK bool ike_signature_verify(const struct ike_pkey *key, uint8_t method,
					 struct ike_bytes data, struct ike_bytes octets,
					 ike_scheme_set allowed, enum ike_scheme *scheme,
					 struct ike_error *err);

#endif
