// SPDX-License-Identifier: MIT
/*
 * Re-authentication: a new IKE SA with new CHILD_SAs takes the place of the old one, begun by either
 * end, and at no moment is there none that carries traffic both ways.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ikev2/child.h"
#include "tests/world.h"

enum {
	REAUTH = 100, /* seconds */
	OVER = 20,
};

static struct ike_conn_cfg *conn(struct world *w, unsigned int end)
{
	return &w->end[end].config->conns[0];
}

/* Whatever is said, traffic can go, and the addresses inside are there. */
static bool always_connected(struct world *w, struct world_message *m)
{
	assert_true(world_connected(w));
	if (conn(w, 0)->n_vips)
		assert_int_not_equal(w->end[0].vips[0].family, 0);
	return true;
}

enum {
	EXCHANGE_AT = 18,
	RESPONSE_AT = 19,
	RESPONSE = 0x20
};

static bool no_init(struct world *w, struct world_message *m)
{
	return m->bytes[EXCHANGE_AT] != IKE_EXCHANGE_SA_INIT && always_connected(w, m);
}

static bool no_delete(struct world *w, struct world_message *m)
{
	return m->bytes[EXCHANGE_AT] != IKE_EXCHANGE_INFORMATIONAL && always_connected(w, m);
}

static bool every_third_is_lost(struct world *w, struct world_message *m)
{
	return w->n_sent % 3 && always_connected(w, m);
}

/* @end has reauth_time, the other one has not, nor rekeys any. */
static struct world *with(unsigned int end)
{
	struct world *w = world_new();

	for (unsigned int i = 0; i < 2; i++)
		conn(w, i)->rekey_time = 0;
	conn(w, end)->reauth_time = REAUTH;
	conn(w, end)->over_time = OVER;
	return w;
}

static void begin(struct world *w)
{
	world_start(w);
	world_up(w);
	w->wire = always_connected;
}

static void assert_renewed(struct world *w, uint64_t first, uint32_t spi)
{
	for (unsigned int i = 0; i < 2; i++) {
		assert_int_equal(world_count_ike(w, i, "ESTABLISHED"), 1);
		assert_int_equal(world_count_children(w, i, NULL), 1);
		assert_int_equal(world_count_sas(&w->end[i]), 2);
		assert_int_equal(world_count_policies(&w->end[i]), 2);
		assert_int_equal(w->end[i].spis, 0);
	}
	assert_int_not_equal(world_sa(w, 0)->id, first);
	assert_int_not_equal(world_child(w, 0)->spi_in, spi);
	assert_true(world_connected(w));
}

static void test_initiator(void **state)
{
	struct world *w = with(0);
	uint64_t first;
	uint32_t spi;

	begin(w);
	first = world_sa(w, 0)->id;
	spi = world_child(w, 0)->spi_in;
	world_pass(w, (REAUTH - 2) * IKE_SECOND);
	assert_int_equal(world_sa(w, 0)->id, first);
	world_pass(w, 4 * IKE_SECOND);
	assert_renewed(w, first, spi);
	assert_true(world_logged(&w->end[0], "reauth_time is over: re-authenticating"));
	assert_true(world_sa(w, 0)->began);
	/* And so on, and on. */
	for (unsigned int i = 0; i < 3; i++) {
		first = world_sa(w, 0)->id;
		spi = world_child(w, 0)->spi_in;
		world_pass(w, REAUTH * IKE_SECOND);
		assert_renewed(w, first, spi);
	}
	assert_false(world_logged(&w->end[0], "deleting"));
	world_free(w);
}

/* It says so by AUTH_LIFETIME, and the initiator does it in that time. */
static void test_responder_asks(void **state)
{
	struct world *w = with(1);
	uint64_t first;
	uint32_t spi;

	begin(w);
	assert_int_equal(world_sa(w, 0)->auth_lifetime, REAUTH);
	assert_true(world_logged(&w->end[0], "the peer wants us to re-authenticate within 100 s"));
	first = world_sa(w, 0)->id;
	spi = world_child(w, 0)->spi_in;
	world_pass(w, (REAUTH - 1) * IKE_SECOND);
	assert_renewed(w, first, spi);
	assert_true(world_sa(w, 0)->began);
	world_free(w);
}

