// SPDX-License-Identifier: MIT
/*
 * A trace shows each message once, in the clear, as a message that Wireshark can read: RFC 7296
 * section 3.1's header, and the payloads that were in SK where that was. Nothing is shown unless
 * somebody asked.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ikev2/wire/decode.h"
#include "tests/world.h"

/* The payloads of the message numbered @i; its header must be of @exchange and hold true. */
static struct ike_payloads read(const struct world_end *end, size_t i, bool sent,
				enum ike_exchange exchange, bool response)
{
	const struct world_traced *t = end->traced[i];
	struct ike_payloads all;
	struct ike_header h;

	assert_true(i < end->n_traced);
	assert_int_equal(t->sent, sent);
	assert_true(ike_header_decode(ike_bytes(t->bytes, t->len), &h, NULL));
	assert_int_equal(h.exchange, exchange);
	assert_int_equal(!!(h.flags & IKE_FLAG_RESPONSE), response);
	assert_true(ike_payloads_decode(&all, h.next, ike_bytes(t->bytes + IKE_HEADER_LEN,
								 t->len - IKE_HEADER_LEN), NULL));
	assert_null(ike_payloads_find(&all, IKE_PAYLOAD_SK));
	assert_null(ike_payloads_find(&all, IKE_PAYLOAD_SKF));
	return all;
}

static void check_auth(const struct world_end *end, size_t i, bool sent, bool response)
{
	struct ike_payloads all = read(end, i, sent, IKE_EXCHANGE_AUTH, response);

	assert_true(end->traced[i]->decrypted);
	assert_int_equal(end->traced[i]->ike_id, 1);
	assert_non_null(ike_payloads_find(&all, response ? IKE_PAYLOAD_IDR : IKE_PAYLOAD_IDI));
	assert_non_null(ike_payloads_find(&all, IKE_PAYLOAD_AUTH));
	assert_non_null(ike_payloads_find(&all, IKE_PAYLOAD_SA));
	assert_non_null(ike_payloads_find(&all, IKE_PAYLOAD_TSI));
	assert_non_null(ike_payloads_find(&all, IKE_PAYLOAD_TSR));
}

static void check_beginning(const struct world_end *end, bool initiator)
{
	struct ike_payloads all = read(end, 0, initiator, IKE_EXCHANGE_SA_INIT, false);

	assert_false(end->traced[0]->decrypted);
	assert_non_null(ike_payloads_find(&all, IKE_PAYLOAD_KE));
	read(end, 1, !initiator, IKE_EXCHANGE_SA_INIT, true);
	check_auth(end, 2, initiator, false);
	check_auth(end, 3, !initiator, true);
}

static void both_ends(void **state)
{
	struct world *w = world_new();

	world_start(w);
	ike_engine_trace(w->end[0].engine, true);
	ike_engine_trace(w->end[1].engine, true);
	world_up(w);
	check_beginning(&w->end[0], true);
	check_beginning(&w->end[1], false);
	assert_int_equal(w->end[0].n_traced, 4);
	world_free(w);
}

/* RFC 7383: however many datagrams it takes. */
static void fragments(void **state)
{
	struct world *w = world_new();

	for (unsigned int i = 0; i < 2; i++) {
		w->end[i].config->settings.fragment_size = 256;
		w->end[i].config->conns[0].fragmentation = IKE_FRAGMENT_YES;
	}
	world_start(w);
	ike_engine_trace(w->end[0].engine, true);
	ike_engine_trace(w->end[1].engine, true);
	world_up(w);
	assert_true(w->n_sent > 4);
	check_beginning(&w->end[0], true);
	check_beginning(&w->end[1], false);
	assert_int_equal(w->end[1].n_traced, 4);
	world_free(w);
}

static void off_unless_asked_for(void **state)
{
	struct world *w = world_new();

	world_start(w);
	ike_engine_trace(w->end[1].engine, true);
	ike_engine_trace(w->end[1].engine, false);
	world_up(w);
	assert_int_equal(w->end[0].n_traced, 0);
	assert_int_equal(w->end[1].n_traced, 0);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_ends),
		cmocka_unit_test(fragments),
		cmocka_unit_test(off_unless_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
