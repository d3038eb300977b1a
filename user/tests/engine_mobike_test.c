// SPDX-License-Identifier: MIT
/* MOBIKE (RFC 4555): ends move, the one or the other, behind NATs and to where they may not go. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ikev2/child.h"
#include "ikev2/crypto/secret.h"
#include "tests/world.h"

static const struct ike_addr home[] = {
	{AF_INET, {192, 0, 2, 1}},
	{AF_INET, {192, 0, 2, 2}},
};

static struct ike_addr away(uint8_t last)
{
	return (struct ike_addr){AF_INET, {203, 0, 113, last}};
}

/* Two ends that may be anywhere; end 0 looks for end 1 at home. */
static struct world *mobile(void)
{
	struct world *w = world_new();

	for (unsigned int i = 0; i < 2; i++) {
		w->end[i].config->conns[0].mobike = true;
		w->end[i].config->conns[0].n_local_addrs = 0;
		w->end[i].config->conns[0].dpd_delay = 10;
	}
	world_start(w);
	return w;
}

static bool is(const struct ike_endpoint *e, struct ike_addr addr)
{
	return ike_addr_equal(&e->addr, &addr);
}

static const struct ike_sa_spec *spec(struct world *w, unsigned int end, bool inbound)
{
	struct ike_child *c = world_child(w, end);

	for (size_t i = 0; i < WORLD_SAS; i++)
		if (w->end[end].sas[i].id == (inbound ? c->sa_in : c->sa_out))
			return &w->end[end].sas[i].spec;
	fail_msg("end %u has no SA", end);
	return NULL;
}

/* The IKE SA and both SAs of the data plane of @end lie between @local and @remote. */
static void assert_between(struct world *w, unsigned int end, struct ike_addr local,
			   struct ike_addr remote)
{
	assert_true(is(&world_sa(w, end)->local, local));
	assert_true(is(&world_sa(w, end)->remote, remote));
	assert_true(is(&spec(w, end, true)->src, remote));
	assert_true(is(&spec(w, end, true)->dst, local));
	assert_true(is(&spec(w, end, false)->src, local));
	assert_true(is(&spec(w, end, false)->dst, remote));
}

static void assert_both_between(struct world *w, struct ike_addr a, struct ike_addr b)
{
	assert_between(w, 0, a, b);
	assert_between(w, 1, b, a);
	assert_true(world_connected(w));
	for (unsigned int i = 0; i < 2; i++) {
		assert_int_equal(world_count_ike(w, i, "ESTABLISHED"), 1);
		assert_int_equal(w->end[i].events[IKE_EVENT_CHILD_DOWN], 0);
	}
}

/* Section 3.3: port 4500 for IKE although there is no NAT, and no UDP around ESP. */
static void test_agreed(void **state)
{
	for (unsigned int can = 0; can < 4; can++) {
		struct world *w = world_new();

		for (unsigned int i = 0; i < 2; i++)
			w->end[i].config->conns[0].mobike = can >> i & 1;
		world_start(w);
		world_up(w);
		for (unsigned int i = 0; i < 2; i++) {
			struct ike_sa *sa = world_sa(w, i);

			assert_int_equal(sa->mobike.on, can == 3);
			assert_int_equal(sa->local.port, can & 1 ? IKE_PORT_NATT : IKE_PORT);
			assert_int_equal(sa->remote.port, can & 1 ? IKE_PORT_NATT : IKE_PORT);
			assert_false(spec(w, i, true)->udp_encap);
		}
		world_free(w);
	}
}

static void set_ts(struct ike_ts **list, size_t *n, const char *text)
{
	assert_true(ike_ts_list_parse(text, list, n, NULL));
}

