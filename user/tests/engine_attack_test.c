// SPDX-License-Identifier: MIT
/*
 * What strangers and peers gone bad may try: messages out of order, repeated, forged, malformed,
 * twice what is allowed once. What must be seen each time: the tunnel that was there is still
 * there, or there is none where none may be.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ikev2/child.h"
#include "tests/world.h"

static struct world *tunnel(void)
{
	struct world *w = world_new();

	/* With and without a key exchange of its own: what the tests send as a peer has none. */
	for (unsigned int i = 0; i < 2; i++)
		assert_true(
			ike_proposal_list_parse(&w->end[i].config->conns[0].children[0].proposals,
						IKE_PROTO_ESP, "aes128gcm16", NULL));
	world_start(w);
	world_up(w);
	return w;
}

static void assert_unharmed(struct world *w)
{
	assert_true(world_connected(w));
	for (unsigned int i = 0; i < 2; i++) {
		assert_int_equal(world_count_ike(w, i, "ESTABLISHED"), 1);
		assert_int_equal(world_count_ike(w, i, NULL), 1);
		assert_int_equal(world_count_children(w, i, "INSTALLED"), 1);
		assert_int_equal(world_count_sas(&w->end[i]), 2);
		assert_int_equal(w->end[i].spis, 0);
	}
}

/* What an answer's only notify says; 0: none. */
static uint16_t notify_of(const struct ike_payloads *answer)
{
	struct ike_wire_notify n;

	return ike_find_error(answer, &n) ? n.type : 0;
}

/* The wire until IKE_AUTH is about to leave: what the responder has then is half open. */
static bool hold_auth(struct world *w, struct world_message *m)
{
	struct ike_header h;

	return ike_header_decode(ike_bytes(m->bytes, m->len), &h, NULL) &&
	       h.exchange == IKE_EXCHANGE_SA_INIT;
}

static struct world *half_open(void)
{
	struct world *w = world_new();

	w->wire = hold_auth;
	world_start(w);
	world_initiate(w, "net");
	assert_int_equal(world_count_ike(w, 1, "CONNECTING"), 1);
	return w;
}

static void put_delete_ike(struct ike_writer *w, void *arg)
{
	ike_put_delete_ike(w);
}

static void put_child_request(struct ike_writer *w, void *arg)
{
	static const uint8_t nonce[32] = {1};
	struct ike_proposal_list list = {0};
	struct ike_ts *ts = NULL;
	size_t n = 0;

	assert_true(ike_proposal_list_parse(&list, IKE_PROTO_ESP, "aes128gcm16", NULL));
	ike_put_proposals(w, &list, ike_bytes("\1\2\3\4", 4), false);
	ike_put_nonce(w, ike_bytes(nonce, sizeof(nonce)));
	assert_true(ike_ts_list_parse("10.1.0.0/16", &ts, &n, NULL));
	ike_put_ts_list(w, IKE_PAYLOAD_TSI, ts, n);
	free(ts);
	ts = NULL;
	n = 0;
	assert_true(ike_ts_list_parse("10.2.0.0/16", &ts, &n, NULL));
	ike_put_ts_list(w, IKE_PAYLOAD_TSR, ts, n);
	free(ts);
	ike_proposal_list_clear(&list);
}

/*
 * CVE-2026-78135's class: nothing but IKE_AUTH counts before authentication, however well
 * encrypted.
 */
static void test_nothing_before_auth(void **state)
{
	static const uint8_t exchanges[] = {
		IKE_EXCHANGE_CREATE_CHILD_SA,
		IKE_EXCHANGE_INFORMATIONAL,
		IKE_EXCHANGE_SESSION_RESUME,
		IKE_EXCHANGE_INTERMEDIATE,
		IKE_EXCHANGE_FOLLOWUP_KE,
		0,
		33,
		255,
	};

	for (size_t i = 0; i < sizeof(exchanges); i++) {
		struct world *w = half_open();
		struct ike_payloads answer;
		size_t sent = w->n_sent;

		world_sa(w, 0)->window.next_id = 1;
		world_request(w, 0, exchanges[i],
			      exchanges[i] == IKE_EXCHANGE_CREATE_CHILD_SA ? put_child_request
									   : put_delete_ike,
			      NULL, &answer);
		assert_int_equal(w->n_sent, sent);
		assert_int_equal(world_count_ike(w, 1, "CONNECTING"), 1);
		assert_int_equal(w->end[1].spi_allocs, 0);
		assert_int_equal(world_count_sas(&w->end[1]), 0);
		world_free(w);
	}
}

