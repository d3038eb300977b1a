// SPDX-License-Identifier: MIT
/*
 * Additional key exchanges (RFC 9370) in IKE_INTERMEDIATE (RFC 9242): both ends do them and have the
 * same keys; who leaves one out, or changes one, is found out.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/addke.h"

static void assert_none(struct world *w)
{
	for (unsigned int i = 0; i < 2; i++) {
		assert_int_equal(world_count_ike(w, i, "ESTABLISHED"), 0);
		assert_int_equal(world_count_sas(&w->end[i]), 0);
		assert_int_equal(w->end[i].spis, 0);
	}
}

static void test_one(void **state)
{
	struct world *w = addke_begin("aes128gcm16-prfsha256-x25519-ke1_ecp256",
				"aes128gcm16-prfsha256-x25519-ke1_ecp256");

	world_start(w);
	world_up(w);
	addke_assert_up(w);
	/* RFC 9370 section 2.2.2: one more exchange. */
	assert_int_equal(w->n_sent, 6);
	assert_int_equal(addke_count(w, IKE_EXCHANGE_INTERMEDIATE), 2);
	for (unsigned int i = 0; i < 2; i++) {
		assert_int_equal(world_sa(w, i)->suite.addke[0], IKE_KE_ECP_256);
		assert_true(world_logged(&w->end[i], "aes128gcm16-prfsha256-x25519-ke1_ecp256"));
	}
	assert_memory_equal(&world_sa(w, 0)->keys, &world_sa(w, 1)->keys, sizeof(struct ike_keys));
	world_free(w);
}

/* All seven, one left out, in the order of their numbers and not of the words. */
static void test_seven(void **state)
{
	static const char all[] = "aes128-sha256-x25519-ke7_modp4096-ke2_ecp384-ke1_ecp256-ke4_ecp521-"
				  "ke5_modp2048-ke6_modp3072-ke3_none-ke3_x448";
	struct world *w = addke_begin(all, all);

	world_start(w);
	world_up(w);
	addke_assert_up(w);
	assert_int_equal(addke_count(w, IKE_EXCHANGE_INTERMEDIATE), 2 * 6);
	assert_true(world_logged(&w->end[0], "x25519-ke1_ecp256-ke2_ecp384-ke4_ecp521-ke5_modp2048-"
					     "ke6_modp3072-ke7_modp4096"));
	world_free(w);
}

/* RFC 9242 section 3.3.2: IntAuth is about the message before it was cut. */
static void test_in_fragments(void **state)
{
	static const char both[] = "aes128-sha256-x25519-ke1_modp4096-ke2_modp3072";
	struct world *w = addke_begin(both, both);

	for (unsigned int i = 0; i < 2; i++)
		w->end[i].config->settings.fragment_size = 300;
	world_start(w);
	world_up(w);
	addke_assert_up(w);
	assert_true(addke_count(w, IKE_EXCHANGE_INTERMEDIATE) > 8);
	world_free(w);
}

/* The third message of each kind is lost once: sent again, it is not computed again. */
static bool lose_first(struct world *w, struct world_message *m)
{
	struct ike_header h;

	assert_true(ike_header_decode(ike_bytes(m->bytes, m->len), &h, NULL));
	if (h.exchange != IKE_EXCHANGE_INTERMEDIATE)
		return true;
	for (size_t i = 0; &w->sent[i] < m; i++)
		if (w->sent[i].len == m->len && !memcmp(w->sent[i].bytes, m->bytes, m->len))
			return true;
	return false;
}

static void test_lost(void **state)
{
	static const char both[] = "aes128gcm16-prfsha256-x25519-ke1_ecp256-ke2_ecp384";
	struct world *w = addke_begin(both, both);

	w->wire = lose_first;
	world_start(w);
	world_initiate(w, "net");
	world_pass(w, 60 * IKE_SECOND);
	addke_assert_up(w);
	world_free(w);
}

