// SPDX-License-Identifier: MIT
/*
 * Traps and shunts by command, and connections that come, change and go while the engine runs: as
 * clients of VICI have them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/world.h"

static struct ike_child_cfg *child(struct world *w)
{
	return &w->end[0].config->conns[0].children[0];
}

static bool install(struct world *w, const char *name, const char **why)
{
	return ike_engine_install(w->end[0].engine, w->now, "site", name, why);
}

static bool uninstall(struct world *w, const char *conn, const char **why)
{
	return ike_engine_uninstall(w->end[0].engine, w->now, conn, "net", why);
}

static const struct world_policy *outbound(const struct world *w)
{
	for (size_t i = 0; i < WORLD_POLICIES; i++)
		if (w->end[0].policies[i].id && !w->end[0].policies[i].inbound)
			return &w->end[0].policies[i];
	return NULL;
}

static void count_trap(void *arg, const char *conn, const struct ike_child_cfg *cfg)
{
	assert_string_equal(conn, "site");
	assert_string_equal(cfg->name, "net");
	++*(unsigned int *)arg;
}

static unsigned int traps(struct world *w)
{
	unsigned int n = 0;

	ike_engine_foreach_trap(w->end[0].engine, count_trap, &n);
	return n;
}

static void trap_and_traffic(void **state)
{
	struct world *w = world_new();
	const char *why = "";

	world_start(w);
	assert_int_equal(traps(w), 0);
	assert_true(install(w, "net", &why));
	assert_true(install(w, "net", &why));
	assert_int_equal(traps(w), 1);
	assert_int_equal(world_count_policies(&w->end[0]), 2);
	ike_engine_acquire(w->end[0].engine, w->now, outbound(w)->cookie);
	world_run(w);
	assert_int_equal(world_count_children(w, 0, "INSTALLED"), 1);
	/* The tunnel's policies stay. */
	assert_true(uninstall(w, "site", &why));
	assert_int_equal(traps(w), 0);
	assert_int_equal(world_count_policies(&w->end[0]), 2);
	world_free(w);
}

/* Though start_action does not ask for it, it outlives a reload. */
static void outlives_a_reload(void **state)
{
	struct world *w = world_new();
	const char *why = "";

	world_start(w);
	assert_true(install(w, "net", &why));
	ike_engine_configure(w->end[0].engine, w->end[0].config, w->now);
	ike_engine_start(w->end[0].engine, w->now);
	assert_int_equal(traps(w), 1);
	assert_true(uninstall(w, NULL, &why));
	assert_int_equal(world_count_policies(&w->end[0]), 0);
	world_free(w);
}

static void refusals(void **state)
{
	struct world *w = world_new();
	const char *why = "";

	world_start(w);
	assert_false(install(w, "nosuch", &why));
	assert_string_equal(why, "connection site has no child nosuch");
	assert_false(uninstall(w, "site", &why));
	assert_string_equal(why, "neither trap nor shunt of child net is installed");
	world_free(w);
}

static void shunt(void **state)
{
	struct world *w = world_new();
	const char *why = "";

	child(w)->mode = IKE_MODE_DROP;
	world_start(w);
	assert_true(install(w, "net", &why));
	assert_int_equal(outbound(w)->action, IKE_POLICY_DISCARD);
	assert_true(uninstall(w, "site", &why));
	assert_null(outbound(w));
	world_free(w);
}

/* A connection that has changed is started anew; one that has gone takes its traps along. */
static void change_and_end(void **state)
{
	struct world *w = world_new();
	struct ike_config *none = calloc(1, sizeof(*none));
	struct ike_child_cfg *c = child(w);

	c->start_action = IKE_START_TRAP;
	world_start(w);
	assert_string_equal(outbound(w)->dst, "10.2.0.0/16");
	free(c->remote_ts);
	c->remote_ts = NULL;
	c->n_remote_ts = 0;
	assert_true(ike_ts_list_parse("10.3.0.0/16", &c->remote_ts, &c->n_remote_ts, NULL));
	ike_engine_start_conns(w->end[0].engine, w->now, (char *[]){ "site" }, 1);
	assert_int_equal(world_count_policies(&w->end[0]), 2);
	assert_string_equal(outbound(w)->dst, "10.3.0.0/16");
	none->refs = 1;
	ike_engine_configure(w->end[0].engine, none, w->now);
	ike_engine_start_conns(w->end[0].engine, w->now, NULL, 0);
	assert_int_equal(world_count_policies(&w->end[0]), 0);
	ike_config_unref(none);
	world_free(w);
}

/* What the user took down stays down when another connection is loaded. */
static void others_are_left_alone(void **state)
{
	struct world *w = world_new();
	const char *why = "";

	child(w)->start_action = IKE_START_START;
	world_start(w);
	world_run(w);
	assert_int_equal(world_count_children(w, 0, "INSTALLED"), 1);
	ike_engine_terminate(w->end[0].engine, w->now, &(struct ike_match){.conn = "site"}, &why);
	world_run(w);
	ike_engine_start_conns(w->end[0].engine, w->now, (char *[]){ "another" }, 1);
	world_pass(w, 60 * (ike_time)IKE_SECOND);
	assert_int_equal(world_count_ike(w, 0, NULL), 0);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(trap_and_traffic),
		cmocka_unit_test(outlives_a_reload),
		cmocka_unit_test(refusals),
		cmocka_unit_test(shunt),
		cmocka_unit_test(change_and_end),
		cmocka_unit_test(others_are_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
