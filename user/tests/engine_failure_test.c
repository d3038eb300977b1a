// SPDX-License-Identifier: MIT
/*
 * What fails here at home: the data plane refuses an SPI, an inbound or outbound SA or a policy, each
 * at any moment; a key is missing. Nobody may be left with half a tunnel, and what was up before
 * stays up.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/world.h"

enum {
	/* The data plane is asked for no more than so much by one exchange: a limit on what is tried. */
	CALLS_MAX = 40,
	SETTLED = 130 * IKE_SECOND, /* no doubt is left about what the peer has (IKE_PROOF_TIME) */
};

static void whole_or_nothing(struct world *w)
{
	bool up = world_connected(w);

	for (unsigned int i = 0; i < 2; i++) {
		assert_int_equal(world_count_children(w, i, NULL), up);
		assert_int_equal(world_count_sas(&w->end[i]), up ? 2 : 0);
		assert_int_equal(world_count_policies(&w->end[i]), up ? 2 : 0);
		assert_int_equal(w->end[i].spis, 0);
	}
}

static void one_tunnel(struct world *w)
{
	if (!world_connected(w))
		fail_msg("not connected:\n%s\n%s", w->end[0].log, w->end[1].log);
	whole_or_nothing(w);
	for (unsigned int i = 0; i < 2; i++)
		assert_int_equal(world_count_ike(w, i, "ESTABLISHED"), 1);
}

/* From now on the @n-th thing that @end asks for is refused. */
static void refuse(struct world *w, unsigned int end, unsigned int n)
{
	w->end[end].refuse_at = w->end[end].asked + n;
}

static bool was_refused(const struct world *w, unsigned int end)
{
	return w->end[end].asked >= w->end[end].refuse_at;
}

/* Everything that bringing a tunnel up asks for, refused in turn. True if there was such a one. */
static bool initiation_without(unsigned int end, unsigned int n)
{
	struct world *w = world_new();
	bool refused;

	refuse(w, end, n);
	world_start(w);
	world_initiate(w, "net");
	world_pass(w, SETTLED);
	refused = was_refused(w, end);
	whole_or_nothing(w);
	if (refused)
		assert_true(world_logged(&w->end[end], "the data plane has a bad moment"));
	/* And after the bad moment it comes up. */
	world_initiate(w, "net");
	world_pass(w, IKE_SECOND);
	one_tunnel(w);
	world_free(w);
	return refused;
}

static void test_initiation(void **state)
{
	for (unsigned int end = 0; end < 2; end++) {
		unsigned int n = 1;

		while (initiation_without(end, n))
			assert_true(++n < CALLS_MAX);
		/* An SPI, two SAs, two policies. */
		assert_int_equal(n, 1 + 5);
	}
}

static bool rekey_without(unsigned int asks, unsigned int end, unsigned int n, bool ike)
{
	struct ike_match match = {.conn = "site", .children = !ike};
	struct world *w = world_new();
	const char *why;
	bool refused;

	world_start(w);
	world_up(w);
	refuse(w, end, n);
	assert_int_not_equal(ike_engine_rekey(w->end[asks].engine, w->now, &match, &why), 0);
	world_run(w);
	world_pass(w, SETTLED);
	refused = was_refused(w, end);
	/* Not a moment without: what was there is as good as before. */
	one_tunnel(w);
	for (unsigned int i = 0; i < 2; i++)
		if (w->end[i].events[IKE_EVENT_CHILD_DOWN])
			fail_msg("end %u asks, end %u refuses %u: down at end %u:\n%s", asks, end, n,
				 i, w->end[i].log);
	assert_int_not_equal(ike_engine_rekey(w->end[asks].engine, w->now, &match, &why), 0);
	world_run(w);
	world_pass(w, SETTLED);
	one_tunnel(w);
	world_free(w);
	return refused;
}

static void test_rekey(void **state)
{
	for (unsigned int i = 0; i < 4; i++) {
		unsigned int n = 1;

		while (rekey_without(i & 1, i >> 1, n, false))
			assert_true(++n < CALLS_MAX);
		assert_true(n > 4);
	}
}

/* The IKE SA's rekeying asks the data plane for nothing. */
static void test_rekey_ike(void **state)
{
	for (unsigned int i = 0; i < 4; i++)
		assert_false(rekey_without(i & 1, i >> 1, 1, true));
}

/* CVE-2024-2357's class: a connection whose key is not there, asked again and again. */
static void test_missing_key(void **state)
{
	for (unsigned int end = 0; end < 2; end++) {
		struct world *w = world_new();
		struct ike_counters counters;

		w->end[end].config->n_secrets = 0;
		world_start(w);
		for (unsigned int i = 0; i < 3; i++) {
			world_initiate(w, "net");
			world_pass(w, SETTLED);
			assert_false(w->end[0].last_done.ok);
			whole_or_nothing(w);
		}
		assert_true(world_logged(&w->end[end], "no pre-shared key") ||
			    world_logged(&w->end[end], "no secret"));
		ike_engine_counters(w->end[1].engine, &counters);
		assert_int_equal(counters.half_open, 0);
		w->end[end].config->n_secrets = 1;
		world_up(w);
		one_tunnel(w);
		world_free(w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_initiation),
		cmocka_unit_test(test_rekey),
		cmocka_unit_test(test_rekey_ike),
		cmocka_unit_test(test_missing_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
