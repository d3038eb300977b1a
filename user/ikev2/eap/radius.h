/* SPDX-License-Identifier: MIT */
/*
 * Packets of RADIUS (RFC 2865) as EAP is carried in them (RFC 3579): an Access-Request is written,
 * an answer to one is read. No socket, no clock.
 *
 * RADIUS is as good as its shared secret: each packet, either way, has to hold the attribute
 * Message-Authenticator. Without it whoever sits in between can turn a no into a yes (Blast-RADIUS,
 * CVE-2024-3596).
 */
#ifndef ESPLANE_IKE_RADIUS_H
#define ESPLANE_IKE_RADIUS_H

#include "ikev2/crypto/secret.h"
#include "ikev2/ts.h"

enum {
	IKE_RADIUS_PORT = 1812,
	IKE_RADIUS_PACKET_MAX = 4096,	 /* RFC 2865 section 3 */
	IKE_RADIUS_VALUE_MAX = 253,	 /* of an attribute: section 5 */
	IKE_RADIUS_AUTHENTICATOR_LEN = 16,
	IKE_RADIUS_EAP_MAX = 3500, /* leaves room for the other attributes */
	IKE_RADIUS_MSK_LEN = 64, /* RFC 3748 section 7.10 */
	IKE_RADIUS_CLASSES_MAX = 16, /* of an answer; more are not looked at */
};

enum ike_radius_code {
	IKE_RADIUS_ACCESS_REQUEST = 1,
	IKE_RADIUS_ACCESS_ACCEPT = 2,
	IKE_RADIUS_ACCESS_REJECT = 3,
	IKE_RADIUS_ACCESS_CHALLENGE = 11,
};

/* What only the two ends of one request and its answer know. */
struct ike_radius_exchange {
	uint8_t identifier;
	uint8_t authenticator[IKE_RADIUS_AUTHENTICATOR_LEN]; /* the request's: random */
	struct ike_bytes secret;
};

struct ike_radius_request {
	struct ike_bytes user, eap, state; /* state: the last challenge's; empty: there was none */
	const char *nas_identifier;
	struct ike_addr nas;		     /* ours, as the user sees it */
	const char *called, *calling;	     /* Called-Station-Id, Calling-Station-Id */
};

/* Views point into the packet, but for @eap. */
struct ike_radius_answer {
	uint8_t code; /* accept, reject or challenge */
	struct ike_bytes state, user, message; /* State, User-Name, Reply-Message */
	struct ike_bytes classes[IKE_RADIUS_CLASSES_MAX]; /* Class */
	size_t n_classes;
	size_t eap_len;
	uint8_t eap[IKE_RADIUS_PACKET_MAX]; /* all EAP-Message attributes, in order */
	struct ike_key msk; /* an accept's; empty: it has no keys */
};

/* False: it does not fit. */
IKE_MUST_CHECK bool ike_radius_write(struct ike_writer *w, const struct ike_radius_exchange *x,
				     const struct ike_radius_request *r, struct ike_error *err);
/* The identifier of what may be an answer. */
IKE_MUST_CHECK bool ike_radius_identifier(struct ike_bytes packet, uint8_t *identifier);
/* False: no answer to @x, or not by who has the secret, or malformed: not to be acted on. */
IKE_MUST_CHECK bool ike_radius_read(struct ike_bytes packet, const struct ike_radius_exchange *x,
				    struct ike_radius_answer *a, struct ike_error *err);

#endif
