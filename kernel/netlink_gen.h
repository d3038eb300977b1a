/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/* Do not edit directly, auto-generated from: */
/*	include/netlink/esplane.yaml */
/* YNL-GEN kernel header */
/* To regenerate run: make regen */

#ifndef _LINUX_ESPLANE_GEN_H
#define _LINUX_ESPLANE_GEN_H

#include <net/netlink.h>
#include <net/genetlink.h>

#include <uapi/linux/esplane.h>

/* Common nested types */
extern const struct nla_policy esplane_selector_nl_policy[ESPLANE_A_SELECTOR_DST_PORT_LAST + 1];

int esplane_nl_caps_get_doit(struct sk_buff *skb, struct genl_info *info);
int esplane_nl_spi_alloc_doit(struct sk_buff *skb, struct genl_info *info);
int esplane_nl_spi_free_doit(struct sk_buff *skb, struct genl_info *info);
int esplane_nl_sa_new_doit(struct sk_buff *skb, struct genl_info *info);
int esplane_nl_sa_get_doit(struct sk_buff *skb, struct genl_info *info);
int esplane_nl_sa_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int esplane_nl_sa_update_doit(struct sk_buff *skb, struct genl_info *info);
int esplane_nl_sa_del_doit(struct sk_buff *skb, struct genl_info *info);
int esplane_nl_sa_flush_doit(struct sk_buff *skb, struct genl_info *info);
int esplane_nl_policy_set_doit(struct sk_buff *skb, struct genl_info *info);
int esplane_nl_policy_get_doit(struct sk_buff *skb, struct genl_info *info);
int esplane_nl_policy_get_dumpit(struct sk_buff *skb,
				 struct netlink_callback *cb);
int esplane_nl_policy_del_doit(struct sk_buff *skb, struct genl_info *info);
int esplane_nl_policy_flush_doit(struct sk_buff *skb, struct genl_info *info);
int esplane_nl_encap_add_doit(struct sk_buff *skb, struct genl_info *info);
int esplane_nl_encap_del_doit(struct sk_buff *skb, struct genl_info *info);
int esplane_nl_stats_get_doit(struct sk_buff *skb, struct genl_info *info);
int esplane_nl_spd_set_doit(struct sk_buff *skb, struct genl_info *info);
int esplane_nl_spd_get_doit(struct sk_buff *skb, struct genl_info *info);
int esplane_nl_sa_keys_get_doit(struct sk_buff *skb, struct genl_info *info);

enum {
	ESPLANE_NLGRP_EVENTS,
};

extern struct genl_family esplane_nl_family;

#endif /* _LINUX_ESPLANE_GEN_H */
