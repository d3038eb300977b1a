// SPDX-License-Identifier: MIT
/* Key derivation against NIST's values and the RFC's formulas; NAT hashes; cookies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ikev2/cookie.h"
#include "ikev2/keymat.h"
#include "ikev2/nat.h"
#include "tests/vectors.h"

static const struct {
	const char *name;
	struct ike_suite suite;
} suites[] = {
	{"gcm256-sha384",
	 {.encr = IKE_ENCR_AES_GCM_16, .encr_bits = 256, .prf = IKE_PRF_HMAC_SHA2_384}},
	{"cbc128-sha256",
	 {.encr = IKE_ENCR_AES_CBC,
	  .encr_bits = 128,
	  .integ = IKE_INTEG_HMAC_SHA2_256_128,
	  .prf = IKE_PRF_HMAC_SHA2_256}},
	{"cbc256-sha512",
	 {.encr = IKE_ENCR_AES_CBC,
	  .encr_bits = 256,
	  .integ = IKE_INTEG_HMAC_SHA2_512_256,
	  .prf = IKE_PRF_HMAC_SHA2_512}},
};

static uint64_t number(struct ike_bytes b)
{
	struct ike_cursor c = ike_cursor(b);

	return ike_get64(&c);
}

static void put_key(struct ike_writer *w, const struct ike_key *k)
{
	ike_put(w, ike_key_bytes(k));
}

/* The keys, one after the other, are the beginning of the key material that NIST gives. */
static void test_nist_ike(void **state)
{
	struct vectors *v = vectors_load("ikev2_kdf.json");
	const struct ike_prf *prf = ike_prf_find(IKE_PRF_HMAC_SHA2_256);
	struct ike_bytes ni = vector(v, "ni"), nr = vector(v, "nr"), dkm = vector(v, "dkm");
	struct ike_key seed;
	struct ike_keys k;
	uint8_t buf[512];
	struct ike_writer w;

	assert_true(ike_keymat_skeyseed(prf, ni, nr, vector(v, "g_ir"), &seed, NULL));
	assert_bytes(ike_key_bytes(&seed), vector(v, "skeyseed"));
	assert_true(ike_keymat_ike(&suites[1].suite, &seed, ni, nr, number(vector(v, "spi_i")),
				   number(vector(v, "spi_r")), &k, NULL));
	ike_writer_init(&w, buf, sizeof(buf));
	put_key(&w, &k.d);
	put_key(&w, &k.ai);
	put_key(&w, &k.ar);
	put_key(&w, &k.ei);
	put_key(&w, &k.er);
	put_key(&w, &k.pi);
	put_key(&w, &k.pr);
	assert_int_equal(w.len, 3 * 32 + 2 * 32 + 2 * 16); /* SK_d, pi, pr; ai, ar; ei, er */
	assert_bytes(ike_written(&w), ike_bytes(dkm.p, w.len));
	assert_bytes(ike_key_bytes(&k.d), vector(v, "sk_d"));
	vectors_free(v);
}

static void nist_child(struct vectors *v, struct ike_bytes g_ir, const char *want)
{
	const struct ike_prf *prf = ike_prf_find(IKE_PRF_HMAC_SHA2_256);
	struct ike_key sk_d = vector_key(v, "sk_d");
	struct ike_child_keys k;
	uint8_t buf[512];
	struct ike_writer w;

	assert_true(ike_keymat_child(prf, &sk_d, g_ir, vector(v, "ni"), vector(v, "nr"),
				     ike_bytes(NULL, 0), &suites[2].suite, &k, NULL));
	ike_writer_init(&w, buf, sizeof(buf));
	put_key(&w, &k.encr_i);
	put_key(&w, &k.integ_i);
	put_key(&w, &k.encr_r);
	put_key(&w, &k.integ_r);
	assert_int_equal(w.len, 2 * (32 + 64));
	assert_bytes(ike_written(&w), ike_bytes(vector(v, "%s", want).p, w.len));
}

