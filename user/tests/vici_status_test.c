// SPDX-License-Identifier: MIT
/*
 * What the engine tells becomes what the README of VICI promises under "list-sa" and its
 * neighbours. The names of algorithms are those that strongSwan's tools print.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "vici/names.h"
#include "vici/session.h"
#include "vici/status.h"

/* An SA as an initiator behind no NAT, its peer behind one, 63 seconds after it came up. */
struct story {
	struct ike_id local_id, remote_id;
	struct ike_ts local_ts, remote_ts[2];
	struct ike_child_info child;
	struct ike_sa_info sa;
	ike_time now;
};

static void parse_ts(const char *text, struct ike_ts *ts)
{
	struct ike_error err;

	assert_true(ike_ts_parse(text, ts, &err));
}

static int tell(void **state)
{
	/* The second is left out. */
	static const uint16_t addke[IKE_ADDKE_MAX] = { IKE_KE_ECP_384, 0, IKE_KE_ML_KEM_768 };
	struct story *s = calloc(1, sizeof(*s));
	struct ike_error err;

	assert_true(ike_id_parse("moon.example.org", &s->local_id, &err));
	assert_true(ike_id_parse("192.0.2.2", &s->remote_id, &err));
	parse_ts("10.1.0.0/16", &s->local_ts);
	parse_ts("10.2.0.0/16[tcp/22]", &s->remote_ts[0]);
	parse_ts("10.3.0.0/16", &s->remote_ts[1]);
	s->now = 1063 * (ike_time)IKE_SECOND;
	s->child = (struct ike_child_info){
		.id = 7,
		.name = "net",
		.state = "INSTALLED",
		.spi_in = 0xc1234567,
		.spi_out = 0xabcd,
		.udp_encap = true,
		.transport = true,
		.esn = true,
		.encr = IKE_ENCR_AES_GCM_16,
		.encr_bits = 256,
		.ke = IKE_KE_CURVE25519,
		.local_ts = &s->local_ts,
		.n_local_ts = 1,
		.remote_ts = s->remote_ts,
		.n_remote_ts = 2,
		.in = {4404019, 5000, 3},
		.out = {0, 0, UINT64_MAX},
		.installed = 1003 * (ike_time)IKE_SECOND,
		.rekey_at = 2063 * (ike_time)IKE_SECOND,
		.expire_at = 2163 * (ike_time)IKE_SECOND,
		.if_id_in = 0x1f,
	};
	s->sa = (struct ike_sa_info){
		.id = 3, .conn = "home", .state = "ESTABLISHED", .local_id = &s->local_id,
		.remote_id = &s->remote_id, .remote_user = "carol", .spi_i = 0x0102030405060708, .spi_r = 0xa1,
		.initiator = true, .nat_remote = true, .nat_any = true, .ppk = true, .encr = IKE_ENCR_AES_CBC,
		.encr_bits = 128, .integ = IKE_INTEG_HMAC_SHA2_256_128,
		.prf = IKE_PRF_HMAC_SHA2_256, .ke = IKE_KE_MODP_2048, .addke = addke,
		.established = 1000 * (ike_time)IKE_SECOND, .children = &s->child, .n_children = 1,
	};
	assert_true(ike_addr_parse("192.0.2.1", &s->sa.local.addr, &err));
	assert_true(ike_addr_parse("2001:db8::2", &s->sa.remote.addr, &err));
	s->sa.local.port = 500;
	s->sa.remote.port = 4500;
	*state = s;
	return 0;
}

static int forget(void **state)
{
	free(*state);
	return 0;
}

static struct vici_node *parsed(struct vici_builder *b)
{
	struct vici_packet p;
	struct vici_node *n;
	const char *why;
	uint8_t *packet;
	size_t len;

	packet = vici_finish(b, &len, &why);
	assert_non_null(packet);
	assert_int_equal(vici_packet_parse(&p, packet + VICI_HEADER_LEN, len - VICI_HEADER_LEN,
					   &why), 0);
	n = vici_tree_parse(p.body, p.body_len, &why);
	assert_non_null(n);
	free(packet);
	return n;
}

static void has(const struct vici_node *n, const char *key, const char *value)
{
	const char *have = vici_get(n, key);

	assert_non_null(n);
	if (!value)
		assert_null(have);
	else if (!have)
		fail_msg("there is no %s", key);
	else
		assert_string_equal(have, value);
}

static void has_list(const struct vici_node *n, const char *key, const char *values)
{
	const struct vici_node *list = vici_child(n, key), *i;
	char text[256] = "";

	assert_non_null(list);
	for (i = list->child; i; i = i->next)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s;", i->value);
	assert_string_equal(text, values);
}

