// SPDX-License-Identifier: MIT
/*
 * The bytes of a capture file: draft-ietf-opsawg-pcapng's blocks around RFC 791, RFC 8200 and RFC 768
 * headers, whose checksums add up to nothing.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/pcapng.h"

static const uint8_t ike[] = "an IKE message, odd in length..";	/* 31 bytes */
enum { IKE_LEN = sizeof(ike) - 1, PACKET_AT = 28 };

static struct ike_endpoint endpoint(const char *text, uint16_t port)
{
	struct ike_endpoint e = { .port = port };
	struct ike_ts ts;

	assert_true(ike_ts_parse(text, &ts, NULL));
	e.addr = ts.first;
	return e;
}

/* What is written for one datagram; the caller frees it. */
static uint8_t *written(const struct pcapng_datagram *d, size_t *len)
{
	char *buf = NULL;
	FILE *f = open_memstream(&buf, len);

	assert_int_equal(pcapng_put(f, d), 0);
	fclose(f);
	return (uint8_t *)buf;
}

static uint32_t u32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static unsigned int be16(const uint8_t *p)
{
	return p[0] << 8 | p[1];
}

/* RFC 1071: with the checksum in its place the sum is all ones. */
static unsigned int sum(unsigned int s, const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		s += i % 2 ? p[i] : p[i] << 8;
	while (s > 0xffff)
		s = (s & 0xffff) + (s >> 16);
	return s;
}

static void file_begins(void **state)
{
	/* Section Header Block, its magic in this host's order, version 1.0, length unknown */
	char *buf = NULL;
	uint8_t *p;
	size_t len;
	FILE *f = open_memstream(&buf, &len);

	assert_int_equal(pcapng_begin(f), 0);
	fclose(f);
	p = (uint8_t *)buf;
	assert_int_equal(u32(p), 0x0a0d0d0a);
	assert_int_equal(u32(p + 8), 0x1a2b3c4d);
	assert_int_equal(u32(p + u32(p + 4) - 4), u32(p + 4));
	/* Interface Description Block of LINKTYPE_RAW */
	p += u32(p + 4);
	assert_int_equal(u32(p), 1);
	assert_int_equal(u32(p + 8), 101);
	assert_int_equal(p + u32(p + 4) - (uint8_t *)buf, len);
	free(buf);
}

static void over_ipv4(void **state)
{
	struct pcapng_datagram d = {
		.time = 0x123456789, .sent = true, .from = endpoint("192.0.2.1", 500),
		.to = endpoint("192.0.2.2", 500), .message = ike, .len = IKE_LEN, .comment = "a[1]",
	};
	size_t len;
	uint8_t *p = written(&d, &len), *ip = p + PACKET_AT, *udp = ip + 20;

	assert_int_equal(u32(p), 6);
	assert_int_equal(u32(p + 4), len);
	assert_int_equal(u32(p + len - 4), len);
	assert_int_equal(u32(p + 12), 1);
	assert_int_equal(u32(p + 16), 0x23456789);
	assert_int_equal(u32(p + 20), 20 + 8 + IKE_LEN);
	assert_int_equal(ip[0], 0x45);
	assert_int_equal(be16(ip + 2), 20 + 8 + IKE_LEN);
	assert_int_equal(sum(0, ip, 20), 0xffff);
	assert_memory_equal(ip + 12, "\xc0\x00\x02\x01\xc0\x00\x02\x02", 8);
	assert_int_equal(be16(udp), 500);
	assert_int_equal(be16(udp + 4), 8 + IKE_LEN);
	assert_int_equal(sum(sum(17 + 8 + IKE_LEN, ip + 12, 8), udp, 8 + IKE_LEN), 0xffff);
	assert_memory_equal(udp + 8, ike, IKE_LEN);
	/* One byte of padding, then epb_flags: outbound; then the comment */
	assert_int_equal(u32(udp + 8 + IKE_LEN + 1 + 4), 2);
	assert_memory_equal(udp + 8 + IKE_LEN + 1 + 8, "\x01\x00\x04\x00" "a[1]", 8);
	free(p);
}

/* RFC 3948 section 2.2 */
static void over_ipv6_behind_a_nat(void **state)
{
	struct pcapng_datagram d = {
		.from = endpoint("2001:db8::1", 4500), .to = endpoint("2001:db8::2", 61234),
		.message = ike, .len = IKE_LEN, .comment = "",
	};
	size_t len, udp_len = 8 + 4 + IKE_LEN;
	uint8_t *p = written(&d, &len), *ip = p + PACKET_AT, *udp = ip + 40;

	assert_int_equal(ip[0], 0x60);
	assert_int_equal(be16(ip + 4), udp_len);
	assert_int_equal(ip[6], 17);
	assert_int_equal(sum(sum(17 + udp_len, ip + 8, 32), udp, udp_len), 0xffff);
	assert_memory_equal(udp + 8, "\0\0\0\0", 4);
	assert_memory_equal(udp + 12, ike, IKE_LEN);
	free(p);
}

static void longer_than_ip_can(void **state)
{
	static const uint8_t bytes[65535 - 28 + 1];
	struct pcapng_datagram d = {
		.from = endpoint("192.0.2.1", 500), .to = endpoint("192.0.2.2", 500),
		.message = bytes, .len = sizeof(bytes), .comment = "",
	};
	FILE *f = fopen("/dev/null", "w");

	assert_int_equal(pcapng_put(f, &d), -1);
	assert_int_equal(errno, EMSGSIZE);
	d.len--;
	assert_int_equal(pcapng_put(f, &d), 0);
	fclose(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(file_begins),
		cmocka_unit_test(over_ipv4),
		cmocka_unit_test(over_ipv6_behind_a_nat),
		cmocka_unit_test(longer_than_ip_can),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
