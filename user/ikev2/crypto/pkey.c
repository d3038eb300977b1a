// SPDX-License-Identifier: MIT
/* Keys of signatures: reading them, and refusing those that are too weak to prove anything. */
#include "ikev2/crypto/pkey.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/decoder.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/x509.h>

#include "ikev2/crypto/secret.h"

static bool check_rsa(const EVP_PKEY *evp, struct ike_error *err)
{
	BIGNUM *e = NULL;
	int bits = EVP_PKEY_get_bits(evp);
	bool ok;

	if (bits < IKE_RSA_BITS_MIN || bits > IKE_RSA_BITS_MAX)
		return ike_fail(err, "RSA key of %d bits; %d to %d are needed", bits,
				IKE_RSA_BITS_MIN, IKE_RSA_BITS_MAX);
	ok = EVP_PKEY_get_bn_param(evp, OSSL_PKEY_PARAM_RSA_E, &e) == 1 && BN_is_odd(e) &&
	     BN_num_bits(e) <= IKE_RSA_E_BITS_MAX && BN_get_word(e) >= IKE_RSA_E_MIN;
	BN_free(e);
	return ok || ike_fail(err, "RSA key with a public exponent that is even, less than %d or "
			      "longer than %d bits", IKE_RSA_E_MIN, IKE_RSA_E_BITS_MAX);
}

/* Curves by their names only: explicit parameters can be anything. */
static bool check_ec(const EVP_PKEY *evp, struct ike_error *err)
{
	char group[64] = "unnamed";
	size_t len;
	int nid;

	EVP_PKEY_get_group_name(evp, group, sizeof(group), &len);
	nid = OBJ_txt2nid(group);
	if (nid != NID_X9_62_prime256v1 && nid != NID_secp384r1 && nid != NID_secp521r1)
		return ike_fail(err, "ECDSA key on curve %s; P-256, P-384 or P-521 is needed",
				group);
	return true;
}

static bool check(struct ike_pkey *k, struct ike_error *err)
{
	k->bits = EVP_PKEY_get_bits(k->evp);
	if (EVP_PKEY_is_a(k->evp, "RSA") || EVP_PKEY_is_a(k->evp, "RSA-PSS")) {
		k->kind = IKE_PKEY_RSA;
		return check_rsa(k->evp, err);
	}
	if (EVP_PKEY_is_a(k->evp, "EC")) {
		k->kind = IKE_PKEY_ECDSA;
		return check_ec(k->evp, err);
	}
	if (EVP_PKEY_is_a(k->evp, "ED25519"))
		k->kind = IKE_PKEY_ED25519;
	else if (EVP_PKEY_is_a(k->evp, "ED448"))
		k->kind = IKE_PKEY_ED448;
	else
		return ike_fail(err, "a key of a kind that makes no signatures here; RSA, ECDSA, "
				"Ed25519 or Ed448 is needed");
	return true;
}

/* Takes @evp over. Without an ID yet. */
static struct ike_pkey *checked(EVP_PKEY *evp, bool has_private, struct ike_error *err)
{
	struct ike_pkey *k = calloc(1, sizeof(*k));

	if (!k) {
		EVP_PKEY_free(evp);
		ike_fail(err, "out of memory");
		return NULL;
	}
	k->refs = 1;
	k->evp = evp;
	k->has_private = has_private;
	if (check(k, err))
		return k;
	ike_pkey_unref(k);
	return NULL;
}

struct ike_pkey *ike_pkey_new_of_spki(EVP_PKEY *evp, struct ike_bytes spki, struct ike_error *err)
{
	struct ike_pkey *k = checked(evp, false, err);

	if (k)
		SHA1(spki.p, spki.len, k->id);
	return k;
}

struct ike_pkey *ike_pkey_new(EVP_PKEY *evp, bool has_private, struct ike_error *err)
{
	struct ike_pkey *k = checked(evp, has_private, err);
	unsigned char *der = NULL;
	int len = k ? i2d_PUBKEY(evp, &der) : 0;

	if (len > 0) {
		SHA1(der, len, k->id);
	} else if (k) {
		ike_fail(err, "a public key that OpenSSL cannot write");
		ike_pkey_unref(k);
		k = NULL;
	}
	OPENSSL_free(der);
	return k;
}

