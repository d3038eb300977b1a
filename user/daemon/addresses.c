// SPDX-License-Identifier: MIT
/* Addresses that peers give to this host. */
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

/* Which interface has @addr? */
struct search {
	struct ike_addr addr;
	unsigned int index; /* 0: none */
};

static int look_at(struct nl_msg *msg, void *arg)
{
	struct nlmsghdr *h = nlmsg_hdr(msg);
	struct search *s = arg;
	struct nlattr *attrs[IFA_MAX + 1], *attr;
	const struct ifaddrmsg *m;

	if (h->nlmsg_type != RTM_NEWADDR ||
	    nlmsg_parse(h, sizeof(*m), attrs, IFA_MAX, NULL) < 0)
		return NL_OK;
	m = nlmsg_data(h);
	attr = attrs[IFA_LOCAL] ? attrs[IFA_LOCAL] : attrs[IFA_ADDRESS];
	if (attr && m->ifa_family == s->addr.family &&
	    (size_t)nla_len(attr) == ike_addr_len(&s->addr) &&
	    !memcmp(nla_data(attr), s->addr.bytes, ike_addr_len(&s->addr)))
		s->index = m->ifa_index;
	return NL_OK;
}

static int find_interface(struct addresses *a, struct search *s)
{
	struct ifaddrmsg m = { .ifa_family = s->addr.family };
	struct nl_cb *cb = nl_cb_alloc(NL_CB_DEFAULT);
	int err = -NLE_NOMEM;

	if (!cb)
		return err;
	err = nl_cb_set(cb, NL_CB_VALID, NL_CB_CUSTOM, look_at, s);
	if (!err)
		err = nl_send_simple(a->sock, RTM_GETADDR, NLM_F_DUMP, &m, sizeof(m));
	if (err >= 0)
		err = nl_recvmsgs(a->sock, cb);
	nl_cb_put(cb);
	return err < 0 ? err : 0;
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

int addresses_add(struct addresses *a, const struct ike_addr *addr, const struct ike_addr *outer,
		  const char **why)
{
	struct search search = { .addr = *outer };
	char text[IKE_ADDR_TEXT_MAX];
	int err;

	if (!a->sock)
		return 0;
	*why = a->why;
	err = find_interface(a, &search);
	if (!err && !search.index) {
		snprintf(a->why, sizeof(a->why), "no interface has the address %s",
			 ike_addr_text(outer, text, sizeof(text)));
		return -ENODEV;
	}
	/* One that an earlier daemon has left is as good. */
	if (!err)
		err = request(a, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, addr, search.index);
	snprintf(a->why, sizeof(a->why), "%s", err ? nl_geterror(err) : "");
	return err ? -EIO : 0;
}

/* The address outside may have gone meanwhile: then where the one inside is, is what counts. */
void addresses_del(struct addresses *a, const struct ike_addr *addr, const struct ike_addr *outer)
{
	struct search search = { .addr = *addr };
	char text[IKE_ADDR_TEXT_MAX];
	int err;

	if (!a->sock)
		return;
	err = find_interface(a, &search);
	if (!err && search.index)
		err = request(a, RTM_DELADDR, 0, addr, search.index);
	if (err)
		log_error("address %s cannot be taken away: %s",
			  ike_addr_text(addr, text, sizeof(text)), nl_geterror(err));
}
