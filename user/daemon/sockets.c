// SPDX-License-Identifier: MIT
/*
 * IKE's UDP sockets. Wildcard ones: which address a datagram came to and goes from is in control
 * messages.
 */
#define LOG_SUBSYSTEM LOG_NET

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "datagram.h"
#include "log.h"
#include "sockets.h"

enum {
	DATAGRAM_MAX = UINT16_MAX,
	DATAGRAMS_PER_TURN = 64,	/* then timers and clients have theirs */
	RECEIVE_BUFFER = 1 << 20,
};

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

/* What split datagrams have in common. */
struct arrival {
	struct socket *socket;
	struct ike_endpoint local, remote;
};

static int set_option(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value));
}

/* IKE fragments by itself (RFC 7383) or relies on IP's fragments: DF must not be set. */
static int set_options(int fd, const struct socket *s)
{
	int size = RECEIVE_BUFFER;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
		log_debug("UDP port %u: receive buffer: %m", s->port);
	if (s->natt && set_option(fd, IPPROTO_UDP, UDP_GRO, 1))
		log_info("UDP port %u: trains of ESP will come as single packets (UDP_GRO: %m)",
			 s->port);
	if (s->family == AF_INET6)
		return set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1) ||
		       set_option(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1) ||
		       set_option(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_DONT);
	return set_option(fd, IPPROTO_IP, IP_PKTINFO, 1) ||
	       set_option(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT);
}

static socklen_t wildcard(union address *a, int family, uint16_t port)
{
	memset(a, 0, sizeof(*a));
	a->any.sa_family = family;
	if (family == AF_INET) {
		a->v4.sin_port = htons(port);
		return sizeof(a->v4);
	}
	a->v6.sin6_port = htons(port);
	return sizeof(a->v6);
}

static int open_socket(struct socket *s, int family, uint16_t port, bool natt)
{
	union address local;
	socklen_t len = wildcard(&local, family, port);
	int err;

	s->family = family;
	s->port = port;
	s->natt = natt;
	s->fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (s->fd >= 0 && !set_options(s->fd, s) && !bind(s->fd, &local.any, len))
		return 0;
	err = errno;
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
	errno = err;
	return -1;
}

int sockets_open(struct sockets *s, uint16_t port, uint16_t port_natt)
{
	const uint16_t ports[] = { port, port_natt };
	size_t i;

	for (i = 0; i < SOCKETS_MAX; i++)
		s->list[i] = (struct socket){ .owner = s, .fd = -1 };
	s->probes[0] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	s->probes[1] = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	s->buffer = malloc(DATAGRAM_MAX);
	if (!s->buffer)
		return -1;
	for (i = 0; i < 2; i++) {
		if (open_socket(&s->list[2 * i], AF_INET, ports[i], i)) {
			log_error("UDP port %u: %m%s", ports[i],
				  errno == EADDRINUSE ? "; another IKE daemon is running" : "");
			return -1;
		}
		if (open_socket(&s->list[2 * i + 1], AF_INET6, ports[i], i))
			log_info("UDP port %u: IPv6 is left out: %m", ports[i]);
	}
	return 0;
}

static void take_address(struct ike_endpoint *e, const union address *from)
{
	memset(e, 0, sizeof(*e));
	e->addr.family = from->any.sa_family;
	if (from->any.sa_family == AF_INET) {
		memcpy(e->addr.bytes, &from->v4.sin_addr, sizeof(from->v4.sin_addr));
		e->port = ntohs(from->v4.sin_port);
	} else {
		memcpy(e->addr.bytes, &from->v6.sin6_addr, sizeof(from->v6.sin6_addr));
		e->addr.scope = ike_addr_link_local(&e->addr) ? from->v6.sin6_scope_id : 0;
		e->port = ntohs(from->v6.sin6_port);
	}
}

static void take_local(struct ike_endpoint *e, const struct datagram_info *info, uint16_t port)
{
	memset(e, 0, sizeof(*e));
	e->addr.family = info->family;
	memcpy(e->addr.bytes, info->local, info->family == AF_INET ? 4 : 16);
	e->addr.scope = ike_addr_link_local(&e->addr) ? info->ifindex : 0;
	e->port = port;
}

static void take_natt(struct arrival *a, const uint8_t *data, size_t len)
{
	struct sockets *s = a->socket->owner;

	switch (datagram_classify(data, len)) {
	case DATAGRAM_IKE:
		s->receive(s->arg, &a->local, &a->remote, data + DATAGRAM_MARKER_LEN,
			   len - DATAGRAM_MARKER_LEN);
		return;
	case DATAGRAM_ESP:
		if (!s->stray_esp++)
			log_info("ESP reached the IKE socket: the data plane does not take port %u",
				 a->socket->port);
		return;
	case DATAGRAM_KEEPALIVE:
	case DATAGRAM_RUNT:
		return;
	}
}

static void take_datagram(void *arg, const uint8_t *data, size_t len)
{
	struct arrival *a = arg;
	struct sockets *s = a->socket->owner;

	if (a->socket->natt)
		take_natt(a, data, len);
	else
		s->receive(s->arg, &a->local, &a->remote, data, len);
}