/* A second child in tunnel mode, between end 0 itself and a network behind end 1. */
static void add_dynamic_child(struct world *w)
{
	static const char *const ends[] = {"dynamic", "10.4.0.0/16"};

	for (unsigned int i = 0; i < 2; i++) {
		struct ike_conn_cfg *c = &w->end[i].config->conns[0];
		struct ike_child_cfg *two;

		c->children = realloc(c->children, 2 * sizeof(*c->children));
		two = &c->children[c->n_children++];
		*two = (struct ike_child_cfg){.name = strdup("two")};
		assert_true(ike_proposal_list_parse(&two->proposals, IKE_PROTO_ESP,
						    "aes128gcm16-x25519", NULL));
		set_ts(&two->local_ts, &two->n_local_ts, ends[i]);
		set_ts(&two->remote_ts, &two->n_remote_ts, ends[!i]);
	}
}

static unsigned int mover;

static bool move_before_answer(struct world *w, struct world_message *m)
{
	struct ike_header h;

	if (m->from != 1 || !ike_header_decode(ike_bytes(m->bytes, m->len), &h, NULL) ||
	    h.exchange != IKE_EXCHANGE_CREATE_CHILD_SA)
		return true;
	w->wire = NULL;
	w->end[mover].addrs[w->end[mover].n_addrs - 1] = away(7);
	ike_engine_roam(w->end[mover].engine, w->now);
	return true;
}

/*
 * What dynamic selectors stood for when they were offered is what the answer is about, wherever the
 * end has gone meanwhile. They stay: MOBIKE changes what is outside (RFC 4555 section 1.2).
 */
static void test_dynamic_selectors_cross_move(void **state)
{
	const struct ike_match match = {.child = "two"};
	struct ike_ts at_home = ike_ts_of_addr(&home[0]);
	struct world *w = mobile();
	const char *why;

	add_dynamic_child(w);
	world_up(w);
	mover = 0;
	w->wire = move_before_answer;
	assert_int_not_equal(world_initiate(w, "two"), 0);
	assert_null(w->wire);
	assert_true(w->end[0].last_done.ok);
	assert_false(world_logged(&w->end[0], "that were not offered"));
	world_pass(w, 5 * IKE_SECOND);
	for (unsigned int i = 0; i < 2; i++) {
		assert_int_equal(world_count_children(w, i, "INSTALLED"), 2);
		assert_int_equal(world_count_children(w, i, NULL), 2);
	}
	assert_true(ike_ts_equal(&world_child(w, 0)->local_ts[0], &at_home));
	assert_both_between(w, away(7), home[1]);
	/* Rekeyed across another move it keeps them too, and nothing more is asked for. */
	w->end[0].addrs[0] = home[0];
	ike_engine_roam(w->end[0].engine, w->now);
	world_run(w);
	w->wire = move_before_answer;
	ike_engine_rekey(w->end[0].engine, w->now, &match, &why);
	world_run(w);
	world_pass(w, 30 * IKE_SECOND);
	assert_null(w->wire);
	assert_int_equal(w->end[0].events[IKE_EVENT_CHILD_REKEYED], 1);
	assert_true(ike_ts_equal(&world_child(w, 0)->local_ts[0], &at_home));
	assert_int_equal(world_count_children(w, 0, NULL), 2);
	assert_int_equal(world_count_children(w, 1, NULL), 2);
	world_free(w);
}

static void test_initiator_moves(void **state)
{
	struct world *w = mobile();
	uint32_t spi;
	size_t sent;

	world_up(w);
	assert_both_between(w, home[0], home[1]);
	spi = world_child(w, 0)->spi_in;
	sent = w->n_sent;
	world_move(w, 0, 7);
	assert_both_between(w, away(7), home[1]);
	assert_int_equal(world_child(w, 0)->spi_in, spi);
	/* UPDATE_SA_ADDRESSES and COOKIE2, and an answer to each. */
	assert_int_equal(w->n_sent - sent, 4);
	/* Nothing has changed: nothing is said. */
	ike_engine_roam(w->end[0].engine, w->now);
	world_run(w);
	assert_int_equal(w->n_sent - sent, 4);
	world_move(w, 0, 8);
	assert_both_between(w, away(8), home[1]);
	world_free(w);
}

