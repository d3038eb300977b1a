// SPDX-License-Identifier: GPL-2.0
/* Addresses, selectors and drop counters as netlink attributes. */
#include <linux/netfilter.h>
#include <linux/socket.h>
#include <net/ipv6.h>

#include "compat.h"
#include "netlink.h"
#include "netlink_put.h"
#include "netlink_gen.h"
#include "selector.h"

static int get_in6_addr(const struct nlattr *attr, struct esplane_addr *addr,
			struct netlink_ext_ack *extack)
{
	if (!ipv6_mod_enabled()) {
		NL_SET_ERR_MSG_ATTR(extack, attr, "this kernel runs without IPv6");
		return -EAFNOSUPPORT;
	}
	addr->family = AF_INET6;
	addr->ip.in6 = nla_get_in6_addr(attr);
	if (!ipv6_addr_v4mapped(&addr->ip.in6))
		return 0;
	NL_SET_ERR_MSG_ATTR(extack, attr, "an IPv4 address mapped to IPv6: give its 4 bytes");
	return -EINVAL;
}

int esplane_nl_get_addr(const struct nlattr *attr, struct esplane_addr *addr,
			struct netlink_ext_ack *extack)
{
	memset(addr, 0, sizeof(*addr));
	switch (nla_len(attr)) {
	case sizeof(struct in_addr):
		addr->family = AF_INET;
		addr->ip.ip = nla_get_in_addr(attr);
		return 0;
	case sizeof(struct in6_addr):
		return get_in6_addr(attr, addr, extack);
	default:
		NL_SET_ERR_MSG_ATTR(extack, attr, "an address has 4 bytes (IPv4) or 16 (IPv6)");
		return -EINVAL;
	}
}

int esplane_nl_count_selectors(const struct genl_info *info, int type)
{
	const struct nlattr *attr;
	int rem, n = 0;

	nlmsg_for_each_attr(attr, info->nlhdr, GENL_HDRLEN, rem) {
		if (nla_type(attr) != type || ++n <= ESPLANE_MAX_SELECTORS)
			continue;
		NL_SET_ERR_MSG_ATTR(info->extack, attr, "selector: more than 32 selectors");
		return -E2BIG;
	}
	BUILD_BUG_ON(ESPLANE_MAX_SELECTORS != 32);
	return n;
}

static int get_end(struct nlattr **tb, int type, struct esplane_addr *addr,
		   const struct nlattr *nest, struct netlink_ext_ack *extack)
{
	if (tb[type])
		return esplane_nl_get_addr(tb[type], addr, extack);
	NL_SET_ERR_ATTR_MISS(extack, nest, type);
	NL_SET_ERR_MSG(extack, "selector: src-first, src-last, dst-first and dst-last are needed");
	return -EINVAL;
}

static u16 get_port(const struct nlattr *attr, u16 otherwise)
{
	return attr ? nla_get_u32(attr) : otherwise;
}

static int get_selector(const struct nlattr *nest, struct esplane_selector *sel,
			struct netlink_ext_ack *extack)
{
	struct esplane_addr src_first, src_last, dst_first, dst_last;
	struct nlattr *tb[ESPLANE_A_SELECTOR_MAX + 1];
	const char *flaw;
	int err;

	err = nla_parse_nested(tb, ESPLANE_A_SELECTOR_MAX, nest, esplane_selector_nl_policy,
			       extack) ?:
	      get_end(tb, ESPLANE_A_SELECTOR_SRC_FIRST, &src_first, nest, extack) ?:
	      get_end(tb, ESPLANE_A_SELECTOR_SRC_LAST, &src_last, nest, extack) ?:
	      get_end(tb, ESPLANE_A_SELECTOR_DST_FIRST, &dst_first, nest, extack) ?:
	      get_end(tb, ESPLANE_A_SELECTOR_DST_LAST, &dst_last, nest, extack);
	if (err)
		return err;
	if (src_last.family != src_first.family || dst_first.family != src_first.family ||
	    dst_last.family != src_first.family) {
		NL_SET_ERR_MSG_ATTR(extack, nest, "selector: addresses of different families");
		return -EINVAL;
	}
	*sel = (struct esplane_selector){
		.family = src_first.family,
		.protocol = get_port(tb[ESPLANE_A_SELECTOR_PROTOCOL], 0),
		.src_first = src_first.ip, .src_last = src_last.ip,
		.dst_first = dst_first.ip, .dst_last = dst_last.ip,
		.sport_first = get_port(tb[ESPLANE_A_SELECTOR_SRC_PORT_FIRST], 0),
		.sport_last = get_port(tb[ESPLANE_A_SELECTOR_SRC_PORT_LAST], U16_MAX),
		.dport_first = get_port(tb[ESPLANE_A_SELECTOR_DST_PORT_FIRST], 0),
		.dport_last = get_port(tb[ESPLANE_A_SELECTOR_DST_PORT_LAST], U16_MAX),
	};
	flaw = esplane_selector_flaw(sel);
	if (!flaw)
		return 0;
	extack->bad_attr = nest;
	extack->_msg = flaw;
	return -EINVAL;
}

