// SPDX-License-Identifier: MIT
/* PKCS#12 containers, opened by OpenSSL. */
#include "ikev2/crypto/pkcs12.h"

#include <openssl/err.h>
#include <openssl/pkcs12.h>

static bool add(struct ike_pkcs12 *out, X509 *x509, struct ike_error *err)
{
	unsigned char *der = NULL;
	int len = i2d_X509(x509, &der);
	struct ike_cert *cert;

	cert = len > 0 ? ike_cert_from_der(ike_bytes(der, len), err) : NULL;
	OPENSSL_free(der);
	if (cert)
		out->certs[out->n++] = cert;
	return cert;
}

static bool take(struct ike_pkcs12 *out, EVP_PKEY *key, X509 *own, STACK_OF(X509) *others,
		 struct ike_error *err)
{
	if (!key || !own)
		return ike_fail(err, "holds no private key with its certificate");
	if (sk_X509_num(others) >= IKE_PKCS12_CERTS_MAX)
		return ike_fail(err, "holds more than %d certificates", IKE_PKCS12_CERTS_MAX);
	EVP_PKEY_up_ref(key);
	out->key = ike_pkey_new(key, true, err);
	if (!out->key || !add(out, own, err))
		return false;
	for (int i = 0; i < sk_X509_num(others); i++)
		if (!add(out, sk_X509_value(others, i), err))
			return false;
	return true;
}

bool ike_pkcs12_read(struct ike_bytes file, const char *passphrase, struct ike_pkcs12 *out,
		     struct ike_error *err)
{
	const unsigned char *at = file.p;
	PKCS12 *p12 = d2i_PKCS12(NULL, &at, file.len);
	STACK_OF(X509) *others = NULL;
	EVP_PKEY *key = NULL;
	X509 *own = NULL;
	bool ok = false;

	*out = (struct ike_pkcs12){0};
	if (!p12)
		ike_fail(err, "holds no PKCS#12 container");
	else if (PKCS12_parse(p12, passphrase, &key, &own, &others) != 1)
		ike_fail(err, passphrase ? "its passphrase is another, or its ciphers are not "
					   "OpenSSL's" : "it needs a passphrase: add secrets { "
					   "pkcs12 { file = ... secret = ... } }");
	else
		ok = take(out, key, own, others, err);
	if (!ok) {
		ike_pkey_unref(out->key);
		while (out->n)
			ike_cert_unref(out->certs[--out->n]);
	}
	sk_X509_pop_free(others, X509_free);
	X509_free(own);
	EVP_PKEY_free(key);
	PKCS12_free(p12);
	ERR_clear_error();
	return ok;
}
