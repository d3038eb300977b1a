// SPDX-License-Identifier: MIT
/*
 * What an earlier esplaned left in the kernel, and how it makes way. The kernel here is a list of
 * SAs and policies: the functions of dataplane/client.h that leftovers.c calls are replaced
 * (-Wl,--wrap) by ones that work on it.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/leftovers.h"
#include "daemon/mapping.h"

enum { OLD_BOOT = 0x1111, OUR_BOOT = 0x2222, N = 8 };

static const ike_time start = 1000ULL * IKE_SECOND;

static struct {
	struct dp_sa sa[N];		/* id 0: none */
	struct dp_policy policy[N];
} kernel;

int __wrap_dp_sa_dump(struct dp *dp, void (*begin)(void *),
		      void (*fn)(void *, const struct dp_sa *), void *arg);
int __wrap_dp_policy_dump(struct dp *dp, void (*begin)(void *),
			  void (*fn)(void *, const struct dp_policy *), void *arg);
int __wrap_dp_sa_del(struct dp *dp, uint32_t id);
int __wrap_dp_policy_del(struct dp *dp, uint32_t id);

/* As after a dump that had to start again. */
int __wrap_dp_sa_dump(struct dp *dp, void (*begin)(void *),
		      void (*fn)(void *, const struct dp_sa *), void *arg)
{
	int i, round;

	for (round = 0; round < 2; round++) {
		begin(arg);
		for (i = 0; i < N; i++)
			if (kernel.sa[i].id)
				fn(arg, &kernel.sa[i]);
	}
	return 0;
}

int __wrap_dp_policy_dump(struct dp *dp, void (*begin)(void *),
			  void (*fn)(void *, const struct dp_policy *), void *arg)
{
	int i, round;

	for (round = 0; round < 2; round++) {
		begin(arg);
		for (i = 0; i < N; i++)
			if (kernel.policy[i].id)
				fn(arg, &kernel.policy[i]);
	}
	return 0;
}

int __wrap_dp_sa_del(struct dp *dp, uint32_t id)
{
	int i;

	for (i = 0; i < N; i++) {
		if (kernel.sa[i].id != id)
			continue;
		kernel.sa[i].id = 0;
		return 0;
	}
	return -ENOENT;
}

int __wrap_dp_policy_del(struct dp *dp, uint32_t id)
{
	int i;

	for (i = 0; i < N; i++) {
		if (kernel.policy[i].id != id)
			continue;
		kernel.policy[i].id = 0;
		return 0;
	}
	return -ENOENT;
}

static bool has_sa(uint32_t id)
{
	int i;

	for (i = 0; i < N; i++)
		if (kernel.sa[i].id == id)
			return true;
	return false;
}

static bool has_policy(uint32_t id)
{
	int i;

	for (i = 0; i < N; i++)
		if (kernel.policy[i].id == id)
			return true;
	return false;
}

/* 10.@from.0.0/24 to 10.@to.0.0/24 */
static struct dp_selector net(uint8_t from, uint8_t to)
{
	return (struct dp_selector){
		.src_first = { 4, { 10, from, 0, 0 } }, .src_last = { 4, { 10, from, 0, 255 } },
		.dst_first = { 4, { 10, to, 0, 0 } }, .dst_last = { 4, { 10, to, 0, 255 } },
		.src_port_last = UINT16_MAX, .dst_port_last = UINT16_MAX,
	};
}

static struct dp_policy policy_of(uint32_t direction, uint8_t from, uint8_t to, uint32_t sa_id)
{
	return (struct dp_policy){ .direction = direction,
				   .action = ESPLANE_ACTION_PROTECT,
				   .priority = 100,
				   .sa_id = sa_id,
				   .selectors = { net(from, to) },
				   .n_selectors = 1 };
}

/*
 * The kernel after a crash: CHILD_SA 5 of the old daemon between 10.1 and 10.2, inbound SA 11 with
 * policy 21, outbound SA 12 with policy 22; and SA 13, policy 23 of somebody who does not use
 * cookies.
 */
