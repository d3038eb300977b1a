// SPDX-License-Identifier: MIT
/*
 * Contents that were made to break a parser or a state machine, from strangers and from peers that
 * hold the keys: lengths that lie, identities too long, payloads without number, messages sent again
 * from elsewhere. What must be seen: one answer or none, nobody let in, nothing torn down by a
 * stranger. Under ASan, so that a byte too many read is a failure by itself.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ikev2/child.h"
#include "tests/situation.h"

static const struct situation *situation(enum ike_sa_state state, unsigned int end)
{
	const struct situation *s = situations;

	while (s->name && (s->state != state || s->end != end || s->asks))
		s++;
	assert_non_null(s->name);
	return s;
}

static struct world *half_open(void)
{
	struct world *w = situation_world(situation(IKE_SA_INIT_GOT, 1));

	/* What the initiator has sent in vain comes as something else. */
	world_sa(w, 0)->window.next_id = 1;
	return w;
}

static struct world *tunnel(void)
{
	return situation_world(situation(IKE_SA_ESTABLISHED, 1));
}

static void nobody_in(struct world *w)
{
	assert_int_equal(world_count_ike(w, 1, NULL), 0);
	assert_int_equal(world_count_sas(&w->end[1]), 0);
	assert_int_equal(world_count_policies(&w->end[1]), 0);
	assert_int_equal(w->end[1].spis, 0);
	assert_int_equal(w->end[1].events[IKE_EVENT_IKE_UP], 0);
}

static void unharmed(struct world *w)
{
	for (unsigned int i = 0; i < 2; i++) {
		assert_int_equal(world_count_ike(w, i, "ESTABLISHED"), 1);
		assert_int_equal(world_count_children(w, i, "INSTALLED"), 1);
		assert_int_equal(world_count_sas(&w->end[i]), 2);
	}
	assert_true(world_connected(w));
}

static uint16_t error_of(const struct ike_payloads *answer)
{
	struct ike_wire_notify n;

	return ike_find_error(answer, &n) ? n.type : 0;
}

/* Identities */

struct identity {
	uint8_t type;
	size_t len;
};

static void put_child(struct ike_writer *w)
{
	struct ike_proposal_list list = {0};
	struct ike_ts ts[2] = {0};

	assert_true(ike_proposal_list_parse(&list, IKE_PROTO_ESP, "aes128gcm16", NULL));
	ike_put_proposals(w, &list, ike_bytes("\1\2\3\4", 4), false);
	ike_proposal_list_clear(&list);
	assert_true(ike_ts_parse("10.1.0.0/16", &ts[0], NULL) &&
		    ike_ts_parse("10.2.0.0/16", &ts[1], NULL));
	ike_put_ts_list(w, IKE_PAYLOAD_TSI, &ts[0], 1);
	ike_put_ts_list(w, IKE_PAYLOAD_TSR, &ts[1], 1);
}

static void put_auth_with(struct ike_writer *w, void *arg)
{
	const struct identity *id = arg;
	static uint8_t data[WORLD_MESSAGE];

	memset(data, 'a', sizeof(data));
	ike_put_id(w, IKE_PAYLOAD_IDI, id->type, ike_bytes(data, id->len));
	ike_put_auth(w, IKE_AUTH_METHOD_PSK, ike_bytes(data, 32));
	put_child(w);
}

/*
 * CVE-2025-9242's class: IDi copied before anybody is authenticated. Every type of ID, and lengths
 * around every size that somebody may have thought enough.
 */
static void test_identity_lengths(void **state)
{
	static const size_t lengths[] = {0,   1,   3,	4,   5,	  15,  16,   17,   63,	 64,  65,
					 127, 128, 255, 256, 257, 511, 512,  513,  519,	 520, 521,
					 576, 600, 767, 768, 769, 900, 1023, 1024, 1025, 2048, 3600};

	for (unsigned int type = 0; type < 16; type++) {
		for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
			struct identity id = {type, lengths[i]};
			struct world *w = half_open();
			struct ike_payloads answer;
			uint16_t error;

			world_sa(w, 0)->fragmentation = false;
			world_request(w, 0, IKE_EXCHANGE_AUTH, put_auth_with, &id, &answer);
			error = error_of(&answer);
			assert_true(error == IKE_NOTIFY_AUTHENTICATION_FAILED ||
				    error == IKE_NOTIFY_INVALID_SYNTAX);
			nobody_in(w);
			world_free(w);
		}
	}
}

