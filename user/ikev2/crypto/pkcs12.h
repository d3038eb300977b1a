/* SPDX-License-Identifier: MIT */
/* PKCS#12 containers (RFC 7292): a private key and the certificates that go with it. */
#ifndef ESPLANE_IKE_PKCS12_H
#define ESPLANE_IKE_PKCS12_H

#include "ikev2/crypto/cert.h"

enum {
	IKE_PKCS12_CERTS_MAX = 16
};

/* References, owned by who has it. */
struct ike_pkcs12 {
	struct ike_pkey *key;
	struct ike_cert *certs[IKE_PKCS12_CERTS_MAX];
	size_t n;
};

/* DER; @passphrase may be NULL. */
IKE_MUST_CHECK bool ike_pkcs12_read(struct ike_bytes file, const char *passphrase,
				    struct ike_pkcs12 *out, struct ike_error *err);

#endif
