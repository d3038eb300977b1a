// SPDX-License-Identifier: MIT
/*
 * Traffic selectors: swanctl's syntax, the wire, and their algebra against a naive model that
 * looks at single packets.
 */
#include <netdb.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ikev2/ts.h"
#include "tests/vectors.h"

static struct ike_ts ts(const char *text)
{
	struct ike_error err = {0};
	struct ike_ts t;

	if (!ike_ts_parse(text, &t, &err))
		fail_msg("%s", err.text);
	return t;
}

/* A list written with blanks between, as it is printed. */
static size_t list_of(const char *text, struct ike_ts *list)
{
	char copy[1024], *save, *word;
	size_t n = 0;

	snprintf(copy, sizeof(copy), "%s", text);
	for (word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save))
		list[n++] = ts(word);
	return n;
}

static const struct {
	const char *text, *first, *last;
	unsigned int protocol, port_first, port_last;
	const char *printed;
} parses[] = {
	{"10.1.0.0/16", "10.1.0.0", "10.1.255.255", 0, 0, 65535, "10.1.0.0/16"},
	{"10.1.0.0/16[tcp/ssh]", "10.1.0.0", "10.1.255.255", 6, 22, 22, "10.1.0.0/16[tcp/22]"},
	{"10.1.0.0/16[tcp]", "10.1.0.0", "10.1.255.255", 6, 0, 65535, "10.1.0.0/16[tcp]"},
	{"10.1.0.0/16[udp/5000-6000]", "10.1.0.0", "10.1.255.255", 17, 5000, 6000,
	 "10.1.0.0/16[udp/5000-6000]"},
	{"10.1.0.0/16[17/53]", "10.1.0.0", "10.1.255.255", 17, 53, 53, "10.1.0.0/16[udp/53]"},
	{"10.1.0.0/16[/53]", "10.1.0.0", "10.1.255.255", 0, 53, 53, "10.1.0.0/16[/53]"},
	{"10.1.0.0/16[%any/%any]", "10.1.0.0", "10.1.255.255", 0, 0, 65535, "10.1.0.0/16"},
	{"10.1.0.0/16[gre]", "10.1.0.0", "10.1.255.255", 47, 0, 65535, "10.1.0.0/16[47]"},
	{"10.1.0.0/16[tcp/opaque]", "10.1.0.0", "10.1.255.255", 6, 65535, 0,
	 "10.1.0.0/16[tcp/opaque]"},
	{"10.0.0.1-10.0.0.9", "10.0.0.1", "10.0.0.9", 0, 0, 65535, "10.0.0.1-10.0.0.9"},
	{"10.0.0.0-10.0.0.15", "10.0.0.0", "10.0.0.15", 0, 0, 65535, "10.0.0.0/28"},
	{"192.0.2.1", "192.0.2.1", "192.0.2.1", 0, 0, 65535, "192.0.2.1/32"},
	{"0.0.0.0/0", "0.0.0.0", "255.255.255.255", 0, 0, 65535, "0.0.0.0/0"},
	{"0::0/0", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 0, 0, 65535, "::/0"},
	{"2001:db8::/33", "2001:db8::", "2001:db8:7fff:ffff:ffff:ffff:ffff:ffff", 0, 0, 65535,
	 "2001:db8::/33"},
	/*
	 * RFC 7296 section 3.13.1: the ICMP type is the more significant byte, the code the less.
	 */
	{"10.0.0.0/8[icmp/8]", "10.0.0.0", "10.255.255.255", 1, 0x0800, 0x08ff,
	 "10.0.0.0/8[icmp/8]"},
	{"2001:db8::1[135/5]", "2001:db8::1", "2001:db8::1", 135, 0x0500, 0x0500,
	 "2001:db8::1/128[135/5/0]"},
	{"10.0.0.0/8[icmp/3/4]", "10.0.0.0", "10.255.255.255", 1, 0x0304, 0x0304,
	 "10.0.0.0/8[icmp/3/4]"},
};