/* Lengths */

/* A chain of payloads as it is, with one byte changed. */
struct changed {
	void (*put)(struct ike_writer *w);
	size_t at; /* counted from the first payload */
	uint8_t with;
	bool past; /* there is no such byte */
};

static void put_changed(struct ike_writer *w, void *arg)
{
	struct changed *c = arg;
	size_t mark = w->len;

	c->put(w);
	c->past = mark + c->at >= w->len;
	if (!c->past)
		ike_patch8(w, mark + c->at, w->buf[mark + c->at] ^ c->with);
}

static const uint8_t flips[] = {0x01, 0x02, 0x04, 0x80, 0xff};

/* True if there was such a byte. */
static bool one_change(struct changed *c, struct world *(*make)(void), uint8_t exchange,
		       void (*judge)(struct world *w))
{
	struct world *w = make();
	struct ike_payloads answer;

	world_request(w, 0, exchange, put_changed, c, &answer);
	/* One answer, that says something: a refusal or what was asked for. */
	assert_true(answer.n || exchange == IKE_EXCHANGE_INFORMATIONAL);
	judge(w);
	world_free(w);
	return !c->past;
}

static void every_change(void (*put)(struct ike_writer *w), struct world *(*make)(void),
			 uint8_t exchange, void (*judge)(struct world *w))
{
	struct changed c = {.put = put};

	for (size_t i = 0; i < sizeof(flips); i++) {
		c.with = flips[i];
		for (c.at = 0; one_change(&c, make, exchange, judge); c.at++)
			;
	}
	assert_true(c.at > IKE_GENERIC_LEN);
}

static void put_auth(struct ike_writer *w)
{
	static const uint8_t config[] = {1, 0, 0, 0, 0, 1, 0, 0, 0, 3, 0, 4, 8, 8, 8, 8};
	static const uint8_t cert[] = {4, 0x30, 3, 2, 1, 1};
	struct ike_id id;

	assert_true(ike_id_parse("a.example.org", &id, NULL));
	ike_put_identity(w, IKE_PAYLOAD_IDI, &id, NULL);
	ike_put_payload(w, IKE_PAYLOAD_CERT, ike_bytes(cert, sizeof(cert)));
	ike_put_payload(w, IKE_PAYLOAD_CERTREQ, ike_bytes("\4aaaaaaaaaaaaaaaaaaaa", 21));
	ike_put_auth(w, IKE_AUTH_METHOD_PSK, ike_bytes("0123456789abcdef0123456789abcdef", 32));
	ike_put_payload(w, IKE_PAYLOAD_CP, ike_bytes(config, sizeof(config)));
	put_child(w);
	ike_put_notify(w, IKE_NOTIFY_INITIAL_CONTACT, ike_bytes(NULL, 0));
}

/* Every byte, so every length, of an IKE_AUTH request. */
static void test_bytes_of_auth(void **state)
{
	every_change(put_auth, half_open, IKE_EXCHANGE_AUTH, nobody_in);
}

static void put_create(struct ike_writer *w)
{
	static const uint8_t nonce[32] = {1}, base[32] = {9};

	put_child(w);
	ike_put_nonce(w, ike_bytes(nonce, sizeof(nonce)));
	ike_put_ke(w, IKE_KE_CURVE25519, ike_bytes(base, sizeof(base)));
	ike_put_notify_spi32(w, IKE_NOTIFY_REKEY_SA, IKE_PROTO_ESP, 0xdeadbeef);
}

