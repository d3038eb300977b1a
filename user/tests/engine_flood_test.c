// SPDX-License-Identifier: MIT
/*
 * Floods: a million IKE_SA_INIT from addresses that are not the sender's, and from those that are.
 * What must be seen: memory does not grow, nobody gets more bytes than were sent in its name, the
 * tunnel that is there is rekeyed, and who is genuine gets in.
 */
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ikev2/child.h"
#include "tests/world.h"

enum {
	MILLION = 1000000,
	PART = 100000,
	SPI_I_AT = 0,
	MEGABYTE = 1 << 20,
	/* An IKE SA, the two messages that it keeps, its answer. */
	HALF_OPEN_MOST = 16 * 1024,
	REQUEST_MAX = 512,
};

/* Known to the sanitizer's allocator, whose heap mallinfo2() does not see. */
size_t __sanitizer_get_current_allocated_bytes(void) __attribute__((weak));

static size_t allocated(void)
{
	return __sanitizer_get_current_allocated_bytes ? __sanitizer_get_current_allocated_bytes()
						       : mallinfo2().uordblks;
}

struct request {
	size_t len;
	uint8_t bytes[REQUEST_MAX];
};

enum {
	WITH_NAT = 1,
	WITH_FRAGMENTS = 2,
	LONG_NONCE = 4,
	SHORT_NONCE = 8,
	WITH_HASHES = 16, /* RFC 7427 section 4, one of them alone */
	ALL_WAYS = 32
};

static struct request make_request(unsigned int how, struct ike_bytes cookie, uint64_t spi)
{
	static const uint8_t base[32] = {9}; /* RFC 7748 section 4.1: a good point */
	static const uint8_t nonce[44] = {2}, hash[20];
	static const uint8_t sha256[2] = {0, 2};
	struct ike_header h = {
		.spi_i = spi, .exchange = IKE_EXCHANGE_SA_INIT, .flags = IKE_FLAG_INITIATOR};
	struct ike_proposal_list list = {0};
	struct ike_writer w;
	struct request r;

	assert_true(ike_proposal_list_parse(&list, IKE_PROTO_IKE, "aes128gcm16-prfsha256-x25519",
					    NULL));
	ike_writer_init(&w, r.bytes, sizeof(r.bytes));
	ike_message_begin(&w, &h);
	if (cookie.len)
		ike_put_notify(&w, IKE_NOTIFY_COOKIE, cookie);
	ike_put_proposals(&w, &list, ike_bytes(NULL, 0), false);
	ike_put_ke(&w, IKE_KE_CURVE25519, ike_bytes(base, sizeof(base)));
	ike_put_nonce(&w, ike_bytes(nonce, how & SHORT_NONCE ? 16 : how & LONG_NONCE ? 44 : 32));
	if (how & WITH_NAT) {
		ike_put_notify(&w, IKE_NOTIFY_NAT_DETECTION_SOURCE_IP, ike_bytes(hash, 20));
		ike_put_notify(&w, IKE_NOTIFY_NAT_DETECTION_DESTINATION_IP, ike_bytes(hash, 20));
	}
	if (how & WITH_FRAGMENTS)
		ike_put_notify(&w, IKE_NOTIFY_IKEV2_FRAGMENTATION_SUPPORTED, ike_bytes(NULL, 0));
	if (how & WITH_HASHES)
		ike_put_notify(&w, IKE_NOTIFY_SIGNATURE_HASH_ALGORITHMS, ike_bytes(sha256, 2));
	ike_proposal_list_clear(&list);
	assert_true(ike_message_end(&w));
	r.len = w.len;
	return r;
}

/* From 10.0.0.0/8 and port 500, to end 1; answers go nowhere, but are counted. */
static size_t send_from(struct world *w, uint32_t source, const struct request *r)
{
	struct ike_endpoint local = {{AF_INET, {192, 0, 2, 2}}, IKE_PORT};
	struct ike_endpoint remote = {
		{AF_INET, {10, source >> 16, source >> 8, source}}, IKE_PORT};
	size_t before = w->n_sent, bytes = 0;

	ike_engine_receive(w->end[1].engine, w->now, &local, &remote, r->bytes, r->len);
	while (w->end[1].n_jobs) {
		struct ike_job *job = w->end[1].jobs[--w->end[1].n_jobs];

		ike_job_run(job);
		ike_engine_job_done(w->end[1].engine, w->now, job);
	}
	for (size_t i = before; i < w->n_sent; i++)
		bytes += w->sent[i % WORLD_SENT].len;
	w->delivered = w->n_sent;
	return bytes;
}

static void set_spi(struct request *r, uint64_t spi)
{
	for (int i = 7; i >= 0; i--, spi >>= 8)
		r->bytes[SPI_I_AT + i] = spi;
}

