// SPDX-License-Identifier: MIT
/*
 * Transport mode (RFC 7296 sections 1.3.1, 2.23.1): who asks for it, who declines it, what is said of
 * addresses that a NAT has changed, and what becomes of it when keys or addresses change.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ikev2/child.h"
#include "ikev2/wire/decode.h"
#include "tests/world.h"

/* As world.c has them; the NAT's is what end 1 sees of end 0. */
#define A "192.0.2.1/32"
#define B "192.0.2.2/32"
#define NAT "198.51.100.1/32"

static struct ike_conn_cfg *conn(struct world *w, unsigned int end)
{
	return &w->end[end].config->conns[0];
}

static struct ike_child_cfg *child(struct world *w, unsigned int end)
{
	return &conn(w, end)->children[0];
}

static void set_ts(struct ike_ts **list, size_t *n, const char *text)
{
	free(*list);
	*list = NULL;
	*n = 0;
	assert_true(ike_ts_list_parse(text, list, n, NULL));
}

static void configure(struct world *w, unsigned int end, enum ike_mode mode, const char *local,
		      const char *remote)
{
	struct ike_child_cfg *c = child(w, end);

	c->mode = mode;
	set_ts(&c->local_ts, &c->n_local_ts, local);
	set_ts(&c->remote_ts, &c->n_remote_ts, remote);
}

static struct world *hosts(enum ike_mode a, enum ike_mode b)
{
	struct world *w = world_new();

	configure(w, 0, a, "dynamic", "dynamic");
	configure(w, 1, b, "dynamic", "dynamic");
	return w;
}

/* The messages, as the other end understands them */

struct said {
	bool transport;
	char tsi[IKE_TS_TEXT_MAX], tsr[IKE_TS_TEXT_MAX];
};

static void take_ts(const struct ike_payloads *all, uint8_t type, char text[IKE_TS_TEXT_MAX])
{
	const struct ike_payload *p = ike_payloads_find(all, type);
	struct ike_ts list[IKE_TS_MAX];
	size_t n;

	assert_non_null(p);
	assert_true(ike_ts_decode(p->body, list, IKE_TS_MAX, &n, NULL));
	ike_ts_list_text(list, n, text, IKE_TS_TEXT_MAX);
}

static struct said understand(const struct ike_payloads *all)
{
	struct said s = {.transport = ike_find_notify(all, IKE_NOTIFY_USE_TRANSPORT_MODE, NULL)};

	take_ts(all, IKE_PAYLOAD_TSI, s.tsi);
	take_ts(all, IKE_PAYLOAD_TSR, s.tsr);
	return s;
}

/* Of IKE_AUTH: what each end said. */
static struct said said[2];

static bool overhear(struct world *w, struct world_message *m)
{
	struct ike_sa *sa = world_sa(w, !m->from);
	static uint8_t bytes[WORLD_MESSAGE];
	struct ike_payloads outer, inner;
	struct ike_bytes plain;
	struct ike_header h;

	memcpy(bytes, m->bytes, m->len);
	if (!ike_header_decode(ike_bytes(bytes, m->len), &h, NULL) || h.exchange != IKE_EXCHANGE_AUTH)
		return true;
	assert_true(ike_payloads_decode(&outer, h.next, ike_bytes(bytes + IKE_HEADER_LEN,
								  m->len - IKE_HEADER_LEN), NULL));
	assert_true(ike_sk_open(bytes, m->len, &outer.items[0], &sa->in, &plain, NULL));
	assert_true(ike_payloads_decode(&inner, outer.items[0].next, plain, NULL));
	said[m->from] = understand(&inner);
	return true;
}

static void assert_said(unsigned int end, bool transport, const char *tsi, const char *tsr)
{
	assert_int_equal(said[end].transport, transport);
	assert_string_equal(said[end].tsi, tsi);
	assert_string_equal(said[end].tsr, tsr);
}