/* Who has none takes the proposal without; who wants nothing else is refused, with the reason. */
static void test_choice(void **state)
{
	struct world *w = addke_begin("aes128gcm16-prfsha256-x25519-ke1_ecp256, aes128gcm16-prfsha256-x25519",
				"aes128gcm16-prfsha256-x25519");

	world_start(w);
	world_up(w);
	addke_assert_up(w);
	assert_int_equal(w->n_sent, 4);
	world_free(w);
	w = addke_begin("aes128gcm16-prfsha256-x25519", "aes128gcm16-prfsha256-x25519-ke1_ecp256");
	world_start(w);
	world_initiate(w, "net");
	assert_none(w);
	assert_true(world_logged(&w->end[1], "no common additional key exchange 1 (ke1_ecp256 "
					     "against none)"));
	world_free(w);
}

/* The group of the first one is guessed wrong (section 2.7); the others come after it. */
static void test_other_group(void **state)
{
	struct world *w = addke_begin("aes128gcm16-prfsha256-x25519-ecp256-ke1_ecp256-ke1_ecp384",
				"aes128gcm16-prfsha256-ecp256-ke1_ecp256-ke1_ecp384");

	world_start(w);
	world_up(w);
	addke_assert_up(w);
	/* No method twice (RFC 9370 section 2.2.1). */
	assert_int_equal(world_sa(w, 0)->suite.ke, IKE_KE_ECP_256);
	assert_int_equal(world_sa(w, 0)->suite.addke[0], IKE_KE_ECP_384);
	world_free(w);
}

/* Attacks */

/* Somebody between the ends makes the offer look like one of an end that knows no IKE_INTERMEDIATE. */
static bool strip_notify(struct world *w, struct world_message *m)
{
	static const uint8_t notify[] = {0, 0, IKE_NOTIFY_INTERMEDIATE_EXCHANGE_SUPPORTED >> 8,
					 IKE_NOTIFY_INTERMEDIATE_EXCHANGE_SUPPORTED & 0xff};
	uint8_t *at = memmem(m->bytes, m->len, notify, sizeof(notify));

	if (at)
		at[2] = 0xa0;
	return true;
}

static void test_downgrade(void **state)
{
	static const char both[] = "aes128gcm16-prfsha256-x25519-ke1_ecp256, "
				   "aes128gcm16-prfsha256-x25519";
	struct world *w = addke_begin(both, both);

	w->wire = strip_notify;
	world_start(w);
	world_initiate(w, "net");
	assert_none(w);
	assert_int_equal(addke_count(w, IKE_EXCHANGE_INTERMEDIATE), 0);
	assert_true(world_logged(&w->end[1], "AUTHENTICATION_FAILED: the pre-shared key of peer "
					     "a.example.org is not ours"));
	world_free(w);
}

/* Who could read and change IKE_INTERMEDIATE would still be found out by IKE_AUTH. */
static bool change_proof(struct world *w, struct world_message *m)
{
	struct ike_header h;

	assert_true(ike_header_decode(ike_bytes(m->bytes, m->len), &h, NULL));
	if (h.exchange == IKE_EXCHANGE_AUTH && !(h.flags & IKE_FLAG_RESPONSE))
		world_sa(w, 1)->int_auth.r.bytes[0] ^= 1;
	return true;
}

static void test_int_auth(void **state)
{
	static const char both[] = "aes128gcm16-prfsha256-x25519-ke1_ecp256";
	struct world *w = addke_begin(both, both);

	w->wire = change_proof;
	world_start(w);
	world_initiate(w, "net");
	assert_none(w);
	assert_true(world_logged(&w->end[1], "AUTHENTICATION_FAILED"));
	world_free(w);
}

/* IKE_SA_INIT arrives, what follows does not. */
static bool only_init(struct world *w, struct world_message *m)
{
	struct ike_header h;

	return ike_header_decode(ike_bytes(m->bytes, m->len), &h, NULL) &&
	       h.exchange == IKE_EXCHANGE_SA_INIT;
}

static struct world *half_way(void)
{
	static const char both[] = "aes128gcm16-prfsha256-x25519-ke1_ecp256-ke2_ecp384";
	struct world *w = addke_begin(both, both);

