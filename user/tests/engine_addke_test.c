// SPDX-License-Identifier: MIT
/*
 * Additional key exchanges (RFC 9370), in IKE_INTERMEDIATE (RFC 9242) and in IKE_FOLLOWUP_KE: both
 * ends do them and have the same keys; who leaves one out, or changes one, is found out.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ikev2/followup.h"
#include "ikev2/intermediate.h"
#include "tests/world.h"

static struct ike_conn_cfg *conn(struct world *w, unsigned int end)
{
	return &w->end[end].config->conns[0];
}

static void propose(struct world *w, unsigned int end, const char *text)
{
	struct ike_proposal_list *list = &conn(w, end)->proposals;

	ike_proposal_list_clear(list);
	assert_true(ike_proposal_list_parse(list, IKE_PROTO_IKE, text, NULL));
}

static struct world *begin(const char *ours, const char *theirs)
{
	struct world *w = world_new();

	propose(w, 0, ours);
	propose(w, 1, theirs);
	return w;
}

static void assert_up(struct world *w)
{
	assert_true(world_connected(w));
	for (unsigned int i = 0; i < 2; i++) {
		assert_int_equal(world_count_ike(w, i, "ESTABLISHED"), 1);
		assert_int_equal(world_count_ike(w, i, NULL), 1);
		assert_int_equal(world_count_children(w, i, "INSTALLED"), 1);
		assert_int_equal(w->end[i].spis, 0);
	}
}

static void assert_none(struct world *w)
{
	for (unsigned int i = 0; i < 2; i++) {
		assert_int_equal(world_count_ike(w, i, "ESTABLISHED"), 0);
		assert_int_equal(world_count_sas(&w->end[i]), 0);
		assert_int_equal(w->end[i].spis, 0);
	}
}

static unsigned int count(struct world *w, uint8_t exchange)
{
	unsigned int n = 0;
	struct ike_header h;

	for (size_t i = 0; i < w->n_sent; i++)
		if (ike_header_decode(ike_bytes(w->sent[i].bytes, w->sent[i].len), &h, NULL))
			n += h.exchange == exchange;
	return n;
}

static void test_one(void **state)
{
	struct world *w = begin("aes128gcm16-prfsha256-x25519-ke1_ecp256",
				"aes128gcm16-prfsha256-x25519-ke1_ecp256");

	world_start(w);
	world_up(w);
	assert_up(w);
	/* RFC 9370 section 2.2.2: one more exchange. */
	assert_int_equal(w->n_sent, 6);
	assert_int_equal(count(w, IKE_EXCHANGE_INTERMEDIATE), 2);
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
	struct world *w = begin(all, all);

	world_start(w);
	world_up(w);
	assert_up(w);
	assert_int_equal(count(w, IKE_EXCHANGE_INTERMEDIATE), 2 * 6);
	assert_true(world_logged(&w->end[0], "x25519-ke1_ecp256-ke2_ecp384-ke4_ecp521-ke5_modp2048-"
					     "ke6_modp3072-ke7_modp4096"));
	world_free(w);
}

/* RFC 9242 section 3.3.2: IntAuth is about the message before it was cut. */
static void test_in_fragments(void **state)
{
	static const char both[] = "aes128-sha256-x25519-ke1_modp4096-ke2_modp3072";
	struct world *w = begin(both, both);

	for (unsigned int i = 0; i < 2; i++)
		w->end[i].config->settings.fragment_size = 300;
	world_start(w);
	world_up(w);
	assert_up(w);
	assert_true(count(w, IKE_EXCHANGE_INTERMEDIATE) > 8);
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
	struct world *w = begin(both, both);

	w->wire = lose_first;
	world_start(w);
	world_initiate(w, "net");
	world_pass(w, 60 * IKE_SECOND);
	assert_up(w);
	world_free(w);
}