static void check_sa_keys(const struct vici_node *sa)
{
	has(sa, "uniqueid", "3");
	has(sa, "version", "2");
	has(sa, "state", "ESTABLISHED");
	has(sa, "local-host", "192.0.2.1");
	has(sa, "local-port", "500");
	has(sa, "local-id", "moon.example.org");
	has(sa, "remote-host", "2001:db8::2");
	has(sa, "remote-port", "4500");
	has(sa, "remote-id", "192.0.2.2");
	has(sa, "remote-eap-id", "carol");
	has(sa, "initiator", "yes");
	has(sa, "initiator-spi", "0102030405060708");
	has(sa, "responder-spi", "00000000000000a1");
	has(sa, "nat-local", NULL);
	has(sa, "nat-remote", "yes");
	has(sa, "nat-any", "yes");
	has(sa, "encr-alg", "AES_CBC");
	has(sa, "encr-keysize", "128");
	has(sa, "integ-alg", "HMAC_SHA2_256_128");
	has(sa, "prf-alg", "PRF_HMAC_SHA2_256");
	has(sa, "dh-group", "MODP_2048");
	has(sa, "ake1", "ECP_384");
	has(sa, "ake2", NULL);
	has(sa, "ake3", "ML_KEM_768");
	has(sa, "ppk", "yes");
	has(sa, "established", "63");
	has(sa, "rekey-time", NULL);		/* never */
}

static void check_child_keys(const struct vici_node *child)
{
	has(child, "name", "net");
	has(child, "uniqueid", "7");
	has(child, "reqid", "7");
	has(child, "state", "INSTALLED");
	has(child, "mode", "TRANSPORT");
	has(child, "protocol", "ESP");
	has(child, "encap", "yes");
	has(child, "spi-in", "c1234567");
	has(child, "spi-out", "0000abcd");
	has(child, "if-id-in", "0000001f");
	has(child, "if-id-out", NULL);
	has(child, "encr-alg", "AES_GCM_16");
	has(child, "encr-keysize", "256");
	has(child, "integ-alg", NULL);
	has(child, "dh-group", "CURVE_25519");
	has(child, "esn", "1");
	has(child, "bytes-in", "4404019");
	has(child, "packets-in", "5000");
	has(child, "use-in", "3");
	has(child, "bytes-out", "0");
	has(child, "packets-out", "0");
	has(child, "use-out", NULL);		/* never used */
	has(child, "rekey-time", "1000");
	has(child, "life-time", "1100");
	has(child, "install-time", "60");
	has_list(child, "local-ts", "10.1.0.0/16;");
	has_list(child, "remote-ts", "10.2.0.0/16[tcp/22];10.3.0.0/16;");
}

static void list_sa(void **state)
{
	struct story *s = *state;
	struct vici_builder b;
	struct vici_node *n;

	vici_event_begin(&b, VICI_EV_LIST_SA);
	vici_put_sa(&b, &s->sa, s->now);
	n = parsed(&b);
	check_sa_keys(vici_child(n, "home"));
	check_child_keys(vici_child(vici_child(vici_child(n, "home"), "child-sas"), "net-7"));
	vici_tree_free(n);
}

/* Right after the first packet nothing is known of the peer; swanctl prints IDs all the same. */
static void a_connecting_sa(void **state)
{
	struct ike_sa_info sa = { .id = 1, .conn = "home", .state = "CONNECTING" };
	const struct vici_node *home;
	struct vici_builder b;
	struct vici_node *n;

	vici_event_begin(&b, VICI_EV_LIST_SA);
	vici_put_sa(&b, &sa, IKE_SECOND);
	n = parsed(&b);
	home = vici_child(n, "home");
	has(home, "local-id", "%any");
	has(home, "remote-host", NULL);
	has(home, "initiator", NULL);
	has(home, "encr-alg", NULL);
	has(home, "established", NULL);
	assert_non_null(vici_child(home, "child-sas"));
	vici_tree_free(n);
}

/* The clock of a caller may be behind the time of an event, or past a deadline: never negative. */
static void times_do_not_wrap(void **state)
{
	struct story *s = *state;
	const struct vici_node *child;
	struct vici_builder b;
	struct vici_node *n;

	vici_event_begin(&b, VICI_EV_LIST_SA);
	s->child.installed = s->now + 5;
	s->child.rekey_at = s->now - 5;
	s->child.expire_at = UINT64_MAX;
	vici_put_sa(&b, &s->sa, s->now);
	n = parsed(&b);
	child = vici_child(vici_child(vici_child(n, "home"), "child-sas"), "net-7");
	has(child, "install-time", "0");
	has(child, "rekey-time", "0");
	has(child, "life-time", NULL);
	vici_tree_free(n);
}

