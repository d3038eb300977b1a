// SPDX-License-Identifier: MIT
/*
 * Two engines and what people do with them: up, down, rekeyed, through a NAT, refused with a
 * reason.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ikev2/child.h"
#include "tests/world.h"

static void set_proposals(struct ike_proposal_list *list, uint8_t protocol, const char *text)
{
	ike_proposal_list_clear(list);
	assert_true(ike_proposal_list_parse(list, protocol, text, NULL));
}

static void set_ts(struct ike_ts **list, size_t *n, const char *text)
{
	free(*list);
	*list = NULL;
	*n = 0;
	assert_true(ike_ts_list_parse(text, list, n, NULL));
}

static struct ike_conn_cfg *conn(struct world *w, unsigned int end)
{
	return &w->end[end].config->conns[0];
}

static struct ike_child_cfg *child(struct world *w, unsigned int end)
{
	return &conn(w, end)->children[0];
}

static void assert_gone(struct world *w)
{
	for (unsigned int i = 0; i < 2; i++) {
		assert_int_equal(world_count_ike(w, i, NULL), 0);
		assert_int_equal(world_count_sas(&w->end[i]), 0);
		assert_int_equal(world_count_policies(&w->end[i]), 0);
		assert_int_equal(w->end[i].spis, 0);
	}
}

static void assert_one_tunnel(struct world *w)
{
	assert_true(world_connected(w));
	for (unsigned int i = 0; i < 2; i++) {
		assert_int_equal(world_count_ike(w, i, "ESTABLISHED"), 1);
		assert_int_equal(world_count_ike(w, i, NULL), 1);
		assert_int_equal(world_count_children(w, i, "INSTALLED"), 1);
		assert_int_equal(world_count_children(w, i, NULL), 1);
		assert_int_equal(world_count_sas(&w->end[i]), 2);
		assert_int_equal(world_count_policies(&w->end[i]), 2);
		assert_int_equal(w->end[i].spis, 0);
	}
}

static void count_children(void *arg, const struct ike_sa_info *info)
{
	*(size_t *)arg += info->n_children;
}

/* Who wants to know no more than what is there puts no question to the data plane. */
static void test_look(void **state)
{
	struct world *w = world_new();
	struct world_end *end = &w->end[1];
	size_t children = 0;

	world_start(w);
	world_up(w);
	assert_int_equal(end->queries, 0);
	ike_engine_look_at_sa(end->engine, 1, false, count_children, &children);
	assert_int_equal(children, 1);
	assert_int_equal(end->queries, 0);
	ike_engine_look_at_sa(end->engine, 1, true, count_children, &children);
	assert_int_equal(children, 2);
	assert_int_equal(end->queries, 2);
	ike_engine_look_at_sa(end->engine, 2, true, count_children, &children);
	assert_int_equal(children, 2);
	world_free(w);
}

static void test_up_and_down(void **state)
{
	struct ike_match match = {.conn = "site"};
	struct world *w = world_new();
	const char *why;

	world_start(w);
	world_up(w);
	assert_one_tunnel(w);
	assert_true(w->end[0].last_done.ok);
	assert_int_equal(w->end[0].events[IKE_EVENT_IKE_UP], 1);
	assert_int_equal(w->end[1].events[IKE_EVENT_CHILD_UP], 1);
	/* Four messages: RFC 7296 section 1.2. */
	assert_int_equal(w->n_sent, 4);
	assert_int_not_equal(ike_engine_terminate(w->end[1].engine, w->now, &match, &why), 0);
	world_run(w);
	assert_gone(w);
	assert_int_equal(w->end[0].events[IKE_EVENT_CHILD_DOWN], 1);
	assert_int_equal(w->end[0].events[IKE_EVENT_IKE_DOWN], 1);
	world_free(w);
}

static void test_all_suites(void **state)
{
	static const char *const suites[] = {
		"aes128-sha256-ecp256",		  "aes256-sha384-ecp384",
		"aes256-sha512-ecp521",		  "aes256gcm16-prfsha384-x448",
		"aes128gcm16-prfsha512-modp2048", "aes256gcm16-prfsha256-modp3072",
	};

	for (size_t i = 0; i < sizeof(suites) / sizeof(suites[0]); i++) {
		struct world *w = world_new();

		set_proposals(&conn(w, 0)->proposals, IKE_PROTO_IKE, suites[i]);
		set_proposals(&conn(w, 1)->proposals, IKE_PROTO_IKE, suites[i]);
		world_start(w);
		world_up(w);
		assert_one_tunnel(w);
		world_free(w);
	}
}

/* The responder narrows (RFC 7296 section 2.9). */
static void test_narrowing(void **state)
{
	struct world *w = world_new();

	set_ts(&child(w, 0)->local_ts, &child(w, 0)->n_local_ts, "10.0.0.0/8");
	set_ts(&child(w, 0)->remote_ts, &child(w, 0)->n_remote_ts, "0.0.0.0/0");
	world_start(w);
	world_up(w);
	for (size_t i = 0; i < WORLD_POLICIES; i++) {
		const struct world_policy *p = &w->end[0].policies[i];

		if (!p->id)
			continue;
		assert_string_equal(p->src, p->inbound ? "10.2.0.0/16" : "10.1.0.0/16");
		assert_string_equal(p->dst, p->inbound ? "10.1.0.0/16" : "10.2.0.0/16");
	}
	world_free(w);
}

