// SPDX-License-Identifier: GPL-2.0
/* 6.13: before, a feature bit. */
#include <linux/netdevice.h>

void probe(struct net_device *dev)
{
	dev->netns_local = true;
}
