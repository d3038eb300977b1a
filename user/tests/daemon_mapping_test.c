// SPDX-License-Identifier: MIT
/* The engine's wishes in the words of the data plane, and the set of what is ours. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/mapping.h"
#include "daemon/owned.h"

static struct ike_ts ts(const char *text)
{
	struct ike_error err = { 0 };
	struct ike_ts t;

	if (!ike_ts_parse(text, &t, &err))
		fail_msg("%s: %s", text, err.text);
	return t;
}

static struct ike_addr addr(const char *text)
{
	struct ike_error err = { 0 };
	struct ike_addr a;

	if (!ike_addr_parse(text, &a, &err))
		fail_msg("%s: %s", text, err.text);
	return a;
}

static void outbound_sa(void **state)
{
	static const uint8_t key[20] = { 1, 2, 3 };
	struct ike_ts src = ts("10.1.0.0/24"), dst = ts("10.2.0.0/24");
	const struct ike_sa_spec spec = {
		.spi = 0x1000,
		.src = { addr("192.0.2.1"), 4500 },
		.dst = { addr("192.0.2.2"), 61000 },
		.udp_encap = true,
		.transport = true,
		.esn = true,
		.encr = 20,
		.encr_key = key,
		.encr_key_len = sizeof(key),
		.replay_window = 64,
		.cookie = 0x1234567,
		.src_ts = &src,
		.dst_ts = &dst,
		.n_src_ts = 1,
		.n_dst_ts = 1,
		.life = { .soft_bytes = 5,
			  .hard_bytes = 6,
			  .soft_seconds = 7,
			  .hard_seconds = 8,
			  .soft_packets = 9,
			  .hard_packets = 10 },
		.output_mark = 7,
		.copy_dscp = true,
		.no_ecn = true,
	};
	struct mapping_keymat keymat;
	struct dp_sa sa;
	const char *why;

	assert_int_equal(mapping_sa(&sa, &keymat, &spec, 0xabcd0001, &why), 0);
	assert_int_equal(sa.direction, ESPLANE_DIRECTION_OUT);
	assert_int_equal(sa.mode, ESPLANE_MODE_TRANSPORT);
	assert_int_equal(sa.spi, 0x1000);
	assert_int_equal(sa.encap_sport, 4500);
	assert_int_equal(sa.encap_dport, 61000);
	assert_memory_equal(sa.dst.bytes, "\xc0\x00\x02\x02", 4);
	assert_int_equal(sa.dst.len, 4);
	assert_int_equal(sa.flags, ESPLANE_SA_FLAG_ESN | ESPLANE_SA_FLAG_COPY_DSCP |
			 ESPLANE_SA_FLAG_NO_ECN);
	assert_int_equal(sa.output_mark, 7);
	/* The window is the receiver's alone. */
	assert_int_equal(sa.replay_window, 0);
	assert_true(sa.cookie == 0xabcd000101234567);
	assert_int_equal(mapping_boot(sa.cookie), 0xabcd0001);
	assert_true(sa.soft_bytes == 5 && sa.hard_bytes == 6 && sa.soft_seconds == 7 &&
		    sa.hard_seconds == 8);
	assert_true(sa.soft_packets == 9 && sa.hard_packets == 10);
	assert_int_equal(sa.integ, 0);
	assert_int_equal(sa.keymat.len, sizeof(key));
	assert_memory_equal(sa.keymat.data, key, sizeof(key));
	/* What enters it, the policy decides: the data plane refuses selectors here. */
	assert_int_equal(sa.n_selectors, 0);
}

/* The data plane has the link beside both addresses. */
static void link_local_sa(void **state)
{
	struct ike_ts src = ts("10.1.0.0/24"), dst = ts("10.2.0.0/24");
	struct ike_sa_spec spec = {
		.inbound = true,
		.src = { addr("fe80::1"), 500 },
		.dst = { addr("fe80::2"), 500 },
		.encr = 20,
		.src_ts = &src,
		.dst_ts = &dst,
		.n_src_ts = 1,
		.n_dst_ts = 1,
	};
	struct mapping_keymat keymat;
	struct dp_sa sa;
	const char *why;

	assert_int_equal(mapping_sa(&sa, &keymat, &spec, 1, &why), 0);
	assert_int_equal(sa.ifindex, 0);
	spec.dst.addr.scope = 7;
	assert_int_equal(mapping_sa(&sa, &keymat, &spec, 1, &why), 0);
	assert_int_equal(sa.ifindex, 7);
}

