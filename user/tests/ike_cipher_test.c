// SPDX-License-Identifier: MIT
/* Authenticated encryption: published answers, every bit that must matter, what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ikev2/crypto/cipher.h"
#include "ikev2/crypto/hmac.h"
#include "tests/vectors.h"

static const struct {
	uint16_t integ;
	const char *digest;
	size_t key_len, icv_len;
} integs[] = {
	{IKE_INTEG_HMAC_SHA2_256_128, "SHA2-256", 32, 16},
	{IKE_INTEG_HMAC_SHA2_384_192, "SHA2-384", 48, 24},
	{IKE_INTEG_HMAC_SHA2_512_256, "SHA2-512", 64, 32},
};

static void gcm_known(struct vectors *v, unsigned int bits)
{
	struct ike_bytes none = ike_bytes(NULL, 0), aad = vector(v, "gcm.aad");
	struct ike_bytes key = vector(v, "gcm%u.key", bits), salt = vector(v, "gcm.salt");
	struct ike_bytes plain = vector(v, "gcm.plain"), iv = vector(v, "gcm.iv");
	uint8_t sk_e[64], tag[IKE_ICV_MAX], *text = exact(plain.p, plain.len);
	struct ike_cipher c;

	memcpy(sk_e, key.p, key.len);
	memcpy(sk_e + key.len, salt.p, salt.len);
	assert_true(ike_cipher_init(&c, IKE_ENCR_AES_GCM_16, bits, IKE_INTEG_NONE, NULL));
	assert_true(c.aead);
	assert_int_equal(ike_cipher_encr_key_len(&c), bits / 8 + 4); /* RFC 5282 section 7.1 */
	assert_int_equal(c.iv_len, 8);
	assert_int_equal(c.icv_len, 16);
	assert_true(ike_cipher_encrypt(&c, ike_bytes(sk_e, key.len + 4), none, aad, iv.p, text,
				       plain.len, tag, NULL));
	assert_bytes(ike_bytes(text, plain.len), vector(v, "gcm%u.text", bits));
	assert_bytes(ike_bytes(tag, 16), vector(v, "gcm%u.tag", bits));
	assert_true(ike_cipher_decrypt(&c, ike_bytes(sk_e, key.len + 4), none, aad, iv.p, text,
				       plain.len, tag, NULL));
	assert_bytes(ike_bytes(text, plain.len), plain);
	free(text);
}

static void test_gcm(void **state)
{
	struct vectors *v = vectors_load("aes.json");

	gcm_known(v, 128);
	gcm_known(v, 192);
	gcm_known(v, 256);
	vectors_free(v);
}

/* ESP's published packets: IKE uses the same AEADs in the same way (RFC 5282, RFC 7634). */
static void test_other_aeads(void **state)
{
	static const struct {
		const char *name;
		uint16_t encr, bits;
		size_t key_len, icv_len;
	} rows[] = {
		{"chacha.rfc7634", IKE_ENCR_CHACHA20_POLY1305, 0, 32, 16},
		{"gcm12.case2", IKE_ENCR_AES_GCM_12, 128, 16, 12},
		{"gcm8.case2", IKE_ENCR_AES_GCM_8, 128, 16, 8},
	};
	struct vectors *v = vectors_load("esp_transforms.json");

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *name = rows[i].name;
		struct ike_bytes key = vector(v, "%s.key", name), none = ike_bytes(NULL, 0);
		struct ike_bytes plain = vector(v, "%s.text", name);
		const uint8_t *iv = vector(v, "%s.iv", name).p;
		uint8_t sk_e[64], aad[8], icv[IKE_ICV_MAX], *text = exact(plain.p, plain.len);
		struct ike_cipher c;

		memcpy(sk_e, key.p, key.len);
		memcpy(sk_e + key.len, vector(v, "%s.salt", name).p, 4);
		memcpy(aad, vector(v, "%s.spi", name).p, 4);
		memcpy(aad + 4, vector(v, "%s.seq", name).p, 4);
		assert_true(ike_cipher_init(&c, rows[i].encr, rows[i].bits, IKE_INTEG_NONE, NULL));
		assert_int_equal(ike_cipher_encr_key_len(&c), rows[i].key_len + 4);
		assert_int_equal(c.icv_len, rows[i].icv_len);
		assert_true(ike_cipher_encrypt(&c, ike_bytes(sk_e, key.len + 4), none,
					       ike_bytes(aad, 8), iv, text, plain.len, icv, NULL));
		assert_bytes(ike_bytes(text, plain.len), vector(v, "%s.encrypted", name));
		assert_bytes(ike_bytes(icv, c.icv_len), vector(v, "%s.icv", name));
		assert_true(ike_cipher_decrypt(&c, ike_bytes(sk_e, key.len + 4), none,
					       ike_bytes(aad, 8), iv, text, plain.len, icv, NULL));
		assert_bytes(ike_bytes(text, plain.len), plain);
		free(text);
	}
	vectors_free(v);
}

