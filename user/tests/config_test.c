// SPDX-License-Identifier: MIT
/*
 * From swanctl.conf's keys to the typed configuration: defaults as swanctl.conf(5) documents them,
 * each key's effect, and the text of every error.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <net/if.h>

#include "config/load.h"
#include "config/near.h"
#include "config/value.h"

/* A connection that lacks nothing; CONN() and CHILD() put more keys into it. */
#define WITH(conn_keys, child_keys)						\
	"connections {\n"							\
	" home {\n"								\
	"  remote_addrs = 192.0.2.2\n"						\
	"  local { auth = psk\n id = moon }\n"					\
	"  remote { auth = psk\n id = sun }\n"					\
	"  " conn_keys "\n"							\
	"  children { net {\n"							\
	"   " child_keys "\n"							\
	"  } }\n"								\
	" }\n"									\
	"}\n"									\
	"secrets { ike { secret = s } }\n"
#define CONN(keys) WITH(keys, "")		/* from line 8 */
#define CHILD(keys) WITH("", keys)		/* from line 10 */

static char *all_messages(const struct cfg_errors *errors)
{
	char *text;
	size_t i, len;
	FILE *out = open_memstream(&text, &len);

	for (i = 0; i < errors->n; i++)
		fprintf(out, "%s%s\n", errors->list[i].severity == CFG_WARNING ? "warning: " : "",
			errors->list[i].text);
	fclose(out);
	return text;
}

static struct daemon_config *accepted(const char *text)
{
	struct cfg_errors errors = { 0 };
	struct daemon_config *c = config_parse("t.conf", text, strlen(text), &errors);
	char *said = all_messages(&errors);

	assert_string_equal(said, "");
	assert_non_null(c);
	free(said);
	cfg_errors_free(&errors);
	return c;
}

static void says(const char *text, const char *expected, bool loads)
{
	struct cfg_errors errors = { 0 };
	struct daemon_config *c = config_parse("t.conf", text, strlen(text), &errors);
	char *said = all_messages(&errors);

	assert_string_equal(said, expected);
	assert_int_equal(!!c, loads);
	free(said);
	cfg_errors_free(&errors);
	config_free(c);
}

static void refused(const char *text, const char *expected)
{
	says(text, expected, false);
}

static const struct ike_conn_cfg *only_conn(const struct daemon_config *c)
{
	assert_int_equal(c->ike->n_conns, 1);
	return &c->ike->conns[0];
}

static const struct ike_child_cfg *only_child(const struct daemon_config *c)
{
	assert_int_equal(only_conn(c)->n_children, 1);
	return &only_conn(c)->children[0];
}

static void check_ts(const struct ike_ts *ts, size_t n, const char *expected)
{
	char text[512];

	assert_string_equal(ike_ts_list_text(ts, n, text, sizeof(text)), expected);
}

static void check_id(const struct ike_id *id, const char *expected)
{
	char text[IKE_ID_TEXT_MAX];

	assert_string_equal(ike_id_text(id, text, sizeof(text)), expected);
}

/* Without local_port: the daemon's own for IKE, or the one that has what the peer's port wants. */
static void local_port_by_remote(void **state)
{
	struct daemon_config *c = accepted("esplaned { port = 5000\n port_nat_t = 5001 }\n" CONN(""));

	assert_int_equal(only_conn(c)->local_port, 5000);
	config_free(c);
	c = accepted("esplaned { port = 5000\n port_nat_t = 5001 }\n" CONN("remote_port = 4500"));
	assert_int_equal(only_conn(c)->local_port, 5001);
	config_free(c);
	c = accepted(CONN("local_port = 4500\n remote_port = 4500"));
	assert_int_equal(only_conn(c)->local_port, 4500);
	config_free(c);
}

static void defaults(void **state)
{
	struct daemon_config *c = accepted(CONN(""));
	const struct ike_conn_cfg *conn = only_conn(c);
	const struct ike_child_cfg *child = only_child(c);

	assert_string_equal(conn->name, "home");
	assert_int_equal(conn->n_local_addrs, 0);
	check_ts(conn->remote_addrs, conn->n_remote_addrs, "192.0.2.2/32");
	assert_int_equal(conn->local_port, 500);
	assert_int_equal(conn->remote_port, 500);
	assert_true(conn->proposals.n > 0);
	assert_int_equal(conn->local.method, IKE_AUTH_CFG_PSK);
	check_id(&conn->local.id, "moon");
	check_id(&conn->remote.id, "sun");
	assert_false(conn->force_encap);
	assert_int_equal(conn->dpd_delay, 0);
	assert_int_equal(conn->rekey_time, 4 * 3600);
	assert_int_equal(conn->over_time, 4 * 3600 / 10);
	assert_int_equal(conn->rand_time, 4 * 3600 / 10);
	assert_int_equal(conn->keyingtries, 1);
	assert_int_equal(conn->unique, IKE_UNIQUE_NO);
	assert_int_equal(conn->childless, IKE_CHILDLESS_ALLOW);
	assert_string_equal(child->name, "net");
	check_ts(child->local_ts, child->n_local_ts, "dynamic");
	check_ts(child->remote_ts, child->n_remote_ts, "dynamic");
	assert_true(child->proposals.n > 0);
	assert_int_equal(child->life.soft_seconds, 3600);
	assert_int_equal(child->life.hard_seconds, 3960);
	assert_int_equal(child->life.jitter_seconds, 360);
	assert_int_equal(child->life.soft_bytes, 0);
	assert_int_equal(child->life.hard_bytes, 0);
	assert_int_equal(child->life.jitter_packets, 0);
	assert_int_equal(child->start_action, IKE_START_NONE);
	assert_int_equal(child->dpd_action, IKE_START_NONE);
	assert_int_equal(c->port, 500);
	assert_int_equal(c->port_nat_t, 4500);
	assert_null(c->socket);
	assert_int_equal(c->log.of[LOG_IKE], IKE_LOG_INFO);
	assert_int_equal(c->ike->settings.cookie_threshold, 0);
	config_free(c);
}

