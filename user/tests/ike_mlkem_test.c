// SPDX-License-Identifier: MIT
/*
 * ML-KEM as a key exchange: published answers, values that must be refused, and two engines that
 * use it. OpenSSL before 3.5 has none: then that it is refused by name is all there is to see.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/evp.h>

#include "ikev2/crypto/dh.h"
#include "tests/vectors.h"
#include "tests/world.h"

/* FIPS 203 section 8, table 3. */
static const struct {
	uint16_t id;
	size_t public_len, answer_len;
	const char *word;
} kems[] = {
	{IKE_KE_ML_KEM_512, 800, 768, "mlkem512"},
	{IKE_KE_ML_KEM_768, 1184, 1088, "mlkem768"},
	{IKE_KE_ML_KEM_1024, 1568, 1568, "mlkem1024"},
};

enum { KEMS = sizeof(kems) / sizeof(kems[0]) };

static void need_mlkem(void)
{
	if (ike_dh_find(IKE_KE_ML_KEM_768))
		return;
	print_message("# %s has no ML-KEM\n", ike_dh_library());
	skip();
}

/* What is drawn for a key, or for an answer. */
static struct ike_dh_key draw(uint16_t id, const uint8_t *bytes, size_t len)
{
	uint8_t drawn[64] = {0};
	struct fixed_random r;
	struct ike_dh_key k;

	memcpy(drawn, bytes, len);
	fixed_random_init(&r, ike_bytes(drawn, sizeof(drawn)));
	ike_dh_draw(&k, ike_dh_find(id), &r.random);
	return k;
}

static uint8_t *shake128(struct ike_bytes in, size_t len)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t *out = malloc(len);

	assert_int_equal(EVP_DigestInit_ex(ctx, EVP_shake128(), NULL), 1);
	assert_int_equal(EVP_DigestUpdate(ctx, in.p, in.len), 1);
	assert_int_equal(EVP_DigestFinalXOF(ctx, out, len), 1);
	EVP_MD_CTX_free(ctx);
	return out;
}

/*
 * The accumulated vectors of Go's crypto/mlkem (TestAccumulated, 100 rounds): seeds, messages and
 * random ciphertexts come out of SHAKE128 of nothing; encapsulation keys, ciphertexts, secrets and
 * what the random ciphertexts decapsulate to go into another.
 */
static void test_known(void **state)
{
	enum { ROUNDS = 100, SEED = 64, MESSAGE = 32, CT = 1088, DRAWN = SEED + MESSAGE + CT,
	       MADE = 1184 + CT + 32 + 32 };
	static const uint8_t want[] = {
		0x11, 0x14, 0xb1, 0xb6, 0x69, 0x9e, 0xd1, 0x91,
		0x73, 0x4f, 0xa3, 0x39, 0x37, 0x6a, 0xfa, 0x7e,
		0x28, 0x5c, 0x9e, 0x6a, 0xcf, 0x6f, 0xf0, 0x17,
		0x7d, 0x34, 0x66, 0x96, 0xce, 0x56, 0x44, 0x15,
	};
	uint8_t *drawn, *got, *made;
	struct ike_writer w;

	need_mlkem();
	drawn = shake128(ike_bytes("", 0), ROUNDS * DRAWN);
	made = malloc(ROUNDS * MADE);
	ike_writer_init(&w, made, ROUNDS * MADE);
	for (unsigned int i = 0; i < ROUNDS; i++) {
		const uint8_t *at = drawn + i * DRAWN;
		struct ike_dh_key a = draw(IKE_KE_ML_KEM_768, at, SEED);
		struct ike_dh_key b = draw(IKE_KE_ML_KEM_768, at + SEED, MESSAGE);
		struct ike_secret ours, theirs;

		assert_true(ike_dh_generate(&a, NULL));
		assert_true(ike_dh_respond(&b, ike_dh_public(&a), &theirs, NULL));
		assert_true(ike_dh_derive(&a, ike_dh_public(&b), &ours, NULL));
		assert_bytes(ike_secret_bytes(&ours), ike_secret_bytes(&theirs));
		ike_put(&w, ike_dh_public(&a));
		ike_put(&w, ike_dh_public(&b));
		ike_put(&w, ike_secret_bytes(&theirs));
		/* Of a ciphertext that is nobody's comes a secret that is nobody's. */
		assert_true(ike_dh_derive(&a, ike_bytes(at + SEED + MESSAGE, CT), &ours, NULL));
		ike_put(&w, ike_secret_bytes(&ours));
	}
	assert_int_equal(w.len, ROUNDS * MADE);
	got = shake128(ike_written(&w), sizeof(want));
	assert_memory_equal(got, want, sizeof(want));
	free(got);
	free(made);
	free(drawn);
}