static void test_ts_unacceptable(void **state)
{
	struct world *w = world_new();

	set_ts(&child(w, 0)->remote_ts, &child(w, 0)->n_remote_ts, "10.9.0.0/16");
	world_start(w);
	world_initiate(w, "net");
	/*
	 * The IKE SA stands (section 1.2), the CHILD_SA does not, and both lists are in one line.
	 */
	assert_int_equal(world_count_ike(w, 0, "ESTABLISHED"), 1);
	assert_int_equal(world_count_children(w, 0, NULL), 0);
	assert_int_equal(world_count_sas(&w->end[0]), 0);
	assert_int_equal(w->end[0].spis, 0);
	assert_true(world_logged(&w->end[1],
				 "TS_UNACCEPTABLE: child net has 10.2.0.0/16 === 10.1.0.0/16, "
				 "the peer offers 10.9.0.0/16 === 10.1.0.0/16"));
	assert_true(world_logged(&w->end[0], "TS_UNACCEPTABLE"));
	assert_false(w->end[0].last_done.ok);
	assert_non_null(strstr(w->end[0].done_text, "TS_UNACCEPTABLE"));
	world_free(w);
}

static void test_no_proposal(void **state)
{
	struct world *w = world_new();

	set_proposals(&conn(w, 1)->proposals, IKE_PROTO_IKE, "aes256gcm16-prfsha256-x25519");
	world_start(w);
	world_initiate(w, "net");
	assert_true(world_logged(&w->end[1], "NO_PROPOSAL_CHOSEN"));
	assert_true(world_logged(&w->end[1], "aes256gcm16"));
	assert_true(world_logged(&w->end[1], "no common encryption"));
	assert_true(world_logged(&w->end[0], "NO_PROPOSAL_CHOSEN"));
	/* Anybody could have sent that: it is asked again, then given up (section 2.21.1). */
	assert_int_equal(world_count_ike(w, 0, "CONNECTING"), 1);
	world_pass(w, 30 * (ike_time)IKE_SECOND);
	assert_gone(w);
	assert_non_null(strstr(w->end[0].done_text, "NO_PROPOSAL_CHOSEN"));
	world_free(w);
}

static void test_esp_no_proposal(void **state)
{
	struct world *w = world_new();

	set_proposals(&child(w, 1)->proposals, IKE_PROTO_ESP, "aes256gcm16");
	world_start(w);
	world_initiate(w, "net");
	assert_true(world_logged(&w->end[1], "NO_PROPOSAL_CHOSEN: child net"));
	assert_true(world_logged(&w->end[0], "NO_PROPOSAL_CHOSEN; configured: aes128gcm16"));
	assert_int_equal(world_count_children(w, 1, NULL), 0);
	assert_int_equal(world_count_ike(w, 1, "ESTABLISHED"), 1);
	world_free(w);
}

static void test_wrong_key(void **state)
{
	struct world *w = world_new();

	w->end[1].config->secrets[0].key[0] ^= 1;
	world_start(w);
	world_initiate(w, "net");
	assert_true(world_logged(
		&w->end[1], "AUTHENTICATION_FAILED: the pre-shared key of peer a.example.org"));
	assert_true(world_logged(&w->end[0], "AUTHENTICATION_FAILED"));
	assert_false(w->end[0].last_done.ok);
	assert_gone(w);
	world_free(w);
}

static void test_wrong_identity(void **state)
{
	struct world *w = world_new();

	assert_true(ike_id_parse("c.example.org", &conn(w, 1)->remote.id, NULL));
	world_start(w);
	world_initiate(w, "net");
	assert_true(world_logged(&w->end[1], "no connection is for peer a.example.org"));
	assert_gone(w);
	world_free(w);
}

/*
 * The responder is not who the initiator expects: the responder must learn of it (section 2.21.2).
 */
static void test_responder_refused(void **state)
{
	struct world *w = world_new();

	/*
	 * It matches "who wants", yet answers as another: the request names no IDr because of the
	 * wildcard.
	 */
	assert_true(ike_id_parse("*.example.net", &conn(w, 0)->remote.id, NULL));
	world_start(w);
	world_initiate(w, "net");
	assert_true(world_logged(&w->end[0], "AUTHENTICATION_FAILED: the peer is b.example.org"));
	assert_true(world_logged(&w->end[1], "the peer says: AUTHENTICATION_FAILED"));
	assert_gone(w);
	world_free(w);
}

static void test_invalid_ke(void **state)
{
	struct world *w = world_new();

	set_proposals(&conn(w, 0)->proposals, IKE_PROTO_IKE, "aes128gcm16-prfsha256-ecp256-x25519");
	world_start(w);
	world_up(w);
	assert_true(world_logged(&w->end[0], "the peer wants key exchange"));
	assert_int_equal(w->n_sent, 6);
	world_free(w);
}

static void test_cookie(void **state)
{
	struct ike_counters counters;
	struct world *w = world_new();

	world_start(w);
	/* As under attack: one half-open IKE SA more than the threshold. */
	w->end[1].engine->counters.half_open = 31;
	world_up(w);
	ike_engine_counters(w->end[1].engine, &counters);
	assert_int_equal(counters.cookies_sent, 1);
	assert_int_equal(w->n_sent, 6);
	world_free(w);
}

static void test_dead_peer_gives_up(void **state)
{
	struct ike_counters counters;
	struct world *w = world_new();

	world_start(w);
	w->end[1].engine->stopping = true;
	world_initiate(w, "net");
	world_pass(w, 200 * (ike_time)IKE_SECOND);
	assert_gone(w);
	ike_engine_counters(w->end[0].engine, &counters);
	/* The first and five more. */
	assert_int_equal(counters.retransmitted, 5);
	assert_non_null(strstr(w->end[0].done_text, "no answer from 192.0.2.2"));
	world_free(w);
}

