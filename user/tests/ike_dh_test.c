// SPDX-License-Identifier: MIT
/* Key exchange: published answers for every group, and public values that must be refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ikev2/crypto/dh.h"
#include "tests/vectors.h"

static const struct {
	uint16_t id;
	const char *name;
	size_t public_len, secret_len, draw_len;
} groups[] = {
	{IKE_KE_CURVE25519, "x25519", 32, 32, 32},    {IKE_KE_CURVE448, "x448", 56, 56, 56},
	{IKE_KE_ECP_256, "ecp256", 64, 32, 40},	      {IKE_KE_ECP_384, "ecp384", 96, 48, 56},
	{IKE_KE_ECP_521, "ecp521", 132, 66, 74},      {IKE_KE_MODP_2048, "modp2048", 256, 256, 40},
	{IKE_KE_MODP_3072, "modp3072", 384, 384, 53}, {IKE_KE_MODP_4096, "modp4096", 512, 512, 60},
};

enum {
	GROUPS = sizeof(groups) / sizeof(groups[0])
};

/*
 * What must be drawn for the private value @d. The ECP groups make (drawn mod (n - 1)) + 1 of it,
 * so d - 1 is drawn, right-aligned; the others take what is drawn.
 */
static struct ike_dh_key draw(unsigned int g, struct ike_bytes d)
{
	uint8_t drawn[128] = {0};
	struct fixed_random r;
	struct ike_dh_key k;
	size_t lead = groups[g].draw_len - d.len;

	assert_true(d.len <= groups[g].draw_len);
	memcpy(drawn + lead, d.p, d.len);
	if (groups[g].name[0] == 'e')
		drawn[groups[g].draw_len - 1]--; /* no vector ends in 00 */
	fixed_random_init(&r, ike_bytes(drawn, groups[g].draw_len));
	ike_dh_draw(&k, ike_dh_find(groups[g].id), &r.random);
	assert_int_equal(r.bytes.len, 0);
	return k;
}

static void known(struct vectors *v, unsigned int g)
{
	const char *name = groups[g].name;
	struct ike_dh_key a = draw(g, vector(v, "%s.a", name)),
			  b = draw(g, vector(v, "%s.b", name));
	struct ike_secret secret;
	struct ike_error err = {0};

	assert_true(ike_dh_generate(&a, &err));
	assert_true(ike_dh_generate(&b, &err));
	assert_bytes(ike_dh_public(&a), vector(v, "%s.A", name));
	assert_bytes(ike_dh_public(&b), vector(v, "%s.B", name));
	assert_true(ike_dh_derive(&a, ike_dh_public(&b), &secret, &err));
	assert_bytes(ike_secret_bytes(&secret), vector(v, "%s.secret", name));
	assert_true(ike_dh_derive(&b, ike_dh_public(&a), &secret, &err));
	assert_bytes(ike_secret_bytes(&secret), vector(v, "%s.secret", name));
	ike_dh_clear(&a);
	assert_int_equal(a.priv.len, 0);
}

static void test_known(void **state)
{
	struct vectors *v = vectors_load("key_exchange.json");

	for (unsigned int g = 0; g < GROUPS; g++)
		known(v, g);
	vectors_free(v);
}

static void test_table(void **state)
{
	for (unsigned int g = 0; g < GROUPS; g++) {
		const struct ike_dh_group *group = ike_dh_find(groups[g].id);

		assert_non_null(group);
		assert_int_equal(ike_dh_id(group), groups[g].id);
		assert_int_equal(ike_dh_public_len(group), groups[g].public_len);
		assert_int_equal(ike_dh_secret_len(group), groups[g].secret_len);
	}
	assert_null(ike_dh_find(IKE_KE_NONE));
	assert_null(ike_dh_find(IKE_KE_MODP_1024));
	assert_null(ike_dh_find(IKE_KE_ML_KEM_768));
}

