// SPDX-License-Identifier: MIT
/*
 * Packets of RADIUS: an Access-Request to the byte, answers made here by the definitions of RFC 2865,
 * RFC 3579 and RFC 2548, and all that is not to be taken for one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "ikev2/eap/radius.h"
#include "tests/vectors.h"

#define SECRET "xyzzy5461" /* that of RFC 2865 section 7 */

static const uint8_t authenticator[16] = {
	0x0f, 0x40, 0x3f, 0x94, 0x73, 0x97, 0x80, 0x57, 0xbd, 0x83, 0xd5, 0xcb, 0x98, 0xf4, 0x22, 0x7a,
};

static struct ike_radius_exchange exchange(void)
{
	struct ike_radius_exchange x = {.identifier = 7,
					.secret = ike_bytes(SECRET, strlen(SECRET))};

	memcpy(x.authenticator, authenticator, sizeof(authenticator));
	return x;
}

static void md5(const void *data, size_t len, uint8_t out[16])
{
	unsigned int n;

	assert_int_equal(EVP_Digest(data, len, out, &n, EVP_md5(), NULL), 1);
}

/* An answer under construction. */
struct made {
	uint8_t bytes[5000];
	size_t len, mac_at;
};

static void add(struct made *m, uint8_t type, const void *value, size_t len)
{
	m->bytes[m->len++] = type;
	m->bytes[m->len++] = 2 + len;
	if (type == 80 && !m->mac_at)
		m->mac_at = m->len;
	memcpy(m->bytes + m->len, value, len);
	m->len += len;
}

static struct made begin(uint8_t code)
{
	struct made m = {.bytes = {code, 7}, .len = 20};

	return m;
}

static void add_mac(struct made *m)
{
	static const uint8_t zeros[16];

	add(m, 80, zeros, sizeof(zeros));
}

/* RFC 3579 section 3.2, then RFC 2865 section 3. */
static struct ike_bytes finish(struct made *m, const char *secret)
{
	uint8_t all[6000], mac[16];
	unsigned int n;

	m->bytes[2] = m->len >> 8;
	m->bytes[3] = m->len;
	memcpy(m->bytes + 4, authenticator, 16);
	if (m->mac_at) {
		assert_non_null(HMAC(EVP_md5(), secret, strlen(secret), m->bytes, m->len, mac, &n));
		memcpy(m->bytes + m->mac_at, mac, 16);
	}
	memcpy(all, m->bytes, m->len);
	memcpy(all + m->len, secret, strlen(secret));
	md5(all, m->len + strlen(secret), m->bytes + 4);
	return ike_bytes(m->bytes, m->len);
}

/* RFC 2548 section 2.4.2. */
static void add_key(struct made *m, uint8_t type, uint8_t salt, const uint8_t *key, size_t len)
{
	uint8_t plain[64] = {0}, value[120] = {0, 0, 1, 0x37, type}, hashed[100], mask[16];
	size_t padded = (1 + len + 15) / 16 * 16, secret = strlen(SECRET);

	plain[0] = len;
	memcpy(plain + 1, key, len);
	value[5] = 4 + padded;
	value[6] = 0x80 | salt;
	value[7] = 1;
	memcpy(hashed, SECRET, secret);
	memcpy(hashed + secret, authenticator, 16);
	memcpy(hashed + secret + 16, value + 6, 2);
	for (size_t at = 0; at < padded; at += 16) {
		md5(hashed, secret + (at ? 16 : 18), mask);
		for (size_t i = 0; i < 16; i++)
			value[8 + at + i] = plain[at + i] ^ mask[i];
		memcpy(hashed + secret, value + 8 + at, 16);
	}
	add(m, 26, value, 8 + padded);
}

static bool read_as(struct ike_bytes packet, struct ike_radius_answer *a, struct ike_error *err)
{
	struct ike_radius_exchange x = exchange();
	struct ike_bytes copy = ike_bytes(exact(packet.p, packet.len), packet.len);
	bool ok;

	memset(err, 0, sizeof(*err));
	ok = ike_radius_read(copy, &x, a, err);
	free((void *)copy.p);
	return ok;
}

static void refused(struct ike_bytes packet, const char *why)
{
	struct ike_radius_answer a;
	struct ike_error err;

	assert_false(read_as(packet, &a, &err));
	assert_string_equal(err.text, why);
}