static bool nothing_arrives(struct world *w, struct world_message *m)
{
	return false;
}

/* The peer is away for hours. keyingtries = 0: each attempt has its time, pauses grow, then it is there. */
static void test_tries_for_ever(void **state)
{
	struct world *w = world_new();
	ike_time ended, pause = 0, longest = 0;
	unsigned int attempts = 0, lines;

	conn(w, 0)->keyingtries = 0;
	child(w, 0)->start_action = IKE_START_START;
	w->wire = nothing_arrives;
	world_start(w);
	while (attempts < 14) {
		while (world_count_ike(w, 0, NULL))
			world_pass(w, IKE_SECOND / 4);
		ended = w->now;
		lines = w->end[0].errors;
		while (!world_count_ike(w, 0, NULL))
			world_pass(w, IKE_SECOND / 4);
		/* One line for each attempt, not more. */
		assert_int_equal(w->end[0].errors, lines);
		pause = w->now - ended;
		longest = pause > longest ? pause : longest;
		assert_true(attempts > 0 || pause <= 2 * IKE_SECOND);
		assert_true(attempts < 10 || pause > 200 * (ike_time)IKE_SECOND);
		attempts++;
	}
	assert_true(longest < 400 * (ike_time)IKE_SECOND);
	w->wire = NULL;
	world_pass(w, 200 * (ike_time)IKE_SECOND);
	world_pass(w, 400 * (ike_time)IKE_SECOND);
	assert_true(world_connected(w));
	world_free(w);
}

static void rekey(struct world *w, unsigned int end, bool children)
{
	struct ike_match match = {.conn = "site", .children = children};
	const char *why;

	assert_int_not_equal(ike_engine_rekey(w->end[end].engine, w->now, &match, &why), 0);
	world_run(w);
	assert_true(w->end[end].last_done.ok);
	assert_true(world_connected(w));
	/* Until the overlap is over the old inbound SA is there, and hidden. */
	world_pass(w, IKE_OVERLAP);
}

static void test_rekey_child(void **state)
{
	struct world *w = world_new();
	uint32_t spi;

	world_start(w);
	world_up(w);
	for (unsigned int i = 0; i < 4; i++) {
		spi = world_child(w, 0)->spi_in;
		rekey(w, i & 1, true);
		assert_int_not_equal(world_child(w, 0)->spi_in, spi);
		assert_one_tunnel(w);
	}
	assert_int_equal(world_child(w, 0)->suite.ke, IKE_KE_CURVE25519);
	assert_int_equal(w->end[0].events[IKE_EVENT_CHILD_REKEYED], 4);
	assert_int_equal(w->end[0].events[IKE_EVENT_CHILD_DOWN], 0);
	world_free(w);
}

static void test_rekey_without_pfs(void **state)
{
	struct world *w = world_new();

	set_proposals(&child(w, 0)->proposals, IKE_PROTO_ESP, "aes256gcm16");
	set_proposals(&child(w, 1)->proposals, IKE_PROTO_ESP, "aes256gcm16");
	world_start(w);
	world_up(w);
	rekey(w, 0, true);
	assert_one_tunnel(w);
	assert_int_equal(world_child(w, 0)->suite.ke, IKE_KE_NONE);
	world_free(w);
}

static void test_rekey_invalid_ke(void **state)
{
	struct world *w = world_new();

	set_proposals(&child(w, 0)->proposals, IKE_PROTO_ESP, "aes128gcm16-ecp256-x25519");
	world_start(w);
	world_up(w);
	rekey(w, 0, true);
	assert_one_tunnel(w);
	assert_int_equal(world_child(w, 1)->suite.ke, IKE_KE_CURVE25519);
	world_free(w);
}

static void test_rekey_ike(void **state)
{
	struct world *w = world_new();
	uint64_t spi;

	world_start(w);
	world_up(w);
	for (unsigned int i = 0; i < 4; i++) {
		spi = world_sa(w, 0)->spi_i;
		rekey(w, i & 1, false);
		assert_int_not_equal(world_sa(w, 0)->spi_i, spi);
		assert_one_tunnel(w);
	}
	rekey(w, 1, true);
	assert_one_tunnel(w);
	assert_int_equal(w->end[1].events[IKE_EVENT_IKE_REKEYED], 4);
	assert_int_equal(w->end[1].events[IKE_EVENT_IKE_DOWN], 0);
	world_free(w);
}

static void ask_rekey(struct world *w, unsigned int end, bool children)
{
	struct ike_match match = { .conn = "site", .children = children };
	const char *why;

	assert_int_not_equal(ike_engine_rekey(w->end[end].engine, w->now, &match, &why), 0);
}

/* Both ends at once (RFC 7296 sections 2.8.1, 2.8.2, 2.25): one survives, and nobody is cut off. */
static void test_simultaneous_rekeys(void **state)
{
	for (unsigned int kinds = 0; kinds < 4; kinds++) {
		struct world *w = world_new();

		world_start(w);
		world_up(w);
		for (unsigned int round = 0; round < 10; round++) {
			ask_rekey(w, 0, kinds & 1);
			ask_rekey(w, 1, kinds & 2);
			world_run(w);
			assert_true(world_connected(w));
			/* What was put off for the other's sake is done a little later. */
			world_pass(w, IKE_LINGER_TIME + 10 * IKE_SECOND);
			assert_one_tunnel(w);
		}
		assert_int_equal(w->end[0].events[IKE_EVENT_CHILD_DOWN], 0);
		assert_int_equal(w->end[1].events[IKE_EVENT_IKE_DOWN], 0);
		world_free(w);
	}
}

