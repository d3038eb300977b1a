// SPDX-License-Identifier: MIT
/* The configuration payload, both roles. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ikev2/cp.h"
#include "ikev2/reauth.h"

enum {
	IPV6_PREFIX_LEN = 128, /* of one address: the byte behind it (section 3.15.1) */
};

/* What "dynamic" stands for */

static struct ike_ts whole_family(uint8_t family)
{
	struct ike_addr first = {.family = family}, last = first;
	struct ike_ts ts;

	memset(last.bytes, 0xff, ike_addr_len(&last));
	ts = ike_ts_of_addr(&first);
	ts.last = last;
	return ts;
}

/*
 * The addresses that one end has inside. A client that does not know yet offers all of the family;
 * the server narrows that to what it gives.
 */
static size_t inside(const struct ike_sa *sa, bool local, const struct ike_addr *outer,
		     struct ike_ts out[IKE_VIPS_MAX])
{
	size_t n = 0;

	if (sa->n_vips && sa->vips_ours == local) {
		for (; n < sa->n_vips; n++)
			out[n] = ike_ts_of_addr(&sa->vips[n].addr);
		return n;
	}
	if (local && sa->state == IKE_SA_AUTH_SENT)
		for (; n < sa->conn->n_vips && n < IKE_VIPS_MAX; n++)
			out[n] = whole_family(sa->conn->vips[n].family);
	if (!n)
		out[n++] = ike_ts_of_addr(outer);
	return n;
}

size_t ike_cp_resolve(const struct ike_sa *sa, bool local, const struct ike_addr *outer,
		      const struct ike_ts *list, size_t n, struct ike_ts out[IKE_TS_MAX])
{
	struct ike_ts addrs[IKE_VIPS_MAX];
	size_t n_addrs = inside(sa, local, outer, addrs), done = 0;

	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < (list[i].dynamic ? n_addrs : 1) && done < IKE_TS_MAX; k++) {
			out[done] = list[i];
			if (list[i].dynamic) {
				out[done].first = addrs[k].first;
				out[done].last = addrs[k].last;
			}
			done++;
		}
	}
	return done;
}

/* Both roles */

void ike_cp_move(struct ike_sa *from, struct ike_sa *to)
{
	memcpy(to->vips, from->vips, sizeof(to->vips));
	to->n_vips = from->n_vips;
	to->vips_ours = from->vips_ours;
	from->n_vips = 0;
	to->dns_id = from->dns_id;
	from->dns_id = 0;
	free(to->nets);
	to->nets = from->nets;
	to->n_nets = from->n_nets;
	from->nets = NULL;
	from->n_nets = 0;
}

static bool has_net(const struct ike_vip_spec *spec, const struct ike_ts *net)
{
	for (size_t i = 0; i < spec->n_nets; i++)
		if (ike_ts_equal(&spec->nets[i], net))
			return true;
	return false;
}

/*
 * Of what the peer says is behind it, what lies within selectors that are wider: more than is
 * configured it has no business to lead here. @spec->nets is @nets.
 */
static void add_split(const struct ike_sa *sa, uint8_t family, struct ike_vip_spec *spec,
		      struct ike_ts nets[IKE_TS_MAX])
{
	size_t n = spec->n_nets;

	for (size_t i = 0; i < sa->n_nets && spec->n_nets < IKE_TS_MAX; i++)
		if (sa->nets[i].first.family == family && ike_ts_subset(nets, n, &sa->nets[i], 1) &&
		    !has_net(spec, &sa->nets[i]))
			nets[spec->n_nets++] = sa->nets[i];
}

/* With what the children have behind the peer, as far as it is configured and of the family. */
static int tell_host(const struct ike_sa *sa, const struct ike_vip *vip, bool add, const char **why)
{
	struct ike_vip_spec spec = {.addr = vip->addr, .outer = vip->outer, .peer = vip->peer};
	struct ike_engine *e = sa->engine;
	struct ike_ts nets[IKE_TS_MAX];

	for (size_t i = 0; i < sa->conn->n_children; i++) {
		const struct ike_child_cfg *cfg = &sa->conn->children[i];

		if (ike_is_shunt(cfg))
			continue;
		for (size_t k = 0; k < cfg->n_remote_ts && spec.n_nets < IKE_TS_MAX; k++)
			if (!cfg->remote_ts[k].dynamic &&
			    cfg->remote_ts[k].first.family == vip->addr.family)
				nets[spec.n_nets++] = cfg->remote_ts[k];
	}
	spec.nets = nets;
	add_split(sa, vip->addr.family, &spec, nets);
	if (add)
		return e->ops->vip_add(e->host, &spec, why);
	e->ops->vip_del(e->host, &spec);
	return 0;
}

