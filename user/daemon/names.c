// SPDX-License-Identifier: MIT
/*
 * Host names, by the C library's resolver. It runs in the thread pool, of which libuv leaves it no
 * more than half, so that name servers that do not answer cannot hold up key exchange.
 */
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "host.h"
#include "log.h"
#include "names.h"

enum {
	ADDRS_MAX = 16	/* of one name; others are left out */
};

struct name_lookup {
	uv_getaddrinfo_t request;
	uv_timer_t soon;		/* for what cannot even begin */
	struct host *host;
	uint64_t id;
	struct name_lookup *next;
};

static void forget(struct name_lookup *l)
{
	struct name_lookup **at = &l->host->names.first;

	while (*at != l)
		at = &(*at)->next;
	*at = l->next;
}

static bool take(const struct addrinfo *ai, struct ike_addr *addr)
{
	if (ai->ai_family == AF_INET) {
		const struct sockaddr_in *in = (const void *)ai->ai_addr;

		return ike_addr_from_bytes(addr, ike_bytes(&in->sin_addr, sizeof(in->sin_addr)));
	}
	if (ai->ai_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const void *)ai->ai_addr;

		return ike_addr_from_bytes(addr, ike_bytes(&in6->sin6_addr, sizeof(in6->sin6_addr)));
	}
	return false;
}

static void tell(struct host *h, uint64_t id, int status, const struct addrinfo *list)
{
	struct ike_addr addrs[ADDRS_MAX];
	const struct addrinfo *ai;
	size_t n = 0;

	for (ai = status ? NULL : list; ai && n < ADDRS_MAX; ai = ai->ai_next)
		n += take(ai, &addrs[n]);
	ike_engine_resolved(h->engine, host_now(), id, addrs, n,
			    status ? uv_strerror(status) : "it has no address");
	host_settle(h);
}

static void on_answer(uv_getaddrinfo_t *request, int status, struct addrinfo *list)
{
	struct name_lookup *l = request->data;

	forget(l);
	if (!l->host->names.closed)
		tell(l->host, l->id, status, list);
	uv_freeaddrinfo(list);
	free(l);
}

static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

/* The engine must not be called from within its own functions. */
static void on_soon(uv_timer_t *timer)
{
	struct name_lookup *l = timer->data;

	forget(l);
	if (!l->host->names.closed)
		tell(l->host, l->id, UV_ENOMEM, NULL);
	uv_close((uv_handle_t *)timer, on_closed);
}

static void fail_soon(struct name_lookup *l)
{
	l->soon.data = l;
	uv_timer_init(l->host->loop, &l->soon);
	uv_timer_start(&l->soon, on_soon, 0, 0);
}

void names_resolve(struct host *h, uint64_t id, const char *name)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_DGRAM, .ai_flags = AI_ADDRCONFIG };
	struct name_lookup *l = calloc(1, sizeof(*l));

	if (!l) {
		/* As with jobs, there is no way to refuse. */
		log_error("out of memory");
		abort();
	}
	l->host = h;
	l->id = id;
	l->request.data = l;
	l->next = h->names.first;
	h->names.first = l;
	if (uv_getaddrinfo(h->loop, &l->request, on_answer, name, NULL, &hints))
		fail_soon(l);
}

void names_close(struct host *h)
{
	struct name_lookup *l;
	bool waits = false;

	h->names.closed = true;
	for (l = h->names.first; l; l = l->next)
		waits |= uv_cancel((uv_req_t *)&l->request) != 0;
	if (waits)
		uv_stop(h->loop);
}
