// SPDX-License-Identifier: MIT
/*
 * Additional key exchanges (RFC 9370) in IKE_FOLLOWUP_KE: CHILD_SAs made and rekeyed, the IKE SA
 * rekeyed, by either end and by both at once, with losses, with peers that do not go on or go wrong.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ikev2/followup.h"
#include "tests/addke.h"

static void propose_child(struct world *w, unsigned int end, const char *text)
{
	struct ike_proposal_list *list = &addke_conn(w, end)->children[0].proposals;

	ike_proposal_list_clear(list);
	assert_true(ike_proposal_list_parse(list, IKE_PROTO_ESP, text, NULL));
}

static struct world *up_with_both(void)
{
	static const char ike[] = "aes128gcm16-prfsha256-x25519-ke1_ecp256-ke2_ecp384";
	struct world *w = addke_begin(ike, ike);

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
	addke_assert_up(w);
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
		assert_int_equal(addke_count(w, IKE_EXCHANGE_FOLLOWUP_KE), 4);
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
		assert_int_equal(addke_count(w, IKE_EXCHANGE_FOLLOWUP_KE), 4);
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
	struct world *w = addke_begin(ike, ike);

	addke_conn(w, 0)->childless = IKE_CHILDLESS_FORCE;
	propose_child(w, 0, "aes128gcm16-x25519-ke1_ecp256");
	propose_child(w, 1, "aes128gcm16-x25519-ke1_ecp256");
	world_start(w);
	world_up(w);
	settle(w);
	assert_int_equal(addke_count(w, IKE_EXCHANGE_FOLLOWUP_KE), 2);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