static void test_nist_child(void **state)
{
	struct vectors *v = vectors_load("ikev2_kdf.json");

	nist_child(v, ike_bytes(NULL, 0), "child_keymat");
	nist_child(v, vector(v, "g_ir_new"), "child_keymat_with_dh");
	vectors_free(v);
}

/* Bytes of key with salt and of integrity key, by the RFCs that esp.c names. */
static const struct {
	uint16_t encr, bits, integ;
	size_t encr_len, integ_len;
} esp_suites[] = {
	{IKE_ENCR_AES_GCM_12, 128, 0, 16 + 4, 0},
	{IKE_ENCR_AES_GCM_8, 256, 0, 32 + 4, 0},
	{IKE_ENCR_AES_CCM_16, 192, 0, 24 + 3, 0},
	{IKE_ENCR_AES_CCM_12, 128, 0, 16 + 3, 0},
	{IKE_ENCR_AES_CCM_8, 256, 0, 32 + 3, 0},
	{IKE_ENCR_NULL_AUTH_AES_GMAC, 256, 0, 32 + 4, 0},
	{IKE_ENCR_CHACHA20_POLY1305, 0, 0, 32 + 4, 0},
	{IKE_ENCR_AES_GCM_16_IIV, 128, 0, 16 + 4, 0},
	{IKE_ENCR_CHACHA20_POLY1305_IIV, 0, 0, 32 + 4, 0},
	{IKE_ENCR_AES_CBC, 256, IKE_INTEG_HMAC_SHA2_512_256, 32, 64},
	{IKE_ENCR_AES_CTR, 128, IKE_INTEG_HMAC_SHA2_384_192, 16 + 4, 48},
	{IKE_ENCR_NULL, 0, IKE_INTEG_HMAC_SHA2_256_128, 0, 32},
};

/* Whatever the transform, the keys are cut from the same stream in the order of section 2.17. */
static void test_esp_suites(void **state)
{
	struct vectors *v = vectors_load("ikev2_kdf.json");
	const struct ike_prf *prf = ike_prf_find(IKE_PRF_HMAC_SHA2_256);
	struct ike_bytes stream = vector(v, "child_keymat");
	struct ike_key sk_d = vector_key(v, "sk_d");

	for (size_t i = 0; i < sizeof(esp_suites) / sizeof(esp_suites[0]); i++) {
		const struct ike_suite suite = {.encr = esp_suites[i].encr,
						.encr_bits = esp_suites[i].bits,
						.integ = esp_suites[i].integ};
		struct ike_child_keys k;
		uint8_t buf[512];
		struct ike_writer w;

		assert_true(ike_keymat_child(prf, &sk_d, ike_bytes(NULL, 0), vector(v, "ni"),
					     vector(v, "nr"), ike_bytes(NULL, 0), &suite, &k,
					     NULL));
		assert_int_equal(k.encr_i.len, esp_suites[i].encr_len);
		assert_int_equal(k.encr_r.len, esp_suites[i].encr_len);
		assert_int_equal(k.integ_i.len, esp_suites[i].integ_len);
		assert_int_equal(k.integ_r.len, esp_suites[i].integ_len);
		ike_writer_init(&w, buf, sizeof(buf));
		put_key(&w, &k.encr_i);
		put_key(&w, &k.integ_i);
		put_key(&w, &k.encr_r);
		put_key(&w, &k.integ_r);
		assert_true(w.len <= stream.len);
		assert_bytes(ike_written(&w), ike_bytes(stream.p, w.len));
	}
	vectors_free(v);
}

static void test_nist_rekey(void **state)
{
	struct vectors *v = vectors_load("ikev2_kdf.json");
	struct ike_key sk_d = vector_key(v, "sk_d"), seed;

	assert_true(ike_keymat_skeyseed_rekey(ike_prf_find(IKE_PRF_HMAC_SHA2_256), &sk_d,
					      vector(v, "g_ir_new"), vector(v, "ni"),
					      vector(v, "nr"), ike_bytes(NULL, 0), &seed, NULL));
	assert_bytes(ike_key_bytes(&seed), vector(v, "skeyseed_rekey"));
	vectors_free(v);
}

