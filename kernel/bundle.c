// SPDX-License-Identifier: GPL-2.0
/*
 * Forwarded packets that come one after the other leave as one train.
 *
 * What a host sends in bulk is a super-packet when it gets to output.c. What it forwards comes one
 * by one, unless GRO has joined it. Those that came together wait here for those behind them
 * (batch.c). Then those of one flow take sequence numbers and the cipher together, and with
 * ESP-in-UDP cross IP, netfilter and the queues as one.
 *
 * Order: packets of one flow, by their hash, stay as they came. So a train ends where the flow goes
 * on with a packet that does not go with the first: UDP's segmentation wants all but the last to be
 * of the same length, and one outer header has to do for all. A packet that cannot wait is preceded
 * by all that do (esplane_bundle_flush()).
 */
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/skbuff.h>
#include <net/dsfield.h>
#include <net/ip.h>

#include "batch.h"
#include "bundle.h"
#include "net.h"
#include "output.h"
#include "pmtu.h"
#include "sa.h"

/* Perhaps: a packet may have no hash yet. */
static bool same_flow(struct sk_buff *a, struct sk_buff *b)
{
	u32 x = skb_get_hash_raw(a), y = skb_get_hash_raw(b);

	return esplane_waiting(a)->sa == esplane_waiting(b)->sa && (x == y || !x || !y);
}

/* What outer headers, queues and filters tell of the packet. */
static bool same_outside(const struct sk_buff *a, const struct sk_buff *b)
{
	const struct iphdr *a4 = ip_hdr(a), *b4 = ip_hdr(b);

	if (a->priority != b->priority || a4->version != b4->version)
		return false;
	if (a4->version == 6)
		return ipv6_get_dsfield(ipv6_hdr(a)) == ipv6_get_dsfield(ipv6_hdr(b));
	return a4->tos == b4->tos && !((a4->frag_off ^ b4->frag_off) & htons(IP_DF));
}

static unsigned int esp_len(struct sk_buff *skb)
{
	return esplane_pmtu_esp_len(esplane_waiting(skb)->sa->transform, skb->len);
}

static struct sk_buff *take_train(struct sk_buff_head *list)
{
	struct sk_buff *first = __skb_dequeue(list), *last = first, *skb, *next;
	unsigned int len = esp_len(first);

	skb_queue_walk_safe(list, skb, next) {
		if (!same_flow(first, skb))
			continue;
		if (!same_outside(first, skb) || esp_len(skb) > len)
			break;
		__skb_unlink(skb, list);
		last->next = skb;
		last = skb;
		if (esp_len(skb) < len)
			break;
	}
	return first;
}

static const struct esplane_batch_kind bundle_kind = {
	.take_train = take_train,
	.send = esplane_output_bundle,
};

bool esplane_bundle_add(struct esplane_net *en, struct esplane_sa *sa, struct sk_buff *skb,
			unsigned int mtu)
{
	if (atomic_read(&en->dying) || !esplane_sa_get(sa))
		return false;
	esplane_batch_add(en->bundle, skb, &(struct esplane_waiting){ .sa = sa, .mtu = mtu });
	return true;
}

bool esplane_bundle_join(struct esplane_net *en, struct esplane_sa *sa, struct sk_buff *skb)
{
	struct esplane_batch *bundle = this_cpu_ptr(en->bundle);
	struct sk_buff *last;
	unsigned int mtu = 0;

	spin_lock(&bundle->queue.lock);
	last = skb_peek_tail(&bundle->queue);
	if (last && esplane_waiting(last)->sa == sa && last->protocol == skb->protocol)
		mtu = esplane_waiting(last)->mtu;
	spin_unlock(&bundle->queue.lock);
	return skb->len <= mtu && esplane_bundle_add(en, sa, skb, mtu);
}

void esplane_bundle_flush(struct esplane_net *en)
{
	struct esplane_batch *bundle = this_cpu_ptr(en->bundle);

	if (unlikely(!skb_queue_empty_lockless(&bundle->queue)))
		esplane_batch_run(bundle);
}

int esplane_bundle_init(struct esplane_net *en)
{
	en->bundle = esplane_batch_alloc(&bundle_kind);
	return en->bundle ? 0 : -ENOMEM;
}

void esplane_bundle_exit(struct esplane_net *en)
{
	esplane_batch_free(en->bundle);
}