static void connection_keys(void **state)
{
	struct daemon_config *c = accepted(CONN(
		"version = 2\n local_addrs = 10.0.0.1, 10.1.0.0/16,2001:db8::1-2001:db8::9\n"
		"local_port = 4500\n remote_port = 501\n proposals = aes256-sha256-modp2048\n"
		"encap = yes\n dpd_delay = 30\n dpd_timeout = 45\n rekey_time = 2h\n over_time = 5m\n rand_time = 1m\n"
		"keyingtries = 0\n unique = replace\n childless = prefer\n if_id_in = 7\n if_id_out = 0x10\n"
		"mobike = yes\n reauth_time = 0s\n fragmentation = accept\n"));
	const struct ike_conn_cfg *conn = only_conn(c);
	char text[IKE_PROPOSAL_TEXT_MAX];

	check_ts(conn->local_addrs, conn->n_local_addrs,
		 "10.0.0.1/32 10.1.0.0/16 2001:db8::1-2001:db8::9");
	assert_int_equal(conn->local_port, 4500);
	assert_int_equal(conn->remote_port, 501);
	assert_string_equal(ike_proposal_list_text(&conn->proposals, text, sizeof(text)),
			    "aes256-sha256-prfsha256-modp2048");
	assert_true(conn->force_encap);
	assert_true(conn->mobike);
	assert_int_equal(conn->dpd_delay, 30);
	assert_int_equal(conn->dpd_timeout, 45);
	assert_int_equal(conn->rekey_time, 7200);
	assert_int_equal(conn->over_time, 300);
	assert_int_equal(conn->rand_time, 60);
	assert_int_equal(conn->keyingtries, 0);
	assert_int_equal(conn->unique, IKE_UNIQUE_REPLACE);
	assert_int_equal(conn->childless, IKE_CHILDLESS_PREFER);
	assert_int_equal(conn->fragmentation, IKE_FRAGMENT_ACCEPT);
	/* the children have the connection's interfaces unless they name their own */
	assert_int_equal(only_child(c)->if_id_in, 7);
	assert_int_equal(only_child(c)->if_id_out, 16);
	config_free(c);
}

static void fragmentation(void **state)
{
	static const struct {
		const char *text;
		enum ike_fragmentation value;
	} cases[] = {
		{ CONN(""), IKE_FRAGMENT_YES },
		{ CONN("fragmentation = yes"), IKE_FRAGMENT_YES },
		{ CONN("fragmentation = force"), IKE_FRAGMENT_YES },
		{ CONN("fragmentation = no"), IKE_FRAGMENT_NO },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct daemon_config *c = accepted(cases[i].text);

		assert_int_equal(only_conn(c)->fragmentation, cases[i].value);
		config_free(c);
	}
}

#define POOLS(conn, pools) \
	"connections { c { " conn "\n local { auth = psk }\n remote { auth = psk }\n" \
	"children { net { } } } }\nsecrets { ike { secret = x } }\npools {\n" pools "\n}\n"

/* RFC 9370, with what every library has. */
static void additional_key_exchanges(void **state)
{
	struct daemon_config *c = accepted(WITH("proposals = aes128-sha256-x25519-ke1_ecp256",
						"esp_proposals = aes128gcm16-x25519-ke2_ecp384"));
	struct ike_conn_cfg *conn = &c->ike->conns[0];

	assert_true(ike_proposal_has(&conn->proposals, IKE_TRANSFORM_ADDKE1, IKE_KE_ECP_256));
	assert_true(ike_proposal_has(&conn->children[0].proposals, IKE_TRANSFORM_ADDKE2,
				     IKE_KE_ECP_384));
	config_free(c);
	refused(CONN("proposals = aes128-sha256-x25519-ke1_ecp265"),
		"t.conf:8: proposals: proposal \"aes128-sha256-x25519-ke1_ecp265\": algorithm "
		"\"ke1_ecp265\" is unknown; the nearest is \"ke1_ecp256\"\n");
}

#define PPK(conn_keys, secrets) CONN(conn_keys) "secrets { " secrets " }\n"

/* RFC 8784. */
static void ppks(void **state)
{
	struct daemon_config *c = accepted(PPK("ppk_id = one\n ppk_required = yes",
					       "ppk-1 { id = other\n secret = x }\n"
					       "ppk-2 { id-a = one\n secret = 0x0102 }"));
	struct ike_conn_cfg *conn = &c->ike->conns[0];

	assert_true(conn->ppk_required);
	assert_int_equal(conn->ppk_id.len, 3);
	assert_int_equal(c->ike->n_secrets, 1);
	assert_int_equal(c->ike->n_ppks, 2);
	assert_memory_equal(c->ike->ppks[1].ids[0].data, "one", 3);
	assert_int_equal(c->ike->ppks[1].key_len, 2);
	config_free(c);
	refused(CONN("ppk_id = one"), "t.conf:8: connection \"home\": there is no such PPK: add "
		"secrets { ppk { id = ... secret = ... } }\n");
	refused(CONN("ppk_required = yes"), "t.conf:8: connection \"home\": there is no PPK: add "
		"secrets { ppk { id = ... secret = ... } }\n");
	refused(PPK("ppk_id = one", "ppk { id = one }"),
		"t.conf:15: section \"ppk\" has no secret\n");
	refused(PPK("", "ppk { secret = x }"),
		"t.conf:15: section \"ppk\" has no id: nothing could name it\n");
}