/* One deletes what the other rekeys: it stays deleted, and nothing is left behind. */
static void test_rekey_against_delete(void **state)
{
	for (unsigned int first = 0; first < 2; first++) {
		struct ike_match match = { .conn = "site", .children = true };
		struct world *w = world_new();
		const char *why;

		world_start(w);
		world_up(w);
		if (first)
			ask_rekey(w, 0, true);
		ike_engine_terminate(w->end[1].engine, w->now, &match, &why);
		if (!first)
			ask_rekey(w, 0, true);
		world_run(w);
		world_pass(w, 30 * (ike_time)IKE_SECOND);
		for (unsigned int i = 0; i < 2; i++) {
			assert_int_equal(world_count_ike(w, i, "ESTABLISHED"), 1);
			assert_int_equal(world_count_children(w, i, NULL), 0);
			assert_int_equal(world_count_sas(&w->end[i]), 0);
			assert_int_equal(world_count_policies(&w->end[i]), 0);
			assert_int_equal(w->end[i].spis, 0);
		}
		world_free(w);
	}
}

/* Both want the tunnel up from the start: one is left, and it was never cut. */
static void test_both_begin(void **state)
{
	struct world *w = world_new();
	struct ike_addr a = { .family = AF_INET, .bytes = { 192, 0, 2, 1 } };

	conn(w, 1)->n_remote_addrs = 1;
	conn(w, 1)->remote_addrs[0] = ike_ts_of_addr(&a);
	child(w, 0)->start_action = child(w, 0)->close_action = IKE_START_START;
	child(w, 1)->start_action = child(w, 1)->close_action = IKE_START_START;
	world_start(w);
	assert_true(world_connected(w));
	world_pass(w, 200 * (ike_time)IKE_SECOND);
	assert_one_tunnel(w);
	world_free(w);
}

static void test_soft_and_hard_limits(void **state)
{
	struct world *w = world_new();
	struct ike_child *c;

	child(w, 0)->close_action = IKE_START_START;
	world_start(w);
	world_up(w);
	c = world_child(w, 1);
	ike_engine_sa_expire(w->end[1].engine, w->now, c->id, true, c->spi_in, false, "bytes");
	world_run(w);
	world_pass(w, IKE_OVERLAP);
	assert_one_tunnel(w);
	assert_true(world_logged(&w->end[1], "soft limit of bytes"));
	/*
	 * Hard: gone from the data plane; deleted at the peer, whose close_action brings it up
	 * again.
	 */
	c = world_child(w, 1);
	for (size_t i = 0; i < WORLD_SAS; i++)
		if (w->end[1].sas[i].id == c->sa_in)
			w->end[1].sas[i].id = 0;
	ike_engine_sa_expire(w->end[1].engine, w->now, c->id, true, c->spi_in, true, "bytes");
	world_run(w);
	assert_int_equal(world_count_children(w, 1, NULL), 0);
	world_pass(w, 2 * IKE_SECOND);
	assert_one_tunnel(w);
	world_free(w);
}

static void test_liveness(void **state)
{
	struct world *w = world_new();

	conn(w, 0)->dpd_delay = 10;
	child(w, 0)->dpd_action = IKE_START_START;
	world_start(w);
	world_up(w);
	world_pass(w, 35 * (ike_time)IKE_SECOND);
	/* Three questions, three answers. */
	assert_int_equal(w->n_sent, 4 + 6);
	assert_one_tunnel(w);
	world_free(w);
}

static bool nobody(struct world *w, struct world_message *m)
{
	return false;
}

/* dpd_timeout: gone after ten seconds of asking, where five retransmissions would take a minute and more. */
static void test_liveness_timeout(void **state)
{
	struct world *w = world_new();

	conn(w, 0)->dpd_delay = 10;
	conn(w, 0)->dpd_timeout = 10;
	world_start(w);
	world_up(w);
	w->wire = nobody;
	world_pass(w, 19 * (ike_time)IKE_SECOND);
	assert_int_equal(world_count_ike(w, 0, "ESTABLISHED"), 1);
	world_pass(w, 3 * (ike_time)IKE_SECOND);
	assert_int_equal(world_count_ike(w, 0, "ESTABLISHED"), 0);
	assert_true(world_logged(&w->end[0], "no answer from"));
	world_free(w);
}

/* An end loses its memory: a crash, a restart. */
static void restart(struct world *w, unsigned int end)
{
	struct ike_engine *old = w->end[end].engine;

	while (w->end[end].n_jobs)
		ike_job_free(w->end[end].jobs[--w->end[end].n_jobs]);
	w->end[end].engine = ike_engine_new(old->ops, &w->end[end], w->end[end].config, w->now);
	ike_engine_free(old);
	memset(w->end[end].sas, 0, sizeof(w->end[end].sas));
	memset(w->end[end].policies, 0, sizeof(w->end[end].policies));
	w->end[end].spis = 0;
}

static void test_peer_restarts(void **state)
{
	struct world *w = world_new();

	conn(w, 0)->dpd_delay = 10;
	child(w, 0)->dpd_action = IKE_START_START;
	world_start(w);
	world_up(w);
	restart(w, 1);
	world_pass(w, 120 * (ike_time)IKE_SECOND);
	assert_one_tunnel(w);
	world_free(w);
}