static void rekey(struct world *w)
{
	struct ike_match match = {.conn = "site"};
	uint64_t before = world_sa(w, 0)->id;
	const char *why;

	assert_int_not_equal(ike_engine_rekey(w->end[0].engine, w->now, &match, &why), 0);
	world_run(w);
	assert_true(world_sa(w, 0)->id > before);
	assert_int_equal(world_count_ike(w, 0, "ESTABLISHED"), 1);
	assert_true(world_connected(w));
}

static void test_million_spoofed(void **state)
{
	/* As our own: long enough for the whole answer. */
	struct request r = make_request(WITH_NAT | LONG_NONCE, ike_bytes(NULL, 0), 1);
	struct world *w = world_new();
	struct ike_counters counters;
	size_t before = 0, sent = 0, got = 0;

	world_start(w);
	for (unsigned int i = 0; i < MILLION; i++) {
		/* Ten thousand a second. */
		w->now += 100;
		set_spi(&r, i + 1);
		got += send_from(w, i * 2654435761u >> 8, &r);
		sent += r.len;
		assert_true(got <= sent);
		if ((i + 1) % PART)
			continue;
		world_pass(w, 0);
		ike_engine_counters(w->end[1].engine, &counters);
		assert_true(counters.half_open <= 30);
		if (i + 1 == PART) {
			/* In the midst of it somebody genuine comes, by a cookie. */
			world_up(w);
			before = allocated();
		} else {
			rekey(w);
		}
		world_forget_log(w);
		assert_true(allocated() < before + 30 * HALF_OPEN_MOST || !before);
	}
	ike_engine_counters(w->end[1].engine, &counters);
	/* 30 SAs each half-open time of 30 s, in 100 s of flood: all others got cookies. */
	assert_true(counters.cookies_sent >= MILLION - 30 * 5);
	world_pass(w, IKE_HALF_OPEN_TIME);
	ike_engine_counters(w->end[1].engine, &counters);
	assert_int_equal(counters.half_open, 0);
	world_free(w);
}

/* The cookie that an answer to @r from @source holds; empty if it is no such answer. */
static struct ike_bytes cookie_for(struct world *w, uint32_t source, const struct request *r,
				   uint8_t buf[IKE_COOKIE_MAX])
{
	const struct world_message *m;
	struct ike_payloads all;
	struct ike_wire_notify n;
	struct ike_header h;

	if (!send_from(w, source, r))
		return ike_bytes(NULL, 0);
	m = world_last(w, 1);
	if (!ike_header_decode(ike_bytes(m->bytes, m->len), &h, NULL) ||
	    !ike_payloads_decode(&all, h.next,
				 ike_bytes(m->bytes + IKE_HEADER_LEN, m->len - IKE_HEADER_LEN),
				 NULL) ||
	    !ike_find_notify(&all, IKE_NOTIFY_COOKIE, &n))
		return ike_bytes(NULL, 0);
	memcpy(buf, n.data.p, n.data.len);
	return ike_bytes(buf, n.data.len);
}

static void send_with_cookie(struct world *w, uint32_t source, uint64_t spi)
{
	struct request r = make_request(WITH_NAT | LONG_NONCE, ike_bytes(NULL, 0), spi);
	uint8_t buf[IKE_COOKIE_MAX];
	struct ike_bytes cookie = cookie_for(w, source, &r, buf);

	if (!cookie.len)
		return;
	r = make_request(WITH_NAT | LONG_NONCE, cookie, spi);
	send_from(w, source, &r);
}

/* Those who do receive at their addresses get no further than the limit. */
static void test_many_proven(void **state)
{
	struct world *w = world_new();
	struct ike_counters counters;
	size_t before;

	w->end[1].config->settings.half_open_limit = 100;
	world_start(w);
	before = allocated();
	for (unsigned int i = 0; i < 1000; i++)
		send_with_cookie(w, i + 1, i + 1);
	ike_engine_counters(w->end[1].engine, &counters);
	assert_int_equal(counters.half_open, 100);
	assert_true(allocated() < before + 100 * HALF_OPEN_MOST);
	world_free(w);
}