void ike_cp_end(struct ike_sa *sa)
{
	struct ike_engine *e = sa->engine;

	if (sa->dns_id && e->ops->dns_del)
		e->ops->dns_del(e->host, sa->dns_id);
	sa->dns_id = 0;
	while (sa->n_vips) {
		struct ike_vip *vip = &sa->vips[--sa->n_vips];

		if (vip->lease)
			ike_lease_give(&e->leases, vip->lease);
		else if (e->ops->vip_del)
			tell_host(sa, vip, false, NULL);
	}
}

void ike_cp_moved(struct ike_sa *sa)
{
	struct ike_engine *e = sa->engine;
	char text[IKE_ADDR_TEXT_MAX];
	const char *why = "";

	if (!sa->vips_ours || !e->ops->vip_add || !e->ops->vip_del)
		return;
	for (size_t i = 0; i < sa->n_vips; i++) {
		tell_host(sa, &sa->vips[i], false, NULL);
		sa->vips[i].outer = sa->local.addr;
		sa->vips[i].peer = sa->remote.addr;
		if (tell_host(sa, &sa->vips[i], true, &why))
			ike_sa_log(sa, IKE_LOG_ERROR, "address %s cannot be set up again: %s",
				   ike_addr_text(&sa->vips[i].addr, text, sizeof(text)), why);
	}
}

bool ike_cp_is_vip(const struct ike_engine *e, const struct ike_addr *addr)
{
	const struct ike_sa *sa;

	TAILQ_FOREACH(sa, &e->sas, link)
		for (size_t i = 0; sa->vips_ours && i < sa->n_vips; i++)
			if (ike_addr_equal(&sa->vips[i].addr, addr))
				return true;
	return false;
}

static bool has_addr(const struct ike_sa *sa, const struct ike_addr *addr)
{
	for (size_t i = 0; i < sa->n_vips; i++)
		if (ike_addr_equal(&sa->vips[i].addr, addr))
			return true;
	return false;
}

/* Of re-authentication that has come to nothing. */
void ike_cp_give_back(struct ike_sa *sa, struct ike_sa *old)
{
	for (size_t i = sa->n_vips; sa->vips_ours && i--;) {
		if (has_addr(old, &sa->vips[i].addr) || old->n_vips == IKE_VIPS_MAX)
			continue;
		old->vips[old->n_vips++] = sa->vips[i];
		old->vips_ours = true;
		sa->vips[i] = sa->vips[--sa->n_vips];
	}
}

static bool begin_reading(const struct ike_payloads *all, uint8_t type, struct ike_cp_iter *it)
{
	const struct ike_payload *p = ike_payloads_find(all, IKE_PAYLOAD_CP);

	return p && ike_cp_iter_init(it, p->body, NULL) && it->type == type;
}

static uint8_t family_of(uint16_t attribute)
{
	return attribute == IKE_CP_INTERNAL_IP4_ADDRESS	  ? AF_INET
	       : attribute == IKE_CP_INTERNAL_IP6_ADDRESS ? AF_INET6
							  : 0;
}

/* An address as an attribute holds it: in IPv6 with the length of its prefix behind it. */
static void put_addr(struct ike_writer *w, const struct ike_addr *addr)
{
	bool ipv6 = addr->family == AF_INET6;

	ike_put16(w, ipv6 ? IKE_CP_INTERNAL_IP6_ADDRESS : IKE_CP_INTERNAL_IP4_ADDRESS);
	ike_put16(w, ike_addr_len(addr) + ipv6);
	ike_put(w, ike_addr_bytes(addr));
	if (ipv6)
		ike_put8(w, IPV6_PREFIX_LEN);
}

static void put_empty(struct ike_writer *w, uint16_t attribute)
{
	ike_put16(w, attribute);
	ike_put16(w, 0);
}

