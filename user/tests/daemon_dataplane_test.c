// SPDX-License-Identifier: MIT
/*
 * What the daemon says to the data plane and hears from it: structs into netlink attributes and
 * back.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <netlink/attr.h>
#include <netlink/msg.h>

#include "dataplane/codec.h"
#include "dataplane/types.h"

static const uint8_t key[] = { 0x4c, 0x80, 0xcd, 0xef };

static struct dp_addr ipv4(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
	return (struct dp_addr){ .len = 4, .bytes = { a, b, c, d } };
}

static struct dp_sa example_sa(void)
{
	return (struct dp_sa){
		.direction = ESPLANE_DIRECTION_OUT,
		.spi = 0x12345678,
		.src = ipv4(192, 0, 2, 1),
		.dst = ipv4(192, 0, 2, 2),
		.encr = 20,
		.keymat = { key, sizeof(key) },
		.flags = ESPLANE_SA_FLAG_ESN,
		.encap_sport = 4500,
		.encap_dport = 61000,
		.cookie = 0x1122334455667788,
		.hard_bytes = 1ULL << 40,
		.selectors = { {
				       .src_first = ipv4(10, 1, 0, 0),
				       .src_last = ipv4(10, 1, 0, 255),
				       .dst_first = ipv4(10, 2, 0, 0),
				       .dst_last = ipv4(10, 2, 0, 255),
				       .protocol = 17,
				       .dst_port_first = 53,
				       .dst_port_last = 53,
				       .src_port_last = UINT16_MAX,
			       },
			       { .src_first = ipv4(10, 9, 0, 1), .src_last = ipv4(10, 9, 0, 1) } },
		.n_selectors = 2,
	};
}

static struct nl_msg *encode(const struct dp_table *table, const void *object)
{
	struct nl_msg *msg = nlmsg_alloc_size(32768);

	assert_non_null(msg);
	assert_non_null(nlmsg_put(msg, 0, 0, NLMSG_MIN_TYPE, 0, 0));
	assert_int_equal(dp_put(msg, table, object), 0);
	return msg;
}

static int decode(struct nl_msg *msg, const struct dp_table *table, void *object)
{
	struct nlmsghdr *nlh = nlmsg_hdr(msg);

	return dp_get(nlmsg_attrdata(nlh, 0), nlmsg_attrlen(nlh, 0), table, object);
}

static struct nlattr *attribute(struct nl_msg *msg, int type)
{
	return nlmsg_find_attr(nlmsg_hdr(msg), 0, type);
}

/* The spec's types and byte orders, seen on the wire. */
static void sa_on_the_wire(void **state)
{
	static const uint8_t spi_be[] = { 0x12, 0x34, 0x56, 0x78 };
	struct dp_sa sa = example_sa();
	struct nl_msg *msg = encode(&dp_sa_table, &sa);

	assert_memory_equal(nla_data(attribute(msg, ESPLANE_A_SA_SPI)), spi_be, sizeof(spi_be));
	assert_int_equal(nla_len(attribute(msg, ESPLANE_A_SA_SRC)), 4);
	assert_int_equal(nla_get_u32(attribute(msg, ESPLANE_A_SA_ENCAP_DPORT)), 61000);
	assert_int_equal(nla_get_u64(attribute(msg, ESPLANE_A_SA_HARD_BYTES)), 1ULL << 40);
	assert_memory_equal(nla_data(attribute(msg, ESPLANE_A_SA_KEYMAT)), key, sizeof(key));
	/* Zero is absent: what only replies hold must not be in a request. */
	assert_null(attribute(msg, ESPLANE_A_SA_ID));
	assert_null(attribute(msg, ESPLANE_A_SA_BYTES));
	assert_null(attribute(msg, ESPLANE_A_SA_IDLE));
	assert_null(attribute(msg, ESPLANE_A_SA_IF_ID));
	nlmsg_free(msg);
}

