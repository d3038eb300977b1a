// SPDX-License-Identifier: MIT
/* The addresses of this host, and those that peers give to it. */
#define LOG_SUBSYSTEM LOG_KERNEL

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>

#include "addresses.h"
#include "log.h"

int addresses_open(struct addresses *a)
{
	int err;

	a->sock = nl_socket_alloc();
	if (!a->sock) {
		log_error("out of memory");
		return -1;
	}
	err = nl_connect(a->sock, NETLINK_ROUTE);
	if (!err)
		return 0;
	log_error("rtnetlink: %s", nl_geterror(err));
	addresses_close(a);
	return -1;
}

void addresses_close(struct addresses *a)
{
	if (a->sock)
		nl_socket_free(a->sock);
	a->sock = NULL;
}

/* What there is */

static bool read_address(struct nl_msg *msg, struct ike_addr *addr, const struct ifaddrmsg **m,
			 uint32_t *flags)
{
	struct nlmsghdr *h = nlmsg_hdr(msg);
	struct nlattr *attrs[IFA_MAX + 1], *attr;

	if (h->nlmsg_type != RTM_NEWADDR ||
	    nlmsg_parse(h, sizeof(**m), attrs, IFA_MAX, NULL) < 0)
		return false;
	*m = nlmsg_data(h);
	*flags = attrs[IFA_FLAGS] ? nla_get_u32(attrs[IFA_FLAGS]) : (*m)->ifa_flags;
	attr = attrs[IFA_LOCAL] ? attrs[IFA_LOCAL] : attrs[IFA_ADDRESS];
	return attr && ike_addr_from_bytes(addr, ike_bytes(nla_data(attr), nla_len(attr)));
}

static int dump(struct addresses *a, int family, nl_recvmsg_msg_cb_t look, void *arg)
{
	struct ifaddrmsg m = { .ifa_family = family };
	struct nl_cb *cb = nl_cb_alloc(NL_CB_DEFAULT);
	int err = -NLE_NOMEM;

	if (!cb)
		return err;
	err = nl_cb_set(cb, NL_CB_VALID, NL_CB_CUSTOM, look, arg);
	if (!err)
		err = nl_send_simple(a->sock, RTM_GETADDR, NLM_F_DUMP, &m, sizeof(m));
	if (err >= 0)
		err = nl_recvmsgs(a->sock, cb);
	nl_cb_put(cb);
	return err < 0 ? err : 0;
}

struct listing {
	struct ike_addr *list;
	size_t n, max;
};

/* One that may turn out to be somebody else's is none yet. */
static int list_one(struct nl_msg *msg, void *arg)
{
	struct listing *l = arg;
	const struct ifaddrmsg *m;
	struct ike_addr addr;
	uint32_t flags;

	if (l->n < l->max && read_address(msg, &addr, &m, &flags) &&
	    m->ifa_scope < RT_SCOPE_LINK && !(flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED)))
		l->list[l->n++] = addr;
	return NL_OK;
}

size_t addresses_list(struct addresses *a, struct ike_addr *list, size_t max)
{
	struct listing l = { .list = list, .max = max };
	int err = a->sock ? dump(a, AF_UNSPEC, list_one, &l) : 0;

	if (err)
		log_error("the addresses of this host cannot be listed: %s", nl_geterror(err));
	return err ? 0 : l.n;
}

/* Which interface has @addr? */
struct search {
	struct ike_addr addr;
	unsigned int index; /* 0: none */
};

static int look_at(struct nl_msg *msg, void *arg)
{
	struct search *s = arg;
	const struct ifaddrmsg *m;
	struct ike_addr addr;
	uint32_t flags;

	if (read_address(msg, &addr, &m, &flags) && ike_addr_equal(&addr, &s->addr) &&
	    (!s->addr.scope || s->addr.scope == m->ifa_index))
		s->index = m->ifa_index;
	return NL_OK;
}

static int find_interface(struct addresses *a, struct search *s)
{
	return dump(a, s->addr.family, look_at, s);
}

void addresses_interface(struct addresses *a, const struct ike_addr *addr, char name[IF_NAMESIZE])
{
	struct search s = { .addr = *addr };

	if (!a->sock || find_interface(a, &s) || !s.index || !if_indextoname(s.index, name))
		name[0] = '\0';
}

