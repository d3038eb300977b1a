// SPDX-License-Identifier: MIT
/* Signatures that authenticate an end: the schemes, and the forms they have in AUTH payloads. */
#include "ikev2/crypto/signature.h"

#include <string.h>

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "ikev2/crypto/algorithm_id.h"
#include "ikev2/crypto/fetched.h"
#include "ikev2/wire/wire.h"

enum {
	ECDSA_BYTES_MAX = 66, /* of an integer modulo the order of P-521 */
};

static const struct scheme {
	const char *name;
	enum ike_pkey_kind kind;
	enum ike_hash hash;
	bool pss;
} schemes[IKE_SCHEMES] = {
	[IKE_SCHEME_RSA_SHA2_256] = { "rsa-sha256", IKE_PKEY_RSA, IKE_HASH_SHA2_256, false },
	[IKE_SCHEME_RSA_SHA2_384] = { "rsa-sha384", IKE_PKEY_RSA, IKE_HASH_SHA2_384, false },
	[IKE_SCHEME_RSA_SHA2_512] = { "rsa-sha512", IKE_PKEY_RSA, IKE_HASH_SHA2_512, false },
	[IKE_SCHEME_PSS_SHA2_256] = { "rsa/pss-sha256", IKE_PKEY_RSA, IKE_HASH_SHA2_256, true },
	[IKE_SCHEME_PSS_SHA2_384] = { "rsa/pss-sha384", IKE_PKEY_RSA, IKE_HASH_SHA2_384, true },
	[IKE_SCHEME_PSS_SHA2_512] = { "rsa/pss-sha512", IKE_PKEY_RSA, IKE_HASH_SHA2_512, true },
	[IKE_SCHEME_ECDSA_SHA2_256] = { "ecdsa-sha256", IKE_PKEY_ECDSA, IKE_HASH_SHA2_256, false },
	[IKE_SCHEME_ECDSA_SHA2_384] = { "ecdsa-sha384", IKE_PKEY_ECDSA, IKE_HASH_SHA2_384, false },
	[IKE_SCHEME_ECDSA_SHA2_512] = { "ecdsa-sha512", IKE_PKEY_ECDSA, IKE_HASH_SHA2_512, false },
	[IKE_SCHEME_ED25519] = { "ed25519", IKE_PKEY_ED25519, IKE_HASH_IDENTITY, false },
	[IKE_SCHEME_ED448] = { "ed448", IKE_PKEY_ED448, IKE_HASH_IDENTITY, false },
	[IKE_SCHEME_RSA_SHA1] = { "rsa-sha1", IKE_PKEY_RSA, IKE_HASH_SHA1, false },
};

/* Methods that say all by themselves: the curve, and with it the hash (RFC 4754 section 3). */
static const struct fixed {
	uint8_t method;
	enum ike_scheme scheme;
	unsigned int bits; /* of the curve; 0: RSA */
} fixed[] = {
	{ IKE_AUTH_METHOD_RSA, IKE_SCHEME_RSA_SHA1, 0 },
	{ IKE_AUTH_METHOD_ECDSA_256, IKE_SCHEME_ECDSA_SHA2_256, 256 },
	{ IKE_AUTH_METHOD_ECDSA_384, IKE_SCHEME_ECDSA_SHA2_384, 384 },
	{ IKE_AUTH_METHOD_ECDSA_521, IKE_SCHEME_ECDSA_SHA2_512, 521 },
};

enum {
	FIXED = sizeof(fixed) / sizeof(fixed[0])
};

const char *ike_scheme_name(enum ike_scheme s)
{
	return schemes[s].name;
}

enum ike_pkey_kind ike_scheme_kind(enum ike_scheme s)
{
	return schemes[s].kind;
}

enum ike_hash ike_scheme_hash(enum ike_scheme s)
{
	return schemes[s].hash;
}

bool ike_scheme_is_pss(enum ike_scheme s)
{
	return schemes[s].pss;
}

void ike_scheme_set_text(struct ike_text *t, ike_scheme_set set)
{
	const char *blank = "";

	for (enum ike_scheme s = 0; s < IKE_SCHEMES; s++) {
		if (!(set & 1u << s))
			continue;
		ike_text_add(t, "%s%s", blank, schemes[s].name);
		blank = " ";
	}
}