static void updown_events(void **state)
{
	struct story *s = *state;
	struct vici_builder b;
	struct vici_node *n;

	vici_event_begin(&b, VICI_EV_IKE_UPDOWN);
	vici_put_ike_updown(&b, true, &s->sa, s->now);
	n = parsed(&b);
	has(n, "up", "yes");
	check_sa_keys(vici_child(n, "home"));
	assert_null(vici_child(vici_child(n, "home"), "child-sas"));
	vici_tree_free(n);

	vici_event_begin(&b, VICI_EV_CHILD_UPDOWN);
	vici_put_child_updown(&b, false, &s->sa, &s->child, s->now);
	n = parsed(&b);
	has(n, "up", NULL);
	check_sa_keys(vici_child(n, "home"));
	check_child_keys(vici_child(vici_child(vici_child(n, "home"), "child-sas"), "net-7"));
	vici_tree_free(n);
}

static void rekey_events(void **state)
{
	struct story *s = *state;
	struct ike_sa_info old_sa = { .id = 2, .conn = "home" };
	struct ike_child_info old_child = { .id = 6, .name = "net" };
	const struct vici_node *child;
	struct vici_builder b;
	struct vici_node *n;

	vici_event_begin(&b, VICI_EV_IKE_REKEY);
	vici_put_ike_rekey(&b, &old_sa, &s->sa, s->now);
	n = parsed(&b);
	has(vici_child(vici_child(n, "home"), "old"), "uniqueid", "2");
	check_sa_keys(vici_child(vici_child(n, "home"), "new"));
	vici_tree_free(n);

	vici_event_begin(&b, VICI_EV_CHILD_REKEY);
	vici_put_child_rekey(&b, &s->sa, &old_child, &s->child, s->now);
	n = parsed(&b);
	child = vici_child(vici_child(vici_child(n, "home"), "child-sas"), "net-7");
	has(vici_child(child, "old"), "uniqueid", "6");
	check_child_keys(vici_child(child, "new"));
	vici_tree_free(n);
}

static void list_conn(void **state)
{
	struct story *s = *state;
	struct ike_child_cfg child = {
		.name = "net", .local_ts = &s->local_ts, .n_local_ts = 1, .remote_ts = s->remote_ts,
		.n_remote_ts = 2, .life.soft_seconds = 3600,
	};
	struct ike_ts addr = ike_ts_of_addr(&s->sa.local.addr);
	struct ike_conn_cfg conn = {
		.name = "home", .local_addrs = &addr, .n_local_addrs = 1, .local.id = s->local_id,
		.rekey_time = 14400, .unique = IKE_UNIQUE_REPLACE, .children = &child,
		.n_children = 1,
	};
	const struct vici_node *home;
	struct vici_builder b;
	struct vici_node *n;

	vici_event_begin(&b, VICI_EV_LIST_CONN);
	vici_put_conn(&b, &conn);
	n = parsed(&b);
	home = vici_child(n, "home");
	has_list(home, "local_addrs", "192.0.2.1/32;");
	has_list(home, "remote_addrs", "%any;");
	has(home, "version", "IKEv2");
	has(home, "rekey_time", "14400");
	has(home, "unique", "UNIQUE_REPLACE");
	has(vici_child(home, "local-1"), "class", "pre-shared key");
	has(vici_child(home, "local-1"), "id", "moon.example.org");
	has(vici_child(home, "remote-1"), "id", NULL);
	has(vici_child(vici_child(home, "children"), "net"), "mode", "TUNNEL");
	has_list(vici_child(vici_child(home, "children"), "net"), "local-ts", "10.1.0.0/16;");
	vici_tree_free(n);
}

static struct vici_node *logged(enum ike_log_level level, const char *name)
{
	struct vici_builder b;

	vici_event_begin(&b, VICI_EV_LOG);
	vici_put_log(&b, "IKE", level, name, "text");
	return parsed(&b);
}

