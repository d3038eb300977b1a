// SPDX-License-Identifier: MIT
/*
 * This host moves. What exactly has changed is not read: the engine asks for addresses and routes
 * as they are then, and an event that was lost is as good as one that came.
 */
#define LOG_SUBSYSTEM LOG_KERNEL

#include <linux/rtnetlink.h>
#include <string.h>

#include <netlink/netlink.h>
#include <netlink/socket.h>

#include "host.h"
#include "log.h"
#include "roam.h"

/* Milliseconds. An address and its routes come one by one; and the engine need not try in between. */
enum { QUIET = 50 };

static void on_quiet(uv_timer_t *timer)
{
	struct roam *r = timer->data;

	if (r->host->stopped)
		return;
	log_debug("addresses or routes of this host have changed");
	ike_engine_roam(r->host->engine, host_now());
	host_settle(r->host);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct roam *r = poll->data;

	/*
	 * libuv stops a handle whose socket has an error pending, here ENOBUFS; reading takes it
	 * away.
	 */
	if (status < 0)
		uv_poll_start(poll, UV_READABLE, on_readable);
	nl_recvmsgs_default(r->sock);
	if (!uv_is_active((uv_handle_t *)&r->timer))
		uv_timer_start(&r->timer, on_quiet, QUIET, 0);
}

int roam_open(struct roam *r, struct host *host)
{
	int err;

	memset(r, 0, sizeof(*r));
	r->host = host;
	r->sock = nl_socket_alloc();
	if (!r->sock) {
		log_error("out of memory");
		return -1;
	}
	nl_socket_disable_seq_check(r->sock);
	err = nl_connect(r->sock, NETLINK_ROUTE);
	if (!err)
		err = nl_socket_set_nonblocking(r->sock);
	if (!err)
		err = nl_socket_add_memberships(r->sock, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR,
						RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE, 0);
	if (!err)
		return 0;
	log_error("rtnetlink: events: %s", nl_geterror(err));
	roam_free(r);
	return -1;
}

int roam_start(struct roam *r)
{
	if (!r->sock)
		return 0;
	r->poll.data = r;
	r->timer.data = r;
	if (uv_poll_init(r->host->loop, &r->poll, nl_socket_get_fd(r->sock)) ||
	    uv_timer_init(r->host->loop, &r->timer))
		return -1;
	r->started = true;
	return uv_poll_start(&r->poll, UV_READABLE, on_readable);
}

void roam_close(struct roam *r)
{
	if (!r->started || uv_is_closing((uv_handle_t *)&r->poll))
		return;
	uv_close((uv_handle_t *)&r->poll, NULL);
	uv_close((uv_handle_t *)&r->timer, NULL);
}

void roam_free(struct roam *r)
{
	if (r->sock)
		nl_socket_free(r->sock);
	r->sock = NULL;
}
