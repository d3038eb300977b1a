// SPDX-License-Identifier: MIT
/* Whole messages with an SK payload: composed elsewhere and opened here, sealed and opened here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ikev2/crypto/protect.h"
#include "tests/vectors.h"

static const struct {
	const char *name;
	uint16_t encr, bits, integ;
} suites[] = {
	{"gcm128", IKE_ENCR_AES_GCM_16, 128, IKE_INTEG_NONE},
	{"gcm192", IKE_ENCR_AES_GCM_16, 192, IKE_INTEG_NONE},
	{"gcm256", IKE_ENCR_AES_GCM_16, 256, IKE_INTEG_NONE},
	{"cbc128sha256", IKE_ENCR_AES_CBC, 128, IKE_INTEG_HMAC_SHA2_256_128},
	{"cbc256sha384", IKE_ENCR_AES_CBC, 256, IKE_INTEG_HMAC_SHA2_384_192},
	{"cbc192sha512", IKE_ENCR_AES_CBC, 192, IKE_INTEG_HMAC_SHA2_512_256},
};

enum {
	SUITES = sizeof(suites) / sizeof(suites[0])
};

static void protect_for(struct ike_protect *p, struct vectors *v, unsigned int i)
{
	struct ike_key encr = vector_key(v, "%s.sk_e", suites[i].name), integ = {0};
	struct ike_cipher c;

	assert_true(ike_cipher_init(&c, suites[i].encr, suites[i].bits, suites[i].integ, NULL));
	if (!c.aead)
		integ = vector_key(v, "%s.sk_a", suites[i].name);
	assert_true(ike_protect_init(p, &c, &encr, &integ, NULL));
}

/* Opens the SK payload of @message, in place. */
static bool open_message(uint8_t *message, size_t len, const struct ike_protect *p,
			 struct ike_bytes *plain, uint8_t *first, struct ike_error *err)
{
	struct ike_payloads all;
	struct ike_header h;
	const struct ike_payload *sk;

	assert_true(ike_header_decode(ike_bytes(message, len), &h, err));
	if (!ike_payloads_decode(&all, h.next,
				 ike_bytes(message + IKE_HEADER_LEN, len - IKE_HEADER_LEN), err))
		return false;
	sk = ike_payloads_find(&all, IKE_PAYLOAD_SK);
	assert_non_null(sk);
	*first = sk->next;
	return ike_sk_open(message, len, sk, p, plain, err);
}

static void test_opens_others(void **state)
{
	struct vectors *v = vectors_load("ike_composed.json");

	for (unsigned int i = 0; i < SUITES; i++) {
		struct ike_bytes m = vector(v, "%s.message", suites[i].name), plain;
		uint8_t *copy = exact(m.p, m.len), first;
		struct ike_wire_notify n;
		struct ike_payloads inner;
		struct ike_protect p;
		struct ike_error err = {0};

		protect_for(&p, v, i);
		assert_true(open_message(copy, m.len, &p, &plain, &first, &err));
		assert_bytes(plain, vector(v, "inner"));
		assert_int_equal(first, IKE_PAYLOAD_NOTIFY);
		assert_true(ike_payloads_decode(&inner, first, plain, &err));
		assert_int_equal(inner.n, 1);
		assert_true(ike_notify_decode(inner.items[0].body, &n, &err));
		assert_int_equal(n.type, IKE_NOTIFY_INITIAL_CONTACT);
		free(copy);
	}
	vectors_free(v);
}

/* The same message, made here: the AEAD ones come out byte for byte. */
static void test_seals_the_same(void **state)
{
	struct vectors *v = vectors_load("ike_composed.json");

	for (unsigned int i = 0; i < 3; i++) {
		struct ike_header h = {.exchange = IKE_EXCHANGE_INFORMATIONAL,
				       .flags = IKE_FLAG_INITIATOR,
				       .message_id = 7};
		struct ike_cursor spis = ike_cursor(vector(v, "keys.spi_i"));
		uint8_t buf[256];
		struct ike_protect p;
		struct ike_writer w;
		size_t mark;

		h.spi_i = ike_get64(&spis);
		spis = ike_cursor(vector(v, "keys.spi_r"));
		h.spi_r = ike_get64(&spis);
		protect_for(&p, v, i);
		p.sealed = suites[i].bits; /* the IV that the composed message has */
		ike_writer_init(&w, buf, sizeof(buf));
		ike_message_begin(&w, &h);
		mark = ike_sk_begin(&w, &p);
		ike_put_notify(&w, IKE_NOTIFY_INITIAL_CONTACT, ike_bytes(NULL, 0));
		assert_true(ike_sk_seal(&w, mark, &p, NULL, NULL));
		assert_bytes(ike_written(&w), vector(v, "%s.message", suites[i].name));
		assert_int_equal(p.sealed, suites[i].bits + 1);
	}
	vectors_free(v);
}