/* Long EAP packets go in pieces of 253 bytes: 300 are 253 and 47. */
static void test_request(void **state)
{
	uint8_t buf[IKE_RADIUS_PACKET_MAX], eap[300], mac[16], copy[IKE_RADIUS_PACKET_MAX];
	struct ike_radius_exchange x = exchange();
	struct ike_radius_request r = {
		.user = ike_bytes("carol", 5),
		.eap = ike_bytes(eap, sizeof(eap)),
		.state = ike_bytes("st", 2),
		.nas_identifier = "gw",
		.nas = {.family = AF_INET, .bytes = {192, 0, 2, 1}},
		.called = "192.0.2.1",
		.calling = "192.0.2.2",
	};
	/* 20 + 18 + 7 + 6 + 6 + 4 + 6 + 11 + 11 + 4 + 255 + 49 */
	enum { LEN = 397, MAC_AT = 22 };
	struct ike_bytes want = hex(
		"01 07 018d 0f403f9473978057bd83d5cb98f4227a"
		"50 12 00000000000000000000000000000000 01 07 6361726f6c 06 06 00000002"
		"3d 06 00000005 20 04 6777 04 06 c0000201 1e 0b 3139322e302e322e31"
		"1f 0b 3139322e302e322e32 18 04 7374 4f ff");
	struct ike_writer w;
	unsigned int n;

	memset(eap, 'e', sizeof(eap));
	ike_writer_init(&w, buf, sizeof(buf));
	assert_true(ike_radius_write(&w, &x, &r, NULL));
	assert_int_equal(w.len, LEN);
	memcpy(copy, buf, LEN);
	memset(copy + MAC_AT, 0, 16);
	assert_bytes(ike_bytes(copy, want.len), want);
	assert_int_equal(copy[want.len + 253], 79);
	assert_int_equal(copy[want.len + 254], 49);
	HMAC(EVP_md5(), SECRET, strlen(SECRET), copy, LEN, mac, &n);
	assert_memory_equal(buf + MAC_AT, mac, 16);
	free((void *)want.p);
}

static void test_request_too_long(void **state)
{
	static uint8_t eap[IKE_RADIUS_PACKET_MAX];
	uint8_t buf[IKE_RADIUS_PACKET_MAX];
	struct ike_radius_exchange x = exchange();
	struct ike_radius_request r = {.user = ike_bytes("carol", 5),
				       .eap = ike_bytes(eap, sizeof(eap))};
	struct ike_error err;
	struct ike_writer w;

	ike_writer_init(&w, buf, sizeof(buf));
	assert_false(ike_radius_write(&w, &x, &r, &err));
	assert_string_equal(err.text, "an Access-Request of RADIUS does not fit: user's name of 5 "
				      "bytes, EAP packet of 4096");
}

static void test_challenge(void **state)
{
	struct made m = begin(IKE_RADIUS_ACCESS_CHALLENGE);
	struct ike_radius_answer a;
	struct ike_error err;
	uint8_t eap[300];

	memset(eap, 'e', sizeof(eap));
	add(&m, 79, eap, 253);
	add(&m, 24, "state", 5);
	add(&m, 79, eap, 47);
	add_mac(&m);
	finish(&m, SECRET);
	/* Section 3: what is behind the length is padding. */
	m.len += 3;
	assert_true(read_as(ike_bytes(m.bytes, m.len), &a, &err));
	assert_int_equal(a.code, IKE_RADIUS_ACCESS_CHALLENGE);
	assert_int_equal(a.eap_len, 300);
	assert_memory_equal(a.eap, eap, 300);
	assert_int_equal(a.state.len, 5);
	assert_int_equal(a.msk.len, 0);
}

/* Of EAP-TLS, 32 bytes each, and of EAP-MSCHAPv2, 16: what is missing is zero. */
static void test_keys(void **state)
{
	for (size_t len = 16; len <= 32; len += 16) {
		struct made m = begin(IKE_RADIUS_ACCESS_ACCEPT);
		uint8_t recv[32], send[32], msk[64] = {0};
		struct ike_radius_answer a;
		struct ike_error err;

		memset(recv, 'r', sizeof(recv));
		memset(send, 's', sizeof(send));
		memcpy(msk, recv, len);
		memcpy(msk + len, send, len);
		add_mac(&m);
		add_key(&m, 16, 1, send, len);
		add(&m, 1, "carol", 5);
		add_key(&m, 17, 2, recv, len);
		add(&m, 26, "\0\0\0\1other", 9);
		assert_true(read_as(finish(&m, SECRET), &a, &err));
		assert_bytes(ike_key_bytes(&a.msk), ike_bytes(msk, sizeof(msk)));
		/* Not a challenge's. */
		m.bytes[0] = IKE_RADIUS_ACCESS_CHALLENGE;
		memset(m.bytes + m.mac_at, 0, 16);
		assert_true(read_as(finish(&m, SECRET), &a, &err));
		assert_int_equal(a.msk.len, 0);
	}
}