/* INITIAL_CONTACT: what the peer had before its crash goes at once (section 2.4). */
static void test_initial_contact(void **state)
{
	struct world *w = world_new();

	world_start(w);
	world_up(w);
	w->now += IKE_SECOND;
	restart(w, 0);
	world_up(w);
	assert_int_equal(world_count_ike(w, 1, "ESTABLISHED"), 1);
	assert_true(world_logged(&w->end[1], "INITIAL_CONTACT"));
	world_pass(w, 200 * (ike_time)IKE_SECOND);
	assert_one_tunnel(w);
	world_free(w);
}

static bool only_from_0(struct world *w, struct world_message *m)
{
	return m->from == 0;
}

/*
 * Both rekey the IKE SA at once, and end 0 crashes before it can settle that: what its own rekeying
 * made at end 1 goes with what it was made of (seed 1763 of the simulator, once).
 */
static void test_initial_contact_after_collision(void **state)
{
	struct world *w = world_new();

	world_start(w);
	world_up(w);
	w->wire = only_from_0;
	ask_rekey(w, 1, false);
	ask_rekey(w, 0, false);
	world_run(w);
	assert_int_equal(world_count_ike(w, 1, NULL), 2);
	w->now += IKE_SECOND;
	restart(w, 0);
	w->wire = NULL;
	world_up(w);
	assert_one_tunnel(w);
	world_pass(w, 200 * (ike_time)IKE_SECOND);
	assert_one_tunnel(w);
	world_free(w);
}

static struct world_message late;

static bool keep_for_later(struct world *w, struct world_message *m)
{
	late = *m;
	return false;
}

/* Before the answer to IKE_SA_INIT comes that request of the life before, and is computed. */
static bool late_comes_first(struct world *w, struct world_message *m)
{
	struct ike_engine *e = w->end[1].engine;

	if (m->from != 1 || !late.len)
		return true;
	ike_engine_receive(e, w->now, &late.dst, &late.src, late.bytes, late.len);
	late.len = 0;
	while (w->end[1].n_jobs) {
		struct ike_job *job = w->end[1].jobs[--w->end[1].n_jobs];

		ike_job_run(job);
		ike_engine_job_done(e, w->now, job);
	}
	return true;
}

/*
 * End 0 asks for another IKE SA and crashes, and the request arrives after the first one of its new
 * life: the IKE SA that it makes is new, but what it is made of is not.
 */
static void test_initial_contact_after_late_rekey(void **state)
{
	struct world *w = world_new();

	world_start(w);
	world_up(w);
	w->wire = keep_for_later;
	ask_rekey(w, 0, false);
	world_run(w);
	assert_int_not_equal(late.len, 0);
	w->now += IKE_SECOND;
	restart(w, 0);
	w->wire = late_comes_first;
	world_up(w);
	assert_int_equal(late.len, 0);
	assert_true(world_logged(&w->end[1], "takes over"));
	/* What was rekeyed waits for a DELETE that nobody will send. */
	assert_int_equal(world_count_ike(w, 1, "ESTABLISHED"), 1);
	world_pass(w, IKE_REKEYED_TIME);
	assert_one_tunnel(w);
	world_free(w);
}

static void test_trap(void **state)
{
	struct world *w = world_new();
	uint64_t cookie = 0;

	child(w, 0)->start_action = IKE_START_TRAP;
	world_start(w);
	assert_int_equal(world_count_policies(&w->end[0]), 2);
	for (size_t i = 0; i < WORLD_POLICIES; i++)
		if (w->end[0].policies[i].id && !w->end[0].policies[i].inbound)
			cookie = w->end[0].policies[i].cookie;
	assert_int_not_equal(cookie, 0);
	ike_engine_acquire(w->end[0].engine, w->now, cookie);
	world_run(w);
	assert_one_tunnel(w);
	/*
	 * The trap is there again when the tunnel is down, and at no moment were there more than
	 * two policies.
	 */
	ike_engine_terminate(w->end[1].engine, w->now, &(struct ike_match){.conn = "site"},
			     &(const char *){NULL});
	world_run(w);
	assert_int_equal(world_count_sas(&w->end[0]), 0);
	assert_int_equal(world_count_policies(&w->end[0]), 2);
	assert_int_equal(world_count_policies(&w->end[1]), 0);
	world_free(w);
}

static void test_nat(void **state)
{
	struct world *w = world_new();
	struct ike_sa *a, *b;

	w->nat = true;
	world_start(w);
	world_up(w);
	a = world_sa(w, 0);
	b = world_sa(w, 1);
	assert_true(a->nat_local && !a->nat_remote);
	assert_true(b->nat_remote && !b->nat_local);
	assert_int_equal(a->local.port, IKE_PORT_NATT);
	assert_int_equal(a->remote.port, IKE_PORT_NATT);
	assert_int_equal(b->remote.port, IKE_PORT_NATT + 10000);
	for (size_t i = 0; i < WORLD_SAS; i++)
		assert_true(!w->end[1].sas[i].id || w->end[1].sas[i].spec.udp_encap);
	/* Who is behind the NAT keeps it open. */
	world_pass(w, 61 * (ike_time)IKE_SECOND);
	assert_in_range(w->end[0].keepalives, 3, 4);
	assert_int_equal(w->end[1].keepalives, 0);
	/* The NAT gives the peer another port, which the data plane sees first. */
	ike_engine_sa_mapping(w->end[1].engine, w->now, world_child(w, 1)->id,
			      world_child(w, 1)->spi_in,
			      &(struct ike_endpoint){b->remote.addr, 22222});
	assert_int_equal(b->remote.port, 22222);
	assert_int_equal(w->end[1].updates, 2);
	world_free(w);
}