/* Who has none takes the proposal without; who wants nothing else is refused, with the reason. */
static void test_choice(void **state)
{
	struct world *w = begin("aes128gcm16-prfsha256-x25519-ke1_ecp256, aes128gcm16-prfsha256-x25519",
				"aes128gcm16-prfsha256-x25519");

	world_start(w);
	world_up(w);
	assert_up(w);
	assert_int_equal(w->n_sent, 4);
	world_free(w);
	w = begin("aes128gcm16-prfsha256-x25519", "aes128gcm16-prfsha256-x25519-ke1_ecp256");
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
	struct world *w = begin("aes128gcm16-prfsha256-x25519-ecp256-ke1_ecp256-ke1_ecp384",
				"aes128gcm16-prfsha256-ecp256-ke1_ecp256-ke1_ecp384");

	world_start(w);
	world_up(w);
	assert_up(w);
	/* No method twice (RFC 9370 section 2.2.1). */
	assert_int_equal(world_sa(w, 0)->suite.ke, IKE_KE_ECP_256);
	assert_int_equal(world_sa(w, 0)->suite.addke[0], IKE_KE_ECP_384);
	world_free(w);
}

/* IKE_FOLLOWUP_KE */

static void propose_child(struct world *w, unsigned int end, const char *text)
{
	struct ike_proposal_list *list = &conn(w, end)->children[0].proposals;

	ike_proposal_list_clear(list);
	assert_true(ike_proposal_list_parse(list, IKE_PROTO_ESP, text, NULL));
}

static struct world *up_with_both(void)
{
	static const char ike[] = "aes128gcm16-prfsha256-x25519-ke1_ecp256-ke2_ecp384";
	struct world *w = begin(ike, ike);

	propose_child(w, 0, "aes128gcm16-x25519-ke1_ecp256-ke3_ecp384");
	propose_child(w, 1, "aes128gcm16-x25519-ke1_ecp256-ke3_ecp384");
	world_start(w);
	world_up(w);
	/* IKE_AUTH does without (RFC 7296 section 1.2). */
	assert_int_equal(world_child(w, 0)->suite.ke, IKE_KE_NONE);
	assert_int_equal(world_child(w, 0)->suite.addke[0], IKE_KE_NONE);
	return w;
}

static void rekey(struct world *w, unsigned int end, const char *child)
{
	struct ike_match match = {.conn = "site", .child = child};
	const char *why;

	assert_int_not_equal(ike_engine_rekey(w->end[end].engine, w->now, &match, &why), 0);
}

static void settle(struct world *w)
{
	world_run(w);
	world_pass(w, 30 * IKE_SECOND);
	assert_up(w);
	for (unsigned int i = 0; i < 2; i++) {
		assert_int_equal(world_count_children(w, i, NULL), 1);
		assert_int_equal(world_count_sas(&w->end[i]), 2);
		assert_null(world_sa(w, i)->followup);
	}
}

static void test_rekey_child(void **state)
{
	for (unsigned int end = 0; end < 2; end++) {
		struct world *w = up_with_both();

		rekey(w, end, "net");
		settle(w);
		assert_int_equal(count(w, IKE_EXCHANGE_FOLLOWUP_KE), 4);
		for (unsigned int i = 0; i < 2; i++) {
			assert_int_equal(w->end[i].events[IKE_EVENT_CHILD_REKEYED], 1);
			assert_int_equal(world_child(w, i)->suite.addke[0], IKE_KE_ECP_256);
			assert_int_equal(world_child(w, i)->suite.addke[2], IKE_KE_ECP_384);
			assert_true(world_logged(&w->end[i],
						 "aes128gcm16-x25519-ke1_ecp256-ke3_ecp384"));
		}
		world_free(w);
	}
}

static void test_rekey_ike(void **state)
{
	for (unsigned int end = 0; end < 2; end++) {
		struct world *w = up_with_both();

		rekey(w, end, NULL);
		settle(w);
		assert_int_equal(count(w, IKE_EXCHANGE_FOLLOWUP_KE), 4);
		assert_memory_equal(&world_sa(w, 0)->keys, &world_sa(w, 1)->keys,
				    sizeof(struct ike_keys));
		for (unsigned int i = 0; i < 2; i++) {
			assert_int_equal(w->end[i].events[IKE_EVENT_IKE_REKEYED], 1);
			assert_int_equal(world_sa(w, i)->suite.addke[1], IKE_KE_ECP_384);
		}
		/* And what was made so can be rekeyed. */
		rekey(w, !end, NULL);
		settle(w);
		world_free(w);
	}
}

