/* SPDX-License-Identifier: MIT */
/*
 * Keys of signatures: RSA, ECDSA on P-256, P-384 and P-521, Ed25519, Ed448. A private one keeps its
 * numbers in OpenSSL's objects, which zero them when freed; nothing here gives them out.
 *
 * Immutable, counted by references. References are taken and given back in one thread; a job in
 * another may use a key that it was given.
 */
#ifndef ESPLANE_IKE_PKEY_H
#define ESPLANE_IKE_PKEY_H

#include "ikev2/text.h"
#include "ikev2/wire/bytes.h"

enum ike_pkey_kind {
	IKE_PKEY_RSA,
	IKE_PKEY_ECDSA,
	IKE_PKEY_ED25519,
	IKE_PKEY_ED448,
	IKE_PKEY_KINDS
};

enum {
	IKE_RSA_BITS_MIN = 2048,  /* RFC 8247 section 4.1 */
	IKE_RSA_BITS_MAX = 16384, /* more costs the verifier too much */
	IKE_RSA_E_MIN = 65537,	  /* FIPS 186-5 section 5.1: 2^16 < e */
	IKE_RSA_E_BITS_MAX = 64,
	IKE_PKEY_ID_LEN = 20, /* SHA-1 of the SubjectPublicKeyInfo (RFC 7296 section 3.7) */
	IKE_PKEY_TEXT_MAX = 24,
};

struct evp_pkey_st;

struct ike_pkey {
	unsigned int refs;
	struct evp_pkey_st *evp;
	enum ike_pkey_kind kind;
	unsigned int bits;
	bool has_private;
	uint8_t id[IKE_PKEY_ID_LEN];
};

/*
 * Takes @evp over, which is freed if this fails: a key that is weak or of no use for signatures is
 * refused. NULL: @err says why.
 */
struct ike_pkey *ike_pkey_new(struct evp_pkey_st *evp, bool has_private, struct ike_error *err);
/*
 * The same of a public key whose SubjectPublicKeyInfo is at hand, in DER: OpenSSL takes as long to
 * write it anew as for a signature.
 */
struct ike_pkey *ike_pkey_new_of_spki(struct evp_pkey_st *evp, struct ike_bytes spki,
				      struct ike_error *err);
/* DER of a SubjectPublicKeyInfo, with nothing behind it. */
struct ike_pkey *ike_pkey_from_spki(struct ike_bytes der, struct ike_error *err);
/* A file's content, PEM or DER: a public key. */
struct ike_pkey *ike_pkey_read_public(struct ike_bytes file, struct ike_error *err);
/*
 * A file's content, PEM or DER: a private key as PKCS#1, SEC 1 or PKCS#8. @passphrase may be NULL;
 * *@locked tells that one is needed, or that this one is wrong.
 */
struct ike_pkey *ike_pkey_read_private(struct ike_bytes file, const char *passphrase, bool *locked,
				       struct ike_error *err);
struct ike_pkey *ike_pkey_ref(struct ike_pkey *k);
/* NULL is nothing. */
void ike_pkey_unref(struct ike_pkey *k);

/* A list of references. */
struct ike_pkey_list {
	struct ike_pkey **list;
	size_t n;
};

/* Do both hold the same public key? */
bool ike_pkey_equal(const struct ike_pkey *a, const struct ike_pkey *b);
/* "RSA-2048", "ECDSA-P-256", "Ed25519". Returns @buf. */
char *ike_pkey_text(const struct ike_pkey *k, char buf[IKE_PKEY_TEXT_MAX]);
const char *ike_pkey_kind_name(enum ike_pkey_kind kind);

#endif
