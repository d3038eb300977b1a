// SPDX-License-Identifier: MIT
/*
 * Two engines that authenticate each other in several rounds (RFC 4739), by every mix of keys,
 * signatures and EAP; that one of them must not be up before the last; and what a peer that has the
 * keys of IKE must not get by.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ikev2/auth_eap.h"
#include "ikev2/crypto/legacy.h"
#include "ikev2/fragment.h"
#include "ikev2/negotiate.h"
#include "ikev2/rounds.h"
#include "tests/eap_pair.h"
#include "tests/pki.h"
#include "tests/world.h"

static struct ike_conn_cfg *conn(struct world *w, unsigned int end)
{
	return &w->end[end].config->conns[0];
}

/* "k": a key, "p": a signature, "e": EAP. Round 0 is a.example.org's, round 1 a1.example.org's... */
static void set_round(struct ike_auth_cfg *cfg, char how, unsigned int end, unsigned int round)
{
	char name[32] = "a.example.org";

	if (round)
		snprintf(name, sizeof(name), "%c%u.example.org", 'a' + end, round);
	else
		name[0] += end;
	assert_true(ike_id_parse(name, &cfg->id, NULL));
	cfg->method = how == 'k' ? IKE_AUTH_CFG_PSK :
		      how == 'p' ? IKE_AUTH_CFG_PUBKEY : IKE_AUTH_CFG_EAP;
	if (how == 'e')
		cfg->eap_id = strdup("carol");
}

static void set_rounds(struct ike_auth_cfg *first, struct ike_auth_more *more, const char *how,
		       unsigned int end)
{
	set_round(first, how[0], end, 0);
	more->n = strlen(how) - 1;
	more->list = more->n ? calloc(more->n, sizeof(*more->list)) : NULL;
	for (unsigned int i = 0; i < more->n; i++)
		set_round(&more->list[i], how[i + 1], end, i + 1);
}

static void add_certificates(struct world *w, unsigned int end, struct pki *ca, size_t rounds)
{
	char dn[48], san[48]; /* of round 0 without number */

	for (size_t i = 0; i < rounds; i++) {
		struct pki one;

		snprintf(dn, sizeof(dn), "CN=%c%zu", 'a' + end, i);
		snprintf(san, sizeof(san), "DNS:%c%.0zu.example.org", 'a' + end, i);
		one = pki_end(ca, dn, san, NULL);
		pki_add_cert(&w->end[end].config->certs, &one);
		pki_add_key(&w->end[end].config->keys, &one);
		pki_free(&one);
	}
}

/* What each end proves, as its own configuration and the other's have it. */
static struct world *rounds_world(const char *a, const char *b_of_a, const char *b,
				  const char *a_of_b)
{
	struct world *w = world_new();
	struct pki ca = pki_ca("CN=CA", NULL);

	w->utc = PKI_NOW;
	for (unsigned int i = 0; i < 2; i++) {
		w->end[i].config->legacy = ike_legacy_new(NULL);
		eap_add_secret(w->end[i].config, "carol", "Ar3etTnp");
		w->end[i].config->secrets[0].n_ids = 0;
		pki_add_cert(&w->end[i].config->anchors, &ca);
	}
	add_certificates(w, 0, &ca, strlen(a));
	add_certificates(w, 1, &ca, strlen(b));
	set_rounds(&conn(w, 0)->local, &conn(w, 0)->local_more, a, 0);
	set_rounds(&conn(w, 0)->remote, &conn(w, 0)->remote_more, b_of_a, 1);
	set_rounds(&conn(w, 1)->local, &conn(w, 1)->local_more, b, 1);
	set_rounds(&conn(w, 1)->remote, &conn(w, 1)->remote_more, a_of_b, 0);
	pki_free(&ca);
	return w;
}

/*
 * Messages: 2 of IKE_SA_INIT; 2 each round of the end that has more; EAP takes 3 pairs more than a
 * key or a signature does.
 */