static int request(struct addresses *a, int type, int flags, const struct ike_addr *addr,
		   unsigned int index)
{
	struct ifaddrmsg m = {
		.ifa_family = addr->family,
		.ifa_prefixlen = 8 * ike_addr_len(addr),
		/* Nobody else on the link has it: there is nothing to wait for. */
		.ifa_flags = addr->family == AF_INET6 ? IFA_F_NODAD : 0,
		.ifa_index = index,
	};
	struct nl_msg *msg = nlmsg_alloc_simple(type, flags);
	int err;

	if (!msg)
		return -NLE_NOMEM;
	if (nlmsg_append(msg, &m, sizeof(m), NLMSG_ALIGNTO) ||
	    nla_put(msg, IFA_LOCAL, ike_addr_len(addr), addr->bytes) ||
	    nla_put(msg, IFA_ADDRESS, ike_addr_len(addr), addr->bytes))
		err = -NLE_MSGSIZE;
	else
		err = nl_send_auto(a->sock, msg);
	nlmsg_free(msg);
	return err < 0 ? err : nl_wait_for_ack(a->sock);
}

/* Routes */

struct way {
	unsigned int index; /* of the interface; 0: none */
	struct ike_addr gateway; /* family 0: none */
};

static int look_at_route(struct nl_msg *msg, void *arg)
{
	struct nlattr *attrs[RTA_MAX + 1];
	struct way *way = arg;

	if (nlmsg_parse(nlmsg_hdr(msg), sizeof(struct rtmsg), attrs, RTA_MAX, NULL) < 0)
		return NL_OK;
	if (attrs[RTA_OIF])
		way->index = nla_get_u32(attrs[RTA_OIF]);
	if (attrs[RTA_GATEWAY] &&
	    !ike_addr_from_bytes(&way->gateway, ike_bytes(nla_data(attrs[RTA_GATEWAY]),
							  nla_len(attrs[RTA_GATEWAY]))))
		way->index = 0;
	return NL_OK;
}

/* How does @peer get our packets? One on the same wire is its own gateway. */
static int find_way(struct addresses *a, const struct ike_addr *peer, struct way *way)
{
	struct rtmsg m = { .rtm_family = peer->family, .rtm_dst_len = 8 * ike_addr_len(peer) };
	struct nl_msg *msg = nlmsg_alloc_simple(RTM_GETROUTE, 0);
	struct nl_cb *cb = nl_cb_alloc(NL_CB_DEFAULT);
	int err = -NLE_NOMEM;

	if (msg && cb && !nlmsg_append(msg, &m, sizeof(m), NLMSG_ALIGNTO) &&
	    !nla_put(msg, RTA_DST, ike_addr_len(peer), peer->bytes) &&
	    (!peer->scope || !nla_put_u32(msg, RTA_OIF, peer->scope))) {
		nl_cb_set(cb, NL_CB_VALID, NL_CB_CUSTOM, look_at_route, way);
		err = nl_send_auto(a->sock, msg);
	}
	/* The answer, and the acknowledgement that libnl asks for. */
	if (err >= 0)
		err = nl_recvmsgs(a->sock, cb);
	if (err >= 0)
		err = nl_wait_for_ack(a->sock);
	nlmsg_free(msg);
	if (cb)
		nl_cb_put(cb);
	if (!way->gateway.family)
		way->gateway = *peer;
	return err < 0 ? err : 0;
}

/* The length of the prefix that @ts is; -1: it is none. */
static int prefix_len(const struct ike_ts *ts)
{
	int len = 0, bits = 8 * ike_addr_len(&ts->first), i;

	for (i = 0; i < bits; i++) {
		bool first = ts->first.bytes[i / 8] >> (7 - i % 8) & 1;
		bool last = ts->last.bytes[i / 8] >> (7 - i % 8) & 1;

		if (first == last && len == i)
			len++;
		else if (first || !last)
			return -1;
	}
	return len;
}