static void pools(void **state)
{
	struct daemon_config *c = accepted(POOLS("pools = four, six\n vips = 0.0.0.0, ::, 10.9.0.7",
		"four { addrs = 10.9.0.0/24\n dns = 10.1.0.53, 2001:db8::53\n"
		"split_include = 10.1.0.0/16, 2001:db8::/32\n netmask = 255.255.254.0 }\n"
		"six { addrs = 2001:db8:9::10-2001:db8:9::1f }"));
	const struct ike_conn_cfg *conn = &c->ike->conns[0];
	const struct ike_pool_cfg *p = c->ike->pools;
	char text[IKE_ADDR_TEXT_MAX];

	assert_int_equal(conn->n_pools, 2);
	assert_string_equal(conn->pools[1], "six");
	assert_int_equal(conn->n_vips, 3);
	assert_string_equal(ike_addr_text(&conn->vips[1], text, sizeof(text)), "::");
	assert_string_equal(ike_addr_text(&conn->vips[2], text, sizeof(text)), "10.9.0.7");
	assert_int_equal(c->ike->n_pools, 2);
	/* Of a prefix neither the network's address nor the broadcast's; of a range all. */
	assert_string_equal(ike_addr_text(&p[0].first, text, sizeof(text)), "10.9.0.1");
	assert_string_equal(ike_addr_text(&p[0].last, text, sizeof(text)), "10.9.0.254");
	assert_string_equal(ike_addr_text(&p[1].first, text, sizeof(text)), "2001:db8:9::10");
	assert_string_equal(ike_addr_text(&p[1].last, text, sizeof(text)), "2001:db8:9::1f");
	assert_int_equal(p[0].n_dns, 2);
	check_ts(p[0].split, p[0].n_split, "10.1.0.0/16 2001:db8::/32");
	assert_string_equal(ike_addr_text(&p[0].netmask, text, sizeof(text)), "255.255.254.0");
	assert_int_equal(p[1].netmask.family, 0);
	config_free(c);
}

static void wrong_pools(void **state)
{
	refused(POOLS("pools = none", ""), "t.conf:1: connection \"c\": there is no pool \"none\"\n");
	refused(POOLS("", "p { dns = 10.0.0.1 }"),
		"t.conf:7: pool \"p\": addrs must be one prefix or range\n");
	refused(POOLS("", "p { addrs = 10.0.0.0/8 }"),
		"t.conf:7: pool \"p\": more than 65536 addresses\n");
	refused(POOLS("", "p { addrs = 10.0.0.0/24\n split_include = 10.0.0.1-10.0.0.9 }"),
		"t.conf:7: pool \"p\": split_include takes prefixes, no ranges\n");
	refused(POOLS("", "p { addrs = 10.0.0.0/24\n dns = 10.0.0.0/24 }"),
		"t.conf:8: pool \"p\": a name server is one address, no range\n");
	refused(POOLS("", "p { addrs = 10.0.0.0/24\n netmask = 255.0.255.0 }"),
		"t.conf:8: netmask: \"255.0.255.0\" is no netmask (such as 255.255.255.0)\n");
	refused(POOLS("", "p { addrs = 10.0.0.0/24\n netmask = 24 }"),
		"t.conf:8: netmask: \"24\" is no netmask (such as 255.255.255.0)\n");
	refused(POOLS("", "p { addrs = 2001:db8::/120\n netmask = 255.255.255.0 }"),
		"t.conf:8: pool \"p\": netmask is for addresses of IPv4\n");
	refused(POOLS("vips = 10.0.0.0/8", ""),
		"t.conf:1: connection \"c\": vips takes single addresses; 0.0.0.0 or :: for any\n");
}

static void any_address(void **state)
{
	struct daemon_config *c = accepted(CONN("local_addrs = %any"));

	assert_int_equal(only_conn(c)->n_local_addrs, 0);
	config_free(c);
}

static void child_keys(void **state)
{
	struct daemon_config *c = accepted(CHILD(
		"local_ts = 10.1.0.0/16[tcp/22], dynamic\n remote_ts = 10.2.0.0/16\n"
		"esp_proposals = aes128gcm16\n mode = tunnel\n rekey_time = 60\n life_time = 2m\n"
		"rand_time = 0\n rekey_bytes = 500m\n life_bytes = 1g\n rand_bytes = 1k\n"
		"rekey_packets = 1000\n life_packets = 0\n start_action = start\n"
		"close_action = trap\n dpd_action = restart\n if_id_in = 1\n if_id_out = 2\n"
		"replay_window = 64\n priority = 9\n inactivity = 5m\n"
		"mark_in = 7\n mark_out = 0x10/0xf0\n set_mark_out = 9\n copy_dscp = no\n"
		"set_mark_in = 11\n"
		"copy_ecn = no\n updown = /etc/fw up\n hostaccess = yes\n policies_fwd_out = yes\n"));
	const struct ike_child_cfg *child = only_child(c);
	char text[IKE_PROPOSAL_TEXT_MAX];

	check_ts(child->local_ts, child->n_local_ts, "10.1.0.0/16[tcp/22] dynamic");
	check_ts(child->remote_ts, child->n_remote_ts, "10.2.0.0/16");
	ike_proposal_list_text(&child->proposals, text, sizeof(text));
	assert_int_equal(strncmp(text, "aes128gcm16", strlen("aes128gcm16")), 0);
	assert_int_equal(child->life.soft_seconds, 60);
	assert_int_equal(child->life.hard_seconds, 120);
	assert_int_equal(child->life.jitter_seconds, 0);
	assert_int_equal(child->life.soft_bytes, 500ull << 20);
	assert_int_equal(child->life.hard_bytes, 1ull << 30);
	assert_int_equal(child->life.jitter_bytes, 1024);
	assert_int_equal(child->life.soft_packets, 1000);
	assert_int_equal(child->life.hard_packets, 0);
	assert_int_equal(child->start_action, IKE_START_START);
	assert_int_equal(child->close_action, IKE_START_TRAP);
	assert_int_equal(child->dpd_action, IKE_START_START);
	assert_int_equal(child->if_id_in, 1);
	assert_int_equal(child->if_id_out, 2);
	assert_int_equal(child->replay_window, 64);
	assert_int_equal(child->priority, 9);
	assert_int_equal(child->inactivity, 300);
	assert_int_equal(child->mark_in.value, 7);
	assert_int_equal(child->mark_in.mask, UINT32_MAX);
	assert_int_equal(child->mark_out.value, 0x10);
	assert_int_equal(child->mark_out.mask, 0xf0);
	assert_int_equal(child->set_mark_out, 9);
	assert_int_equal(child->set_mark_in, 11);
	assert_false(child->copy_dscp);
	assert_true(child->no_ecn);
	assert_string_equal(child->updown, "/etc/fw up");
	assert_true(child->hostaccess);
	config_free(c);
}