/* A rekeyed IKE SA goes on; who began the first one decides, whoever rekeyed it. */
static void test_after_rekeying(void **state)
{
	struct ike_match match = {.conn = "site"};
	struct world *w = mobile();
	const char *why;

	world_up(w);
	for (unsigned int i = 0; i < 2; i++) {
		assert_int_not_equal(
			ike_engine_rekey(w->end[!i].engine, w->now, &match, &why), 0);
		world_run(w);
		world_move(w, 0, 7 + i);
		assert_both_between(w, away(7 + i), home[1]);
	}
	world_free(w);
}

static struct world_message kept;

static bool hold_question(struct world *w, struct world_message *m)
{
	if (m->from == 1 && !(m->bytes[19] & IKE_FLAG_RESPONSE)) {
		kept = *m;
		return false;
	}
	return true;
}

/*
 * Section 3.7: until the new address has answered, nothing is sent there but the question whether
 * anybody is there.
 */
static void test_return_routability(void **state)
{
	struct world *w = mobile();

	world_up(w);
	w->wire = hold_question;
	world_move(w, 0, 7);
	assert_between(w, 0, away(7), home[1]);
	assert_true(is(&world_sa(w, 1)->remote, away(7)));
	assert_true(is(&spec(w, 1, false)->dst, home[0]));
	w->wire = NULL;
	world_pass(w, 5 * IKE_SECOND);
	assert_both_between(w, away(7), home[1]);
	world_free(w);
}

/* Section 3.7 too: another COOKIE2 than was sent, or none, ends the IKE SA. */
static void test_wrong_cookie2(void **state)
{
	static const uint8_t wrong[16] = {1};

	for (unsigned int any = 0; any < 2; any++) {
		struct world *w = mobile();
		struct ike_outgoing o;
		struct ike_error err;
		struct ike_header h;

		world_up(w);
		w->wire = hold_question;
		world_move(w, 0, 7);
		assert_true(ike_header_decode(ike_bytes(kept.bytes, kept.len), &h, NULL));
		ike_outgoing_begin(&o, world_sa(w, 0), IKE_EXCHANGE_INFORMATIONAL, h.message_id,
				   true);
		if (any)
			ike_put_notify(&o.w, IKE_NOTIFY_COOKIE2, ike_bytes(wrong, sizeof(wrong)));
		assert_true(ike_outgoing_end(&o, world_sa(w, 0), &err));
		world_inject(w, 1, o.buf, o.w.len);
		assert_int_equal(world_count_ike(w, 1, NULL), 0);
		assert_true(world_logged(&w->end[1], "COOKIE2"));
		world_free(w);
	}
}

/* The peer has moved on before it answered: what was sent again proves nothing about there. */
static void test_moves_while_checked(void **state)
{
	struct world *w = mobile();
	size_t sent;

	world_up(w);
	w->wire = hold_question;
	world_move(w, 0, 7);
	world_move(w, 0, 8);
	assert_true(is(&world_sa(w, 1)->remote, away(8)));
	w->wire = NULL;
	sent = w->n_sent;
	world_pass(w, 5 * IKE_SECOND);
	/* The old question again, which went to the first place too, and one for this place. */
	assert_int_equal(w->n_sent - sent, 4);
	assert_both_between(w, away(8), home[1]);
	world_free(w);
}

static bool lose_all(struct world *w, struct world_message *m)
{
	return false;
}

/* Away and on, and nobody has heard of the first place. */
static void test_moves_twice(void **state)
{
	struct world *w = mobile();

	world_up(w);
	w->wire = lose_all;
	world_move(w, 0, 7);
	world_move(w, 0, 8);
	w->wire = NULL;
	world_pass(w, 10 * IKE_SECOND);
	assert_both_between(w, away(8), home[1]);
	world_free(w);
}

