// SPDX-License-Identifier: MIT
/* Packets to and from servers of RADIUS, of both families, over sockets that are real. */
#include <setjmp.h>
#include <stdarg.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/host.h"
#include "daemon/log.h"
#include "daemon/radius.h"

enum { TURNS_MAX = 200, TURN = 10 /* milliseconds */ };

/* What the engine would be given. */
static struct {
	unsigned int n;
	struct ike_endpoint server;
	size_t len;
	uint8_t first;
} got;

void __wrap_host_radius(struct host *h, const struct ike_endpoint *server, const uint8_t *packet,
			size_t len);

void __wrap_host_radius(struct host *h, const struct ike_endpoint *server, const uint8_t *packet,
			size_t len)
{
	got.n++;
	got.server = *server;
	got.len = len;
	got.first = len ? packet[0] : 0;
}

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

/* A server on loopback; *@at is where. -1: there is no such family here. */
static int listen_at(int family, struct ike_endpoint *at)
{
	union address a = { .any = { .sa_family = family } };
	socklen_t len = sizeof(a);
	int fd = socket(family, SOCK_DGRAM, 0);

	if (family == AF_INET)
		a.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	else
		a.v6.sin6_addr = in6addr_loopback;
	if (fd < 0 || bind(fd, &a.any, family == AF_INET ? sizeof(a.v4) : sizeof(a.v6))) {
		close(fd);
		return -1;
	}
	assert_int_equal(getsockname(fd, &a.any, &len), 0);
	*at = (struct ike_endpoint){ .addr = { .family = family }, .port = ntohs(a.v4.sin_port) };
	if (family == AF_INET)
		memcpy(at->addr.bytes, &a.v4.sin_addr, 4);
	else
		memcpy(at->addr.bytes, &a.v6.sin6_addr, 16);
	return fd;
}

static void wait_for(uv_loop_t *loop, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < TURNS_MAX && got.n < n; i++) {
		uv_run(loop, UV_RUN_NOWAIT);
		usleep(TURN * 1000);
	}
	assert_int_equal(got.n, n);
}

static void there_and_back(int family)
{
	struct ike_radius_server_cfg server = { .name = "r" };
	struct ike_config config = { .radius = { .servers = &server, .n_servers = 1 } };
	static struct radius radius;
	struct ike_endpoint at;
	struct host host = { 0 };
	union address from;
	socklen_t len = sizeof(from);
	uint8_t packet[100] = { 1 };
	uv_loop_t loop;
	int fd = listen_at(family, &at);

	if (fd < 0)
		skip();
	memset(&radius, 0, sizeof(radius));
	memset(&got, 0, sizeof(got));
	server.addr = at.addr;
	server.port = at.port;
	uv_loop_init(&loop);
	assert_int_equal(radius_open(&radius, &loop, &config), 0);
	assert_int_equal(radius_start(&radius, &host), 0);
	radius_send(&radius, &at, packet, sizeof(packet));
	assert_int_equal(recvfrom(fd, packet, sizeof(packet), 0, &from.any, &len), 100);
	packet[0] = 2;
	assert_int_equal(sendto(fd, packet, 30, 0, &from.any, len), 30);
	wait_for(&loop, 1);
	assert_int_equal(got.len, 30);
	assert_int_equal(got.first, 2);
	assert_int_equal(got.server.port, at.port);
	assert_true(ike_addr_equal(&got.server.addr, &at.addr));
	radius_close(&radius);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
	close(fd);
}

static void ipv4(void **state)
{
	there_and_back(AF_INET);
}

static void ipv6(void **state)
{
	there_and_back(AF_INET6);
}

static char said[200];

static void hear(void *arg, const struct log_line *line)
{
	strncpy(said, line->text, sizeof(said) - 1);
}

/* Without servers no port is open, and what a new configuration has waits for a restart. */
static void no_server(void **state)
{
	struct ike_endpoint at = { .addr = { .family = AF_INET, .bytes = { 127, 0, 0, 1 } },
				   .port = 1812 };
	struct ike_config config = { 0 };
	static struct radius radius;
	struct host host = { 0 };
	uv_loop_t loop;

	uv_loop_init(&loop);
	log_setup(&(struct log_levels){ 0 }, hear, NULL);
	assert_int_equal(radius_open(&radius, &loop, &config), 0);
	assert_int_equal(radius_start(&radius, &host), 0);
	assert_false(radius.open[0] || radius.open[1]);
	radius_send(&radius, &at, (const uint8_t *)"x", 1);
	assert_string_equal(said, "RADIUS: servers of this family of addresses are new, and need a "
				  "restart of esplaned");
	radius_close(&radius);
	assert_int_equal(uv_loop_close(&loop), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ipv4),
		cmocka_unit_test(ipv6),
		cmocka_unit_test(no_server),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