static void test_forced_encap(void **state)
{
	for (unsigned int end = 0; end < 2; end++) {
		struct world *w = world_new();

		conn(w, end)->force_encap = true;
		world_start(w);
		world_up(w);
		assert_int_equal(world_sa(w, 0)->local.port, IKE_PORT_NATT);
		assert_int_equal(world_sa(w, 1)->local.port, IKE_PORT_NATT);
		assert_true(ike_sa_udp_encap(world_sa(w, 0)) && ike_sa_udp_encap(world_sa(w, 1)));
		world_free(w);
	}
}

/* @nets: behind end 0, behind end 1. */
static void add_second_child(struct world *w, const char *const nets[2])
{
	for (unsigned int i = 0; i < 2; i++) {
		struct ike_conn_cfg *c = conn(w, i);
		struct ike_child_cfg *two;

		c->children = realloc(c->children, 2 * sizeof(*c->children));
		two = &c->children[1];
		memset(two, 0, sizeof(*two));
		two->name = strdup("two");
		set_proposals(&two->proposals, IKE_PROTO_ESP, "aes256gcm16-ecp256");
		set_ts(&two->local_ts, &two->n_local_ts, nets[i]);
		set_ts(&two->remote_ts, &two->n_remote_ts, nets[!i]);
		c->n_children = 2;
	}
}

static const struct world_policy *policy(struct world *w, unsigned int end, const char *dst)
{
	for (size_t i = 0; i < WORLD_POLICIES; i++)
		if (w->end[end].policies[i].id && !strcmp(w->end[end].policies[i].dst, dst))
			return &w->end[end].policies[i];
	fail_msg("no policy to %s", dst);
	return NULL;
}

/* Policies of their own, ahead of any CHILD_SA's; to peers they are nothing. */
static void test_shunts(void **state)
{
	static const struct {
		enum ike_mode mode;
		enum ike_policy_action action;
	} shunts[] = {
		{IKE_MODE_PASS, IKE_POLICY_BYPASS},
		{IKE_MODE_DROP, IKE_POLICY_DISCARD},
	};

	for (size_t i = 0; i < 2; i++) {
		struct world *w = world_new();
		const char *why = NULL;

		add_second_child(w, (const char *const[]){"10.1.0.0/16", "10.0.0.0/8"});
		for (unsigned int end = 0; end < 2; end++) {
			conn(w, end)->children[1].mode = shunts[i].mode;
			conn(w, end)->children[1].start_action = IKE_START_TRAP;
		}
		/* The tunnel's selectors lie within. */
		set_ts(&child(w, 0)->remote_ts, &child(w, 0)->n_remote_ts, "10.2.0.0/16");
		world_start(w);
		assert_int_equal(policy(w, 0, "10.0.0.0/8")->action, shunts[i].action);
		assert_int_equal(policy(w, 0, "10.1.0.0/16")->action, shunts[i].action);
		assert_int_equal(policy(w, 0, "10.0.0.0/8")->sa_id, 0);
		world_up(w);
		assert_string_equal(world_child(w, 1)->cfg->name, "net");
		assert_int_equal(world_count_policies(&w->end[0]), 4);
		assert_int_equal(policy(w, 0, "10.2.0.0/16")->action, IKE_POLICY_PROTECT);
		assert_true(policy(w, 0, "10.0.0.0/8")->priority <
			    policy(w, 0, "10.2.0.0/16")->priority);
		assert_int_equal(ike_engine_initiate(w->end[0].engine, w->now, "site", "two", &why), 0);
		assert_non_null(strstr(why, "has no peer"));
		world_free(w);
	}
}

/* A connection of nothing else is none that a peer could mean, though it names no addresses. */
static void test_shunts_are_no_connection(void **state)
{
	struct world *w = world_new();
	struct ike_config *c = w->end[1].config;
	struct ike_conn_cfg *shunts;

	c->conns = realloc(c->conns, 2 * sizeof(*c->conns));
	shunts = &c->conns[1];
	*shunts = (struct ike_conn_cfg){.name = strdup("shunts"), .n_children = 1};
	assert_true(ike_proposal_list_parse(&shunts->proposals, IKE_PROTO_IKE,
					    "aes128gcm16-prfsha256-x25519", NULL));
	shunts->children = calloc(1, sizeof(*shunts->children));
	shunts->children[0].name = strdup("lan");
	shunts->children[0].mode = IKE_MODE_PASS;
	c->n_conns = 2;
	/* Worse than any other. */
	assert_true(ike_id_parse("c.example.org", &conn(w, 1)->remote.id, NULL));
	world_start(w);
	world_initiate(w, "net");
	assert_true(world_logged(&w->end[1], "no connection is for peer a.example.org"));
	world_free(w);
}

static void use(struct world *w, unsigned int end, bool inbound)
{
	for (size_t i = 0; i < WORLD_SAS; i++)
		if (w->end[end].sas[i].id && w->end[end].sas[i].spec.inbound == inbound)
			w->end[end].sas[i].used = w->now;
}