/* Returns false when nothing waits any more. */
static bool receive_one(struct socket *s)
{
	union address from;
	char control[256] __attribute__((aligned(8)));
	struct iovec iov = { s->owner->buffer, DATAGRAM_MAX };
	struct msghdr msg = { .msg_name = &from,
			      .msg_namelen = sizeof(from),
			      .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control,
			      .msg_controllen = sizeof(control) };
	struct arrival a = { .socket = s };
	struct datagram_info info;
	ssize_t len = recvmsg(s->fd, &msg, 0);

	/* An ICMP error of an earlier datagram shows here; retransmission deals with it. */
	if (len < 0)
		return errno != EAGAIN && errno != EWOULDBLOCK;
	datagram_info(&msg, &info);
	if (info.family == AF_UNSPEC)
		return true;
	take_address(&a.remote, &from);
	take_local(&a.local, &info, s->port);
	datagram_split(s->owner->buffer, len, info.segment, take_datagram, &a);
	return true;
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct socket *s = poll->data;
	int i;

	/*
	 * libuv stops a handle whose socket has an error pending; receiving takes the error away.
	 */
	if (status < 0)
		uv_poll_start(poll, UV_READABLE, on_readable);
	for (i = 0; i < DATAGRAMS_PER_TURN && receive_one(s); i++)
		;
}

int sockets_start(struct sockets *s, uv_loop_t *loop)
{
	struct socket *one;

	for (one = s->list; one < s->list + SOCKETS_MAX; one++) {
		if (one->fd < 0)
			continue;
		one->poll.data = one;
		if (uv_poll_init(loop, &one->poll, one->fd))
			return -1;
		one->polled = true;
		if (uv_poll_start(&one->poll, UV_READABLE, on_readable))
			return -1;
	}
	return 0;
}

/* The engine speaks of 500 and 4500 until it has seen which ports are really bound. */
static struct socket *find_socket(struct sockets *s, const struct ike_endpoint *local,
				  const struct ike_endpoint *remote)
{
	struct socket *one, *other = NULL;

	for (one = s->list; one < s->list + SOCKETS_MAX; one++) {
		if (one->fd < 0 || one->family != remote->addr.family)
			continue;
		if (one->port == local->port)
			return one;
		if (one->natt == (local->port == IKE_PORT_NATT))
			other = one;
	}
	return other;
}

static socklen_t put_remote(union address *to, const struct ike_endpoint *remote)
{
	socklen_t len = wildcard(to, remote->addr.family, remote->port);

	if (remote->addr.family == AF_INET) {
		memcpy(&to->v4.sin_addr, remote->addr.bytes, sizeof(to->v4.sin_addr));
		return len;
	}
	memcpy(&to->v6.sin6_addr, remote->addr.bytes, sizeof(to->v6.sin6_addr));
	to->v6.sin6_scope_id = remote->addr.scope;
	return len;
}

static void send_parts(struct socket *one, const struct ike_endpoint *local,
		       const struct ike_endpoint *remote, struct iovec *parts, size_t n)
{
	union datagram_control control;
	union address to;
	struct msghdr msg = { .msg_name = &to, .msg_iov = parts, .msg_iovlen = n };
	char text[IKE_ADDR_TEXT_MAX];

	if (!one) {
		log_error("there is no socket to send to %s from",
			  ike_addr_text(&remote->addr, text, sizeof(text)));
		return;
	}
	msg.msg_namelen = put_remote(&to, remote);
	if (!ike_addr_unspecified(&local->addr))
		datagram_put_source(&msg, &control, local->addr.family, local->addr.bytes,
				    local->addr.scope);
	if (sendmsg(one->fd, &msg, 0) < 0)
		log_info("sending to %s[%u]: %m", ike_addr_text(&remote->addr, text, sizeof(text)),
			 remote->port);
}

void sockets_send(struct sockets *s, const struct ike_endpoint *local,
		  const struct ike_endpoint *remote, const uint8_t *message, size_t len)
{
	static const uint8_t marker[DATAGRAM_MARKER_LEN];
	struct iovec parts[] = { { (void *)marker, sizeof(marker) }, { (void *)message, len } };
	struct socket *one = find_socket(s, local, remote);

	if (one && one->natt)
		send_parts(one, local, remote, parts, 2);
	else
		send_parts(one, local, remote, parts + 1, 1);
}

void sockets_keepalive(struct sockets *s, const struct ike_endpoint *local,
		       const struct ike_endpoint *remote)
{
	static const uint8_t keepalive[] = { 0xff };	/* RFC 3948 section 2.3 */
	struct iovec part = { (void *)keepalive, sizeof(keepalive) };

	send_parts(find_socket(s, local, remote), local, remote, &part, 1);
}

static int route_fails(const char **why)
{
	int err = -errno;

	*why = err == -ENETUNREACH ? "there is no route" : "the route cannot be found";
	return err;
}

/* A UDP socket that is connected has asked for the route and taken its source address. */
int sockets_source(struct sockets *s, const struct ike_addr *remote, struct ike_addr *local,
		   const char **why)
{
	const struct ike_endpoint to = { .addr = *remote, .port = IKE_PORT };
	int fd = s->probes[remote->family == AF_INET6];
	struct sockaddr none = { .sa_family = AF_UNSPEC };
	struct ike_endpoint from;
	union address address;
	socklen_t len = put_remote(&address, &to);

	/* Without this a second connect() would keep the first one's address. */
	(void)connect(fd, &none, sizeof(none));
	if (connect(fd, &address.any, len))
		return route_fails(why);
	len = sizeof(address);
	if (getsockname(fd, &address.any, &len))
		return route_fails(why);
	take_address(&from, &address);
	*local = from.addr;
	return 0;
}

void sockets_close(struct sockets *s)
{
	struct socket *one;

	for (one = s->list; one < s->list + SOCKETS_MAX; one++)
		if (one->polled && !uv_is_closing((uv_handle_t *)&one->poll))
			uv_close((uv_handle_t *)&one->poll, NULL);
}

void sockets_free(struct sockets *s)
{
	struct socket *one;
	size_t i;

	for (one = s->list; one < s->list + SOCKETS_MAX; one++)
		if (one->fd >= 0)
			close(one->fd);
	for (i = 0; i < 2; i++)
		if (s->probes[i] >= 0)
			close(s->probes[i]);
	free(s->buffer);
}