void ike_hashes_put(struct ike_writer *w, ike_hash_set set)
{
	for (unsigned int i = 1; i < 8 * sizeof(set); i++)
		if (set & 1u << i)
			ike_put16(w, i);
}

bool ike_hashes_get(struct ike_bytes data, ike_hash_set *set, struct ike_error *err)
{
	struct ike_cursor c = ike_cursor(data);

	*set = 0;
	if (data.len % 2)
		return ike_fail_notify(err, IKE_NOTIFY_INVALID_SYNTAX,
				       "SIGNATURE_HASH_ALGORITHMS notify: %zu bytes", data.len);
	while (c.rest.len) {
		uint16_t hash = ike_get16(&c);

		if (hash < 8 * sizeof(*set))
			*set |= 1u << hash;
	}
	return true;
}

/* The hash as strong as the key (RFC 5480 section 4, SP 800-57 part 1 table 2). */
static enum ike_hash natural_hash(const struct ike_pkey *key)
{
	if (key->kind == IKE_PKEY_ECDSA)
		return key->bits > 384 ? IKE_HASH_SHA2_512 :
		       key->bits > 256 ? IKE_HASH_SHA2_384 : IKE_HASH_SHA2_256;
	return key->bits > 7680 ? IKE_HASH_SHA2_512 :
	       key->bits > 3072 ? IKE_HASH_SHA2_384 : IKE_HASH_SHA2_256;
}

static bool choose_fixed(const struct ike_pkey *key, ike_scheme_set allowed, uint8_t *method,
			 enum ike_scheme *scheme)
{
	for (size_t i = 0; i < FIXED; i++) {
		const struct fixed *f = &fixed[i];

		if (schemes[f->scheme].kind != key->kind || !(allowed & 1u << f->scheme) ||
		    (f->bits && f->bits != key->bits))
			continue;
		*method = f->method;
		*scheme = f->scheme;
		return true;
	}
	return false;
}

bool ike_signature_choose(const struct ike_pkey *key, ike_hash_set hashes, ike_scheme_set allowed,
			  uint8_t *method, enum ike_scheme *scheme, struct ike_error *err)
{
	enum ike_hash natural = natural_hash(key);
	char text[IKE_PKEY_TEXT_MAX];
	bool found = false;

	if (!hashes)
		return choose_fixed(key, allowed, method, scheme) ||
		       ike_fail(err, "the peer knows no RFC 7427 signatures "
				"(SIGNATURE_HASH_ALGORITHMS), without which our %s key and "
				"configuration allow none", ike_pkey_text(key, text));
	*method = IKE_AUTH_METHOD_SIGNATURE;
	for (enum ike_scheme s = 0; s < IKE_SCHEMES; s++) {
		bool better = !found || (schemes[s].hash == natural &&
					 schemes[*scheme].hash != natural &&
					 schemes[s].pss == schemes[*scheme].pss);

		if (s == IKE_SCHEME_RSA_SHA1 || schemes[s].kind != key->kind ||
		    !(allowed & 1u << s) || !(hashes & 1u << schemes[s].hash) || !better)
			continue;
		*scheme = s;
		found = true;
	}
	return found || ike_fail(err, "none of the peer's hashes (SIGNATURE_HASH_ALGORITHMS) is "
				 "one with which our %s key may sign", ike_pkey_text(key, text));
}

static const EVP_MD *digest(enum ike_hash hash)
{
	switch (hash) {
	case IKE_HASH_SHA1:
		return ike_fetched_md("SHA1");
	case IKE_HASH_SHA2_256:
		return ike_fetched_md("SHA2-256");
	case IKE_HASH_SHA2_384:
		return ike_fetched_md("SHA2-384");
	case IKE_HASH_SHA2_512:
		return ike_fetched_md("SHA2-512");
	default:
		return NULL; /* Ed25519 and Ed448 take the octets themselves */
	}
}