/* A packet of either direction counts. After the last it is as long as configured, not less. */
static void test_inactivity(void **state)
{
	for (unsigned int inbound = 0; inbound < 2; inbound++) {
		struct world *w = world_new();

		child(w, 0)->inactivity = 60;
		world_start(w);
		world_up(w);
		world_pass(w, 50 * (ike_time)IKE_SECOND);
		use(w, 0, inbound);
		world_pass(w, 59 * (ike_time)IKE_SECOND);
		assert_one_tunnel(w);
		world_pass(w, 2 * (ike_time)IKE_SECOND);
		assert_true(world_logged(&w->end[0], "no packet for 60 s (inactivity)"));
		for (unsigned int i = 0; i < 2; i++) {
			assert_int_equal(world_count_ike(w, i, "ESTABLISHED"), 1);
			assert_int_equal(world_count_children(w, i, NULL), 0);
			assert_int_equal(world_count_sas(&w->end[i]), 0);
		}
		/* It is wanted no more. */
		world_pass(w, 600 * (ike_time)IKE_SECOND);
		assert_int_equal(world_count_children(w, 0, NULL), 0);
		world_free(w);
	}
}

/* Rekeying is no use: else what is rekeyed more often would never end. */
static void test_inactivity_through_rekey(void **state)
{
	struct world *w = world_new();

	child(w, 0)->inactivity = 60;
	child(w, 0)->life.soft_seconds = 1000;
	world_start(w);
	world_up(w);
	for (unsigned int i = 0; i < 2; i++) {
		world_pass(w, 25 * (ike_time)IKE_SECOND);
		ike_engine_rekey(w->end[i].engine, w->now,
				 &(struct ike_match){.conn = "site", .children = true},
				 &(const char *){NULL});
		world_run(w);
		assert_int_equal(w->end[0].events[IKE_EVENT_CHILD_REKEYED], i + 1);
	}
	world_pass(w, 9 * (ike_time)IKE_SECOND);
	assert_int_equal(world_count_children(w, 0, "INSTALLED"), 1);
	world_pass(w, 7 * (ike_time)IKE_SECOND);
	assert_int_equal(world_count_children(w, 0, NULL), 0);
	world_free(w);
}

/* The next packet finds the trap. */
static void test_inactivity_trapped(void **state)
{
	struct world *w = world_new();

	child(w, 0)->inactivity = 60;
	child(w, 0)->start_action = IKE_START_TRAP;
	world_start(w);
	world_up(w);
	world_pass(w, 61 * (ike_time)IKE_SECOND);
	assert_int_equal(world_count_sas(&w->end[0]), 0);
	assert_int_equal(world_count_policies(&w->end[0]), 2);
	world_free(w);
}

static void test_second_child(void **state)
{
	struct world *w = world_new();

	add_second_child(w, (const char *const[]){"10.3.0.0/16", "10.4.0.0/16"});
	world_start(w);
	world_up(w);
	assert_int_not_equal(world_initiate(w, "two"), 0);
	assert_true(w->end[0].last_done.ok);
	assert_int_equal(world_count_ike(w, 0, NULL), 1);
	assert_int_equal(world_count_children(w, 1, "INSTALLED"), 2);
	assert_int_equal(world_count_policies(&w->end[1]), 4);
	world_free(w);
}

/* It fits into the first child too, whose proposals are others. */
static void test_nested_child(void **state)
{
	struct world *w = world_new();

	add_second_child(w, (const char *const[]){"10.1.3.0/24", "10.2.4.0/24"});
	world_start(w);
	world_up(w);
	assert_int_not_equal(world_initiate(w, "two"), 0);
	assert_true(w->end[0].last_done.ok);
	assert_int_equal(world_count_children(w, 1, "INSTALLED"), 2);
	world_free(w);
}

/* RFC 6023. */
static void test_childless(void **state)
{
	struct world *w = world_new();

	world_start(w);
	assert_int_not_equal(world_initiate(w, NULL), 0);
	assert_int_equal(world_count_ike(w, 1, "ESTABLISHED"), 1);
	assert_int_equal(world_count_children(w, 1, NULL), 0);
	world_up(w);
	assert_one_tunnel(w);
	world_free(w);
}

/* The first CHILD_SA apart: a key exchange of its own, in two more messages. */
static void test_childless_preferred(void **state)
{
	for (unsigned int how = IKE_CHILDLESS_PREFER; how <= IKE_CHILDLESS_FORCE; how++) {
		struct world *w = world_new();

		conn(w, 0)->childless = how;
		world_start(w);
		world_up(w);
		assert_one_tunnel(w);
		assert_int_equal(w->n_sent, 6);
		for (unsigned int i = 0; i < 2; i++)
			assert_int_equal(world_child(w, i)->suite.ke, 31); /* Curve25519, RFC 8031 */
		world_free(w);
	}
}

/* A peer that does not know how, or will not. */
static void test_childless_never(void **state)
{
	for (unsigned int how = IKE_CHILDLESS_PREFER; how <= IKE_CHILDLESS_FORCE; how++) {
		struct world *w = world_new();

		conn(w, 0)->childless = how;
		conn(w, 1)->childless = IKE_CHILDLESS_NEVER;
		world_start(w);
		world_initiate(w, "net");
		if (how == IKE_CHILDLESS_PREFER) {
			assert_one_tunnel(w);
			assert_int_equal(w->n_sent, 4);
		} else {
			assert_false(w->end[0].last_done.ok);
			assert_non_null(strstr(w->end[0].done_text, "childless = force cannot be"));
			assert_int_equal(world_count_ike(w, 0, NULL), 0);
		}
		world_free(w);
	}
}

static void test_childless_never_asked(void **state)
{
	struct world *w = world_new();

	conn(w, 0)->childless = IKE_CHILDLESS_NEVER;
	world_start(w);
	world_initiate(w, NULL);
	assert_non_null(strstr(w->end[0].done_text, "childless = never: name a child"));
	assert_int_equal(world_count_ike(w, 0, NULL), 0);
	world_free(w);
}