static void test_parse(void **state)
{
	char buf[IKE_TS_TEXT_MAX];

	for (size_t i = 0; i < sizeof(parses) / sizeof(parses[0]); i++) {
		struct ike_ts t;

		if (strstr(parses[i].text, "ssh") && !getservbyname("ssh", "tcp")) {
			print_message("no /etc/services here: \"%s\" is not tried\n",
				      parses[i].text);
			continue;
		}
		t = ts(parses[i].text);
		assert_string_equal(ike_addr_text(&t.first, buf, sizeof(buf)), parses[i].first);
		assert_string_equal(ike_addr_text(&t.last, buf, sizeof(buf)), parses[i].last);
		assert_int_equal(t.protocol, parses[i].protocol);
		assert_int_equal(t.port_first, parses[i].port_first);
		assert_int_equal(t.port_last, parses[i].port_last);
		assert_false(t.dynamic);
		assert_string_equal(ike_ts_text(&t, buf, sizeof(buf)), parses[i].printed);
	}
}

static const struct {
	const char *text, *error;
} refusals[] = {
	{"10.1.0.1/16", "traffic selector \"10.1.0.1/16\": 10.1.0.1/16 has host bits set: the "
			"network is 10.1.0.0/16"},
	{"10.1.0.0/33", "traffic selector \"10.1.0.0/33\": \"33\" is not a prefix length for "
			"10.1.0.0"},
	{"10.1.0.0/", "traffic selector \"10.1.0.0/\": \"\" is not a prefix length for 10.1.0.0"},
	{"10.1.0.0/-1", "traffic selector \"10.1.0.0/-1\": \"-1\" is not a prefix length for "
			"10.1.0.0"},
	{"10.1.0/16", "traffic selector \"10.1.0/16\": \"10.1.0\" is not an IP address"},
	{"moon", "traffic selector \"moon\": \"moon\" is not an IP address"},
	{"", "traffic selector \"\": \"\" is not an IP address"},
	{"10.0.0.9-10.0.0.1", "traffic selector \"10.0.0.9-10.0.0.1\": range 10.0.0.9-10.0.0.1 "
			      "ends before it begins"},
	{"10.0.0.1-::1", "traffic selector \"10.0.0.1-::1\": range 10.0.0.1-::1 mixes IPv4 and "
			 "IPv6"},
	{"10.0.0.0/8[tcp/22", "traffic selector \"10.0.0.0/8[tcp/22\": \"]\" is missing at its "
			      "end"},
	{"10.0.0.0/8[tcp]x", "traffic selector \"10.0.0.0/8[tcp]x\": \"]\" is missing at its end"},
	{"10.0.0.0/8[tpc]", "traffic selector \"10.0.0.0/8[tpc]\": \"tpc\" is not a protocol"},
	{"10.0.0.0/8[256]", "traffic selector \"10.0.0.0/8[256]\": \"256\" is not a protocol"},
	{"10.0.0.0/8[tcp/shs]", "traffic selector \"10.0.0.0/8[tcp/shs]\": \"shs\" is not a port"},
	{"10.0.0.0/8[tcp/65536]", "traffic selector \"10.0.0.0/8[tcp/65536]\": \"65536\" is not a "
				  "port"},
	{"10.0.0.0/8[tcp/9-8]", "traffic selector \"10.0.0.0/8[tcp/9-8]\": port range \"9-8\" ends "
				"before it begins"},
	{"10.0.0.0/8[icmp/256]",
	 "traffic selector \"10.0.0.0/8[icmp/256]\": \"256\" is not an ICMP "
	 "type or type/code"},
};

static void test_refusals(void **state)
{
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		struct ike_error err = {0};
		struct ike_ts t;

		assert_false(ike_ts_parse(refusals[i].text, &t, &err));
		assert_string_equal(err.text, refusals[i].error);
	}
}

