/* SPDX-License-Identifier: MIT */
/*
 * Distinguished names (RFC 5280 section 4.1.2.4): their text, their DER, and how they compare. Read
 * with the cursor and without memory of their own, so that a peer's may be looked at anywhere.
 */
#ifndef ESPLANE_IKE_DN_H
#define ESPLANE_IKE_DN_H

#include "ikev2/text.h"
#include "ikev2/wire/bytes.h"

/*
 * "C=CH, O=Example Ltd, CN=moon.example.org" or "/C=CH/O=Example Ltd/CN=...", in the order of the
 * DER. A value may stand in double quotes; \ takes the next letter as it is. The value "*" matches
 * any.
 */
IKE_MUST_CHECK bool ike_dn_parse(const char *text, struct ike_writer *w, struct ike_error *err);
/* Is @der one distinguished name, to the letter, with nothing behind it? */
IKE_MUST_CHECK bool ike_dn_valid(struct ike_bytes der);
/* As ike_dn_parse() reads it; unknown attributes by number. */
void ike_dn_text(struct ike_text *t, struct ike_bytes der);
/*
 * Has @der the attributes of @pattern in the same order? Values compare without case and without
 * repeated blanks, whatever their string type. *@wild tells that a "*" was needed.
 */
IKE_MUST_CHECK bool ike_dn_match(struct ike_bytes pattern, struct ike_bytes der, bool *wild);
/* Is one of the values "*"? */
IKE_MUST_CHECK bool ike_dn_has_wildcard(struct ike_bytes der);

#endif
