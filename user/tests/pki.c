// SPDX-License-Identifier: MIT
/* Keys and certificates made to order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "tests/pki.h"

enum {
	HALF_YEAR = 182 * 24 * 3600
};

static EVP_PKEY *make_key(const char *kind)
{
	if (!kind)
		kind = "ED25519";
	if (!strcmp(kind, "RSA"))
		return EVP_RSA_gen(2048);
	if (kind[0] == 'P')
		return EVP_EC_gen(kind);
	return EVP_PKEY_Q_keygen(NULL, NULL, kind);
}

static X509_NAME *make_name(const char *text)
{
	const unsigned char *at;
	struct ike_id id;
	char full[300] = "asn1dn:";

	strncat(full, text, sizeof(full) - strlen(full) - 1);
	assert_true(ike_id_parse(full, &id, NULL));
	at = id.data;
	return d2i_X509_NAME(NULL, &at, id.len);
}

static void extend(X509 *x509, X509V3_CTX *ctx, int nid, const char *value)
{
	X509_EXTENSION *ext = value ? X509V3_EXT_conf_nid(NULL, ctx, nid, value) : NULL;

	if (!value)
		return;
	assert_non_null(ext);
	assert_int_equal(X509_add_ext(x509, ext, -1), 1);
	X509_EXTENSION_free(ext);
}

static const EVP_MD *digest(const EVP_PKEY *signer, const char *md)
{
	if (EVP_PKEY_is_a(signer, "ED25519") || EVP_PKEY_is_a(signer, "ED448"))
		return NULL;
	return EVP_get_digestbyname(md ? md : "SHA256");
}

static EVP_PKEY *key_of(const struct pki_order *o)
{
	if (!o->renews)
		return make_key(o->key);
	EVP_PKEY_up_ref(o->renews->key->evp);
	return o->renews->key->evp;
}

struct pki pki_make(const struct pki_order *o)
{
	static long serial;
	EVP_PKEY *key = key_of(o), *signer = o->issuer ? o->issuer->key->evp : key;
	X509_NAME *name = make_name(o->subject);
	X509 *x509 = X509_new();
	CONF *conf = NCONF_new(NULL); /* empty; certificatePolicies wants one */
	X509V3_CTX ctx;
	struct pki p;
	struct ike_error err = {0};
	unsigned char *der = NULL;
	int len;

	X509_set_version(x509, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(x509), ++serial);
	X509_set_subject_name(x509, name);
	X509_set_issuer_name(x509, o->issuer ? X509_get_subject_name(o->issuer->cert->x509) : name);
	ASN1_TIME_set(X509_getm_notBefore(x509), PKI_NOW + (o->to ? o->from : -HALF_YEAR));
	ASN1_TIME_set(X509_getm_notAfter(x509), PKI_NOW + (o->to ? o->to : HALF_YEAR));
	X509_set_pubkey(x509, key);
	X509V3_set_ctx(&ctx, o->issuer ? o->issuer->cert->x509 : x509, x509, NULL, NULL, 0);
	X509V3_set_nconf(&ctx, conf);
	extend(x509, &ctx, NID_basic_constraints, o->basic_constraints);
	extend(x509, &ctx, NID_key_usage, o->key_usage);
	extend(x509, &ctx, NID_ext_key_usage, o->extended_key_usage);
	extend(x509, &ctx, NID_subject_alt_name, o->alt_name);
	extend(x509, &ctx, NID_name_constraints, o->name_constraints);
	extend(x509, &ctx, NID_crl_distribution_points, o->crl_points);
	extend(x509, &ctx, NID_info_access, o->access);
	extend(x509, &ctx, NID_certificate_policies, o->policies);
	assert_true(X509_sign(x509, signer, digest(signer, o->md)) > 0);
	len = i2d_X509(x509, &der);
	p.cert = ike_cert_from_der(ike_bytes(der, len), &err);
	p.key = ike_pkey_new(key, true, &err);
	if (!p.cert || !p.key)
		fail_msg("%s", err.text);
	OPENSSL_free(der);
	NCONF_free(conf);
	X509_NAME_free(name);
	X509_free(x509);
	return p;
}

struct pki pki_ca(const char *subject, const struct pki *issuer)
{
	return pki_make(&(struct pki_order){
		.issuer = issuer,
		.subject = subject,
		.basic_constraints = "critical,CA:TRUE",
		.key_usage = "critical,keyCertSign,cRLSign",
	});
}

struct pki pki_end(const struct pki *issuer, const char *subject, const char *alt_name,
		   const char *key)
{
	return pki_make(&(struct pki_order){
		.issuer = issuer, .subject = subject, .alt_name = alt_name, .key = key});
}

void pki_free(struct pki *p)
{
	ike_cert_unref(p->cert);
	ike_pkey_unref(p->key);
}

void pki_add_cert(struct ike_cert_list *list, const struct pki *p)
{
	list->list = reallocarray(list->list, list->n + 1, sizeof(*list->list));
	list->list[list->n++] = ike_cert_ref(p->cert);
}

void pki_add_key(struct ike_pkey_list *list, const struct pki *p)
{
	list->list = reallocarray(list->list, list->n + 1, sizeof(*list->list));
	list->list[list->n++] = ike_pkey_ref(p->key);
}
