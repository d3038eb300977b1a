// SPDX-License-Identifier: GPL-2.0
/* 6.15: the new name of netns_local. */
#include <linux/netdevice.h>

void probe(struct net_device *dev)
{
	dev->netns_immutable = true;
}
