// SPDX-License-Identifier: GPL-2.0
/*
 * ICMP errors in the tunnel (RFC 4301 section 6.2).
 *
 * A router beyond the far gateway, or that gateway itself, complains of a packet that has come out
 * of the tunnel. The error's source need not be among those that the tunnel is for, nor its
 * protocol. It quotes the packet that it is about: with its addresses and ports reversed, that is a
 * packet of the traffic back, whose SA takes the error along and lets it out at the other end.
 *
 * No flag turns this off. Section 6.2 demands both halves, and without them path MTU discovery ends
 * at the gateway. Nor does it let anybody say more than before: who sends the error holds the SA's
 * key, it is about traffic of that SA alone, and it can only go to where the quoted packet came
 * from, which is within the selectors. Its source may be any, as a router's always may.
 *
 * Redirects and source quench quote packets too. A redirect is a matter of one link (RFC 1812
 * section 4.3.3.2), which a tunnel is not, and nobody heeds the other (RFC 6633): these pass by
 * their own addresses only.
 *
 * Locking: RCU read side.
 */
#include <kunit/visibility.h>
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/minmax.h>
#include <linux/skbuff.h>
#include <linux/socket.h>
#include <net/ip.h>

#include "exthdr.h"
#include "policy.h"
#include "quote.h"
#include "selector.h"
#include "spd.h"

/* RFC 792: destination unreachable, time exceeded, parameter problem; RFC 4443 section 3. */
static bool is_error(const struct esplane_flow *flow)
{
	if (!flow->ports)
		return false;
	if (flow->family == AF_INET && flow->protocol == IPPROTO_ICMP)
		return flow->sport == ICMP_DEST_UNREACH || flow->sport == ICMP_TIME_EXCEEDED ||
		       flow->sport == ICMP_PARAMETERPROB;
	if (flow->family == AF_INET6 && flow->protocol == IPPROTO_ICMPV6)
		return flow->sport >= ICMPV6_DEST_UNREACH && flow->sport <= ICMPV6_PARAMPROB;
	return false;
}

/* Offset of the quoted packet; 0 if the error is not whole. */
static unsigned int quote_v4(const struct esplane_bytes *packet)
{
	const struct iphdr *iph;
	struct iphdr buf;

	iph = esplane_bytes_at(packet, 0, sizeof(buf), &buf);
	if (!iph || ip_is_fragment(iph))
		return 0;
	return iph->ihl * 4 + sizeof(struct icmphdr);
}

static unsigned int quote_v6(const struct esplane_bytes *packet)
{
	struct esplane_exthdrs chain;

	esplane_exthdr_walk(packet, &chain);
	return chain.whole && !chain.fragment ? chain.offset + sizeof(struct icmp6hdr) : 0;
}

/* What an ICMP message is about has no other end: RFC 4301 reverses ports, not types. */
static void reverse(struct esplane_flow *flow)
{
	swap(flow->src, flow->dst);
	if (flow->protocol != IPPROTO_ICMP && flow->protocol != IPPROTO_ICMPV6)
		swap(flow->sport, flow->dport);
}

bool esplane_quote_reverse(const struct esplane_bytes *packet, const struct esplane_flow *flow,
			   struct esplane_flow *reversed)
{
	struct esplane_bytes quoted = *packet;
	struct esplane_flow found;
	unsigned int offset;

	if (!is_error(flow))
		return false;
	offset = flow->family == AF_INET6 ? quote_v6(packet) : quote_v4(packet);
	if (!offset || offset > packet->len)
		return false;
	if (quoted.skb)
		quoted.offset += offset;
	else
		quoted.data += offset;
	quoted.len -= offset;
	if (!esplane_flow_from(&quoted, &found) || found.family != flow->family)
		return false;
	reverse(&found);
	if (memcmp(&found.dst, &flow->dst, sizeof(found.dst)))
		return false;
	*reversed = found;
	return true;
}
EXPORT_SYMBOL_IF_KUNIT(esplane_quote_reverse);

bool esplane_quote_match(const struct esplane_selector *sel, unsigned int n, const void *ip,
			 unsigned int len, const struct esplane_flow *flow)
{
	struct esplane_flow reversed;

	return esplane_quote_reverse(&(struct esplane_bytes){ .data = ip, .len = len }, flow,
				     &reversed) &&
	       esplane_selectors_match(sel, n, &reversed);
}

struct esplane_policy *esplane_quote_policy(const struct esplane_net *en, const struct sk_buff *skb,
					    const struct esplane_flow *flow, u32 if_id)
{
	int offset = skb_network_offset(skb);
	struct esplane_bytes packet = { .skb = skb, .offset = offset, .len = skb->len - offset };
	struct esplane_policy *policy;
	struct esplane_flow reversed;

	if (!esplane_quote_reverse(&packet, flow, &reversed))
		return NULL;
	policy = esplane_spd_lookup(en, ESPLANE_DIRECTION_OUT, &reversed, if_id, skb->mark);
	return policy && policy->action == ESPLANE_ACTION_PROTECT ? policy : NULL;
}