/* The initiator, too, believes nobody before IKE_AUTH has been answered. */
static void test_initiator_before_auth(void **state)
{
	struct world *w = half_open();
	size_t sent = w->n_sent;

	world_request(w, 1, IKE_EXCHANGE_INFORMATIONAL, put_delete_ike, NULL, NULL);
	world_request(w, 1, IKE_EXCHANGE_CREATE_CHILD_SA, put_child_request, NULL, NULL);
	assert_int_equal(w->n_sent, sent);
	assert_int_equal(world_count_ike(w, 0, "CONNECTING"), 1);
	world_free(w);
}

/*
 * The table, row by row, written here a second time: which exchange may come as what in which
 * state.
 */
static bool allowed(uint8_t exchange, bool response, enum ike_sa_state state)
{
	bool up =
		state == IKE_SA_ESTABLISHED || state == IKE_SA_REKEYED || state == IKE_SA_DELETING;

	if (exchange == IKE_EXCHANGE_SA_INIT)
		return response ? state == IKE_SA_INIT_SENT : state == IKE_SA_NONE;
	if (exchange == IKE_EXCHANGE_AUTH)
		return response ? state == IKE_SA_AUTH_SENT || state == IKE_SA_EAP_SENT ||
					  state == IKE_SA_EAP_PROVING ||
					  state == IKE_SA_ROUND_SENT :
				  state == IKE_SA_INIT_GOT || state == IKE_SA_EAP_GOT ||
					  state == IKE_SA_EAP_PROVEN || state == IKE_SA_ROUND_DUE;
	if (exchange == IKE_EXCHANGE_INFORMATIONAL && !response &&
	    (state == IKE_SA_EAP_GOT || state == IKE_SA_EAP_PROVEN || state == IKE_SA_ROUND_DUE))
		return true;
	if (exchange == IKE_EXCHANGE_INTERMEDIATE)
		return state == (response ? IKE_SA_ADDKE_SENT : IKE_SA_ADDKE_GOT);
	return up && (exchange == IKE_EXCHANGE_CREATE_CHILD_SA ||
		      exchange == IKE_EXCHANGE_FOLLOWUP_KE ||
		      exchange == IKE_EXCHANGE_INFORMATIONAL);
}

static void test_table_of_exchanges(void **state)
{
	unsigned int n = 0;

	for (unsigned int exchange = 0; exchange < 256; exchange++) {
		for (unsigned int s = 0; s < IKE_SA_STATES; s++) {
			assert_int_equal(ike_law_allows(exchange, false, s),
					 allowed(exchange, false, s));
			assert_int_equal(ike_law_allows(exchange, true, s),
					 allowed(exchange, true, s));
			n += allowed(exchange, false, s) + allowed(exchange, true, s);
		}
	}
	/*
	 * 2 rows of IKE_SA_INIT, 2 of IKE_AUTH, 4 while EAP is in it and 2 between its rounds, in 3
	 * of which an initiator may give up; 2 of IKE_INTERMEDIATE; 3 exchanges both ways in 3
	 * states.
	 */
	assert_int_equal(n, 2 + 2 + 4 + 2 + 3 + 2 + 3 * 2 * 3);
}

struct form_case {
	uint8_t exchange;
	bool response;
	enum ike_sa_state state;
	uint8_t needed[8]; /* payloads; 0 ends */
	uint8_t optional[8];
	uint8_t many[8];
};

static const struct form_case form_cases[] = {
	{IKE_EXCHANGE_SA_INIT,
	 false,
	 IKE_SA_NONE,
	 {IKE_PAYLOAD_SA, IKE_PAYLOAD_KE, IKE_PAYLOAD_NONCE},
	 {0},
	 {IKE_PAYLOAD_NOTIFY, IKE_PAYLOAD_VENDOR}},
	{IKE_EXCHANGE_AUTH,
	 false,
	 IKE_SA_INIT_GOT,
	 {IKE_PAYLOAD_IDI},
	 {IKE_PAYLOAD_IDR, IKE_PAYLOAD_AUTH, IKE_PAYLOAD_CP},
	 {IKE_PAYLOAD_NOTIFY, IKE_PAYLOAD_VENDOR, IKE_PAYLOAD_CERT, IKE_PAYLOAD_CERTREQ}},
	{IKE_EXCHANGE_CREATE_CHILD_SA,
	 false,
	 IKE_SA_ESTABLISHED,
	 {IKE_PAYLOAD_SA, IKE_PAYLOAD_NONCE, IKE_PAYLOAD_TSI, IKE_PAYLOAD_TSR},
	 {IKE_PAYLOAD_KE, IKE_PAYLOAD_CP},
	 {IKE_PAYLOAD_NOTIFY, IKE_PAYLOAD_VENDOR}},
	{IKE_EXCHANGE_INFORMATIONAL,
	 false,
	 IKE_SA_ESTABLISHED,
	 {0},
	 {IKE_PAYLOAD_CP},
	 {IKE_PAYLOAD_NOTIFY, IKE_PAYLOAD_VENDOR, IKE_PAYLOAD_DELETE}},
};