/* Whatever a random source gives - all zeros, all ones - a key comes of it, and both ends agree. */
static void test_any_draw(void **state)
{
	uint8_t ones[128];
	struct fixed_random r;

	memset(ones, 0xff, sizeof(ones));
	for (unsigned int g = 0; g < GROUPS; g++) {
		const struct ike_dh_group *group = ike_dh_find(groups[g].id);
		struct ike_dh_key a, b;
		struct ike_secret one, other;
		struct ike_error err = {0};

		fixed_random_init(&r, ike_bytes(NULL, 0));
		ike_dh_draw(&a, group, &r.random);
		fixed_random_init(&r, ike_bytes(ones, sizeof(ones)));
		ike_dh_draw(&b, group, &r.random);
		assert_true(ike_dh_generate(&a, &err) && ike_dh_generate(&b, &err));
		assert_true(ike_dh_derive(&a, ike_dh_public(&b), &one, &err));
		assert_true(ike_dh_derive(&b, ike_dh_public(&a), &other, &err));
		assert_bytes(ike_secret_bytes(&one), ike_secret_bytes(&other));
	}
}

/* A secret that begins with a zero byte keeps it (RFC 7296 section 2.14). */
static void test_leading_zero(void **state)
{
	struct seeded_random r;
	unsigned int found = 0;

	seeded_random_init(&r, 1);
	for (unsigned int i = 0; i < 4000 && !found; i++) {
		struct ike_dh_key a, b;
		struct ike_secret s, t;

		ike_dh_draw(&a, ike_dh_find(IKE_KE_ECP_256), &r.random);
		ike_dh_draw(&b, ike_dh_find(IKE_KE_ECP_256), &r.random);
		assert_true(ike_dh_generate(&a, NULL) && ike_dh_generate(&b, NULL));
		assert_true(ike_dh_derive(&a, ike_dh_public(&b), &s, NULL));
		assert_int_equal(s.len, 32);
		if (s.bytes[0])
			continue;
		assert_true(ike_dh_derive(&b, ike_dh_public(&a), &t, NULL));
		assert_bytes(ike_secret_bytes(&s), ike_secret_bytes(&t));
		found++;
	}
	assert_int_equal(found, 1);
}

static struct ike_dh_key some_key(uint16_t id)
{
	struct seeded_random r;
	struct ike_dh_key k;

	seeded_random_init(&r, id);
	ike_dh_draw(&k, ike_dh_find(id), &r.random);
	assert_true(ike_dh_generate(&k, NULL));
	return k;
}

static void refused(const struct ike_dh_key *k, struct ike_bytes peer, const char *text)
{
	static const struct ike_secret none;
	struct ike_secret s;
	struct ike_error err = {0};

	memset(&s, 0, sizeof(s));
	assert_false(ike_dh_derive(k, peer, &s, &err));
	assert_string_equal(err.text, text);
	assert_int_equal(err.notify, IKE_NOTIFY_INVALID_SYNTAX);
	assert_memory_equal(&s, &none, sizeof(s));
}

static void test_refuses_lengths(void **state)
{
	struct ike_dh_key k = some_key(IKE_KE_CURVE25519);
	uint8_t *longer = calloc(1, 600);

	refused(&k, ike_bytes(longer, 0),
		"KE payload: X25519: the peer's public value has 0 bytes where 32 are needed");
	refused(&k, ike_bytes(longer, 31),
		"KE payload: X25519: the peer's public value has 31 bytes where 32 are needed");
	refused(&k, ike_bytes(longer, 600),
		"KE payload: X25519: the peer's public value has 600 bytes where 32 are needed");
	for (unsigned int g = 0; g < GROUPS; g++) {
		struct ike_secret s;

		k = some_key(groups[g].id);
		assert_false(
			ike_dh_derive(&k, ike_bytes(longer, groups[g].public_len - 1), &s, NULL));
		assert_false(
			ike_dh_derive(&k, ike_bytes(longer, groups[g].public_len + 1), &s, NULL));
	}
	free(longer);
}