/* Shunts need neither peer nor proof. */
static void shunts(void **state)
{
	struct daemon_config *c = accepted("connections { c { children { lan {\n mode = pass\n"
					   "local_ts = 10.1.0.0/16\n remote_ts = 10.1.0.0/16\n"
					   "start_action = trap\n } } } }");

	assert_int_equal(only_child(c)->mode, IKE_MODE_PASS);
	assert_true(ike_conn_is_shunts(only_conn(c)));
	config_free(c);
	refused(CHILD("mode = drop\n local_ts = 10.1.0.0/16\n start_action = start"),
		"t.conf:9: child \"net\": mode = pass and mode = drop need addresses in remote_ts\n"
		"t.conf:12: child \"net\": mode = pass and mode = drop are installed by start_action "
		"= trap\n");
}

/* What can be in transport mode is between the ends themselves. */
static void transport_mode(void **state)
{
	struct daemon_config *c = accepted(CHILD(
		"mode = transport\n local_ts = dynamic[udp/1701], 192.0.2.1\n remote_ts = dynamic[udp]"));

	assert_int_equal(only_child(c)->mode, IKE_MODE_TRANSPORT);
	config_free(c);
	refused(CHILD("mode = transport\n local_ts = 10.1.0.0/16\n"
		      "remote_ts = 192.0.2.2, 10.0.0.1-10.0.0.2[tcp]\n if_id_in = 1"),
		"t.conf:11: child \"net\": mode = transport is between two hosts, but local_ts holds "
		"10.1.0.0/16\n"
		"t.conf:12: child \"net\": mode = transport is between two hosts, but remote_ts holds "
		"10.0.0.1-10.0.0.2[tcp]\n"
		"t.conf:13: child \"net\": mode = transport works by policy, without an interface "
		"(if_id_in, if_id_out)\n");
}

/* swanctl.conf(5): "rekey_time + 10%", "life_time - rekey_time"; life alone: 10 % less is rekey */
static void lifetimes_fill_in(void **state)
{
	struct daemon_config *c = accepted(CHILD("rekey_bytes = 1000\n life_time = 1100\n"
						 "rekey_packets = 0"));
	const struct ike_lifetime *life = &only_child(c)->life;

	assert_int_equal(life->hard_bytes, 1100);
	assert_int_equal(life->jitter_bytes, 100);
	assert_int_equal(life->soft_seconds, 1000);
	assert_int_equal(life->jitter_seconds, 100);
	assert_int_equal(life->hard_packets, 0);
	config_free(c);
	c = accepted(CONN("rekey_time = 0"));
	assert_int_equal(only_conn(c)->over_time, 0);
	assert_int_equal(only_conn(c)->rand_time, 0);
	config_free(c);
}

static void suffixes_and_inheritance(void **state)
{
	struct daemon_config *c = accepted(
		"base { version = 2\n remote_addrs = 192.0.2.9\n"
		" local-1 { auth = psk\n id = moon@example.org }\n remote2 { auth = psk } }\n"
		"connections { a : base { children { x { rekey_time = } } }\n"
		" b : connections.a { remote_addrs = 192.0.2.10 } }\n"
		"secrets { ike-b { secret = 0x0102ff\n id-3a = moon@example.org\n id2 = %any }\n"
		" ike2 { secret = 0sFpZAZqEN6Ti9sqt4ZP5EWcqx } }\n");
	static const uint8_t base64[] = {
		/* RFC 4648 alphabet, from swanctl.conf(5)'s example */
		0x16, 0x96, 0x40, 0x66, 0xa1, 0x0d, 0xe9, 0x38, 0xbd,
		0xb2, 0xab, 0x78, 0x64, 0xfe, 0x44, 0x59, 0xca, 0xb1,
	};
	const struct ike_config *ike = c->ike;

	assert_int_equal(ike->n_conns, 2);
	assert_string_equal(ike->conns[0].name, "a");
	check_id(&ike->conns[1].local.id, "moon@example.org");
	check_id(&ike->conns[1].remote.id, "%any");
	check_ts(ike->conns[1].remote_addrs, 1, "192.0.2.10/32");
	assert_string_equal(ike->conns[1].children[0].name, "x");
	assert_int_equal(ike->conns[1].children[0].life.soft_seconds, 3600);
	assert_int_equal(ike->n_secrets, 2);
	assert_int_equal(ike->secrets[0].n_ids, 2);
	assert_int_equal(ike->secrets[0].key_len, 3);
	assert_memory_equal(ike->secrets[0].key, "\x01\x02\xff", 3);
	assert_int_equal(ike->secrets[1].n_ids, 0);
	assert_int_equal(ike->secrets[1].key_len, sizeof(base64));
	assert_memory_equal(ike->secrets[1].key, base64, sizeof(base64));
	config_free(c);
}

static void daemon_settings(void **state)
{
	struct daemon_config *c = accepted("esplaned { cookie_threshold = 5\n half_open_limit = "
					   "50\n retransmit_timeout = 0.5\n"
					   " retransmit_tries = 3\n keepalive_interval = 1m\n port "
					   "= 5000\n port_nat_t = 5001\n"
					   " socket = /tmp/v.sock\n log = debug }\n");
	const struct ike_settings *s = &c->ike->settings;

	assert_int_equal(s->cookie_threshold, 5);
	assert_int_equal(s->half_open_limit, 50);
	assert_int_equal(s->retransmit_timeout_ms, 500);
	assert_int_equal(s->retransmit_tries, 3);
	assert_int_equal(s->keepalive_interval, 60);
	assert_int_equal(c->port, 5000);
	assert_int_equal(c->port_nat_t, 5001);
	assert_string_equal(c->socket, "/tmp/v.sock");
	assert_int_equal(c->log.of[LOG_IKE], IKE_LOG_DEBUG);
	config_free(c);
	config_free(accepted(""));
}

