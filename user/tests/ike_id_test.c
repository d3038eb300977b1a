// SPDX-License-Identifier: MIT
/*
 * Identities: what swanctl's texts mean, the wire, matching; errors and texts; the configuration.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ikev2/config.h"
#include "tests/vectors.h"

static struct ike_id id(const char *text)
{
	struct ike_error err = {0};
	struct ike_id i;

	if (!ike_id_parse(text, &i, &err))
		fail_msg("%s", err.text);
	return i;
}

static const struct {
	const char *text;
	uint8_t type;
	const char *hex, *printed;
} parses[] = {
	{"%any", IKE_ID_ANY, "", "%any"},
	{"", IKE_ID_ANY, "", "%any"},
	{"192.0.2.1", IKE_ID_IPV4_ADDR, "c0000201", "192.0.2.1"},
	{"2001:db8::1", IKE_ID_IPV6_ADDR, "20010db8000000000000000000000001", "2001:db8::1"},
	{"moon.example.org", IKE_ID_FQDN, "6d6f6f6e2e6578616d706c652e6f7267", "moon.example.org"},
	{"@a.b", IKE_ID_FQDN, "612e62", "a.b"},
	{"@192.0.2.1", IKE_ID_FQDN, "3139322e302e322e31", "192.0.2.1"},
	{"c@a.b", IKE_ID_RFC822_ADDR, "6340612e62", "c@a.b"},
	{"@@c@a.b", IKE_ID_RFC822_ADDR, "6340612e62", "c@a.b"},
	{"@#0a0B", IKE_ID_KEY_ID, "0a0b", "keyid:0x0a0b"},
	{"keyid:abc", IKE_ID_KEY_ID, "616263", "keyid:abc"},
	{"keyid:0x0102", IKE_ID_KEY_ID, "0102", "keyid:0x0102"},
	{"fqdn:a.b", IKE_ID_FQDN, "612e62", "a.b"},
	{"rfc822:c@a.b", IKE_ID_RFC822_ADDR, "6340612e62", "c@a.b"},
	{"email:c@a.b", IKE_ID_RFC822_ADDR, "6340612e62", "c@a.b"},
	{"ipv4:192.0.2.1", IKE_ID_IPV4_ADDR, "c0000201", "192.0.2.1"},
	{"ipv6:::1", IKE_ID_IPV6_ADDR, "00000000000000000000000000000001", "::1"},
	{"asn1dn:0x3000", IKE_ID_DER_ASN1_DN, "3000", "(empty)"},
	{"*.example.org", IKE_ID_FQDN, "2a2e6578616d706c652e6f7267", "*.example.org"},
};

static void test_parse(void **state)
{
	char text[IKE_ID_TEXT_MAX];

	for (size_t i = 0; i < sizeof(parses) / sizeof(parses[0]); i++) {
		struct ike_bytes want = hex(parses[i].hex);
		struct ike_id got = id(parses[i].text);

		assert_int_equal(got.type, parses[i].type);
		assert_bytes(ike_bytes(got.data, got.len), want);
		assert_string_equal(ike_id_text(&got, text, sizeof(text)), parses[i].printed);
		free((void *)want.p);
	}
}

/*
 * RFC 5280 section 4.1.2.4: SEQUENCE { SET { SEQUENCE { 2.5.4.6, "CH" } }, SET { SEQUENCE { 2.5.4.3,
 * "moon" } } }, as PrintableString (13) and UTF8String (0c); the lengths counted by hand.
 */