/* A request that waited for its answer when the end moved is asked again from the new place. */
static void test_moves_amid_exchange(void **state)
{
	struct ike_match match = {.conn = "site", .children = true};
	struct world *w = mobile();
	const char *why;

	world_up(w);
	w->wire = lose_all;
	assert_int_not_equal(ike_engine_rekey(w->end[0].engine, w->now, &match, &why), 0);
	world_run(w);
	w->wire = NULL;
	world_move(w, 0, 7);
	world_pass(w, 10 * IKE_SECOND);
	assert_both_between(w, away(7), home[1]);
	assert_true(w->end[0].events[IKE_EVENT_CHILD_REKEYED] == 1);
	world_free(w);
}

/* remote_addrs says where the peer may be. */
static void test_unacceptable(void **state)
{
	struct world *w = world_new();
	struct ike_conn_cfg *conn = &w->end[1].config->conns[0];

	for (unsigned int i = 0; i < 2; i++)
		w->end[i].config->conns[0].mobike = true;
	w->end[0].config->conns[0].n_local_addrs = 0;
	conn->remote_addrs[0] = ike_ts_of_addr(&home[0]);
	conn->n_remote_addrs = 1;
	world_start(w);
	world_up(w);
	world_move(w, 0, 7);
	assert_between(w, 1, home[1], home[0]);
	assert_true(world_logged(&w->end[1], "refused: UNACCEPTABLE_ADDRESSES"));
	assert_true(world_logged(&w->end[0], "does not follow to the new addresses: "
					     "UNACCEPTABLE_ADDRESSES"));
	world_free(w);
}

static void put_no_nats(struct ike_writer *w, void *arg)
{
	const struct ike_endpoint *ends = arg;
	uint8_t buf[12];
	struct ike_writer data;

	ike_writer_init(&data, buf, sizeof(buf));
	ike_put(&data, ike_addr_bytes(&ends[0].addr));
	ike_put(&data, ike_addr_bytes(&ends[1].addr));
	ike_put16(&data, ends[0].port);
	ike_put16(&data, ends[1].port);
	ike_put_notify(w, IKE_NOTIFY_UPDATE_SA_ADDRESSES, ike_bytes(NULL, 0));
	ike_put_notify(w, IKE_NOTIFY_NO_NATS_ALLOWED, ike_written(&data));
}

/* Section 3.9, with what the peer has really sent and with something else. */
static void test_no_nats_allowed(void **state)
{
	for (unsigned int wrong = 0; wrong < 3; wrong++) {
		struct world *w = mobile();
		struct ike_endpoint ends[2];
		struct ike_payloads answer;

		world_up(w);
		ends[0] = world_sa(w, 0)->local;
		ends[1] = world_sa(w, 0)->remote;
		if (wrong == 1)
			ends[0].port++;
		else if (wrong)
			ends[1].addr = away(1);
		world_request(w, 0, IKE_EXCHANGE_INFORMATIONAL, put_no_nats, ends, &answer);
		assert_int_equal(
			ike_find_notify(&answer, IKE_NOTIFY_UNEXPECTED_NAT_DETECTED, NULL),
			wrong > 0);
		world_free(w);
	}
}

static void put_cookie2(struct ike_writer *w, void *arg)
{
	ike_put_notify(w, IKE_NOTIFY_COOKIE2, ike_bytes("0123456789", 10));
}

/* Whoever asks is given its cookie back. */
static void test_cookie2_answered(void **state)
{
	for (unsigned int from = 0; from < 2; from++) {
		struct world *w = mobile();
		struct ike_payloads answer;
		struct ike_wire_notify n;

		world_up(w);
		world_request(w, from, IKE_EXCHANGE_INFORMATIONAL, put_cookie2, NULL, &answer);
		assert_true(ike_find_notify(&answer, IKE_NOTIFY_COOKIE2, &n));
		assert_int_equal(n.data.len, 10);
		assert_memory_equal(n.data.p, "0123456789", 10);
		world_free(w);
	}
}