struct ike_pkey *ike_pkey_from_spki(struct ike_bytes der, struct ike_error *err)
{
	const unsigned char *at = der.p;
	EVP_PKEY *evp = d2i_PUBKEY(NULL, &at, der.len);

	ERR_clear_error();
	if (evp && at == der.p + der.len)
		return ike_pkey_new_of_spki(evp, der, err);
	ike_fail(err, evp ? "%zu bytes of a public key, and more behind it" :
			    "%zu bytes that are no public key (SubjectPublicKeyInfo)", der.len);
	EVP_PKEY_free(evp);
	return NULL;
}

struct passphrase {
	const char *text;
	bool asked;
};

static int give_passphrase(char *buf, int size, int unused, void *arg)
{
	struct passphrase *p = arg;
	size_t len = p->text ? strlen(p->text) : 0;

	p->asked = true;
	if (!len || len > (size_t)size)
		return -1;
	memcpy(buf, p->text, len);
	return len;
}

static EVP_PKEY *decode(struct ike_bytes file, int selection, struct passphrase *p)
{
	EVP_PKEY *evp = NULL;
	OSSL_DECODER_CTX *ctx = OSSL_DECODER_CTX_new_for_pkey(&evp, NULL, NULL, NULL, selection,
							      NULL, NULL);
	const unsigned char *at = file.p;
	size_t left = file.len;

	if (ctx && (!p || OSSL_DECODER_CTX_set_pem_password_cb(ctx, give_passphrase, p)) &&
	    !OSSL_DECODER_from_data(ctx, &at, &left)) {
		EVP_PKEY_free(evp);
		evp = NULL;
	}
	OSSL_DECODER_CTX_free(ctx);
	ERR_clear_error();
	return evp;
}

struct ike_pkey *ike_pkey_read_public(struct ike_bytes file, struct ike_error *err)
{
	EVP_PKEY *evp = decode(file, EVP_PKEY_PUBLIC_KEY, NULL);

	if (evp)
		return ike_pkey_new(evp, false, err);
	ike_fail(err, "holds no public key, neither PEM nor DER");
	return NULL;
}

struct ike_pkey *ike_pkey_read_private(struct ike_bytes file, const char *passphrase, bool *locked,
				       struct ike_error *err)
{
	struct passphrase p = { .text = passphrase };
	EVP_PKEY *evp = decode(file, EVP_PKEY_KEYPAIR, &p);

	*locked = !evp && p.asked;
	if (evp)
		return ike_pkey_new(evp, true, err);
	if (*locked)
		ike_fail(err, passphrase ? "its passphrase is another" : "it is encrypted");
	else
		ike_fail(err, "holds no private key, neither PEM nor DER");
	return NULL;
}

struct ike_pkey *ike_pkey_ref(struct ike_pkey *k)
{
	k->refs++;
	return k;
}

void ike_pkey_unref(struct ike_pkey *k)
{
	if (!k || --k->refs)
		return;
	EVP_PKEY_free(k->evp);
	free(k);
}

bool ike_pkey_equal(const struct ike_pkey *a, const struct ike_pkey *b)
{
	bool equal = EVP_PKEY_eq(a->evp, b->evp) == 1;

	ERR_clear_error();
	return equal;
}

const char *ike_pkey_kind_name(enum ike_pkey_kind kind)
{
	static const char *const names[IKE_PKEY_KINDS] = {
		[IKE_PKEY_RSA] = "RSA",
		[IKE_PKEY_ECDSA] = "ECDSA",
		[IKE_PKEY_ED25519] = "Ed25519",
		[IKE_PKEY_ED448] = "Ed448",
	};

	return names[kind];
}

char *ike_pkey_text(const struct ike_pkey *k, char buf[IKE_PKEY_TEXT_MAX])
{
	struct ike_text t;

	ike_text_init(&t, buf, IKE_PKEY_TEXT_MAX);
	ike_text_add(&t, "%s", ike_pkey_kind_name(k->kind));
	if (k->kind == IKE_PKEY_RSA)
		ike_text_add(&t, "-%u", k->bits);
	else if (k->kind == IKE_PKEY_ECDSA)
		ike_text_add(&t, "-P-%u", k->bits);
	return buf;
}