/* One source gets three without a cookie, and with cookies as many as the limit says. */
static void test_one_source(void **state)
{
	struct world *w = world_new();
	struct request r;

	w->end[1].config->settings.block_threshold = 10;
	world_start(w);
	for (unsigned int i = 0; i < 20; i++) {
		r = make_request(WITH_NAT | LONG_NONCE, ike_bytes(NULL, 0), i + 1);
		send_from(w, 77, &r);
		assert_int_equal(world_count_ike(w, 1, NULL), i < 3 ? i + 1 : 3);
	}
	for (unsigned int i = 0; i < 20; i++)
		send_with_cookie(w, 77, 100 + i);
	assert_int_equal(world_count_ike(w, 1, NULL), 10);
	/* Another one is not concerned. */
	r = make_request(WITH_NAT | LONG_NONCE, ike_bytes(NULL, 0), 1000);
	send_from(w, 78, &r);
	assert_int_equal(world_count_ike(w, 1, NULL), 11);
	world_pass(w, IKE_HALF_OPEN_TIME);
	r = make_request(WITH_NAT | LONG_NONCE, ike_bytes(NULL, 0), 1001);
	send_from(w, 77, &r);
	assert_int_equal(world_count_ike(w, 1, NULL), 1);
	world_free(w);
}

/* A /64 of IPv6 is one source; two of them are two. */
static void test_one_network(void **state)
{
	struct world *w = world_new();
	struct request r = make_request(WITH_NAT | LONG_NONCE, ike_bytes(NULL, 0), 1);
	struct ike_endpoint local = {{AF_INET6, {0x20, 1, 0xd, 0xb8, [15] = 2}}, IKE_PORT};
	struct ike_endpoint remote = {{AF_INET6, {0x20, 1, 0xd, 0xb8, [7] = 7}}, IKE_PORT};

	w->end[1].config->conns[0].n_local_addrs = 0;
	world_start(w);
	for (unsigned int i = 0; i < 20; i++) {
		remote.addr.bytes[8 + i % 8] ^= i + 1;
		set_spi(&r, i + 1);
		ike_engine_receive(w->end[1].engine, w->now, &local, &remote, r.bytes, r.len);
	}
	assert_int_equal(w->end[1].engine->counters.half_open, 3);
	remote.addr.bytes[7] = 8;
	set_spi(&r, 100);
	ike_engine_receive(w->end[1].engine, w->now, &local, &remote, r.bytes, r.len);
	assert_int_equal(w->end[1].engine->counters.half_open, 4);
	w->delivered = w->n_sent;
	world_free(w);
}

/* Whatever a stranger leaves out of its request, and however short: no answer is longer. */
static void test_no_amplification(void **state)
{
	struct world *w = world_new();
	struct ike_counters counters;
	unsigned int answered = 0;
	uint64_t spi = 1;

	world_start(w);
	for (unsigned int how = 0; how < ALL_WAYS; how++) {
		struct request r = make_request(how, ike_bytes(NULL, 0), spi++);
		size_t first = send_from(w, spi, &r), again = send_from(w, spi, &r);

		assert_true(first <= r.len && again <= r.len);
		answered += first > 0;
	}
	assert_int_equal(answered, ALL_WAYS);
	/*
	 * The answer has a nonce of 32 bytes and a notify more, of 8: only the nonce of 44, with or
	 * without the notifies that are as long both ways, makes room for it, and not where three
	 * hashes more come to it, of 2 each.
	 */
	ike_engine_counters(w->end[1].engine, &counters);
	assert_int_equal(counters.half_open, 4);
	assert_int_equal(counters.cookies_sent, 2 * (ALL_WAYS - 4));
	/* Headers of every exchange, of no IKE SA, of every version, and what may follow. */
	for (unsigned int i = 0; i < 256 * 4; i++) {
		struct request r = {.len = IKE_HEADER_LEN + i % 4 * 4};

		r.bytes[7] = 1;
		r.bytes[15] = i & 1;
		r.bytes[17] = i & 2 ? 0x20 : 0x30;
		r.bytes[18] = i / 4;
		r.bytes[19] = IKE_FLAG_INITIATOR;
		r.bytes[27] = r.len;
		w->now += IKE_SECOND;
		assert_true(send_from(w, 5, &r) <= r.len);
	}
	world_free(w);
}

/* Who gets a cookie because its request is short gets in with it. */
static void test_short_with_cookie(void **state)
{
	struct world *w = world_new();
	struct request r = make_request(SHORT_NONCE, ike_bytes(NULL, 0), 1);
	uint8_t buf[IKE_COOKIE_MAX];
	struct ike_bytes cookie;

	world_start(w);
	cookie = cookie_for(w, 1, &r, buf);
	assert_int_not_equal(cookie.len, 0);
	assert_int_equal(world_count_ike(w, 1, NULL), 0);
	r = make_request(SHORT_NONCE, cookie, 1);
	assert_int_not_equal(send_from(w, 1, &r), 0);
	assert_int_equal(world_count_ike(w, 1, "CONNECTING"), 1);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_million_spoofed),
		cmocka_unit_test(test_many_proven),
		cmocka_unit_test(test_one_source),
		cmocka_unit_test(test_one_network),
		cmocka_unit_test(test_no_amplification),
		cmocka_unit_test(test_short_with_cookie),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