static void test_dn(void **state)
{
	static const char printable[] = "301c310b3009060355040613024348310d300b060355040313046d6f6f6e",
			  utf8[] = "301c310b3009060355040613024348310d300b06035504030c046d6f6f6e";
	static const struct {
		const char *pattern, *id;
		enum ike_id_fit fit;
	} cases[] = {
		{"C=CH, CN=moon", "asn1dn:0x", IKE_ID_FIT_EXACT},
		{"/C=ch/CN=MOON", "asn1dn:0x", IKE_ID_FIT_EXACT},
		{"C=CH,CN=\"moon\"", "asn1dn:0x", IKE_ID_FIT_EXACT},
		{"C=CH, CN=*", "asn1dn:0x", IKE_ID_FIT_WILDCARD},
		{"C=*, CN=*", "asn1dn:0x", IKE_ID_FIT_WILDCARD},
		{"CN=moon, C=CH", "asn1dn:0x", IKE_ID_FIT_NO},
		{"C=CH", "asn1dn:0x", IKE_ID_FIT_NO},
		{"C=CH, CN=moon, O=x", "asn1dn:0x", IKE_ID_FIT_NO},
		{"C=CH, CN=moo*", "asn1dn:0x", IKE_ID_FIT_NO},
		{"CN=a  b", "CN= A B ", IKE_ID_FIT_EXACT},
		{"CN=a b", "CN=ab", IKE_ID_FIT_NO},
		{"O=\"a, b\"", "O=a\\, b", IKE_ID_FIT_EXACT},
		{"E=a@b.c", "emailAddress=a@B.C", IKE_ID_FIT_EXACT},
		{"moon", "CN=moon", IKE_ID_FIT_NO},
		{"%any", "CN=moon", IKE_ID_FIT_ANY},
	};
	char text[IKE_ID_TEXT_MAX], id_text[200];
	struct ike_id pattern, id;
	struct ike_bytes want = hex(printable);

	assert_true(ike_id_parse("C=CH, CN=moon", &id, NULL));
	assert_bytes(ike_bytes(id.data, id.len), want);
	free((void *)want.p);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (unsigned int k = 0; k < 2; k++) {
			bool der = strstr(cases[i].id, "0x");

			snprintf(id_text, sizeof(id_text), "%s%s", cases[i].id,
				 der ? k ? utf8 : printable : "");
			assert_true(ike_id_parse(cases[i].pattern, &pattern, NULL));
			assert_true(ike_id_parse(id_text, &id, NULL));
			assert_int_equal(ike_id_match(&pattern, &id), cases[i].fit);
		}
	}
	assert_true(ike_id_parse("O=\"a, b\", CN=x", &id, NULL));
	assert_string_equal(ike_id_text(&id, text, sizeof(text)), "O=\"a, b\", CN=x");
}

/* A distinguished name of a peer's with any byte changed, or cut short, is read without harm. */
static void test_dn_hostile(void **state)
{
	struct ike_id good, bad;
	struct ike_wire_id wire = {.type = IKE_ID_DER_ASN1_DN};
	char text[IKE_ID_TEXT_MAX];
	unsigned int accepted = 0;

	assert_true(ike_id_parse("C=CH, O=Example, CN=moon", &good, NULL));
	for (size_t at = 0; at < good.len; at++) {
		for (unsigned int v = 0; v < 256; v++) {
			uint8_t *copy = exact(good.data, good.len);

			copy[at] = v;
			wire.data = ike_bytes(copy, good.len);
			if (ike_id_from_wire(&bad, &wire, NULL)) {
				accepted++;
				assert_true(ike_id_match(&bad, &bad));
				ike_id_text(&bad, text, sizeof(text));
				assert_null(strstr(text, "malformed"));
			}
			free(copy);
		}
		{
			uint8_t *cut = exact(good.data, at);

			wire.data = ike_bytes(cut, at);
			assert_false(ike_id_from_wire(&bad, &wire, NULL));
			free(cut);
		}
	}
	/* Letters and string types may be any: 15 letters and 3 * 3 bytes of OIDs, at least. */
	assert_true(accepted > 15 * 255);
}

