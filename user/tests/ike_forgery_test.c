// SPDX-License-Identifier: MIT
/*
 * Signatures that somebody with a lax verifier in mind would make: around a hash that is right, but
 * with padding, DER, salts, lengths or numbers that are not to the letter (the classes of
 * CVE-2026-50721 and -50722, CVE-2021-41990, and of Bleichenbacher's forgery). To make them the key
 * itself is used: nothing but the form is wrong, and the right form is seen to pass.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "ikev2/crypto/algorithm_id.h"
#include "ikev2/crypto/signature.h"
#include "ikev2/wire/wire.h"

enum {
	RSA_BYTES = 256,
	HASH_BYTES = 32,
	P256_BYTES = 32,
	DER_MAX = 160,
};

static const uint8_t octets[] = "octets to be signed";

/* RFC 8017 section 9.2 note 1: DigestInfo of SHA-256 before the hash. */
static const uint8_t digest_info[] = {0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
				      0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20};
/* The same without the NULL that stands for no parameters. */
static const uint8_t without_null[] = {0x30, 0x2f, 0x30, 0x0b, 0x06, 0x09, 0x60, 0x86, 0x48,
				       0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x04, 0x20};
/* And of SHA-1. */
static const uint8_t sha1_info[] = {0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e,
				    0x03, 0x02, 0x1a, 0x05, 0x00, 0x04, 0x14};

static struct ike_pkey *generate(const char *type, const char *how)
{
	struct ike_error err;
	EVP_PKEY *evp = !strcmp(type, "RSA") ? EVP_PKEY_Q_keygen(NULL, NULL, type, (size_t)2048)
					     : EVP_PKEY_Q_keygen(NULL, NULL, type, how);
	struct ike_pkey *k = ike_pkey_new(evp, true, &err);

	assert_non_null(k);
	return k;
}

/* Is @bare, under the AlgorithmIdentifier of @scheme, taken for the key's signature? */
static bool passes(const struct ike_pkey *k, enum ike_scheme scheme, struct ike_bytes bare)
{
	uint8_t *data = malloc(1 + IKE_ALGORITHM_ID_MAX + bare.len);
	enum ike_scheme got;
	struct ike_writer w;
	struct ike_error err = {0};
	bool ok;

	ike_writer_init(&w, data, 1 + IKE_ALGORITHM_ID_MAX + bare.len);
	ike_put8(&w, 0);
	ike_algorithm_id_put(&w, scheme);
	ike_patch8(&w, 0, w.len - 1);
	ike_put(&w, bare);
	assert_false(w.overflow);
	/* In a buffer of its own length, so that reading past its end is seen. */
	data = realloc(data, w.len);
	ok = ike_signature_verify(k, IKE_AUTH_METHOD_SIGNATURE, ike_bytes(data, w.len),
				  ike_bytes(octets, sizeof(octets)), IKE_SCHEMES_ALL, &got, &err);
	if (!ok)
		assert_int_equal(err.notify, IKE_NOTIFY_AUTHENTICATION_FAILED);
	free(data);
	return ok;
}

/* RSA, PKCS#1 v1.5 */

static void raw_rsa(const struct ike_pkey *k, const uint8_t em[RSA_BYTES], uint8_t out[RSA_BYTES])
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(k->evp, NULL);
	size_t len = RSA_BYTES;

	assert_int_equal(EVP_PKEY_sign_init(ctx), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_NO_PADDING), 1);
	assert_int_equal(EVP_PKEY_sign(ctx, out, &len, em, RSA_BYTES), 1);
	assert_int_equal(len, RSA_BYTES);
	EVP_PKEY_CTX_free(ctx);
}

static void hash_of(const EVP_MD *md, uint8_t *out)
{
	assert_int_equal(EVP_Digest(octets, sizeof(octets), out, NULL, md, NULL), 1);
}

/* 00 01 FF... 00, @info, @hash, and @behind bytes of what should not be there. */
static void encode(uint8_t em[RSA_BYTES], struct ike_bytes info, struct ike_bytes hash,
		   size_t behind)
{
	size_t pad = RSA_BYTES - 3 - info.len - hash.len - behind;

	memset(em, 0x5a, RSA_BYTES);
	em[0] = 0;
	em[1] = 1;
	memset(em + 2, 0xff, pad);
	em[2 + pad] = 0;
	memcpy(em + 3 + pad, info.p, info.len);
	memcpy(em + 3 + pad + info.len, hash.p, hash.len);
}

