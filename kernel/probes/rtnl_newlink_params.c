// SPDX-License-Identifier: GPL-2.0
/* 6.15: newlink gets its arguments in a struct. */
#include <net/rtnetlink.h>

static int newlink(struct net_device *dev, struct rtnl_newlink_params *params,
		   struct netlink_ext_ack *extack)
{
	return 0;
}

struct rtnl_link_ops probe = { .newlink = newlink };
