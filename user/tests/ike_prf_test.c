// SPDX-License-Identifier: MIT
/* The pseudo-random functions against RFC 4231, and prf+ against its definition in RFC 7296. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ikev2/crypto/fetched.h"
#include "ikev2/crypto/prf.h"
#include "tests/vectors.h"

static const struct {
	uint16_t id;
	const char *name;
	size_t len;
} prfs[] = {
	{IKE_PRF_HMAC_SHA2_256, "sha256", 32},
	{IKE_PRF_HMAC_SHA2_384, "sha384", 48},
	{IKE_PRF_HMAC_SHA2_512, "sha512", 64},
};

enum {
	PRFS = sizeof(prfs) / sizeof(prfs[0])
};

static void known(struct vectors *v, unsigned int prf, char number)
{
	struct ike_bytes data = vector(v, "%c.data", number), key = vector(v, "%c.key", number);
	struct ike_key out;

	/* In two pieces: where the cut is must not matter. */
	for (size_t cut = 0; cut <= data.len; cut += 7) {
		struct ike_bytes parts[] = {{data.p, cut}, {data.p + cut, data.len - cut}};

		assert_true(ike_prf(ike_prf_find(prfs[prf].id), key, parts, 2, &out, NULL));
		assert_bytes(ike_key_bytes(&out), vector(v, "%c.%s", number, prfs[prf].name));
	}
}

static void test_rfc4231(void **state)
{
	static const char cases[PRFS][6] = {"1237", "12367", "126"};
	struct vectors *v = vectors_load("hmac_sha2.json");

	for (unsigned int prf = 0; prf < PRFS; prf++)
		for (const char *number = cases[prf]; *number; number++)
			known(v, prf, *number);
	vectors_free(v);
}

static void test_lengths(void **state)
{
	for (unsigned int i = 0; i < PRFS; i++)
		assert_int_equal(ike_prf_len(ike_prf_find(prfs[i].id)), prfs[i].len);
	assert_null(ike_prf_find(IKE_PRF_HMAC_SHA1));
	assert_null(ike_prf_find(0));
	assert_null(ike_prf_find(UINT16_MAX));
}

/* An empty key is HMAC with a key of zeros (RFC 2104: keys are filled up with zeros). */
static void test_empty_key(void **state)
{
	static const uint8_t zeros[16];
	struct ike_bytes data = ike_bytes("x", 1);
	struct ike_key empty, zero;

	for (unsigned int i = 0; i < PRFS; i++) {
		const struct ike_prf *prf = ike_prf_find(prfs[i].id);

		assert_true(ike_prf(prf, ike_bytes(NULL, 0), &data, 1, &empty, NULL));
		assert_true(ike_prf(prf, ike_bytes(zeros, 16), &data, 1, &zero, NULL));
		assert_bytes(ike_key_bytes(&empty), ike_key_bytes(&zero));
	}
}

/* Written out from section 2.13: T1 | T2 | ... with Tn = prf(K, T(n-1) | S | n). */
static void definition(const struct ike_prf *prf, struct ike_bytes key, struct ike_bytes seed,
		       uint8_t *out, unsigned int rounds)
{
	struct ike_key t = {0};

	for (unsigned int n = 1; n <= rounds; n++) {
		uint8_t count = n;
		struct ike_bytes parts[] = {ike_key_bytes(&t), seed, {&count, 1}};
		struct ike_key next;

		assert_true(ike_prf(prf, key, parts, 3, &next, NULL));
		memcpy(out + (n - 1) * next.len, next.bytes, next.len);
		t = next;
	}
}

static void test_prf_plus(void **state)
{
	static uint8_t want[255 * 64], got[255 * 64];
	struct ike_bytes seed = ike_bytes("Ni Nr SPIi SPIr", 15), key = ike_bytes("SKEYSEED", 8);

	for (unsigned int i = 0; i < PRFS; i++) {
		const struct ike_prf *prf = ike_prf_find(prfs[i].id);
		size_t most = 255 * ike_prf_len(prf);

		definition(prf, key, seed, want, 255);
		for (size_t len = 0; len <= most; len += len < 200 ? 1 : 997) {
			struct ike_bytes parts[] = {{seed.p, 3}, {seed.p + 3, 12}};

			assert_true(ike_prf_plus(prf, key, parts, 2, got, len, NULL));
			assert_memory_equal(got, want, len);
		}
		assert_true(ike_prf_plus(prf, key, &seed, 1, got, most, NULL));
		assert_memory_equal(got, want, most);
	}
}

/* The counter is one byte: a 256th round would repeat it. */
static void test_prf_plus_too_long(void **state)
{
	struct ike_bytes seed = ike_bytes("seed", 4);
	size_t len = 255 * 32 + 1;
	uint8_t *out = malloc(len);
	struct ike_error err;

	memset(out, 0xee, len);
	assert_false(
		ike_prf_plus(ike_prf_find(IKE_PRF_HMAC_SHA2_256), seed, &seed, 1, out, len, &err));
	assert_string_equal(err.text, "prf+: 8161 bytes where 8160 are the most");
	for (size_t i = 0; i < len; i++)
		assert_int_equal(out[i], 0);
	free(out);
}

static void test_secrets(void **state)
{
	struct ike_key k = {64, {1, 2, 3}};
	struct ike_secret s = {512, {1, 2, 3}};
	static const struct ike_key no_key;
	static const struct ike_secret no_secret;

	ike_key_clear(&k);
	assert_memory_equal(&k, &no_key, sizeof(k));
	ike_secret_clear(&s);
	assert_memory_equal(&s, &no_secret, sizeof(s));
	assert_true(ike_secret_equal(ike_bytes("abc", 3), ike_bytes("abc", 3)));
	assert_false(ike_secret_equal(ike_bytes("abc", 3), ike_bytes("abd", 3)));
	assert_false(ike_secret_equal(ike_bytes("abc", 3), ike_bytes("ab", 2)));
	assert_true(ike_secret_equal(ike_bytes(NULL, 0), ike_bytes("", 0)));
}

static void *fetch(void *found)
{
	*(const EVP_MD **)found = ike_fetched_md("MD5"); /* that no test before has asked for */
	return NULL;
}

/* Whoever asks, and at the same time as others, gets the same algorithm; unknown ones nobody. */
static void test_fetched(void **state)
{
	enum { THREADS = 8 };
	const EVP_MD *found[THREADS];
	pthread_t threads[THREADS];

	for (unsigned int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, fetch, &found[i]), 0);
	for (unsigned int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	for (unsigned int i = 0; i < THREADS; i++)
		assert_ptr_equal(found[i], found[0]);
	assert_true(EVP_MD_is_a(found[0], "MD5"));
	assert_true(EVP_CIPHER_is_a(ike_fetched_cipher("AES-192-CBC"), "AES-192-CBC"));
	assert_ptr_equal(ike_fetched_cipher("AES-192-CBC"), ike_fetched_cipher("AES-192-CBC"));
	assert_null(ike_fetched_md("MD4"));
	assert_null(ike_fetched_cipher("DES-CBC"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rfc4231),
		cmocka_unit_test(test_fetched),		  cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_empty_key),	  cmocka_unit_test(test_prf_plus),
		cmocka_unit_test(test_prf_plus_too_long), cmocka_unit_test(test_secrets),
	};

	return cmocka_run_group_tests_name("ike_prf", tests, NULL, NULL);
}
