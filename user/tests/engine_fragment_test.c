// SPDX-License-Identifier: MIT
/*
 * IKE fragmentation (RFC 7383): who cuts, how, and what becomes of pieces that are lost, doubled,
 * out of order, forged, of another cut, too many or too long.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ikev2/child.h"
#include "tests/world.h"

enum {
	SIZE = 256,			/* IP packets */
	LONGEST = SIZE - 20 - 8 - 4,	/* without IPv4, UDP and the non-ESP marker */
	PIECES = 16,
	LONG_TEXT = 700,
};

static struct world *with(enum ike_fragmentation a, enum ike_fragmentation b)
{
	/* So long that IKE_AUTH never fits into one, either way. */
	static const char *const ids[] = {
		"end-a-has-a-name-that-is-sixty-characters-long.a.example.org",
		"end-b-has-a-name-that-is-sixty-characters-long.b.example.org",
	};
	struct world *w = world_new();

	w->end[0].config->conns[0].fragmentation = a;
	w->end[1].config->conns[0].fragmentation = b;
	for (unsigned int i = 0; i < 2; i++) {
		struct ike_conn_cfg *conn = &w->end[i].config->conns[0];

		w->end[i].config->settings.fragment_size = SIZE;
		assert_true(ike_id_parse(ids[i], &conn->local.id, NULL));
		assert_true(ike_id_parse(ids[!i], &conn->remote.id, NULL));
	}
	return w;
}

static struct world *tunnel(void)
{
	struct world *w = with(IKE_FRAGMENT_YES, IKE_FRAGMENT_YES);

	world_start(w);
	world_up(w);
	return w;
}

static struct ike_header header_of(const struct world_message *m)
{
	struct ike_header h;

	assert_true(ike_header_decode(ike_bytes(m->bytes, m->len), &h, NULL));
	return h;
}

static struct ike_wire_skf skf_of(const struct world_message *m)
{
	struct ike_wire_skf skf;

	assert_int_equal(header_of(m).next, IKE_PAYLOAD_SKF);
	assert_true(ike_skf_decode(ike_bytes(m->bytes + IKE_HEADER_LEN + IKE_GENERIC_LEN,
					     m->len - IKE_HEADER_LEN - IKE_GENERIC_LEN),
				   &skf, NULL));
	return skf;
}

static unsigned int fragments_from(const struct world *w, unsigned int from)
{
	unsigned int n = 0;

	for (size_t i = 0; i < w->n_sent; i++)
		n += w->sent[i].from == from && header_of(&w->sent[i]).next == IKE_PAYLOAD_SKF;
	return n;
}

/* Fragments by hand, with the keys of end @from. */
struct piece {
	uint8_t exchange, first;
	uint32_t id;
	uint16_t number, total;
	struct ike_bytes text;
	bool response;
	size_t len;
	uint8_t bytes[1024];
};

static void cut(struct world *w, unsigned int from, struct piece *p)
{
	struct ike_sa *sa = world_sa(w, from);
	struct ike_header h = {
		.spi_i = sa->spi_i,
		.spi_r = sa->spi_r,
		.exchange = p->exchange,
		.message_id = p->id,
		.flags = (sa->initiator ? IKE_FLAG_INITIATOR : 0) |
			 (p->response ? IKE_FLAG_RESPONSE : 0),
	};
	struct ike_writer writer;
	size_t mark;

	ike_writer_init(&writer, p->bytes, sizeof(p->bytes));
	ike_message_begin(&writer, &h);
	mark = ike_skf_begin(&writer, &sa->out, p->number, p->total);
	ike_patch8(&writer, mark, p->number == 1 ? p->first : 0);
	ike_put(&writer, p->text);
	assert_true(ike_skf_seal(&writer, mark, &sa->out, &sa->engine->random, NULL));
	p->len = writer.len;
}

/* Fragment @number of @total of the next INFORMATIONAL request of end 0: @text is its part. */
static struct piece part(struct world *w, uint16_t number, uint16_t total, const void *text,
			 size_t len)
{
	struct piece p = {
		.exchange = IKE_EXCHANGE_INFORMATIONAL,
		.first = IKE_PAYLOAD_VENDOR,
		.id = world_sa(w, 1)->window.expected,
		.number = number,
		.total = total,
		.text = ike_bytes(text, len),
	};

	cut(w, 0, &p);
	return p;
}