static bool holds(const uint8_t list[8], uint8_t type)
{
	return memchr(list, type, 8);
}

static void put_all(struct ike_payloads *all, const uint8_t *types)
{
	all->n = 0;
	for (size_t i = 0; i < 8 && types[i]; i++)
		all->items[all->n++] = (struct ike_payload){.type = types[i]};
}

static bool fits(const struct form_case *c, const struct ike_payloads *all)
{
	return ike_law_form(c->exchange, c->response, c->state, all, NULL) != IKE_FORM_NONE;
}

/* Each payload type once too many or once too few, for each form. */
static void test_table_of_payloads(void **state)
{
	for (size_t i = 0; i < sizeof(form_cases) / sizeof(form_cases[0]); i++) {
		const struct form_case *c = &form_cases[i];
		struct ike_payloads all, fewer;

		put_all(&all, c->needed);
		assert_true(fits(c, &all));
		for (size_t k = 0; k < all.n; k++) {
			fewer = all;
			memmove(&fewer.items[k], &fewer.items[k + 1],
				(all.n - k - 1) * sizeof(all.items[0]));
			fewer.n--;
			assert_false(fits(c, &fewer));
		}
		for (unsigned int type = 1; type < 256; type++) {
			all.items[all.n] = (struct ike_payload){.type = type};
			all.n++;
			assert_int_equal(fits(c, &all),
					 holds(c->optional, type) || holds(c->many, type));
			all.items[all.n] = (struct ike_payload){.type = type};
			all.n++;
			assert_int_equal(fits(c, &all), holds(c->many, type));
			all.n -= 2;
		}
	}
}

struct keeper {
	struct world_message message;
	bool kept;
};

static struct keeper keeper;

/* Keeps a copy of the first CREATE_CHILD_SA request on its way. */
static bool keep_create(struct world *w, struct world_message *m)
{
	struct ike_header h;

	if (!keeper.kept && ike_header_decode(ike_bytes(m->bytes, m->len), &h, NULL) &&
	    h.exchange == IKE_EXCHANGE_CREATE_CHILD_SA && !(h.flags & IKE_FLAG_RESPONSE)) {
		keeper.message = *m;
		keeper.kept = true;
	}
	return true;
}

static void rekey(struct world *w, unsigned int end)
{
	struct ike_match match = {.conn = "site", .children = true};
	const char *why;

	assert_int_not_equal(ike_engine_rekey(w->end[end].engine, w->now, &match, &why), 0);
}

static void test_retransmission(void **state)
{
	struct world *w = tunnel();
	unsigned int allocs, sas;
	size_t sent;

	keeper.kept = false;
	w->wire = keep_create;
	/*
	 * Only the rekey request arrives; what follows it is cut off, so that it stays the last
	 * request.
	 */
	rekey(w, 0);
	while (!keeper.kept)
		world_run(w);
	w->wire = NULL;
	world_pass(w, IKE_OVERLAP);
	allocs = w->end[1].spi_allocs;
	sas = world_count_sas(&w->end[1]);
	sent = w->n_sent;
	/* Its turn is over: the DELETE came after it. No answer, nothing done. */
	world_inject(w, 1, keeper.message.bytes, keeper.message.len);
	world_run(w);
	assert_int_equal(w->n_sent, sent);
	assert_int_equal(w->end[1].spi_allocs, allocs);
	assert_int_equal(world_count_sas(&w->end[1]), sas);
	assert_unharmed(w);
	world_free(w);
}

static bool lose_answers(struct world *w, struct world_message *m)
{
	struct ike_header h;

	keep_create(w, m);
	return ike_header_decode(ike_bytes(m->bytes, m->len), &h, NULL) &&
	       !(h.flags & IKE_FLAG_RESPONSE);
}