static void test_lists(void **state)
{
	char text[512], many[65 * 11];
	struct ike_ts *list;
	struct ike_error err;
	size_t n;

	assert_true(ike_ts_list_parse("10.1.0.0/16, 10.3.0.0/16[tcp/22] ,dynamic[icmp]", &list, &n,
				      NULL));
	assert_int_equal(n, 3);
	assert_true(list[2].dynamic);
	assert_string_equal(ike_ts_list_text(list, n, text, sizeof(text)),
			    "10.1.0.0/16 10.3.0.0/16[tcp/22] dynamic[icmp]");
	free(list);
	assert_string_equal(ike_ts_list_text(NULL, 0, text, sizeof(text)), "(none)");
	assert_false(ike_ts_list_parse(" , ", &list, &n, &err));
	assert_string_equal(err.text, "no traffic selector given");
	assert_false(ike_ts_list_parse("10.0.0.0/8,moon", &list, &n, &err));
	assert_string_equal(err.text, "traffic selector \"moon\": \"moon\" is not an IP address");
	for (unsigned int i = 0; i < 65; i++)
		memcpy(many + 11 * i, "10.0.0.0/8,", 11);
	many[65 * 11 - 1] = '\0';
	assert_false(ike_ts_list_parse(many, &list, &n, &err));
	assert_string_equal(err.text, "more than 64 traffic selectors");
	assert_true(ike_ts_list_parse(many + 11, &list, &n, &err));
	assert_int_equal(n, 64);
	free(list);
}

static void test_dynamic(void **state)
{
	struct ike_ts list[2] = {ts("dynamic[tcp/22]"), ts("10.0.0.0/8")};
	struct ike_addr a;
	char text[64];

	assert_string_equal(ike_ts_text(&list[0], text, sizeof(text)), "dynamic[tcp/22]");
	for (unsigned int i = 1; i < 3; i++) { /* again, for another address */
		snprintf(text, sizeof(text), "192.0.2.%u", i);
		assert_true(ike_addr_parse(text, &a, NULL));
		ike_ts_resolve(list, 2, &a);
		assert_true(ike_addr_equal(&list[0].first, &a));
		assert_true(ike_addr_equal(&list[0].last, &a));
		assert_int_equal(list[0].port_first, 22);
	}
	assert_string_equal(ike_ts_list_text(list, 2, text, sizeof(text)),
			    "192.0.2.2/32[tcp/22] 10.0.0.0/8");
}

/* The naive model: a selector is the packets in it. Few addresses, protocols and ports. */
enum {
	ADDRS = 6,
	PROTOS = 3,
	PORTS = 4
};

static bool model_holds(const struct ike_ts *t, unsigned int addr, unsigned int proto,
			unsigned int port)
{
	return addr >= t->first.bytes[3] && addr <= t->last.bytes[3] &&
	       (!t->protocol || t->protocol == proto) && port >= t->port_first &&
	       port <= t->port_last;
}

static struct ike_ts random_ts(struct seeded_random *r)
{
	struct ike_ts t = {.first = {AF_INET, {0}}, .last = {AF_INET, {0}}};
	uint8_t b[6];

	ike_random_fill(&r->random, b, sizeof(b));
	t.first.bytes[3] = b[0] % ADDRS;
	t.last.bytes[3] = t.first.bytes[3] + b[1] % (ADDRS - t.first.bytes[3]);
	t.protocol = b[2] % (PROTOS + 1);
	t.port_first = b[3] % 2 ? 0 : b[4] % PORTS;
	t.port_last = b[3] % 2 ? 65535 : t.port_first + b[5] % (PORTS - t.port_first);
	return t;
}

#define FOR_ALL_PACKETS(a, p, q)                           \
	for (unsigned int a = 0; a < ADDRS; a++)           \
		for (unsigned int p = 1; p <= PROTOS; p++) \
			for (unsigned int q = 0; q <= PORTS; q++)