/* A peer that knows no RFC 4478. */
static void test_responder_begins(void **state)
{
	struct world *w = with(1);
	uint64_t first;
	uint32_t spi;

	begin(w);
	ike_timer_stop(&w->end[0].engine->timers, &world_sa(w, 0)->reauth);
	first = world_sa(w, 0)->id;
	spi = world_child(w, 0)->spi_in;
	world_pass(w, (REAUTH + OVER / 2 - 1) * IKE_SECOND);
	assert_int_equal(world_sa(w, 0)->id, first);
	world_pass(w, 2 * IKE_SECOND);
	assert_renewed(w, first, spi);
	assert_true(world_sa(w, 1)->began);
	world_free(w);
}

static void give_addresses(struct world *w)
{
	struct ike_conn_cfg *client = conn(w, 0), *server = conn(w, 1);
	struct ike_pool_cfg *pool = calloc(1, sizeof(*pool));
	struct ike_ts **ts[] = {&client->children[0].local_ts, &server->children[0].remote_ts};
	size_t *n[] = {&client->children[0].n_local_ts, &server->children[0].n_remote_ts};

	pool->name = strdup("pool");
	assert_true(ike_addr_parse("10.9.0.1", &pool->first, NULL));
	assert_true(ike_addr_parse("10.9.0.9", &pool->last, NULL));
	w->end[1].config->pools = pool;
	w->end[1].config->n_pools = 1;
	server->pools = calloc(1, sizeof(*server->pools));
	server->pools[0] = strdup("pool");
	server->n_pools = 1;
	client->vips = calloc(1, sizeof(*client->vips));
	client->vips[0].family = AF_INET;
	client->n_vips = 1;
	for (unsigned int i = 0; i < 2; i++) {
		free(*ts[i]);
		*ts[i] = NULL;
		*n[i] = 0;
		assert_true(ike_ts_list_parse("dynamic", ts[i], n[i], NULL));
	}
}

static void test_addresses_stay(void **state)
{
	struct world *w = with(0);
	struct ike_addr had;
	uint64_t first;
	uint32_t spi;

	give_addresses(w);
	begin(w);
	had = world_sa(w, 0)->vips[0].addr;
	first = world_sa(w, 0)->id;
	spi = world_child(w, 0)->spi_in;
	world_pass(w, (REAUTH + 1) * IKE_SECOND);
	assert_renewed(w, first, spi);
	assert_true(ike_addr_equal(&world_sa(w, 0)->vips[0].addr, &had));
	assert_true(ike_addr_equal(&w->end[0].vips[0], &had));
	assert_int_equal(w->end[0].vips[1].family, 0);
	assert_true(ike_addr_equal(&world_sa(w, 1)->vips[0].addr, &had));
	assert_int_equal(world_sa(w, 1)->vips[0].lease->users, 1);
	world_free(w);
}

/* A server of addresses can only wait for the client, and ends it then. */
static void test_client_does_not(void **state)
{
	struct world *w = with(1);

	give_addresses(w);
	begin(w);
	ike_timer_stop(&w->end[0].engine->timers, &world_sa(w, 0)->reauth);
	world_pass(w, (REAUTH + OVER - 1) * IKE_SECOND);
	assert_true(world_logged(&w->end[1], "the peer has to re-authenticate, and has not"));
	assert_int_equal(world_count_ike(w, 1, "ESTABLISHED"), 1);
	w->wire = NULL;
	world_pass(w, 2 * IKE_SECOND);
	assert_true(world_logged(&w->end[1],
				 "over_time is over and no re-authentication has succeeded"));
	assert_int_equal(world_count_ike(w, 0, "ESTABLISHED"), 0);
	assert_int_equal(world_count_ike(w, 1, "ESTABLISHED"), 0);
	world_free(w);
}

static void test_again_when_failed(void **state)
{
	struct world *w = with(0);
	uint64_t first;
	uint32_t spi;

	conn(w, 0)->over_time = 2000;
	begin(w);
	first = world_sa(w, 0)->id;
	spi = world_child(w, 0)->spi_in;
	w->wire = no_init;
	world_pass(w, 500 * IKE_SECOND);
	assert_true(world_logged(&w->end[0], "re-authentication has failed, trying again in 30 s"));
	assert_int_equal(world_count_ike(w, 0, "ESTABLISHED"), 1);
	assert_int_equal(world_child(w, 1)->state, IKE_CHILD_INSTALLED);
	w->wire = always_connected;
	world_pass(w, 300 * IKE_SECOND);
	assert_renewed(w, first, spi);
	world_free(w);
}