/* Which connection it is shows in IKE_AUTH only: the answer before may have promised too much. */
static bool promise(struct world *w, struct world_message *m)
{
	if (m->from == 1)
		conn(w, 1)->childless = IKE_CHILDLESS_NEVER;
	return true;
}

static void test_childless_refused(void **state)
{
	struct world *w = world_new();

	w->wire = promise;
	world_start(w);
	world_initiate(w, NULL);
	assert_true(world_logged(&w->end[1], "the peer wants no CHILD_SA, and childless = never"));
	assert_non_null(strstr(w->end[0].done_text, "INVALID_SYNTAX"));
	assert_gone(w);
	world_free(w);
}

/* Who insists takes no CHILD_SA along with the IKE SA, which stands. */
static void test_childless_insisted(void **state)
{
	struct world *w = world_new();

	conn(w, 1)->childless = IKE_CHILDLESS_FORCE;
	world_start(w);
	world_initiate(w, "net");
	assert_non_null(strstr(w->end[0].done_text, "NO_ADDITIONAL_SAS"));
	assert_int_equal(world_count_ike(w, 0, "ESTABLISHED"), 1);
	assert_int_equal(world_count_children(w, 1, NULL), 0);
	world_up(w);
	assert_one_tunnel(w);
	world_free(w);
}

static void test_shutdown(void **state)
{
	struct world *w = world_new();

	world_start(w);
	world_up(w);
	ike_engine_shutdown(w->end[0].engine, w->now);
	assert_false(ike_engine_idle(w->end[0].engine));
	world_run(w);
	assert_true(ike_engine_idle(w->end[0].engine));
	assert_gone(w);
	world_free(w);
}

/* The data plane refuses: nothing is left, and the peer is told. */
static void test_data_plane_refuses(void **state)
{
	for (unsigned int end = 0; end < 2; end++) {
		struct world *w = world_new();

		w->end[end].refuse_sa = true;
		world_start(w);
		world_initiate(w, "net");
		world_pass(w, 10 * IKE_SECOND);
		assert_true(world_logged(&w->end[end], "the data plane is full"));
		for (unsigned int i = 0; i < 2; i++) {
			assert_int_equal(world_count_sas(&w->end[i]), 0);
			assert_int_equal(world_count_policies(&w->end[i]), 0);
			assert_int_equal(w->end[i].spis, 0);
		}
		world_free(w);
	}
}

/* The initiator cannot install what both have agreed on: the peer must not keep it either. */
static void test_rekey_not_installed(void **state)
{
	struct world *w = world_new();

	world_start(w);
	world_up(w);
	w->end[0].refuse_sa = true;
	ask_rekey(w, 0, true);
	world_run(w);
	assert_false(w->end[0].last_done.ok);
	assert_one_tunnel(w);
	/* What was to be replaced is as good as before: it can be rekeyed by either end. */
	w->end[0].refuse_sa = false;
	rekey(w, 0, true);
	rekey(w, 1, true);
	assert_one_tunnel(w);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_up_and_down),
		cmocka_unit_test(test_look),
		cmocka_unit_test(test_all_suites),
		cmocka_unit_test(test_narrowing),
		cmocka_unit_test(test_ts_unacceptable),
		cmocka_unit_test(test_no_proposal),
		cmocka_unit_test(test_esp_no_proposal),
		cmocka_unit_test(test_wrong_key),
		cmocka_unit_test(test_wrong_identity),
		cmocka_unit_test(test_responder_refused),
		cmocka_unit_test(test_invalid_ke),
		cmocka_unit_test(test_cookie),
		cmocka_unit_test(test_dead_peer_gives_up),
		cmocka_unit_test(test_tries_for_ever),
		cmocka_unit_test(test_rekey_child),
		cmocka_unit_test(test_rekey_without_pfs),
		cmocka_unit_test(test_rekey_invalid_ke),
		cmocka_unit_test(test_rekey_ike),
		cmocka_unit_test(test_simultaneous_rekeys),
		cmocka_unit_test(test_rekey_against_delete),
		cmocka_unit_test(test_both_begin),
		cmocka_unit_test(test_soft_and_hard_limits),
		cmocka_unit_test(test_liveness),
		cmocka_unit_test(test_liveness_timeout),
		cmocka_unit_test(test_peer_restarts),
		cmocka_unit_test(test_initial_contact),
		cmocka_unit_test(test_initial_contact_after_collision),
		cmocka_unit_test(test_initial_contact_after_late_rekey),
		cmocka_unit_test(test_trap),
		cmocka_unit_test(test_nat),
		cmocka_unit_test(test_forced_encap),
		cmocka_unit_test(test_shunts),
		cmocka_unit_test(test_shunts_are_no_connection),
		cmocka_unit_test(test_inactivity),
		cmocka_unit_test(test_inactivity_through_rekey),
		cmocka_unit_test(test_inactivity_trapped),
		cmocka_unit_test(test_second_child),
		cmocka_unit_test(test_nested_child),
		cmocka_unit_test(test_childless),
		cmocka_unit_test(test_childless_preferred),
		cmocka_unit_test(test_childless_never),
		cmocka_unit_test(test_childless_never_asked),
		cmocka_unit_test(test_childless_refused),
		cmocka_unit_test(test_childless_insisted),
		cmocka_unit_test(test_shutdown),
		cmocka_unit_test(test_data_plane_refuses),
		cmocka_unit_test(test_rekey_not_installed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
