// SPDX-License-Identifier: MIT
/*
 * What a peer can send to prove its identity: AUTH method, length of the signature (2 bytes), it,
 * and certificates, each behind its length (2 bytes). They are verified against one authority, whose
 * key is known, so that seeds with good chains get as far as the signature.
 */
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include "fuzz/interpret.h"
#include "ikev2/proof.h"

enum {
	NOW = 1800000000,
	YEAR = 365 * 24 * 3600
};

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct ike_config *config;
static const struct ike_auth_cfg by_certificate = {.method = IKE_AUTH_CFG_PUBKEY};

static void extend(X509 *x509, int nid, const char *value)
{
	X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	claim(ext && X509_add_ext(x509, ext, -1) == 1);
	X509_EXTENSION_free(ext);
}

/* The same in every process: Ed25519, its private key 32 bytes of "f". */
static struct ike_cert *authority(void)
{
	uint8_t raw[32];
	unsigned char *der = NULL;
	X509 *x509 = X509_new();
	struct ike_cert *cert;
	EVP_PKEY *key;
	int len;

	memset(raw, 'f', sizeof(raw));
	key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, raw, sizeof(raw));
	X509_set_version(x509, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(x509), 1);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(x509), "CN", MBSTRING_ASC,
				   (const unsigned char *)"fuzz", -1, -1, 0);
	X509_set_issuer_name(x509, X509_get_subject_name(x509));
	ASN1_TIME_set(X509_getm_notBefore(x509), NOW - YEAR);
	ASN1_TIME_set(X509_getm_notAfter(x509), NOW + YEAR);
	X509_set_pubkey(x509, key);
	extend(x509, NID_basic_constraints, "critical,CA:TRUE");
	extend(x509, NID_key_usage, "critical,keyCertSign");
	claim(X509_sign(x509, key, NULL) > 0);
	len = i2d_X509(x509, &der);
	cert = ike_cert_from_der(ike_bytes(der, len), NULL);
	claim(cert);
	OPENSSL_free(der);
	EVP_PKEY_free(key);
	X509_free(x509);
	return cert;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	config = calloc(1, sizeof(*config));
	claim(config);
	config->refs = 1;
	config->anchors.list = calloc(1, sizeof(*config->anchors.list));
	claim(config->anchors.list);
	config->anchors.list[0] = authority();
	config->anchors.n = 1;
	return 0;
}

static bool take(struct ike_proof *p, struct ike_bytes input, struct ike_error *err)
{
	struct ike_cursor c = ike_cursor(input);
	struct ike_bytes signature;

	p->signature.method = ike_get8(&c);
	signature = ike_get(&c, ike_get16(&c));
	if (c.bad || !signature.len || signature.len > sizeof(p->signature.data))
		return ike_fail(err, "input");
	memcpy(p->signature.data, signature.p, signature.len);
	p->signature.len = signature.len;
	while (c.rest.len && !c.bad)
		if (!ike_proof_add_cert(p, ike_get(&c, ike_get16(&c)), err))
			return false;
	return !c.bad;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char octets[] = "what is signed";
	struct ike_bytes part = ike_bytes(octets, sizeof(octets) - 1);
	struct ike_error err = {0};
	struct ike_proof *p;
	struct ike_id id;

	claim(ike_id_parse("a.example.org", &id, NULL));
	p = ike_proof_new(config, &by_certificate, &id, &part, 1);
	claim(p);
	p->now = NOW;
	if (take(p, ike_bytes(data, size), &err)) {
		if (ike_proof_run(p, &err))
			claim(p->by[0]);
		else
			claim(err.text[0] && err.notify == IKE_NOTIFY_AUTHENTICATION_FAILED);
	}
	ike_proof_free(p);
	return 0;
}