static void test_lengths(void **state)
{
	static const uint8_t seed[64] = {1}, zeros[IKE_DH_PUBLIC_MAX + 1];
	struct ike_error err;

	need_mlkem();
	for (unsigned int i = 0; i < KEMS; i++) {
		struct ike_dh_key a = draw(kems[i].id, seed, sizeof(seed)), b;
		struct ike_secret s;

		assert_int_equal(ike_dh_public_len(a.group), kems[i].public_len);
		assert_int_equal(ike_dh_answer_len(a.group), kems[i].answer_len);
		assert_int_equal(ike_dh_secret_len(a.group), 32);
		assert_true(ike_dh_generate(&a, NULL));
		assert_int_equal(ike_dh_public(&a).len, kems[i].public_len);
		for (int d = -1; d <= 1; d += 2) {
			b = draw(kems[i].id, seed, sizeof(seed));
			assert_false(ike_dh_respond(&b, ike_bytes(zeros, kems[i].public_len + d),
						    &s, &err));
			assert_int_equal(err.notify, IKE_NOTIFY_INVALID_SYNTAX);
			assert_false(ike_dh_derive(&a, ike_bytes(zeros, kems[i].answer_len + d),
						   &s, &err));
			assert_int_equal(err.notify, IKE_NOTIFY_INVALID_SYNTAX);
			assert_int_equal(s.len, 0);
		}
		/* Who answers does not send a key. */
		if (kems[i].public_len != kems[i].answer_len)
			assert_false(ike_dh_derive(&a, ike_dh_public(&a), &s, &err));
	}
}

/* FIPS 203 section 7.2: coefficients that are not reduced modulo q. */
static void test_modulus(void **state)
{
	static const uint8_t seed[64] = {1};
	struct ike_error err;

	need_mlkem();
	for (unsigned int i = 0; i < KEMS; i++) {
		struct ike_dh_key a = draw(kems[i].id, seed, sizeof(seed));
		struct ike_dh_key b = draw(kems[i].id, seed, sizeof(seed));
		struct ike_secret s;

		assert_true(ike_dh_generate(&a, NULL));
		a.pub[0] = a.pub[1] = 0xff;
		assert_false(ike_dh_respond(&b, ike_dh_public(&a), &s, &err));
		assert_int_equal(err.notify, IKE_NOTIFY_INVALID_SYNTAX);
		assert_non_null(strstr(err.text, "the peer's public value is no encapsulation key"));
	}
}

static void propose(struct world *w, const char *ike, const char *esp)
{
	for (unsigned int i = 0; i < 2; i++) {
		struct ike_conn_cfg *c = &w->end[i].config->conns[0];

		ike_proposal_list_clear(&c->proposals);
		ike_proposal_list_clear(&c->children[0].proposals);
		assert_true(ike_proposal_list_parse(&c->proposals, IKE_PROTO_IKE, ike, NULL));
		assert_true(ike_proposal_list_parse(&c->children[0].proposals, IKE_PROTO_ESP,
						    esp, NULL));
	}
}

static void rekey(struct world *w, unsigned int end, const char *child)
{
	struct ike_match match = {.conn = "site", .child = child};
	const char *why;

	assert_int_not_equal(ike_engine_rekey(w->end[end].engine, w->now, &match, &why), 0);
	world_run(w);
	world_pass(w, 10 * IKE_SECOND);
}

static void test_engines(void **state)
{
	static const char *const suites[][2] = {
		{"aes256gcm16-prfsha384-x25519-ke1_mlkem768", "aes256gcm16-x25519-ke1_mlkem768"},
		{"aes256gcm16-prfsha384-x25519-ke1_mlkem512-ke2_mlkem1024",
		 "aes256gcm16-ecp384-ke1_mlkem1024-ke2_mlkem512"},
		/* As the first one. */
		{"aes256gcm16-prfsha384-mlkem768-ke1_x25519", "aes256gcm16-mlkem1024"},
	};

	need_mlkem();
	for (size_t i = 0; i < sizeof(suites) / sizeof(suites[0]); i++) {
		struct world *w = world_new();

		propose(w, suites[i][0], suites[i][1]);
		world_start(w);
		world_up(w);
		rekey(w, 0, "net");
		rekey(w, 1, "net");
		rekey(w, 0, NULL);
		rekey(w, 1, NULL);
		assert_true(world_connected(w));
		for (unsigned int end = 0; end < 2; end++) {
			assert_int_equal(w->end[end].events[IKE_EVENT_CHILD_REKEYED], 2);
			assert_int_equal(w->end[end].events[IKE_EVENT_IKE_REKEYED], 2);
			assert_int_equal(world_count_ike(w, end, NULL), 1);
		}
		world_free(w);
	}
}

/* With any library: by name, and with the library's where there is none. */
static void test_refused_by_name(void **state)
{
	for (unsigned int i = 0; i < KEMS; i++) {
		struct ike_proposal_list list = {0};
		struct ike_error err = {0};
		char text[64], want[160];
		bool there = ike_dh_find(kems[i].id);

		assert_true(ike_dh_is_kem(kems[i].id));
		snprintf(text, sizeof(text), "aes128gcm16-prfsha256-x25519-ke1_%s", kems[i].word);
		snprintf(want, sizeof(want),
			 "algorithm \"ke1_%s\" needs OpenSSL 3.5 or later, and this is OpenSSL 3.",
			 kems[i].word);
		assert_int_equal(ike_proposal_list_parse(&list, IKE_PROTO_IKE, text, &err), there);
		if (!there)
			assert_non_null(strstr(err.text, want));
		ike_proposal_list_clear(&list);
	}
	assert_false(ike_dh_is_kem(IKE_KE_CURVE25519));
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known),   cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_modulus), cmocka_unit_test(test_engines),
		cmocka_unit_test(test_refused_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