static const struct mix {
	const char *a, *b;
	size_t messages;
} mixes[] = {
	{"k", "k", 4},	   {"kp", "kp", 6},   {"pk", "kp", 6},	 {"pp", "p", 6},  {"kk", "k", 6},
	{"k", "kp", 6},	   {"p", "pkp", 8},   {"pe", "p", 12},	 {"ep", "p", 12}, {"ee", "p", 18},
	{"pe", "pp", 12},  {"e", "pk", 12},   {"ek", "pp", 12},	 {"pep", "p", 14},
	{"kpk", "pkp", 8}, {"kpkp", "k", 10},
};

enum {
	MIXES = sizeof(mixes) / sizeof(mixes[0])
};

static struct world *mixed_world(const struct mix *m)
{
	return rounds_world(m->a, m->b, m->b, m->a);
}

static void is_of_last_round(struct world *w, unsigned int end, unsigned int of, size_t rounds)
{
	const struct ike_sa *sa = world_sa(w, end);
	char want[48] = "a.example.org", got[IKE_ID_TEXT_MAX];

	if (rounds > 1)
		snprintf(want, sizeof(want), "%c%zu.example.org", 'a' + of, rounds - 1);
	else
		want[0] += of;
	ike_id_text(end == of ? &sa->local_id : &sa->remote_id, got, sizeof(got));
	assert_string_equal(got, want);
}

static void test_comes_up(void **state)
{
	for (size_t i = 0; i < MIXES; i++) {
		struct world *w = mixed_world(&mixes[i]);

		world_start(w);
		world_initiate(w, "net");
		if (!world_connected(w))
			fail_msg("%s with %s: %s\n%s", mixes[i].a, mixes[i].b, w->end[0].log,
				 w->end[1].log);
		if (w->n_sent != mixes[i].messages)
			fail_msg("%s with %s: %zu messages", mixes[i].a, mixes[i].b, w->n_sent);
		for (unsigned int end = 0; end < 2; end++) {
			assert_int_equal(world_count_ike(w, end, "ESTABLISHED"), 1);
			assert_int_equal(world_count_children(w, end, NULL), 1);
			is_of_last_round(w, end, 0, strlen(mixes[i].a));
			is_of_last_round(w, end, 1, strlen(mixes[i].b));
			assert_null(world_sa(w, end)->first);
			assert_null(world_sa(w, end)->eap);
		}
		world_free(w);
	}
}

/* RFC 8784: it goes with the first proof of all of the initiator's; the later rounds stand on it. */
static struct world *ppk_world(const struct mix *m, bool required)
{
	struct world *w = mixed_world(m);

	world_give_ppk(w, 0, "ppk-1", "sixteen bytes or more");
	world_use_ppk(w, 0, "ppk-1", required);
	return w;
}

static void comes_up(struct world *w, const struct mix *m, bool with_ppk)
{
	world_start(w);
	world_initiate(w, "net");
	if (!world_connected(w))
		fail_msg("%s with %s: %s\n%s", m->a, m->b, w->end[0].log, w->end[1].log);
	assert_int_equal(w->n_sent, m->messages);
	for (unsigned int end = 0; end < 2; end++) {
		assert_int_equal(world_count_ike(w, end, "ESTABLISHED"), 1);
		assert_int_equal(world_logged(&w->end[end], ", with PPK"), with_ppk);
		assert_int_equal(world_sa(w, end)->has_ppk, with_ppk);
	}
	assert_memory_equal(&world_sa(w, 0)->keys, &world_sa(w, 1)->keys, sizeof(struct ike_keys));
	world_free(w);
}

static void test_ppk(void **state)
{
	for (size_t i = 0; i < 2 * MIXES; i++) {
		struct world *w = ppk_world(&mixes[i / 2], i % 2);

		world_give_ppk(w, 1, "ppk-1", "sixteen bytes or more");
		conn(w, 1)->ppk_required = i % 2;
		comes_up(w, &mixes[i / 2], true);
	}
}

/* The responder knows another one: done without in all rounds. */
static void test_ppk_unknown(void **state)
{
	for (size_t i = 0; i < MIXES; i++) {
		struct world *w = ppk_world(&mixes[i], false);

		world_give_ppk(w, 1, "another", "this is not the one");
		comes_up(w, &mixes[i], false);
	}
}

