// SPDX-License-Identifier: GPL-2.0
/* Until 7.1: parts of IPv6 that are not exported are reached by a table. */
#include <net/ipv6_stubs.h>

int probe(struct net *net, struct sock *sk, struct sk_buff *skb,
	  int (*output)(struct net *, struct sock *, struct sk_buff *))
{
	return ipv6_stub->ipv6_fragment(net, sk, skb, output);
}