static void test_refusals(void **state)
{
	static const char *const cases[][2] = {
		{"@#0a0", "identity \"0a0\": an even number of hex digits is needed"},
		{"@#", "identity \"\": an even number of hex digits is needed"},
		{"@#0g", "identity \"0g\": not a hex digit at 0"},
		{"@", "identity is empty after its prefix"},
		{"fqdn:", "identity is empty after its prefix"},
		{"ipv4:::1", "::1 is not an address of the family its prefix names"},
		{"ipv6:moon", "\"moon\" is not an IP address"},
		{"asn1dn:0x300100", "identity \"0x300100\" is no DER of a distinguished name"},
		{"C=CH, XY=moon",
		 "distinguished name \"C=CH, XY=moon\": unknown attribute \"XY\""},
		{"C=CH, moon",
		 "distinguished name \"C=CH, moon\": \"moon\": NAME=VALUE is needed"},
		{"C=CH, CN=", "distinguished name \"C=CH, CN=\": an empty value"},
		{"C=CH, O=\"a", "distinguished name \"C=CH, O=\"a\": a quote without its end"},
		{"asn1dn:", "distinguished name \"\" is empty"},
	};
	char longest[IKE_ID_MAX + 2];
	struct ike_error err;
	struct ike_id i;

	for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
		assert_false(ike_id_parse(cases[k][0], &i, &err));
		assert_string_equal(err.text, cases[k][1]);
	}
	memset(longest, 'a', sizeof(longest));
	longest[IKE_ID_MAX] = '\0';
	assert_true(ike_id_parse(longest, &i, NULL));
	longest[IKE_ID_MAX] = 'a';
	longest[IKE_ID_MAX + 1] = '\0';
	assert_false(ike_id_parse(longest, &i, &err));
	assert_string_equal(err.text, "identity of 513 bytes; at most 512 can be");
}

static const struct {
	const char *pattern, *id;
	enum ike_id_fit fit;
} matches[] = {
	{"%any", "moon.example.org", IKE_ID_FIT_ANY},
	{"%any", "192.0.2.1", IKE_ID_FIT_ANY},
	{"moon.example.org", "moon.example.org", IKE_ID_FIT_EXACT},
	{"MOON.example.org", "moon.EXAMPLE.org", IKE_ID_FIT_EXACT}, /* RFC 4343 */
	{"*.example.org", "moon.example.org", IKE_ID_FIT_WILDCARD},
	{"*.Example.org", "moon.eXample.org", IKE_ID_FIT_WILDCARD},
	{"*.example.org", "example.org", IKE_ID_FIT_NO},
	{"*.example.org", "moon.example.com", IKE_ID_FIT_NO},
	{"*.example.org", "moon.example.org.evil.net", IKE_ID_FIT_NO},
	{"*", "moon", IKE_ID_FIT_WILDCARD},
	{"m*n.*.org", "moon.example.org", IKE_ID_FIT_WILDCARD},
	{"m*n.*.org", "mars.example.org", IKE_ID_FIT_NO},
	{"moon", "moon.example.org", IKE_ID_FIT_NO},
	{"*@example.org", "carol@example.org", IKE_ID_FIT_WILDCARD},
	{"carol@Example.org", "carol@example.org", IKE_ID_FIT_EXACT},
	{"Carol@example.org", "carol@example.org", IKE_ID_FIT_NO}, /* RFC 5321 section 2.4 */
	{"*@example.org", "carol@example.com", IKE_ID_FIT_NO},
	/* Types differ though the text is the same. */
	{"@192.0.2.1", "192.0.2.1", IKE_ID_FIT_NO},
	{"keyid:moon", "moon", IKE_ID_FIT_NO},
	{"fqdn:*", "carol@example.org", IKE_ID_FIT_NO},
	/* No wildcards in opaque identities, nor case. */
	{"keyid:mo*", "keyid:moon", IKE_ID_FIT_NO},
	{"keyid:moon", "keyid:moon", IKE_ID_FIT_EXACT},
	{"keyid:MOON", "keyid:moon", IKE_ID_FIT_NO},
	{"192.0.2.1", "192.0.2.1", IKE_ID_FIT_EXACT},
	{"192.0.2.1", "192.0.2.2", IKE_ID_FIT_NO},
	/* A peer's identity with a star is no pattern. */
	{"moon.example.org", "*.example.org", IKE_ID_FIT_NO},
	{"moon.example.org", "%any", IKE_ID_FIT_NO},
};

