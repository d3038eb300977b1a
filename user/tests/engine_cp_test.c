// SPDX-License-Identifier: MIT
/*
 * Addresses by configuration payload (RFC 7296 section 2.19): what client and server agree on, that
 * selectors follow, what the wire holds, and what becomes of leases.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ikev2/child.h"
#include "ikev2/cp.h"
#include "tests/world.h"

static struct ike_addr address(const char *text)
{
	struct ike_addr a;

	assert_true(ike_addr_parse(text, &a, NULL));
	return a;
}

static void set_pool(struct ike_pool_cfg *p, const char *name, const char *first, const char *last)
{
	*p = (struct ike_pool_cfg){.name = strdup(name),
				   .first = address(first),
				   .last = address(last)};
}

static void set_ts(struct ike_ts **list, size_t *n, const char *text)
{
	free(*list);
	*list = NULL;
	*n = 0;
	assert_true(ike_ts_list_parse(text, list, n, NULL));
}

/* End 0 asks for @vips (a list), end 1 gives out of two pools. */
static struct world *with(const char *vips)
{
	struct world *w = world_new();
	struct ike_conn_cfg *client = &w->end[0].config->conns[0],
			    *server = &w->end[1].config->conns[0];
	struct ike_config *config = w->end[1].config;
	struct ike_ts *list = NULL;
	size_t n = 0;

	set_ts(&list, &n, vips);
	client->vips = calloc(n, sizeof(*client->vips));
	for (client->n_vips = 0; client->n_vips < n; client->n_vips++)
		client->vips[client->n_vips] = list[client->n_vips].first;
	free(list);
	set_ts(&client->children[0].local_ts, &client->children[0].n_local_ts, "dynamic");
	set_ts(&server->children[0].remote_ts, &server->children[0].n_remote_ts, "dynamic");
	set_ts(&client->children[0].remote_ts, &client->children[0].n_remote_ts,
	       "10.2.0.0/16,2001:db8:2::/48");
	set_ts(&server->children[0].local_ts, &server->children[0].n_local_ts,
	       "10.2.0.0/16,2001:db8:2::/48");
	config->pools = calloc(2, sizeof(*config->pools));
	config->n_pools = 2;
	set_pool(&config->pools[0], "four", "10.9.0.1", "10.9.0.2");
	set_pool(&config->pools[1], "six", "2001:db8:9::1", "2001:db8:9::ff");
	config->pools[0].dns = calloc(1, sizeof(struct ike_addr));
	config->pools[0].dns[0] = address("10.2.0.53");
	config->pools[0].n_dns = 1;
	set_ts(&config->pools[0].split, &config->pools[0].n_split, "10.2.0.0/16");
	server->pools = calloc(2, sizeof(*server->pools));
	server->pools[0] = strdup("four");
	server->pools[1] = strdup("six");
	server->n_pools = 2;
	return w;
}

static unsigned int vips_of(const struct world_end *end)
{
	unsigned int n = 0;

	for (size_t i = 0; i < 8; i++)
		n += end->vips[i].family != 0;
	return n;
}

static void assert_ts(const struct ike_ts *list, size_t n, const char *text)
{
	char buf[512];

	assert_string_equal(ike_ts_list_text(list, n, buf, sizeof(buf)), text);
}

static void assert_inside(struct world *w, const char *text)
{
	struct ike_child *a = world_child(w, 0), *b = world_child(w, 1);

	assert_non_null(a);
	assert_non_null(b);
	assert_ts(a->local_ts, a->n_local_ts, text);
	assert_ts(b->remote_ts, b->n_remote_ts, text);
}

static void test_one_address(void **state)
{
	struct world *w = with("0.0.0.0/32");
	struct ike_addr want = address("10.9.0.1");

	world_start(w);
	world_up(w);
	assert_inside(w, "10.9.0.1/32");
	assert_int_equal(vips_of(&w->end[0]), 1);
	assert_int_equal(vips_of(&w->end[1]), 0);
	assert_true(ike_addr_equal(&w->end[0].vips[0], &want));
	assert_string_equal(w->end[0].nets, "10.2.0.0/16");
	assert_string_equal(w->end[1].leases, "four 10.9.0.1 a.example.org\n");
	world_free(w);
}

