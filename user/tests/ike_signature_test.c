// SPDX-License-Identifier: MIT
/*
 * Signatures of AUTH payloads: published answers for each kind of key, each form both ways, and all
 * that must be refused - bad AlgorithmIdentifiers, trailing bytes, other hashes, weak keys.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/crypto.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "ikev2/crypto/algorithm_id.h"
#include "ikev2/wire/wire.h"
#include "tests/vectors.h"

static const char *const curves[] = {"P-256", "P-384", "P-521"};
static const unsigned int curve_bits[] = {256, 384, 521};

static EVP_PKEY *from_params(const char *type, OSSL_PARAM_BLD *bld)
{
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(bld);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY *evp = NULL;

	assert_int_equal(EVP_PKEY_fromdata_init(ctx), 1);
	assert_int_equal(EVP_PKEY_fromdata(ctx, &evp, EVP_PKEY_PUBLIC_KEY, params), 1);
	EVP_PKEY_CTX_free(ctx);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(bld);
	return evp;
}

static EVP_PKEY *rsa_public(struct ike_bytes n, struct ike_bytes e)
{
	OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	BIGNUM *bn_n = BN_bin2bn(n.p, n.len, NULL), *bn_e = BN_bin2bn(e.p, e.len, NULL);
	EVP_PKEY *evp;

	OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_N, bn_n);
	OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_E, bn_e);
	evp = from_params("RSA", bld);
	BN_free(bn_n);
	BN_free(bn_e);
	return evp;
}

static struct ike_pkey *rsa_key(struct vectors *v)
{
	struct ike_pkey *k =
		ike_pkey_new(rsa_public(vector(v, "rsa.n"), vector(v, "rsa.e")), false, NULL);

	assert_non_null(k);
	return k;
}

static struct ike_pkey *ecdsa_key(struct vectors *v, unsigned int i)
{
	struct ike_bytes xy = vector(v, "ecdsa%u.public", curve_bits[i]);
	OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	uint8_t point[1 + 2 * 66] = {POINT_CONVERSION_UNCOMPRESSED};
	struct ike_pkey *k;

	memcpy(point + 1, xy.p, xy.len);
	OSSL_PARAM_BLD_push_utf8_string(bld, OSSL_PKEY_PARAM_GROUP_NAME, curves[i], 0);
	OSSL_PARAM_BLD_push_octet_string(bld, OSSL_PKEY_PARAM_PUB_KEY, point, 1 + xy.len);
	k = ike_pkey_new(from_params("EC", bld), false, NULL);
	assert_non_null(k);
	return k;
}

static struct ike_pkey *ed_key(struct vectors *v, const char *name)
{
	int type = strcmp(name, "ed448") ? EVP_PKEY_ED25519 : EVP_PKEY_ED448;
	struct ike_bytes raw = vector(v, "%s.private", name);
	struct ike_pkey *k = ike_pkey_new(
		EVP_PKEY_new_raw_private_key(type, NULL, raw.p, raw.len), true, NULL);

	assert_non_null(k);
	return k;
}

/* RFC 7427 section 3: a length, the AlgorithmIdentifier, the signature. */
static struct ike_bytes wrap(struct ike_bytes id, struct ike_bytes bare)
{
	uint8_t *p = malloc(1 + id.len + bare.len);

	p[0] = id.len;
	memcpy(p + 1, id.p, id.len);
	memcpy(p + 1 + id.len, bare.p, bare.len);
	return ike_bytes(p, 1 + id.len + bare.len);
}

static bool check(const struct ike_pkey *k, uint8_t method, struct ike_bytes data,
		  struct ike_bytes octets, ike_scheme_set allowed, struct ike_error *err)
{
	uint8_t *copy = exact(data.p, data.len);
	enum ike_scheme scheme;
	bool ok = ike_signature_verify(k, method, ike_bytes(copy, data.len), octets, allowed,
				       &scheme, err);

	free(copy);
	return ok;
}