static bool em_passes(const struct ike_pkey *k, const uint8_t em[RSA_BYTES])
{
	uint8_t signature[RSA_BYTES];

	raw_rsa(k, em, signature);
	return passes(k, IKE_SCHEME_RSA_SHA2_256, ike_bytes(signature, sizeof(signature)));
}

static void test_rsa_padding(void **state)
{
	struct ike_pkey *k = generate("RSA", NULL);
	struct ike_bytes info = ike_bytes(digest_info, sizeof(digest_info));
	uint8_t em[RSA_BYTES], hash[HASH_BYTES], sha1[20];
	struct ike_bytes whole = ike_bytes(hash, sizeof(hash));

	hash_of(EVP_sha256(), hash);
	hash_of(EVP_sha1(), sha1);
	encode(em, info, whole, 0);
	assert_true(em_passes(k, em));
	/* Bleichenbacher: little padding, and room for a cube root behind the hash. */
	for (size_t behind = 1; behind <= RSA_BYTES - 3 - 51 - 8; behind += 7) {
		encode(em, info, whole, behind);
		assert_false(em_passes(k, em));
	}
	/* Each byte of padding and DigestInfo other than it has to be. */
	for (size_t i = 1; i < RSA_BYTES - HASH_BYTES; i++) {
		encode(em, info, whole, 0);
		em[i] ^= 1;
		assert_false(em_passes(k, em));
	}
	/* The hash cut short (Libreswan's truncate_signed_hash), with the length to match. */
	for (size_t len = 0; len < HASH_BYTES; len++) {
		encode(em, info, ike_bytes(hash, len), 0);
		em[RSA_BYTES - len - 1] = len;
		assert_false(em_passes(k, em));
	}
	/* Another hash than the AlgorithmIdentifier says, alone or under its own name. */
	encode(em, ike_bytes(sha1_info, sizeof(sha1_info)), ike_bytes(sha1, sizeof(sha1)), 0);
	assert_false(em_passes(k, em));
	encode(em, ike_bytes(digest_info, 0), whole, 0);
	assert_false(em_passes(k, em));
	/* RFC 8017 appendix A.2.4: with the NULL. One encoding only. */
	encode(em, ike_bytes(without_null, sizeof(without_null)), whole, 0);
	assert_false(em_passes(k, em));
	ike_pkey_unref(k);
}

/* Numbers that are no signature of anything: 0, 1, and those not below the modulus. */
static void test_rsa_numbers(void **state)
{
	struct ike_pkey *k = generate("RSA", NULL);
	uint8_t em[RSA_BYTES], hash[HASH_BYTES], good[RSA_BYTES], bad[RSA_BYTES + 1] = {0};
	BIGNUM *n = NULL, *s;

	hash_of(EVP_sha256(), hash);
	encode(em, ike_bytes(digest_info, sizeof(digest_info)), ike_bytes(hash, sizeof(hash)), 0);
	raw_rsa(k, em, good);
	assert_true(passes(k, IKE_SCHEME_RSA_SHA2_256, ike_bytes(good, RSA_BYTES)));
	for (size_t len = 0; len <= RSA_BYTES; len += 32)
		assert_false(passes(k, IKE_SCHEME_RSA_SHA2_256, ike_bytes(bad, len)));
	bad[RSA_BYTES - 1] = 1;
	assert_false(passes(k, IKE_SCHEME_RSA_SHA2_256, ike_bytes(bad, RSA_BYTES)));
	memset(bad, 0xff, RSA_BYTES);
	assert_false(passes(k, IKE_SCHEME_RSA_SHA2_256, ike_bytes(bad, RSA_BYTES)));
	/* The same modulo n, one modulus higher, in one byte more. */
	assert_int_equal(EVP_PKEY_get_bn_param(k->evp, "n", &n), 1);
	s = BN_bin2bn(good, RSA_BYTES, NULL);
	assert_int_equal(BN_add(s, s, n), 1);
	assert_int_equal(BN_bn2binpad(s, bad, sizeof(bad)), sizeof(bad));
	assert_false(passes(k, IKE_SCHEME_RSA_SHA2_256, ike_bytes(bad, sizeof(bad))));
	if (!bad[0])
		assert_false(passes(k, IKE_SCHEME_RSA_SHA2_256, ike_bytes(bad + 1, RSA_BYTES)));
	/* With zeros in front, and cut at either end. */
	bad[0] = 0;
	memcpy(bad + 1, good, RSA_BYTES);
	assert_false(passes(k, IKE_SCHEME_RSA_SHA2_256, ike_bytes(bad, sizeof(bad))));
	assert_false(passes(k, IKE_SCHEME_RSA_SHA2_256, ike_bytes(good, RSA_BYTES - 1)));
	assert_false(passes(k, IKE_SCHEME_RSA_SHA2_256, ike_bytes(good + 1, RSA_BYTES - 1)));
	BN_free(s);
	BN_free(n);
	ike_pkey_unref(k);
}