static size_t seal(struct ike_protect *p, uint8_t *buf, size_t cap, size_t data_len,
		   struct seeded_random *r)
{
	struct ike_header h = {.spi_i = 1, .spi_r = 2, .exchange = IKE_EXCHANGE_AUTH};
	uint8_t data[300] = {7};
	struct ike_writer w;
	size_t mark;

	ike_writer_init(&w, buf, cap);
	ike_message_begin(&w, &h);
	mark = ike_sk_begin(&w, p);
	if (data_len)
		ike_put_vendor(&w, ike_bytes(data, data_len));
	return ike_sk_seal(&w, mark, p, &r->random, NULL) ? w.len : 0;
}

/* Every length of text, so every length of padding; the empty SK payload too. */
static void test_every_length(void **state)
{
	struct vectors *v = vectors_load("ike_composed.json");
	struct seeded_random r;

	seeded_random_init(&r, 5);
	for (unsigned int i = 0; i < SUITES; i++) {
		struct ike_protect p;

		protect_for(&p, v, i);
		for (size_t n = 0; n < 70; n++) {
			uint8_t buf[512], first;
			size_t len = seal(&p, buf, sizeof(buf), n, &r);
			struct ike_bytes plain;

			assert_true(len > 0);
			assert_true(open_message(buf, len, &p, &plain, &first, NULL));
			assert_int_equal(plain.len, n ? n + IKE_GENERIC_LEN : 0);
			assert_int_equal(first, n ? IKE_PAYLOAD_VENDOR : IKE_PAYLOAD_NONE);
		}
	}
	vectors_free(v);
}

/* IVs of an AEAD never come twice; those of CBC come from the random source. */
static void test_ivs(void **state)
{
	struct vectors *v = vectors_load("ike_composed.json");
	struct seeded_random r;
	struct ike_protect p;
	uint8_t buf[512];

	seeded_random_init(&r, 5);
	protect_for(&p, v, 2);
	for (uint64_t i = 0; i < 300; i++) {
		struct ike_cursor c;

		assert_true(seal(&p, buf, sizeof(buf), 1, &r) > 0);
		c = ike_cursor(ike_bytes(buf + IKE_HEADER_LEN + IKE_GENERIC_LEN, 8));
		assert_int_equal(ike_get64(&c), i);
	}
	protect_for(&p, v, 3);
	for (uint64_t i = 0; i < 10; i++) {
		struct seeded_random same = r;
		uint8_t iv[16];

		ike_random_fill(&(struct ike_random){same.random.fill, &same}, iv, sizeof(iv));
		assert_true(seal(&p, buf, sizeof(buf), 1, &r) > 0);
		assert_memory_equal(buf + IKE_HEADER_LEN + IKE_GENERIC_LEN, iv, sizeof(iv));
	}
	vectors_free(v);
}

/* Whatever the capacity: sealed whole or refused, and nothing written behind the end. */
static void test_every_capacity(void **state)
{
	struct vectors *v = vectors_load("ike_composed.json");
	struct seeded_random r;
	uint8_t whole[512];

	seeded_random_init(&r, 5);
	for (unsigned int i = 2; i < 4; i++) {
		struct ike_protect p;
		size_t len;

		protect_for(&p, v, i);
		len = seal(&p, whole, sizeof(whole), 20, &r);
		for (size_t cap = 0; cap <= len; cap++) {
			uint8_t *buf = malloc(cap);

			assert_int_equal(seal(&p, buf, cap, 20, &r), cap == len ? len : 0);
			free(buf);
		}
	}
	vectors_free(v);
}

