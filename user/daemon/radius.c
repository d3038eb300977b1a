// SPDX-License-Identifier: MIT
/* UDP to and from servers of RADIUS. */
#include <netinet/in.h>
#include <string.h>

#include "host.h"
#include "log.h"
#include "radius.h"

static const int families[RADIUS_FAMILIES] = { AF_INET, AF_INET6 };

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

/* An endpoint without address is the wildcard. */
static void to_sockaddr(const struct ike_endpoint *from, union address *to)
{
	memset(to, 0, sizeof(*to));
	to->any.sa_family = from->addr.family;
	if (from->addr.family == AF_INET) {
		to->v4.sin_port = htons(from->port);
		memcpy(&to->v4.sin_addr, from->addr.bytes, sizeof(to->v4.sin_addr));
	} else {
		to->v6.sin6_port = htons(from->port);
		memcpy(&to->v6.sin6_addr, from->addr.bytes, sizeof(to->v6.sin6_addr));
	}
}

static struct ike_endpoint from_sockaddr(const struct sockaddr *from)
{
	const union address *a = (const union address *)from;
	struct ike_endpoint to = { .addr = { .family = from->sa_family } };

	if (from->sa_family == AF_INET) {
		to.port = ntohs(a->v4.sin_port);
		memcpy(to.addr.bytes, &a->v4.sin_addr, sizeof(a->v4.sin_addr));
	} else if (from->sa_family == AF_INET6) {
		to.port = ntohs(a->v6.sin6_port);
		memcpy(to.addr.bytes, &a->v6.sin6_addr, sizeof(a->v6.sin6_addr));
	}
	return to;
}

static bool wanted(const struct ike_config *config, int family)
{
	size_t i;

	for (i = 0; i < config->radius.n_servers; i++)
		if (config->radius.servers[i].addr.family == family)
			return true;
	return false;
}

static int open_one(struct radius *r, uv_loop_t *loop, size_t i)
{
	const struct ike_endpoint any = { .addr = { .family = families[i] } };
	union address at;
	int err;

	to_sockaddr(&any, &at);
	err = uv_udp_init(loop, &r->udp[i]);
	if (err)
		goto out;
	r->open[i] = true;
	r->udp[i].data = r;
	err = uv_udp_bind(&r->udp[i], &at.any,
			  families[i] == AF_INET6 ? UV_UDP_IPV6ONLY : 0);
out:
	if (err)
		log_error("no socket for RADIUS: %s", uv_strerror(err));
	return err ? -1 : 0;
}

int radius_open(struct radius *r, uv_loop_t *loop, const struct ike_config *config)
{
	size_t i;

	for (i = 0; i < RADIUS_FAMILIES; i++)
		if (wanted(config, families[i]) && open_one(r, loop, i))
			return -1;
	return 0;
}

static void give_buffer(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	struct radius *r = handle->data;

	*buf = uv_buf_init((char *)r->packet, sizeof(r->packet));
}

static void on_packet(uv_udp_t *udp, ssize_t len, const uv_buf_t *buf, const struct sockaddr *from,
		      unsigned int flags)
{
	struct radius *r = udp->data;
	struct ike_endpoint server;

	/* Negative: an ICMP error, of which the engine's timers need not know. */
	if (len < 0 || !from || flags & UV_UDP_PARTIAL)
		return;
	server = from_sockaddr(from);
	host_radius(r->host, &server, r->packet, len);
}

int radius_start(struct radius *r, struct host *host)
{
	size_t i;

	r->host = host;
	for (i = 0; i < RADIUS_FAMILIES; i++)
		if (r->open[i] && uv_udp_recv_start(&r->udp[i], give_buffer, on_packet))
			return -1;
	return 0;
}

void radius_close(struct radius *r)
{
	size_t i;

	for (i = 0; i < RADIUS_FAMILIES; i++) {
		if (r->open[i])
			uv_close((uv_handle_t *)&r->udp[i], NULL);
		r->open[i] = false;
	}
}

/* What cannot go is as good as lost: the engine sends again, and tells in the end. */
void radius_send(struct radius *r, const struct ike_endpoint *server, const uint8_t *packet,
		 size_t len)
{
	uv_buf_t buf = uv_buf_init((char *)packet, len);
	size_t i = server->addr.family == AF_INET6;
	union address to;
	int sent;

	if (!r->open[i]) {
		log_error("RADIUS: servers of this family of addresses are new, and need a restart "
			  "of esplaned");
		return;
	}
	to_sockaddr(server, &to);
	sent = uv_udp_try_send(&r->udp[i], &buf, 1, &to.any);
	if (sent < 0)
		log_info("a packet for a RADIUS server is not sent: %s", uv_strerror(sent));
}
