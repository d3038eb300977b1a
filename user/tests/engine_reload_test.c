// SPDX-License-Identifier: MIT
/*
 * A new configuration: traps and shunts that are changed, added, taken away; what start_action =
 * start keeps up is made anew if it is configured otherwise; and all else goes on undisturbed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ikev2/child.h"
#include "tests/world.h"

static struct ike_child_cfg *first(struct ike_config *c)
{
	return &c->conns[0].children[0];
}

static void set_ts(struct ike_ts **list, size_t *n, const char *text)
{
	free(*list);
	*list = NULL;
	*n = 0;
	assert_true(ike_ts_list_parse(text, list, n, NULL));
}

static struct ike_config *variant(unsigned int end, enum ike_start_action action, const char *remote)
{
	struct ike_config *c = world_configure(end);

	first(c)->start_action = action;
	if (remote)
		set_ts(&first(c)->remote_ts, &first(c)->n_remote_ts, remote);
	return c;
}

static struct world *begin(struct ike_config *a)
{
	struct world *w = world_new();

	ike_config_unref(w->end[0].config);
	w->end[0].config = a;
	world_start(w);
	return w;
}

static const struct world_policy *outbound(struct world *w, const char *dst)
{
	for (size_t i = 0; i < WORLD_POLICIES; i++) {
		const struct world_policy *p = &w->end[0].policies[i];

		if (p->id && !p->inbound && !strcmp(p->dst, dst))
			return p;
	}
	return NULL;
}

static void test_trap_changed(void **state)
{
	struct world *w = begin(variant(0, IKE_START_TRAP, "10.2.0.0/16"));
	uint32_t id = outbound(w, "10.2.0.0/16")->id;

	/* The same again: it is not touched. */
	world_reload(w, 0, variant(0, IKE_START_TRAP, "10.2.0.0/16"));
	assert_int_equal(outbound(w, "10.2.0.0/16")->id, id);
	world_reload(w, 0, variant(0, IKE_START_TRAP, "10.2.8.0/24"));
	assert_null(outbound(w, "10.2.0.0/16"));
	assert_non_null(outbound(w, "10.2.8.0/24"));
	assert_int_equal(world_count_policies(&w->end[0]), 2);
	/* It is this one that traffic finds. */
	ike_engine_acquire(w->end[0].engine, w->now, outbound(w, "10.2.8.0/24")->cookie);
	world_run(w);
	assert_int_equal(world_count_children(w, 0, "INSTALLED"), 1);
	assert_int_not_equal(outbound(w, "10.2.8.0/24")->sa_id, 0);
	/* None any more; what it has brought up stays. */
	world_reload(w, 0, variant(0, IKE_START_NONE, NULL));
	assert_int_equal(world_count_children(w, 0, "INSTALLED"), 1);
	ike_engine_terminate(w->end[0].engine, w->now, &(struct ike_match){.conn = "site"},
			     &(const char *){NULL});
	world_run(w);
	assert_int_equal(world_count_policies(&w->end[0]), 0);
	world_free(w);
}

static void add_child(struct ike_config *c, const char *name, const char *local, const char *remote)
{
	struct ike_conn_cfg *conn = &c->conns[0];
	struct ike_child_cfg *two;

	conn->children = realloc(conn->children, (conn->n_children + 1) * sizeof(*two));
	two = &conn->children[conn->n_children++];
	*two = (struct ike_child_cfg){.name = strdup(name), .start_action = IKE_START_TRAP};
	assert_true(ike_proposal_list_parse(&two->proposals, IKE_PROTO_ESP, "aes128gcm16", NULL));
	set_ts(&two->local_ts, &two->n_local_ts, local);
	set_ts(&two->remote_ts, &two->n_remote_ts, remote);
}

static struct ike_config *shunt(enum ike_mode mode, const char *remote)
{
	struct ike_config *c = world_configure(0);

	add_child(c, "shunt", "10.1.0.0/16", remote);
	c->conns[0].children[1].mode = mode;
	return c;
}

static void test_shunt_changed(void **state)
{
	struct world *w = begin(shunt(IKE_MODE_PASS, "10.9.0.0/16"));

	assert_int_equal(outbound(w, "10.9.0.0/16")->action, IKE_POLICY_BYPASS);
	world_reload(w, 0, shunt(IKE_MODE_DROP, "10.9.0.0/16"));
	assert_int_equal(outbound(w, "10.9.0.0/16")->action, IKE_POLICY_DISCARD);
	assert_int_equal(world_count_policies(&w->end[0]), 2);
	world_reload(w, 0, shunt(IKE_MODE_DROP, "10.8.0.0/16"));
	assert_null(outbound(w, "10.9.0.0/16"));
	assert_int_equal(outbound(w, "10.8.0.0/16")->action, IKE_POLICY_DISCARD);
	world_reload(w, 0, world_configure(0));
	assert_int_equal(world_count_policies(&w->end[0]), 0);
	world_free(w);
}

/* Two traps that change places stand in each other's way. */
static void test_traps_swapped(void **state)
{
	struct ike_config *a = variant(0, IKE_START_TRAP, "10.2.0.0/16"),
			  *b = variant(0, IKE_START_TRAP, "10.3.0.0/16");
	struct world *w;
	uint64_t cookie;

	add_child(a, "two", "10.1.0.0/16", "10.3.0.0/16");
	add_child(b, "two", "10.1.0.0/16", "10.2.0.0/16");
	w = begin(a);
	cookie = outbound(w, "10.2.0.0/16")->cookie;
	world_reload(w, 0, b);
	assert_int_equal(world_count_policies(&w->end[0]), 4);
	assert_int_equal(outbound(w, "10.3.0.0/16")->cookie, cookie);
	assert_false(world_logged(&w->end[0], "another trap"));
	world_free(w);
}