static void test_match(void **state)
{
	for (size_t i = 0; i < sizeof(matches) / sizeof(matches[0]); i++) {
		struct ike_id pattern = id(matches[i].pattern), peer = id(matches[i].id);

		if (ike_id_match(&pattern, &peer) != matches[i].fit)
			fail_msg("%s against %s", matches[i].pattern, matches[i].id);
		assert_int_equal(ike_id_equal(&pattern, &peer), matches[i].fit == IKE_ID_FIT_EXACT);
	}
}

/* Many stars against a long name: an answer at once, not after a day. */
static void test_match_hostile(void **state)
{
	struct ike_id pattern = id("*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b"), peer;
	char name[IKE_ID_MAX + 1];

	memset(name, 'a', IKE_ID_MAX);
	name[IKE_ID_MAX] = '\0';
	peer = id(name);
	assert_int_equal(ike_id_match(&pattern, &peer), IKE_ID_FIT_NO);
}

static void test_wire(void **state)
{
	struct ike_id one = id("carol@example.org"), two;
	struct ike_header h = {0};
	uint8_t buf[128];
	struct ike_bytes body;
	struct ike_wire_id wire;
	struct ike_writer w;

	ike_writer_init(&w, buf, sizeof(buf));
	ike_message_begin(&w, &h);
	ike_put_identity(&w, IKE_PAYLOAD_IDI, &one, &body);
	assert_true(ike_message_end(&w));
	assert_int_equal(buf[16], IKE_PAYLOAD_IDI);
	assert_bytes(body, ike_bytes("\3\0\0\0carol@example.org", 21));
	assert_true(ike_id_decode(body, &wire, NULL));
	assert_true(ike_id_from_wire(&two, &wire, NULL));
	assert_true(ike_id_equal(&one, &two));
}

static void test_wire_refusals(void **state)
{
	static const struct {
		const char *body, *text;
	} cases[] = {
		{"01000000 c00002", "ID payload: an address of 3 bytes where 4 are needed"},
		{"05000000 c0000201", "ID payload: an address of 4 bytes where 16 are needed"},
		{"02000000", "ID payload: empty identity"},
		{"0b000000", "ID payload: empty identity"},
		{"00000000 61", "ID payload: type 0 with 1 bytes"},
	};
	uint8_t longest[4 + IKE_ID_MAX + 1] = {IKE_ID_KEY_ID};
	struct ike_wire_id wire;
	struct ike_error err;
	struct ike_id i;

	for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
		struct ike_bytes b = hex(cases[k].body);

		assert_true(ike_id_decode(b, &wire, NULL));
		assert_false(ike_id_from_wire(&i, &wire, &err));
		assert_string_equal(err.text, cases[k].text);
		assert_int_equal(err.notify, IKE_NOTIFY_INVALID_SYNTAX);
		free((void *)b.p);
	}
	assert_true(ike_id_decode(ike_bytes(longest, sizeof(longest) - 1), &wire, NULL));
	assert_true(ike_id_from_wire(&i, &wire, NULL));
	assert_true(ike_id_decode(ike_bytes(longest, sizeof(longest)), &wire, NULL));
	assert_false(ike_id_from_wire(&i, &wire, &err));
	assert_string_equal(err.text, "ID payload: type 11 with 513 bytes");
}

/* What a peer sends as a name goes to logs: no control characters, no quotes of ours. */
static void test_text_is_safe(void **state)
{
	struct ike_id i = {.type = IKE_ID_FQDN, .len = 9, .data = " ~\n\"\x1b'\\\xff\x7f"};
	char text[IKE_ID_TEXT_MAX], small[8];

	assert_string_equal(ike_id_text(&i, text, sizeof(text)),
			    " ~\\x0a\\x22\\x1b\\x27\\x5c\\xff\\x7f");
	assert_int_equal(strlen(ike_id_text(&i, small, sizeof(small))), 7);
}

static void test_from_addr(void **state)
{
	struct ike_id i, want = id("192.0.2.1");
	struct ike_addr a;

	assert_true(ike_addr_parse("192.0.2.1", &a, NULL));
	ike_id_from_addr(&i, &a);
	assert_true(ike_id_equal(&i, &want));
	assert_int_equal(i.len, 4);
}