/* @data is good; with any one bit of @data or of @octets changed it is not. */
static void known(const struct ike_pkey *k, uint8_t method, struct ike_bytes data,
		  struct ike_bytes octets)
{
	uint8_t *copy = exact(data.p, data.len), *text = exact(octets.p, octets.len);
	struct ike_error err = {0};

	assert_true(check(k, method, data, octets, IKE_SCHEMES_ALL, &err));
	for (size_t i = 0; i < data.len; i += 1 + data.len / 64) {
		copy[i] ^= 1 << i % 8;
		assert_false(check(k, method, ike_bytes(copy, data.len), octets, IKE_SCHEMES_ALL,
				   &err));
		assert_int_equal(err.notify, IKE_NOTIFY_AUTHENTICATION_FAILED);
		copy[i] ^= 1 << i % 8;
	}
	text[0] ^= 1;
	assert_false(check(k, method, data, ike_bytes(text, octets.len), IKE_SCHEMES_ALL, &err));
	for (size_t i = 0; i < data.len; i += 1 + data.len / 16)
		assert_false(check(k, method, ike_bytes(copy, i), octets, IKE_SCHEMES_ALL, NULL));
	free(copy);
	free(text);
}

static void test_known_rsa(void **state)
{
	struct vectors *v = vectors_load("signature.json");
	struct ike_pkey *k = rsa_key(v);
	struct ike_bytes one = wrap(vector(v, "rsa-sha256.id"), vector(v, "rsa.signature")),
			 pss = wrap(vector(v, "rsa/pss-sha384.id"), vector(v, "pss.signature")),
			 wrong = wrap(vector(v, "rsa/pss-sha256.id"), vector(v, "pss.signature"));

	known(k, IKE_AUTH_METHOD_SIGNATURE, one, vector(v, "rsa.octets"));
	known(k, IKE_AUTH_METHOD_SIGNATURE, pss, vector(v, "pss.octets"));
	assert_false(check(k, IKE_AUTH_METHOD_SIGNATURE, wrong, vector(v, "pss.octets"),
			   IKE_SCHEMES_ALL, NULL));
	free((void *)one.p);
	free((void *)pss.p);
	free((void *)wrong.p);
	ike_pkey_unref(k);
	vectors_free(v);
}

/* RFC 4754 section 7: methods 9 to 11 have r and s side by side, and no other curve. */
static void test_known_ecdsa(void **state)
{
	struct vectors *v = vectors_load("signature.json");
	struct ike_error err;

	for (unsigned int i = 0; i < 3; i++) {
		struct ike_pkey *k = ecdsa_key(v, i), *other = ecdsa_key(v, (i + 1) % 3);
		struct ike_bytes sig = vector(v, "ecdsa%u.signature", curve_bits[i]);

		known(k, IKE_AUTH_METHOD_ECDSA_256 + i, sig, vector(v, "ecdsa.octets"));
		assert_false(check(other, IKE_AUTH_METHOD_ECDSA_256 + i, sig,
				   vector(v, "ecdsa.octets"), IKE_SCHEMES_ALL, &err));
		assert_non_null(strstr(err.text, "but the key is ECDSA-P-"));
		ike_pkey_unref(k);
		ike_pkey_unref(other);
	}
	vectors_free(v);
}

/* EdDSA is deterministic: what we sign must be what the document has. */
static void test_known_eddsa(void **state)
{
	static const char *const names[] = {"ed25519", "ed448"};
	struct vectors *v = vectors_load("signature.json");
	struct ike_signature made;
	enum ike_scheme scheme;
	uint8_t method;

	for (unsigned int i = 0; i < 2; i++) {
		struct ike_pkey *k = ed_key(v, names[i]);
		struct ike_bytes want = wrap(vector(v, "%s.id", names[i]),
					     vector(v, "%s.signature", names[i]));
		struct ike_bytes octets = vector(v, "%s.octets", names[i]);

		known(k, IKE_AUTH_METHOD_SIGNATURE, want, octets);
		assert_true(ike_signature_choose(k, IKE_HASHES_ALL, IKE_SCHEMES_ALL, &method,
						 &scheme, NULL));
		assert_string_equal(ike_scheme_name(scheme), names[i]);
		assert_true(ike_signature_make(k, method, scheme, octets, &made, NULL));
		assert_int_equal(made.method, IKE_AUTH_METHOD_SIGNATURE);
		assert_bytes(ike_bytes(made.data, made.len), want);
		free((void *)want.p);
		ike_pkey_unref(k);
	}
	vectors_free(v);
}