/* Each message is lost once. */
static size_t lost;

static bool lose_one(struct world *w, struct world_message *m)
{
	return w->delivered - 1 != lost;
}

static void test_every_loss(void **state)
{
	for (size_t i = 0; i < MIXES; i++) {
		for (lost = 0; lost < mixes[i].messages; lost++) {
			struct world *w = mixed_world(&mixes[i]);

			w->wire = lose_one;
			world_start(w);
			world_initiate(w, "net");
			world_pass(w, 5 * IKE_SECOND);
			assert_true(world_connected(w));
			for (unsigned int end = 0; end < 2; end++) {
				assert_int_equal(world_count_ike(w, end, NULL), 1);
				assert_int_equal(w->end[end].events[IKE_EVENT_IKE_UP], 1);
			}
			world_free(w);
		}
	}
}

/* Neither end has anything any more, and end @who never had. */
static void nothing_left(struct world *w, unsigned int who)
{
	struct ike_counters counters;

	assert_int_equal(w->end[who].events[IKE_EVENT_IKE_UP], 0);
	for (unsigned int i = 0; i < 2; i++) {
		assert_int_equal(world_count_ike(w, i, NULL), 0);
		assert_int_equal(world_count_sas(&w->end[i]), 0);
		assert_int_equal(w->end[i].spis, 0);
		ike_engine_counters(w->end[i].engine, &counters);
		assert_int_equal(counters.half_open, 0);
	}
}

/* From message @lost on none arrives: whoever stops before the last round has nothing. */
static bool cut_off(struct world *w, struct world_message *m)
{
	return w->delivered - 1 < lost;
}

static void test_every_end(void **state)
{
	for (size_t i = 0; i < MIXES; i++) {
		/* Without the last message the responder is up. */
		for (lost = 0; lost + 1 < mixes[i].messages; lost++) {
			struct world *w = mixed_world(&mixes[i]);

			w->wire = cut_off;
			world_start(w);
			world_initiate(w, "net");
			world_pass(w, 200 * IKE_SECOND);
			nothing_left(w, 0);
			nothing_left(w, 1);
			world_free(w);
		}
	}
}

static void says(struct world *w, unsigned int who, const char *why)
{
	if (!world_logged(&w->end[who], why))
		fail_msg("end %u does not say \"%s\" but:\n%s%s", who, why, w->end[0].log,
			 w->end[1].log);
}

static void refused(struct world *w, unsigned int who, const char *why)
{
	world_pass(w, 70 * IKE_SECOND);
	nothing_left(w, who);
	says(w, who, why);
	world_free(w);
}