/* All or nothing: what was there with or without one more CHILD_SA, or all gone. */
static void consistent(struct world *w)
{
	unsigned int children = world_count_children(w, 1, NULL);

	assert_int_equal(world_count_sas(&w->end[1]), 2 * children);
	assert_int_equal(w->end[1].spis, 0);
	assert_true(children <= 2);
	if (!world_count_ike(w, 1, NULL))
		assert_int_equal(children, 0);
}

static void test_bytes_of_create_child(void **state)
{
	every_change(put_create, tunnel, IKE_EXCHANGE_CREATE_CHILD_SA, consistent);
}

static void put_informational(struct ike_writer *w)
{
	static const uint32_t spis[] = {0xdeadbeef, 0xfeedface};

	ike_put_delete_esp(w, spis, 2);
	ike_put_notify(w, IKE_NOTIFY_INVALID_SPI, ike_bytes("\1\2\3\4", 4));
	ike_put_payload(w, IKE_PAYLOAD_CP, ike_bytes("\3\0\0\0\0\1\0\4\12\1\0\1", 12));
}

static void test_bytes_of_informational(void **state)
{
	every_change(put_informational, tunnel, IKE_EXCHANGE_INFORMATIONAL, consistent);
}

/* Payloads without number */

/*
 * CVE-2026-12413's class: payloads of unknown type before SK or SKF, as many as there may be in all
 * and some more. Those before the SK of a genuine message are passed over.
 */
static void test_outer_payloads(void **state)
{
	for (unsigned int i = 0; i < 2 * (IKE_PAYLOADS_MAX + 3); i++) {
		bool fragment = i & 1;
		unsigned int n = i / 2;
		struct world *w = tunnel();
		struct ike_sa *from = world_sa(w, 0), *to = world_sa(w, 1);
		struct ike_header h = {
			.spi_i = from->spi_i,
			.spi_r = from->spi_r,
			.exchange = IKE_EXCHANGE_INFORMATIONAL,
			.flags = IKE_FLAG_INITIATOR,
			.message_id = to->window.expected,
		};
		size_t sent = w->n_sent, mark;
		struct ike_writer writer;
		uint8_t buf[1024];
		bool sealed;

		ike_writer_init(&writer, buf, sizeof(buf));
		ike_message_begin(&writer, &h);
		for (unsigned int k = 0; k < n; k++)
			ike_put_payload(&writer, 200, ike_bytes(NULL, 0));
		mark = fragment ? ike_skf_begin(&writer, &from->out, 1, 1)
				: ike_sk_begin(&writer, &from->out);
		sealed = fragment ? ike_skf_seal(&writer, mark, &from->out, &from->engine->random,
						 NULL)
				  : ike_sk_seal(&writer, mark, &from->out, &from->engine->random,
						NULL);
		assert_true(sealed);
		world_inject(w, 1, buf, writer.len);
		world_run(w);
		/* 64 with the SK itself are the most that is looked at. */
		if (!fragment)
			assert_int_equal(w->n_sent, sent + (n < IKE_PAYLOADS_MAX));
		unharmed(w);
		world_free(w);
	}
}

static void put_certificates(struct ike_writer *w, void *arg)
{
	static const uint8_t cert[] = {4, 0x30, 3, 2, 1, 1};
	struct ike_id id;

	assert_true(ike_id_parse("a.example.org", &id, NULL));
	ike_put_identity(w, IKE_PAYLOAD_IDI, &id, NULL);
	for (size_t n = *(size_t *)arg; n; n--)
		ike_put_payload(w, IKE_PAYLOAD_CERT, ike_bytes(cert, sizeof(cert)));
	ike_put_auth(w, IKE_AUTH_METHOD_SIGNATURE, ike_bytes("0123456789abcdef", 16));
	put_child(w);
}

