/* SPDX-License-Identifier: MIT */
/*
 * SUPPORTED_AUTH_METHODS (RFC 9593): what one end takes as proof from the other. The responder
 * tells in IKE_SA_INIT, the initiator in IKE_AUTH.
 */
#ifndef ESPLANE_IKE_AUTH_METHODS_H
#define ESPLANE_IKE_AUTH_METHODS_H

#include "ikev2/crypto/signature.h"
#include "ikev2/wire/decode.h"

struct ike_sa;

struct ike_auth_methods {
	bool told;	/* the peer has said what it takes: nothing else, then */
	bool psk;
	ike_scheme_set schemes;
};

/* What the peer's message says; nothing, if it is malformed: it need not be said at all. */
void ike_auth_methods_find(const struct ike_payloads *all, struct ike_auth_methods *m);
/* What our connection takes; a responder, any that may be meant. */
void ike_put_auth_methods(struct ike_writer *w, const struct ike_sa *sa);
/* May this end authenticate itself by pre-shared key? */
IKE_MUST_CHECK bool ike_auth_methods_take_psk(const struct ike_auth_methods *m,
					      struct ike_error *err);
/* Those of @ours that the peer takes. */
IKE_MUST_CHECK bool ike_auth_methods_narrow(const struct ike_auth_methods *m, ike_scheme_set *ours,
					    struct ike_error *err);

#endif