/* A message cut anywhere, its lengths made to fit again, is refused and breaks nothing. */
static void test_truncated(void **state)
{
	struct vectors *v = vectors_load("ike_composed.json");

	for (unsigned int i = 0; i < SUITES; i++) {
		struct ike_bytes m = vector(v, "%s.message", suites[i].name), plain;
		struct ike_protect p;

		protect_for(&p, v, i);
		for (size_t len = IKE_HEADER_LEN + IKE_GENERIC_LEN; len < m.len; len++) {
			uint8_t *copy = exact(m.p, len), first;
			struct ike_error err = {0};
			struct ike_writer w;

			ike_writer_init(&w, copy, len);
			w.len = len;
			ike_patch32(&w, 24, len);
			ike_patch16(&w, IKE_HEADER_LEN + 2, len - IKE_HEADER_LEN);
			assert_false(open_message(copy, len, &p, &plain, &first, &err));
			assert_int_equal(err.notify, 0);
			assert_ptr_equal(strstr(err.text, "SK payload: "), err.text);
			free(copy);
		}
	}
	vectors_free(v);
}

static void test_texts(void **state)
{
	struct vectors *v = vectors_load("ike_composed.json");
	struct ike_bytes m = vector(v, "cbc128sha256.message"), plain;
	uint8_t buf[512], first;
	struct ike_key wrong = {.len = 5}, none = {0};
	struct ike_protect p;
	struct ike_error err;
	struct ike_payload sk = {.type = IKE_PAYLOAD_SK};

	protect_for(&p, v, 3);
	memcpy(buf, m.p, m.len);
	buf[m.len - 1] ^= 1;
	assert_false(open_message(buf, m.len, &p, &plain, &first, &err));
	assert_string_equal(err.text, "SK payload: cipher: ICV is wrong");
	sk.body = ike_bytes(buf + 32, 20);
	assert_false(ike_sk_open(buf, 52, &sk, &p, &plain, &err));
	assert_string_equal(err.text, "SK payload: 20 bytes where 33 are the least");
	sk.body.len = 40;
	assert_false(ike_sk_open(buf, 72, &sk, &p, &plain, &err));
	assert_string_equal(err.text, "SK payload: 8 bytes of text, no multiple of 16");
	assert_false(ike_sk_open(buf, 73, &sk, &p, &plain, &err));
	assert_string_equal(err.text, "SK payload: does not end where the message does");
	assert_false(ike_protect_init(&p, &p.cipher, &wrong, &none, &err));
	assert_string_equal(err.text, "SK keys of 5 and 0 bytes where 16 and 32 are needed");
	wrong.len = 16;
	assert_false(ike_protect_init(&p, &p.cipher, &wrong, &none, &err));
	assert_string_equal(err.text, "SK keys of 16 and 0 bytes where 16 and 32 are needed");
	vectors_free(v);
}

/* Authentic, but with more padding announced than there is text: the peer is told. */
static void test_bad_padding(void **state)
{
	struct ike_key key = {.len = 20}, none = {0};
	struct ike_header h = {.exchange = IKE_EXCHANGE_INFORMATIONAL};
	uint8_t buf[64], first;
	struct ike_bytes plain;
	struct ike_protect p;
	struct ike_cipher c;
	struct ike_writer w;
	struct ike_error err;
	size_t mark;

	assert_true(ike_cipher_init(&c, IKE_ENCR_AES_GCM_16, 128, IKE_INTEG_NONE, NULL));
	assert_true(ike_protect_init(&p, &c, &key, &none, NULL));
	ike_writer_init(&w, buf, sizeof(buf));
	ike_message_begin(&w, &h);
	mark = ike_sk_begin(&w, &p);
	ike_put8(&w, 4); /* Pad Length: with none before it, the text has 1 byte */
	ike_put_room(&w, c.icv_len);
	ike_payload_end(&w, mark);
	assert_true(ike_message_end(&w));
	assert_true(ike_cipher_encrypt(&c, ike_key_bytes(&key), ike_bytes(NULL, 0),
				       ike_bytes(buf, mark + 4), buf + mark + 4, buf + mark + 12, 1,
				       buf + mark + 13, NULL));
	assert_false(open_message(buf, w.len, &p, &plain, &first, &err));
	assert_string_equal(err.text, "SK payload: padding of 4 bytes in 1");
	assert_int_equal(err.notify, IKE_NOTIFY_INVALID_SYNTAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_opens_others),   cmocka_unit_test(test_seals_the_same),
		cmocka_unit_test(test_every_length),   cmocka_unit_test(test_ivs),
		cmocka_unit_test(test_every_capacity), cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_texts),	       cmocka_unit_test(test_bad_padding),
	};

	return cmocka_run_group_tests_name("ike_protect", tests, NULL, NULL);
}