/* All SAs and the CHILD_SA of @end are of that mode and between these. */
static void assert_mode(struct world *w, unsigned int end, bool transport, const char *local,
			const char *remote)
{
	struct ike_child *c = world_child(w, end);
	char text[IKE_TS_TEXT_MAX];

	assert_non_null(c);
	assert_int_equal(c->transport, transport);
	assert_string_equal(ike_ts_list_text(c->local_ts, c->n_local_ts, text, sizeof(text)), local);
	assert_string_equal(ike_ts_list_text(c->remote_ts, c->n_remote_ts, text, sizeof(text)),
			    remote);
	for (size_t i = 0; i < WORLD_SAS; i++)
		assert_true(!w->end[end].sas[i].id ||
			    w->end[end].sas[i].spec.transport == transport);
	for (size_t i = 0; i < WORLD_POLICIES; i++) {
		const struct world_policy *p = &w->end[end].policies[i];

		assert_true(!p->id || !strcmp(p->inbound ? p->src : p->dst, remote));
		assert_true(!p->id || !strcmp(p->inbound ? p->dst : p->src, local));
	}
}

static void start(struct world *w)
{
	memset(said, 0, sizeof(said));
	w->wire = overhear;
	world_start(w);
	world_up(w);
}

/* Both must want it: who is asked answers without the notify else, and it is tunnel mode. */
static void test_both_must_want_it(void **state)
{
	for (unsigned int wants = 0; wants < 4; wants++) {
		struct world *w = hosts(wants & 1, wants >> 1);
		bool both = wants == 3;

		start(w);
		assert_said(0, wants & 1, A, B);
		assert_said(1, both, A, B);
		assert_mode(w, 0, both, A, B);
		assert_mode(w, 1, both, B, A);
		assert_int_equal(world_logged(&w->end[0], "child net: the peer declines transport "
							  "mode: tunnel mode"), wants == 1);
		assert_int_equal(world_logged(&w->end[1], "child net: transport mode is declined: "
							  "tunnel mode"), wants == 1);
		assert_int_equal(world_logged(&w->end[0], ", transport mode, " A " === " B), both);
		world_free(w);
	}
}

/* Of two children with the same selectors the one in the mode that is asked for. */
static void test_mode_chooses_child(void **state)
{
	for (unsigned int asked = 0; asked < 2; asked++) {
		struct world *w = hosts(asked, !asked);
		struct ike_conn_cfg *c = conn(w, 1);

		c->children = realloc(c->children, 2 * sizeof(*c->children));
		c->children[1] = (struct ike_child_cfg){.name = strdup("other"), .mode = asked};
		c->n_children = 2;
		assert_true(ike_proposal_list_parse(&c->children[1].proposals, IKE_PROTO_ESP,
						    "aes128gcm16-x25519", NULL));
		set_ts(&c->children[1].local_ts, &c->children[1].n_local_ts, "dynamic");
		set_ts(&c->children[1].remote_ts, &c->children[1].n_remote_ts, "dynamic");
		start(w);
		assert_mode(w, 0, asked, A, B);
		assert_string_equal(world_child(w, 1)->cfg->name, "other");
		world_free(w);
	}
}

/* Only what the ends themselves send can be in transport mode. */
static void test_only_between_ends(void **state)
{
	struct world *w = hosts(IKE_MODE_TRANSPORT, IKE_MODE_TRANSPORT);

	configure(w, 0, IKE_MODE_TRANSPORT, "10.1.0.1", "10.2.0.1");
	configure(w, 1, IKE_MODE_TRANSPORT, "10.2.0.1", "10.1.0.1");
	start(w);
	assert_said(0, false, "10.1.0.1/32", "10.2.0.1/32");
	assert_mode(w, 1, false, "10.2.0.1/32", "10.1.0.1/32");
	assert_true(world_logged(&w->end[0], "not between the addresses of the IKE SA: tunnel mode"));
	world_free(w);
}

static void test_ports(void **state)
{
	struct world *w = hosts(IKE_MODE_TRANSPORT, IKE_MODE_TRANSPORT);

	configure(w, 0, IKE_MODE_TRANSPORT, "dynamic[udp/1701]", "dynamic[udp]");
	configure(w, 1, IKE_MODE_TRANSPORT, "dynamic[udp/1701]", "dynamic[udp]");
	start(w);
	assert_mode(w, 0, true, A "[udp/1701]", B "[udp/1701]");
	assert_mode(w, 1, true, B "[udp/1701]", A "[udp/1701]");
	world_free(w);
}

