// SPDX-License-Identifier: MIT
/*
 * Which pair of addresses an IKE SA with MOBIKE uses. The host's routes decide, unless local_addrs
 * names addresses: then one that is there is kept. Of the peer's addresses the one in use comes
 * first, then those that it has told of (RFC 4555 section 3.5).
 */
#include "ikev2/child.h"
#include "ikev2/conn.h"
#include "ikev2/cp.h"
#include "ikev2/mobike.h"

enum {
	HOST_ADDRS_MAX = 64,
	PROBE_AFTER = 2, /* sent so often without an answer, a request goes other ways too */
};

struct own {
	struct ike_addr list[HOST_ADDRS_MAX];
	size_t n;
};

static void look(const struct ike_engine *e, struct own *own)
{
	own->n = e->ops->addresses ? e->ops->addresses(e->host, own->list, HOST_ADDRS_MAX) : 0;
}

/* A host that does not tell, or has more than there is room for, gets the benefit of the doubt. */
static bool has(const struct own *own, const struct ike_addr *a)
{
	for (size_t i = 0; i < own->n; i++)
		if (ike_addr_equal(&own->list[i], a))
			return true;
	return !own->n || own->n == HOST_ADDRS_MAX;
}

static bool allowed(const struct ike_conn_cfg *conn, const struct ike_addr *local)
{
	return ike_conn_takes(conn->local_addrs, conn->n_local_addrs, local);
}

/* From where to @remote? */
static bool find_local(const struct ike_sa *sa, const struct own *own,
		       const struct ike_addr *remote, struct ike_addr *local)
{
	const struct ike_engine *e = sa->engine;
	struct ike_addr routed;
	const char *why;

	if (!e->ops->source || e->ops->source(e->host, remote, &routed, &why))
		return false;
	if (sa->conn->n_local_addrs && sa->local.addr.family == remote->family &&
	    has(own, &sa->local.addr))
		*local = sa->local.addr;
	else
		*local = routed;
	for (size_t i = 0; i < own->n && !allowed(sa->conn, local); i++)
		if (own->list[i].family == remote->family)
			*local = own->list[i];
	return local->family == remote->family && allowed(sa->conn, local);
}

size_t ike_path_others(const struct ike_sa *sa, struct ike_addr list[IKE_PATH_ADDRS_MAX])
{
	struct own own;
	size_t n = 0;

	look(sa->engine, &own);
	for (size_t i = 0; i < own.n && n < IKE_PATH_ADDRS_MAX; i++)
		if (!ike_addr_equal(&own.list[i], &sa->local.addr) &&
		    allowed(sa->conn, &own.list[i]) && !ike_cp_is_vip(sa->engine, &own.list[i]))
			list[n++] = own.list[i];
	return n;
}

void ike_path_move(struct ike_sa *sa, const struct ike_addr *local, const struct ike_addr *remote)
{
	char from[IKE_ADDR_TEXT_MAX], to[IKE_ADDR_TEXT_MAX], was[IKE_ADDR_TEXT_MAX],
		peer[IKE_ADDR_TEXT_MAX];
	struct ike_child *c;

	ike_sa_log(sa, IKE_LOG_INFO, "moves from %s === %s to %s === %s",
		   ike_addr_text(&sa->local.addr, from, sizeof(from)),
		   ike_addr_text(&sa->remote.addr, was, sizeof(was)),
		   ike_addr_text(local, to, sizeof(to)),
		   ike_addr_text(remote, peer, sizeof(peer)));
	sa->local.addr = *local;
	sa->remote.addr = *remote;
	ike_cp_moved(sa);
	TAILQ_FOREACH(c, &sa->children, link)
		ike_child_readdress(c);
	ike_sa_ask_again(sa);
}

void ike_path_review(struct ike_sa *sa)
{
	struct ike_addr local, remote = sa->remote.addr;
	struct own own;
	bool found;

	look(sa->engine, &own);
	found = find_local(sa, &own, &remote, &local);
	/* Only who decides goes over to another address of the peer's. */
	for (size_t i = 0; sa->began && !found && i < sa->mobike.n_others; i++) {
		remote = sa->mobike.others[i];
		found = find_local(sa, &own, &remote, &local);
	}
	if (!found) {
		ike_sa_log(sa, IKE_LOG_INFO, "there is no way to the peer at present");
		return;
	}
	if (ike_addr_equal(&local, &sa->local.addr) && ike_addr_equal(&remote, &sa->remote.addr))
		return;
	sa->mobike.untold = true;
	ike_path_move(sa, &local, &remote);
}

void ike_path_probe(struct ike_sa *sa)
{
	struct ike_endpoint local = sa->local, remote = sa->remote;
	struct own own;

	if (!sa->mobike.on || !sa->began || sa->sends <= PROBE_AFTER)
		return;
	look(sa->engine, &own);
	for (size_t i = 0; i <= sa->mobike.n_others; i++) {
		remote.addr = i ? sa->mobike.others[i - 1] : sa->remote.addr;
		if (!find_local(sa, &own, &remote.addr, &local.addr) ||
		    (ike_addr_equal(&local.addr, &sa->local.addr) &&
		     ike_addr_equal(&remote.addr, &sa->remote.addr)))
			continue;
		ike_sa_send_request(sa, &local, &remote);
	}
}

bool ike_path_is_probed(const struct ike_sa *sa)
{
	return sa->sends > PROBE_AFTER;
}
