/* SPDX-License-Identifier: MIT */
/*
 * OCSP (RFC 6960), without nonces (RFC 5019 section 4: what many clients ask is answered once), so
 * that an answer may be kept as long as it says.
 */
#ifndef ESPLANE_IKE_OCSP_H
#define ESPLANE_IKE_OCSP_H

#include "ikev2/crypto/crl.h"

enum {
	IKE_OCSP_REQUEST_MAX = 256,
	IKE_OCSP_ANSWER_MAX = 64 << 10,
	IKE_OCSP_SKEW = 300, /* seconds that a responder's clock may be ahead */
};

/* The question whether @issuer has revoked @cert, into @buf; its length, 0 if it does not fit. */
size_t ike_ocsp_request(struct x509_st *cert, struct x509_st *issuer,
			uint8_t buf[IKE_OCSP_REQUEST_MAX]);
/* What @answer says at @now of @cert. *@until: as long as it may be kept; untouched: not at all. */
enum ike_standing ike_ocsp_standing(struct ike_bytes answer, struct x509_st *cert,
				    struct x509_st *issuer, int64_t now, int64_t *until,
				    struct ike_error *err);

#endif
