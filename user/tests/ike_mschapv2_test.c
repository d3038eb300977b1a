// SPDX-License-Identifier: MIT
/*
 * MS-CHAP-V2 and its keys against the examples of RFC 2759 section 9.2 and RFC 3079 section 3.5.3,
 * and the passwords that can be hashed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ikev2/crypto/mschapv2.h"
#include "tests/vectors.h"

/* RFC 2759 section 9.2. */
static const char auth_challenge[] = "5B5D7C7D7B3F2F3E3C2C602132262628",
		  peer_challenge[] = "21402324255E262A28295F2B3A337C7E",
		  password_hash[] = "44EBBA8D5312B8D611474411F56989AE",
		  nt_response[] = "82309ECD8D708B5EA08FAA3981CD83544233114A3D85D6DF",
		  server_proof[] = "S=407A5589115FD0D6209F510FE9C04566932CDA56";

static struct ike_legacy *legacy;

static void copy(void *to, const char *from, size_t len)
{
	struct ike_bytes b = hex(from);

	assert_int_equal(b.len, len);
	memcpy(to, b.p, len);
	free((void *)b.p);
}

static struct ike_mschap example(void)
{
	struct ike_mschap m = {.user = ike_bytes("User", 4)};

	copy(m.authenticator, auth_challenge, sizeof(m.authenticator));
	copy(m.peer, peer_challenge, sizeof(m.peer));
	copy(m.hash, password_hash, sizeof(m.hash));
	return m;
}

static void same(const void *got, const char *want, size_t len)
{
	struct ike_bytes b = hex(want);

	assert_bytes(ike_bytes(got, len), b);
	free((void *)b.p);
}

static void test_password_hash(void **state)
{
	uint8_t hash[IKE_MSCHAP_HASH_LEN];

	assert_true(ike_mschap_hash(legacy, ike_bytes("clientPass", 10), hash, NULL));
	same(hash, password_hash, sizeof(hash));
}

static void test_response_and_proof(void **state)
{
	struct ike_mschap m = example();
	uint8_t response[IKE_MSCHAP_RESPONSE_LEN];
	char proof[IKE_MSCHAP_PROOF_LEN];

	assert_true(ike_mschap_response(legacy, &m, response, NULL));
	same(response, nt_response, sizeof(response));
	assert_true(ike_mschap_proof(legacy, &m, response, proof, NULL));
	assert_memory_equal(proof, server_proof, sizeof(proof));
}

/*
 * RFC 3079 section 3.5.3 has the server's send key for 128 bits, which stands second. The first is
 * SHA1(MasterKey | 40 zeros | Magic2 | 40 times F2) of section 3.4 with the MasterKey there,
 * FDECE3717A8C838CB388E527AE3CDD31, computed by sha1sum(1).
 */
static void test_session_keys(void **state)
{
	struct ike_mschap m = example();
	uint8_t response[IKE_MSCHAP_RESPONSE_LEN], zeros[32] = {0};
	struct ike_key msk;

	copy(response, nt_response, sizeof(response));
	assert_true(ike_mschap_msk(legacy, &m, response, &msk, NULL));
	assert_int_equal(msk.len, 64);
	same(msk.bytes, "D5F0E9521E3EA9589645E86051C82226", 16);
	same(msk.bytes + 16, "8B7CDC149B993A1BA118CB153F56DCCB", 16);
	assert_memory_equal(msk.bytes + 32, zeros, 32);
}

/* DES of a key and block of FIPS 81's first example: 0123456789ABCDEF, "Now is t". */
static void test_des(void **state)
{
	/* The same 56 bits without the parity bits: 0000000 0010001 0100010 0110011 1000100 ... */
	uint8_t key[IKE_DES_KEY_LEN], out[IKE_DES_BLOCK];
	static const uint8_t wide[] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef};
	uint64_t bits = 0;

	for (size_t i = 0; i < sizeof(wide); i++)
		bits = bits << 7 | wide[i] >> 1;
	for (size_t i = 0; i < sizeof(key); i++)
		key[i] = bits >> (48 - 8 * i);
	assert_true(ike_des(legacy, key, (const uint8_t *)"Now is t", out, NULL));
	same(out, "3FA40E8A984D4815", sizeof(out));
}

/* MD4 of UTF-16: expected values by iconv(1) and openssl-dgst(1) of these very characters. */
static void test_passwords(void **state)
{
	static const struct {
		const char *password, *hash;
	} good[] = {
		{"", "31D6CFE0D16AE931B73C59D7E0C089C0"}, /* RFC 1320: MD4 of nothing */
		{"Gr\xc3\xbc\xc3\x9f" "e", "2816114083C3D8E78CFA2BDB9CDE7AE6"},
		{"\xe2\x82\xac" "5", "5693EDC690A0FDC3F16FE56A91AB51D1"},
		{"\xf0\x9f\x94\x91", "5F7B3FF474E4237AFD6A078F3C4D8632"},
	};
	static const char *const bad[] = {"\x80", "a\xc3", "\xc0\xaf", "\xed\xa0\x80",
					  "\xf4\x90\x80\x80", "\xe2\x28\xa1", "\xff"};
	uint8_t hash[IKE_MSCHAP_HASH_LEN];
	struct ike_error err = {0};
	char long_one[258];

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct ike_bytes b = ike_bytes(good[i].password, strlen(good[i].password));

		assert_true(ike_mschap_hash(legacy, b, hash, NULL));
		same(hash, good[i].hash, sizeof(hash));
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		uint8_t *copied = exact(bad[i], strlen(bad[i]));

		assert_false(ike_mschap_hash(legacy, ike_bytes(copied, strlen(bad[i])), hash, &err));
		assert_string_equal(err.text, "the password is not UTF-8");
		free(copied);
	}
	memset(long_one, 'a', sizeof(long_one));
	assert_true(ike_mschap_hash(legacy, ike_bytes(long_one, 256), hash, NULL));
	assert_false(ike_mschap_hash(legacy, ike_bytes(long_one, 257), hash, &err));
	assert_string_equal(err.text, "the password is longer than 256 characters");
}

static void test_missing_provider(void **state)
{
	struct ike_error err = {0};

	setenv("OPENSSL_MODULES", "/nonexistent", 1);
	assert_null(ike_legacy_new(&err));
	unsetenv("OPENSSL_MODULES");
	assert_non_null(strstr(err.text, "EAP-MSCHAPv2 needs MD4 and DES, and OpenSSL's module for "
					 "them is not there"));
}

static int set_up(void **state)
{
	legacy = ike_legacy_new(NULL);
	return !legacy;
}

static int tear_down(void **state)
{
	ike_legacy_free(legacy);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_password_hash), cmocka_unit_test(test_response_and_proof),
		cmocka_unit_test(test_session_keys),  cmocka_unit_test(test_des),
		cmocka_unit_test(test_passwords),     cmocka_unit_test(test_missing_provider),
	};

	return cmocka_run_group_tests_name("ike_mschapv2", tests, set_up, tear_down);
}