/*
 * Section 2.23.1: on the wire each end's own view, and the answer in the words of the question;
 * in the SAs what really comes by.
 */
static void test_nat(void **state)
{
	for (unsigned int behind = 0; behind < 2; behind++) {
		struct world *w = hosts(IKE_MODE_TRANSPORT, IKE_MODE_TRANSPORT);

		w->nat = true;
		start(w);
		assert_said(0, true, A, B);
		assert_said(1, true, A, B);
		assert_mode(w, 0, true, A, B);
		assert_mode(w, 1, true, B, NAT);
		/* Either end may rekey, and speaks of what it sees itself. */
		ike_engine_rekey(w->end[behind].engine, w->now,
				 &(struct ike_match){.conn = "site", .children = true},
				 &(const char *){NULL});
		world_run(w);
		world_pass(w, 10 * (ike_time)IKE_SECOND);
		assert_int_equal(w->end[behind].events[IKE_EVENT_CHILD_REKEYED], 1);
		assert_int_equal(world_count_children(w, 0, NULL), 1);
		assert_mode(w, 0, true, A, B);
		assert_mode(w, 1, true, B, NAT);
		assert_true(world_connected(w));
		world_free(w);
	}
}

/* A NAT, and an end that has tunnel mode: the addresses stay as they were told. */
static void test_nat_declined(void **state)
{
	struct world *w = hosts(IKE_MODE_TRANSPORT, IKE_MODE_TUNNEL);

	configure(w, 1, IKE_MODE_TUNNEL, "dynamic", "0.0.0.0/0");
	w->nat = true;
	start(w);
	assert_said(1, false, A, B);
	assert_mode(w, 0, false, A, B);
	assert_mode(w, 1, false, B, A);
	world_free(w);
}

static void test_rekey_keeps_mode(void **state)
{
	/* What one end declined once is not asked for again. */
	for (unsigned int wants = 1; wants < 4; wants += 2) {
		struct world *w = hosts(wants & 1, wants >> 1);

		start(w);
		for (unsigned int end = 0; end < 2; end++) {
			world_forget_log(w);
			ike_engine_rekey(w->end[end].engine, w->now,
					 &(struct ike_match){.conn = "site", .children = true},
					 &(const char *){NULL});
			world_run(w);
			world_pass(w, 10 * (ike_time)IKE_SECOND);
			assert_true(world_logged(&w->end[end], "CHILD_SA rekeyed"));
			assert_false(world_logged(&w->end[!end], "declined"));
			assert_mode(w, 0, wants == 3, A, B);
			assert_mode(w, 1, wants == 3, B, A);
		}
		world_free(w);
	}
}

/* A peer that nobody has asked */

struct asking {
	struct ike_child_cfg *cfg;
	const char *tsi, *tsr;
};

static void put_list(struct ike_writer *w, uint8_t type, const char *text)
{
	struct ike_ts *list = NULL;
	size_t n = 0;

	assert_true(ike_ts_list_parse(text, &list, &n, NULL));
	ike_put_ts_list(w, type, list, n);
	free(list);
}

static void put_question(struct ike_writer *w, void *arg)
{
	static const uint8_t nonce[32] = {1}, spi[4] = {0xc0, 0, 0, 1};
	const struct asking *a = arg;

	ike_put_notify(w, IKE_NOTIFY_USE_TRANSPORT_MODE, ike_bytes(NULL, 0));
	ike_put_proposals(w, &a->cfg->proposals, ike_bytes(spi, sizeof(spi)), true);
	ike_put_nonce(w, ike_bytes(nonce, sizeof(nonce)));
	put_list(w, IKE_PAYLOAD_TSI, a->tsi);
	put_list(w, IKE_PAYLOAD_TSR, a->tsr);
}