/* The peer's configuration has changed: its answer is no, and the old one stays. */
static void test_refused(void **state)
{
	struct world *w = with(0);

	conn(w, 0)->over_time = 2000;
	begin(w);
	conn(w, 1)->remote.id.type = IKE_ID_FQDN;
	assert_true(ike_id_parse("somebody.else", &conn(w, 1)->remote.id, NULL));
	world_pass(w, (REAUTH + 5) * IKE_SECOND);
	assert_true(world_logged(&w->end[0], "re-authentication has failed"));
	assert_int_equal(world_count_ike(w, 0, "ESTABLISHED"), 1);
	assert_int_equal(world_count_ike(w, 1, "ESTABLISHED"), 1);
	assert_true(world_connected(w));
	world_free(w);
}

static void test_loss(void **state)
{
	struct world *w = with(0);
	uint64_t first;
	uint32_t spi;

	begin(w);
	conn(w, 0)->dpd_delay = conn(w, 1)->dpd_delay = 0;
	first = world_sa(w, 0)->id;
	spi = world_child(w, 0)->spi_in;
	w->wire = every_third_is_lost;
	world_pass(w, (REAUTH + OVER / 2) * IKE_SECOND);
	w->wire = always_connected;
	world_pass(w, 60 * IKE_SECOND);
	assert_renewed(w, first, spi);
	world_free(w);
}

/* While the DELETE does not get through both are there, and the new one is in use at once. */
static void test_overlap(void **state)
{
	struct world *w = with(0);

	begin(w);
	w->wire = no_delete;
	world_pass(w, (REAUTH + 1) * IKE_SECOND);
	assert_int_equal(world_count_ike(w, 1, "ESTABLISHED"), 2);
	assert_int_equal(world_count_children(w, 1, "INSTALLED"), 2);
	assert_int_equal(world_count_sas(&w->end[1]), 4);
	assert_true(world_connected(w));
	w->wire = always_connected;
	world_pass(w, 20 * IKE_SECOND);
	assert_int_equal(world_count_ike(w, 1, "ESTABLISHED"), 1);
	assert_int_equal(world_count_sas(&w->end[1]), 2);
	world_free(w);
}

static void test_by_command(void **state)
{
	const struct ike_match match = {.conn = "site"};
	struct world *w = with(0);
	const char *why = NULL;
	uint64_t first, ticket;
	uint32_t spi;

	begin(w);
	first = world_sa(w, 0)->id;
	spi = world_child(w, 0)->spi_in;
	ticket = ike_engine_reauth(w->end[0].engine, w->now, &match, &why);
	assert_int_not_equal(ticket, 0);
	world_run(w);
	assert_renewed(w, first, spi);
	assert_int_equal(w->end[0].last_done.ticket, ticket);
	assert_true(w->end[0].last_done.ok);
	world_free(w);
}

/*
 * Both ends at once, by command: of two new ones one stays, and the old one goes. Who deletes the
 * other one may send on it until that is answered.
 */
static void test_both_begin(void **state)
{
	const struct ike_match match = {.conn = "site"};
	struct world *w = with(0);
	const char *why = NULL;
	uint64_t first;
	uint32_t spi;

	begin(w);
	w->wire = NULL;
	first = world_sa(w, 0)->id;
	spi = world_child(w, 0)->spi_in;
	for (unsigned int i = 0; i < 2; i++)
		assert_int_not_equal(
			ike_engine_reauth(w->end[i].engine, w->now, &match, &why), 0);
	world_run(w);
	world_pass(w, 10 * IKE_SECOND);
	assert_renewed(w, first, spi);
	world_free(w);
}

/* The IKE SA is rekeyed while its successor comes up. */
static void test_rekey_meanwhile(void **state)
{
	const struct ike_match match = {.conn = "site"};
	struct world *w = with(0);
	const char *why = NULL;
	uint64_t first;
	uint32_t spi;

	begin(w);
	first = world_sa(w, 0)->id;
	spi = world_child(w, 0)->spi_in;
	assert_int_not_equal(ike_engine_reauth(w->end[0].engine, w->now, &match, &why), 0);
	assert_int_not_equal(ike_engine_rekey(w->end[1].engine, w->now, &match, &why), 0);
	world_run(w);
	world_pass(w, 10 * IKE_SECOND);
	assert_renewed(w, first, spi);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_initiator),
		cmocka_unit_test(test_responder_asks),
		cmocka_unit_test(test_responder_begins),
		cmocka_unit_test(test_addresses_stay),
		cmocka_unit_test(test_client_does_not),
		cmocka_unit_test(test_again_when_failed),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_loss),
		cmocka_unit_test(test_overlap),
		cmocka_unit_test(test_by_command),
		cmocka_unit_test(test_both_begin),
		cmocka_unit_test(test_rekey_meanwhile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