static void test_retransmission_answered(void **state)
{
	struct world *w = tunnel();
	struct world_message first;
	unsigned int allocs;
	uint8_t changed[WORLD_MESSAGE];
	size_t sent;

	keeper.kept = false;
	w->wire = lose_answers;
	rekey(w, 0);
	world_run(w);
	assert_true(keeper.kept);
	first = *world_last(w, 1);
	allocs = w->end[1].spi_allocs;
	sent = w->n_sent;
	for (unsigned int i = 0; i < 3; i++)
		world_inject(w, 1, keeper.message.bytes, keeper.message.len);
	assert_int_equal(w->n_sent, sent + 3);
	assert_int_equal(w->end[1].spi_allocs, allocs);
	assert_int_equal(world_last(w, 1)->len, first.len);
	assert_memory_equal(world_last(w, 1)->bytes, first.bytes, first.len);
	/* The same ID with other bytes is not a retransmission. */
	memcpy(changed, keeper.message.bytes, keeper.message.len);
	changed[keeper.message.len - 1] ^= 1;
	world_inject(w, 1, changed, keeper.message.len);
	assert_int_equal(w->n_sent, sent + 3);
	w->wire = NULL;
	world_pass(w, 30 * (ike_time)IKE_SECOND);
	assert_unharmed(w);
	world_free(w);
}

/* A window of one: what is ahead of its turn is dropped. */
static void test_ahead_of_turn(void **state)
{
	struct world *w = tunnel();
	size_t sent = w->n_sent;

	world_sa(w, 0)->window.next_id += 1;
	world_request(w, 0, IKE_EXCHANGE_INFORMATIONAL, put_delete_ike, NULL, NULL);
	world_sa(w, 0)->window.next_id = 0xffffffff;
	world_request(w, 0, IKE_EXCHANGE_INFORMATIONAL, put_delete_ike, NULL, NULL);
	assert_int_equal(w->n_sent, sent);
	assert_unharmed(w);
	world_free(w);
}

/* Message IDs never wrap (section 2.2). */
static void test_ids_run_out(void **state)
{
	struct world *w = tunnel();

	world_sa(w, 0)->window.next_id = IKE_MESSAGE_ID_LAST;
	rekey(w, 0);
	world_run(w);
	assert_int_equal(world_count_ike(w, 0, NULL), 0);
	assert_true(world_logged(&w->end[0], "out of message IDs"));
	world_free(w);
}

/* Anybody can send these: they are believed by nobody (section 2.4, 2.21). */
static void test_unprotected_words(void **state)
{
	static const uint16_t words[] = {
		IKE_NOTIFY_INVALID_IKE_SPI,	  IKE_NOTIFY_INVALID_SYNTAX,
		IKE_NOTIFY_AUTHENTICATION_FAILED, IKE_NOTIFY_INVALID_MAJOR_VERSION,
		IKE_NOTIFY_INITIAL_CONTACT,	  IKE_NOTIFY_NO_PROPOSAL_CHOSEN,
	};
	struct world *w = tunnel();

	for (unsigned int i = 0; i < 6 * 5 * 4; i++) {
		struct ike_sa *from = world_sa(w, i & 1), *to = world_sa(w, !(i & 1));
		struct ike_header h = {
			.spi_i = from->spi_i,
			.spi_r = from->spi_r,
			.exchange = IKE_EXCHANGE_SA_INIT + i / 4 % 5,
			.flags = (from->initiator ? IKE_FLAG_INITIATOR : 0) |
				 (i & 2 ? IKE_FLAG_RESPONSE : 0),
			.message_id = i & 2 ? to->window.next_id - 1 : to->window.expected,
		};
		uint8_t buf[128];
		struct ike_writer writer;

		ike_writer_init(&writer, buf, sizeof(buf));
		ike_message_begin(&writer, &h);
		ike_put_notify(&writer, words[i / 20], ike_bytes(NULL, 0));
		ike_put_delete_ike(&writer);
		assert_true(ike_message_end(&writer));
		world_inject(w, !(i & 1), buf, writer.len);
	}
	w->delivered = w->n_sent;
	assert_unharmed(w);
	world_free(w);
}

/* Each bit of a genuine request turned over, each length cut: none of it is taken for genuine. */
static void test_corrupted(void **state)
{
	struct world *w = tunnel();
	struct ike_outgoing o;
	struct ike_error err;
	uint8_t copy[256];

	ike_outgoing_begin(&o, world_sa(w, 0), IKE_EXCHANGE_INFORMATIONAL,
			   world_sa(w, 0)->window.next_id, false);
	ike_put_delete_ike(&o.w);
	assert_true(ike_outgoing_end(&o, world_sa(w, 0), &err));
	assert_true(o.w.len <= sizeof(copy));
	for (size_t bit = 0; bit < 8 * o.w.len; bit++) {
		memcpy(copy, o.buf, o.w.len);
		copy[bit / 8] ^= 1 << bit % 8;
		world_inject(w, 1, copy, o.w.len);
		w->delivered = w->n_sent;
	}
	for (size_t len = 0; len < o.w.len; len++)
		world_inject(w, 1, o.buf, len);
	w->delivered = w->n_sent;
	assert_unharmed(w);
	/* And whole it is believed. */
	world_inject(w, 1, o.buf, o.w.len);
	assert_int_equal(world_count_ike(w, 1, NULL), 0);
	world_free(w);
}