static void test_errors(void **state)
{
	char long_text[400];
	struct ike_error err;

	assert_false(ike_fail_notify(&err, IKE_NOTIFY_INVALID_SYNTAX, "a %d", 1));
	assert_false(ike_fail_at(&err, "conn %s", "x"));
	assert_string_equal(err.text, "conn x: a 1");
	assert_int_equal(err.notify, IKE_NOTIFY_INVALID_SYNTAX);
	assert_false(ike_fail(&err, "b"));
	assert_int_equal(err.notify, 0);
	assert_false(ike_fail(NULL, "c"));
	assert_false(ike_fail_at(NULL, "c"));
	memset(long_text, 'x', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = '\0';
	ike_fail(&err, "%s", long_text);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
	ike_fail_at(&err, "%s", long_text);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
}

static const char *const colours[] = {"red", "green", "blue"};

static const char *colour(size_t i)
{
	return colours[i];
}

static void test_nearest(void **state)
{
	assert_string_equal(ike_text_nearest("gren", colour, 3), "green");
	assert_string_equal(ike_text_nearest("bleu", colour, 3), "blue"); /* two edits of four */
	assert_string_equal(ike_text_nearest("red", colour, 3), "red");
	assert_null(ike_text_nearest("xyzzy", colour, 3));
	assert_null(ike_text_nearest("", colour, 3));
	assert_null(
		ike_text_nearest("gggggggggggggggggggggggggggggggggggggggggggggggg", colour, 3));
}

static struct ike_config *some_config(void)
{
	struct ike_config *c = calloc(1, sizeof(*c));
	struct ike_conn_cfg *conn = calloc(2, sizeof(*conn));

	c->refs = 1;
	c->conns = conn;
	c->n_conns = 2;
	conn[0].name = strdup("home");
	conn[1].name = strdup("office");
	conn[1].children = calloc(1, sizeof(*conn[1].children));
	conn[1].n_children = 1;
	conn[1].children[0].name = strdup("net");
	assert_true(ike_proposal_list_parse(&conn[1].proposals, IKE_PROTO_IKE, "default", NULL));
	assert_true(ike_proposal_list_parse(&conn[1].children[0].proposals, IKE_PROTO_ESP,
					    "default", NULL));
	assert_true(ike_ts_list_parse("10.0.0.0/8", &conn[1].children[0].local_ts,
				      &conn[1].children[0].n_local_ts, NULL));
	assert_true(ike_ts_list_parse("192.0.2.1", &conn[1].remote_addrs, &conn[1].n_remote_addrs,
				      NULL));
	c->secrets = calloc(1, sizeof(*c->secrets));
	c->n_secrets = 1;
	c->secrets[0].key = exact("secret", 6);
	c->secrets[0].key_len = 6;
	c->secrets[0].ids = calloc(1, sizeof(struct ike_id));
	c->secrets[0].n_ids = 1;
	return c;
}

/* The leak checker sees to it that the last reference frees everything, and no other does. */
static void test_config(void **state)
{
	struct ike_config *c = some_config();

	assert_ptr_equal(ike_config_ref(c), c);
	ike_config_unref(c);
	assert_ptr_equal(ike_config_conn(c, "office"), &c->conns[1]);
	assert_null(ike_config_conn(c, "shop"));
	assert_ptr_equal(ike_conn_child(&c->conns[1], "net"), &c->conns[1].children[0]);
	assert_null(ike_conn_child(&c->conns[0], "net"));
	ike_config_unref(c);
	ike_config_unref(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),	     cmocka_unit_test(test_refusals), cmocka_unit_test(test_dn),
		cmocka_unit_test(test_dn_hostile),
		cmocka_unit_test(test_match),	     cmocka_unit_test(test_match_hostile),
		cmocka_unit_test(test_wire),	     cmocka_unit_test(test_wire_refusals),
		cmocka_unit_test(test_text_is_safe), cmocka_unit_test(test_from_addr),
		cmocka_unit_test(test_errors),	     cmocka_unit_test(test_nearest),
		cmocka_unit_test(test_config),
	};

	return cmocka_run_group_tests_name("ike_id", tests, NULL, NULL);
}