static void test_algorithm_ids(void **state)
{
	struct vectors *v = vectors_load("signature.json");
	uint8_t buf[IKE_ALGORITHM_ID_MAX + 1];
	struct ike_writer w;
	enum ike_scheme found;

	for (enum ike_scheme s = 0; s < IKE_SCHEMES; s++) {
		struct ike_bytes want;

		if (s == IKE_SCHEME_RSA_SHA1)
			continue;
		want = vector(v, "%s.id", ike_scheme_name(s));
		ike_writer_init(&w, buf, sizeof(buf));
		ike_algorithm_id_put(&w, s);
		assert_bytes(ike_written(&w), want);
		assert_true(ike_algorithm_id_find(want, &found));
		assert_int_equal(found, s);
		/* Any other byte anywhere, one less, one more: another algorithm or none. */
		for (size_t i = 0; i < want.len; i++) {
			memcpy(buf, want.p, want.len);
			buf[i] ^= 0x40;
			assert_false(ike_algorithm_id_find(ike_bytes(buf, want.len), &found));
			assert_false(ike_algorithm_id_find(ike_bytes(want.p, i), &found));
		}
		memcpy(buf, want.p, want.len);
		buf[want.len] = 0;
		assert_false(ike_algorithm_id_find(ike_bytes(buf, want.len + 1), &found));
	}
	vectors_free(v);
}

/* What RFC 4055 wants to be understood although nobody should write it. */
static void test_lenient_ids(void **state)
{
	static const struct {
		const char *der;
		enum ike_scheme scheme;
	} good[] = {
		/* without NULL (RFC 4055 section 2.1) */
		{"300b06092a864886f70d01010b", IKE_SCHEME_RSA_SHA2_256},
		{"303d06092a864886f70d01010a3030a00d300b0609608648016503040201a11a301806092a864886"
		 "f70d010108300b0609608648016503040201a203020120",
		 IKE_SCHEME_PSS_SHA2_256},
		/* the trailer field written out, as RFC 7427 appendix A.4.3 has it */
		{"304606092a864886f70d01010a3039a00f300d06096086480165030402010500a11c301a06092a86"
		 "4886f70d010108300d06096086480165030402010500a203020120a303020101",
		 IKE_SCHEME_PSS_SHA2_256},
	};
	static const char *const bad[] = {
		"300d06092a864886f70d0101050500",   /* SHA-1: not in what we tell of */
		"300d06092a864886f70d01010a3000",   /* PSS with its defaults: SHA-1 */
		"30810d06092a864886f70d01010b0500", /* a length in two bytes: BER */
		/* SHA-256, but MGF1 with SHA-384 */
		"304106092a864886f70d01010a3034a00f300d06096086480165030402010500a11c301a06092a86"
		"4886f70d010108300d06096086480165030402020500a203020120",
		/* a salt of 20; one of -1 */
		"304106092a864886f70d01010a3034a00f300d06096086480165030402010500a11c301a06092a86"
		"4886f70d010108300d06096086480165030402010500a203020114",
		"304106092a864886f70d01010a3034a00f300d06096086480165030402010500a11c301a06092a86"
		"4886f70d010108300d06096086480165030402010500a2030201ff",
		"",
	};
	enum ike_scheme found;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct ike_bytes der = hex(good[i].der);

		assert_true(ike_algorithm_id_find(der, &found));
		assert_int_equal(found, good[i].scheme);
		free((void *)der.p);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct ike_bytes der = hex(bad[i]);

		assert_false(ike_algorithm_id_find(der, &found));
		free((void *)der.p);
	}
}

