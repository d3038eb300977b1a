// SPDX-License-Identifier: MIT
/* Interfaces of kind "esplane", over rtnetlink. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>

#include <linux/esplane_link.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include "link.h"

#define LINK_KIND "esplane"

struct exchange {
	void (*fn)(void *arg, const struct dp_link *link);
	void *arg;
	char *why;
	int err;
	bool done;
};

/* The kernel's own words, which follow the request's header (NETLINK_CAP_ACK). */
static const char *extack_text(struct nlmsghdr *nlh, size_t offset)
{
	struct nlattr *tb[NLMSGERR_ATTR_MAX + 1] = { 0 };
	int len = nlmsg_datalen(nlh) - (int)offset;

	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS) || len <= 0 ||
	    nla_parse(tb, NLMSGERR_ATTR_MAX, (struct nlattr *)((char *)nlmsg_data(nlh) + offset),
		      len, NULL) || !tb[NLMSGERR_ATTR_MSG])
		return NULL;
	return nla_get_string(tb[NLMSGERR_ATTR_MSG]);
}

static int on_error(struct sockaddr_nl *who, struct nlmsgerr *e, void *arg)
{
	struct nlmsghdr *nlh = (struct nlmsghdr *)((char *)e - NLMSG_HDRLEN);
	struct exchange *x = arg;
	const char *text = extack_text(nlh, NLMSG_ALIGN(sizeof(*e)));

	x->err = e->error;
	x->done = true;
	snprintf(x->why, DP_LINK_WHY, "%s", text ? text : strerror(-e->error));
	return NL_STOP;
}

static int on_end(struct nl_msg *msg, void *arg)
{
	((struct exchange *)arg)->done = true;
	return NL_STOP;
}

static void get_u32(struct nlattr *attr, uint32_t *to)
{
	if (attr && nla_len(attr) == sizeof(*to))
		*to = nla_get_u32(attr);
}

static bool get_kind(struct nlattr *info, struct dp_link *link)
{
	static struct nla_policy info_policy[IFLA_INFO_MAX + 1] = {
		[IFLA_INFO_KIND] = { .type = NLA_STRING },
	};
	struct nlattr *tb[IFLA_INFO_MAX + 1], *data[IFLA_ESPLANE_MAX + 1];

	if (!info || nla_parse_nested(tb, IFLA_INFO_MAX, info, info_policy) ||
	    !tb[IFLA_INFO_KIND] || strcmp(nla_get_string(tb[IFLA_INFO_KIND]), LINK_KIND))
		return false;
	if (tb[IFLA_INFO_DATA] &&
	    !nla_parse_nested(data, IFLA_ESPLANE_MAX, tb[IFLA_INFO_DATA], NULL)) {
		get_u32(data[IFLA_ESPLANE_IF_ID], &link->if_id);
		get_u32(data[IFLA_ESPLANE_DEFAULT_ACTION], &link->default_action);
	}
	return true;
}

static void get_counters(struct nlattr *attr, struct dp_link *link)
{
	struct rtnl_link_stats64 s = { 0 };
	size_t len = attr ? nla_len(attr) : 0;

	memcpy(&s, attr ? nla_data(attr) : &s, len < sizeof(s) ? len : sizeof(s));
	link->rx_packets = s.rx_packets;
	link->rx_bytes = s.rx_bytes;
	link->tx_packets = s.tx_packets;
	link->tx_bytes = s.tx_bytes;
	link->tx_errors = s.tx_errors;
}

static int on_link(struct nl_msg *msg, void *arg)
{
	struct exchange *x = arg;
	struct nlmsghdr *nlh = nlmsg_hdr(msg);
	struct nlattr *tb[IFLA_MAX + 1];
	const struct ifinfomsg *ifi = nlmsg_data(nlh);
	struct dp_link link = { 0 };

	if (nlh->nlmsg_type != RTM_NEWLINK ||
	    nlmsg_parse(nlh, sizeof(*ifi), tb, IFLA_MAX, NULL) || !tb[IFLA_IFNAME] ||
	    !get_kind(tb[IFLA_LINKINFO], &link))
		return NL_OK;
	snprintf(link.name, sizeof(link.name), "%s", (const char *)nla_data(tb[IFLA_IFNAME]));
	link.index = ifi->ifi_index;
	link.up = ifi->ifi_flags & IFF_UP;
	get_u32(tb[IFLA_MTU], &link.mtu);
	link.moved = tb[IFLA_LINK_NETNSID];
	get_u32(tb[IFLA_LINK_NETNSID], &link.made_in);
	get_counters(tb[IFLA_STATS64], &link);
	x->fn(x->arg, &link);
	return NL_OK;
}