/*
 * The initiator's flag and the SPIs tell who speaks: our own message, sent back, is not the peer's.
 */
static void test_reflected(void **state)
{
	struct world *w = tunnel();
	struct ike_outgoing o;
	struct ike_error err;

	ike_outgoing_begin(&o, world_sa(w, 0), IKE_EXCHANGE_INFORMATIONAL, 0, false);
	ike_put_delete_ike(&o.w);
	assert_true(ike_outgoing_end(&o, world_sa(w, 0), &err));
	world_inject(w, 0, o.buf, o.w.len);
	w->delivered = w->n_sent;
	assert_unharmed(w);
	world_free(w);
}

static void put_double_delete(struct ike_writer *writer, void *arg)
{
	const struct ike_child *c = arg;
	uint32_t spis[] = {c->spi_in, c->spi_in, 0, 0xdeadbeef, c->spi_in};

	ike_put_delete_esp(writer, spis, 5);
	ike_put_delete_esp(writer, spis, 1);
}

/* CVE-2023-38712's class. */
static void test_double_delete(void **state)
{
	struct world *w = tunnel();
	struct ike_payloads answer;
	struct ike_wire_delete d;

	world_request(w, 0, IKE_EXCHANGE_INFORMATIONAL, put_double_delete, world_child(w, 0),
		      &answer);
	assert_int_equal(ike_payloads_count(&answer, IKE_PAYLOAD_DELETE), 1);
	assert_true(
		ike_delete_decode(ike_payloads_find(&answer, IKE_PAYLOAD_DELETE)->body, &d, NULL));
	assert_int_equal(d.count, 1);
	assert_int_equal(world_count_children(w, 1, NULL), 0);
	assert_int_equal(world_count_sas(&w->end[1]), 0);
	assert_int_equal(world_count_ike(w, 1, "ESTABLISHED"), 1);
	world_free(w);
}

struct rekey_request {
	uint8_t protocol;
	uint32_t spi;
};

static void put_rekey(struct ike_writer *writer, void *arg)
{
	const struct rekey_request *r = arg;

	ike_put_notify_spi32(writer, IKE_NOTIFY_REKEY_SA, r->protocol, r->spi);
	put_child_request(writer, NULL);
}

/* strongSwan's of December 2025: rekeyed twice before it is deleted. */
static void test_double_rekey(void **state)
{
	struct world *w = tunnel();
	struct rekey_request r = {IKE_PROTO_ESP, world_child(w, 0)->spi_in};
	struct ike_payloads answer;

	world_request(w, 0, IKE_EXCHANGE_CREATE_CHILD_SA, put_rekey, &r, &answer);
	assert_int_equal(notify_of(&answer), 0);
	assert_int_equal(world_count_children(w, 1, NULL), 2);
	world_request(w, 0, IKE_EXCHANGE_CREATE_CHILD_SA, put_rekey, &r, &answer);
	assert_int_equal(notify_of(&answer), IKE_NOTIFY_TEMPORARY_FAILURE);
	assert_int_equal(world_count_children(w, 1, NULL), 2);
	/* The first is deleted, twice over; what replaced it stays. */
	world_request(w, 0, IKE_EXCHANGE_INFORMATIONAL, put_double_delete, world_child(w, 0),
		      &answer);
	world_request(w, 0, IKE_EXCHANGE_CREATE_CHILD_SA, put_rekey, &r, &answer);
	assert_int_equal(notify_of(&answer), IKE_NOTIFY_CHILD_SA_NOT_FOUND);
	world_pass(w, IKE_OVERLAP);
	assert_int_equal(world_count_children(w, 1, "INSTALLED"), 1);
	assert_int_equal(world_count_sas(&w->end[1]), 2);
	world_free(w);
}

/* CVE-2023-38710's class: REKEY_SA with a protocol or an SPI that makes no sense. */
static void test_rekey_of_nothing(void **state)
{
	struct world *w = tunnel();
	struct rekey_request cases[] = {
		{0, world_child(w, 0)->spi_in},
		{1, world_child(w, 0)->spi_in},
		{2, world_child(w, 0)->spi_in},
		{255, world_child(w, 0)->spi_in},
		{IKE_PROTO_ESP, 0},
		{IKE_PROTO_ESP, 0xffffffff},
		/* Our inbound SPI is not the peer's. */
		{IKE_PROTO_ESP, world_child(w, 1)->spi_in},
	};
	struct ike_payloads answer;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		world_request(w, 0, IKE_EXCHANGE_CREATE_CHILD_SA, put_rekey, &cases[i], &answer);
		assert_int_equal(notify_of(&answer), IKE_NOTIFY_CHILD_SA_NOT_FOUND);
	}
	assert_unharmed(w);
	world_free(w);
}