static void native_inbound_sa(void **state)
{
	struct ike_ts src = ts("10.1.0.0/24"), dst = ts("10.2.0.0/24");
	const struct ike_sa_spec spec = {
		.inbound = true,
		.spi = 0x1000,
		.src = { addr("192.0.2.1"), 500 },
		.dst = { addr("192.0.2.2"), 500 },
		.encr = 20,
		.replay_window = 4096,
		.src_ts = &src,
		.dst_ts = &dst,
		.n_src_ts = 1,
		.n_dst_ts = 1,
	};
	struct mapping_keymat keymat;
	struct dp_sa sa;
	const char *why;

	assert_int_equal(mapping_sa(&sa, &keymat, &spec, 1, &why), 0);
	assert_int_equal(sa.direction, ESPLANE_DIRECTION_IN);
	assert_int_equal(sa.mode, ESPLANE_MODE_TUNNEL);
	/* Ports count with UDP encapsulation only. */
	assert_int_equal(sa.encap_sport, 0);
	assert_int_equal(sa.encap_dport, 0);
	assert_int_equal(sa.replay_window, 4096);
	assert_int_equal(sa.n_selectors, 1);
	assert_memory_equal(sa.selectors[0].src_first.bytes, "\x0a\x01\x00\x00", 4);
	assert_memory_equal(sa.selectors[0].dst_last.bytes, "\x0a\x02\x00\xff", 4);
	assert_int_equal(sa.selectors[0].dst_port_last, 65535);
}

/* In the order of RFC 7296 section 2.17: encryption, with its salt, before integrity. */
static void separate_integrity(void **state)
{
	static const uint8_t encr[] = { 1, 2, 3, 4 }, integ[] = { 5, 6, 7 };
	static const uint8_t both[] = { 1, 2, 3, 4, 5, 6, 7 };
	struct ike_sa_spec spec = {
		.src = { addr("192.0.2.1"), 0 },
		.dst = { addr("192.0.2.2"), 0 },
		.encr = 12,
		.integ = 14,
		.encr_key = encr,
		.encr_key_len = sizeof(encr),
		.integ_key = integ,
		.integ_key_len = sizeof(integ),
	};
	struct mapping_keymat keymat;
	struct dp_sa sa;
	const char *why = NULL;

	assert_int_equal(mapping_sa(&sa, &keymat, &spec, 1, &why), 0);
	assert_int_equal(sa.encr, 12);
	assert_int_equal(sa.integ, 14);
	assert_int_equal(sa.keymat.len, sizeof(both));
	assert_memory_equal(sa.keymat.data, both, sizeof(both));

	/* NULL encryption has no key of its own. */
	spec.encr_key = NULL;
	spec.encr_key_len = 0;
	assert_int_equal(mapping_sa(&sa, &keymat, &spec, 1, &why), 0);
	assert_int_equal(sa.keymat.len, sizeof(integ));
	assert_memory_equal(sa.keymat.data, integ, sizeof(integ));

	spec.integ_key_len = sizeof(keymat) + 1;
	assert_int_equal(mapping_sa(&sa, &keymat, &spec, 1, &why), -EINVAL);
	assert_non_null(why);
}

static size_t pairs(const char *const *src, size_t n_src, const char *const *dst, size_t n_dst,
		    struct dp_selector *out, int *err, const char **why)
{
	struct ike_ts from[8], to[8];
	size_t i, n;

	for (i = 0; i < n_src; i++)
		from[i] = ts(src[i]);
	for (i = 0; i < n_dst; i++)
		to[i] = ts(dst[i]);
	*err = mapping_selectors(out, &n, from, n_src, to, n_dst, why);
	return n;
}

/*
 * Two sources and three destinations: six pairs, but only those of one family, here 1 x 2 + 1 x 1.
 */
static void every_pair(void **state)
{
	static const char *const src[] = { "10.1.0.0/24", "2001:db8:1::/64" };
	static const char *const dst[] = { "10.2.0.0/24", "2001:db8:2::/64", "10.3.0.0/24" };
	struct dp_selector out[ESPLANE_MAX_SELECTORS];
	const char *why;
	int err;

	assert_int_equal(pairs(src, 2, dst, 3, out, &err, &why), 3);
	assert_int_equal(err, 0);
	assert_int_equal(out[0].dst_first.bytes[1], 2);
	assert_int_equal(out[1].dst_first.bytes[1], 3);
	assert_int_equal(out[2].dst_first.len, 16);
}