static void give(struct world *w, const struct piece *p)
{
	world_inject(w, 1, p->bytes, p->len);
}

/* What end 1 has answered since @since; it must not reach end 0, which did not ask. */
static unsigned int answers(struct world *w, size_t since)
{
	unsigned int n = 0;

	for (size_t i = since; i < w->n_sent; i++)
		n += w->sent[i].from == 1 && header_of(&w->sent[i]).flags & IKE_FLAG_RESPONSE;
	w->delivered = w->n_sent;
	return n;
}

static const struct ike_fragments *gathered(struct world *w)
{
	return &world_sa(w, 1)->fragments[IKE_ANSWERING];
}

/* A vendor ID payload of 600 bytes (RFC 7296 section 3.12), which means nothing to anybody. */
static const uint8_t *vendor(void)
{
	static uint8_t bytes[600] = {0, 0, 600 >> 8, 600 & 0xff};

	return bytes;
}

static void assert_alive(struct world *w)
{
	struct piece p = part(w, 1, 1, vendor(), 600);
	size_t sent = w->n_sent;

	give(w, &p);
	assert_int_equal(answers(w, sent), 1);
	assert_int_equal(world_count_ike(w, 1, "ESTABLISHED"), 1);
	assert_true(world_connected(w));
	assert_int_equal(gathered(w)->total, 0);
}

/* Cutting */

static void check_cut(const struct world *w, unsigned int from)
{
	unsigned int n = 0, total = 0;

	for (size_t i = 0; i < w->n_sent; i++) {
		const struct world_message *m = &w->sent[i];
		struct ike_header h = header_of(m);

		if (m->from != from)
			continue;
		assert_true(m->len <= LONGEST || h.exchange == IKE_EXCHANGE_SA_INIT);
		if (h.exchange == IKE_EXCHANGE_SA_INIT)
			assert_int_equal(h.next, IKE_PAYLOAD_SA);
		if (h.exchange != IKE_EXCHANGE_AUTH)
			continue;
		/* Section 2.5: numbers from 1, one total; the first payload in the first alone. */
		n++;
		assert_int_equal(skf_of(m).number, n);
		total = total ? total : skf_of(m).total;
		assert_int_equal(skf_of(m).total, total);
		assert_int_equal(m->bytes[IKE_HEADER_LEN],
				 n > 1 ? 0 : from ? IKE_PAYLOAD_IDR : IKE_PAYLOAD_IDI);
		assert_int_equal(h.message_id, 1);
	}
	assert_true(total >= 2);
	assert_int_equal(n, total);
}

static void test_cut(void **state)
{
	static const char *const proposals[] = {
		"aes128gcm16-prfsha256-x25519",
		"aes256gcm16-prfsha384-x25519",
		"aes128-sha256-x25519",
		"aes256-sha512-x25519",
	};

	for (size_t i = 0; i < sizeof(proposals) / sizeof(proposals[0]); i++) {
		struct world *w = with(IKE_FRAGMENT_YES, IKE_FRAGMENT_YES);

		for (unsigned int k = 0; k < 2; k++) {
			struct ike_proposal_list *list = &w->end[k].config->conns[0].proposals;

			ike_proposal_list_clear(list);
			assert_true(ike_proposal_list_parse(list, IKE_PROTO_IKE, proposals[i],
							    NULL));
		}
		world_start(w);
		world_up(w);
		check_cut(w, 0);
		check_cut(w, 1);
		world_free(w);
	}
}

