// SPDX-License-Identifier: MIT
/* OCSP: a question about one certificate, and what the answer is worth. */
#include "ikev2/crypto/ocsp.h"

#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/x509v3.h>

enum {
	DEPTH_MAX = 2,	/* the issuer, and a responder that it has empowered */
	AUTH_LEVEL = 2, /* as for chains: 112 bits */
};

/* RFC 5019 section 2.1.1: by SHA-1, which all responders know. Nothing secret rests on it. */
static OCSP_CERTID *cert_id(X509 *cert, X509 *issuer)
{
	return OCSP_cert_to_id(EVP_sha1(), cert, issuer);
}

size_t ike_ocsp_request(X509 *cert, X509 *issuer, uint8_t buf[IKE_OCSP_REQUEST_MAX])
{
	OCSP_REQUEST *req = OCSP_REQUEST_new();
	OCSP_CERTID *id = cert_id(cert, issuer);
	unsigned char *at = buf;
	int len = 0;

	if (req && id && OCSP_request_add0_id(req, id)) {
		id = NULL;
		len = i2d_OCSP_REQUEST(req, NULL);
		len = len > 0 && len <= IKE_OCSP_REQUEST_MAX ? i2d_OCSP_REQUEST(req, &at) : 0;
	}
	OCSP_CERTID_free(id);
	OCSP_REQUEST_free(req);
	ERR_clear_error();
	return len > 0 ? len : 0;
}

/* The issuer alone is trusted. It may sign itself, or have empowered the one that does. */
static X509_STORE *store_of(X509 *issuer, int64_t now)
{
	X509_STORE *store = X509_STORE_new();
	X509_VERIFY_PARAM *param = store ? X509_STORE_get0_param(store) : NULL;

	if (store && X509_STORE_add_cert(store, issuer) == 1) {
		X509_VERIFY_PARAM_set_time(param, now);
		X509_VERIFY_PARAM_set_depth(param, DEPTH_MAX);
		X509_VERIFY_PARAM_set_auth_level(param, AUTH_LEVEL);
		if (X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN) == 1)
			return store;
	}
	X509_STORE_free(store);
	return NULL;
}

static bool signature_is_good(OCSP_BASICRESP *basic, X509 *issuer, int64_t now,
			      struct ike_error *err)
{
	X509_STORE *store = store_of(issuer, now);
	STACK_OF(X509) *known = sk_X509_new_null();
	const ASN1_OBJECT *algorithm;
	bool ok = false;

	X509_ALGOR_get0(&algorithm, NULL, NULL, OCSP_resp_get0_tbs_sigalg(basic));
	if (!ike_signature_strong(OBJ_obj2nid(algorithm)))
		ike_fail(err, "its signature by %s is too weak",
			 OBJ_nid2sn(OBJ_obj2nid(algorithm)));
	else if (!store || !known || !sk_X509_push(known, issuer))
		ike_fail(err, "out of memory");
	else
		ok = OCSP_basic_verify(basic, known, store, OCSP_PARTIAL_CHAIN | OCSP_NOEXPLICIT) == 1 ||
		     ike_fail(err, "it is not signed by the issuer of the certificate, nor by whom "
			      "the issuer has empowered");
	sk_X509_free(known);
	X509_STORE_free(store);
	return ok;
}

static bool in_time(const ASN1_GENERALIZEDTIME *from, const ASN1_GENERALIZEDTIME *to, int64_t now,
		    int64_t *until, struct ike_error *err)
{
	int64_t begin, end = now;
	char text[32];

	if (!ike_asn1_time(from, &begin) || (to && !ike_asn1_time(to, &end)))
		return ike_fail(err, "its times cannot be read");
	if (begin > now + IKE_OCSP_SKEW) {
		ike_asn1_time_text(from, text);
		return ike_fail(err, "it is not valid before %s", text);
	}
	/* Section 2.4: without nextUpdate there is newer information at any time. */
	if (to ? end <= now : begin < now - IKE_OCSP_SKEW) {
		ike_asn1_time_text(to ? to : from, text);
		return ike_fail(err, "it is over since %s", text);
	}
	if (end > now)
		*until = end;
	return true;
}

static enum ike_standing revoked(const ASN1_GENERALIZEDTIME *when, int reason,
				 struct ike_error *err)
{
	const char *why = ike_crl_reason(reason);
	char text[32] = "";

	if (when)
		ike_asn1_time_text(when, text);
	ike_fail(err, "it was revoked at %s%s%s, OCSP says", text, *why ? " for " : "", why);
	return IKE_STANDING_REVOKED;
}

static enum ike_standing unknown(struct ike_error *err, const char *why)
{
	ike_fail(err, "%s", why);
	return IKE_STANDING_UNKNOWN;
}

static enum ike_standing read_basic(OCSP_BASICRESP *basic, OCSP_CERTID *id, X509 *issuer,
				    int64_t now, int64_t *until, struct ike_error *err)
{
	ASN1_GENERALIZEDTIME *when = NULL, *from = NULL, *to = NULL;
	int status, reason = -1;

	if (!signature_is_good(basic, issuer, now, err))
		return IKE_STANDING_UNKNOWN;
	if (OCSP_resp_find_status(basic, id, &status, &reason, &when, &from, &to) != 1)
		return unknown(err, "it is of other certificates");
	if (!in_time(from, to, now, until, err))
		return IKE_STANDING_UNKNOWN;
	switch (status) {
	case V_OCSP_CERTSTATUS_GOOD:
		return IKE_STANDING_GOOD;
	case V_OCSP_CERTSTATUS_REVOKED:
		return revoked(when, reason, err);
	default:
		return unknown(err, "the responder does not know the certificate");
	}
}

static enum ike_standing read_response(OCSP_RESPONSE *response, OCSP_CERTID *id, X509 *issuer,
				       int64_t now, int64_t *until, struct ike_error *err)
{
	enum ike_standing standing;
	OCSP_BASICRESP *basic;

	if (OCSP_response_status(response) != OCSP_RESPONSE_STATUS_SUCCESSFUL)
		return unknown(err, OCSP_response_status_str(OCSP_response_status(response)));
	basic = OCSP_response_get1_basic(response);
	if (!basic)
		return unknown(err, "it is of a kind that is not known here");
	standing = read_basic(basic, id, issuer, now, until, err);
	OCSP_BASICRESP_free(basic);
	return standing;
}

enum ike_standing ike_ocsp_standing(struct ike_bytes answer, X509 *cert, X509 *issuer, int64_t now,
				    int64_t *until, struct ike_error *err)
{
	const unsigned char *at = answer.p;
	OCSP_RESPONSE *response = answer.len <= IKE_OCSP_ANSWER_MAX ?
				  d2i_OCSP_RESPONSE(NULL, &at, answer.len) : NULL;
	OCSP_CERTID *id = cert_id(cert, issuer);
	enum ike_standing standing = IKE_STANDING_UNKNOWN;

	if (!response || at != answer.p + answer.len)
		ike_fail(err, "%zu bytes that are no OCSP response", answer.len);
	else if (!id)
		ike_fail(err, "out of memory");
	else
		standing = read_response(response, id, issuer, now, until, err);
	if (standing != IKE_STANDING_REVOKED && standing != IKE_STANDING_GOOD)
		ike_fail_at(err, "OCSP answer");
	OCSP_CERTID_free(id);
	OCSP_RESPONSE_free(response);
	ERR_clear_error();
	return standing;
}
