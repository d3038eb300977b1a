/* SPDX-License-Identifier: MIT */
/*
 * Identities (RFC 7296 section 3.5): swanctl's text for them, their wire form, matching with
 * wildcards.
 */
#ifndef ESPLANE_IKE_ID_H
#define ESPLANE_IKE_ID_H

#include "ikev2/text.h"
#include "ikev2/ts.h"
#include "ikev2/wire/encode.h"
#include "ikev2/wire/wire.h"

enum {
	IKE_ID_MAX = 512, /* bytes; longer ones are refused */
	IKE_ID_TEXT_MAX = 600,
};

/* No pointers inside: copy it by assignment. Zero-filled it is IKE_ID_ANY. */
struct ike_id {
	uint8_t type; /* IKE_ID_* */
	uint16_t len;
	uint8_t data[IKE_ID_MAX];
};

/*
 * "%any" and "" ANY; an IP literal; "@fqdn"; "@#hex" KEY_ID; "@@user@domain" and "user@domain"
 * RFC822_ADDR; prefixes "ipv4:", "ipv6:", "fqdn:", "rfc822:" ("email:"), "keyid:" ("keyid:0x..." in
 * hex), "asn1dn:" (a distinguished name as in dn.h, or "asn1dn:0x...", its DER in hex); with "="
 * inside DER_ASN1_DN; anything else FQDN. "*" inside, or as a value of a distinguished name, is a
 * wildcard for ike_id_match().
 */
IKE_MUST_CHECK bool ike_id_parse(const char *text, struct ike_id *id, struct ike_error *err);
void ike_id_from_addr(struct ike_id *id, const struct ike_addr *a);
/* From the wire: checks the length of addresses, and that names are not empty. */
IKE_MUST_CHECK bool ike_id_from_wire(struct ike_id *id, const struct ike_wire_id *wire,
				     struct ike_error *err);
/*
 * Writes an IDi or IDr payload; *@body (unless NULL) is RestOfIDPayload for AUTH, pointing into the
 * writer.
 */
void ike_put_identity(struct ike_writer *w, uint8_t payload_type, const struct ike_id *id,
		      struct ike_bytes *body);

/*
 * How well @id fits @pattern; the greater the better. FQDN and RFC822 domains are compared without
 * case.
 */
enum ike_id_fit {
	IKE_ID_FIT_NO = 0,
	IKE_ID_FIT_ANY,
	IKE_ID_FIT_WILDCARD,
	IKE_ID_FIT_EXACT
};
enum ike_id_fit ike_id_match(const struct ike_id *pattern, const struct ike_id *id);
/* Can it match more than one identity? */
bool ike_id_has_wildcard(const struct ike_id *id);
bool ike_id_equal(const struct ike_id *a, const struct ike_id *b);
/* The same for all that are equal. */
uint64_t ike_id_hash(const struct ike_id *id);
/*
 * For logs: "moon.example.org", "192.0.2.1", "%any", "keyid:0x0102"; control characters escaped.
 * Returns @buf.
 */
char *ike_id_text(const struct ike_id *id, char *buf, size_t cap);

#endif