/* Asked by the engine itself nothing of the kind would be on the wire. */
static void ask(struct world *w, const char *tsi, const char *tsr, struct ike_payloads *answer)
{
	struct asking a = {child(w, 0), tsi, tsr};

	world_request(w, 0, IKE_EXCHANGE_CREATE_CHILD_SA, put_question, &a, answer);
}

/* With several addresses, or somebody else's, a selector is none of transport mode. */
static void test_no_host(void **state)
{
	static const char *const lists[][2] = {
		{"192.0.2.1, 192.0.2.3", B}, {"192.0.2.0/24", B}, {"192.0.2.3", B}, {A, "10.2.0.1"},
	};

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		struct world *w = hosts(IKE_MODE_TRANSPORT, IKE_MODE_TRANSPORT);
		struct ike_payloads answer;
		struct said s;

		configure(w, 1, IKE_MODE_TRANSPORT, "0.0.0.0/0", "0.0.0.0/0");
		assert_true(ike_proposal_list_parse(&child(w, 1)->proposals, IKE_PROTO_ESP,
						    "aes128gcm16", NULL));
		start(w);
		ask(w, lists[i][0], lists[i][1], &answer);
		s = understand(&answer);
		assert_false(s.transport);
		world_free(w);
	}
}

/* Told to be at some address, but coming from another: it is where it comes from. */
static void test_nat_hides_address(void **state)
{
	struct world *w = hosts(IKE_MODE_TRANSPORT, IKE_MODE_TRANSPORT);
	struct ike_payloads answer;
	struct said s;

	assert_true(ike_proposal_list_parse(&child(w, 1)->proposals, IKE_PROTO_ESP, "aes128gcm16",
					    NULL));
	w->nat = true;
	start(w);
	ask(w, "10.99.0.1", "192.0.2.2", &answer);
	s = understand(&answer);
	assert_true(s.transport);
	assert_string_equal(s.tsi, "10.99.0.1/32");
	assert_string_equal(s.tsr, B);
	assert_mode(w, 1, true, B, NAT);
	world_free(w);
}

/*
 * Section 1.3.1: it is for the initiator to ask. One that has forgotten stands for one that has not
 * asked.
 */
static bool forget_question(struct world *w, struct world_message *m)
{
	struct ike_task *asking = world_sa(w, 0)->task;

	overhear(w, m);
	if (said[1].transport && asking && asking->create)
		asking->create->transport = false;
	return true;
}

static void test_not_asked(void **state)
{
	struct world *w = hosts(IKE_MODE_TRANSPORT, IKE_MODE_TRANSPORT);

	memset(said, 0, sizeof(said));
	w->wire = forget_question;
	world_start(w);
	world_initiate(w, "net");
	assert_true(world_logged(&w->end[0], "transport mode, which was not asked for"));
	/* The peer has a CHILD_SA that this end cannot use: it must go. */
	for (unsigned int i = 0; i < 2; i++)
		assert_int_equal(world_count_sas(&w->end[i]), 0);
	world_free(w);
}

/* Without NAT packets have other addresses after a move: other SAs are made. */
static void test_moves(void **state)
{
	struct world *w = hosts(IKE_MODE_TRANSPORT, IKE_MODE_TRANSPORT);

	for (unsigned int i = 0; i < 2; i++) {
		conn(w, i)->mobike = true;
		conn(w, i)->n_local_addrs = 0;
	}
	start(w);
	world_move(w, 0, 7);
	world_pass(w, 10 * (ike_time)IKE_SECOND);
	assert_true(world_connected(w));
	for (unsigned int i = 0; i < 2; i++) {
		assert_int_equal(world_count_children(w, i, NULL), 1);
		assert_int_equal(world_count_sas(&w->end[i]), 2);
		assert_int_equal(world_count_policies(&w->end[i]), 2);
	}
	assert_mode(w, 0, true, "203.0.113.7/32", B);
	assert_mode(w, 1, true, B, "203.0.113.7/32");
	world_free(w);
}