static void put_critical(struct ike_writer *writer, void *arg)
{
	size_t mark = writer->len;

	ike_put_payload(writer, 200, ike_bytes("?", 1));
	if (arg)
		ike_patch8(writer, mark + 1, IKE_CRITICAL);
}

/* Section 2.5: one that is critical is refused by name, one that is not is skipped. */
static void test_unknown_payload(void **state)
{
	struct world *w = tunnel();
	struct ike_payloads answer;
	struct ike_wire_notify n;

	world_request(w, 0, IKE_EXCHANGE_INFORMATIONAL, put_critical, w, &answer);
	assert_int_equal(notify_of(&answer), IKE_NOTIFY_UNSUPPORTED_CRITICAL_PAYLOAD);
	assert_true(ike_find_error(&answer, &n));
	assert_int_equal(n.data.len, 1);
	assert_int_equal(n.data.p[0], 200);
	assert_unharmed(w);
	world_request(w, 0, IKE_EXCHANGE_INFORMATIONAL, put_critical, NULL, &answer);
	assert_int_equal(notify_of(&answer), 0);
	assert_unharmed(w);
	world_free(w);
}

static void put_misplaced(struct ike_writer *writer, void *arg)
{
	ike_put_auth(writer, IKE_AUTH_METHOD_PSK, ike_bytes("0123456789abcdef", 16));
}

static void put_broken(struct ike_writer *writer, void *arg)
{
	/* A DELETE of 3 SPIs that holds none. */
	ike_put_payload(writer, IKE_PAYLOAD_DELETE, ike_bytes("\3\4\0\3", 4));
}

/* Section 2.21.3: genuine and malformed is fatal, at both ends, and said so. */
static void test_malformed_from_peer(void **state)
{
	void (*const put[])(struct ike_writer *, void *) = {put_misplaced, put_broken};

	for (size_t i = 0; i < 2; i++) {
		struct world *w = tunnel();
		struct ike_payloads answer;

		world_request(w, 0, IKE_EXCHANGE_INFORMATIONAL, put[i], NULL, &answer);
		assert_int_equal(notify_of(&answer), IKE_NOTIFY_INVALID_SYNTAX);
		assert_int_equal(world_count_ike(w, 1, NULL), 0);
		assert_int_equal(world_count_sas(&w->end[1]), 0);
		assert_int_equal(world_count_policies(&w->end[1]), 0);
		world_free(w);
	}
}

static void put_no_auth(struct ike_writer *writer, void *arg)
{
	struct ike_id id;

	assert_true(ike_id_parse("a.example.org", &id, NULL));
	ike_put_identity(writer, IKE_PAYLOAD_IDI, &id, NULL);
	if (arg)
		ike_put_auth(writer, *(uint8_t *)arg,
			     ike_bytes("0123456789abcdef0123456789abcdef", 32));
	put_child_request(writer, NULL);
}

/*
 * put_child_request() brings a nonce, which IKE_AUTH has no place for: take SA and selectors alone.
 */
static void put_auth_request(struct ike_writer *writer, void *arg)
{
	struct ike_proposal_list list = {0};
	struct ike_ts ts[2] = {0};
	struct ike_id id;

	assert_true(ike_id_parse("a.example.org", &id, NULL));
	ike_put_identity(writer, IKE_PAYLOAD_IDI, &id, NULL);
	if (arg)
		ike_put_auth(writer, *(uint8_t *)arg,
			     ike_bytes("0123456789abcdef0123456789abcdef", 32));
	assert_true(ike_proposal_list_parse(&list, IKE_PROTO_ESP, "aes128gcm16", NULL));
	ike_put_proposals(writer, &list, ike_bytes("\1\2\3\4", 4), false);
	ike_proposal_list_clear(&list);
	assert_true(ike_ts_parse("10.1.0.0/16", &ts[0], NULL) &&
		    ike_ts_parse("10.2.0.0/16", &ts[1], NULL));
	ike_put_ts_list(writer, IKE_PAYLOAD_TSI, &ts[0], 1);
	ike_put_ts_list(writer, IKE_PAYLOAD_TSR, &ts[1], 1);
}

