// SPDX-License-Identifier: MIT
/*
 * A peer that is known by name: looked up at each attempt, tried again and again with one line in
 * the log while there is no answer, and followed to where the name leads next.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ikev2/child.h"
#include "tests/world.h"

static struct ike_conn_cfg *conn(struct world *w)
{
	return &w->end[0].config->conns[0];
}

static void add_name(struct world *w, const char *name)
{
	struct ike_conn_cfg *c = conn(w);

	c->remote_names = reallocarray(c->remote_names, c->n_remote_names + 1, sizeof(char *));
	c->remote_names[c->n_remote_names++] = strdup(name);
}

/* End 0 knows end 1 as "b.example.org" and nothing else. */
static struct world *by_name(enum ike_start_action action)
{
	struct world *w = world_new();

	conn(w)->n_remote_addrs = 0;
	conn(w)->children[0].start_action = action;
	add_name(w, "b.example.org");
	return w;
}

/* Answers what end 0 has asked for; the test fails if it has not. */
static void answer(struct world *w, const struct ike_addr *addrs, size_t n)
{
	uint64_t id = w->end[0].lookup;

	assert_int_not_equal(id, 0);
	w->end[0].lookup = 0;
	ike_engine_resolved(w->end[0].engine, w->now, id, addrs, n, "no such host");
	world_run(w);
}

static unsigned int count(const char *log, const char *text)
{
	unsigned int n = 0;

	while ((log = strstr(log, text))) {
		log += strlen(text);
		n++;
	}
	return n;
}

static void test_initiate(void **state)
{
	struct world *w = by_name(IKE_START_NONE);
	const char *why;

	world_start(w);
	assert_int_equal(w->end[0].lookup, 0);
	assert_int_not_equal(world_initiate(w, "net"), 0);
	assert_string_equal(w->end[0].looked_up, "b.example.org");
	assert_int_equal(w->n_sent, 0);
	/* A second wish waits for the same; the IKE SA is on its way. */
	assert_int_not_equal(world_initiate(w, "net"), 0);
	assert_int_equal(w->end[0].lookups, 1);
	assert_int_equal(ike_engine_initiate(w->end[0].engine, w->now, "site", NULL, &why), 0);
	answer(w, &w->end[1].addrs[0], 1);
	assert_true(world_connected(w));
	assert_int_equal(w->end[0].events[IKE_EVENT_COMMAND_DONE], 3);
	assert_true(w->end[0].last_done.ok);
	assert_int_equal(world_count_children(w, 0, NULL), 1);
	world_free(w);
}

/* The command fails; nobody tries again. */
static void test_initiate_in_vain(void **state)
{
	struct world *w = by_name(IKE_START_NONE);

	world_start(w);
	world_initiate(w, "net");
	answer(w, NULL, 0);
	assert_false(w->end[0].last_done.ok);
	assert_string_equal(w->end[0].done_text, "b.example.org cannot be resolved: no such host");
	world_pass(w, 1000 * (ike_time)IKE_SECOND);
	assert_int_equal(w->end[0].lookups, 1);
	world_free(w);
}

/* keyingtries = 1 is about a peer that is there: a name may come to be. */
static void test_unresolvable(void **state)
{
	struct world *w = by_name(IKE_START_START);
	ike_time began;

	conn(w)->keyingtries = 1;
	world_start(w);
	for (unsigned int i = 0; i < 20; i++) {
		answer(w, NULL, 0);
		began = w->now;
		while (!w->end[0].lookup && w->now < began + 400 * (ike_time)IKE_SECOND)
			world_pass(w, IKE_SECOND / 2);
		/* From about a second to about five minutes. */
		assert_true(i > 0 || w->now - began < 2 * IKE_SECOND);
		assert_true(i < 10 || w->now - began > 200 * (ike_time)IKE_SECOND);
	}
	assert_int_equal(w->end[0].lookups, 21);
	assert_int_equal(count(w->end[0].log, "cannot be resolved"), 1 + 19);
	assert_int_equal(w->end[0].errors, 1);
	assert_true(world_logged(&w->end[0], "trying again, with pauses of up to 5 min"));
	answer(w, &w->end[1].addrs[0], 1);
	assert_true(world_connected(w));
	world_free(w);
}

static bool nothing_arrives(struct world *w, struct world_message *m)
{
	return false;
}

/* The peer is gone from where its name led; the name leads elsewhere now. */
static void test_looked_up_again(void **state)
{
	static const struct ike_addr nowhere = {AF_INET, {192, 0, 2, 77}};
	struct world *w = by_name(IKE_START_START);

	conn(w)->keyingtries = 0;
	world_start(w);
	answer(w, &nowhere, 1);
	assert_true(world_logged(&w->end[0], "initiating to 192.0.2.77"));
	for (unsigned int i = 0; i < 1000 && !w->end[0].lookup; i++)
		world_pass(w, IKE_SECOND);
	answer(w, &w->end[1].addrs[0], 1);
	assert_true(world_connected(w));
	/* Once up it is followed by its IKE SA; the next one is looked up again. */
	assert_int_equal(w->end[0].lookups, 2);
	ike_engine_terminate(w->end[0].engine, w->now, &(struct ike_match){.conn = "site"},
			     &(const char *){NULL});
	world_run(w);
	world_initiate(w, "net");
	assert_int_equal(w->end[0].lookups, 3);
	world_free(w);
}