static int route(struct addresses *a, int type, int flags, const struct ike_ts *net,
		 const struct way *way, const struct ike_addr *source)
{
	struct rtmsg m = {
		.rtm_family = source->family,
		.rtm_dst_len = prefix_len(net),
		.rtm_table = RT_TABLE_MAIN,
		.rtm_protocol = RTPROT_STATIC,
		.rtm_scope = type == RTM_DELROUTE ? RT_SCOPE_NOWHERE : RT_SCOPE_UNIVERSE,
		.rtm_type = RTN_UNICAST,
	};
	struct nl_msg *msg = nlmsg_alloc_simple(type, flags);
	size_t len = ike_addr_len(source);
	int err = -NLE_MSGSIZE;

	if (!msg)
		return -NLE_NOMEM;
	if (!nlmsg_append(msg, &m, sizeof(m), NLMSG_ALIGNTO) &&
	    !nla_put(msg, RTA_DST, len, net->first.bytes) &&
	    !nla_put(msg, RTA_PREFSRC, len, source->bytes) &&
	    !nla_put_u32(msg, RTA_OIF, way->index) &&
	    (!way->gateway.family || !nla_put(msg, RTA_GATEWAY, len, way->gateway.bytes)))
		err = nl_send_auto(a->sock, msg);
	nlmsg_free(msg);
	return err < 0 ? err : nl_wait_for_ack(a->sock);
}

/* What cannot be routed is said, and stops nothing: an administrator may have other ways. */
static void add_routes(struct addresses *a, const struct ike_vip_spec *spec)
{
	struct way way = { 0 };
	char text[IKE_TS_TEXT_MAX];
	int err = find_way(a, &spec->peer, &way);
	size_t i;

	if (err || !way.index || way.gateway.family != spec->addr.family) {
		log_info("no routes by way of the peer: %s",
			 err ? nl_geterror(err) : "there is none to it of that family");
		return;
	}
	for (i = 0; i < spec->n_nets; i++) {
		if (prefix_len(&spec->nets[i]) <= 0)
			continue;
		err = route(a, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, &spec->nets[i], &way,
			    &spec->addr);
		if (err)
			log_info("no route to %s is made: %s",
				 ike_ts_text(&spec->nets[i], text, sizeof(text)),
				 nl_geterror(err));
	}
}

/* Only those with our address as source match; that of IPv4 would go with it anyway. */
static void del_routes(struct addresses *a, const struct ike_vip_spec *spec, unsigned int index)
{
	struct way way = { .index = index };
	size_t i;

	for (i = 0; i < spec->n_nets; i++)
		if (prefix_len(&spec->nets[i]) > 0)
			route(a, RTM_DELROUTE, 0, &spec->nets[i], &way, &spec->addr);
}

int addresses_add(struct addresses *a, const struct ike_vip_spec *spec, const char **why)
{
	struct search search = { .addr = spec->outer };
	char text[IKE_ADDR_TEXT_MAX];
	int err;

	if (!a->sock)
		return 0;
	*why = a->why;
	err = find_interface(a, &search);
	if (!err && !search.index) {
		snprintf(a->why, sizeof(a->why), "no interface has the address %s",
			 ike_addr_text(&spec->outer, text, sizeof(text)));
		return -ENODEV;
	}
	/* One that an earlier daemon has left is as good. */
	if (!err)
		err = request(a, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, &spec->addr,
			      search.index);
	snprintf(a->why, sizeof(a->why), "%s", err ? nl_geterror(err) : "");
	if (err)
		return -EIO;
	add_routes(a, spec);
	return 0;
}

/* The address outside may have gone meanwhile: then where the one inside is, is what counts. */
void addresses_del(struct addresses *a, const struct ike_vip_spec *spec)
{
	struct search search = { .addr = spec->addr };
	char text[IKE_ADDR_TEXT_MAX];
	int err;

	if (!a->sock)
		return;
	err = find_interface(a, &search);
	if (!err && search.index) {
		del_routes(a, spec, search.index);
		err = request(a, RTM_DELADDR, 0, &spec->addr, search.index);
	}
	if (err)
		log_error("address %s cannot be taken away: %s",
			  ike_addr_text(&spec->addr, text, sizeof(text)), nl_geterror(err));
}
