// SPDX-License-Identifier: MIT
/*
 * A child that comes in parts (RFC 7296 section 2.9): a peer that takes single pairs only, one that
 * has more in another CHILD_SA, one that takes some and refuses the rest; what is asked for when a
 * part is lost; and what rekeying keeps.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ikev2/child.h"
#include "tests/world.h"

#define NET_A "10.1.0.0/16"
#define NET_B "10.2.0.0/16"
#define NET_C "10.3.0.0/16"
#define NET_D "10.4.0.0/16"

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

static void configure(struct ike_child_cfg *c, const char *local, const char *remote)
{
	set_ts(&c->local_ts, &c->n_local_ts, local);
	set_ts(&c->remote_ts, &c->n_remote_ts, remote);
}

/* End @end has a second child, between these. */
static void add_child(struct world *w, unsigned int end, const char *local, const char *remote)
{
	struct ike_conn_cfg *c = conn(w, end);
	struct ike_child_cfg *two;

	c->children = realloc(c->children, 2 * sizeof(*c->children));
	two = &c->children[c->n_children++];
	memset(two, 0, sizeof(*two));
	two->name = strdup("two");
	assert_true(ike_proposal_list_parse(&two->proposals, IKE_PROTO_ESP, "aes128gcm16-x25519",
					    NULL));
	configure(two, local, remote);
}

static struct world *two_by_two(void)
{
	struct world *w = world_new();

	configure(child(w, 0), NET_A "," NET_B, NET_C "," NET_D);
	configure(child(w, 1), NET_C "," NET_D, NET_A "," NET_B);
	return w;
}

/* The outbound policy of end 0 between these that has an SA. */
static const struct world_policy *carried(struct world *w, const char *src, const char *dst)
{
	for (size_t i = 0; i < WORLD_POLICIES; i++) {
		const struct world_policy *p = &w->end[0].policies[i];

		if (p->id && !p->inbound && p->sa_id && !strcmp(p->src, src) && !strcmp(p->dst, dst))
			return p;
	}
	return NULL;
}

static void assert_four(struct world *w)
{
	assert_non_null(carried(w, NET_A, NET_C));
	assert_non_null(carried(w, NET_A, NET_D));
	assert_non_null(carried(w, NET_B, NET_C));
	assert_non_null(carried(w, NET_B, NET_D));
	for (unsigned int i = 0; i < 2; i++) {
		assert_int_equal(world_count_ike(w, i, NULL), 1);
		assert_int_equal(world_count_children(w, i, "INSTALLED"), 4);
		assert_int_equal(world_count_children(w, i, NULL), 4);
		assert_int_equal(world_count_sas(&w->end[i]), 8);
		assert_int_equal(w->end[i].spis, 0);
	}
}

/* The first attempt is in IKE_AUTH, and refused there. */
static void test_single_pairs(void **state)
{
	struct world *w = two_by_two();

	child(w, 1)->single_pair = true;
	world_start(w);
	assert_int_not_equal(world_initiate(w, "net"), 0);
	assert_true(w->end[0].last_done.ok);
	assert_true(world_logged(&w->end[0], "the peer takes single pairs of selectors"));
	assert_four(w);
	/* IKE_SA_INIT, IKE_AUTH, and one CREATE_CHILD_SA each. */
	assert_int_equal(w->n_sent, 2 * (2 + 4));
	world_free(w);
}

static void test_single_pairs_apart(void **state)
{
	struct world *w = two_by_two();

	child(w, 1)->single_pair = true;
	conn(w, 0)->childless = IKE_CHILDLESS_FORCE;
	world_start(w);
	assert_int_not_equal(world_initiate(w, "net"), 0);
	assert_true(w->end[0].last_done.ok);
	assert_four(w);
	world_free(w);
}