/* Section 2.3: only if both have said so; and who accepts only, does not cut. */
static void test_agreement(void **state)
{
	static const struct {
		enum ike_fragmentation a, b;
		bool cuts[2];
	} cases[] = {
		{IKE_FRAGMENT_YES, IKE_FRAGMENT_YES, {true, true}},
		{IKE_FRAGMENT_ACCEPT, IKE_FRAGMENT_YES, {false, true}},
		{IKE_FRAGMENT_YES, IKE_FRAGMENT_ACCEPT, {true, false}},
		{IKE_FRAGMENT_ACCEPT, IKE_FRAGMENT_ACCEPT, {false, false}},
		{IKE_FRAGMENT_NO, IKE_FRAGMENT_YES, {false, false}},
		{IKE_FRAGMENT_YES, IKE_FRAGMENT_NO, {false, false}},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct world *w = with(cases[i].a, cases[i].b);
		bool agreed = cases[i].a != IKE_FRAGMENT_NO && cases[i].b != IKE_FRAGMENT_NO;

		world_start(w);
		world_up(w);
		for (unsigned int end = 0; end < 2; end++) {
			assert_int_equal(fragments_from(w, end) > 0, cases[i].cuts[end]);
			assert_int_equal(world_sa(w, end)->fragmentation, agreed);
		}
		world_free(w);
	}
}

/* What was agreed on holds for the IKE SA that replaces this one. */
static void test_after_rekey(void **state)
{
	struct world *w = tunnel();
	struct ike_match match = {.conn = "site"};
	const char *why;

	assert_int_not_equal(ike_engine_rekey(w->end[0].engine, w->now, &match, &why), 0);
	world_run(w);
	for (unsigned int end = 0; end < 2; end++)
		assert_true(world_sa(w, end)->fragmentation);
	assert_alive(w);
	world_free(w);
}

static size_t datagrams(const struct ike_outgoing *o, size_t *longest)
{
	struct ike_bytes flight = ike_written(&o->w);
	size_t n = 0;

	*longest = 0;
	for (; flight.len; n++) {
		size_t len = ike_flight_next(&flight).len;

		*longest = len > *longest ? len : *longest;
	}
	return n;
}

static bool make_long(struct ike_sa *sa, struct ike_outgoing *o, size_t len)
{
	static const uint8_t bytes[IKE_MESSAGE_MAX];

	ike_outgoing_begin(o, sa, IKE_EXCHANGE_INFORMATIONAL, 7, false);
	ike_put_vendor(&o->w, ike_bytes(bytes, len));
	return ike_outgoing_end(o, sa, NULL);
}

static void test_sizes(void **state)
{
	struct world *w = tunnel();
	struct ike_sa *sa = world_sa(w, 0);
	struct ike_config *config = w->end[0].config;
	struct ike_outgoing o;
	size_t longest;

	/*
	 * A fragment of AES-GCM is 28 bytes of header, 8 of SKF, 8 of IV, its text, one byte of
	 * padding and 16 of ICV; 32 are for IPv4, UDP and marker. So 1280 take 1187 bytes of text,
	 * and a vendor ID of 4000 has 4004.
	 */
	config->settings.fragment_size = 0;
	sa->fragment_longest = 0;
	assert_true(make_long(sa, &o, 4000));
	assert_int_equal(datagrams(&o, &longest), 4);
	assert_int_equal(longest, 1280 - 32);
	/* The same over IPv6, whose header has 40 bytes: 1167. */
	sa->remote.addr.family = AF_INET6;
	assert_true(make_long(sa, &o, 4000));
	assert_int_equal(datagrams(&o, &longest), 4);
	assert_int_equal(longest, 1280 - 52);
	sa->remote.addr.family = AF_INET;
	/* Not cut: one byte less than what would not fit. 28 + 4 + 8 + text + 1 + 16. */
	assert_true(make_long(sa, &o, 1280 - 32 - 57 - 4));
	assert_int_equal(datagrams(&o, &longest), 1);
	assert_int_equal(longest, 1280 - 32);
	assert_true(make_long(sa, &o, 1280 - 32 - 57 - 4 + 1));
	assert_int_equal(datagrams(&o, &longest), 2);
	/* The longest message there is, in the smallest fragments that may be configured. */
	config->settings.fragment_size = SIZE;
	assert_true(make_long(sa, &o, IKE_MESSAGE_MAX - 100));
	/* 256 - 93 = 163 bytes each of 16288. */
	assert_int_equal(datagrams(&o, &longest), 100);
	config->settings.fragment_size = 200;
	assert_false(make_long(sa, &o, IKE_MESSAGE_MAX - 100));
	world_free(w);
}