static size_t begin_cp(struct ike_writer *w, uint8_t type)
{
	size_t mark = ike_payload_begin(w, IKE_PAYLOAD_CP);

	ike_put32(w, (uint32_t)type << 24);
	return mark;
}

/* Client */

/* Who re-authenticates wants to keep what it has. */
static const struct ike_addr *wanted(const struct ike_sa *sa, size_t at)
{
	const struct ike_addr *addr = &sa->conn->vips[at];
	const struct ike_sa *old = ike_reauth_old(sa);

	if (old && ike_addr_unspecified(addr) && old->vips_ours && old->n_vips > at &&
	    old->vips[at].addr.family == addr->family)
		return &old->vips[at].addr;
	return addr;
}

/* Who did not ask for a family has no use for its addresses. */
static bool wants(const struct ike_sa *sa, uint8_t family)
{
	for (size_t i = 0; i < sa->conn->n_vips; i++)
		if (sa->conn->vips[i].family == family)
			return true;
	return false;
}

void ike_cp_ask(struct ike_writer *w, const struct ike_sa *sa)
{
	const struct ike_conn_cfg *conn = sa->conn;
	size_t mark;

	if (!conn->n_vips)
		return;
	mark = begin_cp(w, IKE_CFG_REQUEST);
	/* Of these there may be one only (section 3.15.1). */
	if (wants(sa, AF_INET))
		put_empty(w, IKE_CP_INTERNAL_IP4_NETMASK);
	for (size_t i = 0; i < conn->n_vips; i++) {
		bool ipv6 = conn->vips[i].family == AF_INET6;
		const struct ike_addr *addr = wanted(sa, i);

		if (ike_addr_unspecified(addr))
			put_empty(w, ipv6 ? IKE_CP_INTERNAL_IP6_ADDRESS
					  : IKE_CP_INTERNAL_IP4_ADDRESS);
		else
			put_addr(w, addr);
		put_empty(w, ipv6 ? IKE_CP_INTERNAL_IP6_DNS : IKE_CP_INTERNAL_IP4_DNS);
		put_empty(w, ipv6 ? IKE_CP_INTERNAL_IP6_SUBNET : IKE_CP_INTERNAL_IP4_SUBNET);
	}
	ike_payload_end(w, mark);
}

/* The host need not hear of an address that stays. */
static bool take_over(struct ike_sa *sa, const struct ike_addr *addr)
{
	struct ike_sa *old = ike_reauth_old(sa);

	for (size_t i = 0; old && old->vips_ours && i < old->n_vips; i++) {
		if (!ike_addr_equal(&old->vips[i].addr, addr))
			continue;
		sa->vips[sa->n_vips++] = old->vips[i];
		sa->vips_ours = true;
		old->vips[i] = old->vips[--old->n_vips];
		return true;
	}
	return false;
}

static bool add_vip(struct ike_sa *sa, const struct ike_addr *addr, struct ike_error *err)
{
	struct ike_vip vip = {
		.addr = *addr, .outer = sa->local.addr, .peer = sa->remote.addr};
	char text[IKE_ADDR_TEXT_MAX];
	const char *why = "";

	ike_addr_text(addr, text, sizeof(text));
	if (sa->engine->ops->vip_add && tell_host(sa, &vip, true, &why))
		return ike_fail(err, "address %s cannot be set up: %s", text, why);
	ike_sa_log(sa, IKE_LOG_INFO, "the peer gives this end the address %s", text);
	sa->vips[sa->n_vips++] = vip;
	sa->vips_ours = true;
	return true;
}

static bool take_addr(struct ike_sa *sa, uint8_t family, struct ike_bytes data,
		      struct ike_error *err)
{
	struct ike_addr addr;

	/* The byte of an IPv6 prefix may be left out by those who know it no better. */
	if (family == AF_INET6 && data.len == sizeof(addr.bytes) + 1)
		data.len--;
	if (!ike_addr_from_bytes(&addr, data) || addr.family != family ||
	    ike_addr_unspecified(&addr))
		return ike_fail_notify(err, IKE_NOTIFY_INVALID_SYNTAX,
				       "CP payload: no address in an attribute of %zu bytes",
				       data.len);
	if (!wants(sa, family) || has_addr(sa, &addr) || sa->n_vips == IKE_VIPS_MAX)
		return true;
	return take_over(sa, &addr) || add_vip(sa, &addr, err);
}