static void test_both_families(void **state)
{
	struct world *w = with("0.0.0.0/32,::/128");

	world_start(w);
	world_up(w);
	assert_inside(w, "10.9.0.1/32 2001:db8:9::1/128");
	assert_string_equal(w->end[0].nets, "2001:db8:2::/48");
	assert_int_equal(vips_of(&w->end[0]), 2);
	world_free(w);
}

/* RFC 6023: the address comes with the IKE SA, the CHILD_SA later. */
static void test_childless(void **state)
{
	struct world *w = with("0.0.0.0/32");

	w->end[0].config->conns[0].childless = IKE_CHILDLESS_FORCE;
	world_start(w);
	world_initiate(w, NULL);
	assert_int_equal(vips_of(&w->end[0]), 1);
	assert_int_equal(world_count_children(w, 0, NULL), 0);
	world_up(w);
	assert_inside(w, "10.9.0.1/32");
	world_free(w);
}

/* An IKE SA without the address that it was to bring is of no use. */
static void test_childless_without_address(void **state)
{
	struct world *w = with("0.0.0.0/32");

	w->end[0].config->conns[0].childless = IKE_CHILDLESS_FORCE;
	w->end[1].config->conns[0].n_pools = 0;
	world_start(w);
	world_initiate(w, "net");
	assert_true(world_logged(&w->end[1], "the peer wants an address, but there is no pool"));
	assert_true(world_logged(&w->end[0], "the peer gives no address (vips)"));
	assert_false(w->end[0].last_done.ok);
	assert_int_equal(world_count_ike(w, 0, NULL), 0);
	w->end[1].config->conns[0].n_pools = 2;
	world_free(w);
}

/* Through rekeying of CHILD_SA and IKE SA, by either end, the address stays; at the end it goes. */
static void test_lifetime(void **state)
{
	struct world *w = with("0.0.0.0/32");
	const struct ike_match ike = {.conn = "site"};
	const struct ike_match child = {.conn = "site", .child = "net", .children = true};
	const char *why;

	world_start(w);
	world_up(w);
	for (unsigned int i = 0; i < 4; i++) {
		assert_int_not_equal(ike_engine_rekey(w->end[i % 2].engine, w->now,
						      i < 2 ? &child : &ike, &why),
				     0);
		world_run(w);
		world_pass(w, 10 * (ike_time)IKE_SECOND);
		assert_true(world_connected(w));
		assert_inside(w, "10.9.0.1/32");
		assert_int_equal(vips_of(&w->end[0]), 1);
	}
	/* And what is created anew under the last IKE SA has it, too. */
	ike_engine_terminate(w->end[0].engine, w->now, &child, &why);
	world_run(w);
	assert_int_equal(vips_of(&w->end[0]), 1);
	world_up(w);
	assert_inside(w, "10.9.0.1/32");
	ike_engine_terminate(w->end[0].engine, w->now, &ike, &why);
	world_run(w);
	assert_int_equal(vips_of(&w->end[0]), 0);
	assert_true(TAILQ_EMPTY(&w->end[1].engine->leases.held));
	/* The same peer gets the same address, and that is nothing new to be kept. */
	world_up(w);
	assert_inside(w, "10.9.0.1/32");
	assert_string_equal(w->end[1].leases, "four 10.9.0.1 a.example.org\n");
	world_free(w);
}

/* What was given before the server's restart is given again; others go around it. */
static void test_restored(void **state)
{
	struct world *w = with("0.0.0.0/32");
	struct ike_addr first = address("10.9.0.1"), second = address("10.9.0.2");

	world_start(w);
	ike_engine_restore_lease(w->end[1].engine, "four", "a.example.org", &first);
	ike_engine_restore_lease(w->end[1].engine, "four", "other", &first);
	ike_engine_restore_lease(w->end[1].engine, "four", "a.example.org", &second);
	world_up(w);
	assert_inside(w, "10.9.0.2/32");
	assert_string_equal(w->end[1].leases, "");
	world_free(w);
}

