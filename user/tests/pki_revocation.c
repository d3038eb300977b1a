// SPDX-License-Identifier: MIT
/* CRLs and OCSP responses made to order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include <openssl/ocsp.h>
#include <openssl/x509v3.h>

#include "tests/pki.h"

enum {
	DAY = 24 * 3600
};

static const EVP_MD *digest(const struct pki *signer, const char *md)
{
	return EVP_PKEY_is_a(signer->key->evp, "ED25519") ? NULL :
							    EVP_get_digestbyname(md ? md : "SHA256");
}

void pki_der_free(struct pki_der *der)
{
	OPENSSL_free(der->p);
	*der = (struct pki_der){0};
}

static void revoke(X509_CRL *crl, const struct pki_crl_order *o)
{
	X509_REVOKED *entry = X509_REVOKED_new();
	ASN1_ENUMERATED *reason = ASN1_ENUMERATED_new();
	ASN1_TIME *at = ASN1_TIME_set(NULL, PKI_NOW - 10 * DAY);

	X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(o->revoked->cert->x509));
	X509_REVOKED_set_revocationDate(entry, at);
	if (o->reason) {
		ASN1_ENUMERATED_set(reason, o->reason);
		assert_int_equal(X509_REVOKED_add1_ext_i2d(entry, NID_crl_reason, reason, 0, 0), 1);
	}
	assert_int_equal(X509_CRL_add0_revoked(crl, entry), 1);
	ASN1_ENUMERATED_free(reason);
	ASN1_TIME_free(at);
}

static void extend(X509_CRL *crl, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *ext;

	X509V3_set_ctx(&ctx, NULL, NULL, NULL, crl, 0);
	ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	assert_non_null(ext);
	assert_int_equal(X509_CRL_add_ext(crl, ext, -1), 1);
	X509_EXTENSION_free(ext);
}

struct pki_der pki_crl(const struct pki_crl_order *o)
{
	const struct pki *signer = o->signer ? o->signer : o->issuer;
	X509_CRL *crl = X509_CRL_new();
	ASN1_TIME *from = ASN1_TIME_set(NULL, PKI_NOW + (o->to ? o->from : -15 * DAY)),
		  *to = ASN1_TIME_set(NULL, PKI_NOW + (o->to ? o->to : 15 * DAY));
	ASN1_INTEGER *base = ASN1_INTEGER_new();
	struct pki_der der = {0};

	X509_CRL_set_version(crl, X509_CRL_VERSION_2);
	X509_CRL_set_issuer_name(crl, X509_get_subject_name(o->issuer->cert->x509));
	X509_CRL_set1_lastUpdate(crl, from);
	X509_CRL_set1_nextUpdate(crl, to);
	if (o->revoked)
		revoke(crl, o);
	if (o->point)
		extend(crl, NID_issuing_distribution_point, o->point);
	ASN1_INTEGER_set(base, 1);
	if (o->delta)
		assert_int_equal(X509_CRL_add1_ext_i2d(crl, NID_delta_crl, base, 1, 0), 1);
	assert_true(X509_CRL_sign(crl, signer->key->evp, digest(signer, o->md)) > 0);
	der.len = i2d_X509_CRL(crl, &der.p);
	assert_true(der.len > 0);
	ASN1_INTEGER_free(base);
	ASN1_TIME_free(from);
	ASN1_TIME_free(to);
	X509_CRL_free(crl);
	return der;
}

static OCSP_BASICRESP *basic(const struct pki_ocsp_order *o)
{
	const struct pki *signer = o->signer ? o->signer : o->issuer;
	OCSP_CERTID *id = OCSP_cert_to_id(EVP_sha1(), o->cert->cert->x509, o->issuer->cert->x509);
	ASN1_TIME *from = ASN1_GENERALIZEDTIME_set(NULL, PKI_NOW + (o->to ? o->from : -DAY)),
		  *to = ASN1_GENERALIZEDTIME_set(NULL, PKI_NOW + (o->to ? o->to : DAY)),
		  *at = ASN1_GENERALIZEDTIME_set(NULL, PKI_NOW - 10 * DAY);
	OCSP_BASICRESP *b = OCSP_BASICRESP_new();

	assert_non_null(OCSP_basic_add1_status(b, id, o->status, OCSP_REVOKED_STATUS_KEYCOMPROMISE,
					       at, from, o->no_next ? NULL : to));
	assert_int_equal(OCSP_basic_sign(b, signer->cert->x509, signer->key->evp,
					 digest(signer, NULL), NULL, 0), 1);
	OCSP_CERTID_free(id);
	ASN1_TIME_free(from);
	ASN1_TIME_free(to);
	ASN1_TIME_free(at);
	return b;
}

struct pki_der pki_ocsp(const struct pki_ocsp_order *o)
{
	OCSP_BASICRESP *b = o->try_later ? NULL : basic(o);
	OCSP_RESPONSE *r = OCSP_response_create(b ? OCSP_RESPONSE_STATUS_SUCCESSFUL :
						    OCSP_RESPONSE_STATUS_TRYLATER, b);
	struct pki_der der = {0};

	assert_non_null(r);
	der.len = i2d_OCSP_RESPONSE(r, &der.p);
	assert_true(der.len > 0);
	OCSP_RESPONSE_free(r);
	OCSP_BASICRESP_free(b);
	return der;
}