	addke_conn(w, 1)->fragmentation = IKE_FRAGMENT_NO;
	w->wire = only_init;
	world_start(w);
	world_initiate(w, "net");
	assert_int_equal(world_sa(w, 0)->state, IKE_SA_ADDKE_SENT);
	assert_int_equal(world_sa(w, 1)->state, IKE_SA_ADDKE_GOT);
	/* The request that the test puts in the place of the true one has its ID. */
	world_sa(w, 0)->window.next_id--;
	return w;
}

static void put_id(struct ike_writer *w, void *arg)
{
	ike_put_id(w, IKE_PAYLOAD_IDI, IKE_ID_FQDN, ike_bytes("a.example.org", 13));
	ike_put_auth(w, IKE_AUTH_METHOD_PSK, ike_bytes("0123456789abcdef", 16));
}

/* All of them come before IKE_AUTH, which nobody looks at until then. */
static void test_auth_too_early(void **state)
{
	struct world *w = half_way();
	size_t sent = w->n_sent;

	world_request(w, 0, IKE_EXCHANGE_AUTH, put_id, NULL, NULL);
	assert_true(world_logged(&w->end[1], "a request that is not allowed now"));
	assert_int_equal(w->n_sent, sent);
	assert_int_equal(world_sa(w, 1)->state, IKE_SA_ADDKE_GOT);
	world_free(w);
}

static void put_other_ke(struct ike_writer *w, void *arg)
{
	uint8_t public[96] = {4};

	ike_put_ke(w, IKE_KE_ECP_384, ike_bytes(public, sizeof(public)));
}

static void put_short_ke(struct ike_writer *w, void *arg)
{
	uint8_t public[63] = {4};

	ike_put_ke(w, IKE_KE_ECP_256, ike_bytes(public, sizeof(public)));
}

static void put_long_ke(struct ike_writer *w, void *arg)
{
	static const uint8_t public[IKE_DH_PUBLIC_MAX + 1];

	ike_put_ke(w, IKE_KE_ECP_256, ike_bytes(public, sizeof(public)));
}

static void put_nothing(struct ike_writer *w, void *arg)
{
}

/* Not in their order, or malformed: the IKE SA is none. */
static void test_wrong_ke(void **state)
{
	static const struct {
		void (*put)(struct ike_writer *w, void *arg);
		const char *why;
	} cases[] = {
		{put_other_ke, "key exchange ECP_384 where ECP_256 is needed"},
		{put_short_ke, "P-256: the peer's public value has 63 bytes where 64 are needed"},
		{put_long_ke, "P-256: the peer's public value has 1569 bytes where 64 are needed"},
		{put_nothing, "0 KE payloads where 1 to 1 are allowed"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct world *w = half_way();
		struct ike_payloads answer;

		world_request(w, 0, IKE_EXCHANGE_INTERMEDIATE, cases[i].put, NULL, &answer);
		assert_true(ike_find_notify(&answer, IKE_NOTIFY_INVALID_SYNTAX, NULL));
		assert_true(world_logged(&w->end[1], cases[i].why));
		assert_int_equal(world_count_ike(w, 1, NULL), 0);
		world_free(w);
	}
}

/* Half of the way is not for ever. */
static void test_half_open(void **state)
{
	struct world *w = half_way();
	struct ike_counters c;

	ike_engine_counters(w->end[1].engine, &c);
	assert_int_equal(c.half_open, 1);
	world_pass(w, IKE_HALF_OPEN_TIME + IKE_SECOND);
	ike_engine_counters(w->end[1].engine, &c);
	assert_int_equal(c.half_open, 0);
	assert_int_equal(world_count_ike(w, 1, NULL), 0);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one),
		cmocka_unit_test(test_seven),
		cmocka_unit_test(test_in_fragments),
		cmocka_unit_test(test_lost),
		cmocka_unit_test(test_choice),
		cmocka_unit_test(test_other_group),
		cmocka_unit_test(test_downgrade),
		cmocka_unit_test(test_int_auth),
		cmocka_unit_test(test_auth_too_early),
		cmocka_unit_test(test_wrong_ke),
		cmocka_unit_test(test_half_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