/* A peer that cuts smaller than we would knows the path better. */
static void test_follows_peer(void **state)
{
	struct world *w = tunnel();
	struct ike_sa *sa = world_sa(w, 1);
	struct ike_outgoing o;
	size_t longest, sent = w->n_sent;
	struct piece p[] = {part(w, 1, 2, vendor(), 550), part(w, 2, 2, vendor() + 550, 50)};

	w->end[1].config->settings.fragment_size = 0;
	give(w, &p[0]);
	give(w, &p[1]);
	assert_int_equal(answers(w, sent), 1);
	assert_true(make_long(sa, &o, 4000));
	/* 28 + 8 + 8 + 550 + 1 + 16 */
	assert_int_equal(datagrams(&o, &longest), 8);
	assert_int_equal(longest, 611);
	world_free(w);
}

/* Gathering */

static void test_any_order(void **state)
{
	struct world *w = tunnel();
	struct piece p[6];
	size_t sent;

	for (unsigned int seed = 0; seed < 720; seed += 7) {
		unsigned int order[6] = {0, 1, 2, 3, 4, 5}, rest = seed;

		for (unsigned int i = 0; i < 6; i++)
			p[i] = part(w, i + 1, 6, vendor() + 100 * i, 100);
		/* The permutation of that number. */
		for (unsigned int i = 0; i < 6; i++) {
			unsigned int k = i + rest % (6 - i), swap = order[i];

			rest /= 6 - i;
			order[i] = order[k];
			order[k] = swap;
		}
		sent = w->n_sent = w->delivered = 0;
		for (unsigned int i = 0; i < 6; i++) {
			assert_int_equal(answers(w, sent), 0);
			give(w, &p[order[i]]);
			if (i == 3)
				give(w, &p[order[1]]);
		}
		assert_int_equal(answers(w, sent), 1);
		assert_int_equal(gathered(w)->total, 0);
	}
	assert_alive(w);
	world_free(w);
}

/* Sections 2.6 and 2.1 of RFC 7296: one lost is made good by all sent again. */
static unsigned int lost;

static bool lose_second(struct world *w, struct world_message *m)
{
	struct ike_header h = header_of(m);

	if (h.next != IKE_PAYLOAD_SKF || skf_of(m).number != 2 || lost >= 2)
		return true;
	/* Once on its way there, once on its way back. */
	if ((lost == 1) != (m->from == 1))
		return true;
	lost++;
	return false;
}

static void test_lost(void **state)
{
	struct world *w = with(IKE_FRAGMENT_YES, IKE_FRAGMENT_YES);
	struct ike_counters counters;

	lost = 0;
	w->wire = lose_second;
	world_start(w);
	world_initiate(w, "net");
	assert_false(world_connected(w));
	world_pass(w, 30 * (ike_time)IKE_SECOND);
	assert_int_equal(lost, 2);
	assert_true(world_connected(w));
	ike_engine_counters(w->end[0].engine, &counters);
	assert_int_equal(counters.retransmitted, 2);
	world_free(w);
}

static void test_forged(void **state)
{
	struct world *w = tunnel();
	struct piece good[2] = {part(w, 1, 2, vendor(), 300), part(w, 2, 2, vendor() + 300, 300)};
	size_t sent = w->n_sent;

	give(w, &good[0]);
	for (size_t at = 0; at < good[1].len; at++) {
		struct piece bad = good[1];

		bad.bytes[at] ^= 0x11;
		give(w, &bad);
		assert_int_equal(gathered(w)->got, 1);
		assert_int_equal(gathered(w)->total, 2);
	}
	for (size_t len = 0; len < good[1].len; len++)
		world_inject(w, 1, good[1].bytes, len);
	w->n_sent = w->delivered = sent;
	give(w, &good[1]);
	assert_int_equal(answers(w, sent), 1);
	assert_alive(w);
	world_free(w);
}

