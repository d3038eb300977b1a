// SPDX-License-Identifier: GPL-2.0
/*
 * The genetlink family: its registration, what its files share, and the operations on what is
 * neither SA nor policy. The contract is include/netlink/esplane.yaml.
 *
 * Locking: operations run in parallel; those that change something take esplane_net::lock.
 */
#include <linux/mutex.h>

#include "encap.h"
#include "esp.h"
#include "key_export.h"
#include "net.h"
#include "netlink.h"
#include "netlink_gen.h"
#include "sad.h"
#include "selector.h"
#include "stats.h"
#include "transform.h"

enum {
	DEFAULT_SPI_TIMEOUT = 120,	/* seconds */
	DRIVER_NAME_LEN = 128,		/* CRYPTO_MAX_ALG_NAME */
};

int esplane_nl_dump_start(struct netlink_callback *cb)
{
	cb->min_dump_alloc = ESPLANE_NL_REPLY_SIZE;
	return 0;
}

struct esplane_net *esplane_nl_net(const struct genl_info *info)
{
	return esplane_net(genl_info_net((struct genl_info *)info));
}

struct sk_buff *esplane_nl_reply(struct genl_info *info, size_t size, void **header)
{
	struct sk_buff *skb = genlmsg_new(size, GFP_KERNEL);

	if (skb)
		*header = genlmsg_put_reply(skb, info, &esplane_nl_family, 0,
					    info->genlhdr->cmd);
	else
		NL_SET_ERR_MSG(info->extack, "no memory for the reply");
	return skb;
}

int esplane_nl_send(struct genl_info *info, struct sk_buff *skb, void *header)
{
	genlmsg_end(skb, header);
	return genlmsg_reply(skb, info);
}

static int put_transform(struct sk_buff *skb, const struct esplane_transform *t,
			 const char *driver)
{
	struct nlattr *nest = nla_nest_start(skb, ESPLANE_A_CAPS_TRANSFORM);
	unsigned int i;

	if (!nest)
		return -EMSGSIZE;
	if (nla_put_u32(skb, ESPLANE_A_TRANSFORM_ENCR, t->encr) ||
	    (t->integ && nla_put_u32(skb, ESPLANE_A_TRANSFORM_INTEG, t->integ)) ||
	    nla_put_string(skb, ESPLANE_A_TRANSFORM_NAME, t->name) ||
	    nla_put_string(skb, ESPLANE_A_TRANSFORM_DRIVER, driver))
		return -EMSGSIZE;
	for (i = 0; i < ARRAY_SIZE(t->key_bits) && t->key_bits[i]; i++)
		if (nla_put_u32(skb, ESPLANE_A_TRANSFORM_KEY_LEN, t->key_bits[i]))
			return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int put_transforms(struct sk_buff *skb)
{
	const struct esplane_transform *t;
	char driver[DRIVER_NAME_LEN];
	unsigned int i;
	int err = 0;

	for (i = 0; !err && (t = esplane_transform_nth(i)); i++) {
		err = esplane_transform_driver(t, driver, sizeof(driver));
		if (!err && driver[0])
			err = put_transform(skb, t, driver);
	}
	return err;
}

int esplane_nl_caps_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct sk_buff *reply;
	void *header;
	int err;

	reply = esplane_nl_reply(info, ESPLANE_NL_REPLY_SIZE, &header);
	if (!reply)
		return -ENOMEM;
	err = nla_put_string(reply, ESPLANE_A_CAPS_VERSION, ESPLANE_VERSION) ?:
	      put_transforms(reply) ?:
	      nla_put_u32(reply, ESPLANE_A_CAPS_MAX_REPLAY_WINDOW, ESPLANE_MAX_REPLAY_WINDOW) ?:
	      nla_put_u32(reply, ESPLANE_A_CAPS_MAX_SELECTORS, ESPLANE_MAX_SELECTORS) ?:
	      esplane_key_export_put_caps(reply);
	if (!err)
		return esplane_nl_send(info, reply, header);
	if (err == -ENOMEM)
		NL_SET_ERR_MSG(info->extack, "no memory to ask the crypto drivers");
	else
		NL_SET_ERR_MSG(info->extack, "the reply does not fit a message");
	nlmsg_free(reply);
	return err;
}

static u32 get_u32(const struct nlattr *attr, u32 otherwise)
{
	return attr ? nla_get_u32(attr) : otherwise;
}

/* SPIs are unique in the namespace, whatever the address; it must make sense nevertheless. */
static int check_dst(const struct genl_info *info)
{
	const struct nlattr *attr = info->attrs[ESPLANE_A_SPI_DST];
	struct esplane_addr dst;

	return attr ? esplane_nl_get_addr(attr, &dst, info->extack) : 0;
}

static int check_spi_range(const struct genl_info *info, u32 lowest, u32 highest)
{
	if (lowest < ESPLANE_ESP_MIN_SPI) {
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[ESPLANE_A_SPI_LOWEST],
				    "lowest: SPIs below 256 are reserved (RFC 4303 section 2.1)");
		return -EINVAL;
	}
	if (highest < lowest) {
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[ESPLANE_A_SPI_HIGHEST],
				    "highest: below the lowest");
		return -EINVAL;
	}
	return 0;
}