/* A CHILD_SA that is made apart. */
static void test_create_child(void **state)
{
	static const char ike[] = "aes128gcm16-prfsha256-x25519";
	struct world *w = begin(ike, ike);

	conn(w, 0)->childless = IKE_CHILDLESS_FORCE;
	propose_child(w, 0, "aes128gcm16-x25519-ke1_ecp256");
	propose_child(w, 1, "aes128gcm16-x25519-ke1_ecp256");
	world_start(w);
	world_up(w);
	settle(w);
	assert_int_equal(count(w, IKE_EXCHANGE_FOLLOWUP_KE), 2);
	world_free(w);
}

/* Both ends at once (RFC 7296 sections 2.8.1 and 2.8.2). */
static void test_both_rekey(void **state)
{
	for (unsigned int i = 0; i < 2; i++) {
		struct world *w = up_with_both();
		const char *what = i ? "net" : NULL;

		rekey(w, 0, what);
		rekey(w, 1, what);
		settle(w);
		world_free(w);
	}
}

/* Every message is lost once. */
static bool lose_each(struct world *w, struct world_message *m)
{
	for (size_t i = 0; &w->sent[i] < m; i++)
		if (w->sent[i].len == m->len && !memcmp(w->sent[i].bytes, m->bytes, m->len))
			return true;
	return false;
}

static void test_rekey_lost(void **state)
{
	for (unsigned int i = 0; i < 6; i++) {
		struct world *w = up_with_both();

		w->wire = lose_each;
		rekey(w, i % 2, i / 2 ? "net" : NULL);
		/* Both at once, too. */
		if (i >= 4)
			rekey(w, !(i % 2), "net");
		world_pass(w, 120 * IKE_SECOND);
		settle(w);
		world_free(w);
	}
}

struct followup_case {
	uint8_t link[IKE_LINK_LEN];
	size_t link_len;
	uint16_t group;
	size_t len;
};

static void put_followup(struct ike_writer *w, void *arg)
{
	static const uint8_t public[512] = {4};
	struct followup_case *c = arg;

	ike_put_ke(w, c->group, ike_bytes(public, c->len));
	if (c->link_len)
		ike_put_notify(w, IKE_NOTIFY_ADDITIONAL_KEY_EXCHANGE,
			       ike_bytes(c->link, c->link_len));
}

/* Nothing of the sort was begun. */
static void test_followup_of_nothing(void **state)
{
	struct followup_case c = {.group = IKE_KE_ECP_256, .len = 64, .link_len = IKE_LINK_LEN};
	struct world *w = up_with_both();
	struct ike_payloads answer;

	world_request(w, 0, IKE_EXCHANGE_FOLLOWUP_KE, put_followup, &c, &answer);
	assert_true(ike_find_notify(&answer, IKE_NOTIFY_STATE_NOT_FOUND, NULL));
	settle(w);
	world_free(w);
}

/* CREATE_CHILD_SA gets its answer, IKE_FOLLOWUP_KE does not get through. */
static bool no_followup(struct world *w, struct world_message *m)
{
	struct ike_header h;

	return ike_header_decode(ike_bytes(m->bytes, m->len), &h, NULL) &&
	       h.exchange != IKE_EXCHANGE_FOLLOWUP_KE;
}