/* Certificates cost memory and time before anybody is known: there is a limit. */
static void test_certificates_without_number(void **state)
{
	static const size_t numbers[] = {1, 10, 11, 50, 55};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		size_t n = numbers[i];
		struct world *w = half_open();
		struct ike_payloads answer;

		w->end[1].config->conns[0].remote.method = IKE_AUTH_CFG_PUBKEY;
		world_request(w, 0, IKE_EXCHANGE_AUTH, put_certificates, &n, &answer);
		assert_int_equal(error_of(&answer), IKE_NOTIFY_AUTHENTICATION_FAILED);
		nobody_in(w);
		world_free(w);
	}
}

/* Section 3.6, encoding 12: a hash and where to get what has it. There is nobody to go there. */
static void put_hash_and_url(struct ike_writer *w, void *arg)
{
	static const uint8_t cert[] = "\14aaaaaaaaaaaaaaaaaaaahttp://192.0.2.66/cert.der";
	struct ike_id id;

	assert_true(ike_id_parse("a.example.org", &id, NULL));
	ike_put_identity(w, IKE_PAYLOAD_IDI, &id, NULL);
	ike_put_payload(w, IKE_PAYLOAD_CERT, ike_bytes(cert, sizeof(cert) - 1));
	ike_put_auth(w, IKE_AUTH_METHOD_SIGNATURE, ike_bytes("0123456789abcdef", 16));
	put_child(w);
}

static void test_hash_and_url(void **state)
{
	struct world *w = half_open();
	struct ike_payloads answer;

	w->end[1].config->conns[0].remote.method = IKE_AUTH_CFG_PUBKEY;
	world_request(w, 0, IKE_EXCHANGE_AUTH, put_hash_and_url, NULL, &answer);
	assert_int_equal(error_of(&answer), IKE_NOTIFY_AUTHENTICATION_FAILED);
	nobody_in(w);
	world_free(w);
}

/* From elsewhere */

static void receive_from(struct world *w, uint8_t last, const uint8_t *bytes, size_t len)
{
	struct ike_endpoint local = world_sa(w, 1)->local;
	struct ike_endpoint remote = {{AF_INET, {203, 0, 113, last}}, IKE_PORT_NATT};

	ike_engine_receive(w->end[1].engine, w->now, &local, &remote, bytes, len);
	world_run(w);
}

/*
 * iked's "address update before authentication": a message that is forged, out of turn or sent
 * again leads nobody elsewhere, whether a NAT is there or not.
 */
static void test_forged_from_elsewhere(void **state)
{
	for (unsigned int nat = 0; nat < 2; nat++) {
		struct world *w = world_new();
		struct ike_endpoint was;
		struct ike_outgoing o, old;
		struct ike_error err;

		w->nat = nat;
		world_start(w);
		world_up(w);
		was = world_sa(w, 1)->remote;
		ike_outgoing_begin(&old, world_sa(w, 0), IKE_EXCHANGE_INFORMATIONAL, 0, false);
		assert_true(ike_outgoing_end(&old, world_sa(w, 0), &err));
		ike_outgoing_begin(&o, world_sa(w, 0), IKE_EXCHANGE_INFORMATIONAL,
				   world_sa(w, 1)->window.expected, false);
		ike_put_delete_ike(&o.w);
		assert_true(ike_outgoing_end(&o, world_sa(w, 0), &err));
		for (size_t i = IKE_HEADER_LEN; i < o.w.len; i++) {
			o.buf[i] ^= 1;
			receive_from(w, i, o.buf, o.w.len);
			o.buf[i] ^= 1;
		}
		receive_from(w, 1, old.buf, old.w.len);
		assert_memory_equal(&world_sa(w, 1)->remote, &was, sizeof(was));
		unharmed(w);
		world_free(w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_identity_lengths),
		cmocka_unit_test(test_bytes_of_auth),
		cmocka_unit_test(test_bytes_of_create_child),
		cmocka_unit_test(test_bytes_of_informational),
		cmocka_unit_test(test_outer_payloads),
		cmocka_unit_test(test_certificates_without_number),
		cmocka_unit_test(test_hash_and_url),
		cmocka_unit_test(test_forged_from_elsewhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