static void test_intersect_model(void **state)
{
	struct seeded_random r;

	seeded_random_init(&r, 11);
	for (unsigned int i = 0; i < 20000; i++) {
		struct ike_ts a = random_ts(&r), b = random_ts(&r), both;
		bool some = false, all = true;
		bool ok = ike_ts_intersect(&a, &b, &both);

		FOR_ALL_PACKETS(addr, proto, port)
		{
			bool in_a = model_holds(&a, addr, proto, port);
			bool in_b = model_holds(&b, addr, proto, port);

			some |= in_a && in_b;
			all &= in_a || !in_b;
			if (ok)
				assert_int_equal(model_holds(&both, addr, proto, port),
						 in_a && in_b);
		}
		assert_int_equal(ok, some);
		/* The model's packets end with the ports tried: "any" holds more than 0..PORTS. */
		if (ike_ts_contains(&a, &b))
			assert_true(all);
		else if (a.port_last == 65535 || b.port_last != 65535)
			assert_false(all && (!a.protocol || b.protocol));
	}
}

/* Narrowing: exactly the packets that both lists have, and no entry within another. */
static void test_narrow_model(void **state)
{
	struct seeded_random r;

	seeded_random_init(&r, 12);
	for (unsigned int i = 0; i < 5000; i++) {
		struct ike_ts ours[3], offer[3], out[16];
		size_t n;

		for (unsigned int k = 0; k < 3; k++) {
			ours[k] = random_ts(&r);
			offer[k] = random_ts(&r);
		}
		n = ike_ts_narrow(ours, 3, offer, 3, out, 16);
		FOR_ALL_PACKETS(addr, proto, port)
		{
			bool in[3] = {false};

			for (unsigned int k = 0; k < 3; k++) {
				in[0] |= model_holds(&ours[k], addr, proto, port);
				in[1] |= model_holds(&offer[k], addr, proto, port);
			}
			for (size_t k = 0; k < n; k++)
				in[2] |= model_holds(&out[k], addr, proto, port);
			assert_int_equal(in[2], in[0] && in[1]);
		}
		assert_int_equal(ike_ts_subset(offer, 3, out, n), n > 0);
		for (size_t a = 0; a < n; a++)
			for (size_t b = 0; b < n; b++)
				assert_true(a == b || !ike_ts_contains(&out[a], &out[b]));
	}
}

static const struct {
	const char *ours, *offer, *want;
} narrowings[] = {
	/* The whole offer, a part of it, nothing. */
	{"10.0.0.0/8", "10.1.0.0/16", "10.1.0.0/16"},
	{"10.1.0.0/16", "10.0.0.0/8", "10.1.0.0/16"},
	{"10.1.0.0/16", "0.0.0.0/0", "10.1.0.0/16"},
	{"10.1.0.0/16", "10.2.0.0/16", "(none)"},
	{"10.1.0.0/16", "2001:db8::/32", "(none)"},
	{"10.1.0.0/16[tcp]", "10.1.0.0/16[udp]", "(none)"},
	{"10.1.0.0/16[tcp]", "10.1.0.0/16", "10.1.0.0/16[tcp]"},
	{"10.1.0.0/16[tcp/20-30]", "10.1.0.0/16[tcp/25-99]", "10.1.0.0/16[tcp/25-30]"},
	{"10.1.0.0/16[tcp/opaque]", "10.1.0.0/16[tcp]", "10.1.0.0/16[tcp/opaque]"},
	{"10.1.0.0/16[tcp/opaque]", "10.1.0.0/16[tcp/22]", "(none)"},
	{"10.1.0.0/16 10.3.0.0/16", "0.0.0.0/0", "10.1.0.0/16 10.3.0.0/16"},
	{"0.0.0.0/0 ::/0", "10.1.0.0/16 2001:db8::/32", "10.1.0.0/16 2001:db8::/32"},
	/* Section 2.9: the first is the packet that asked; what holds it comes first. */
	{"10.1.0.0/16 10.3.0.0/16", "10.3.0.5/32[tcp/22] 0.0.0.0/0", "10.3.0.0/16 10.1.0.0/16"},
	{"10.1.0.0/16", "10.1.0.5/32[tcp/22] 10.1.0.0/16", "10.1.0.0/16"},
	{"10.1.0.0/16[tcp/22]", "10.1.0.5/32[tcp/22] 10.1.0.0/24", "10.1.0.0/24[tcp/22]"},
};