static int crashed(void **state)
{
	uint64_t cookie = mapping_cookie(OLD_BOOT, 5);

	memset(&kernel, 0, sizeof(kernel));
	kernel.sa[0] = (struct dp_sa){
		.id = 11, .direction = ESPLANE_DIRECTION_IN, .cookie = cookie, .hard_seconds = 3600
	};
	kernel.sa[1] = (struct dp_sa){
		.id = 12, .direction = ESPLANE_DIRECTION_OUT, .cookie = cookie, .hard_seconds = 3600
	};
	kernel.sa[2] = (struct dp_sa){ .id = 13, .direction = ESPLANE_DIRECTION_OUT };
	kernel.policy[0] = policy_of(ESPLANE_DIRECTION_IN, 2, 1, 0);
	kernel.policy[0].id = 21;
	kernel.policy[0].cookie = cookie;
	kernel.policy[1] = policy_of(ESPLANE_DIRECTION_OUT, 1, 2, 12);
	kernel.policy[1].id = 22;
	kernel.policy[1].cookie = cookie;
	kernel.policy[2] = policy_of(ESPLANE_DIRECTION_OUT, 7, 8, 13);
	kernel.policy[2].id = 23;
	return 0;
}

static struct leftovers found(void)
{
	struct leftovers l;

	assert_int_equal(leftovers_find(&l, NULL, OUR_BOOT, start), 0);
	return l;
}

static void only_the_old_daemons(void **state)
{
	struct leftovers l = found();

	assert_int_equal(l.n_sas, 2);
	assert_int_equal(l.n_policies, 2);
	leftovers_clear(&l);
	assert_false(leftovers_any(&l));
	assert_false(has_sa(11) || has_sa(12) || has_policy(21) || has_policy(22));
	assert_true(has_sa(13) && has_policy(23));
	leftovers_free(&l);
}

static void ours_are_not_leftovers(void **state)
{
	struct leftovers l;

	kernel.sa[0].cookie = mapping_cookie(OUR_BOOT, 5);
	assert_int_equal(leftovers_find(&l, NULL, OUR_BOOT, start), 0);
	assert_int_equal(l.n_sas, 1);
	leftovers_free(&l);
}

/* The new tunnel comes up: its policies take the old ones' places, the old SAs go. */
static void replaced(void **state)
{
	struct dp_policy in = policy_of(ESPLANE_DIRECTION_IN, 2, 1, 0);
	struct dp_policy out = policy_of(ESPLANE_DIRECTION_OUT, 1, 2, 31);
	struct leftovers l = found();

	leftovers_inherit(&l, &in);
	assert_int_equal(in.id, 21);
	leftovers_settle(&l, &in, start);
	assert_true(has_sa(11) && has_sa(12));

	leftovers_inherit(&l, &out);
	assert_int_equal(out.id, 22);
	assert_int_equal(out.sa_id, 31);
	leftovers_settle(&l, &out, start);
	assert_false(has_sa(12));
	/* Packets of the peer's may be on their way to the old SA. */
	assert_true(has_sa(11));
	leftovers_tick(&l, start + 4 * IKE_SECOND);
	assert_true(has_sa(11));
	leftovers_tick(&l, start + 5 * IKE_SECOND);
	assert_false(has_sa(11));
	assert_false(leftovers_any(&l));
	/* The places are ours: the kernel still has them. */
	assert_true(has_policy(21) && has_policy(22));
	leftovers_free(&l);
}

/*
 * A trap keeps the old SA at work until the tunnel that it waits for is up, which has policies of
 * its own, in front of the trap's.
 */
static void trap(void **state)
{
	struct dp_policy waiting = policy_of(ESPLANE_DIRECTION_OUT, 1, 2, 0);
	struct dp_policy out = policy_of(ESPLANE_DIRECTION_OUT, 1, 2, 31);
	struct leftovers l = found();

	waiting.priority = 101;
	leftovers_inherit(&l, &waiting);
	assert_int_equal(waiting.id, 22);
	assert_int_equal(waiting.sa_id, 12);
	leftovers_settle(&l, &waiting, start);
	leftovers_tick(&l, start + 60 * IKE_SECOND);
	assert_true(has_sa(11) && has_sa(12));

	leftovers_inherit(&l, &out);
	assert_int_equal(out.id, 0);
	out.id = 40;
	leftovers_settle(&l, &out, start);
	assert_false(has_sa(12));
	leftovers_tick(&l, start + 5 * IKE_SECOND);
	assert_false(has_sa(11) || has_policy(21));
	assert_true(has_policy(22));
	assert_false(leftovers_any(&l));
	leftovers_free(&l);
}

/* The old SA ends by itself: the trap's policy stays, without it. */
static void trap_expired(void **state)
{
	struct dp_policy waiting = policy_of(ESPLANE_DIRECTION_OUT, 1, 2, 0);
	struct leftovers l = found();

	leftovers_inherit(&l, &waiting);
	leftovers_settle(&l, &waiting, start);
	assert_true(leftovers_gone(&l, 11) && leftovers_gone(&l, 12));
	assert_true(has_policy(22));
	assert_false(leftovers_any(&l));
	leftovers_free(&l);
}