static struct ike_pkey *generate(const char *type, const char *how)
{
	EVP_PKEY *evp = how && !strcmp(type, "RSA") ? EVP_PKEY_Q_keygen(NULL, NULL, type,
								      (size_t)atoi(how)) :
			how ? EVP_PKEY_Q_keygen(NULL, NULL, type, how) :
			      EVP_PKEY_Q_keygen(NULL, NULL, type);
	struct ike_pkey *k = ike_pkey_new(evp, true, NULL);

	assert_non_null(k);
	return k;
}

/* Each scheme of each kind of key, as we sign and as we verify; nobody else's key fits. */
static void test_round_trips(void **state)
{
	struct ike_pkey *keys[] = {generate("RSA", "2048"),  generate("EC", "P-256"),
				   generate("EC", "P-384"),  generate("EC", "P-521"),
				   generate("ED25519", NULL), generate("ED448", NULL)};
	struct ike_pkey *others[] = {generate("RSA", "2048"),  generate("EC", "P-256"),
				     generate("EC", "P-384"),  generate("EC", "P-521"),
				     generate("ED25519", NULL), generate("ED448", NULL)};
	struct ike_bytes octets = ike_bytes("octets to be signed", 19);
	static struct ike_signature made;
	struct ike_error err = {0};

	for (size_t i = 0; i < 6; i++) {
		for (enum ike_scheme s = 0; s < IKE_SCHEMES; s++) {
			enum ike_scheme chosen;
			ike_hash_set hashes = s == IKE_SCHEME_RSA_SHA1 ? 0 : IKE_HASHES_ALL;
			uint8_t method;

			if (ike_scheme_kind(s) != keys[i]->kind)
				continue;
			assert_true(ike_signature_choose(keys[i], hashes, 1u << s, &method,
							 &chosen, &err));
			assert_int_equal(chosen, s);
			assert_int_equal(method, hashes ? IKE_AUTH_METHOD_SIGNATURE :
							  IKE_AUTH_METHOD_RSA);
			assert_true(ike_signature_make(keys[i], method, s, octets, &made, &err));
			assert_true(check(keys[i], method, ike_bytes(made.data, made.len), octets,
					  1u << s, &err));
			assert_false(check(others[i], method, ike_bytes(made.data, made.len),
					   octets, 1u << s, &err));
			assert_false(check(keys[i], method, ike_bytes(made.data, made.len), octets,
					   IKE_SCHEMES_ALL & ~(1u << s), &err));
			assert_non_null(strstr(err.text, "remote.auth allows"));
			/* One byte more is another signature. */
			made.data[made.len] = 0;
			assert_false(check(keys[i], method, ike_bytes(made.data, made.len + 1),
					   octets, 1u << s, NULL));
		}
	}
	for (size_t i = 0; i < 6; i++) {
		ike_pkey_unref(keys[i]);
		ike_pkey_unref(others[i]);
	}
}