/* What one end has of the other, and the other does not do. */
static void test_disagree(void **state)
{
	static const struct {
		const char *a, *b_of_a, *b, *a_of_b;
		unsigned int who;
		const char *why;
	} cases[] = {
		{"kk", "k", "k", "k", 0, "the peer knows nothing of several rounds of "
					 "authentication (RFC 4739), and local has 2"},
		{"kk", "k", "kk", "k", 1, "peer a.example.org announces another round of "
					  "authentication behind the 1 that remote has"},
		{"k", "k", "k", "kk", 1, "peer a.example.org ends with round 1 of authentication, "
					 "remote has 2"},
		{"kkk", "k", "k", "kk", 1, "peer a1.example.org announces another round of "
					   "authentication behind the 2 that remote has"},
		{"k", "kk", "k", "k", 0, "peer b.example.org ends with round 1 of authentication, "
					 "remote has 2"},
		{"kk", "k", "kk", "kk", 0, "peer b.example.org announces another round of "
					   "authentication behind the 1 that remote has"},
		{"kk", "k", "k", "kp", 1, "peer a1.example.org authenticates by PSK, a signature is "
					  "needed"},
		{"pe", "p", "p", "pk", 1, "peer a1.example.org sends no AUTH payload (EAP?), a "
					  "pre-shared key is needed"},
		{"pp", "p", "p", "pe", 1, "peer a1.example.org authenticates by SIGNATURE, EAP is "
					  "needed"},
		{"pe", "k", "k", "pe", 0, "EAP needs a responder that proves itself by a signature"},
		{"pk", "pe", "pk", "pk", 0, "EAP is for who begins"},
		{"kk", "kk", "kp", "kk", 1, "the peer takes only pre-shared keys "
					    "(SUPPORTED_AUTH_METHODS)"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct world *w = rounds_world(cases[i].a, cases[i].b_of_a, cases[i].b,
					       cases[i].a_of_b);

		world_start(w);
		world_initiate(w, "net");
		refused(w, cases[i].who, cases[i].why);
	}
}

/* Each round counts: what is wrong in the second one is no better for the first. */
static void test_wrong_second_round(void **state)
{
	struct world *w = rounds_world("pe", "p", "p", "pe");

	w->end[0].config->eap_secrets[0].key[0] = 'a';
	world_start(w);
	world_initiate(w, "net");
	refused(w, 1, "AUTHENTICATION_FAILED: eap-mschapv2 as carol: the password is wrong");
	w = rounds_world("kp", "k", "k", "kp");
	assert_true(ike_id_parse("a7.example.org", &conn(w, 1)->remote_more.list[0].id, NULL));
	world_start(w);
	world_initiate(w, "net");
	refused(w, 1, "the peer is a1.example.org, but a7.example.org is configured (remote.id)");
	w = rounds_world("k", "kp", "kp", "k");
	assert_true(ike_id_parse("b7.example.org", &conn(w, 0)->remote_more.list[0].id, NULL));
	world_start(w);
	world_initiate(w, "net");
	refused(w, 0, "the peer is b1.example.org, but b7.example.org is configured (remote.id)");
}

static void test_ppk_refused(void **state)
{
	for (size_t i = 0; i < MIXES; i++) {
		struct world *w = ppk_world(&mixes[i], true);

		world_give_ppk(w, 1, "another", "this is not the one");
		world_start(w);
		world_initiate(w, "net");
		refused(w, 1, "AUTHENTICATION_FAILED: the PPK that the peer names is not known here");
		/* Of that name. */
		w = ppk_world(&mixes[i], false);
		world_give_ppk(w, 1, "ppk-1", "sixteen bytes or less");
		world_start(w);
		world_initiate(w, "net");
		refused(w, 1, "AUTHENTICATION_FAILED");
		/* None is asked for, by who has the right one. */
		w = mixed_world(&mixes[i]);
		world_give_ppk(w, 1, "ppk-1", "sixteen bytes or more");
		conn(w, 1)->ppk_required = true;
		world_start(w);
		world_initiate(w, "net");
		refused(w, 1, "AUTHENTICATION_FAILED: the peer uses no PPK, and ppk_required = yes");
	}
}

/* A peer with the keys of IKE: message @hold is held back, another comes in its place. */
static size_t hold;

static bool hold_back(struct world *w, struct world_message *m)
{
	return w->delivered - 1 < hold;
}

static struct world *held_world(const char *a, const char *b, size_t message)
{
	struct world *w = rounds_world(a, b, b, a);

	hold = message;
	w->wire = hold_back;
	world_start(w);
	world_initiate(w, "net");
	return w;
}

typedef void put_fn(struct ike_writer *w, struct ike_sa *sa);

static void instead(struct world *w, unsigned int from, uint8_t exchange, put_fn *put)
{
	struct ike_sa *sa = world_sa(w, from);
	struct ike_outgoing o;
	struct ike_bytes flight;
	uint32_t id = from ? sa->window.expected - 1 : sa->window.next_id - 1;

	ike_outgoing_begin(&o, sa, exchange, id, from);
	put(&o.w, sa);
	assert_true(ike_outgoing_end(&o, sa, NULL));
	flight = ike_written(&o.w);
	w->wire = NULL;
	while (flight.len) {
		struct ike_bytes one = ike_flight_next(&flight);

		world_inject(w, !from, one.p, one.len);
	}
	w->wire = cut_off;
	lost = 0;
	world_run(w);
}

static void put_another(struct ike_writer *w)
{
	ike_put_notify(w, IKE_NOTIFY_ANOTHER_AUTH_FOLLOWS, ike_bytes(NULL, 0));
}

static void put_child(struct ike_writer *w, struct ike_sa *sa)
{
	struct ike_task t = { .cfg = &sa->conn->children[0] };

	ike_put_child_sa(w, t.cfg, 0x1234, true);
	ike_put_child_ts(w, sa, &t, NULL);
}

static void put_nothing(struct ike_writer *w, struct ike_sa *sa)
{
}

/* The first round, without having said that it knows of several. */
static void put_first_unsupported(struct ike_writer *w, struct ike_sa *sa)
{
	ike_put_id_and_auth(sa, w, NULL);
	put_another(w);
	put_child(w, sa);
}

static void put_round_with_child(struct ike_writer *w, struct ike_sa *sa)
{
	ike_put_id_and_auth(sa, w, NULL);
	put_child(w, sa);
}

static void put_only_child(struct ike_writer *w, struct ike_sa *sa)
{
	put_child(w, sa);
}

/* The first round once more. */
static void put_first_again(struct ike_writer *w, struct ike_sa *sa)
{
	assert_true(ike_id_parse("a.example.org", &sa->local_id, NULL));
	ike_put_id_and_auth(sa, w, NULL);
}

static void put_wrong_auth(struct ike_writer *w, struct ike_sa *sa)
{
	ike_put_identity(w, IKE_PAYLOAD_IDI, &sa->local_id, NULL);
	ike_put_auth(w, IKE_AUTH_METHOD_PSK, ike_bytes("0123456789abcdef0123456789abcdef", 32));
}

/* Messages: 0, 1 INIT; 2, 3 the first round; 4, 5 the second. */
static void test_hostile_initiators(void **state)
{
	static const struct {
		size_t message;
		uint8_t exchange;
		put_fn *put;
		const char *why;
	} cases[] = {
		{2, IKE_EXCHANGE_AUTH, put_first_unsupported,
		 "peer a.example.org announces another round of authentication without "
		 "MULTIPLE_AUTH_SUPPORTED"},
		{4, IKE_EXCHANGE_AUTH, put_round_with_child,
		 "IKE_AUTH request of another round: holds a SA payload, which has no place there"},
		{4, IKE_EXCHANGE_AUTH, put_only_child, "which has no place there"},
		{4, IKE_EXCHANGE_AUTH, put_nothing,
		 "the peer does not prove itself, and another round of it is due"},
		{4, IKE_EXCHANGE_AUTH, put_first_again,
		 "the peer is a.example.org, but a1.example.org is configured (remote.id)"},
		{4, IKE_EXCHANGE_AUTH, put_wrong_auth,
		 "the pre-shared key of peer a1.example.org is not ours"},
		/* Not even answered. */
		{4, IKE_EXCHANGE_CREATE_CHILD_SA, put_child, "a request that is not allowed now"},
		{4, IKE_EXCHANGE_INFORMATIONAL, put_nothing, NULL},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct world *w = held_world("kk", "kk", cases[i].message);

		instead(w, 0, cases[i].exchange, cases[i].put);
		world_pass(w, 200 * IKE_SECOND);
		nothing_left(w, 1);
		if (cases[i].why)
			says(w, 1, cases[i].why);
		world_free(w);
	}
}

/* The responder's answers are made again with what its configuration has for the round before. */
static void put_early_child(struct ike_writer *w, struct ike_sa *sa)
{
	sa->own_round--;
	ike_put_id_and_auth(sa, w, NULL);
	sa->own_round++;
	put_another(w);
	put_child(w, sa);
}

static void put_too_few(struct ike_writer *w, struct ike_sa *sa)
{
	sa->own_round--;
	ike_put_id_and_auth(sa, w, NULL);
	sa->own_round++;
	put_child(w, sa);
}

static void put_failed(struct ike_writer *w, struct ike_sa *sa)
{
	ike_put_notify(w, IKE_NOTIFY_AUTHENTICATION_FAILED, ike_bytes(NULL, 0));
}

static void put_no_proposal(struct ike_writer *w, struct ike_sa *sa)
{
	ike_put_notify(w, IKE_NOTIFY_NO_PROPOSAL_CHOSEN, ike_bytes(NULL, 0));
}

static void test_hostile_responders(void **state)
{
	static const struct {
		const char *a, *b;
		size_t message;
		put_fn *put;
		const char *why;
	} cases[] = {
		{"kk", "kk", 3, put_early_child,
		 "the peer makes a CHILD_SA before the last round of authentication"},
		{"k", "kk", 3, put_early_child,
		 "the peer makes a CHILD_SA before the last round of authentication"},
		{"kk", "kk", 3, put_too_few, "peer b.example.org ends with round 1 of authentication"},
		{"kk", "kk", 3, put_only_child, "IKE_AUTH response"},
		{"kkk", "kk", 5, put_only_child, "the peer does not prove itself"},
		{"kkk", "kk", 5, put_nothing, "the peer does not prove itself"},
		{"kkk", "k", 5, put_only_child,
		 "the peer makes a CHILD_SA before the last round of authentication"},
		{"kkk", "k", 5, put_no_proposal, "the peer refuses our identity"},
		{"kkk", "k", 5, put_failed, "the peer refuses our identity"},
		{"ke", "p", 5, put_nothing, NULL},
		{"pe", "p", 5, put_only_child, "the peer lets us in without EAP (local.auth)"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct world *w = held_world(cases[i].a, cases[i].b, cases[i].message);

		instead(w, 1, IKE_EXCHANGE_AUTH, cases[i].put);
		world_pass(w, 200 * IKE_SECOND);
		nothing_left(w, 0);
		if (cases[i].why)
			says(w, 0, cases[i].why);
		world_free(w);
	}
}

/* The CHILD_SA alone is refused: the IKE SA stands. */
static void test_child_refused(void **state)
{
	static const struct mix some[] = {{"kk", "k", 0}, {"k", "kk", 0}, {"pe", "p", 0}};

	for (size_t i = 0; i < sizeof(some) / sizeof(some[0]); i++) {
		struct world *w = mixed_world(&some[i]);

		ike_proposal_list_clear(&conn(w, 1)->children[0].proposals);
		assert_true(ike_proposal_list_parse(&conn(w, 1)->children[0].proposals, IKE_PROTO_ESP,
						    "aes256gcm16", NULL));
		world_start(w);
		world_initiate(w, "net");
		for (unsigned int end = 0; end < 2; end++) {
			assert_int_equal(world_count_ike(w, end, "ESTABLISHED"), 1);
			assert_int_equal(world_count_children(w, end, NULL), 0);
		}
		says(w, 0, "the peer refuses child net: NO_PROPOSAL_CHOSEN");
		world_free(w);
	}
}

static void put_gives_up(struct ike_writer *w, void *arg)
{
	ike_put_notify(w, IKE_NOTIFY_AUTHENTICATION_FAILED, ike_bytes(NULL, 0));
}

/* Section 2.21.2: an initiator may give up between two rounds. */
static void test_gives_up(void **state)
{
	struct world *w = held_world("kk", "kk", 3);
	struct ike_sa *sa = world_sa(w, 0);

	assert_int_equal(world_sa(w, 1)->state, IKE_SA_ROUND_DUE);
	w->wire = NULL;
	/* As if it had got the answer. */
	ike_window_settled(&sa->window);
	world_request(w, 0, IKE_EXCHANGE_INFORMATIONAL, put_gives_up, NULL, NULL);
	assert_int_equal(world_count_ike(w, 1, NULL), 0);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_comes_up),
		cmocka_unit_test(test_every_loss),
		cmocka_unit_test(test_every_end),
		cmocka_unit_test(test_disagree),
		cmocka_unit_test(test_wrong_second_round),
		cmocka_unit_test(test_hostile_initiators),
		cmocka_unit_test(test_hostile_responders),
		cmocka_unit_test(test_child_refused),
		cmocka_unit_test(test_gives_up),
		cmocka_unit_test(test_ppk),
		cmocka_unit_test(test_ppk_unknown),
		cmocka_unit_test(test_ppk_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