static void test_narrowings(void **state)
{
	struct ike_ts ours[8], offer[8], out[8];
	char text[512];

	for (size_t i = 0; i < sizeof(narrowings) / sizeof(narrowings[0]); i++) {
		size_t n_ours = list_of(narrowings[i].ours, ours);
		size_t n_offer = list_of(narrowings[i].offer, offer);
		size_t n = ike_ts_narrow(ours, n_ours, offer, n_offer, out, 8);

		assert_string_equal(ike_ts_list_text(out, n, text, sizeof(text)),
				    narrowings[i].want);
	}
	/* No room: the first, which hold the packet, are kept. */
	assert_int_equal(ike_ts_narrow(ours, list_of("10.1.0.0/16 10.3.0.0/16", ours), offer,
				       list_of("0.0.0.0/0", offer), out, 1),
			 1);
}

static void test_subset(void **state)
{
	struct ike_ts offer[4], answer[4];
	size_t n = list_of("10.1.0.0/16 10.3.0.0/16[tcp]", offer);

	assert_true(ike_ts_subset(offer, n, answer, list_of("10.1.2.0/24", answer)));
	assert_true(ike_ts_subset(offer, n, answer,
				  list_of("10.3.0.1/32[tcp/22] 10.1.0.0/16", answer)));
	assert_false(ike_ts_subset(offer, n, answer, list_of("10.0.0.0/8", answer)));
	assert_false(ike_ts_subset(offer, n, answer, list_of("10.1.0.0/16 10.3.0.0/16", answer)));
	assert_false(ike_ts_subset(offer, n, answer, list_of("10.3.0.0/16[udp]", answer)));
	assert_false(ike_ts_subset(offer, n, answer, 0));
	assert_false(ike_ts_subset(offer, 0, answer, 1));
}

/* Every field counts. */
static void test_equal(void **state)
{
	static const char *const others[] = {
		"10.1.0.0/17[tcp/20-30]",
		"10.1.0.0-10.1.255.254[tcp/20-30]",
		"10.0.0.0-10.1.255.255[tcp/20-30]",
		"10.1.0.0/16[udp/20-30]",
		"10.1.0.0/16[tcp/21-30]",
		"10.1.0.0/16[tcp/20-31]",
		"10.1.0.0/16",
	};
	struct ike_ts one = ts("10.1.0.0/16[tcp/20-30]"), same = ts("10.1.0.0/16[6/20-30]");

	assert_true(ike_ts_equal(&one, &same));
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		struct ike_ts other = ts(others[i]);

		assert_false(ike_ts_equal(&one, &other));
		assert_false(ike_ts_equal(&other, &one));
	}
}

/* An unresolved dynamic selector holds nothing: it must not match by accident. */
static void test_unresolved(void **state)
{
	struct ike_ts dynamic = ts("dynamic"), all = ts("0.0.0.0/0"), out;

	assert_false(ike_ts_contains(&all, &dynamic));
	assert_false(ike_ts_contains(&dynamic, &all));
	assert_false(ike_ts_contains(&dynamic, &dynamic));
	assert_false(ike_ts_intersect(&dynamic, &all, &out));
	assert_false(ike_ts_intersect(&dynamic, &dynamic, &out));
}