struct name_servers {
	struct ike_addr list[IKE_DNS_MAX];
	size_t n;
};

/* Where a name server can be: nowhere on this host, nor on its wires, for all that a peer knows. */
static bool is_far(const struct ike_addr *a)
{
	if (a->family == AF_INET)
		return a->bytes[0] && a->bytes[0] != 127 && a->bytes[0] < 224 &&
		       (a->bytes[0] != 169 || a->bytes[1] != 254);
	/* Global and unique local unicast (RFC 4291 section 2.4, RFC 4193). */
	return (a->bytes[0] & 0xe0) == 0x20 || (a->bytes[0] & 0xfe) == 0xfc;
}

static void take_dns(struct ike_sa *sa, struct ike_bytes data, struct name_servers *to)
{
	char text[IKE_ADDR_TEXT_MAX];
	struct ike_addr addr;

	if (to->n == IKE_DNS_MAX || !ike_addr_from_bytes(&addr, data) || !wants(sa, addr.family))
		return;
	ike_addr_text(&addr, text, sizeof(text));
	if (is_far(&addr))
		to->list[to->n++] = addr;
	ike_sa_log(sa, IKE_LOG_INFO, "the peer names the name server %s%s", text,
		   is_far(&addr) ? "" : ", which cannot be one: left out");
}

/* The prefix @ts of @bits; false if there are ones behind these. */
static bool set_prefix(struct ike_ts *ts, const struct ike_addr *addr, unsigned int bits)
{
	*ts = ike_ts_of_addr(addr);
	for (unsigned int i = bits; i < 8 * ike_addr_len(addr); i++) {
		uint8_t bit = 0x80 >> i % 8;

		if (addr->bytes[i / 8] & bit)
			return false;
		ts->last.bytes[i / 8] |= bit;
	}
	return true;
}

/* An address, and a mask or, in IPv6, the length of a prefix. */
static bool read_subnet(struct ike_bytes data, struct ike_ts *ts)
{
	struct ike_addr addr, mask;
	unsigned int bits = 0;

	if (data.len == 17)
		return ike_addr_from_bytes(&addr, ike_bytes(data.p, 16)) && data.p[16] <= 128 &&
		       set_prefix(ts, &addr, data.p[16]);
	if (data.len != 8 || !ike_addr_from_bytes(&addr, ike_bytes(data.p, 4)) ||
	    !ike_addr_from_bytes(&mask, ike_bytes(data.p + 4, 4)))
		return false;
	while (bits < 32 && mask.bytes[bits / 8] >> (7 - bits % 8) & 1)
		bits++;
	for (unsigned int i = bits; i < 32; i++)
		if (mask.bytes[i / 8] >> (7 - i % 8) & 1)
			return false;
	return set_prefix(ts, &addr, bits);
}

static void add_net(struct ike_sa *sa, const struct ike_ts *net)
{
	struct ike_ts *nets = reallocarray(sa->nets, sa->n_nets + 1, sizeof(*nets));

	if (!nets) {
		ike_sa_log(sa, IKE_LOG_ERROR, "out of memory: an INTERNAL_IP_SUBNET is left out");
		return;
	}
	sa->nets = nets;
	sa->nets[sa->n_nets++] = *net;
}

static void take_subnet(struct ike_sa *sa, struct ike_bytes data)
{
	struct ike_ts ts;

	/* An empty one is what a request has. */
	if (!data.len || sa->n_nets == IKE_NETS_MAX)
		return;
	if (!read_subnet(data, &ts))
		ike_sa_log(sa, IKE_LOG_INFO, "the peer's INTERNAL_IP_SUBNET of %zu bytes is no "
			   "network: left out", data.len);
	else if (wants(sa, ts.first.family))
		add_net(sa, &ts);
}

/* Section 3.15.1: it says roughly what a subnet with the address and this mask does. */
static void take_netmask(struct ike_sa *sa, const struct ike_payloads *all, struct ike_bytes mask)
{
	struct ike_wire_cp_attribute a;
	struct ike_cp_iter it;
	uint8_t subnet[8];

	if (!begin_reading(all, IKE_CFG_REPLY, &it) || mask.len != 4)
		return;
	while (ike_cp_next(&it, &a, NULL) == IKE_ITEM_ONE) {
		if (a.type != IKE_CP_INTERNAL_IP4_ADDRESS || a.data.len != 4)
			continue;
		for (size_t i = 0; i < 4; i++) {
			subnet[i] = a.data.p[i] & mask.p[i];
			subnet[4 + i] = mask.p[i];
		}
		take_subnet(sa, ike_bytes(subnet, sizeof(subnet)));
		return;
	}
}