static void test_wrong_followup(void **state)
{
	static const struct {
		bool right_link, link;
		uint16_t group;
		size_t len;
		uint16_t want;
	} cases[] = {
		{true, false, IKE_KE_ECP_256, 64, IKE_NOTIFY_STATE_NOT_FOUND},
		{false, true, IKE_KE_ECP_256, 64, IKE_NOTIFY_STATE_NOT_FOUND},
		{true, true, IKE_KE_ECP_384, 96, IKE_NOTIFY_INVALID_SYNTAX},
		{true, true, IKE_KE_ECP_256, 63, IKE_NOTIFY_INVALID_SYNTAX},
		/* Not on the curve. */
		{true, true, IKE_KE_ECP_256, 64, IKE_NOTIFY_INVALID_SYNTAX},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct world *w = up_with_both();
		struct followup_case c = {.group = cases[i].group, .len = cases[i].len};
		struct ike_payloads answer;
		struct ike_followup *f;

		w->wire = no_followup;
		rekey(w, 0, "net");
		world_run(w);
		f = world_sa(w, 1)->followup;
		assert_non_null(f);
		c.link_len = cases[i].link ? f->link_len : 0;
		memcpy(c.link, f->link, f->link_len);
		c.link[0] ^= !cases[i].right_link;
		world_sa(w, 0)->window.next_id--;
		world_request(w, 0, IKE_EXCHANGE_FOLLOWUP_KE, put_followup, &c, &answer);
		assert_true(ike_find_notify(&answer, cases[i].want, NULL));
		/* What was in use still is. */
		assert_int_equal(world_count_children(w, 1, "INSTALLED"), 1);
		assert_int_equal(world_count_sas(&w->end[1]), 2);
		world_free(w);
	}
}

/* A peer that never goes on: nothing is kept for it for ever. */
static void test_followup_lapses(void **state)
{
	struct world *w = up_with_both();

	w->wire = no_followup;
	rekey(w, 0, "net");
	world_run(w);
	assert_int_equal(w->end[1].spis, 1);
	world_pass(w, IKE_FOLLOWUP_TIME + IKE_SECOND);
	assert_null(world_sa(w, 1)->followup);
	assert_int_equal(w->end[1].spis, 0);
	assert_true(world_logged(&w->end[1], "does not go on with its additional key exchanges"));
	/* Nor if the whole ends in between. */
	rekey(w, 1, "net");
	world_free(w);
}

static void test_terminated_between(void **state)
{
	struct ike_match match = {.conn = "site"};
	struct world *w = up_with_both();
	const char *why;

	w->wire = no_followup;
	rekey(w, 0, "net");
	world_run(w);
	assert_int_not_equal(ike_engine_terminate(w->end[1].engine, w->now, &match, &why), 0);
	world_run(w);
	for (unsigned int i = 0; i < 2; i++) {
		assert_int_equal(world_count_ike(w, i, NULL), 0);
		assert_int_equal(world_count_sas(&w->end[i]), 0);
		assert_int_equal(w->end[i].spis, 0);
	}
	world_free(w);
}

/* The peer agrees to more than it then does. */
static bool strip_link(struct world *w, struct world_message *m)
{
	struct ike_sa *sa = world_sa(w, 1);

	if (m->from == 1 && sa && sa->followup)
		sa->followup->link_len = 0;
	return true;
}

static void test_link_lost(void **state)
{
	struct world *w = up_with_both();

	/* The responder forgets its own: the initiator begins anew, and succeeds. */
	w->wire = strip_link;
	rekey(w, 0, "net");
	world_run(w);
	assert_true(world_logged(&w->end[1], "nothing waits for it"));
	w->wire = NULL;
	settle(w);
	assert_int_equal(w->end[0].events[IKE_EVENT_CHILD_REKEYED], 1);
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
	struct world *w = begin(both, both);

	w->wire = strip_notify;
	world_start(w);
	world_initiate(w, "net");
	assert_none(w);
	assert_int_equal(count(w, IKE_EXCHANGE_INTERMEDIATE), 0);
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
	struct world *w = begin(both, both);

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
	struct world *w = begin(both, both);

	conn(w, 1)->fragmentation = IKE_FRAGMENT_NO;
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
		cmocka_unit_test(test_rekey_child),
		cmocka_unit_test(test_rekey_ike),
		cmocka_unit_test(test_create_child),
		cmocka_unit_test(test_both_rekey),
		cmocka_unit_test(test_rekey_lost),
		cmocka_unit_test(test_followup_of_nothing),
		cmocka_unit_test(test_wrong_followup),
		cmocka_unit_test(test_followup_lapses),
		cmocka_unit_test(test_terminated_between),
		cmocka_unit_test(test_link_lost),
		cmocka_unit_test(test_downgrade),
		cmocka_unit_test(test_int_auth),
		cmocka_unit_test(test_auth_too_early),
		cmocka_unit_test(test_wrong_ke),
		cmocka_unit_test(test_half_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