/*
 * RFC 9370 section 2.2.4: what comes of additional key exchanges is put behind the nonces. So the
 * responder's nonce may just as well be one of those secrets: the outcome must be the same.
 */
static void test_more_secrets(void **state)
{
	const struct ike_prf *prf = ike_prf_find(IKE_PRF_HMAC_SHA2_256);
	struct vectors *v = vectors_load("ikev2_kdf.json");
	struct ike_key sk_d = vector_key(v, "sk_d"), seed;
	struct ike_bytes g_ir = vector(v, "g_ir_new"), ni = vector(v, "ni"), nr = vector(v, "nr");
	struct ike_bytes none = ike_bytes(NULL, 0);
	struct ike_child_keys want, got;

	assert_true(ike_keymat_skeyseed_rekey(prf, &sk_d, g_ir, ni, none, nr, &seed, NULL));
	assert_bytes(ike_key_bytes(&seed), vector(v, "skeyseed_rekey"));
	assert_true(ike_keymat_child(prf, &sk_d, g_ir, ni, nr, none, &suites[2].suite, &want, NULL));
	assert_true(ike_keymat_child(prf, &sk_d, g_ir, ni, none, nr, &suites[2].suite, &got, NULL));
	assert_bytes(ike_key_bytes(&got.encr_r), ike_key_bytes(&want.encr_r));
	assert_true(ike_keymat_child(prf, &sk_d, g_ir, ni, nr, nr, &suites[2].suite, &got, NULL));
	assert_memory_not_equal(got.encr_r.bytes, want.encr_r.bytes, want.encr_r.len);
	vectors_free(v);
}

static void assert_key(struct vectors *v, const struct ike_key *k, const char *suite,
		       const char *name)
{
	assert_bytes(ike_key_bytes(k), vector(v, "keys.%s.%s", suite, name));
}

static void composed_child(struct vectors *v, unsigned int i, const struct ike_key *sk_d, bool pfs)
{
	const struct ike_prf *prf = ike_prf_find(suites[i].suite.prf);
	const char *way = pfs ? "child-pfs" : "child";
	struct ike_child_keys c;

	assert_true(ike_keymat_child(prf, sk_d, pfs ? vector(v, "keys.g_ir") : ike_bytes(NULL, 0),
				     vector(v, "keys.ni"), vector(v, "keys.nr"),
				     ike_bytes(NULL, 0), &suites[i].suite, &c, NULL));
	assert_bytes(ike_key_bytes(&c.encr_i), vector(v, "keys.%s.%s.encr_i", suites[i].name, way));
	assert_bytes(ike_key_bytes(&c.integ_i),
		     vector(v, "keys.%s.%s.integ_i", suites[i].name, way));
	assert_bytes(ike_key_bytes(&c.encr_r), vector(v, "keys.%s.%s.encr_r", suites[i].name, way));
	assert_bytes(ike_key_bytes(&c.integ_r),
		     vector(v, "keys.%s.%s.integ_r", suites[i].name, way));
}

static void test_composed(void **state)
{
	struct vectors *v = vectors_load("ike_composed.json");
	struct ike_bytes ni = vector(v, "keys.ni"), nr = vector(v, "keys.nr");

	for (unsigned int i = 0; i < 3; i++) {
		const char *name = suites[i].name;
		struct ike_key seed;
		struct ike_keys k;

		assert_true(ike_keymat_skeyseed(ike_prf_find(suites[i].suite.prf), ni, nr,
						vector(v, "keys.g_ir"), &seed, NULL));
		assert_key(v, &seed, name, "skeyseed");
		assert_true(ike_keymat_ike(&suites[i].suite, &seed, ni, nr,
					   number(vector(v, "keys.spi_i")),
					   number(vector(v, "keys.spi_r")), &k, NULL));
		assert_key(v, &k.d, name, "d");
		assert_key(v, &k.ai, name, "ai");
		assert_key(v, &k.ar, name, "ar");
		assert_key(v, &k.ei, name, "ei");
		assert_key(v, &k.er, name, "er");
		assert_key(v, &k.pi, name, "pi");
		assert_key(v, &k.pr, name, "pr");
		composed_child(v, i, &k.d, false);
		composed_child(v, i, &k.d, true);
	}
	vectors_free(v);
}