static void log_lines(void **state)
{
	struct vici_node *n = logged(IKE_LOG_INFO, "home[3]/net{7}");

	has(n, "group", "IKE");
	has(n, "level", "1");
	has(n, "ikesa-name", "home");
	has(n, "ikesa-uniqueid", "3");
	has(n, "msg", "home[3]/net{7}: text");
	vici_tree_free(n);
	n = logged(IKE_LOG_ERROR, "");
	has(n, "level", "0");
	has(n, "ikesa-name", NULL);
	has(n, "msg", "text");
	vici_tree_free(n);
	n = logged(IKE_LOG_DEBUG, "home[");
	has(n, "ikesa-name", NULL);
	vici_tree_free(n);
	assert_true(vici_log_wanted(IKE_LOG_INFO, 1));
	assert_false(vici_log_wanted(IKE_LOG_DEBUG, 1));
	assert_false(vici_log_wanted(IKE_LOG_ERROR, -1));
}

static void statistics(void **state)
{
	static const struct vici_drop drops[] = {
		{ "REPLAY", "sequence number already seen", 3 }, { "NO_SA", "no SA", 0 },
	};
	struct ike_counters counters = { .received = 5, .cookies_sent = 1 };
	struct vici_builder b;
	struct vici_node *n;

	vici_reply_begin(&b);
	vici_put_esplane_stats(&b, &counters, drops, 2);
	n = parsed(&b);
	has(vici_child(n, "ike"), "received", "5");
	has(vici_child(n, "ike"), "cookies-sent", "1");
	has(vici_child(vici_child(n, "drops"), "REPLAY"), "count", "3");
	has(vici_child(vici_child(n, "drops"), "REPLAY"), "meaning",
	    "sequence number already seen");
	assert_null(vici_child(vici_child(n, "drops"), "NO_SA"));
	vici_tree_free(n);
}

static int match(struct ike_match *m, const char **why, const char *key, const char *value)
{
	static struct vici_node *args;
	struct vici_builder b;

	vici_tree_free(args);
	args = NULL;
	*why = NULL;
	if (!key)
		return 0;
	vici_begin(&b, VICI_CMD_RESPONSE, NULL);
	vici_str(&b, key, value);
	args = parsed(&b);
	return vici_get_match(args, m, why);
}

static void matches(void **state)
{
	struct ike_match m;
	const char *why;

	assert_int_equal(match(&m, &why, "ike", "home"), 0);
	assert_string_equal(m.conn, "home");
	assert_null(m.child);
	assert_int_equal(match(&m, &why, "child", "net"), 0);
	assert_string_equal(m.child, "net");
	assert_int_equal(match(&m, &why, "ike-id", "18446744073709551615"), 0);
	assert_true(m.ike_id == UINT64_MAX);
	assert_int_equal(match(&m, &why, "child-id", "0"), -1);
	assert_string_equal(why, "an ID is no number");
	assert_int_equal(match(&m, &why, "child-id", "18446744073709551616"), -1);
	assert_int_equal(match(&m, &why, "child-id", "-1"), -1);
	assert_int_equal(match(&m, &why, "child-id", "1x"), -1);
	assert_int_equal(match(&m, &why, "timeout", "1"), -1);
	assert_string_equal(why, "nothing is named: give ike, child, ike-id or child-id");
	match(&m, &why, NULL, NULL);
}

static void algorithms(void **state)
{
	char name[VICI_ALG_MAX];

	assert_string_equal(vici_alg_name(IKE_TRANSFORM_ENCR, 20, name), "AES_GCM_16");
	assert_string_equal(vici_alg_name(IKE_TRANSFORM_ENCR, 28, name), "CHACHA20_POLY1305");
	assert_string_equal(vici_alg_name(IKE_TRANSFORM_ENCR, 3, name), "3DES_CBC");
	assert_string_equal(vici_alg_name(IKE_TRANSFORM_PRF, 7, name), "PRF_HMAC_SHA2_512");
	assert_string_equal(vici_alg_name(IKE_TRANSFORM_INTEG, 14, name), "HMAC_SHA2_512_256");
	assert_string_equal(vici_alg_name(IKE_TRANSFORM_KE, 19, name), "ECP_256");
	assert_string_equal(vici_alg_name(IKE_TRANSFORM_KE, 31, name), "CURVE_25519");
	assert_string_equal(vici_alg_name(IKE_TRANSFORM_KE, 32, name), "CURVE_448");
	assert_string_equal(vici_alg_name(IKE_TRANSFORM_KE, 1000, name), "(1000)");
}

#define STORY(test) cmocka_unit_test_setup_teardown(test, tell, forget)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(list_sa),
		STORY(a_connecting_sa),
		STORY(times_do_not_wrap),
		STORY(updown_events),
		STORY(rekey_events),
		STORY(list_conn),
		cmocka_unit_test(log_lines),
		cmocka_unit_test(statistics),
		cmocka_unit_test(matches),
		cmocka_unit_test(algorithms),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