/* Several attributes Class, of which the first sixteen count. */
static void test_classes(void **state)
{
	struct made m = begin(IKE_RADIUS_ACCESS_ACCEPT);
	struct ike_radius_answer a;
	struct ike_error err;

	add_mac(&m);
	add(&m, 25, "staff", 5);
	add(&m, 25, "net admins", 10);
	assert_true(read_as(finish(&m, SECRET), &a, &err));
	assert_int_equal(a.n_classes, 2);
	assert_int_equal(a.classes[0].len, 5);
	assert_int_equal(a.classes[1].len, 10);
	for (unsigned int i = 0; i < 20; i++)
		add(&m, 25, "x", 1);
	memset(m.bytes + m.mac_at, 0, 16);
	assert_true(read_as(finish(&m, SECRET), &a, &err));
	assert_int_equal(a.n_classes, IKE_RADIUS_CLASSES_MAX);
}

static void test_half_a_key(void **state)
{
	struct made m = begin(IKE_RADIUS_ACCESS_ACCEPT);
	struct ike_radius_answer a;
	struct ike_error err;

	add_mac(&m);
	add_key(&m, 17, 1, authenticator, 16);
	assert_true(read_as(finish(&m, SECRET), &a, &err));
	assert_int_equal(a.msk.len, 0);
}

#define WRONG_AUTHENTICATOR \
	"its Response Authenticator is wrong: the secret is another, or it is forged"

static void test_forged(void **state)
{
	struct made m = begin(IKE_RADIUS_ACCESS_ACCEPT), good;

	add_mac(&m);
	refused(finish(&m, "another"), WRONG_AUTHENTICATOR);
	/* Blast-RADIUS: a Response Authenticator that fits is not enough. */
	m = begin(IKE_RADIUS_ACCESS_ACCEPT);
	refused(finish(&m, SECRET), "there is no Message-Authenticator in it");
	m = begin(IKE_RADIUS_ACCESS_ACCEPT);
	add(&m, 80, authenticator, 16);
	m.mac_at = 0;
	refused(finish(&m, SECRET), "its Message-Authenticator is wrong: it is forged");
	m = begin(IKE_RADIUS_ACCESS_ACCEPT);
	add_mac(&m);
	add_mac(&m);
	refused(finish(&m, SECRET), "its Message-Authenticator is malformed");
	m = begin(IKE_RADIUS_ACCESS_ACCEPT);
	add(&m, 80, authenticator, 15);
	m.mac_at = 0;
	refused(finish(&m, SECRET), "its Message-Authenticator is malformed");
	/* Each bit of a good one counts. */
	good = begin(IKE_RADIUS_ACCESS_REJECT);
	add_mac(&good);
	add(&good, 18, "no", 2);
	finish(&good, SECRET);
	for (size_t i = 0; i < good.len * 8; i++) {
		struct ike_radius_answer a;
		struct ike_error err;

		m = good;
		m.bytes[i / 8] ^= 1 << i % 8;
		assert_false(read_as(ike_bytes(m.bytes, m.len), &a, &err));
	}
}

static void test_malformed(void **state)
{
	struct made m = begin(IKE_RADIUS_ACCESS_ACCEPT);
	uint8_t value[64] = {0, 0, 1, 0x37, 17, 200};

	add_mac(&m);
	for (size_t len = 0; len < 20; len++)
		refused(ike_bytes(m.bytes, len), "it is no answer of RADIUS to what was asked");
	m.bytes[1] = 8;
	refused(finish(&m, SECRET), "it is no answer of RADIUS to what was asked");
	m = begin(5);
	add_mac(&m);
	refused(finish(&m, SECRET), "its code 5 is none of an answer");
	m = begin(IKE_RADIUS_ACCESS_ACCEPT);
	add_mac(&m);
	m.bytes[m.len++] = 1;
	m.bytes[m.len++] = 3;
	refused(finish(&m, SECRET), "an attribute is cut off");
	m.bytes[m.len - 1] = 1;
	memset(m.bytes + m.mac_at, 0, 16);
	refused(finish(&m, SECRET), "an attribute is cut off");
	m = begin(IKE_RADIUS_ACCESS_ACCEPT);
	add_mac(&m);
	add(&m, 26, value, 8);
	refused(finish(&m, SECRET), "a vendor's attribute is cut off");
	value[5] = 4;
	m = begin(IKE_RADIUS_ACCESS_ACCEPT);
	add_mac(&m);
	add(&m, 26, value, 8);
	refused(finish(&m, SECRET), "a key of 2 bytes in it is malformed");
	/* 48 random bytes whose first says that there are more. */
	value[5] = 2 + 2 + 48;
	m = begin(IKE_RADIUS_ACCESS_ACCEPT);
	add_mac(&m);
	add(&m, 26, value, 8 + 48);
	{
		struct ike_radius_answer a;
		struct ike_error err;

		assert_false(read_as(finish(&m, SECRET), &a, &err));
		assert_memory_equal(err.text, "a key in it has a length of ", 28);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_request),
		cmocka_unit_test(test_request_too_long),
		cmocka_unit_test(test_challenge),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_classes),
		cmocka_unit_test(test_half_a_key),
		cmocka_unit_test(test_forged),
		cmocka_unit_test(test_malformed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