/* RFC 7748 section 6: u = 0 and u = 1 have small order, as has p - 1; the result would be 0. */
static void test_refuses_small_order(void **state)
{
	static const char *const small[] = {
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0100000000000000000000000000000000000000000000000000000000000000",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	};
	struct ike_dh_key k = some_key(IKE_KE_CURVE25519);
	uint8_t zero[56] = {0};

	for (unsigned int i = 0; i < 3; i++) {
		struct ike_bytes b = hex(small[i]);

		refused(&k, b,
			"KE payload: X25519: the peer's public value gives no secret (point of "
			"small order)");
		free((void *)b.p);
	}
	k = some_key(IKE_KE_CURVE448);
	refused(&k, ike_bytes(zero, sizeof(zero)),
		"KE payload: X448: the peer's public value gives no secret (point of small order)");
}

static void test_refuses_points(void **state)
{
	static const char *const names[] = {"P-256", "P-384", "P-521"};

	for (uint16_t i = 0; i < 3; i++) {
		struct ike_dh_key k = some_key(IKE_KE_ECP_256 + i);
		uint8_t zero[132] = {0}, ones[132], off[132];
		char text[96];

		snprintf(text, sizeof(text),
			 "KE payload: %s: the peer's public value is no point of the curve",
			 names[i]);
		memset(ones, 0xff, sizeof(ones));
		refused(&k, ike_bytes(zero, k.pub_len), text);
		refused(&k, ike_bytes(ones, k.pub_len), text);
		/* Our own point with one bit of y changed. */
		memcpy(off, k.pub, k.pub_len);
		off[k.pub_len - 1] ^= 1;
		refused(&k, ike_bytes(off, k.pub_len), text);
	}
}

/* RFC 6989 section 2.1: only 1 < y < p - 1. */
static void test_refuses_modp_edges(void **state)
{
	struct vectors *v = vectors_load("key_exchange.json");

	for (uint16_t i = 0; i < 3; i++) {
		struct ike_bytes p = vector(v, "%s.p", groups[5 + i].name);
		struct ike_dh_key k = some_key(IKE_KE_MODP_2048 + i);
		uint8_t y[512] = {0};
		struct ike_secret s;
		char text[96];

		snprintf(text, sizeof(text),
			 "KE payload: modp_%u: the peer's public value is not between 1 and p-1",
			 2048 + 1024 * i);
		refused(&k, ike_bytes(y, p.len), text); /* 0 */
		y[p.len - 1] = 1;
		refused(&k, ike_bytes(y, p.len), text); /* 1 */
		refused(&k, p, text);
		memcpy(y, p.p, p.len);
		y[p.len - 1]--; /* p is odd: p - 1 */
		refused(&k, ike_bytes(y, p.len), text);
		memset(y, 0xff, p.len); /* more than p */
		refused(&k, ike_bytes(y, p.len), text);
		memset(y, 0, p.len);
		y[p.len - 1] = 2; /* the least that is allowed: gives 2^a, our own public value */
		assert_true(ike_dh_derive(&k, ike_bytes(y, p.len), &s, NULL));
		assert_bytes(ike_secret_bytes(&s), ike_dh_public(&k));
	}
	vectors_free(v);
}

static void test_order(void **state)
{
	struct seeded_random r;
	struct ike_dh_key k;
	struct ike_secret s;
	struct ike_error err;
	uint8_t peer[32] = {9};

	seeded_random_init(&r, 1);
	ike_dh_draw(&k, ike_dh_find(IKE_KE_CURVE25519), &r.random);
	assert_int_equal(ike_dh_public(&k).len, 0);
	assert_false(ike_dh_derive(&k, ike_bytes(peer, 32), &s, &err));
	assert_string_equal(err.text, "X25519: derive before generate");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known),		cmocka_unit_test(test_table),
		cmocka_unit_test(test_any_draw),	cmocka_unit_test(test_leading_zero),
		cmocka_unit_test(test_refuses_lengths), cmocka_unit_test(test_refuses_small_order),
		cmocka_unit_test(test_refuses_points),	cmocka_unit_test(test_refuses_modp_edges),
		cmocka_unit_test(test_order),
	};

	return cmocka_run_group_tests_name("ike_dh", tests, NULL, NULL);
}