static void test_auth(void **state)
{
	static const uint16_t ids[] = {IKE_PRF_HMAC_SHA2_256, IKE_PRF_HMAC_SHA2_384,
				       IKE_PRF_HMAC_SHA2_512};
	static const char *const names[] = {"sha256", "sha384", "sha512"};
	struct vectors *v = vectors_load("ike_composed.json");

	for (unsigned int i = 0; i < 3; i++) {
		struct ike_key sk_p = vector_key(v, "auth.%s.sk_p", names[i]), auth;

		assert_true(ike_keymat_auth_psk(ike_prf_find(ids[i]), vector(v, "auth.psk"),
						vector(v, "auth.message"), vector(v, "auth.nonce"),
						&sk_p, vector(v, "auth.id"), ike_bytes(NULL, 0),
						&auth, NULL));
		assert_bytes(ike_key_bytes(&auth), vector(v, "auth.%s", names[i]));
	}
	vectors_free(v);
}

static void test_refuses_suites(void **state)
{
	struct ike_suite bad = {.encr = IKE_ENCR_AES_GCM_16, .encr_bits = 256, .prf = 99};
	struct ike_key seed = {.len = 32};
	struct ike_keys k;
	struct ike_child_keys c;
	struct ike_error err;
	struct ike_bytes n = ike_bytes("n", 1);

	assert_false(ike_keymat_ike(&bad, &seed, n, n, 1, 2, &k, &err));
	assert_string_equal(err.text, "PRF 99 is not supported");
	bad.prf = IKE_PRF_HMAC_SHA2_256;
	bad.encr_bits = 0;
	assert_false(ike_keymat_ike(&bad, &seed, n, n, 1, 2, &k, &err));
	assert_string_equal(err.text, "cipher: 20 (AES_GCM_16) with 0 bits is not supported");
	assert_false(ike_keymat_child(ike_prf_find(bad.prf), &seed, n, n, n, ike_bytes(NULL, 0), &bad,
				      &c, &err));
	assert_string_equal(err.text, "ESP: cipher 20 (AES_GCM_16) with 0 bits is not supported");
	bad.encr_bits = 128;
	bad.integ = IKE_INTEG_HMAC_SHA2_256_128;
	assert_false(ike_keymat_child(ike_prf_find(bad.prf), &seed, n, n, n, ike_bytes(NULL, 0), &bad,
				      &c, &err));
	assert_string_equal(err.text, "ESP: HMAC_SHA2_256_128 next to an AEAD");
	bad.encr = IKE_ENCR_AES_CTR;
	bad.integ = IKE_INTEG_NONE;
	assert_false(ike_keymat_child(ike_prf_find(bad.prf), &seed, n, n, n, ike_bytes(NULL, 0), &bad,
				      &c, &err));
}

static void test_nat(void **state)
{
	struct vectors *v = vectors_load("ike_composed.json");
	uint64_t i = number(vector(v, "nat.spi_i")), r = number(vector(v, "nat.spi_r"));
	uint8_t hash[IKE_NAT_HASH_LEN];
	struct ike_addr v4, v6;

	assert_true(ike_addr_parse("192.0.2.17", &v4, NULL));
	assert_true(ike_addr_parse("2001:db8::17", &v6, NULL));
	assert_true(ike_nat_hash(i, r, &v4, 500, hash));
	assert_bytes(ike_bytes(hash, sizeof(hash)), vector(v, "nat.v4"));
	assert_true(ike_nat_hash(i, r, &v6, 4500, hash));
	assert_bytes(ike_bytes(hash, sizeof(hash)), vector(v, "nat.v6"));
	assert_true(ike_nat_matches(vector(v, "nat.v6"), i, r, &v6, 4500));
	assert_false(ike_nat_matches(vector(v, "nat.v6"), i, r, &v6, 4501));
	assert_false(ike_nat_matches(vector(v, "nat.v6"), i, r + 1, &v6, 4500));
	assert_false(ike_nat_matches(vector(v, "nat.v6"), i, r, &v4, 4500));
	assert_false(ike_nat_matches(ike_bytes(hash, 19), i, r, &v6, 4500));
	vectors_free(v);
}

