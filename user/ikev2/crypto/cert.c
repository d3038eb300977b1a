// SPDX-License-Identifier: MIT
/* X.509 certificates: reading them, and the identities they hold. */
#include "ikev2/crypto/cert.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "ikev2/crypto/crl.h"

static bool set_subject(struct ike_cert *c, struct ike_error *err)
{
	const unsigned char *der;
	size_t len;

	if (X509_NAME_get0_der(X509_get_subject_name(c->x509), &der, &len) != 1)
		return ike_fail(err, "its subject cannot be read");
	if (len > IKE_ID_MAX)
		return ike_fail(err, "its subject has %zu bytes; at most %d can be", len,
				IKE_ID_MAX);
	c->subject.type = IKE_ID_DER_ASN1_DN;
	c->subject.len = len;
	memcpy(c->subject.data, der, len);
	return true;
}

static bool set_der(struct ike_cert *c, struct ike_error *err)
{
	int len = i2d_X509(c->x509, NULL);
	unsigned char *at;

	c->der = len > 0 ? malloc(len) : NULL;
	at = c->der;
	if (!c->der || i2d_X509(c->x509, &at) != len)
		return ike_fail(err, "out of memory");
	c->der_len = len;
	return true;
}

static bool set_key(struct ike_cert *c, struct ike_error *err)
{
	EVP_PKEY *evp = X509_get_pubkey(c->x509);
	unsigned char *spki = NULL;
	int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(c->x509), &spki);

	ERR_clear_error();
	if (evp && len > 0) {
		c->key = ike_pkey_new_of_spki(evp, ike_bytes(spki, len), err);
	} else {
		EVP_PKEY_free(evp);
		ike_fail(err, "its public key cannot be read");
	}
	OPENSSL_free(spki);
	return c->key;
}

/* Takes @x509 over. */
static struct ike_cert *cert_new(X509 *x509, struct ike_error *err)
{
	struct ike_cert *c = calloc(1, sizeof(*c));
	uint32_t flags;

	if (!c) {
		X509_free(x509);
		ike_fail(err, "out of memory");
		return NULL;
	}
	c->refs = 1;
	c->x509 = x509;
	/* Parses the extensions, here and once: later uses in other threads only read. */
	flags = X509_get_extension_flags(x509);
	c->ca = X509_check_ca(x509) == 1;
	c->self_signed = flags & EXFLAG_SI;
	if (flags & EXFLAG_INVALID)
		ike_fail(err, "its extensions are malformed");
	else if (flags & EXFLAG_CRITICAL)
		ike_fail(err, "it has a critical extension that is not known here");
	else if (set_subject(c, err) && set_der(c, err) && set_key(c, err))
		return c;
	ERR_clear_error();
	ike_cert_unref(c);
	return NULL;
}

struct ike_cert *ike_cert_from_der(struct ike_bytes der, struct ike_error *err)
{
	const unsigned char *at = der.p;
	X509 *x509 = d2i_X509(NULL, &at, der.len);

	ERR_clear_error();
	if (x509 && at == der.p + der.len)
		return cert_new(x509, err);
	ike_fail(err, x509 ? "%zu bytes of a certificate, and more behind it" :
			     "%zu bytes that are no X.509 certificate", der.len);
	X509_free(x509);
	return NULL;
}

struct ike_cert *ike_cert_read(struct ike_bytes *file, struct ike_error *err)
{
	static const char begin[] = "-----BEGIN CERTIFICATE";
	BIO *bio = BIO_new_mem_buf(file->p, file->len);
	X509 *x509 = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
	struct ike_bytes all = *file;
	size_t left = x509 ? BIO_pending(bio) : 0;

	BIO_free(bio);
	ERR_clear_error();
	*file = ike_bytes(all.p + all.len - left, left);
	if (!memmem(file->p, left, begin, sizeof(begin) - 1))
		file->len = 0;
	if (x509)
		return cert_new(x509, err);
	return ike_cert_from_der(all, err);
}