/* The ciphertext is the document's; the ICV is HMAC over aad | IV | ciphertext, cut. */
static void cbc_known(struct vectors *v, unsigned int bits, unsigned int i)
{
	struct ike_bytes key = vector(v, "cbc%u.key", bits), iv = vector(v, "cbc.iv");
	struct ike_bytes plain = vector(v, "cbc.plain"), text = vector(v, "cbc%u.text", bits);
	struct ike_bytes aad = ike_bytes("header", 6);
	struct ike_bytes parts[] = {aad, iv, text};
	uint8_t integ_key[64], mac[IKE_HMAC_MAX], icv[IKE_ICV_MAX],
		*buf = exact(plain.p, plain.len);
	struct ike_cipher c;

	memset(integ_key, 0x5c, sizeof(integ_key));
	assert_true(ike_hmac(integs[i].digest, ike_bytes(integ_key, integs[i].key_len), parts, 3,
			     mac, NULL));
	assert_true(ike_cipher_init(&c, IKE_ENCR_AES_CBC, bits, integs[i].integ, NULL));
	assert_false(c.aead);
	assert_int_equal(c.integ_key_len, integs[i].key_len);
	assert_int_equal(c.icv_len, integs[i].icv_len);
	assert_true(ike_cipher_encrypt(&c, key, ike_bytes(integ_key, c.integ_key_len), aad, iv.p,
				       buf, plain.len, icv, NULL));
	assert_bytes(ike_bytes(buf, plain.len), text);
	assert_memory_equal(icv, mac, c.icv_len);
	assert_true(ike_cipher_decrypt(&c, key, ike_bytes(integ_key, c.integ_key_len), aad, iv.p,
				       buf, plain.len, icv, NULL));
	assert_bytes(ike_bytes(buf, plain.len), plain);
	free(buf);
}

static void test_cbc(void **state)
{
	struct vectors *v = vectors_load("aes.json");

	for (unsigned int bits = 128; bits <= 256; bits += 64)
		for (unsigned int i = 0; i < 3; i++)
			cbc_known(v, bits, i);
	vectors_free(v);
}

enum {
	AAD = 20,
	TEXT = 32
};

struct sealed {
	uint8_t aad[AAD], iv[IKE_IV_MAX], text[TEXT], icv[IKE_ICV_MAX];
};

static bool open_copy(const struct ike_cipher *c, const uint8_t *key, struct sealed s,
		      struct ike_error *err)
{
	return ike_cipher_decrypt(c, ike_bytes(key, ike_cipher_encr_key_len(c)),
				  ike_bytes(key, c->integ_key_len), ike_bytes(s.aad, AAD), s.iv,
				  s.text, TEXT, s.icv, err);
}

/* Each single bit of what is authenticated, flipped, must be found. */
static void every_bit(const struct ike_cipher *c)
{
	uint8_t key[64] = {1, 2, 3};
	struct sealed s = {.text = {42}}, bad;
	struct ike_error err;

	assert_true(ike_cipher_encrypt(c, ike_bytes(key, ike_cipher_encr_key_len(c)),
				       ike_bytes(key, c->integ_key_len), ike_bytes(s.aad, AAD),
				       s.iv, s.text, TEXT, s.icv, NULL));
	assert_true(open_copy(c, key, s, NULL));
	for (size_t bit = 0; bit < sizeof(s) * 8; bit++) {
		size_t at = bit / 8;
		bool unused = (at >= AAD + c->iv_len && at < AAD + IKE_IV_MAX) ||
			      at >= offsetof(struct sealed, icv) + c->icv_len;

		bad = s;
		((uint8_t *)&bad)[at] ^= 1 << bit % 8;
		assert_int_equal(open_copy(c, key, bad, &err), unused);
		if (!unused)
			assert_string_equal(err.text, "cipher: ICV is wrong");
	}
}

static void test_every_bit(void **state)
{
	struct ike_cipher c;

	assert_true(ike_cipher_init(&c, IKE_ENCR_AES_GCM_16, 256, IKE_INTEG_NONE, NULL));
	every_bit(&c);
	assert_true(ike_cipher_init(&c, IKE_ENCR_AES_GCM_8, 128, IKE_INTEG_NONE, NULL));
	every_bit(&c);
	assert_true(ike_cipher_init(&c, IKE_ENCR_CHACHA20_POLY1305, 0, IKE_INTEG_NONE, NULL));
	every_bit(&c);
	for (unsigned int i = 0; i < 3; i++) {
		assert_true(ike_cipher_init(&c, IKE_ENCR_AES_CBC, 128, integs[i].integ, NULL));
		every_bit(&c);
	}
}