/* What goes with addresses: before they are set up. */
static void take_others(struct ike_sa *sa, const struct ike_payloads *all, struct name_servers *dns)
{
	struct ike_wire_cp_attribute a;
	struct ike_cp_iter it;

	sa->n_nets = 0;
	if (!begin_reading(all, IKE_CFG_REPLY, &it))
		return;
	while (ike_cp_next(&it, &a, NULL) == IKE_ITEM_ONE) {
		switch (a.type) {
		case IKE_CP_INTERNAL_IP4_DNS:
		case IKE_CP_INTERNAL_IP6_DNS:
			take_dns(sa, a.data, dns);
			break;
		case IKE_CP_INTERNAL_IP4_NETMASK:
			take_netmask(sa, all, a.data);
			break;
		case IKE_CP_INTERNAL_IP4_SUBNET:
		case IKE_CP_INTERNAL_IP6_SUBNET:
			take_subnet(sa, a.data);
			break;
		default:
			break;
		}
	}
}

bool ike_cp_take(struct ike_sa *sa, const struct ike_payloads *all, struct ike_error *err)
{
	struct ike_engine *e = sa->engine;
	struct name_servers dns = {0};
	struct ike_wire_cp_attribute a;
	struct ike_cp_iter it;

	if (!sa->conn->n_vips)
		return true;
	take_others(sa, all, &dns);
	if (begin_reading(all, IKE_CFG_REPLY, &it))
		while (ike_cp_next(&it, &a, err) == IKE_ITEM_ONE)
			if (family_of(a.type) && !take_addr(sa, family_of(a.type), a.data, err))
				return false;
	if (!sa->n_vips)
		return ike_fail(err, "the peer gives no address (vips)");
	if (dns.n && e->ops->dns_add) {
		sa->dns_id = sa->id;
		e->ops->dns_add(e->host, sa->dns_id, dns.list, dns.n);
	}
	return true;
}

/* Server */

static const struct ike_pool_cfg *find_pool(const struct ike_config *config, const char *name)
{
	for (size_t i = 0; i < config->n_pools; i++)
		if (!strcmp(config->pools[i].name, name))
			return &config->pools[i];
	return NULL;
}

static bool has_of(const struct ike_sa *sa, const struct ike_pool_cfg *pool)
{
	for (size_t i = 0; i < sa->n_vips; i++)
		if (!strcmp(sa->vips[i].lease->pool, pool->name))
			return true;
	return false;
}

static bool lease(struct ike_sa *sa, const struct ike_pool_cfg *pool, const struct ike_addr *own,
		  bool share)
{
	char identity[IKE_ID_TEXT_MAX], addr[IKE_ADDR_TEXT_MAX];
	struct ike_engine *e = sa->engine;
	struct ike_lease *taken;
	bool fresh;

	if (sa->user)
		snprintf(identity, sizeof(identity), "%s", sa->user);
	else
		ike_id_text(&sa->remote_id, identity, sizeof(identity));
	taken = ike_lease_share(&e->leases, pool, identity, own);
	fresh = false;
	if (!taken)
		taken = ike_lease_take(&e->leases, pool, identity, share, &fresh);
	ike_sa_log(sa, taken ? IKE_LOG_INFO : IKE_LOG_ERROR, "pool %s %s %s", pool->name,
		   taken ? "gives the peer the address" : "has no address left",
		   taken ? ike_addr_text(&taken->addr, addr, sizeof(addr)) : "");
	if (!taken)
		return false;
	sa->vips[sa->n_vips++] = (struct ike_vip){.addr = taken->addr, .lease = taken};
	sa->vips_ours = false;
	if (fresh && e->ops->lease_keep)
		e->ops->lease_keep(e->host, pool->name, identity, &taken->addr);
	return true;
}

/*
 * One address out of one pool for each attribute; a second one must come from another pool. Who
 * names one that it holds already, as in re-authentication, keeps that.
 */
