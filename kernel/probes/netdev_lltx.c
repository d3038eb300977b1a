// SPDX-License-Identifier: GPL-2.0
/* 6.12: a device without transmit lock says so in a bit of its own. */
#include <linux/netdevice.h>

void probe(struct net_device *dev)
{
	dev->lltx = true;
}