static int send_and_receive(struct nl_sock *sock, struct nl_msg *msg, struct exchange *x)
{
	struct nl_cb *cb = nl_cb_alloc(NL_CB_DEFAULT);
	int err;

	if (!cb)
		return -NLE_NOMEM;
	nl_cb_err(cb, NL_CB_CUSTOM, on_error, x);
	nl_cb_set(cb, NL_CB_ACK, NL_CB_CUSTOM, on_end, x);
	nl_cb_set(cb, NL_CB_FINISH, NL_CB_CUSTOM, on_end, x);
	if (x->fn)
		nl_cb_set(cb, NL_CB_VALID, NL_CB_CUSTOM, on_link, x);
	err = nl_send_auto(sock, msg);
	while (err >= 0 && !x->done)
		err = nl_recvmsgs(sock, cb);
	nl_cb_put(cb);
	return x->done ? 0 : err;
}

/* Takes @msg, NULL if there was no memory. */
static int exchange(struct nl_msg *msg, struct exchange *x)
{
	struct nl_sock *sock = nl_socket_alloc();
	int on = 1, err = sock && msg ? nl_connect(sock, NETLINK_ROUTE) : -NLE_NOMEM;

	if (!err) {
		setsockopt(nl_socket_get_fd(sock), SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
		setsockopt(nl_socket_get_fd(sock), SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
		nl_socket_enable_msg_peek(sock);
		err = send_and_receive(sock, msg, x);
	}
	if (err < 0) {
		snprintf(x->why, DP_LINK_WHY, "%s", nl_geterror(err));
		x->err = -EIO;
	}
	nl_socket_free(sock);
	nlmsg_free(msg);
	return x->err;
}

static struct nl_msg *request(int type, int flags, const char *name)
{
	struct nl_msg *msg = nlmsg_alloc_simple(type, flags);
	struct ifinfomsg ifi = { .ifi_family = AF_UNSPEC };

	if (msg && (nlmsg_append(msg, &ifi, sizeof(ifi), NLMSG_ALIGNTO) ||
		    (name && nla_put_string(msg, IFLA_IFNAME, name)))) {
		nlmsg_free(msg);
		return NULL;
	}
	return msg;
}

static int put_info(struct nl_msg *msg, const struct dp_link *link)
{
	struct nlattr *info = nla_nest_start(msg, IFLA_LINKINFO), *data;

	if (!info || nla_put_string(msg, IFLA_INFO_KIND, LINK_KIND))
		return -NLE_NOMEM;
	data = nla_nest_start(msg, IFLA_INFO_DATA);
	if (!data)
		return -NLE_NOMEM;
	if ((link->if_id && nla_put_u32(msg, IFLA_ESPLANE_IF_ID, link->if_id)) ||
	    (link->default_action &&
	     nla_put_u32(msg, IFLA_ESPLANE_DEFAULT_ACTION, link->default_action)))
		return -NLE_NOMEM;
	nla_nest_end(msg, data);
	nla_nest_end(msg, info);
	return 0;
}

int dp_link_add(const struct dp_link *link, char *why)
{
	struct nl_msg *msg = request(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK,
				     link->name);
	struct exchange x = { .why = why };

	if (msg && ((link->mtu && nla_put_u32(msg, IFLA_MTU, link->mtu)) || put_info(msg, link))) {
		nlmsg_free(msg);
		msg = NULL;
	}
	return exchange(msg, &x);
}

int dp_link_dump(void (*fn)(void *arg, const struct dp_link *link), void *arg, char *why)
{
	struct exchange x = { .fn = fn, .arg = arg, .why = why };

	return exchange(request(RTM_GETLINK, NLM_F_DUMP, NULL), &x);
}

struct search {
	const char *name;
	bool found;
};

static void look(void *arg, const struct dp_link *link)
{
	struct search *s = arg;

	s->found |= !strcmp(link->name, s->name);
}

int dp_link_del(const char *name, char *why)
{
	struct search search = { .name = name };
	struct exchange x = { .why = why };
	int err = dp_link_dump(look, &search, why);

	if (err)
		return err;
	if (!search.found) {
		snprintf(why, DP_LINK_WHY, "there is no esplane interface of this name");
		return -ENODEV;
	}
	return exchange(request(RTM_DELLINK, NLM_F_ACK, name), &x);
}