static bool serve(struct ike_sa *sa, const struct ike_wire_cp_attribute *a, bool share)
{
	uint8_t family = family_of(a->type);
	struct ike_bytes data = a->data;
	struct ike_addr own = {0};

	/* In IPv6 the length of its prefix is behind it. */
	if (family == AF_INET6 && data.len == sizeof(own.bytes) + 1)
		data.len--;
	if (!ike_addr_from_bytes(&own, data) || own.family != family)
		own.family = 0;
	for (size_t i = 0; i < sa->conn->n_pools && sa->n_vips < IKE_VIPS_MAX; i++) {
		const struct ike_pool_cfg *pool = find_pool(sa->config, sa->conn->pools[i]);

		if (pool && pool->first.family == family && !has_of(sa, pool) &&
		    lease(sa, pool, &own, share))
			return true;
	}
	return false;
}

static void put_subnet(struct ike_writer *w, const struct ike_ts *ts)
{
	size_t len = ike_addr_len(&ts->first), bits = 0;
	bool ipv6 = ts->first.family == AF_INET6;

	ike_put16(w, ipv6 ? IKE_CP_INTERNAL_IP6_SUBNET : IKE_CP_INTERNAL_IP4_SUBNET);
	ike_put16(w, ipv6 ? len + 1 : 2 * len);
	ike_put(w, ike_addr_bytes(&ts->first));
	for (size_t i = 0; i < len; i++) {
		uint8_t mask = ~(ts->first.bytes[i] ^ ts->last.bytes[i]);

		if (!ipv6)
			ike_put8(w, mask);
		for (; mask & 0x80; mask <<= 1)
			bits++;
	}
	if (ipv6)
		ike_put8(w, bits);
}

static void put_pool(struct ike_writer *w, const struct ike_pool_cfg *pool)
{
	for (size_t i = 0; i < pool->n_dns; i++) {
		ike_put16(w, pool->dns[i].family == AF_INET6 ? IKE_CP_INTERNAL_IP6_DNS
							     : IKE_CP_INTERNAL_IP4_DNS);
		ike_put16(w, ike_addr_len(&pool->dns[i]));
		ike_put(w, ike_addr_bytes(&pool->dns[i]));
	}
	for (size_t i = 0; i < pool->n_split; i++)
		put_subnet(w, &pool->split[i]);
}

/* That of the first pool that has one: there may be one only (section 3.15.1). */
static void put_netmask(struct ike_writer *w, const struct ike_sa *sa)
{
	for (size_t i = 0; i < sa->n_vips; i++) {
		const struct ike_pool_cfg *pool = find_pool(sa->config, sa->vips[i].lease->pool);

		if (!pool || !pool->netmask.family)
			continue;
		ike_put16(w, IKE_CP_INTERNAL_IP4_NETMASK);
		ike_put16(w, ike_addr_len(&pool->netmask));
		ike_put(w, ike_addr_bytes(&pool->netmask));
		return;
	}
}

static void put_reply(struct ike_writer *w, const struct ike_sa *sa)
{
	size_t mark = begin_cp(w, IKE_CFG_REPLY);

	for (size_t i = 0; i < sa->n_vips; i++)
		put_addr(w, &sa->vips[i].addr);
	put_netmask(w, sa);
	for (size_t i = 0; i < sa->n_vips; i++) {
		const struct ike_pool_cfg *pool = find_pool(sa->config, sa->vips[i].lease->pool);

		if (pool)
			put_pool(w, pool);
	}
	ike_payload_end(w, mark);
}

bool ike_cp_answer(struct ike_writer *w, struct ike_sa *sa, const struct ike_payloads *all,
		   bool share, struct ike_error *err)
{
	struct ike_wire_cp_attribute a;
	struct ike_cp_iter it;
	bool asked = false;

	if (!begin_reading(all, IKE_CFG_REQUEST, &it))
		return true;
	while (ike_cp_next(&it, &a, err) == IKE_ITEM_ONE) {
		if (!family_of(a.type))
			continue;
		asked = true;
		serve(sa, &a, share);
	}
	if (!asked)
		return true;
	if (!sa->n_vips)
		return ike_fail_notify(err, IKE_NOTIFY_INTERNAL_ADDRESS_FAILURE,
				       sa->conn->n_pools
					       ? "no pool has an address for the peer"
					       : "the peer wants an address, but there is no pool");
	put_reply(w, sa);
	return true;
}