static void unknown_keys(void **state)
{
	refused(CONN("remote_adrs = 192.0.2.2"),
		"t.conf:8: unknown key \"remote_adrs\"; did you mean \"remote_addrs\"?\n");
	/* two neighbours swapped are one slip; unset or not makes no difference */
	refused(CONN("porposals ="),
		"t.conf:8: unknown key \"porposals\"; did you mean \"proposals\"?\n");
	refused(CHILD("udown = x"),
		"t.conf:10: unknown key \"udown\"; did you mean \"updown\"?\n");
	refused(CHILD("intrface = eth0"),
		"t.conf:10: unknown key \"intrface\"; did you mean \"interface\", which is "
		"not supported yet?\n");
	refused(CONN("local_ts = 10.0.0.0/8"),
		"t.conf:8: key \"local_ts\" has no meaning here; it belongs in "
		"connections.<conn>.children.<child>\n");
	/* five replaced letters or four and one removed: the first such word of the table */
	refused(CHILD("xyzzy = 1"), "t.conf:10: unknown key \"xyzzy\"; the nearest known one is "
				    "\"mode\"\n");
	refused("version = 2", "t.conf:1: key \"version\" has no meaning here; it belongs in "
			       "connections.<conn>\n");
	refused("xyzzy = 2", "t.conf:1: no key may stand here, but there is \"xyzzy\"\n");
	refused("connections { version = 2 }", "t.conf:1: key \"version\" has no meaning here; it "
					       "belongs in a connection\n");
	refused("esplaned { cookie_treshold = 2 }",
		"t.conf:1: unknown key \"cookie_treshold\"; did "
		"you mean \"cookie_threshold\"?\n");
}

static void unknown_sections(void **state)
{
	refused("conections { }", "t.conf:1: unknown section \"conections\"; did you mean "
				  "\"connections\"?\n");
	refused("children { }", "t.conf:1: section \"children\" has no meaning here; it belongs in "
				"connections.<conn>\n");
	refused(CONN("childern { }"), "t.conf:8: unknown section \"childern\"; did you mean "
				      "\"children\"?\n");
	refused(CONN("proposals { }"), "t.conf:8: \"proposals\" is a key: write proposals = ...\n");
	refused(CONN("children = net"),
		"t.conf:8: \"children\" is a section: write children { ... }\n");
	refused(CHILD("local { }"),
		"t.conf:10: section \"local\" has no meaning here; it belongs in "
		"connections.<conn>\n");
	refused("secrets { ipsec { } }",
		"t.conf:1: unknown section \"ipsec\"; the nearest known one "
		"is \"ike*\"\n");
	refused("secrets { secret = x }",
		"t.conf:1: key \"secret\" has no meaning here; it belongs in "
		"secrets.ike<suffix>\n");
	/* a base section that nobody inherits from is a typo somewhere */
	refused("base { version = 2 }",
		"t.conf:1: unknown section \"base\"; the nearest known one is "
		"\"pools\"\n");
}

static void keys_of_strongswan(void **state)
{
	refused(CHILD("interface = eth0"),
		"t.conf:10: interface: known from strongSwan, not supported by esplane: if_id_in and "
		"if_id_out, or mark_out, choose what a child is for\n");
	refused(CHILD("ah_proposals = sha256"),
		"t.conf:10: ah_proposals: known from strongSwan, not supported by esplane: there is "
		"no AH (RFC 4302) here; esp_proposals has null-sha256 and aes128gmac, which protect "
		"and do not encrypt\n");
	refused(CHILD("label = system_u:object_r:ipsec_spd_t:s0"),
		"t.conf:10: label: known from strongSwan, not supported by esplane: there are no "
		"labels of SELinux (RFC 9478) here\n");
	refused(CHILD("ipcomp = yes"),
		"t.conf:10: ipcomp: yes is not supported by esplane yet; only ipcomp = no is\n");
	refused(CHILD("per_cpu_sas = encap"),
		"t.conf:10: per_cpu_sas: encap is not supported by esplane yet; only per_cpu_sas = no "
		"is\n");
	refused(CONN("ocsp = both"),
		"t.conf:8: ocsp: both is not supported by esplane yet; only ocsp = never is\n");
	refused(CONN("dscp = 101110"),
		"t.conf:8: dscp: known from strongSwan, not supported by esplane: IKE packets have "
		"none; a rule of nftables for UDP from port 500 and 4500 sets it\n");
	refused(CHILD("mark_in = %unique"),
		"t.conf:10: mark_in: %unique is not supported by esplane; give a number\n");
	refused(CHILD("mark_out = 0x1f/0xf0"),
		"t.conf:10: mark_out: \"0x1f/0xf0\": no packet fits, the value has bits beside the "
		"mask\n");
	refused(CHILD("mark_out = red"),
		"t.conf:10: mark_out: \"red\" is no mark (such as 7 or 0x10/0xf0)\n");
	refused(CHILD("set_mark_out = 1/1"),
		"t.conf:10: set_mark_out: 1/1: a mask is not supported by esplane\n");
	refused(CHILD("copy_dscp = in"),
		"t.conf:10: copy_dscp: \"in\" is not supported by esplane; out and no are\n");
	refused(CONN("reauth_time = 3h\n rand_time = 3h"),
		"t.conf:9: connection \"home\": rand_time (10800) must be less than reauth_time (10800)\n");
	refused(CONN("local_addrs = 2001:db8::1, fe80::1"),
		"t.conf:8: local_addrs: \"fe80::1\" is link-local: say of which link, such as "
		"fe80::1%eth0\n");
	refused(CONN("local_addrs = fe80::1%nowhere"),
		"t.conf:8: local_addrs: \"fe80::1%nowhere\": this host has no interface nowhere\n");
	refused(CONN("local_addrs = 2001:db8::1%lo"),
		"t.conf:8: local_addrs: \"2001:db8::1\" is no link-local address: it takes no "
		"interface\n");
	refused(CHILD("mode = beet"),
		"t.conf:10: mode: beet is not supported by esplane yet; tunnel, transport, pass and "
		"drop are\n");
	refused(CHILD("mode = transprot"),
		"t.conf:10: mode: \"transprot\" is not tunnel, transport, pass or drop\n");
	refused(CHILD("start_action = trap+start"),
		"t.conf:10: start_action: \"trap+start\" is not "
		"none, start, trap, trap|start or start|trap\n");
	refused(CHILD("icmp = no"),
		"t.conf:10: icmp: no is not supported by esplane yet; only icmp = yes is\n");
	refused(CONN("if_id_in = %unique"),
		"t.conf:8: if_id_in: %unique is not supported by esplane "
		"yet; give a number\n");
	refused(CONN("local-2 { auth = psk }\n local-3 { auth = psk }\n local-4 { auth = psk }\n"
		     "local-5 { auth = psk }"),
		"t.conf:11: section \"local-5\": there may be 4 rounds of authentication\n");
	refused(CONN("remote-2 { auth = eap-radius }"),
		"t.conf:8: connection \"home\": remote.auth is eap-radius, and there is no server to "
		"ask: add radius { servers { NAME { address = ... secret = ... } } }\n"
		"t.conf:8: connection \"home\": remote.auth is eap, and the other end does not prove "
		"itself by a signature (auth = pubkey), which RFC 7296 section 2.16 wants\n");
}