/* Configured here too: nothing is refused, and the first pair comes with IKE_AUTH. */
static void test_single_pairs_known(void **state)
{
	struct world *w = two_by_two();

	child(w, 0)->single_pair = true;
	child(w, 1)->single_pair = true;
	world_start(w);
	assert_int_not_equal(world_initiate(w, "net"), 0);
	assert_true(w->end[0].last_done.ok);
	assert_four(w);
	assert_int_equal(w->n_sent, 2 * (2 + 3));
	assert_false(world_logged(&w->end[1], "SINGLE_PAIR"));
	/* There is nothing left to ask for. */
	assert_int_not_equal(world_initiate(w, "net"), 0);
	assert_int_equal(w->n_sent, 2 * (2 + 3));
	world_free(w);
}

static void test_single_pairs_rekeyed(void **state)
{
	const struct ike_match match = {.conn = "site", .children = true};
	struct world *w = two_by_two();
	const char *why;

	child(w, 1)->single_pair = true;
	world_start(w);
	world_initiate(w, "net");
	assert_int_not_equal(ike_engine_rekey(w->end[0].engine, w->now, &match, &why), 0);
	world_run(w);
	world_pass(w, 2 * IKE_OVERLAP);
	assert_four(w);
	assert_int_equal(w->end[0].events[IKE_EVENT_CHILD_REKEYED], 4);
	assert_int_not_equal(ike_engine_rekey(w->end[1].engine, w->now,
					      &(struct ike_match){.conn = "site"}, &why), 0);
	world_run(w);
	world_pass(w, IKE_REKEYED_TIME);
	assert_four(w);
	/* They still count for all of it. */
	world_forget_log(w);
	world_initiate(w, "net");
	assert_four(w);
	world_free(w);
}

static void terminate_pair(struct world *w, unsigned int end)
{
	struct ike_match match = {.child_id = TAILQ_FIRST(&world_sa(w, end)->children)->id};
	const char *why;

	assert_int_not_equal(ike_engine_terminate(w->end[end].engine, w->now, &match, &why), 0);
	world_run(w);
}

/* One of four is deleted by the peer: that one comes again, and no other. */
static void test_part_lost(void **state)
{
	struct world *w = two_by_two();

	child(w, 1)->single_pair = true;
	child(w, 0)->start_action = IKE_START_START;
	child(w, 0)->close_action = IKE_START_START;
	world_start(w);
	assert_four(w);
	terminate_pair(w, 1);
	assert_int_equal(world_count_children(w, 0, "INSTALLED"), 3);
	world_pass(w, 5 * IKE_SECOND);
	assert_four(w);
	assert_int_equal(w->end[0].events[IKE_EVENT_CHILD_UP], 5);
	world_free(w);
}

/* A trap for all of it does not stand before its parts, and brings those up that are missing. */
static void test_part_trapped(void **state)
{
	struct world *w = two_by_two();
	uint32_t priority = 0;
	uint64_t cookie = 0;

	child(w, 1)->single_pair = true;
	child(w, 0)->start_action = IKE_START_TRAP;
	world_start(w);
	for (size_t i = 0; i < WORLD_POLICIES; i++) {
		if (!w->end[0].policies[i].id || w->end[0].policies[i].inbound)
			continue;
		cookie = w->end[0].policies[i].cookie;
		priority = w->end[0].policies[i].priority;
	}
	ike_engine_acquire(w->end[0].engine, w->now, cookie);
	world_run(w);
	assert_four(w);
	assert_true(carried(w, NET_A, NET_C)->priority < priority);
	terminate_pair(w, 1);
	assert_int_equal(world_count_children(w, 0, NULL), 3);
	ike_engine_acquire(w->end[0].engine, w->now, cookie);
	world_run(w);
	assert_four(w);
	world_free(w);
}