/* Without AUTH (EAP is not ours), by another method, with a wrong value: never a tunnel. */
static void test_auth_bypass(void **state)
{
	uint8_t methods[] = {
		0,
		IKE_AUTH_METHOD_RSA,
		IKE_AUTH_METHOD_PSK,
		IKE_AUTH_METHOD_NULL,
		IKE_AUTH_METHOD_SIGNATURE,
		255,
	};

	for (size_t i = 0; i <= sizeof(methods) + 1; i++) {
		struct world *w = half_open();
		struct ike_payloads answer;

		world_sa(w, 0)->window.next_id = 1;
		world_request(w, 0, IKE_EXCHANGE_AUTH,
			      i > sizeof(methods) ? put_no_auth : put_auth_request,
			      i < sizeof(methods) ? &methods[i] : NULL, &answer);
		assert_int_equal(notify_of(&answer), i > sizeof(methods)
							     ? IKE_NOTIFY_INVALID_SYNTAX
							     : IKE_NOTIFY_AUTHENTICATION_FAILED);
		assert_int_equal(world_count_ike(w, 1, NULL), 0);
		assert_int_equal(world_count_sas(&w->end[1]), 0);
		assert_int_equal(w->end[1].events[IKE_EVENT_IKE_UP], 0);
		world_free(w);
	}
}

/* An IKE_SA_INIT request with a public value of our making. */
static size_t init_request(uint8_t *buf, size_t cap, uint64_t spi, struct ike_bytes public)
{
	/* So long that the answer is not longer than the request. */
	static const uint8_t nonce[48] = {2};
	struct ike_header h = {
		.spi_i = spi, .exchange = IKE_EXCHANGE_SA_INIT, .flags = IKE_FLAG_INITIATOR};
	struct ike_proposal_list list = {0};
	struct ike_writer writer;

	assert_true(ike_proposal_list_parse(&list, IKE_PROTO_IKE, "aes128gcm16-prfsha256-x25519",
					    NULL));
	ike_writer_init(&writer, buf, cap);
	ike_message_begin(&writer, &h);
	ike_put_proposals(&writer, &list, ike_bytes(NULL, 0), false);
	ike_put_ke(&writer, IKE_KE_CURVE25519, public);
	ike_put_nonce(&writer, ike_bytes(nonce, sizeof(nonce)));
	ike_proposal_list_clear(&list);
	assert_true(ike_message_end(&writer));
	return writer.len;
}

/* RFC 7748 section 6.1: all zero is a point of small order; other lengths are no points at all. */
static void test_bad_public_values(void **state)
{
	static const uint8_t zeros[600];
	static const size_t lengths[] = {32, 0, 1, 31, 33, 512, 600};

	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		struct world *w = world_new();
		uint8_t buf[1024];
		size_t len;

		world_start(w);
		len = init_request(buf, sizeof(buf), 7, ike_bytes(zeros, lengths[i]));
		world_inject(w, 1, buf, len);
		world_run(w);
		assert_int_equal(world_count_ike(w, 1, NULL), 0);
		assert_int_equal(w->end[1].engine->counters.half_open, 0);
		world_free(w);
	}
}

/* Strangers cannot make us keep more than a limit, and what they leave goes by itself. */
static void test_flood(void **state)
{
	static const uint8_t base[32] = {9}; /* RFC 7748 section 4.1: a good point */
	struct world *w = world_new();
	struct ike_counters counters;
	uint8_t buf[1024];
	size_t len;

	w->end[1].config->settings.cookie_threshold = 1000;
	w->end[1].config->settings.cookie_threshold_ip = 1000;
	w->end[1].config->settings.block_threshold = 1000;
	w->end[1].config->settings.half_open_limit = 20;
	world_start(w);
	for (unsigned int i = 0; i < 100; i++) {
		len = init_request(buf, sizeof(buf), i + 1, ike_bytes(base, sizeof(base)));
		world_inject(w, 1, buf, len);
		world_run(w);
	}
	ike_engine_counters(w->end[1].engine, &counters);
	assert_int_equal(counters.half_open, 20);
	assert_int_equal(world_count_ike(w, 1, NULL), 20);
	/* The same again is answered again, and makes nothing new. */
	len = init_request(buf, sizeof(buf), 5, ike_bytes(base, sizeof(base)));
	world_inject(w, 1, buf, len);
	assert_int_equal(world_count_ike(w, 1, NULL), 20);
	world_pass(w, IKE_HALF_OPEN_TIME);
	ike_engine_counters(w->end[1].engine, &counters);
	assert_int_equal(counters.half_open, 0);
	assert_int_equal(world_count_ike(w, 1, NULL), 0);
	world_free(w);
}

/* With cookies asked for, a stranger who does not receive leaves nothing at all. */
static void test_cookie_flood(void **state)
{
	static const uint8_t base[32] = {9};
	struct world *w = world_new();
	struct ike_counters counters;
	uint8_t buf[1024];
	size_t len;

	w->end[1].config->settings.cookie_threshold = 3;
	world_start(w);
	for (unsigned int i = 0; i < 50; i++) {
		len = init_request(buf, sizeof(buf), i + 1, ike_bytes(base, sizeof(base)));
		world_inject(w, 1, buf, len);
		world_run(w);
	}
	ike_engine_counters(w->end[1].engine, &counters);
	assert_int_equal(counters.half_open, 3);
	assert_int_equal(counters.cookies_sent, 47);
	world_free(w);
}