static void actions_of_both(void **state)
{
	struct daemon_config *c = accepted(CHILD("start_action = trap|start\n icmp = yes\n"
						 "close_action = start|trap\n single_pair = yes"));

	assert_int_equal(only_child(c)->start_action, IKE_START_START | IKE_START_TRAP);
	assert_int_equal(only_child(c)->close_action, IKE_START_START | IKE_START_TRAP);
	assert_true(only_child(c)->single_pair);
	config_free(c);
}

static void values(void **state)
{
	refused(CONN("version = 1"),
		"t.conf:8: version: IKEv1 is not supported; say version = 2\n");
	refused(CONN("version = x"),
		"t.conf:8: version: \"x\" is no IKE version; say version = 2\n");
	refused(CONN("rekey_time = 4 hours"),
		"t.conf:8: rekey_time: \"4 hours\" is no time (such as "
		"30, 90s, 15m, 4h or 1d)\n");
	refused(CONN("rekey_time = -1"),
		"t.conf:8: rekey_time: \"-1\" is no time (such as 30, 90s, "
		"15m, 4h or 1d)\n");
	refused(CHILD("rekey_bytes = 5x"),
		"t.conf:10: rekey_bytes: \"5x\" is no number of bytes (such "
		"as 1000000, 64k, 500m or 2g)\n");
	refused(CONN("encap = maybe"), "t.conf:8: encap: \"maybe\" is neither yes nor no\n");
	refused(CONN("unique = on"),
		"t.conf:8: unique: \"on\" is not no, never, keep or replace\n");
	refused(CONN("local_port = 0"),
		"t.conf:8: local_port: \"0\" is no number from 1 to 65535\n");
	refused(CHILD("priority = 4294967296"),
		"t.conf:10: priority: \"4294967296\" is no number from "
		"0 to 4294967295\n");
	refused(CHILD("replay_window = 0"),
		"t.conf:10: replay_window: \"0\" is no number from 1 to "
		"4096\n");
	refused("esplaned { cookie_threshold = 0\n retransmit_timeout = 0.0\n keepalive_interval = "
		"0\n"
		"retransmit_timeout = 2.5.1\n socket = run }",
		"t.conf:1: cookie_threshold: must be more than 0\n"
		"t.conf:3: keepalive_interval: must be more than 0\n"
		"t.conf:4: retransmit_timeout: \"2.5.1\" is no time in seconds (such as 2 or 0.5)\n"
		"t.conf:5: socket: \"run\" is no absolute path\n");
	refused("esplaned { retransmit_timeout = 0.000 }",
		"t.conf:1: retransmit_timeout: must be more than 0\n");
}

static void authentication(void **state)
{
	refused("connections { c { children { n { } } } }\nsecrets { ike { secret = x } }",
		"t.conf:1: connection \"c\": local.auth is pubkey (the default) and needs "
		"local.certs, local.pubkeys, or an id that is in a certificate of x509\n"
		"t.conf:1: connection \"c\": remote.auth is pubkey (the default), and there is "
		"nothing to verify the peer with: no certificate in x509ca, no remote.cacerts, "
		"remote.certs or remote.pubkeys\n");
	refused(CONN("local { auth = pubkey }"),
		"t.conf:8: connection \"home\": we have no certificate for moon (local.certs)\n");
	refused(CONN("local { auth = rsa-md5 }"),
		"t.conf:8: auth: \"rsa-md5\" is no way to authenticate: \"md5\" is none of psk, "
		"pubkey, rsa, rsa/pss, ecdsa, ed25519, ed448, nor a hash or key size behind one of "
		"them\n");
	refused(CONN("local { certs = moon.pem }"),
		"t.conf:8: certs: has no meaning with auth = psk\n"
		"t.conf:8: certs: moon.pem is beside no file\n");
	refused(CONN("send_cert = perhaps"), "t.conf:8: send_cert: \"perhaps\" is not ifasked, "
		"always or never\n");
}