struct ike_cert *ike_cert_ref(struct ike_cert *c)
{
	c->refs++;
	return c;
}

void ike_cert_unref(struct ike_cert *c)
{
	if (!c || --c->refs)
		return;
	X509_free(c->x509);
	ike_pkey_unref(c->key);
	free(c->der);
	free(c);
}

bool ike_cert_equal(const struct ike_cert *a, const struct ike_cert *b)
{
	return ike_bytes_equal(ike_cert_der(a), ike_cert_der(b));
}

bool ike_cert_issued(const struct ike_cert *issuer, const struct ike_cert *c)
{
	return X509_check_issued(issuer->x509, c->x509) == X509_V_OK;
}

/* One subjectAltName as an identity; false for kinds that are none of IKE's. */
static bool id_of_name(const GENERAL_NAME *name, struct ike_id *id)
{
	const ASN1_STRING *s;
	int kind;

	s = GENERAL_NAME_get0_value(name, &kind);
	*id = (struct ike_id){0};
	switch (kind) {
	case GEN_DNS:
		id->type = IKE_ID_FQDN;
		break;
	case GEN_EMAIL:
		id->type = IKE_ID_RFC822_ADDR;
		break;
	case GEN_IPADD:
		id->type = ASN1_STRING_length(s) == 4 ? IKE_ID_IPV4_ADDR : IKE_ID_IPV6_ADDR;
		break;
	default:
		return false;
	}
	if (ASN1_STRING_length(s) > IKE_ID_MAX ||
	    (kind == GEN_IPADD && ASN1_STRING_length(s) != 4 && ASN1_STRING_length(s) != 16))
		return false;
	id->len = ASN1_STRING_length(s);
	memcpy(id->data, ASN1_STRING_get0_data(s), id->len);
	return true;
}

void ike_x509_subject_text(X509 *x509, char *buf, size_t cap)
{
	const unsigned char *der;
	struct ike_text t;
	size_t len;

	ike_text_init(&t, buf, cap);
	if (x509 && X509_NAME_get0_der(X509_get_subject_name(x509), &der, &len) == 1 &&
	    len <= IKE_ID_MAX) {
		struct ike_id id = {.type = IKE_ID_DER_ASN1_DN, .len = len};

		memcpy(id.data, der, len);
		ike_id_text(&id, buf, cap);
	}
}

static GENERAL_NAMES *alt_names(const X509 *x509)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(x509, NID_subject_alt_name, NULL, NULL);

	ERR_clear_error();
	return names;
}

static bool in_alt_names(const X509 *x509, const struct ike_id *id)
{
	GENERAL_NAMES *names = alt_names(x509);
	struct ike_id name;
	bool found = false;

	for (int i = 0; names && !found && i < sk_GENERAL_NAME_num(names); i++)
		found = id_of_name(sk_GENERAL_NAME_value(names, i), &name) &&
			ike_id_equal(&name, id);
	GENERAL_NAMES_free(names);
	return found;
}

static bool has_subject(const X509 *x509, const struct ike_id *id)
{
	struct ike_id subject = {.type = IKE_ID_DER_ASN1_DN};
	const unsigned char *der;
	size_t len;

	if (X509_NAME_get0_der(X509_get_subject_name(x509), &der, &len) != 1 || len > IKE_ID_MAX)
		return false;
	subject.len = len;
	memcpy(subject.data, der, len);
	return !ike_id_has_wildcard(id) && ike_id_equal(&subject, id);
}

static bool has_key_id(X509 *x509, const struct ike_id *id)
{
	const ASN1_OCTET_STRING *ski = X509_get0_subject_key_id(x509);

	return ski && ike_bytes_equal(ike_bytes(id->data, id->len),
				      ike_bytes(ASN1_STRING_get0_data(ski),
						ASN1_STRING_length(ski)));
}

