/* SPDX-License-Identifier: MIT */
/*
 * What dh.c asks of each kind of group: dh_xdh.c, dh_ecp.c, dh_modp.c, dh_mlkem.c. Nobody else
 * includes this.
 */
#ifndef ESPLANE_IKE_DH_KIND_H
#define ESPLANE_IKE_DH_KIND_H

#include <openssl/evp.h>

#include "ikev2/crypto/dh.h"

/* FIPS 203 sections 6.1, 6.2 and table 3. */
enum {
	IKE_ML_KEM_SEED_LEN = 64,
	IKE_ML_KEM_ENTROPY_LEN = 32,
	IKE_ML_KEM_SECRET_LEN = 32,
};

struct ike_dh_group {
	uint16_t id;
	uint16_t draw_len; /* random bytes that a private value is made of */
	uint16_t public_len, answer_len, secret_len; /* answer: a KEM's is another */
	const char *name; /* OpenSSL's, and in errors */
	/* Turns what was drawn in k->priv into a private value, and fills k->pub. */
	bool (*generate)(struct ike_dh_key *k, struct ike_error *err);
	/* @peer has the right length. */
	bool (*derive)(const struct ike_dh_key *k, struct ike_bytes peer, struct ike_secret *out,
		       struct ike_error *err);
	/* A KEM; else NULL. Fills k->pub and @out from what was drawn and @peer. */
	bool (*encapsulate)(struct ike_dh_key *k, struct ike_bytes peer, struct ike_secret *out,
			    struct ike_error *err);
};

bool ike_dh_xdh_generate(struct ike_dh_key *k, struct ike_error *err);
bool ike_dh_xdh_derive(const struct ike_dh_key *k, struct ike_bytes peer, struct ike_secret *out,
		       struct ike_error *err);
bool ike_dh_ecp_generate(struct ike_dh_key *k, struct ike_error *err);
bool ike_dh_ecp_derive(const struct ike_dh_key *k, struct ike_bytes peer, struct ike_secret *out,
		       struct ike_error *err);
bool ike_dh_modp_generate(struct ike_dh_key *k, struct ike_error *err);
bool ike_dh_modp_derive(const struct ike_dh_key *k, struct ike_bytes peer, struct ike_secret *out,
			struct ike_error *err);

bool ike_dh_mlkem_generate(struct ike_dh_key *k, struct ike_error *err);
bool ike_dh_mlkem_derive(const struct ike_dh_key *k, struct ike_bytes peer, struct ike_secret *out,
			 struct ike_error *err);
bool ike_dh_mlkem_encapsulate(struct ike_dh_key *k, struct ike_bytes peer, struct ike_secret *out,
			      struct ike_error *err);
/* Does the library have it? */
bool ike_dh_mlkem_there(const struct ike_dh_group *g);

/* The last step of the other three. Takes both keys over, NULL included; @params may be NULL. */
bool ike_dh_evp_derive(const struct ike_dh_group *g, EVP_PKEY *own, EVP_PKEY *peer,
		       const OSSL_PARAM *params, struct ike_secret *out, struct ike_error *err);
bool ike_dh_openssl_failed(const struct ike_dh_group *g, const char *step, struct ike_error *err);
/* "KE payload: <group>: the peer's public value <why>", answered with INVALID_SYNTAX. */
bool ike_dh_peer_failed(const struct ike_dh_group *g, const char *why, struct ike_error *err);

#endif