/* RSA, PSS */

static bool pss_passes(const struct ike_pkey *k, int salt, const EVP_MD *mgf1)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t signature[RSA_BYTES];
	size_t len = sizeof(signature);
	EVP_PKEY_CTX *pctx;
	bool ok;

	assert_int_equal(EVP_DigestSignInit(ctx, &pctx, EVP_sha256(), NULL, k->evp), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_mgf1_md(pctx, mgf1), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, salt), 1);
	assert_int_equal(EVP_DigestSign(ctx, signature, &len, octets, sizeof(octets)), 1);
	ok = passes(k, IKE_SCHEME_PSS_SHA2_256, ike_bytes(signature, len));
	EVP_MD_CTX_free(ctx);
	return ok;
}

/* RFC 4055 section 3.1 and RFC 8247 section 3.2: as long as the hash; the same hash in MGF1. */
static void test_pss_salts(void **state)
{
	static const int salts[] = {0, 1, 20, 31, 33, 48, 64, RSA_BYTES - HASH_BYTES - 2};
	struct ike_pkey *k = generate("RSA", NULL);

	assert_true(pss_passes(k, HASH_BYTES, EVP_sha256()));
	for (size_t i = 0; i < sizeof(salts) / sizeof(salts[0]); i++)
		assert_false(pss_passes(k, salts[i], EVP_sha256()));
	assert_false(pss_passes(k, HASH_BYTES, EVP_sha1()));
	assert_false(pss_passes(k, HASH_BYTES, EVP_sha384()));
	ike_pkey_unref(k);
}

/* ECDSA */

static size_t ecdsa(const struct ike_pkey *k, uint8_t der[DER_MAX])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	size_t len = DER_MAX;

	assert_int_equal(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, k->evp), 1);
	assert_int_equal(EVP_DigestSign(ctx, der, &len, octets, sizeof(octets)), 1);
	EVP_MD_CTX_free(ctx);
	return len;
}

/* An INTEGER of @extra zeros too many in front, negative without the one it may need. */
static size_t put_integer(uint8_t *at, const BIGNUM *n, int extra)
{
	size_t len = BN_num_bytes(n), lead = (BN_num_bits(n) % 8 == 0) + extra;

	at[0] = 0x02;
	at[1] = lead + len;
	memset(at + 2, 0, lead);
	BN_bn2bin(n, at + 2 + lead);
	return 2 + lead + len;
}

struct form {
	int r_extra, s_extra; /* zeros too many in front */
	size_t behind;	      /* bytes behind it */
	size_t inside;	      /* bytes behind it that its length covers */
	bool long_length;     /* 0x81 and the length */
	uint8_t tag;	      /* 0: SEQUENCE */
};

static bool der_passes(const struct ike_pkey *k, const BIGNUM *r, const BIGNUM *s,
		       const struct form *f)
{
	uint8_t body[DER_MAX] = {0}, der[DER_MAX] = {0};
	size_t len = put_integer(body, r, f->r_extra), head = 0;

	len += put_integer(body + len, s, f->s_extra) + f->inside;
	der[head++] = f->tag ? f->tag : 0x30;
	if (f->long_length)
		der[head++] = 0x81;
	der[head++] = len;
	memcpy(der + head, body, len);
	return passes(k, IKE_SCHEME_ECDSA_SHA2_256, ike_bytes(der, head + len + f->behind));
}