static void no_pair(void **state)
{
	static const char *const src[] = { "10.1.0.0/24" }, *const dst[] = { "2001:db8:2::/64" };
	struct dp_selector out[ESPLANE_MAX_SELECTORS];
	const char *why = NULL;
	int err;

	pairs(src, 1, dst, 1, out, &err, &why);
	assert_int_equal(err, -EINVAL);
	assert_non_null(why);
}

/* 6 x 6 = 36 pairs, and the data plane takes 32. */
static void too_many_pairs(void **state)
{
	static const char *const list[] = { "10.1.0.0/24", "10.2.0.0/24", "10.3.0.0/24",
					    "10.4.0.0/24", "10.5.0.0/24", "10.6.0.0/24" };
	struct dp_selector out[ESPLANE_MAX_SELECTORS];
	const char *why;
	int err;

	pairs(list, 6, list, 6, out, &err, &why);
	assert_int_equal(err, -E2BIG);
}

/* A protocol on one side only holds for the pair; two different ones make none. */
static void protocols(void **state)
{
	static const char *const tcp[] = { "10.1.0.0/24[tcp/80]" }, *const any[] = {
		"10.2.0.0/24"
	};
	static const char *const udp[] = { "10.2.0.0/24[udp]" };
	struct dp_selector out[ESPLANE_MAX_SELECTORS];
	const char *why;
	int err;

	assert_int_equal(pairs(tcp, 1, any, 1, out, &err, &why), 1);
	assert_int_equal(out[0].protocol, 6);
	assert_int_equal(out[0].src_port_first, 80);
	assert_int_equal(out[0].src_port_last, 80);
	assert_int_equal(out[0].dst_port_last, 65535);
	pairs(tcp, 1, udp, 1, out, &err, &why);
	assert_int_equal(err, -EINVAL);
}

/* RFC 7296 section 3.13.1: echo request (type 8, code 0) is port 0x0800. */
static void icmp(void **state)
{
	struct ike_ts echo = ts("10.1.0.0/24[icmp/8/0]"), any = ts("10.2.0.0/24[1]");
	struct dp_selector out[ESPLANE_MAX_SELECTORS];
	const char *why;
	size_t n;

	assert_int_equal(mapping_selectors(out, &n, &echo, 1, &any, 1, &why), 0);
	assert_int_equal(out[0].src_port_first, 8);
	assert_int_equal(out[0].src_port_last, 8);
	assert_int_equal(out[0].dst_port_first, 0);
	assert_int_equal(out[0].dst_port_last, 0);
	/* On the other side it means the same. */
	assert_int_equal(mapping_selectors(out, &n, &any, 1, &echo, 1, &why), 0);
	assert_int_equal(out[0].src_port_first, 8);
	assert_int_equal(mapping_selectors(out, &n, &any, 1, &any, 1, &why), 0);
	assert_int_equal(out[0].src_port_first, 0);
	assert_int_equal(out[0].src_port_last, 65535);
}

static void opaque(void **state)
{
	struct ike_ts odd = ts("10.1.0.0/24[tcp/opaque]"), any = ts("10.2.0.0/24");
	struct dp_selector out[ESPLANE_MAX_SELECTORS];
	const char *why;
	size_t n;

	assert_int_equal(mapping_selectors(out, &n, &odd, 1, &any, 1, &why), -EOPNOTSUPP);
}

static void policy(void **state)
{
	struct ike_ts a = ts("10.1.0.0/24"), b = ts("10.2.0.0/24");
	struct ike_policy_spec spec = { .action = IKE_POLICY_DISCARD, .priority = 77,
					.if_id = 5,
					.sa_id = 9,
					.cookie = 3,
					.src_ts = &a,
					.dst_ts = &b,
					.n_src_ts = 1,
					.n_dst_ts = 1 };
	struct dp_policy p;
	const char *why;

	assert_int_equal(mapping_policy(&p, &spec, 1, &why), 0);
	assert_int_equal(p.action, ESPLANE_ACTION_DISCARD);
	assert_int_equal(p.sa_id, 9);
	assert_int_equal(p.priority, 77);
	assert_int_equal(p.if_id, 5);
	assert_true(p.cookie == 0x100000003);
	spec.inbound = true;
	assert_int_equal(mapping_policy(&p, &spec, 1, &why), 0);
	assert_int_equal(p.sa_id, 0);
}

