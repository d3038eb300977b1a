// SPDX-License-Identifier: MIT
/* UDP datagrams taken apart: merged trains, the non-ESP marker, control messages. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/datagram.h"

struct pieces {
	size_t n, len[8];
	uint8_t first[8];
};

static void take(void *arg, const uint8_t *data, size_t len)
{
	struct pieces *p = arg;

	assert_true(p->n < 8);
	p->first[p->n] = len ? data[0] : 0;
	p->len[p->n++] = len;
}

/* Three datagrams of 4, 4 and 3 bytes that UDP_GRO merged: each begins with its number. */
static void split_train(void **state)
{
	static const uint8_t train[] = { 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0 };
	struct pieces p = { 0 };

	datagram_split(train, sizeof(train), 4, take, &p);
	assert_int_equal(p.n, 3);
	assert_int_equal(p.len[0], 4);
	assert_int_equal(p.len[1], 4);
	assert_int_equal(p.len[2], 3);
	assert_int_equal(p.first[0], 1);
	assert_int_equal(p.first[1], 2);
	assert_int_equal(p.first[2], 3);
}

/* A train whose last datagram is as long as the others has no empty one behind it. */
static void split_even(void **state)
{
	static const uint8_t train[8];
	struct pieces p = { 0 };

	datagram_split(train, sizeof(train), 4, take, &p);
	assert_int_equal(p.n, 2);
	assert_int_equal(p.len[1], 4);
}

static void not_merged(void **state)
{
	static const uint8_t data[10];
	struct pieces p = { 0 };

	datagram_split(data, sizeof(data), 0, take, &p);
	datagram_split(data, sizeof(data), 10, take, &p);
	datagram_split(data, sizeof(data), 2000, take, &p);
	assert_int_equal(p.n, 3);
	assert_int_equal(p.len[0], 10);
	assert_int_equal(p.len[1], 10);
	assert_int_equal(p.len[2], 10);
}

static void empty(void **state)
{
	struct pieces p = { 0 };

	datagram_split((const uint8_t *)"", 0, 0, take, &p);
	datagram_split((const uint8_t *)"", 0, 4, take, &p);
	assert_int_equal(p.n, 2);
	assert_int_equal(p.len[0], 0);
}

/* RFC 3948 sections 2.1 to 2.3 */
static void classified(void **state)
{
	static const uint8_t keepalive[] = { 0xff }, one[] = { 0xfe }, marker[] = { 0, 0, 0, 0 };
	static const uint8_t ike[] = { 0, 0, 0, 0, 0x11 }, esp[] = { 0, 0, 1, 0, 0, 0, 0, 1 };
	static const uint8_t ffs[] = { 0xff, 0xff };

	assert_int_equal(datagram_classify(keepalive, 1), DATAGRAM_KEEPALIVE);
	assert_int_equal(datagram_classify(one, 1), DATAGRAM_RUNT);
	assert_int_equal(datagram_classify(one, 0), DATAGRAM_RUNT);
	assert_int_equal(datagram_classify(ffs, 2), DATAGRAM_RUNT);
	assert_int_equal(datagram_classify(marker, 3), DATAGRAM_RUNT);
	assert_int_equal(datagram_classify(marker, 4), DATAGRAM_IKE);
	assert_int_equal(datagram_classify(ike, 5), DATAGRAM_IKE);
	assert_int_equal(datagram_classify(esp, 8), DATAGRAM_ESP);
	assert_int_equal(datagram_classify(esp, 7), DATAGRAM_RUNT);
}

/* As the kernel writes them: destination address and segment size in one buffer. */
static void control_messages(void **state)
{
	char buf[CMSG_SPACE(sizeof(struct in_pktinfo)) + CMSG_SPACE(sizeof(int))]
		__attribute__((aligned(8))) = { 0 };
	struct msghdr msg = { .msg_control = buf, .msg_controllen = sizeof(buf) };
	struct in_pktinfo to = { .ipi_ifindex = 7, .ipi_addr.s_addr = htonl(0xc0000201),
				 .ipi_spec_dst.s_addr = htonl(0x0a000001) };
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
	struct datagram_info info;
	int segment = 1400;

	*cmsg = (struct cmsghdr){ .cmsg_level = IPPROTO_IP,
				  .cmsg_type = IP_PKTINFO,
				  .cmsg_len = CMSG_LEN(sizeof(to)) };
	memcpy(CMSG_DATA(cmsg), &to, sizeof(to));
	cmsg = CMSG_NXTHDR(&msg, cmsg);
	*cmsg = (struct cmsghdr){ .cmsg_level = IPPROTO_UDP,
				  .cmsg_type = UDP_GRO,
				  .cmsg_len = CMSG_LEN(sizeof(segment)) };
	memcpy(CMSG_DATA(cmsg), &segment, sizeof(segment));
	datagram_info(&msg, &info);
	assert_int_equal(info.family, AF_INET);
	assert_int_equal(info.ifindex, 7);
	assert_memory_equal(info.local, "\xc0\x00\x02\x01", 4);
	assert_int_equal(info.segment, 1400);
}

static void control_too_short(void **state)
{
	char buf[CMSG_SPACE(2)] __attribute__((aligned(8))) = { 0 };
	struct msghdr msg = { .msg_control = buf, .msg_controllen = sizeof(buf) };
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
	struct datagram_info info;

	*cmsg = (struct cmsghdr){ .cmsg_level = IPPROTO_UDP,
				  .cmsg_type = UDP_GRO,
				  .cmsg_len = CMSG_LEN(2) };
	datagram_info(&msg, &info);
	assert_int_equal(info.segment, 0);
	assert_int_equal(info.family, AF_UNSPEC);
}

/* What is put for sending is what the kernel reads: ipi_spec_dst, not ipi_addr (ip(7)). */
static void source_address(void **state)
{
	union datagram_control control;
	struct msghdr msg = { 0 };
	struct in_pktinfo v4;
	struct in6_pktinfo v6;

	datagram_put_source(&msg, &control, AF_INET, (const uint8_t *)"\xc0\x00\x02\x01", 0);
	assert_int_equal(CMSG_FIRSTHDR(&msg)->cmsg_type, IP_PKTINFO);
	memcpy(&v4, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(v4));
	assert_int_equal(ntohl(v4.ipi_spec_dst.s_addr), 0xc0000201);
	datagram_put_source(&msg, &control, AF_INET6,
			    (const uint8_t *)"\xfe\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\1", 7);
	assert_int_equal(CMSG_FIRSTHDR(&msg)->cmsg_type, IPV6_PKTINFO);
	memcpy(&v6, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(v6));
	assert_int_equal(v6.ipi6_addr.s6_addr[15], 1);
	assert_int_equal(v6.ipi6_ifindex, 7);
	assert_true(msg.msg_controllen <= sizeof(control));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(split_train),	     cmocka_unit_test(split_even),
		cmocka_unit_test(not_merged),	     cmocka_unit_test(empty),
		cmocka_unit_test(classified),	     cmocka_unit_test(control_messages),
		cmocka_unit_test(control_too_short), cmocka_unit_test(source_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