int esplane_nl_spi_alloc_doit(struct sk_buff *skb, struct genl_info *info)
{
	u32 timeout = get_u32(info->attrs[ESPLANE_A_SPI_TIMEOUT], DEFAULT_SPI_TIMEOUT);
	u32 lowest = get_u32(info->attrs[ESPLANE_A_SPI_LOWEST], ESPLANE_ESP_MIN_SPI);
	u32 highest = get_u32(info->attrs[ESPLANE_A_SPI_HIGHEST], U32_MAX);
	struct esplane_net *en = esplane_nl_net(info);
	struct sk_buff *reply;
	void *header;
	__be32 spi;
	int err;

	err = check_spi_range(info, lowest, highest) ?: check_dst(info);
	if (err)
		return err;
	reply = esplane_nl_reply(info, ESPLANE_NL_SHORT_SIZE, &header);
	if (!reply)
		return -ENOMEM;
	mutex_lock(&en->lock);
	err = esplane_sad_spi_alloc(en, lowest, highest, timeout, &spi, info->extack);
	mutex_unlock(&en->lock);
	if (err || nla_put_be32(reply, ESPLANE_A_SPI_SPI, spi)) {
		nlmsg_free(reply);
		return err ?: -EMSGSIZE;
	}
	return esplane_nl_send(info, reply, header);
}

int esplane_nl_spi_free_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct esplane_net *en = esplane_nl_net(info);
	int err;

	if (esplane_nl_missing(info, ESPLANE_A_SPI_SPI, "spi"))
		return -EINVAL;
	err = check_dst(info);
	if (err)
		return err;
	mutex_lock(&en->lock);
	err = esplane_sad_spi_free(en, nla_get_be32(info->attrs[ESPLANE_A_SPI_SPI]));
	mutex_unlock(&en->lock);
	if (err)
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[ESPLANE_A_SPI_SPI],
				    "spi: not reserved");
	return err;
}

int esplane_nl_encap_add_doit(struct sk_buff *skb, struct genl_info *info)
{
	bool ike_only = nla_get_flag(info->attrs[ESPLANE_A_ENCAP_IKE_ONLY]);
	struct esplane_net *en = esplane_nl_net(info);
	struct sk_buff *reply;
	void *header;
	int port;

	if (esplane_nl_missing(info, ESPLANE_A_ENCAP_FD, "fd"))
		return -EINVAL;
	reply = esplane_nl_reply(info, ESPLANE_NL_SHORT_SIZE, &header);
	if (!reply)
		return -ENOMEM;
	mutex_lock(&en->lock);
	port = esplane_encap_add(en, nla_get_u32(info->attrs[ESPLANE_A_ENCAP_FD]), ike_only,
				 info->extack);
	mutex_unlock(&en->lock);
	if (port < 0 || nla_put_u32(reply, ESPLANE_A_ENCAP_PORT, port)) {
		nlmsg_free(reply);
		return port < 0 ? port : -EMSGSIZE;
	}
	return esplane_nl_send(info, reply, header);
}

int esplane_nl_encap_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct esplane_net *en = esplane_nl_net(info);
	int err;

	if (esplane_nl_missing(info, ESPLANE_A_ENCAP_PORT, "port"))
		return -EINVAL;
	mutex_lock(&en->lock);
	err = esplane_encap_del(en, nla_get_u32(info->attrs[ESPLANE_A_ENCAP_PORT]),
				info->extack);
	mutex_unlock(&en->lock);
	return err;
}

static int put_stats(struct sk_buff *skb, const struct esplane_net *en,
		     const struct esplane_stats *s)
{
	const struct {
		int attr;
		u64 value;
	} counters[] = {
		{ ESPLANE_A_STATS_IN_PACKETS, s->in_packets },
		{ ESPLANE_A_STATS_IN_BYTES, s->in_bytes },
		{ ESPLANE_A_STATS_IN_TRAINS, s->in_trains },
		{ ESPLANE_A_STATS_OUT_PACKETS, s->out_packets },
		{ ESPLANE_A_STATS_OUT_BYTES, s->out_bytes },
		{ ESPLANE_A_STATS_OUT_TRAINS, s->out_trains },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(counters); i++)
		if (nla_put_u64_64bit(skb, counters[i].attr, counters[i].value,
				      ESPLANE_A_STATS_PAD))
			return -EMSGSIZE;
	return nla_put_u32(skb, ESPLANE_A_STATS_SAS, READ_ONCE(en->sad.count)) ?:
	       nla_put_u32(skb, ESPLANE_A_STATS_POLICIES, READ_ONCE(en->spd.count)) ?:
	       nla_put_u32(skb, ESPLANE_A_STATS_HELD,
			   skb_queue_len_lockless(&en->hold.packets)) ?:
	       esplane_nl_put_drops(skb, ESPLANE_A_STATS_DROP, s->drops, true);
}

int esplane_nl_stats_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	const struct esplane_net *en = esplane_nl_net(info);
	struct esplane_stats stats;
	struct sk_buff *reply;
	void *header;

	reply = esplane_nl_reply(info, ESPLANE_NL_REPLY_SIZE, &header);
	if (!reply)
		return -ENOMEM;
	esplane_stats_sum(en, &stats);
	if (put_stats(reply, en, &stats)) {
		NL_SET_ERR_MSG(info->extack, "the reply does not fit a message");
		nlmsg_free(reply);
		return -EMSGSIZE;
	}
	return esplane_nl_send(info, reply, header);
}

int esplane_netlink_register(void)
{
	return genl_register_family(&esplane_nl_family);
}

void esplane_netlink_unregister(void)
{
	genl_unregister_family(&esplane_nl_family);
}
