// SPDX-License-Identifier: GPL-2.0
/* 6.10: a network device that is nothing but an owner of NAPIs, made by the core. */
#include <linux/netdevice.h>

struct net_device *probe(void)
{
	return alloc_netdev_dummy(0);
}