/* What was agreed on before the move is for where the ends were: it is replaced at once. */
static bool move_before_answer(struct world *w, struct world_message *m)
{
	struct ike_header h;

	if (m->from != 1 || !ike_header_decode(ike_bytes(m->bytes, m->len), &h, NULL) ||
	    h.exchange != IKE_EXCHANGE_CREATE_CHILD_SA)
		return true;
	w->wire = NULL;
	w->end[0].addrs[0] = (struct ike_addr){AF_INET, {203, 0, 113, 7}};
	ike_engine_roam(w->end[0].engine, w->now);
	return true;
}

static void test_moves_in_between(void **state)
{
	struct world *w = hosts(IKE_MODE_TRANSPORT, IKE_MODE_TRANSPORT);

	for (unsigned int i = 0; i < 2; i++) {
		conn(w, i)->mobike = true;
		conn(w, i)->n_local_addrs = 0;
	}
	start(w);
	w->wire = move_before_answer;
	ike_engine_rekey(w->end[0].engine, w->now,
			 &(struct ike_match){.conn = "site", .children = true},
			 &(const char *){NULL});
	world_run(w);
	assert_null(w->wire);
	world_pass(w, 30 * (ike_time)IKE_SECOND);
	assert_true(world_connected(w));
	assert_false(world_logged(&w->end[0], "of no use"));
	for (unsigned int i = 0; i < 2; i++)
		assert_int_equal(world_count_children(w, i, NULL), 1);
	assert_mode(w, 0, true, "203.0.113.7/32", B);
	assert_mode(w, 1, true, B, "203.0.113.7/32");
	world_free(w);
}

/* The NAT takes another address; only the end outside can see that. */
static void test_nat_moves(void **state)
{
	struct world *w = hosts(IKE_MODE_TRANSPORT, IKE_MODE_TRANSPORT);
	struct ike_endpoint moved = {{AF_INET, {198, 51, 100, 9}}, 22222};

	w->nat = true;
	start(w);
	ike_engine_sa_mapping(w->end[1].engine, w->now, world_child(w, 1)->id,
			      world_child(w, 1)->spi_in, &moved);
	assert_int_equal(w->end[1].updates, 0);
	assert_int_equal(world_sa(w, 1)->remote.port, 22222);
	assert_non_null(ike_task_find(world_sa(w, 1), &ike_task_rekey_child, 0));
	world_free(w);
}

/* The second host behind one NAT: what is for both would go to the last that came. */
static void test_two_behind_one_nat(void **state)
{
	struct world *w = hosts(IKE_MODE_TRANSPORT, IKE_MODE_TRANSPORT);
	struct ike_sa *first;

	memset(&conn(w, 1)->remote.id, 0, sizeof(conn(w, 1)->remote.id));
	w->nat = true;
	start(w);
	first = world_sa(w, 1);
	w->wire = NULL;
	/* It was somebody else who had it. */
	assert_true(ike_id_parse("c.example.org", &first->remote_id, NULL));
	ike_engine_free(w->end[0].engine);
	world_renew(w, 0);
	world_initiate(w, "net");
	assert_true(world_logged(&w->end[1], "another peer has transport mode at the same address"));
	/* Nor is it for the first's tunnel: the address that it says it has is not configured. */
	assert_true(world_sa(w, 1) != first);
	assert_null(world_child(w, 1));
	assert_null(world_child(w, 0));
	assert_int_equal(world_count_sas(&w->end[1]), 2);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_must_want_it),
		cmocka_unit_test(test_mode_chooses_child),
		cmocka_unit_test(test_only_between_ends),
		cmocka_unit_test(test_ports),
		cmocka_unit_test(test_nat),
		cmocka_unit_test(test_nat_declined),
		cmocka_unit_test(test_rekey_keeps_mode),
		cmocka_unit_test(test_no_host),
		cmocka_unit_test(test_nat_hides_address),
		cmocka_unit_test(test_not_asked),
		cmocka_unit_test(test_moves),
		cmocka_unit_test(test_moves_in_between),
		cmocka_unit_test(test_nat_moves),
		cmocka_unit_test(test_two_behind_one_nat),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
