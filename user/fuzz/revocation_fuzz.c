// SPDX-License-Identifier: MIT
/*
 * What can come from places that are asked whether a certificate has been revoked: the first byte says
 * whether it is a CRL or an answer of OCSP. The authority's key is known (proof_fuzz.c), the certificate
 * is its own: its seeds are signed, so that mutations get behind the signature where a parser is before
 * it.
 */
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include "fuzz/interpret.h"
#include "ikev2/crypto/ocsp.h"

enum {
	NOW = 1800000000,
	YEAR = 365 * 24 * 3600
};

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static X509 *authority;

static void extend(const char *value, int nid)
{
	X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	claim(ext && X509_add_ext(authority, ext, -1) == 1);
	X509_EXTENSION_free(ext);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	uint8_t raw[32];
	EVP_PKEY *key;

	memset(raw, 'f', sizeof(raw));
	key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, raw, sizeof(raw));
	authority = X509_new();
	X509_set_version(authority, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(authority), 1);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(authority), "CN", MBSTRING_ASC,
				   (const unsigned char *)"fuzz", -1, -1, 0);
	X509_set_issuer_name(authority, X509_get_subject_name(authority));
	ASN1_TIME_set(X509_getm_notBefore(authority), NOW - YEAR);
	ASN1_TIME_set(X509_getm_notAfter(authority), NOW + YEAR);
	X509_set_pubkey(authority, key);
	extend("critical,CA:TRUE", NID_basic_constraints);
	extend("critical,keyCertSign,cRLSign", NID_key_usage);
	claim(X509_sign(authority, key, NULL) > 0);
	EVP_PKEY_free(key);
	return 0;
}

static void check(enum ike_standing standing, int64_t until, const struct ike_error *err)
{
	claim(until == 0 || until > NOW);
	if (standing != IKE_STANDING_GOOD)
		claim(err->text[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ike_error err = {0};
	int64_t until = 0;
	X509_CRL *crl;

	if (!size)
		return 0;
	if (data[0] & 1) {
		check(ike_ocsp_standing(ike_bytes(data + 1, size - 1), authority, authority, NOW,
					&until, &err), until, &err);
		return 0;
	}
	crl = ike_crl_parse(ike_bytes(data + 1, size - 1), &err);
	if (crl)
		check(ike_crl_standing(crl, authority, authority, NOW, &until, &err), until, &err);
	else
		claim(err.text[0]);
	ike_crl_free(crl);
	return 0;
}