/* What the parsers of the engine refuse comes through with the key in front. */
static void what_the_engine_refuses(void **state)
{
	struct cfg_errors errors = { 0 };
	const char *text = WITH("proposals = aes256-nonsense\n local_addrs = 10.0.0\n",
				"remote_ts = 10.1.2.0/16\n esp_proposals = aes128gcm16-rot13\n");

	assert_null(config_parse("t.conf", text, strlen(text), &errors));
	assert_int_equal(errors.n, 4);
	assert_non_null(strstr(errors.list[0].text, "t.conf:8: proposals: "));
	assert_non_null(strstr(errors.list[0].text, "nonsense"));
	assert_non_null(strstr(errors.list[1].text, "t.conf:9: local_addrs: "));
	assert_non_null(strstr(errors.list[2].text, "t.conf:12: remote_ts: "));
	assert_non_null(strstr(errors.list[3].text, "rot13"));
	cfg_errors_free(&errors);
}

static void addresses(void **state)
{
	struct cfg_errors errors = { 0 };
	const char *text = CONN("local_addrs = vpn.example.org");

	assert_null(config_parse("t.conf", text, strlen(text), &errors));
	assert_non_null(strstr(errors.list[0].text, "vpn.example.org"));
	assert_non_null(
		strstr(errors.list[0].text, "(a host name may stand in remote_addrs alone)"));
	cfg_errors_free(&errors);
	refused(CONN("local_addrs = 10.0.0.1[tcp]"),
		"t.conf:8: local_addrs: \"10.0.0.1[tcp]\" is a "
		"traffic selector, not an address, prefix or range\n");
	refused(CONN("local_addrs = dynamic"), "t.conf:8: local_addrs: \"dynamic\" is a traffic "
		"selector, not an address, prefix or range\n");
}

static void link_local(void **state)
{
	struct daemon_config *c = accepted(WITH("remote_addrs = fe80::1%lo, 10.0.0.0/8", ""));
	const struct ike_conn_cfg *conn = only_conn(c);
	char text[IKE_ADDR_TEXT_MAX], expected[IKE_ADDR_TEXT_MAX];

	assert_int_equal(conn->n_remote_addrs, 2);
	assert_int_equal(conn->remote_addrs[0].first.scope, if_nametoindex("lo"));
	assert_int_equal(conn->remote_addrs[1].first.scope, 0);
	snprintf(expected, sizeof(expected), "fe80::1%%%u", if_nametoindex("lo"));
	assert_string_equal(ike_addr_text(&conn->remote_addrs[0].first, text, sizeof(text)), expected);
	config_free(c);
}

static void host_names(void **state)
{
	struct daemon_config *c = accepted(WITH(
		"remote_addrs = vpn.example.org, 10.0.0.0/8, cafe", "start_action = start"));
	const struct ike_conn_cfg *conn = only_conn(c);

	assert_int_equal(conn->n_remote_names, 2);
	assert_string_equal(conn->remote_names[0], "vpn.example.org");
	assert_string_equal(conn->remote_names[1], "cafe");
	check_ts(conn->remote_addrs, conn->n_remote_addrs, "10.0.0.0/8");
	config_free(c);
	c = accepted(WITH("remote_addrs = vpn.example.org, %any", ""));
	assert_int_equal(only_conn(c)->n_remote_names, 0);
	config_free(c);
	config_free(accepted(WITH("remote_addrs = vpn.example.org", "start_action = trap\n"
				  "local_ts = 10.1.0.0/16\n remote_ts = 10.2.0.0/16")));
	refused(WITH("remote_addrs = vpn.example.org", "start_action = trap|start\n"
		     "local_ts = 10.1.0.0/16"),
		"t.conf:10: child \"net\": a trap for a peer that remote_addrs knows by name needs "
		"addresses in remote_ts\n");
	refused(WITH("remote_addrs = vpn.example.org", "start_action = trap\n"
		     "remote_ts = 10.1.0.0/16"),
		"t.conf:10: child \"net\": a trap for a peer that remote_addrs knows by name needs "
		"addresses in local_ts\n");
	refused(WITH("remote_addrs = 10.0.0.300", ""),
		"t.conf:8: remote_addrs: traffic selector \"10.0.0.300\": \"10.0.0.300\" is not an "
		"IP address\n");
}

static void what_contradicts_itself(void **state)
{
	refused(CHILD("rekey_time = 2h\n life_time = 1h"),
		"t.conf:11: child \"net\": life_time (3600) must be more than rekey_time (7200)\n");
	refused(CHILD("rekey_bytes = 10\n rand_bytes = 10"),
		"t.conf:11: child \"net\": rand_bytes (10) must be less than rekey_bytes (10)\n");
	refused(CONN("rekey_time = 1m\n rand_time = 1h"),
		"t.conf:9: connection \"home\": rand_time (3600) must be less than rekey_time "
		"(60)\n");
	refused(WITH("remote_addrs = %any", "start_action = start"),
		"t.conf:10: child \"net\" is to be initiated, but remote_addrs of connection "
		"\"home\" "
		"holds no single address to reach\n");
	/* a responder may bring back what its peer brought up: the SA knows the address */
	config_free(accepted(WITH("remote_addrs = 10.0.0.0/8", "dpd_action = restart")));
	refused(CONN("local_port = 501"), "t.conf:8: connection \"home\": local_port is 501, but "
		"esplaned listens on 500 and 4500 (esplaned.port, esplaned.port_nat_t)\n");
	refused(CONN("local_port = 500\n remote_port = 4500"), "t.conf:8: connection \"home\": "
		"from local_port 500 nothing goes to remote_port 4500, where peers want the "
		"non-ESP marker: leave it out, or local_port = 4500\n");
	refused("esplaned { port = 4500 }",
		"t.conf:1: port and port_nat_t are both 4500: they must "
		"differ (RFC 3948)\n");
	says("connections { c { local { auth = psk }\n remote { auth = psk } } }\n"
	     "secrets { ike { secret = x } }\n",
	     "warning: t.conf:1: connection \"c\" has no children: it will carry no traffic\n",
	     true);
}