static void sa_round_trip(void **state)
{
	struct dp_sa sa = example_sa(), got;
	struct nl_msg *msg = encode(&dp_sa_table, &sa);

	assert_int_equal(decode(msg, &dp_sa_table, &got), 0);
	assert_true(got.idle == UINT64_MAX);
	got.idle = 0;
	assert_int_equal(got.keymat.len, sizeof(key));
	assert_memory_equal(got.keymat.data, key, sizeof(key));
	got.keymat = sa.keymat;
	assert_memory_equal(&got, &sa, sizeof(sa));
	nlmsg_free(msg);
}

/* An absent last port means 65535; a last port of 0 (an ICMP type) must therefore be there. */
static void selector_ports(void **state)
{
	struct dp_selector s = { .protocol = 1 }, got;
	struct nl_msg *msg = encode(&dp_selector_table, &s);

	assert_non_null(attribute(msg, ESPLANE_A_SELECTOR_SRC_PORT_LAST));
	assert_int_equal(decode(msg, &dp_selector_table, &got), 0);
	assert_int_equal(got.src_port_last, 0);
	nlmsg_free(msg);

	msg = nlmsg_alloc();
	nlmsg_put(msg, 0, 0, NLMSG_MIN_TYPE, 0, 0);
	assert_int_equal(decode(msg, &dp_selector_table, &got), 0);
	assert_int_equal(got.src_port_last, 65535);
	nlmsg_free(msg);
}

static void too_many_selectors(void **state)
{
	struct dp_sa sa = { .n_selectors = ESPLANE_MAX_SELECTORS + 1 };
	struct nl_msg *msg = nlmsg_alloc_size(65536);

	nlmsg_put(msg, 0, 0, NLMSG_MIN_TYPE, 0, 0);
	assert_int_equal(dp_put(msg, &dp_sa_table, &sa), -E2BIG);
	nlmsg_free(msg);
}

static void full_message(void **state)
{
	struct dp_sa sa = example_sa();
	struct nl_msg *msg = nlmsg_alloc_size(64);

	nlmsg_put(msg, 0, 0, NLMSG_MIN_TYPE, 0, 0);
	assert_int_equal(dp_put(msg, &dp_sa_table, &sa), -EMSGSIZE);
	nlmsg_free(msg);
}

/* Each ill-sized attribute is refused. */
static void ill_sized(void **state)
{
	static const struct {
		int attr, len;
	} bad[] = {
		{ ESPLANE_A_SA_ID, 2 },	    { ESPLANE_A_SA_SPI, 8 },
		{ ESPLANE_A_SA_SRC, 5 },    { ESPLANE_A_SA_DST, 0 },
		{ ESPLANE_A_SA_COOKIE, 4 }, { ESPLANE_A_SA_ENCAP_SPORT, 2 },
	};
	static const uint8_t zero[16];
	struct dp_sa got;
	struct nl_msg *msg;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		msg = nlmsg_alloc();
		nlmsg_put(msg, 0, 0, NLMSG_MIN_TYPE, 0, 0);
		nla_put(msg, bad[i].attr, bad[i].len, zero);
		assert_int_equal(decode(msg, &dp_sa_table, &got), -EBADMSG);
		nlmsg_free(msg);
	}
}

/* A string without its zero byte must not be read past its end; a port must fit 16 bits. */
static void ill_filled(void **state)
{
	struct dp_sa got;
	struct nl_msg *msg = nlmsg_alloc();

	nlmsg_put(msg, 0, 0, NLMSG_MIN_TYPE, 0, 0);
	nla_put(msg, ESPLANE_A_SA_DRIVER, 3, "abc");
	assert_int_equal(decode(msg, &dp_sa_table, &got), -EBADMSG);
	nlmsg_free(msg);

	msg = nlmsg_alloc();
	nlmsg_put(msg, 0, 0, NLMSG_MIN_TYPE, 0, 0);
	nla_put_u32(msg, ESPLANE_A_SA_ENCAP_SPORT, 65536);
	assert_int_equal(decode(msg, &dp_sa_table, &got), -EBADMSG);
	nlmsg_free(msg);
}