/* A client that has crashed and comes again keeps its address: the old IKE SA is replaced. */
static void test_client_again(void **state)
{
	struct world *w = with("0.0.0.0/32");

	world_start(w);
	world_up(w);
	ike_engine_free(w->end[0].engine);
	memset(w->end[0].sas, 0, sizeof(w->end[0].sas));
	memset(w->end[0].policies, 0, sizeof(w->end[0].policies));
	memset(w->end[0].vips, 0, sizeof(w->end[0].vips));
	/* What was established before this is what it was before. */
	w->now += IKE_SECOND;
	world_renew(w, 0);
	world_up(w);
	assert_inside(w, "10.9.0.1/32");
	assert_int_equal(world_count_ike(w, 1, "ESTABLISHED"), 1);
	assert_int_equal(TAILQ_FIRST(&w->end[1].engine->leases.held)->users, 1);
	world_free(w);
}

static void test_nothing_left(void **state)
{
	struct world *w = with("0.0.0.0/32");
	struct ike_pool_cfg *pool = &w->end[1].config->pools[0];
	bool fresh;

	world_start(w);
	assert_non_null(ike_lease_take(&w->end[1].engine->leases, pool, "x", false, &fresh));
	assert_non_null(ike_lease_take(&w->end[1].engine->leases, pool, "y", false, &fresh));
	world_initiate(w, "net");
	/* Section 3.15.4: the IKE SA stands, the CHILD_SA does not come. */
	assert_int_equal(world_count_ike(w, 0, "ESTABLISHED"), 1);
	assert_int_equal(world_count_children(w, 0, NULL), 0);
	assert_true(world_logged(&w->end[0], "INTERNAL_ADDRESS_FAILURE"));
	assert_true(world_logged(&w->end[1], "pool four has no address left"));
	assert_int_equal(vips_of(&w->end[0]), 0);
	world_free(w);
}

static void test_no_pools(void **state)
{
	struct world *w = with("0.0.0.0/32");

	for (size_t i = 0; i < 2; i++)
		free(w->end[1].config->conns[0].pools[i]);
	w->end[1].config->conns[0].n_pools = 0;
	world_start(w);
	world_initiate(w, "net");
	assert_int_equal(world_count_children(w, 0, NULL), 0);
	assert_true(world_logged(&w->end[1], "there is no pool"));
	world_free(w);
}

/* Who asks for none gets none, though there are pools; dynamic is its outer address then. */
static void test_not_asked(void **state)
{
	struct world *w = with("0.0.0.0/32");

	w->end[0].config->conns[0].n_vips = 0;
	world_start(w);
	world_up(w);
	assert_inside(w, "192.0.2.1/32");
	assert_string_equal(w->end[1].leases, "");
	world_free(w);
}

/* Leases by themselves */

static const char *taken(struct ike_leases *l, const struct ike_pool_cfg *pool, const char *who,
			 struct ike_lease **lease)
{
	static char text[IKE_ADDR_TEXT_MAX];
	bool fresh;

	*lease = ike_lease_take(l, pool, who, false, &fresh);
	return *lease ? ike_addr_text(&(*lease)->addr, text, sizeof(text)) : "none";
}

static void test_leases(void **state)
{
	struct ike_pool_cfg pool = {.name = "p",
				    .first = address("10.0.0.254"),
				    .last = address("10.0.1.1")};
	struct ike_pool_cfg upper = {.name = "q",
				     .first = address("255.255.255.254"),
				     .last = address("255.255.255.255")};
	struct ike_lease *a, *b, *c, *d, *e;
	struct ike_leases *l = calloc(1, sizeof(*l));
	bool fresh;

	ike_leases_init(l);
	/* Upwards, over the end of a byte. */
	assert_string_equal(taken(l, &pool, "a", &a), "10.0.0.254");
	assert_string_equal(taken(l, &pool, "b", &b), "10.0.0.255");
	assert_string_equal(taken(l, &pool, "c", &c), "10.0.1.0");
	/* The same identity a second time, at the same time: another address, unless shared. */
	assert_string_equal(taken(l, &pool, "a", &d), "10.0.1.1");
	assert_string_equal(taken(l, &pool, "e", &e), "none");
	assert_ptr_equal(ike_lease_take(l, &pool, "b", true, &fresh), b);
	assert_false(fresh);
	ike_lease_give(l, b);
	assert_string_equal(taken(l, &pool, "e", &e), "none");
	/* The one that has been idle the longest is taken from its owner. */
	ike_lease_give(l, c);
	ike_lease_give(l, b);
	assert_string_equal(taken(l, &pool, "b", &b), "10.0.0.255");
	ike_lease_give(l, b);
	assert_string_equal(taken(l, &pool, "e", &e), "10.0.1.0");
	assert_string_equal(taken(l, &pool, "c", &c), "10.0.0.255");
	assert_string_equal(taken(l, &pool, "b", &b), "none");
	/* The end of all addresses is no beginning. */
	assert_string_equal(taken(l, &upper, "a", &a), "255.255.255.254");
	assert_string_equal(taken(l, &upper, "b", &a), "255.255.255.255");
	assert_string_equal(taken(l, &upper, "c", &a), "none");
	ike_leases_free(l);
	free(l);
}