/* At the new place there is a NAT: ESP goes in UDP, and it is kept open. Then there is none. */
static void test_nat_at_new_place(void **state)
{
	const struct ike_addr outside = {AF_INET, {198, 51, 100, 1}};
	struct world *w = mobile();

	/* Liveness checks would do what keepalives are for. */
	w->end[0].config->conns[0].dpd_delay = w->end[1].config->conns[0].dpd_delay = 0;
	world_up(w);
	w->nat = true;
	world_move(w, 0, 7);
	assert_between(w, 0, away(7), home[1]);
	assert_between(w, 1, home[1], outside);
	for (unsigned int i = 0; i < 2; i++) {
		assert_true(spec(w, i, true)->udp_encap);
		assert_true(spec(w, i, false)->udp_encap);
	}
	assert_int_equal(spec(w, 1, false)->dst.port, IKE_PORT_NATT + 10000);
	world_pass(w, 30 * IKE_SECOND);
	assert_int_not_equal(w->end[0].keepalives, 0);
	w->nat = false;
	world_move(w, 0, 8);
	assert_both_between(w, away(8), home[1]);
	for (unsigned int i = 0; i < 2; i++) {
		assert_false(spec(w, i, true)->udp_encap);
		assert_false(spec(w, i, false)->udp_encap);
	}
	world_free(w);
}

/* Section 3.8: who is behind a NAT that has forgotten finds that out by its liveness check. */
static void test_nat_restarts(void **state)
{
	struct world *w = mobile();

	w->nat = true;
	world_up(w);
	assert_int_equal(spec(w, 1, false)->dst.port, IKE_PORT_NATT + 10000);
	w->nat_restarts = 1;
	world_pass(w, 20 * IKE_SECOND);
	assert_int_equal(world_sa(w, 1)->remote.port, IKE_PORT_NATT + 10001);
	assert_int_equal(spec(w, 1, false)->dst.port, IKE_PORT_NATT + 10001);
	assert_true(world_logged(&w->end[0], "a NAT has changed"));
	world_free(w);
}

static bool from_elsewhere(struct world *w, struct world_message *m)
{
	if (m->from == 0)
		m->src.addr = away(66);
	return true;
}

/* Section 3.8 again: what comes from elsewhere without saying so moves nothing. */
static void test_not_by_itself(void **state)
{
	const struct ike_addr outside = {AF_INET, {198, 51, 100, 1}};

	/* Without MOBIKE, a peer behind a NAT is followed (RFC 7296 section 2.23). */
	for (unsigned int with = 0; with < 2; with++) {
		struct ike_match match = {.conn = "site", .children = true};
		struct world *w = world_new();
		const char *why;

		for (unsigned int i = 0; i < 2; i++)
			w->end[i].config->conns[0].mobike = with;
		w->nat = true;
		world_start(w);
		world_up(w);
		w->wire = from_elsewhere;
		ike_engine_rekey(w->end[0].engine, w->now, &match, &why);
		world_run(w);
		assert_int_equal(w->end[0].events[IKE_EVENT_CHILD_REKEYED], 1);
		assert_between(w, 1, home[1], with ? outside : away(66));
		world_free(w);
	}
}

/* The end that does not decide says where it is, and the one that does follows. */
static void test_responder_moves(void **state)
{
	struct world *w = mobile();

	world_up(w);
	world_move(w, 1, 9);
	assert_both_between(w, home[0], away(9));
	world_move(w, 0, 7);
	assert_both_between(w, away(7), away(9));
	world_free(w);
}

/* Of two addresses one ends without a word: what is asked in vain there is asked at the other. */
static void test_other_address(void **state)
{
	struct world *w = mobile();

	w->end[1].addrs[1] = away(9);
	w->end[1].n_addrs = 2;
	world_up(w);
	assert_int_equal(world_sa(w, 0)->mobike.n_others, 1);
	assert_true(ike_addr_equal(&world_sa(w, 0)->mobike.others[0], &w->end[1].addrs[1]));
	w->end[1].addrs[0] = w->end[1].addrs[1];
	w->end[1].n_addrs = 1;
	world_pass(w, 60 * IKE_SECOND);
	assert_both_between(w, home[0], away(9));
	world_free(w);
}

