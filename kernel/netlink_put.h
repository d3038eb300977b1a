/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel's nla_put_u32() and nla_put_u64_64bit(), inline: a dump of a database is little else,
 * and four nested calls for eight bytes are most of what it costs. 0, or -EMSGSIZE: no room.
 */
#ifndef _ESPLANE_NETLINK_PUT_H
#define _ESPLANE_NETLINK_PUT_H

#include <net/netlink.h>

/* An attribute of @len bytes, a multiple of 4. Where they go, or NULL. */
static inline void *esplane_put_room(struct sk_buff *skb, int type, unsigned int len)
{
	struct nlattr *attr;

	if (unlikely(skb_tailroom(skb) < NLA_HDRLEN + (int)len))
		return NULL;
	attr = __skb_put(skb, NLA_HDRLEN + len);
	attr->nla_type = type;
	attr->nla_len = NLA_HDRLEN + len;
	return nla_data(attr);
}

static inline int esplane_put_u32(struct sk_buff *skb, int type, u32 value)
{
	u32 *at = esplane_put_room(skb, type, sizeof(value));

	if (unlikely(!at))
		return -EMSGSIZE;
	*at = value;
	return 0;
}

static inline int esplane_put_be32(struct sk_buff *skb, int type, __be32 value)
{
	return esplane_put_u32(skb, type, (__force u32)value);
}

/* @pad: the attribute that may go ahead of it where eight bytes have to be aligned. */
static inline int esplane_put_u64(struct sk_buff *skb, int type, u64 value, int pad)
{
	void *at;

	if (!IS_ENABLED(CONFIG_HAVE_EFFICIENT_UNALIGNED_ACCESS))
		return nla_put_u64_64bit(skb, type, value, pad);
	at = esplane_put_room(skb, type, sizeof(value));
	if (unlikely(!at))
		return -EMSGSIZE;
	memcpy(at, &value, sizeof(value));
	return 0;
}

#endif
