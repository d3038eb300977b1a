// SPDX-License-Identifier: GPL-2.0
/*
 * Packets that do not fit the tunnel (RFC 4301 section 8): never a black hole.
 *
 * With DF the sender learns the tunnel's MTU: by ICMP, and if it is this host by its route too.
 * Without DF the packet is fragmented before it is encrypted, so that the far gateway has nothing
 * to reassemble. What the path carries its interface says, the route, and errors that come back.
 *
 * Locking: the fragmenter's callback has no argument of its own; what it needs lies in a per-CPU
 * variable while it runs, BHs off, and it does not nest: fragments fit.
 */
#include <kunit/visibility.h>
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/ipv6.h>
#include <linux/percpu.h>
#include <net/dst_metadata.h>
#include <net/icmp.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include <net/route.h>

#include "compat.h"
#include "drop.h"
#include "esp.h"
#include "net.h"
#include "pmtu.h"
#include "sa.h"
#include "transform.h"

enum {
	/* RFC 1191 section 3: below it nothing is gained; Linux's routes have the same floor. */
	LEAST_PATH_V4 = 552,
	LEARNT_FOR = 10 * 60 * HZ,	/* RFC 1191 section 6.3 */
};

struct fragment_sink {
	void (*send)(void *arg, struct sk_buff *skb);
	void *arg;
};

static DEFINE_PER_CPU(struct fragment_sink, sink);

unsigned int esplane_pmtu_inner(const struct esplane_transform *t, unsigned int outer_mtu,
				unsigned int headers)
{
	const unsigned int trailer = sizeof(struct esplane_esp_trailer);
	unsigned int used = headers + esplane_pmtu_fixed_len(t);
	unsigned int text;

	if (outer_mtu <= used)
		return 0;
	text = round_down(outer_mtu - used, esplane_pmtu_alignment(t));
	return text > trailer ? text - trailer : 0;
}
EXPORT_SYMBOL_IF_KUNIT(esplane_pmtu_inner);

/* The sender of this packet may be a socket here: its route learns, the ICMP tells the socket. */
void esplane_pmtu_refuse(struct esplane_net *en, struct esplane_sa *sa, struct sk_buff *skb,
			 unsigned int mtu)
{
	bool v6 = ip_hdr(skb)->version == 6;

	if (mtu >= (v6 ? IPV6_MIN_MTU : IPV4_MIN_MTU)) {
		skb_dst_update_pmtu_no_confirm(skb, mtu);
		if (v6)
			icmpv6_ndo_send(skb, ICMPV6_PKT_TOOBIG, 0, mtu);
		else
			icmp_ndo_send(skb, ICMP_DEST_UNREACH, ICMP_FRAG_NEEDED, htonl(mtu));
	}
	esplane_drop(en, sa, skb, ESPLANE_DROP_TOO_BIG, sa->spi, 0);
}

void esplane_pmtu_learn(struct esplane_outer *outer, u32 mtu)
{
	u32 least = outer->dst.family == AF_INET6 ? IPV6_MIN_MTU : LEAST_PATH_V4;

	mtu = max(mtu, least);
	if (esplane_pmtu_path(outer, U32_MAX) < mtu)
		return;
	WRITE_ONCE(outer->path_until, jiffies + LEARNT_FOR);
	WRITE_ONCE(outer->path_mtu, mtu);
}

unsigned int esplane_pmtu_path(const struct esplane_outer *outer, unsigned int link)
{
	u32 mtu = READ_ONCE(outer->path_mtu);

	if (likely(!mtu) || time_after(jiffies, READ_ONCE(outer->path_until)))
		return link;
	return min(link, mtu);
}

void esplane_pmtu_teach(struct sk_buff *skb, unsigned int mtu)
{
	unsigned int least = ip_hdr(skb)->version == 6 ? IPV6_MIN_MTU : IPV4_MIN_MTU;

	if (skb->sk && mtu >= least && skb_valid_dst(skb))
		skb_dst_update_pmtu_no_confirm(skb, mtu);
}

static int send_fragment(struct net *net, struct sock *sk, struct sk_buff *skb)
{
	const struct fragment_sink *s = this_cpu_ptr(&sink);

	s->send(s->arg, skb);
	return 0;
}

static void fragment(struct esplane_net *en, struct sk_buff *skb, unsigned int mtu,
		     void (*send)(void *arg, struct sk_buff *skb), void *arg)
{
	struct fragment_sink *s = this_cpu_ptr(&sink);

	s->send = send;
	s->arg = arg;
	/* How one tells the fragmenter of a limit below the route's MTU. */
	if (ip_hdr(skb)->version == 6) {
		IP6CB(skb)->frag_max_size = min(mtu, dst_mtu(skb_dst(skb)));
		esplane_compat_ip6_fragment(en->net, skb->sk, skb, send_fragment);
		return;
	}
	memset(IPCB(skb), 0, sizeof(*IPCB(skb)));
	IPCB(skb)->frag_max_size = mtu;
	ip_do_fragment(en->net, skb->sk, skb, send_fragment);
}

/*
 * Only its source fragments an IPv6 packet (RFC 8200 section 5): this host, or one whose fragments
 * connection tracking has put together, if they were small enough.
 */
static void too_big_v6(struct esplane_net *en, struct esplane_sa *sa, struct sk_buff *skb,
		       unsigned int mtu, void (*send)(void *arg, struct sk_buff *skb), void *arg)
{
	if (skb->ignore_df && IP6CB(skb)->frag_max_size <= mtu && skb_valid_dst(skb))
		fragment(en, skb, mtu, send, arg);
	else
		esplane_pmtu_refuse(en, sa, skb, mtu);
}

void esplane_pmtu_too_big(struct esplane_net *en, struct esplane_sa *sa, struct sk_buff *skb,
			  unsigned int mtu, void (*send)(void *arg, struct sk_buff *skb),
			  void *arg)
{
	bool df = ip_hdr(skb)->frag_off & htons(IP_DF) && !skb->ignore_df;

	if (ip_hdr(skb)->version == 6)
		too_big_v6(en, sa, skb, mtu, send, arg);
	else if (df || mtu < IPV4_MIN_MTU)
		esplane_pmtu_refuse(en, sa, skb, mtu);
	else if (!skb_valid_dst(skb))
		esplane_drop(en, sa, skb, ESPLANE_DROP_TOO_BIG, sa->spi, 0);
	else
		fragment(en, skb, mtu, send, arg);
}