/* The wire: what a server answers, to the byte (section 3.15.1). */
static void put_request(struct ike_writer *w, void *arg)
{
	/* CFG_REQUEST: INTERNAL_IP4_ADDRESS, empty; INTERNAL_IP4_DNS, empty. */
	static const uint8_t body[] = {1, 0, 0, 0, 0, 1, 0, 0, 0, 3, 0, 0};

	ike_put_payload(w, IKE_PAYLOAD_CP, ike_bytes(body, sizeof(body)));
}

static void test_wire(void **state)
{
	static const uint8_t reply[] = {
		2, 0, 0, 0,				       /* CFG_REPLY */
		0, 1, 0, 4, 10, 9, 0, 1,		       /* INTERNAL_IP4_ADDRESS */
		0, 2, 0, 4, 255, 255, 255, 0,		       /* INTERNAL_IP4_NETMASK */
		0, 3, 0, 4, 10, 2, 0, 53,		       /* INTERNAL_IP4_DNS */
		0, 13, 0, 8, 10, 2, 0, 0, 255, 255, 0, 0, /* INTERNAL_IP4_SUBNET */
	};
	struct world *w = with("0.0.0.0/32");
	const struct ike_payload *p;
	struct ike_error err = {0};
	struct ike_payloads all;
	struct ike_writer writer;
	uint8_t buf[512];
	struct ike_sa *sa;

	w->end[0].config->conns[0].n_vips = 0;
	w->end[1].config->pools[0].netmask = address("255.255.255.0");
	world_start(w);
	world_up(w);
	sa = world_sa(w, 1);
	ike_writer_init(&writer, buf, sizeof(buf));
	ike_message_begin(&writer, &(struct ike_header){.spi_i = 1});
	put_request(&writer, NULL);
	assert_true(ike_message_end(&writer));
	assert_true(ike_payloads_decode(&all, IKE_PAYLOAD_CP,
					ike_bytes(buf + IKE_HEADER_LEN,
						  writer.len - IKE_HEADER_LEN),
					NULL));
	writer.len = IKE_HEADER_LEN;
	writer.next_at = 16;
	assert_true(ike_cp_answer(&writer, sa, &all, false, &err));
	assert_true(ike_payloads_decode(&all, IKE_PAYLOAD_CP,
					ike_bytes(buf + IKE_HEADER_LEN,
						  writer.len - IKE_HEADER_LEN),
					NULL));
	p = ike_payloads_find(&all, IKE_PAYLOAD_CP);
	assert_int_equal(p->body.len, sizeof(reply));
	assert_memory_equal(p->body.p, reply, sizeof(reply));
	world_free(w);
}

/* Name servers are there as long as the address, through rekeying of the IKE SA too. */
static void test_name_servers(void **state)
{
	struct world *w = with("0.0.0.0/32");
	struct ike_match match = {.conn = "site"};
	struct ike_pool_cfg *pool = &w->end[1].config->pools[0];
	const char *why;

	pool->dns = reallocarray(pool->dns, 5, sizeof(*pool->dns));
	/* None that this end should believe, and none of a family that it has not asked for. */
	pool->dns[1] = address("127.0.0.1");
	pool->dns[2] = address("2001:db8:2::53");
	pool->dns[3] = address("224.0.0.251");
	pool->dns[4] = address("10.2.0.54");
	pool->n_dns = 5;
	world_start(w);
	world_up(w);
	assert_string_equal(w->end[0].dns, "1 10.2.0.53 10.2.0.54");
	assert_true(world_logged(&w->end[0], "name server 127.0.0.1, which cannot be one: left out"));
	assert_int_not_equal(ike_engine_rekey(w->end[0].engine, w->now, &match, &why), 0);
	world_run(w);
	world_pass(w, 2 * IKE_REKEYED_TIME);
	assert_int_equal(world_count_ike(w, 0, NULL), 1);
	assert_string_equal(w->end[0].dns, "1 10.2.0.53 10.2.0.54");
	assert_int_not_equal(ike_engine_terminate(w->end[0].engine, w->now, &match, &why), 0);
	world_run(w);
	assert_string_equal(w->end[0].dns, "");
	assert_string_equal(w->end[1].dns, "");
	world_free(w);
}

