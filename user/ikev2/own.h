/* SPDX-License-Identifier: MIT */
/* With which key and certificate this end authenticates itself. */
#ifndef ESPLANE_IKE_OWN_H
#define ESPLANE_IKE_OWN_H

#include "ikev2/config.h"

struct ike_own {
	const struct ike_pkey *key;
	const struct ike_cert *cert; /* NULL: the peer knows the public key */
};

/*
 * Of those that @auth allows for @id, one that leads to an anchor the peer asks for: @wanted are
 * their key IDs, one behind the other (RFC 7296 section 3.7). If there is none of those, any.
 */
IKE_MUST_CHECK bool ike_own_find(const struct ike_config *config, const struct ike_auth_cfg *auth,
				 const struct ike_id *id, struct ike_bytes wanted,
				 struct ike_own *own, struct ike_error *err);
/* The one that has issued @cert, of those that are not self-signed; NULL: none that we know. */
const struct ike_cert *ike_own_issuer(const struct ike_config *config, const struct ike_cert *cert);

#endif