/* RFC 4055 section 3.1: the salt is as long as the hash. */
static bool set_padding(EVP_PKEY_CTX *ctx, const struct scheme *s)
{
	if (s->kind != IKE_PKEY_RSA)
		return true;
	if (!s->pss)
		return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1;
	return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1 &&
	       EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, digest(s->hash)) == 1 &&
	       EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) == 1;
}

static bool sign(const struct ike_pkey *key, const struct scheme *s, struct ike_bytes octets,
		 uint8_t *out, size_t *len)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *pctx;
	bool ok = ctx && EVP_DigestSignInit(ctx, &pctx, digest(s->hash), NULL, key->evp) == 1 &&
		  set_padding(pctx, s) &&
		  EVP_DigestSign(ctx, out, len, octets.p, octets.len) == 1;

	EVP_MD_CTX_free(ctx);
	ERR_clear_error();
	return ok;
}

static bool verify(const struct ike_pkey *key, const struct scheme *s, struct ike_bytes octets,
		   struct ike_bytes bare)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *pctx;
	bool ok = ctx && EVP_DigestVerifyInit(ctx, &pctx, digest(s->hash), NULL, key->evp) == 1 &&
		  set_padding(pctx, s) &&
		  EVP_DigestVerify(ctx, bare.p, bare.len, octets.p, octets.len) == 1;

	EVP_MD_CTX_free(ctx);
	ERR_clear_error();
	return ok;
}

static size_t ecdsa_bytes(const struct ike_pkey *key)
{
	return (key->bits + 7) / 8;
}

/* RFC 4754 section 7: r and s side by side, each as long as the order. */
static bool der_to_flat(const struct ike_pkey *key, struct ike_bytes der, struct ike_writer *w)
{
	const unsigned char *at = der.p;
	ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &at, der.len);
	size_t n = ecdsa_bytes(key);
	uint8_t *room = ike_put_room(w, 2 * n);
	bool ok = sig && room && BN_bn2binpad(ECDSA_SIG_get0_r(sig), room, n) == (int)n &&
		  BN_bn2binpad(ECDSA_SIG_get0_s(sig), room + n, n) == (int)n;

	ECDSA_SIG_free(sig);
	return ok;
}

/* Returns the length of the DER in @der, 0 when @flat is not to the letter. */
static size_t flat_to_der(const struct ike_pkey *key, struct ike_bytes flat,
			  uint8_t der[2 * ECDSA_BYTES_MAX + 16])
{
	size_t n = ecdsa_bytes(key);
	ECDSA_SIG *sig = ECDSA_SIG_new();
	BIGNUM *r, *s;
	unsigned char *at = der;
	int len = 0;

	if (sig && flat.len == 2 * n) {
		r = BN_bin2bn(flat.p, n, NULL);
		s = BN_bin2bn(flat.p + n, n, NULL);
		if (r && s && ECDSA_SIG_set0(sig, r, s) == 1) {
			len = i2d_ECDSA_SIG(sig, &at);
		} else {
			BN_free(r);
			BN_free(s);
		}
	}
	ECDSA_SIG_free(sig);
	return len > 0 ? len : 0;
}

/* RFC 7427 section 3: length of the AlgorithmIdentifier, it, the signature. */
static void put_algorithm_id(struct ike_writer *w, enum ike_scheme scheme)
{
	size_t mark = w->len;

	ike_put8(w, 0);
	ike_algorithm_id_put(w, scheme);
	ike_patch8(w, mark, w->len - mark - 1);
}

bool ike_signature_make(const struct ike_pkey *key, uint8_t method, enum ike_scheme scheme,
			struct ike_bytes octets, struct ike_signature *out, struct ike_error *err)
{
	uint8_t bare[IKE_RSA_BITS_MAX / 8];
	char text[IKE_PKEY_TEXT_MAX];
	size_t len = sizeof(bare);
	struct ike_writer w;
	bool ok;