/* A newer module may say more than we know, and have more selectors than we keep. */
static void newer_module(void **state)
{
	struct dp_sa got;
	struct nlattr *nest;
	struct nl_msg *msg = nlmsg_alloc_size(65536);
	int i;

	nlmsg_put(msg, 0, 0, NLMSG_MIN_TYPE, 0, 0);
	nla_put_u32(msg, 1000, 1);
	nla_put_u32(msg, ESPLANE_A_SA_ID, 7);
	for (i = 0; i < ESPLANE_MAX_SELECTORS + 3; i++) {
		nest = nla_nest_start(msg, ESPLANE_A_SA_SELECTOR);
		nla_put_u32(msg, ESPLANE_A_SELECTOR_PROTOCOL, 6);
		nla_nest_end(msg, nest);
	}
	assert_int_equal(decode(msg, &dp_sa_table, &got), 0);
	assert_int_equal(got.id, 7);
	assert_int_equal(got.n_selectors, ESPLANE_MAX_SELECTORS);
	nlmsg_free(msg);
}

static void event_decoded(void **state)
{
	struct dp_event event = {
		.sa_id = 3, .direction = ESPLANE_DIRECTION_IN, .spi = 0xc0000001,
		.cookie = 42, .hard = true, .cause = ESPLANE_EXPIRE_CAUSE_BYTES, .bytes = 5000, .packets = 5,
	}, got;
	struct nl_msg *msg = encode(&dp_event_table, &event);

	assert_int_equal(decode(msg, &dp_event_table, &got), 0);
	assert_memory_equal(&got, &event, sizeof(event));
	nlmsg_free(msg);
}

static void shown_as_text(void **state)
{
	struct dp_sa sa = example_sa();
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	sa.n_selectors = 0;
	sa.drops[0] = (struct dp_drop){ "REPLAY", "seen before", 3 };
	sa.n_drops = 1;
	dp_print(out, &dp_sa_table, &sa, false);
	fclose(out);
	assert_string_equal(
		text, "direction=out spi=0x12345678 src=192.0.2.1 dst=192.0.2.2 encr=20 flags=esn "
		      "encap_sport=4500 encap_dport=61000 cookie=1234605616436508552 "
		      "hard_bytes=1099511627776 drops={REPLAY:3}");
	free(text);
}

static void shown_as_json(void **state)
{
	struct dp_event event = { .spi = 0x1000,
				  .hard = true,
				  .cause = ESPLANE_EXPIRE_CAUSE_TIME,
				  .sa_id = 9,
				  .cookie = 4,
				  .bytes = 1,
				  .packets = 2 };
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	dp_print(out, &dp_event_table, &event, true);
	fclose(out);
	assert_string_equal(
		text,
		"{\"sa_id\":9,\"policy_id\":0,\"spi\":\"0x00001000\",\"cookie\":4,\"hard\":true,"
		"\"cause\":\"time\",\"bytes\":1,\"packets\":2,\"sport\":0,\"old_sport\":0,"
		"\"if_id\":0}");
	free(text);
}

static void field_by_name(void **state)
{
	assert_string_equal(dp_find(&dp_sa_table, "soft-bytes", 10)->name, "soft_bytes");
	assert_string_equal(dp_find(&dp_sa_table, "soft_bytes", 10)->name, "soft_bytes");
	assert_null(dp_find(&dp_sa_table, "soft_byte", 9));
	assert_null(dp_find(&dp_sa_table, "soft_bytess", 11));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sa_on_the_wire), cmocka_unit_test(sa_round_trip),
		cmocka_unit_test(selector_ports), cmocka_unit_test(too_many_selectors),
		cmocka_unit_test(full_message),	  cmocka_unit_test(ill_sized),
		cmocka_unit_test(ill_filled),	  cmocka_unit_test(newer_module),
		cmocka_unit_test(event_decoded),  cmocka_unit_test(shown_as_text),
		cmocka_unit_test(shown_as_json),  cmocka_unit_test(field_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