/* Section 2.6: more fragments are a new cut, which begins anew; fewer are an old one. */
static void test_total_changes(void **state)
{
	struct world *w = tunnel();
	struct piece two[2] = {part(w, 1, 2, vendor(), 300), part(w, 2, 2, vendor() + 300, 300)};
	struct piece three[3] = {part(w, 1, 3, vendor(), 200), part(w, 2, 3, vendor() + 200, 200),
				 part(w, 3, 3, vendor() + 400, 200)};
	size_t sent = w->n_sent;

	give(w, &two[1]);
	give(w, &three[0]);
	assert_int_equal(gathered(w)->total, 3);
	assert_int_equal(gathered(w)->got, 1);
	assert_int_equal(gathered(w)->bytes, 200);
	give(w, &two[0]);
	give(w, &two[1]);
	assert_int_equal(gathered(w)->total, 3);
	assert_int_equal(gathered(w)->got, 1);
	give(w, &three[1]);
	assert_int_equal(answers(w, sent), 0);
	give(w, &three[2]);
	assert_int_equal(answers(w, sent), 1);
	assert_alive(w);
	world_free(w);
}

/* The same number twice with another text: the first one stays. */
static void test_overlap(void **state)
{
	static const uint8_t other[300] = {IKE_PAYLOAD_DELETE};
	struct world *w = tunnel();
	struct piece first = part(w, 1, 2, vendor(), 300), again = part(w, 1, 2, other, 300),
		     last = part(w, 2, 2, vendor() + 300, 300);
	size_t sent = w->n_sent;

	give(w, &first);
	give(w, &again);
	assert_true(world_logged(&w->end[1], "fragment 1 came before"));
	assert_memory_equal(gathered(w)->parts[0].p, vendor(), 300);
	give(w, &last);
	assert_int_equal(answers(w, sent), 1);
	assert_alive(w);
	world_free(w);
}

static void test_too_many(void **state)
{
	struct world *w = tunnel();
	struct piece p = part(w, 1, IKE_FRAGMENTS_MAX + 1, vendor(), 10);

	give(w, &p);
	assert_int_equal(gathered(w)->total, 0);
	p = part(w, 65535, 65535, vendor(), 10);
	give(w, &p);
	assert_int_equal(gathered(w)->total, 0);
	assert_true(world_logged(&w->end[1], "fragments where 128 are the most"));
	assert_alive(w);
	world_free(w);
}

/* As many as there may be, each as long as may be: what is kept has a limit of its own. */
static void test_too_long(void **state)
{
	struct world *w = tunnel();
	size_t sent = w->n_sent;

	for (unsigned int i = 1; i <= IKE_FRAGMENTS_MAX; i++) {
		struct piece p = part(w, i, IKE_FRAGMENTS_MAX, vendor(), 600);

		give(w, &p);
		assert_true(gathered(w)->bytes <= IKE_GATHERED_MAX);
	}
	/* 54 of 600 bytes fit into 32768. */
	assert_int_equal(gathered(w)->got, 54);
	assert_int_equal(answers(w, sent), 0);
	world_free(w);
}

/* Each is opened once, however often it comes: the second is refused before that. */
static void test_cost(void **state)
{
	struct world *w = tunnel();
	size_t sent = w->n_sent;

	for (unsigned int i = IKE_FRAGMENTS_MAX; i >= 1; i--) {
		struct piece p = part(w, i, IKE_FRAGMENTS_MAX, vendor() + (i == 1 ? 0 : 4), 4);

		/* The first one's text is a vendor ID's header; its length is the whole. */
		if (i == 1) {
			static const uint8_t head[] = {0, 0, 2, 0};

			p = part(w, 1, IKE_FRAGMENTS_MAX, head, sizeof(head));
		}
		give(w, &p);
		if (i > 1) {
			/* Not genuine any more, but nobody looks. */
			p.bytes[p.len - 1] ^= 1;
			world_forget_log(w);
			give(w, &p);
			assert_true(world_logged(&w->end[1], "came before"));
		}
	}
	assert_int_equal(answers(w, sent), 1);
	assert_alive(w);
	world_free(w);
}

static void put_vendor(struct ike_writer *w, void *arg)
{
	ike_put_vendor(w, ike_bytes("whole", 5));
}