/* What is signed with for a peer that tells of these hashes. */
static void test_choice(void **state)
{
	static const struct {
		const char *type, *how;
		ike_hash_set hashes;
		ike_scheme_set allowed;
		uint8_t method;
		int scheme; /* -1: none */
	} cases[] = {
		{"RSA", "2048", IKE_HASHES_ALL, IKE_SCHEMES_ALL, 14, IKE_SCHEME_RSA_SHA2_256},
		{"RSA", "2048", 1 << IKE_HASH_SHA2_512, IKE_SCHEMES_ALL, 14,
		 IKE_SCHEME_RSA_SHA2_512},
		{"RSA", "2048", IKE_HASHES_ALL, 1 << IKE_SCHEME_PSS_SHA2_384, 14,
		 IKE_SCHEME_PSS_SHA2_384},
		{"RSA", "2048", 0, IKE_SCHEMES_ALL, 1, IKE_SCHEME_RSA_SHA1},
		/* Not with SHA-1 beside RFC 7427, and not at all when the configuration says so. */
		{"RSA", "2048", 1 << IKE_HASH_SHA1, IKE_SCHEMES_ALL, 14, -1},
		{"RSA", "2048", 0, 1 << IKE_SCHEME_RSA_SHA2_256, 14, -1},
		{"EC", "P-256", IKE_HASHES_ALL, IKE_SCHEMES_ALL, 14, IKE_SCHEME_ECDSA_SHA2_256},
		{"EC", "P-384", IKE_HASHES_ALL, IKE_SCHEMES_ALL, 14, IKE_SCHEME_ECDSA_SHA2_384},
		{"EC", "P-521", IKE_HASHES_ALL, IKE_SCHEMES_ALL, 14, IKE_SCHEME_ECDSA_SHA2_512},
		{"EC", "P-521", 1 << IKE_HASH_SHA2_256, IKE_SCHEMES_ALL, 14,
		 IKE_SCHEME_ECDSA_SHA2_256},
		{"EC", "P-256", 0, IKE_SCHEMES_ALL, 9, IKE_SCHEME_ECDSA_SHA2_256},
		{"EC", "P-384", 0, IKE_SCHEMES_ALL, 10, IKE_SCHEME_ECDSA_SHA2_384},
		{"EC", "P-521", 0, IKE_SCHEMES_ALL, 11, IKE_SCHEME_ECDSA_SHA2_512},
		{"ED25519", NULL, IKE_HASHES_ALL, IKE_SCHEMES_ALL, 14, IKE_SCHEME_ED25519},
		{"ED25519", NULL, 0, IKE_SCHEMES_ALL, 14, -1},
		{"ED448", NULL, 1 << IKE_HASH_SHA2_512, IKE_SCHEMES_ALL, 14, -1},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ike_pkey *k = generate(cases[i].type, cases[i].how);
		struct ike_error err = {0};
		enum ike_scheme scheme;
		uint8_t method;
		bool ok = ike_signature_choose(k, cases[i].hashes, cases[i].allowed, &method,
					       &scheme, &err);

		assert_int_equal(ok, cases[i].scheme >= 0);
		if (ok) {
			assert_int_equal(method, cases[i].method);
			assert_int_equal(scheme, cases[i].scheme);
		} else {
			assert_non_null(strstr(err.text, "SIGNATURE_HASH_ALGORITHMS"));
		}
		ike_pkey_unref(k);
	}
}

static void test_hashes(void **state)
{
	uint8_t buf[32];
	struct ike_writer w;
	struct ike_error err;
	ike_hash_set set;

	/* RFC 7427 section 4: two bytes each. */
	ike_writer_init(&w, buf, sizeof(buf));
	ike_hashes_put(&w, IKE_HASHES_ALL);
	assert_bytes(ike_written(&w), ike_bytes("\0\2\0\3\0\4\0\5", 8));
	assert_true(ike_hashes_get(ike_bytes("\0\1\0\5\377\377\0\2", 8), &set, NULL));
	assert_int_equal(set, 1 << IKE_HASH_SHA1 | 1 << IKE_HASH_IDENTITY | 1 << IKE_HASH_SHA2_256);
	assert_true(ike_hashes_get(ike_bytes(NULL, 0), &set, NULL));
	assert_int_equal(set, 0);
	assert_false(ike_hashes_get(ike_bytes("\0\2\0", 3), &set, &err));
	assert_int_equal(err.notify, IKE_NOTIFY_INVALID_SYNTAX);
}

static void refused_key(EVP_PKEY *evp, const char *why)
{
	struct ike_error err = {0};

	assert_non_null(evp);
	assert_null(ike_pkey_new(evp, false, &err));
	assert_non_null(strstr(err.text, why));
}