	ike_writer_init(&w, out->data, sizeof(out->data));
	out->method = method;
	ok = key->has_private && sign(key, &schemes[scheme], octets, bare, &len);
	if (ok && method == IKE_AUTH_METHOD_SIGNATURE)
		put_algorithm_id(&w, scheme);
	if (ok && method != IKE_AUTH_METHOD_SIGNATURE && key->kind == IKE_PKEY_ECDSA)
		ok = der_to_flat(key, ike_bytes(bare, len), &w);
	else if (ok)
		ike_put(&w, ike_bytes(bare, len));
	out->len = w.len;
	return (ok && !w.overflow) ||
	       ike_fail(err, "our %s key could not sign (%s)", ike_pkey_text(key, text),
			schemes[scheme].name);
}

static bool open_rfc7427(struct ike_bytes data, enum ike_scheme *scheme, struct ike_bytes *bare,
			 struct ike_error *err)
{
	struct ike_cursor c = ike_cursor(data);
	char hex[2 * IKE_ALGORITHM_ID_MAX + 1];
	struct ike_bytes der = ike_get(&c, ike_get8(&c));
	struct ike_text t;

	*bare = ike_get_rest(&c);
	if (c.bad || !bare->len)
		return ike_fail_notify(err, IKE_NOTIFY_AUTHENTICATION_FAILED,
				       "AUTH payload: a signature cut short");
	if (ike_algorithm_id_find(der, scheme))
		return true;
	ike_text_init(&t, hex, sizeof(hex));
	ike_text_add_hex(&t, der.p, der.len);
	return ike_fail_notify(err, IKE_NOTIFY_AUTHENTICATION_FAILED,
			       "AUTH payload: no signature algorithm of ours (AlgorithmIdentifier "
			       "%.120s)", hex);
}

bool ike_signature_open(uint8_t method, struct ike_bytes data, enum ike_scheme *scheme,
			struct ike_bytes *bare, struct ike_error *err)
{
	if (method == IKE_AUTH_METHOD_SIGNATURE)
		return open_rfc7427(data, scheme, bare, err);
	for (size_t i = 0; i < FIXED; i++) {
		if (fixed[i].method != method)
			continue;
		*scheme = fixed[i].scheme;
		*bare = data;
		return true;
	}
	return ike_fail_notify(err, IKE_NOTIFY_AUTHENTICATION_FAILED,
			       "AUTH payload: method %u (%s) is no signature", method,
			       ike_auth_method_name(method));
}

/* The curve is part of what methods 9 to 11 say. */
static bool fits_key(const struct ike_pkey *key, uint8_t method, enum ike_scheme scheme)
{
	for (size_t i = 0; i < FIXED; i++)
		if (fixed[i].method == method && fixed[i].bits && fixed[i].bits != key->bits)
			return false;
	return schemes[scheme].kind == key->kind;
}

bool ike_signature_verify(const struct ike_pkey *key, uint8_t method, struct ike_bytes data,
			  struct ike_bytes octets, ike_scheme_set allowed, enum ike_scheme *scheme,
			  struct ike_error *err)
{
	uint8_t der[2 * ECDSA_BYTES_MAX + 16];
	char text[IKE_PKEY_TEXT_MAX], names[120];
	struct ike_bytes bare;
	struct ike_text t;

	if (!ike_signature_open(method, data, scheme, &bare, err))
		return false;
	ike_pkey_text(key, text);
	if (!fits_key(key, method, *scheme))
		return ike_fail_notify(err, IKE_NOTIFY_AUTHENTICATION_FAILED,
				       "a signature by %s (method %u), but the key is %s",
				       schemes[*scheme].name, method, text);
	ike_text_init(&t, names, sizeof(names));
	ike_scheme_set_text(&t, allowed);
	if (!(allowed & 1u << *scheme))
		return ike_fail_notify(err, IKE_NOTIFY_AUTHENTICATION_FAILED,
				       "a signature by %s, but remote.auth allows %s",
				       schemes[*scheme].name, names);
	if (method != IKE_AUTH_METHOD_SIGNATURE && key->kind == IKE_PKEY_ECDSA)
		bare = ike_bytes(der, flat_to_der(key, bare, der));
	return (bare.len && verify(key, &schemes[*scheme], octets, bare)) ||
	       ike_fail_notify(err, IKE_NOTIFY_AUTHENTICATION_FAILED,
			       "its signature by %s does not fit its %s key",
			       schemes[*scheme].name, text);
}