static void test_ecdsa_der(void **state)
{
	static const struct form good = {0}, forms[] = {
		{.behind = 1}, {.behind = 16},	    {.inside = 1},    {.inside = 2},
		{.r_extra = 1}, {.s_extra = 1},	    {.r_extra = 8},   {.long_length = true},
		{.tag = 0x31},	{.tag = 0x70},
	};
	struct ike_pkey *k = generate("EC", "P-256");
	uint8_t der[DER_MAX];
	size_t len;

	for (unsigned int round = 0; round < 16; round++) {
		const uint8_t *at = der;
		ECDSA_SIG *sig;
		const BIGNUM *r, *s;

		len = ecdsa(k, der);
		sig = d2i_ECDSA_SIG(NULL, &at, len);
		r = ECDSA_SIG_get0_r(sig);
		s = ECDSA_SIG_get0_s(sig);
		assert_true(der_passes(k, r, s, &good));
		assert_false(der_passes(k, s, r, &good));
		for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
			assert_false(der_passes(k, r, s, &forms[i]));
		/* Negative: the zero that a high bit needs is missing. */
		if (BN_num_bits(r) % 8 == 0)
			assert_false(der_passes(k, r, s, &(struct form){.r_extra = -1}));
		if (BN_num_bits(s) % 8 == 0)
			assert_false(der_passes(k, r, s, &(struct form){.s_extra = -1}));
		for (size_t cut = 0; cut < len; cut++)
			assert_false(passes(k, IKE_SCHEME_ECDSA_SHA2_256, ike_bytes(der, cut)));
		ECDSA_SIG_free(sig);
	}
	ike_pkey_unref(k);
}

/* CVE-2022-21449's class and its neighbours: r and s of 0, of the order, above it. */
static void test_ecdsa_numbers(void **state)
{
	struct ike_pkey *k = generate("EC", "P-256");
	EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
	const BIGNUM *order = EC_GROUP_get0_order(group);
	BIGNUM *numbers[] = {BN_new(), BN_new(), BN_dup(order), BN_dup(order), BN_new()};
	static const struct form form = {0};
	uint8_t der[DER_MAX], flat[2 * P256_BYTES];
	const uint8_t *at = der;
	enum ike_scheme scheme;
	ECDSA_SIG *sig;

	ecdsa(k, der);
	sig = d2i_ECDSA_SIG(NULL, &at, sizeof(der));
	BN_one(numbers[1]);
	BN_add_word(numbers[3], 1);
	BN_add(numbers[4], ECDSA_SIG_get0_r(sig), order); /* r, once around */
	for (size_t i = 0; i < 5; i++) {
		assert_false(der_passes(k, numbers[i], ECDSA_SIG_get0_s(sig), &form));
		assert_false(der_passes(k, ECDSA_SIG_get0_r(sig), numbers[i], &form));
		for (size_t n = 0; n < 4; n++) {
			assert_false(der_passes(k, numbers[i], numbers[n], &form));
			/* As RFC 4754 has it, method 9. */
			if (i == 4)
				continue;
			BN_bn2binpad(numbers[i], flat, P256_BYTES);
			BN_bn2binpad(numbers[n], flat + P256_BYTES, P256_BYTES);
			for (size_t len = 0; len <= sizeof(flat); len += 8)
				assert_false(ike_signature_verify(
					k, IKE_AUTH_METHOD_ECDSA_256, ike_bytes(flat, len),
					ike_bytes(octets, sizeof(octets)), IKE_SCHEMES_ALL,
					&scheme, NULL));
		}
	}
	for (size_t i = 0; i < 5; i++)
		BN_free(numbers[i]);
	ECDSA_SIG_free(sig);
	EC_GROUP_free(group);
	ike_pkey_unref(k);
}

/* A good signature under the name of another algorithm, or another hash. */
static void test_wrong_hash(void **state)
{
	struct ike_pkey *keys[] = {generate("RSA", NULL), generate("EC", "P-256"),
				   generate("ED25519", NULL)};
	static const enum ike_scheme made[] = {IKE_SCHEME_RSA_SHA2_256, IKE_SCHEME_ECDSA_SHA2_256,
					       IKE_SCHEME_ED25519};
	static struct ike_signature out;

	for (size_t i = 0; i < 3; i++) {
		size_t id;

		assert_true(ike_signature_make(keys[i], IKE_AUTH_METHOD_SIGNATURE, made[i],
					       ike_bytes(octets, sizeof(octets)), &out, NULL));
		id = 1 + out.data[0];
		for (enum ike_scheme s = 0; s < IKE_SCHEME_RSA_SHA1; s++)
			assert_int_equal(passes(keys[i], s,
						ike_bytes(out.data + id, out.len - id)),
					 s == made[i]);
	}
	for (size_t i = 0; i < 3; i++)
		ike_pkey_unref(keys[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rsa_padding),
		cmocka_unit_test(test_rsa_numbers),
		cmocka_unit_test(test_pss_salts),
		cmocka_unit_test(test_ecdsa_der),
		cmocka_unit_test(test_ecdsa_numbers),
		cmocka_unit_test(test_wrong_hash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