bool ike_x509_has_id(X509 *x509, const struct ike_id *id)
{
	switch (id->type) {
	case IKE_ID_DER_ASN1_DN:
		return has_subject(x509, id);
	case IKE_ID_KEY_ID:
		return has_key_id(x509, id);
	case IKE_ID_FQDN:
	case IKE_ID_RFC822_ADDR:
	case IKE_ID_IPV4_ADDR:
	case IKE_ID_IPV6_ADDR:
		return in_alt_names(x509, id);
	default:
		return false;
	}
}

/* RFC 4945 does without KEY_ID; strongSwan takes the key's hash and the subjectKeyIdentifier for it. */
bool ike_cert_has_id(const struct ike_cert *c, const struct ike_id *id)
{
	return ike_x509_has_id(c->x509, id) ||
	       (id->type == IKE_ID_KEY_ID &&
		ike_bytes_equal(ike_bytes(id->data, id->len),
				ike_bytes(c->key->id, sizeof(c->key->id))));
}

void ike_cert_ids_text(struct ike_text *t, const struct ike_cert *c)
{
	GENERAL_NAMES *names = alt_names(c->x509);
	char text[IKE_ID_TEXT_MAX];
	struct ike_id id;

	ike_text_add(t, "%s", ike_id_text(&c->subject, text, sizeof(text)));
	for (int i = 0; names && i < sk_GENERAL_NAME_num(names); i++)
		if (id_of_name(sk_GENERAL_NAME_value(names, i), &id))
			ike_text_add(t, "; %s", ike_id_text(&id, text, sizeof(text)));
	GENERAL_NAMES_free(names);
}

/* id-kp-ipsecIKE (RFC 4945 section 5.1.3.12) */
static const char ipsec_ike[] = "1.3.6.1.5.5.7.3.17";

/*
 * RFC 4945 wants ipsecIKE or anyExtendedKeyUsage where the extension is at all. Public CAs issue
 * nothing but serverAuth and clientAuth, and Windows demands those of its peers: they pass too.
 */
static bool usage_passes(const ASN1_OBJECT *usage)
{
	char oid[32];

	switch (OBJ_obj2nid(usage)) {
	case NID_anyExtendedKeyUsage:
	case NID_server_auth:
	case NID_client_auth:
		return true;
	default:
		return OBJ_obj2txt(oid, sizeof(oid), usage, 1) > 0 && !strcmp(oid, ipsec_ike);
	}
}

bool ike_cert_may_authenticate(const struct ike_cert *c, struct ike_error *err)
{
	uint32_t usage = X509_get_key_usage(c->x509);
	EXTENDED_KEY_USAGE *extended;
	bool ok;

	if (!(usage & (KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION)))
		return ike_fail(err, "its key usage is not for signatures");
	if (!(X509_get_extension_flags(c->x509) & EXFLAG_XKUSAGE))
		return true;
	extended = X509_get_ext_d2i(c->x509, NID_ext_key_usage, NULL, NULL);
	ok = false;
	for (int i = 0; extended && !ok && i < sk_ASN1_OBJECT_num(extended); i++)
		ok = usage_passes(sk_ASN1_OBJECT_value(extended, i));
	EXTENDED_KEY_USAGE_free(extended);
	ERR_clear_error();
	return ok || ike_fail(err, "its extended key usage is not for IKE");
}

bool ike_cert_in_time(const struct ike_cert *c, int64_t now, struct ike_error *err)
{
	const ASN1_TIME *from = X509_get0_notBefore(c->x509), *to = X509_get0_notAfter(c->x509);
	time_t t = now;
	char text[32];

	if (X509_cmp_time(to, &t) <= 0) {
		ike_asn1_time_text(to, text);
		return ike_fail(err, "it has expired, at %s", text);
	}
	if (X509_cmp_time(from, &t) >= 0) {
		ike_asn1_time_text(from, text);
		return ike_fail(err, "it is not valid before %s", text);
	}
	return true;
}