/* trap|start: up at once, and by traffic when it is down. */
static void test_trap_and_start(void **state)
{
	struct world *w = begin(variant(0, IKE_START_START | IKE_START_TRAP, NULL));
	uint64_t cookie;

	assert_true(world_connected(w));
	assert_int_equal(world_count_policies(&w->end[0]), 2);
	ike_engine_terminate(w->end[1].engine, w->now, &(struct ike_match){.conn = "site"},
			     &(const char *){NULL});
	world_run(w);
	assert_int_equal(world_count_sas(&w->end[0]), 0);
	assert_int_equal(world_count_policies(&w->end[0]), 2);
	cookie = outbound(w, "10.2.0.0/16")->cookie;
	ike_engine_acquire(w->end[0].engine, w->now, cookie);
	world_run(w);
	assert_true(world_connected(w));
	world_free(w);
}

/* Nothing of it has changed: not a message, not one policy touched. */
static void test_undisturbed(void **state)
{
	struct world *w = begin(variant(0, IKE_START_START, NULL));
	uint64_t id = world_child(w, 0)->id;
	size_t sent = w->n_sent;

	world_reload(w, 0, variant(0, IKE_START_START, NULL));
	world_reload(w, 1, world_configure(1));
	assert_int_equal(w->n_sent, sent);
	assert_int_equal(world_child(w, 0)->id, id);
	world_free(w);
}

/* By command, or by the peer: what it is configured as now counts from the next on. */
static void test_not_started(void **state)
{
	struct world *w = begin(world_configure(0));
	size_t sent;

	world_up(w);
	sent = w->n_sent;
	world_reload(w, 0, variant(0, IKE_START_NONE, "10.2.8.0/24"));
	assert_int_equal(w->n_sent, sent);
	assert_true(world_connected(w));
	world_free(w);
}

static void test_child_changed(void **state)
{
	struct world *w = begin(variant(0, IKE_START_START, NULL));
	uint64_t ike = world_sa(w, 0)->id;

	world_reload(w, 0, variant(0, IKE_START_START, "10.2.8.0/24"));
	world_pass(w, 2 * IKE_SECOND);
	assert_int_equal(world_count_children(w, 0, NULL), 1);
	assert_int_equal(world_count_children(w, 1, NULL), 1);
	assert_non_null(outbound(w, "10.2.8.0/24"));
	assert_null(outbound(w, "10.2.0.0/16"));
	assert_int_equal(world_sa(w, 0)->id, ike);
	world_free(w);
}

/* While its replacement is being made, which is then one of what has been. */
static void test_child_changed_amid_rekey(void **state)
{
	struct ike_match match = {.conn = "site", .children = true};
	struct world *w = begin(variant(0, IKE_START_START, NULL));
	const char *why;

	ike_engine_rekey(w->end[0].engine, w->now, &match, &why);
	world_reload(w, 0, variant(0, IKE_START_START, "10.2.8.0/24"));
	world_pass(w, 2 * IKE_OVERLAP);
	assert_int_equal(world_count_children(w, 0, NULL), 1);
	assert_int_equal(world_count_children(w, 1, NULL), 1);
	assert_non_null(outbound(w, "10.2.8.0/24"));
	assert_int_equal(world_count_policies(&w->end[0]), 2);
	world_free(w);
}

static void test_conn_changed(void **state)
{
	struct ike_config *fresh = variant(0, IKE_START_START, NULL);
	struct world *w = begin(variant(0, IKE_START_START, NULL));
	uint64_t ike = world_sa(w, 0)->id;

	ike_proposal_list_clear(&fresh->conns[0].proposals);
	assert_true(ike_proposal_list_parse(&fresh->conns[0].proposals, IKE_PROTO_IKE,
					    "aes128gcm16-prfsha256-x25519,aes256gcm16-prfsha384-ecp384",
					    NULL));
	world_reload(w, 0, fresh);
	world_pass(w, 2 * IKE_SECOND);
	assert_int_equal(world_count_ike(w, 0, NULL), 1);
	assert_int_equal(world_count_ike(w, 1, NULL), 1);
	assert_true(world_connected(w));
	assert_int_not_equal(world_sa(w, 0)->id, ike);
	world_free(w);
}

static void test_conn_gone(void **state)
{
	struct ike_config *fresh = variant(0, IKE_START_START, NULL);
	struct world *w = begin(variant(0, IKE_START_START, NULL));

	free(fresh->conns[0].name);
	fresh->conns[0].name = strdup("other");
	first(fresh)->start_action = IKE_START_NONE;
	world_reload(w, 0, fresh);
	world_pass(w, 2 * IKE_SECOND);
	for (unsigned int i = 0; i < 2; i++) {
		assert_int_equal(world_count_ike(w, i, NULL), 0);
		assert_int_equal(world_count_policies(&w->end[i]), 0);
		assert_int_equal(world_count_sas(&w->end[i]), 0);
	}
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_trap_changed),
		cmocka_unit_test(test_shunt_changed),
		cmocka_unit_test(test_traps_swapped),
		cmocka_unit_test(test_trap_and_start),
		cmocka_unit_test(test_undisturbed),
		cmocka_unit_test(test_not_started),
		cmocka_unit_test(test_child_changed),
		cmocka_unit_test(test_child_changed_amid_rekey),
		cmocka_unit_test(test_conn_changed),
		cmocka_unit_test(test_conn_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