/* Section 2.5. */
static void test_other_version(void **state)
{
	struct world *w = tunnel();
	struct world_message *m;
	struct ike_header h;
	/* Long enough for an answer that is no longer. */
	uint8_t buf[40] = {[7] = 1, [15] = 2, [17] = 0x30, [18] = 34, [19] = 8, [27] = 40};

	world_inject(w, 1, buf, sizeof(buf));
	m = world_last(w, 1);
	assert_true(ike_header_decode(ike_bytes(m->bytes, m->len), &h, NULL));
	assert_int_equal(h.major, 2);
	assert_true(h.flags & IKE_FLAG_RESPONSE);
	w->delivered = w->n_sent;
	/* Lower ones, and answers, get no answer. */
	buf[17] = 0x10;
	world_inject(w, 1, buf, sizeof(buf));
	buf[17] = 0x30;
	buf[19] = 0x28;
	world_inject(w, 1, buf, sizeof(buf));
	assert_int_equal(w->delivered, w->n_sent);
	assert_unharmed(w);
	world_free(w);
}

/* Complaints to strangers are few: they must not serve to flood anybody. */
static void test_complaints_are_limited(void **state)
{
	uint8_t buf[40] = {[7] = 1, [15] = 2, [17] = 0x20, [18] = 37, [19] = 8, [27] = 40};
	struct world *w = world_new();

	world_start(w);
	for (unsigned int i = 0; i < 1000; i++)
		world_inject(w, 1, buf, sizeof(buf));
	assert_int_equal(w->n_sent, IKE_STATELESS_MAX);
	w->delivered = w->n_sent;
	world_free(w);
}

/* An IKE SA that dies while its key exchange is being computed. */
static void test_death_during_job(void **state)
{
	struct world *w = tunnel();
	struct ike_match match = {.conn = "site"};
	const char *why;

	rekey(w, 0);
	assert_int_equal(w->end[0].n_jobs, 1);
	/* Malformed from the peer, which ends it at once. */
	world_sa(w, 1)->window.next_id = 0;
	world_request(w, 1, IKE_EXCHANGE_INFORMATIONAL, put_broken, NULL, NULL);
	world_run(w);
	assert_int_equal(world_count_ike(w, 0, NULL), 0);
	assert_int_equal(world_count_sas(&w->end[0]), 0);
	assert_int_equal(w->end[0].spis, 0);
	assert_int_equal(ike_engine_terminate(w->end[0].engine, w->now, &match, &why), 0);
	world_free(w);
}

/* More CHILD_SAs than one IKE SA may have. */
static void test_too_many_children(void **state)
{
	struct world *w = tunnel();
	struct ike_payloads answer;

	world_sa(w, 1)->n_children = IKE_CHILDREN_MAX;
	world_request(w, 0, IKE_EXCHANGE_CREATE_CHILD_SA, put_child_request, NULL, &answer);
	assert_int_equal(notify_of(&answer), IKE_NOTIFY_NO_ADDITIONAL_SAS);
	world_sa(w, 1)->n_children = 1;
	assert_unharmed(w);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_before_auth),
		cmocka_unit_test(test_initiator_before_auth),
		cmocka_unit_test(test_table_of_exchanges),
		cmocka_unit_test(test_table_of_payloads),
		cmocka_unit_test(test_retransmission),
		cmocka_unit_test(test_retransmission_answered),
		cmocka_unit_test(test_ahead_of_turn),
		cmocka_unit_test(test_ids_run_out),
		cmocka_unit_test(test_unprotected_words),
		cmocka_unit_test(test_corrupted),
		cmocka_unit_test(test_reflected),
		cmocka_unit_test(test_double_delete),
		cmocka_unit_test(test_double_rekey),
		cmocka_unit_test(test_rekey_of_nothing),
		cmocka_unit_test(test_unknown_payload),
		cmocka_unit_test(test_malformed_from_peer),
		cmocka_unit_test(test_auth_bypass),
		cmocka_unit_test(test_bad_public_values),
		cmocka_unit_test(test_flood),
		cmocka_unit_test(test_cookie_flood),
		cmocka_unit_test(test_other_version),
		cmocka_unit_test(test_complaints_are_limited),
		cmocka_unit_test(test_death_during_job),
		cmocka_unit_test(test_too_many_children),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