/* Exponents of 0, 1, 3, an even one, a huge one; too few bits; other curves; other kinds. */
static void test_weak_keys(void **state)
{
	struct vectors *v = vectors_load("signature.json");
	static const char *const exponents[] = {"01", "03", "010000", "010002",
						"010000000000000001"};
	struct ike_bytes n = vector(v, "rsa.n");

	for (size_t i = 0; i < sizeof(exponents) / sizeof(exponents[0]); i++) {
		struct ike_bytes e = hex(exponents[i]);

		refused_key(rsa_public(n, e), "public exponent");
		free((void *)e.p);
	}
	refused_key(rsa_public(ike_bytes(n.p, 255), vector(v, "rsa.e")), "RSA key of 2040 bits");
	refused_key(EVP_PKEY_Q_keygen(NULL, NULL, "EC", "secp256k1"), "curve secp256k1");
	refused_key(EVP_PKEY_Q_keygen(NULL, NULL, "X25519"), "makes no signatures");
	vectors_free(v);
}

/*
 * Where the host has set OpenSSL's secure heap up, the numbers of a private key that is read lie in
 * it, and are gone from it when the key is.
 */
static void test_private_heap(void **state)
{
	struct ike_pkey *keys[] = {generate("RSA", "2048"), generate("EC", "P-256"),
				   generate("ED25519", NULL), generate("ED448", NULL)};

	for (size_t i = 0; i < 4; i++) {
		BIO *bio = BIO_new(BIO_s_mem());
		size_t before;
		struct ike_pkey *k;
		bool locked;
		char *pem;
		long len;

		PEM_write_bio_PKCS8PrivateKey(bio, keys[i]->evp, NULL, NULL, 0, NULL, NULL);
		len = BIO_get_mem_data(bio, &pem);
		before = CRYPTO_secure_used();
		k = ike_pkey_read_private(ike_bytes(pem, len), NULL, &locked, NULL);
		assert_non_null(k);
		assert_true(ike_pkey_equal(k, keys[i]));
		/* RSA: d, p, q and three more; the others one number. */
		assert_true(CRYPTO_secure_used() >= before + (i ? 32 : 6 * 128));
		ike_pkey_unref(k);
		assert_int_equal(CRYPTO_secure_used(), before);
		BIO_free(bio);
		ike_pkey_unref(keys[i]);
	}
}

static int secure_heap(void **state)
{
	return !CRYPTO_secure_malloc_init(1 << 20, 32);
}

static void test_spki(void **state)
{
	struct vectors *v = vectors_load("signature.json");
	struct ike_pkey *k = ed_key(v, "ed25519"), *back;
	/* RFC 8410 section 4: SEQUENCE { SEQUENCE { 1.3.101.112 }, BIT STRING }. */
	static const uint8_t head[] = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03,
				       0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};
	struct ike_bytes pub = vector(v, "ed25519.public");
	uint8_t der[sizeof(head) + 33] = {0};
	struct ike_error err;

	memcpy(der, head, sizeof(head));
	memcpy(der + sizeof(head), pub.p, pub.len);
	back = ike_pkey_from_spki(ike_bytes(der, sizeof(der) - 1), &err);
	assert_non_null(back);
	assert_true(ike_pkey_equal(k, back));
	assert_memory_equal(k->id, back->id, sizeof(k->id));
	ike_pkey_unref(back);
	assert_null(ike_pkey_from_spki(ike_bytes(der, sizeof(der)), &err));
	assert_non_null(strstr(err.text, "more behind it"));
	for (size_t i = 0; i < sizeof(der) - 1; i++) {
		uint8_t *cut = exact(der, i);

		assert_null(ike_pkey_from_spki(ike_bytes(cut, i), &err));
		free(cut);
	}
	ike_pkey_unref(k);
	vectors_free(v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_rsa),   cmocka_unit_test(test_known_ecdsa),
		cmocka_unit_test(test_known_eddsa), cmocka_unit_test(test_algorithm_ids),
		cmocka_unit_test(test_lenient_ids), cmocka_unit_test(test_round_trips),
		cmocka_unit_test(test_choice),	    cmocka_unit_test(test_hashes),
		cmocka_unit_test(test_weak_keys),   cmocka_unit_test(test_spki),
		cmocka_unit_test_setup(test_private_heap, secure_heap),
	};

	return cmocka_run_group_tests_name("ike_signature", tests, NULL, NULL);
}