static void secrets(void **state)
{
	refused("connections { c { local { auth = psk }\n remote { auth = psk }\n"
		"children { n { } } } }",
		"t.conf:1: connection \"c\" has auth = psk, but there is no "
		"secret: add secrets { ike { secret = ... } }\n");
	says("connections { c { local { auth = psk\n id = moon }\n remote { auth = psk\n id = sun "
	     "}\n"
	     "children { n { } } } }\nsecrets { ike { secret = x\n id = venus } }",
	     "warning: t.conf:1: connection \"c\": no secret is for peer sun\n", true);
	refused("secrets { ike { id = a } }", "t.conf:1: section \"ike\" has no secret\n");
	refused("secrets { ike { secret = 0xhorse } }",
		"t.conf:1: secret: 0x is not followed by pairs "
		"of hex digits\n");
	refused("secrets { ike { secret = 0s=! } }", "t.conf:1: secret: 0s is not followed by "
						     "base64\n");
}

/* An inherited fault is told once, where it stands, however many connections have it. */
static void faults_are_told_once(void **state)
{
	refused("base {\n dpd_dealy = 1\n local { auth = psk }\n remote { auth = psk }\n"
		"children { n { } } }\n"
		"connections {\n a : base { }\n b : base { }\n }\nsecrets { ike { secret = x } }",
		"t.conf:2: unknown key \"dpd_dealy\"; did you mean \"dpd_delay\"?\n");
}

static void numbers(void **state)
{
	uint64_t v = 42;

	assert_true(value_seconds("90", &v) && v == 90);
	assert_true(value_seconds("5s", &v) && v == 5);
	assert_true(value_seconds("60m", &v) && v == 3600);
	assert_true(value_seconds("3h", &v) && v == 10800);
	assert_true(value_seconds("1d", &v) && v == 86400);
	assert_true(value_seconds("1 h", &v) && v == 3600);
	assert_true(value_number("0x1F", &v) && v == 31);
	assert_true(value_number("18446744073709551615", &v) && v == UINT64_MAX);
	assert_true(value_bytes("2K", &v) && v == 2048);
	v = 42;
	assert_false(value_number("18446744073709551616", &v));
	assert_false(value_number("", &v));
	assert_false(value_number(" 1", &v));
	assert_false(value_number("+1", &v));
	assert_false(value_number("0x", &v));
	assert_false(value_number("1h", &v));
	assert_false(value_seconds("1hh", &v));
	assert_false(value_seconds("1w", &v));
	assert_false(value_seconds("h", &v));
	/* 2^64 / 86400, rounded up, days do not fit */
	assert_false(value_seconds("213503982334602d", &v));
	assert_false(value_bytes("17179869184g", &v));
	assert_int_equal(v, 42);
}

static void secret_is(const char *text, const char *bytes, size_t len)
{
	const char *why;
	uint8_t *key;
	size_t got;

	assert_true(value_secret(text, &key, &got, &why));
	assert_int_equal(got, len);
	assert_memory_equal(key, bytes, len);
	free(key);
}

static void secret_fails(const char *text)
{
	const char *why = NULL;
	uint8_t *key;
	size_t got;

	assert_false(value_secret(text, &key, &got, &why));
	assert_non_null(why);
}

static void secret_values(void **state)
{
	secret_is("plain 0x", "plain 0x", 8);
	secret_is("0xAb01", "\xab\x01", 2);
	secret_is("0xab:01", "\xab\x01", 2);
	/* RFC 4648 section 10, with and without the padding */
	secret_is("0sZg==", "f", 1);
	secret_is("0sZm8=", "fo", 2);
	secret_is("0sZm8", "fo", 2);
	secret_is("0sZm9vYmFy", "foobar", 6);
	secret_fails("");
	secret_fails("0x");
	secret_fails("0xabc");
	secret_fails("0xab:");
	secret_fails("0s");
	secret_fails("0sZ");
	secret_fails("0sZm8==");
	secret_fails("0sZg=");
	secret_fails("0sZ===");
	secret_fails("0sZm=8");
	secret_fails("0sZm 8");
}

static void distances(void **state)
{
	assert_int_equal(edit_distance("", ""), 0);
	assert_int_equal(edit_distance("abc", ""), 3);
	assert_int_equal(edit_distance("", "abc"), 3);
	assert_int_equal(edit_distance("kitten", "sitting"), 3);
	assert_int_equal(edit_distance("ab", "ba"), 1);
	assert_int_equal(edit_distance("local_ts", "lokal_st"), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults),
		cmocka_unit_test(local_port_by_remote),
		cmocka_unit_test(connection_keys),
		cmocka_unit_test(fragmentation),
		cmocka_unit_test(additional_key_exchanges),
		cmocka_unit_test(ppks),
		cmocka_unit_test(pools),
		cmocka_unit_test(wrong_pools),
	cmocka_unit_test(any_address),
		cmocka_unit_test(child_keys),
		cmocka_unit_test(transport_mode),
		cmocka_unit_test(shunts),
		cmocka_unit_test(lifetimes_fill_in),
		cmocka_unit_test(suffixes_and_inheritance),
		cmocka_unit_test(daemon_settings),
		cmocka_unit_test(unknown_keys),
		cmocka_unit_test(unknown_sections),
		cmocka_unit_test(keys_of_strongswan),
		cmocka_unit_test(actions_of_both),
		cmocka_unit_test(values),
		cmocka_unit_test(authentication),
		cmocka_unit_test(what_the_engine_refuses),
		cmocka_unit_test(addresses),
		cmocka_unit_test(host_names),
		cmocka_unit_test(link_local),
		cmocka_unit_test(what_contradicts_itself),
		cmocka_unit_test(secrets),
		cmocka_unit_test(faults_are_told_once),
		cmocka_unit_test(numbers),
		cmocka_unit_test(secret_values),
		cmocka_unit_test(distances),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