/* What was not authentic is not left lying about (AEAD), or was never decrypted (CBC). */
static void test_failed_text(void **state)
{
	uint8_t key[64] = {0}, iv[16] = {0}, icv[32] = {0}, text[16], zero[16] = {0};
	struct ike_cipher c;

	memset(text, 0xab, sizeof(text));
	assert_true(ike_cipher_init(&c, IKE_ENCR_AES_GCM_16, 128, IKE_INTEG_NONE, NULL));
	assert_false(ike_cipher_decrypt(&c, ike_bytes(key, 20), ike_bytes(NULL, 0),
					ike_bytes(NULL, 0), iv, text, 16, icv, NULL));
	assert_memory_equal(text, zero, sizeof(text));
	memset(text, 0xab, sizeof(text));
	assert_true(ike_cipher_init(&c, IKE_ENCR_AES_CBC, 128, IKE_INTEG_HMAC_SHA2_256_128, NULL));
	assert_false(ike_cipher_decrypt(&c, ike_bytes(key, 16), ike_bytes(key, 32),
					ike_bytes(NULL, 0), iv, text, 16, icv, NULL));
	for (unsigned int i = 0; i < sizeof(text); i++)
		assert_int_equal(text[i], 0xab);
}

static void test_refuses_algorithms(void **state)
{
	static const struct {
		uint16_t encr, bits, integ;
		const char *text;
	} cases[] = {
		{IKE_ENCR_AES_GCM_16, 256, IKE_INTEG_HMAC_SHA2_256_128,
		 "cipher: HMAC_SHA2_256_128 next to an AEAD (RFC 5282 section 8)"},
		{IKE_ENCR_AES_CBC, 128, IKE_INTEG_NONE,
		 "cipher: integrity algorithm 0 (NONE) is not supported"},
		{IKE_ENCR_AES_CBC, 128, IKE_INTEG_HMAC_SHA1_96,
		 "cipher: integrity algorithm 2 (HMAC_SHA1_96) is not supported"},
		{IKE_ENCR_AES_CBC, 0, IKE_INTEG_HMAC_SHA2_256_128,
		 "cipher: 12 (AES_CBC) with 0 bits is not supported"},
		{IKE_ENCR_AES_GCM_16, 129, 0,
		 "cipher: 20 (AES_GCM_16) with 129 bits is not supported"},
		{IKE_ENCR_3DES, 0, IKE_INTEG_HMAC_SHA2_256_128,
		 "cipher: 3 (3DES) with 0 bits is not supported"},
		{999, 128, 0, "cipher: 999 (unknown) with 128 bits is not supported"},
	};
	struct ike_cipher c;
	struct ike_error err;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_false(
			ike_cipher_init(&c, cases[i].encr, cases[i].bits, cases[i].integ, &err));
		assert_string_equal(err.text, cases[i].text);
		assert_int_equal(err.notify, 0);
	}
}

static void test_refuses_sizes(void **state)
{
	uint8_t key[64] = {0}, iv[16] = {0}, text[32] = {0}, icv[32];
	struct ike_cipher c;
	struct ike_error err;

	assert_true(ike_cipher_init(&c, IKE_ENCR_AES_GCM_16, 256, IKE_INTEG_NONE, NULL));
	assert_false(ike_cipher_encrypt(&c, ike_bytes(key, 32), ike_bytes(key, 0),
					ike_bytes(NULL, 0), iv, text, 32, icv, &err));
	assert_string_equal(err.text, "cipher: keys of 32 and 0 bytes where 36 and 0 are needed");
	assert_true(ike_cipher_init(&c, IKE_ENCR_AES_CBC, 128, IKE_INTEG_HMAC_SHA2_256_128, NULL));
	assert_false(ike_cipher_decrypt(&c, ike_bytes(key, 16), ike_bytes(key, 32),
					ike_bytes(NULL, 0), iv, text, 31, icv, &err));
	assert_string_equal(err.text, "cipher: text of 31 bytes is no multiple of 16");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gcm),
		cmocka_unit_test(test_other_aeads),
		cmocka_unit_test(test_cbc),
		cmocka_unit_test(test_every_bit),
		cmocka_unit_test(test_failed_text),
		cmocka_unit_test(test_refuses_algorithms),
		cmocka_unit_test(test_refuses_sizes),
	};

	return cmocka_run_group_tests_name("ike_cipher", tests, NULL, NULL);
}