/* Wide selectors, and networks from the peer: routes are for these, as far as selectors hold them. */
static void test_split_include(void **state)
{
	struct world *w = with("0.0.0.0/32");
	struct ike_child_cfg *client = &w->end[0].config->conns[0].children[0],
			     *server = &w->end[1].config->conns[0].children[0];
	struct ike_pool_cfg *pool = &w->end[1].config->pools[0];

	set_ts(&client->remote_ts, &client->n_remote_ts, "10.0.0.0/8,192.0.2.128/25");
	set_ts(&server->local_ts, &server->n_local_ts, "0.0.0.0/0");
	set_ts(&pool->split, &pool->n_split,
	       "10.2.0.0/16,10.3.1.128/25,172.16.0.0/12,192.0.2.128/25,0.0.0.0/0");
	world_start(w);
	world_up(w);
	assert_string_equal(w->end[0].nets, "10.0.0.0/8 192.0.2.128/25 10.2.0.0/16 10.3.1.128/25");
	world_free(w);
}

/* Section 3.15.1: the mask says that the network of the address is behind the server. */
static void test_netmask(void **state)
{
	struct world *w = with("0.0.0.0/32");
	struct ike_child_cfg *client = &w->end[0].config->conns[0].children[0],
			     *server = &w->end[1].config->conns[0].children[0];
	struct ike_pool_cfg *pool = &w->end[1].config->pools[0];

	set_ts(&client->remote_ts, &client->n_remote_ts, "10.0.0.0/8");
	set_ts(&server->local_ts, &server->n_local_ts, "0.0.0.0/0");
	pool->n_split = 0;
	pool->netmask = address("255.255.254.0");
	world_start(w);
	world_up(w);
	/* Of the address 10.9.0.1. */
	assert_string_equal(w->end[0].nets, "10.0.0.0/8 10.9.0.0/23");
	world_free(w);
}

/*
 * The client goes to another place (MOBIKE): its address inside goes along, and is not among those
 * that it may be reached at outside.
 */
static void test_client_moves(void **state)
{
	struct world *w = with("0.0.0.0");
	struct ike_addr place = address("203.0.113.7"), vip = address("10.9.0.1");

	for (unsigned int i = 0; i < 2; i++) {
		w->end[i].config->conns[0].mobike = true;
		w->end[i].config->conns[0].n_local_addrs = 0;
	}
	world_start(w);
	world_up(w);
	w->end[0].addrs[0] = place;
	w->end[0].addrs[1] = vip;
	w->end[0].n_addrs = 2;
	ike_engine_roam(w->end[0].engine, w->now);
	world_run(w);
	assert_true(ike_addr_equal(&world_sa(w, 1)->remote.addr, &place));
	assert_int_equal(world_sa(w, 1)->mobike.n_others, 0);
	assert_true(ike_addr_equal(&w->end[0].vips[0], &vip));
	assert_int_equal(w->end[0].vips[1].family, 0);
	assert_true(ike_addr_equal(&w->end[0].outer, &place));
	assert_true(world_connected(w));
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_address), cmocka_unit_test(test_both_families),
		cmocka_unit_test(test_childless),   cmocka_unit_test(test_childless_without_address),
		cmocka_unit_test(test_lifetime),    cmocka_unit_test(test_restored),
		cmocka_unit_test(test_client_again), cmocka_unit_test(test_nothing_left),
		cmocka_unit_test(test_no_pools),    cmocka_unit_test(test_not_asked),
		cmocka_unit_test(test_leases),	    cmocka_unit_test(test_wire),
		cmocka_unit_test(test_name_servers),
		cmocka_unit_test(test_split_include),
		cmocka_unit_test(test_netmask),
		cmocka_unit_test(test_client_moves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