/* Two children of the responder take what the initiator has in one. */
static void test_additional(void **state)
{
	struct world *w = world_new();

	configure(child(w, 0), NET_A, NET_C "," NET_D);
	configure(child(w, 1), NET_C, NET_A);
	add_child(w, 1, NET_D, NET_A);
	world_start(w);
	assert_int_not_equal(world_initiate(w, "net"), 0);
	assert_true(w->end[0].last_done.ok);
	assert_non_null(carried(w, NET_A, NET_C));
	assert_non_null(carried(w, NET_A, NET_D));
	assert_int_equal(world_count_children(w, 0, NULL), 2);
	assert_int_equal(world_count_children(w, 1, NULL), 2);
	world_free(w);
}

/* A peer that narrows and says of no more is done with: nothing else is asked for. */
static void test_narrowed(void **state)
{
	struct world *w = world_new();

	configure(child(w, 0), NET_A, NET_C "," NET_D);
	configure(child(w, 1), NET_C, NET_A);
	child(w, 0)->start_action = IKE_START_START;
	world_start(w);
	assert_int_equal(world_count_children(w, 0, NULL), 1);
	assert_int_equal(w->n_sent, 4);
	world_pass(w, 1000 * IKE_SECOND);
	assert_int_equal(w->n_sent, 4);
	world_initiate(w, "net");
	assert_int_equal(w->n_sent, 4);
	world_free(w);
}

/* Pair by pair, of which the peer has only two: the others are asked for once. */
static void test_some_refused(void **state)
{
	struct world *w = two_by_two();

	child(w, 0)->single_pair = true;
	child(w, 0)->start_action = IKE_START_START;
	conn(w, 0)->keyingtries = 0;
	configure(child(w, 1), NET_C, NET_A "," NET_B);
	world_start(w);
	assert_non_null(carried(w, NET_A, NET_C));
	assert_non_null(carried(w, NET_B, NET_C));
	assert_int_equal(world_count_children(w, 0, NULL), 2);
	assert_true(world_logged(&w->end[0], "the peer does not take " NET_A " === " NET_D));
	assert_true(world_logged(&w->end[0], "the peer does not take " NET_B " === " NET_D));
	assert_int_equal(w->n_sent, 2 * (2 + 3));
	world_pass(w, 1000 * IKE_SECOND);
	assert_int_equal(w->n_sent, 2 * (2 + 3));
	world_free(w);
}

/* Of addresses and ports in the middle, what lies around them is the rest. */
static void test_pieces(void **state)
{
	struct world *w = world_new();
	struct ike_part part = {0};
	char text[4 * IKE_TS_TEXT_MAX];

	configure(child(w, 1), "10.2.0.4/30[tcp/80-89]", "10.1.0.0/16");
	configure(child(w, 0), "10.1.0.0/16", "10.2.0.0/24[tcp]");
	world_start(w);
	world_up(w);
	assert_int_equal(ike_coverage_rest(world_sa(w, 0), child(w, 0), false, &part),
			 IKE_REST_NONE);
	/* As if the peer had said that there is more. */
	world_child(w, 0)->whole = false;
	assert_int_equal(ike_coverage_rest(world_sa(w, 0), child(w, 0), false, &part),
			 IKE_REST_PART);
	ike_ts_list_text(part.remote, part.n_remote, text, sizeof(text));
	assert_string_equal(text, "10.2.0.0/30[tcp] 10.2.0.8-10.2.0.255[tcp] "
				  "10.2.0.4/30[tcp/0-79] 10.2.0.4/30[tcp/90-65535]");
	ike_part_clear(&part);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_single_pairs),
		cmocka_unit_test(test_single_pairs_apart),
		cmocka_unit_test(test_single_pairs_known),
		cmocka_unit_test(test_single_pairs_rekeyed),
		cmocka_unit_test(test_part_lost),
		cmocka_unit_test(test_part_trapped),
		cmocka_unit_test(test_additional),
		cmocka_unit_test(test_narrowed),
		cmocka_unit_test(test_some_refused),
		cmocka_unit_test(test_pieces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