struct cookie_case {
	struct ike_cookie_jar jar;
	struct seeded_random r;
	struct ike_addr from;
	struct ike_bytes ni;
	uint8_t cookie[IKE_COOKIE_LEN];
};

static void cookie_setup(struct cookie_case *c, uint64_t now)
{
	seeded_random_init(&c->r, 3);
	assert_true(ike_addr_parse("198.51.100.7", &c->from, NULL));
	c->ni = ike_bytes("0123456789abcdef", 16);
	ike_cookie_init(&c->jar, &c->r.random, now);
	assert_true(ike_cookie_make(&c->jar, &c->r.random, now, c->ni, &c->from, 77, c->cookie));
}

static bool good_at(struct cookie_case *c, uint64_t now)
{
	return ike_cookie_check(&c->jar, &c->r.random, now, c->ni, &c->from, 77,
				ike_bytes(c->cookie, sizeof(c->cookie)));
}

static void test_cookie(void **state)
{
	struct ike_addr other;
	struct cookie_case c;
	uint64_t now = 1000;

	cookie_setup(&c, now);
	assert_true(good_at(&c, now));
	assert_true(ike_addr_parse("198.51.100.8", &other, NULL));
	assert_false(ike_cookie_check(&c.jar, &c.r.random, now, c.ni, &other, 77,
				      ike_bytes(c.cookie, IKE_COOKIE_LEN)));
	assert_false(ike_cookie_check(&c.jar, &c.r.random, now, c.ni, &c.from, 78,
				      ike_bytes(c.cookie, IKE_COOKIE_LEN)));
	assert_false(ike_cookie_check(&c.jar, &c.r.random, now, ike_bytes("x", 1), &c.from, 77,
				      ike_bytes(c.cookie, IKE_COOKIE_LEN)));
	for (size_t len = 0; len < IKE_COOKIE_LEN; len++)
		assert_false(ike_cookie_check(&c.jar, &c.r.random, now, c.ni, &c.from, 77,
					      ike_bytes(c.cookie, len)));
	for (size_t bit = 0; bit < 8 * IKE_COOKIE_LEN; bit++) {
		c.cookie[bit / 8] ^= 1 << bit % 8;
		assert_false(good_at(&c, now));
		c.cookie[bit / 8] ^= 1 << bit % 8;
	}
	assert_true(good_at(&c, now));
}

/* Good until the secret after the next one comes, whoever asks in between and when. */
static void test_cookie_ages(void **state)
{
	struct cookie_case c;
	uint64_t period = IKE_COOKIE_PERIOD;

	cookie_setup(&c, 0);
	assert_true(good_at(&c, period - 1));
	assert_true(good_at(&c, period));
	assert_true(good_at(&c, 2 * period - 1));
	assert_false(good_at(&c, 2 * period));
	cookie_setup(&c, 0);
	assert_false(good_at(&c, 2 * period)); /* nobody asked for two periods */
	cookie_setup(&c, 0);
	/* Versions are one byte: 256 changes later the number is the same, the secret is not. */
	for (uint64_t i = 1; i <= 256; i++)
		assert_int_equal(good_at(&c, i * period), i == 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nist_ike),    cmocka_unit_test(test_nist_child),
		cmocka_unit_test(test_esp_suites),
		cmocka_unit_test(test_nist_rekey),  cmocka_unit_test(test_more_secrets),
		cmocka_unit_test(test_composed),
		cmocka_unit_test(test_auth),	    cmocka_unit_test(test_refuses_suites),
		cmocka_unit_test(test_nat),	    cmocka_unit_test(test_cookie),
		cmocka_unit_test(test_cookie_ages),
	};

	return cmocka_run_group_tests_name("ike_keymat", tests, NULL, NULL);
}