static bool meet(const char *a_src, const char *a_dst, const char *b_src, const char *b_dst)
{
	struct dp_selector a[1], b[1];
	struct ike_ts t[4] = { ts(a_src), ts(a_dst), ts(b_src), ts(b_dst) };
	const char *why;
	size_t n;

	assert_int_equal(mapping_selectors(a, &n, &t[0], 1, &t[1], 1, &why), 0);
	assert_int_equal(mapping_selectors(b, &n, &t[2], 1, &t[3], 1, &why), 0);
	assert_int_equal(mapping_overlap(a, 1, b, 1), mapping_overlap(b, 1, a, 1));
	return mapping_overlap(a, 1, b, 1);
}

static void overlap(void **state)
{
	assert_true(meet("10.1.0.0/24", "10.2.0.0/24", "10.1.0.128/25", "10.2.0.0/16"));
	assert_false(meet("10.1.0.0/25", "10.2.0.0/24", "10.1.0.128/25", "10.2.0.0/24"));
	assert_false(meet("10.1.0.0/24[tcp]", "10.2.0.0/24", "10.1.0.0/24[udp]", "10.2.0.0/24"));
	assert_true(meet("10.1.0.0/24[tcp]", "10.2.0.0/24", "10.1.0.0/24", "10.2.0.0/24"));
	assert_false(
		meet("10.1.0.0/24[tcp/80]", "10.2.0.0/24", "10.1.0.0/24[tcp/81]", "10.2.0.0/24"));
	assert_false(meet("10.1.0.0/24", "10.2.0.0/24", "2001:db8::/32", "2001:db8::/32"));
	assert_true(meet("10.1.0.255/32", "10.2.0.0/24", "10.1.0.0/24", "10.2.0.0/24"));
}

static void same_selectors(void **state)
{
	static const char *const one[] = { "10.1.0.0/24", "10.3.0.0/24" }, *const two[] = {
		"10.3.0.0/24", "10.1.0.0/24"
	};
	static const char *const dst[] = { "10.2.0.0/24" };
	struct dp_selector a[2], b[2];
	const char *why;
	int err;

	pairs(one, 2, dst, 1, a, &err, &why);
	pairs(two, 2, dst, 1, b, &err, &why);
	assert_true(mapping_same_selectors(a, 2, b, 2));
	assert_false(mapping_same_selectors(a, 2, b, 1));
	b[1] = b[0];
	assert_false(mapping_same_selectors(a, 2, b, 2));
	assert_false(mapping_same_selectors(b, 2, a, 2));
}

static void addresses_back(void **state)
{
	struct ike_addr a = addr("2001:db8::1"), b;
	struct dp_addr d;

	mapping_addr(&d, &a);
	assert_int_equal(d.len, 16);
	assert_true(mapping_addr_back(&b, &d));
	assert_true(ike_addr_equal(&a, &b));
	d.len = 5;
	assert_false(mapping_addr_back(&b, &d));
}

/* Against a naive model: a flag per ID. */
static void owned_against_model(void **state)
{
	struct owned_set set = { 0 };
	bool there[64] = { 0 };
	unsigned int i, id;
	size_t n;

	srandom(1);
	for (i = 0; i < 5000; i++) {
		id = random() % 64;
		if (random() % 2) {
			assert_int_equal(
				owned_add(&set, &(struct owned){ .id = id, .cookie = id * 3 }), 0);
			there[id] = true;
		} else {
			assert_int_equal(owned_remove(&set, id), there[id]);
			there[id] = false;
		}
		for (id = 0, n = 0; id < 64; n += there[id++]) {
			assert_int_equal(!!owned_find(&set, id), there[id]);
			if (there[id])
				assert_int_equal(owned_find(&set, id)->cookie, id * 3);
		}
		assert_int_equal(set.n, n);
	}
	owned_free(&set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(outbound_sa),
		cmocka_unit_test(link_local_sa), cmocka_unit_test(native_inbound_sa),
		cmocka_unit_test(separate_integrity),
		cmocka_unit_test(every_pair),
		cmocka_unit_test(no_pair),
		cmocka_unit_test(too_many_pairs),
		cmocka_unit_test(protocols),
		cmocka_unit_test(icmp),
		cmocka_unit_test(opaque),
		cmocka_unit_test(policy),
		cmocka_unit_test(overlap),
		cmocka_unit_test(same_selectors),
		cmocka_unit_test(addresses_back),
		cmocka_unit_test(owned_against_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