static void test_mixed_with_whole(void **state)
{
	struct world *w = tunnel();
	struct piece p[2] = {part(w, 1, 2, vendor(), 300), part(w, 2, 2, vendor() + 300, 300)};
	size_t sent;

	give(w, &p[0]);
	assert_int_equal(gathered(w)->got, 1);
	world_sa(w, 0)->window.next_id = world_sa(w, 1)->window.expected;
	sent = w->n_sent;
	world_request(w, 0, IKE_EXCHANGE_INFORMATIONAL, put_vendor, NULL, NULL);
	assert_int_equal(answers(w, sent), 1);
	assert_int_equal(gathered(w)->total, 0);
	sent = w->n_sent;
	/* Of the message that has been answered, in another shape. */
	give(w, &p[1]);
	assert_int_equal(answers(w, sent), 0);
	assert_int_equal(gathered(w)->total, 0);
	give(w, &p[0]);
	assert_int_equal(answers(w, sent), 1);
	assert_alive(w);
	world_free(w);
}

static void test_two_exchanges(void **state)
{
	struct world *w = tunnel();
	struct piece p = part(w, 1, 2, vendor(), 300), other = p, last;
	size_t sent = w->n_sent;

	other.exchange = IKE_EXCHANGE_CREATE_CHILD_SA;
	other.number = 2;
	cut(w, 0, &other);
	last = part(w, 2, 2, vendor() + 300, 300);
	give(w, &p);
	give(w, &other);
	assert_int_equal(gathered(w)->got, 1);
	give(w, &last);
	assert_int_equal(answers(w, sent), 1);
	assert_alive(w);
	world_free(w);
}

/* Section 2.6.1: the first fragment alone asks for the answer again. */
static void test_repeated(void **state)
{
	struct world *w = tunnel();
	struct piece p[2] = {part(w, 1, 2, vendor(), 300), part(w, 2, 2, vendor() + 300, 300)};
	struct piece anew[3] = {part(w, 1, 3, vendor(), 200), part(w, 2, 3, vendor() + 200, 200),
				part(w, 3, 3, vendor() + 400, 200)};
	struct piece forged = anew[0];
	size_t sent = w->n_sent;

	give(w, &p[0]);
	give(w, &p[1]);
	assert_int_equal(answers(w, sent), 1);
	sent = w->n_sent;
	give(w, &p[1]);
	assert_int_equal(answers(w, sent), 0);
	give(w, &p[0]);
	assert_int_equal(answers(w, sent), 1);
	sent = w->n_sent;
	give(w, &anew[2]);
	give(w, &anew[1]);
	forged.bytes[forged.len - 1] ^= 1;
	give(w, &forged);
	assert_int_equal(answers(w, sent), 0);
	give(w, &anew[0]);
	assert_int_equal(answers(w, sent), 1);
	assert_int_equal(gathered(w)->total, 0);
	assert_alive(w);
	world_free(w);
}

/* An answer in fragments is repeated with all of them. */
static void test_long_answer_repeated(void **state)
{
	struct world *w = with(IKE_FRAGMENT_YES, IKE_FRAGMENT_YES);
	struct world_message request[PIECES];
	size_t n = 0, sent;

	world_start(w);
	world_up(w);
	for (size_t i = 0; i < w->n_sent; i++)
		if (w->sent[i].from == 0 && header_of(&w->sent[i]).exchange == IKE_EXCHANGE_AUTH)
			request[n++] = w->sent[i];
	assert_true(n >= 2);
	sent = w->n_sent;
	world_inject(w, 1, request[1].bytes, request[1].len);
	assert_int_equal(w->n_sent, sent);
	world_inject(w, 1, request[0].bytes, request[0].len);
	assert_int_equal(w->n_sent, sent + skf_of(&w->sent[sent]).total);
	for (size_t i = sent; i < w->n_sent; i++)
		assert_int_equal(skf_of(&w->sent[i]).number, i - sent + 1);
	world_run(w);
	assert_true(world_connected(w));
	world_free(w);
}

