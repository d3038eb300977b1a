// SPDX-License-Identifier: MIT
/*
 * Memory runs out once, at each allocation that there is, in all that two engines do in a tunnel's
 * life. Nobody may fall over it, hold half of a tunnel, or be unable to come up when there is memory
 * again. Linked so that the engine's allocations come here first (user/Makefile); those inside of
 * OpenSSL do not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/world.h"

enum {
	SETTLED = 400, /* seconds: who was left without an answer has given up */
	ALLOCATIONS_MAX = 10000,
};

static bool armed;
static unsigned int count, fails_at;

static bool fails(void)
{
	return armed && ++count == fails_at;
}

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size)
{
	return fails() ? NULL : __real_calloc(n, size);
}

void *__real_realloc(void *p, size_t size);
void *__wrap_realloc(void *p, size_t size);
void *__wrap_realloc(void *p, size_t size)
{
	return fails() ? NULL : __real_realloc(p, size);
}

void *__real_reallocarray(void *p, size_t n, size_t size);
void *__wrap_reallocarray(void *p, size_t n, size_t size);
void *__wrap_reallocarray(void *p, size_t n, size_t size)
{
	return fails() ? NULL : __real_reallocarray(p, n, size);
}

static void rekey(struct world *w, unsigned int end, bool ike)
{
	struct ike_match match = {.conn = "site", .children = !ike};
	const char *why;

	ike_engine_rekey(w->end[end].engine, w->now, &match, &why);
	world_run(w);
}

static void live(struct world *w)
{
	struct ike_match match = {.conn = "site"};
	const char *why;

	world_initiate(w, "net");
	world_pass(w, IKE_SECOND);
	for (unsigned int i = 0; i < 4; i++)
		rekey(w, i & 1, i & 2);
	world_pass(w, IKE_SECOND);
	ike_engine_terminate(w->end[1].engine, w->now, &match, &why);
	world_run(w);
}

static bool is_whole(struct world *w, unsigned int end)
{
	unsigned int up = world_connected(w);

	return world_count_children(w, end, NULL) == up &&
	       world_count_sas(&w->end[end]) == 2 * up &&
	       world_count_policies(&w->end[end]) == 2 * up && !w->end[end].spis;
}

static void whole_or_nothing(struct world *w)
{
	for (unsigned int i = 0; i < 2; i++)
		if (!is_whole(w, i))
			fail_msg("end %u after allocation %u failed: %u CHILD_SAs, %u SAs, %u "
				 "policies, %u SPIs:\n%s\n%s", i, fails_at,
				 world_count_children(w, i, NULL), world_count_sas(&w->end[i]),
				 world_count_policies(&w->end[i]), w->end[i].spis, w->end[0].log,
				 w->end[1].log);
}

/* True if so many allocations were made. */
static bool without(unsigned int n)
{
	struct world *w = world_new();
	struct ike_counters counters;

	w->end[1].config->conns[0].dpd_delay = w->end[0].config->conns[0].dpd_delay = 10;
	world_start(w);
	count = 0;
	fails_at = n;
	armed = true;
	live(w);
	armed = false;
	world_pass(w, SETTLED * (ike_time)IKE_SECOND);
	whole_or_nothing(w);
	world_initiate(w, "net");
	world_pass(w, 10 * IKE_SECOND);
	if (!world_connected(w))
		fail_msg("not up after allocation %u failed:\n%s\n%s", n, w->end[0].log,
			 w->end[1].log);
	ike_engine_counters(w->end[1].engine, &counters);
	assert_int_equal(counters.half_open, 0);
	world_free(w);
	return count >= n;
}

static void test_each_allocation(void **state)
{
	unsigned int n = 1;

	while (without(n))
		assert_true(++n < ALLOCATIONS_MAX);
	/* The wrapping works: IKE SAs, messages, tasks, jobs of two ends. */
	assert_true(n > 100);
	print_message("# %u allocations\n", n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_allocation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
