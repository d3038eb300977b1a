// SPDX-License-Identifier: GPL-2.0
/*
 * Native ESP packets that come one after the other go on as one train.
 *
 * UDP's have been joined before they reach encap.c. Protocol 50 has no GRO but esp4_offload's,
 * which knows xfrm's SAs only, so each packet comes alone. It waits here for those behind it
 * (batch.c). Then those of one SA take the replay lock, the cipher and the way to the stack
 * together, and TCP segments among them become a super-packet (join.c).
 *
 * Order: packets of an SA stay as they came. Those of different SAs may pass each other.
 */
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/skbuff.h>
#include <net/dsfield.h>

#include "batch.h"
#include "burst.h"
#include "esp.h"
#include "input.h"
#include "net.h"
#include "sa.h"
#include "sad.h"

/* Addresses, and what the inner packet is told of: one answer must do for all of a train. */
static bool same_outer(const struct sk_buff *a, const struct sk_buff *b)
{
	const struct ipv6hdr *a6 = ipv6_hdr(a), *b6 = ipv6_hdr(b);
	const struct iphdr *a4 = ip_hdr(a), *b4 = ip_hdr(b);

	if (a4->version != b4->version)
		return false;
	if (a4->version == 6)
		return ipv6_get_dsfield(a6) == ipv6_get_dsfield(b6) &&
		       !memcmp(&a6->saddr, &b6->saddr, sizeof(a6->saddr) + sizeof(a6->daddr));
	return a4->tos == b4->tos && a4->saddr == b4->saddr && a4->daddr == b4->daddr;
}

/* In transport mode each packet has an IP header that counts. */
static bool goes_with(struct sk_buff *first, struct sk_buff *skb)
{
	const struct esplane_sa *sa = esplane_waiting(first)->sa;

	return esplane_waiting(skb)->sa == sa && sa->mode == ESPLANE_MODE_TUNNEL &&
	       same_outer(first, skb);
}

static struct sk_buff *take_train(struct sk_buff_head *list)
{
	struct sk_buff *first = __skb_dequeue(list), *last = first, *skb, *next;

	skb_queue_walk_safe(list, skb, next) {
		if (!goes_with(first, skb))
			continue;
		__skb_unlink(skb, list);
		last->next = skb;
		last = skb;
	}
	return first;
}

static void send(struct esplane_sa *sa, struct sk_buff *packets, unsigned int n)
{
	esplane_input_packets(sa, packets);
}

static const struct esplane_batch_kind burst_kind = {
	.take_train = take_train,
	.send = send,
};

/* Most packets have the SA of the one before. */
static struct esplane_sa *last_sa(struct esplane_batch *burst, __be32 spi)
{
	struct esplane_sa *sa = NULL;
	struct sk_buff *last;

	spin_lock(&burst->queue.lock);
	last = skb_peek_tail(&burst->queue);
	if (last)
		sa = esplane_waiting(last)->sa;
	if (sa && (sa->spi != spi || !esplane_sa_get(sa)))
		sa = NULL;
	spin_unlock(&burst->queue.lock);
	return sa;
}

struct esplane_sa *esplane_burst_find_sa(struct esplane_net *en, __be32 spi)
{
	struct esplane_sa *sa = last_sa(this_cpu_ptr(en->burst), spi);

	if (sa)
		return sa;
	sa = esplane_sad_lookup_spi(en, spi);
	return sa && esplane_sa_get(sa) ? sa : NULL;
}

void esplane_burst_add(struct esplane_net *en, struct esplane_sa *sa, struct sk_buff *skb,
		       unsigned int offset)
{
	skb_set_transport_header(skb, offset);
	esplane_batch_add(en->burst, skb, &(struct esplane_waiting){ .sa = sa });
}

int esplane_burst_init(struct esplane_net *en)
{
	en->burst = esplane_batch_alloc(&burst_kind);
	return en->burst ? 0 : -ENOMEM;
}

void esplane_burst_exit(struct esplane_net *en)
{
	esplane_batch_free(en->burst);
}
