/* SPDX-License-Identifier: GPL-2.0 */
/* The genetlink family "esplane": what its files share. netlink_gen.h declares the operations. */
#ifndef _ESPLANE_NETLINK_H
#define _ESPLANE_NETLINK_H

#include <net/genetlink.h>

#include "drop.h"

#define ESPLANE_VERSION "0.1.0"

struct esplane_addr;
struct esplane_net;
struct esplane_selector;

/* Bytes of a reply with the most selectors, and with every drop counter. */
#define ESPLANE_NL_REPLY_SIZE 8192
/* Of one that is a number or two. */
#define ESPLANE_NL_SHORT_SIZE 64

int esplane_netlink_register(void);
void esplane_netlink_unregister(void);

/* Makes room for ESPLANE_NL_REPLY_SIZE in the first part of a dump. */
int esplane_nl_dump_start(struct netlink_callback *cb);

struct esplane_net *esplane_nl_net(const struct genl_info *info);

/* A reply to @info with its header and room for @size bytes, or NULL, explained in extack. */
struct sk_buff *esplane_nl_reply(struct genl_info *info, size_t size, void **header);
int esplane_nl_send(struct genl_info *info, struct sk_buff *skb, void *header);

/* True, and explained in extack, if the request lacks the attribute. @name is a literal. */
#define esplane_nl_missing(info, attr, name)						\
({											\
	struct genl_info *__i = (info);							\
	bool __missing = !__i->attrs[attr];						\
											\
	if (__missing) {								\
		NL_SET_ERR_ATTR_MISS(__i->extack, NULL, attr);				\
		NL_SET_ERR_MSG(__i->extack, name ": attribute is missing");		\
	}										\
	__missing;									\
})

/* Attributes' values; the first two refuse what they cannot take, and say so. */
int esplane_nl_get_addr(const struct nlattr *attr, struct esplane_addr *addr,
			struct netlink_ext_ack *extack);
/* How many attributes of this type the request has, at most ESPLANE_MAX_SELECTORS; or an error. */
int esplane_nl_count_selectors(const struct genl_info *info, int type);
int esplane_nl_get_selectors(const struct genl_info *info, int type, struct esplane_selector *sel);

int esplane_nl_put_addr(struct sk_buff *skb, int type, u16 family, const union nf_inet_addr *ip);
int esplane_nl_put_selector(struct sk_buff *skb, int type, const struct esplane_selector *sel);
/* One nest for each drop counter, for those that are zero only if @zeros. */
int esplane_nl_put_drops(struct sk_buff *skb, int type, const u64 drops[ESPLANE_DROP_COUNT],
			 bool zeros);

#endif