static void other_selectors_stay(void **state)
{
	struct dp_policy out = policy_of(ESPLANE_DIRECTION_OUT, 1, 3, 31);
	struct leftovers l = found();

	leftovers_inherit(&l, &out);
	assert_int_equal(out.id, 0);
	out.id = 40;
	leftovers_settle(&l, &out, start);
	assert_true(has_policy(22) && has_sa(12));
	leftovers_free(&l);
}

/* The configuration changed to a wider net: the old policy, being older, would win. */
static void shadowing_goes(void **state)
{
	struct dp_policy out = policy_of(ESPLANE_DIRECTION_OUT, 1, 2, 31);
	struct leftovers l = found();

	out.selectors[0].dst_last.bytes[1] = 9;
	leftovers_inherit(&l, &out);
	assert_int_equal(out.id, 0);
	out.id = 40;
	leftovers_settle(&l, &out, start);
	assert_false(has_policy(22));
	assert_false(has_sa(12));
	leftovers_free(&l);
}

/* An interface's policy has nothing to do with one of none. */
static void other_interface(void **state)
{
	struct dp_policy out = policy_of(ESPLANE_DIRECTION_OUT, 1, 2, 31);
	struct leftovers l = found();

	out.if_id = 7;
	leftovers_inherit(&l, &out);
	assert_int_equal(out.id, 0);
	out.id = 40;
	leftovers_settle(&l, &out, start);
	assert_true(has_policy(22));
	leftovers_free(&l);
}

/* Nothing replaces it: hard lifetimes end the SAs, and with the last one the policies go. */
static void expired(void **state)
{
	struct leftovers l = found();

	assert_true(leftovers_gone(&l, 12));
	assert_true(has_policy(22));
	assert_true(leftovers_gone(&l, 11));
	assert_false(has_policy(21) || has_policy(22));
	assert_false(leftovers_gone(&l, 13));
	assert_false(leftovers_any(&l));
	leftovers_free(&l);
}

/* The same when the event was lost. */
static void looked_at_again(void **state)
{
	struct leftovers l = found();

	leftovers_look_begin(&l);
	leftovers_look_at(&l, 11);
	leftovers_look_at(&l, 13);
	leftovers_look_end(&l);
	assert_int_equal(l.n_sas, 1);
	leftovers_look_begin(&l);
	leftovers_look_end(&l);
	assert_false(leftovers_any(&l));
	assert_false(has_policy(21) || has_policy(22));
	leftovers_free(&l);
}

static void without_lifetime(void **state)
{
	struct leftovers l;

	kernel.sa[1].hard_seconds = 0;
	l = found();
	leftovers_tick(&l, start + 3599 * (ike_time)IKE_SECOND);
	assert_true(has_sa(12));
	leftovers_tick(&l, start + 3600 * (ike_time)IKE_SECOND);
	assert_false(has_sa(12));
	assert_true(has_sa(11));
	leftovers_free(&l);
}

/* It died in the middle of a rekey: an SA whose policy uses its successor already. */
static void orphan(void **state)
{
	struct leftovers l;

	kernel.sa[3] = (struct dp_sa){ .id = 14,
				       .direction = ESPLANE_DIRECTION_IN,
				       .hard_seconds = 3600,
				       .cookie = mapping_cookie(OLD_BOOT, 4) };
	l = found();
	leftovers_tick(&l, start + 5 * IKE_SECOND);
	assert_false(has_sa(14));
	assert_true(has_sa(11) && has_sa(12));
	leftovers_free(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(only_the_old_daemons, crashed),
		cmocka_unit_test_setup(ours_are_not_leftovers, crashed),
		cmocka_unit_test_setup(replaced, crashed),
		cmocka_unit_test_setup(trap, crashed),
		cmocka_unit_test_setup(trap_expired, crashed),
		cmocka_unit_test_setup(other_selectors_stay, crashed),
		cmocka_unit_test_setup(shadowing_goes, crashed),
		cmocka_unit_test_setup(other_interface, crashed),
		cmocka_unit_test_setup(expired, crashed),
		cmocka_unit_test_setup(looked_at_again, crashed),
		cmocka_unit_test_setup(without_lifetime, crashed),
		cmocka_unit_test_setup(orphan, crashed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
