/* SPDX-License-Identifier: MIT */
/*
 * What dh.c asks of each kind of group: dh_xdh.c, dh_ecp.c, dh_modp.c. Nobody else includes this.
 */
#ifndef ESPLANE_IKE_DH_KIND_H
#define ESPLANE_IKE_DH_KIND_H

#include <openssl/evp.h>

#include "ikev2/crypto/dh.h"

struct ike_dh_group {
	uint16_t id;
	uint16_t draw_len; /* random bytes that a private value is made of */
	uint16_t public_len, secret_len;
	const char *name; /* OpenSSL's, and in errors */
	/* Turns what was drawn in k->priv into a private value, and fills k->pub. */
	bool (*generate)(struct ike_dh_key *k, struct ike_error *err);
	/* @peer has the right length. */
	bool (*derive)(const struct ike_dh_key *k, struct ike_bytes peer, struct ike_secret *out,
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

/* The last step of all three. Takes both keys over, NULL included; @params may be NULL. */
bool ike_dh_evp_derive(const struct ike_dh_group *g, EVP_PKEY *own, EVP_PKEY *peer,
		       const OSSL_PARAM *params, struct ike_secret *out, struct ike_error *err);
bool ike_dh_openssl_failed(const struct ike_dh_group *g, const char *step, struct ike_error *err);
/* "KE payload: <group>: the peer's public value <why>", answered with INVALID_SYNTAX. */
bool ike_dh_peer_failed(const struct ike_dh_group *g, const char *why, struct ike_error *err);

#endif