/* Several addresses, of which there is a way to one family only; several attempts try them all. */
static void test_several_addresses(void **state)
{
	const struct ike_addr addrs[] = {
		{AF_INET6, {0x20, 1, 0xd, 0xb8}}, {AF_INET, {192, 0, 2, 77}}, {AF_INET, {192, 0, 2, 2}},
	};
	struct world *w = by_name(IKE_START_START);

	conn(w)->keyingtries = 0;
	world_start(w);
	answer(w, addrs, 3);
	assert_true(world_logged(&w->end[0], "initiating to 192.0.2.77"));
	for (unsigned int tries = 0; tries < 4 && !world_count_children(w, 0, NULL); tries++) {
		for (unsigned int i = 0; i < 1000 && !w->end[0].lookup; i++)
			world_pass(w, IKE_SECOND);
		answer(w, addrs, 3);
	}
	assert_true(world_connected(w));
	world_free(w);
}

static void test_second_name(void **state)
{
	struct world *w = by_name(IKE_START_NONE);

	add_name(w, "c.example.org");
	world_start(w);
	world_initiate(w, "net");
	answer(w, NULL, 0);
	assert_string_equal(w->end[0].looked_up, "c.example.org");
	answer(w, &w->end[1].addrs[0], 1);
	assert_true(world_connected(w));
	world_free(w);
}

/* A single address goes before all names. */
static void test_address_first(void **state)
{
	struct world *w = world_new();

	add_name(w, "b.example.org");
	world_start(w);
	world_up(w);
	assert_int_equal(w->end[0].lookups, 0);
	world_free(w);
}

/* Who knows its peer by name lets it in from anywhere: the proof is in IKE_AUTH. */
static void test_responds(void **state)
{
	struct world *w = by_name(IKE_START_NONE);
	struct ike_conn_cfg *other = &w->end[1].config->conns[0];
	const char *why;

	other->n_remote_addrs = 1;
	world_start(w);
	assert_int_not_equal(ike_engine_initiate(w->end[1].engine, w->now, "site", "net", &why), 0);
	world_run(w);
	assert_true(world_connected(w));
	assert_int_equal(w->end[0].lookups, 0);
	world_free(w);
}

/* The answer comes when nobody wants it any more. */
static void test_late_answer(void **state)
{
	struct world *w = by_name(IKE_START_START);
	uint64_t id;

	world_start(w);
	id = w->end[0].lookup;
	assert_int_not_equal(id, 0);
	world_reload(w, 0, world_configure(0));
	answer(w, &w->end[1].addrs[0], 1);
	/* The connection is there still, as another: the child too, which is asked for once. */
	assert_int_equal(world_count_children(w, 0, NULL), 1);
	ike_engine_resolved(w->end[0].engine, w->now, id, NULL, 0, "late");
	assert_true(world_connected(w));
	world_free(w);
	w = by_name(IKE_START_START);
	w->wire = nothing_arrives;
	world_start(w);
	ike_engine_shutdown(w->end[0].engine, w->now);
	answer(w, &w->end[1].addrs[0], 1);
	assert_int_equal(w->n_sent, 0);
	world_free(w);
}

/* A trap is there at once; the name is looked up when traffic comes. */
static void test_trap(void **state)
{
	struct world *w = by_name(IKE_START_TRAP);
	uint64_t cookie = 0;

	world_start(w);
	assert_int_equal(world_count_policies(&w->end[0]), 2);
	assert_int_equal(w->end[0].lookups, 0);
	for (size_t i = 0; i < WORLD_POLICIES; i++)
		if (w->end[0].policies[i].id)
			cookie = w->end[0].policies[i].cookie;
	ike_engine_acquire(w->end[0].engine, w->now, cookie);
	ike_engine_acquire(w->end[0].engine, w->now, cookie);
	assert_int_equal(w->end[0].lookups, 1);
	answer(w, &w->end[1].addrs[0], 1);
	assert_true(world_connected(w));
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_initiate),
		cmocka_unit_test(test_initiate_in_vain),
		cmocka_unit_test(test_unresolvable),
		cmocka_unit_test(test_looked_up_again),
		cmocka_unit_test(test_several_addresses),
		cmocka_unit_test(test_second_name),
		cmocka_unit_test(test_address_first),
		cmocka_unit_test(test_responds),
		cmocka_unit_test(test_late_answer),
		cmocka_unit_test(test_trap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