int esplane_nl_get_selectors(const struct genl_info *info, int type, struct esplane_selector *sel)
{
	const struct nlattr *attr;
	int rem, err;

	nlmsg_for_each_attr(attr, info->nlhdr, GENL_HDRLEN, rem) {
		if (nla_type(attr) != type)
			continue;
		err = get_selector(attr, sel++, info->extack);
		if (err)
			return err;
	}
	return 0;
}

int esplane_nl_put_addr(struct sk_buff *skb, int type, u16 family, const union nf_inet_addr *ip)
{
	if (family == AF_INET)
		return esplane_put_be32(skb, type, ip->ip);
	return nla_put_in6_addr(skb, type, &ip->in6);
}

int esplane_nl_put_selector(struct sk_buff *skb, int type, const struct esplane_selector *sel)
{
	struct nlattr *nest = nla_nest_start(skb, type);
	u16 family = sel->family;

	if (!nest)
		return -EMSGSIZE;
	if (esplane_nl_put_addr(skb, ESPLANE_A_SELECTOR_SRC_FIRST, family, &sel->src_first) ||
	    esplane_nl_put_addr(skb, ESPLANE_A_SELECTOR_SRC_LAST, family, &sel->src_last) ||
	    esplane_nl_put_addr(skb, ESPLANE_A_SELECTOR_DST_FIRST, family, &sel->dst_first) ||
	    esplane_nl_put_addr(skb, ESPLANE_A_SELECTOR_DST_LAST, family, &sel->dst_last) ||
	    esplane_put_u32(skb, ESPLANE_A_SELECTOR_PROTOCOL, sel->protocol) ||
	    esplane_put_u32(skb, ESPLANE_A_SELECTOR_SRC_PORT_FIRST, sel->sport_first) ||
	    esplane_put_u32(skb, ESPLANE_A_SELECTOR_SRC_PORT_LAST, sel->sport_last) ||
	    esplane_put_u32(skb, ESPLANE_A_SELECTOR_DST_PORT_FIRST, sel->dport_first) ||
	    esplane_put_u32(skb, ESPLANE_A_SELECTOR_DST_PORT_LAST, sel->dport_last)) {
		nla_nest_cancel(skb, nest);
		return -EMSGSIZE;
	}
	nla_nest_end(skb, nest);
	return 0;
}

static int put_drop(struct sk_buff *skb, int type, enum esplane_drop_reason reason, u64 count)
{
	struct nlattr *nest = nla_nest_start(skb, type);

	if (!nest)
		return -EMSGSIZE;
	if (nla_put_string(skb, ESPLANE_A_DROP_REASON, esplane_drop_name(reason)) ||
	    nla_put_string(skb, ESPLANE_A_DROP_MEANING, esplane_drop_meaning(reason)) ||
	    esplane_put_u64(skb, ESPLANE_A_DROP_COUNT, count, ESPLANE_A_DROP_PAD)) {
		nla_nest_cancel(skb, nest);
		return -EMSGSIZE;
	}
	nla_nest_end(skb, nest);
	return 0;
}

int esplane_nl_put_drops(struct sk_buff *skb, int type, const u64 drops[ESPLANE_DROP_COUNT],
			 bool zeros)
{
	unsigned int i;

	for (i = 0; i < ESPLANE_DROP_COUNT; i++)
		if ((zeros || drops[i]) && put_drop(skb, type, i, drops[i]))
			return -EMSGSIZE;
	return 0;
}