/* A new list takes the place of the old one; an end that has no other address any more says so. */
static void test_list_replaced(void **state)
{
	struct world *w = mobile();

	world_up(w);
	for (unsigned int i = 0; i < 2; i++) {
		struct ike_mobike *m = &world_sa(w, !i)->mobike;

		w->end[i].addrs[1] = away(20 + i);
		w->end[i].n_addrs = 2;
		ike_engine_roam(w->end[i].engine, w->now);
		world_run(w);
		assert_int_equal(m->n_others, 1);
		assert_true(ike_addr_equal(&m->others[0], &w->end[i].addrs[1]));
		w->end[i].n_addrs = 1;
		ike_engine_roam(w->end[i].engine, w->now);
		world_run(w);
		assert_int_equal(m->n_others, 0);
	}
	assert_both_between(w, home[0], home[1]);
	world_free(w);
}

/* local_addrs names two: that in use is kept while it is there, whatever the routes say. */
static void test_named_addresses(void **state)
{
	struct world *w = world_new();
	struct ike_conn_cfg *conn = &w->end[0].config->conns[0];
	struct ike_addr second = away(7);
	size_t sent;

	for (unsigned int i = 0; i < 2; i++)
		w->end[i].config->conns[0].mobike = true;
	conn->local_addrs = realloc(conn->local_addrs, 2 * sizeof(*conn->local_addrs));
	conn->local_addrs[1] = ike_ts_of_addr(&second);
	conn->n_local_addrs = 2;
	world_start(w);
	world_up(w);
	/* The way out is by the second now, and there is a third that is not named. */
	w->end[0].addrs[0] = second;
	w->end[0].addrs[1] = home[0];
	w->end[0].n_addrs = 2;
	sent = w->n_sent;
	ike_engine_roam(w->end[0].engine, w->now);
	world_run(w);
	assert_both_between(w, home[0], home[1]);
	/* Only that there is another one has been said. */
	assert_int_equal(w->n_sent - sent, 2);
	w->end[0].addrs[0] = away(99);
	w->end[0].addrs[1] = second;
	ike_engine_roam(w->end[0].engine, w->now);
	world_run(w);
	assert_both_between(w, second, home[1]);
	world_free(w);
}

/* No way at all for a while: nothing is given up before the usual time. */
static void test_without_a_way(void **state)
{
	struct world *w = mobile();

	world_up(w);
	w->end[0].n_addrs = 0;
	ike_engine_roam(w->end[0].engine, w->now);
	world_run(w);
	assert_true(world_logged(&w->end[0], "no way to the peer"));
	world_pass(w, 30 * IKE_SECOND);
	world_move(w, 0, 7);
	assert_both_between(w, away(7), home[1]);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_agreed),
		cmocka_unit_test(test_initiator_moves),
		cmocka_unit_test(test_dynamic_selectors_cross_move),
		cmocka_unit_test(test_after_rekeying),
		cmocka_unit_test(test_return_routability),
		cmocka_unit_test(test_wrong_cookie2),
		cmocka_unit_test(test_moves_while_checked),
		cmocka_unit_test(test_moves_twice),
		cmocka_unit_test(test_moves_amid_exchange),
		cmocka_unit_test(test_unacceptable),
		cmocka_unit_test(test_no_nats_allowed),
		cmocka_unit_test(test_cookie2_answered),
		cmocka_unit_test(test_nat_at_new_place),
		cmocka_unit_test(test_nat_restarts),
		cmocka_unit_test(test_not_by_itself),
		cmocka_unit_test(test_responder_moves),
		cmocka_unit_test(test_other_address),
		cmocka_unit_test(test_list_replaced),
		cmocka_unit_test(test_named_addresses),
		cmocka_unit_test(test_without_a_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