static void test_wire(void **state)
{
	struct ike_ts list[8], back[8];
	struct ike_header h = {0};
	uint8_t buf[512];
	struct ike_writer w;
	char one[512], two[512];
	size_t n, m;

	n = list_of("10.1.0.0/16 10.0.0.1-10.0.0.9[udp/53] 2001:db8::/32[tcp/opaque] ::1[58]",
		    list);
	ike_writer_init(&w, buf, sizeof(buf));
	ike_message_begin(&w, &h);
	ike_put_ts_list(&w, IKE_PAYLOAD_TSR, list, n);
	assert_true(ike_message_end(&w));
	/* Header 28, generic header 4, count 4, then 2 * 16 + 2 * 40. */
	assert_int_equal(w.len, 28 + 4 + 4 + 2 * 16 + 2 * 40);
	assert_true(ike_ts_decode(ike_bytes(buf + 32, w.len - 32), back, 8, &m, NULL));
	assert_string_equal(ike_ts_list_text(list, n, one, sizeof(one)),
			    ike_ts_list_text(back, m, two, sizeof(two)));
}

static void wire_says(const char *body, uint16_t notify, const char *text)
{
	struct ike_bytes b = hex(body);
	struct ike_ts list[2];
	struct ike_error err;
	size_t n;

	assert_false(ike_ts_decode(b, list, 2, &n, &err));
	assert_string_equal(err.text, text);
	assert_int_equal(err.notify, notify);
	free((void *)b.p);
}

static void test_wire_refusals(void **state)
{
	struct ike_bytes b = hex("02000000 0a000006 6162 07000010 0000ffff 0a010000 0a01ffff");
	struct ike_ts list[2];
	char text[64];
	size_t n;

	wire_says("01000000 07000010 0000ffff 0a010001 0a010000", IKE_NOTIFY_INVALID_SYNTAX,
		  "TS payload: a range ends before it begins");
	wire_says("03000000 07000010 0000ffff 0a010000 0a010000 07000010 0000ffff 0a010000 0a010000"
		  "07000010 0000ffff 0a010000 0a010000",
		  IKE_NOTIFY_TS_UNACCEPTABLE, "TS payload: more than 2 selectors");
	/* Of another type: skipped (section 2.9: narrowed away). */
	assert_true(ike_ts_decode(b, list, 2, &n, NULL));
	assert_string_equal(ike_ts_list_text(list, n, text, sizeof(text)), "10.1.0.0/16");
	free((void *)b.p);
}

static void test_addresses(void **state)
{
	struct ike_addr a, b, none = {0};
	struct ike_ts range = ts("10.0.0.1-10.0.0.9");
	struct ike_error err;
	char text[64];

	assert_false(ike_addr_parse("10.0.0", &a, &err));
	assert_string_equal(err.text, "\"10.0.0\" is not an IP address");
	assert_true(ike_addr_parse("10.0.0.9", &a, NULL));
	assert_true(ike_ts_holds_addr(&range, &a));
	assert_true(ike_addr_parse("10.0.0.10", &b, NULL));
	assert_false(ike_ts_holds_addr(&range, &b));
	assert_true(ike_addr_compare(&a, &b) < 0);
	assert_true(ike_addr_parse("::", &b, NULL));
	assert_true(ike_addr_compare(&a, &b) < 0); /* IPv4 before IPv6 */
	assert_true(ike_addr_unspecified(&b) && ike_addr_unspecified(&none));
	assert_false(ike_addr_unspecified(&a));
	assert_string_equal(ike_addr_text(&none, text, sizeof(text)), "(none)");
	assert_false(ike_addr_from_bytes(&b, ike_bytes("123", 3)));
	assert_true(ike_addr_from_bytes(&b, ike_addr_bytes(&a)));
	assert_true(ike_addr_equal(&a, &b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_dynamic),
		cmocka_unit_test(test_intersect_model),
		cmocka_unit_test(test_narrow_model),
		cmocka_unit_test(test_narrowings),
		cmocka_unit_test(test_subset),
		cmocka_unit_test(test_equal),
		cmocka_unit_test(test_unresolved),
		cmocka_unit_test(test_wire),
		cmocka_unit_test(test_wire_refusals),
		cmocka_unit_test(test_addresses),
	};

	return cmocka_run_group_tests_name("ike_ts", tests, NULL, NULL);
}