static void test_not_agreed(void **state)
{
	struct world *w = with(IKE_FRAGMENT_YES, IKE_FRAGMENT_NO);
	struct piece p;
	size_t sent;

	world_start(w);
	world_up(w);
	sent = w->n_sent;
	p = part(w, 1, 1, vendor(), 600);
	give(w, &p);
	assert_int_equal(answers(w, sent), 0);
	assert_true(world_logged(&w->end[1], "though none were agreed on"));
	world_free(w);
}

/* What was gathered is judged as if it had come whole: genuine and malformed ends the IKE SA. */
static void test_malformed_inside(void **state)
{
	static const uint8_t broken[8] = {0, 0, 0, 3, 1, 2, 3, 4};
	struct world *w = tunnel();
	struct piece p[2] = {part(w, 1, 2, broken, 4), part(w, 2, 2, broken + 4, 4)};

	give(w, &p[0]);
	assert_int_equal(world_count_ike(w, 1, "ESTABLISHED"), 1);
	give(w, &p[1]);
	assert_int_equal(world_count_ike(w, 1, "ESTABLISHED"), 0);
	world_free(w);
}

/* Beside SKF nothing may stand: CVE-2026-12413's class. */
static void test_beside_other_payloads(void **state)
{
	struct world *w = tunnel();
	struct piece p = part(w, 1, 1, vendor(), 100);
	static uint8_t bytes[2048];
	size_t sent = w->n_sent, len = IKE_HEADER_LEN;

	for (unsigned int unknown = 0; unknown < 2; unknown++) {
		memcpy(bytes, p.bytes, IKE_HEADER_LEN);
		len = IKE_HEADER_LEN;
		bytes[16] = unknown ? 200 : IKE_PAYLOAD_VENDOR;
		for (unsigned int i = 0; i < 20; i++) {
			uint8_t payload[8] = {i == 19 ? IKE_PAYLOAD_SKF : bytes[16], 0, 0, 8};

			memcpy(bytes + len, payload, sizeof(payload));
			len += sizeof(payload);
		}
		memcpy(bytes + len, p.bytes + IKE_HEADER_LEN, p.len - IKE_HEADER_LEN);
		len += p.len - IKE_HEADER_LEN;
		bytes[26] = len >> 8;
		bytes[27] = len;
		world_inject(w, 1, bytes, len);
		assert_int_equal(answers(w, sent), 0);
		assert_int_equal(gathered(w)->total, 0);
	}
	assert_alive(w);
	world_free(w);
}

/* Before authentication, too, a fragment must be of IKE_AUTH: the order is looked at first. */
static bool hold_auth(struct world *w, struct world_message *m)
{
	return header_of(m).exchange == IKE_EXCHANGE_SA_INIT;
}

static void test_before_auth(void **state)
{
	struct world *w = with(IKE_FRAGMENT_YES, IKE_FRAGMENT_YES);
	struct piece p;

	w->wire = hold_auth;
	world_start(w);
	world_initiate(w, "net");
	assert_int_equal(world_count_ike(w, 1, "CONNECTING"), 1);
	p = part(w, 1, 2, vendor(), 300);
	give(w, &p);
	assert_int_equal(gathered(w)->total, 0);
	p.exchange = IKE_EXCHANGE_AUTH;
	cut(w, 0, &p);
	give(w, &p);
	assert_int_equal(gathered(w)->got, 1);
	/* What never becomes complete ends with the half-open IKE SA. */
	w->wire = NULL;
	world_pass(w, IKE_HALF_OPEN_TIME + IKE_SECOND);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_agreement),
		cmocka_unit_test(test_after_rekey),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_follows_peer),
		cmocka_unit_test(test_any_order),
		cmocka_unit_test(test_lost),
		cmocka_unit_test(test_forged),
		cmocka_unit_test(test_total_changes),
		cmocka_unit_test(test_overlap),
		cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_cost),
		cmocka_unit_test(test_mixed_with_whole),
		cmocka_unit_test(test_two_exchanges),
		cmocka_unit_test(test_repeated),
		cmocka_unit_test(test_long_answer_repeated),
		cmocka_unit_test(test_not_agreed),
		cmocka_unit_test(test_malformed_inside),
		cmocka_unit_test(test_beside_other_payloads),
		cmocka_unit_test(test_before_auth),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
